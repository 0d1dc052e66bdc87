//! What the node has to say itself: it goes the way of everything that is received, so that mission control hears it.

use delivery::{EVENT_TEXT_BYTES_MAX, Event, Severity};
use space_packet::ReceptionTime;
use tracing::warn;

use super::{Link, Records, Submission};

/// Name of the link that the node's own events come by. No configured link may have it.
pub const NODE_LINK: &str = "node";

/// Where events are told: one link for each mission received here.
pub struct EventLog {
    missions: Vec<(String, Link)>,
}

/// An event that is noticed now.
pub fn event(code: &str, severity: Severity, text: String, details: &[(&str, String)]) -> Event {
    Event {
        at: service::clock::now(),
        code: code.to_owned(),
        severity,
        text: cut(text),
        details: details.iter().map(|(name, value)| ((*name).to_owned(), cut(value.clone()))).collect(),
    }
}

/// A text no longer than an event may hold.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(EVENT_TEXT_BYTES_MAX));
    text
}

impl EventLog {
    /// Tells events by these links, each of the mission named.
    pub fn new(missions: Vec<(String, Link)>) -> Self {
        Self { missions }
    }

    /// Tells an event to one mission, or to all.
    pub fn tell(&self, mission: Option<&str>, event: &Event) {
        let concerned =
            self.missions.iter().filter(|(name, _)| mission.is_none_or(|mission| mission == name));
        for (_, link) in concerned {
            let submission = Submission {
                reception: ReceptionTime(event.at),
                records: Records::Events(vec![event.clone()]),
                producer: None,
                request: None,
            };
            // It stands in the log in any case; waiting here would hold up what it speaks of.
            if let Err(refused) = link.try_submit(submission) {
                warn!(code = event.code, %refused, "event could not be recorded");
            }
        }
    }
}
