//! The body of a post to Slack and to what takes the same: Mattermost, Rocket.Chat, Zulip.

use serde_json::json;

use crate::notification::Notification;

/// Slack refuses a message with a section of more than 3,000 characters, so a line beyond that is left out.
const SECTION_BYTES_MAX: usize = 2_900;

/// `text` has all of it, because others than Slack show nothing else; Slack shows `blocks` instead.
pub(crate) fn body(notification: &Notification, link: Option<&str>) -> String {
    let subject = escaped(&notification.subject());
    let mut facts = String::new();
    for (label, value) in notification.facts() {
        let line = format!("{label}: {}\n", escaped(&value));
        if facts.len() + line.len() <= SECTION_BYTES_MAX {
            facts.push_str(&line);
        }
    }
    let facts = facts.trim_end();
    let page = link.map(|link| format!("<{}|Open the alarm>", escaped(link)));
    let section =
        |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    let mut blocks = vec![section(&format!("*{subject}*")), section(facts)];
    blocks.extend(page.iter().map(|page| section(page)));
    let mut text = format!("{subject}\n{facts}");
    if let Some(page) = page {
        text.push('\n');
        text.push_str(&page);
    }
    json!({"text": text, "blocks": blocks, "unfurl_links": false}).to_string()
}

/// With these three escaped, nothing is a link or a mention: a parameter named `<!channel>` calls nobody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
