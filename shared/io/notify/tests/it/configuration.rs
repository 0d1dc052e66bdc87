//! What is wrong with a configuration is told with its place, and without its secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use notify::{Notifier, NotifyConfig};

use crate::certificates::Authority;
use crate::told::{Folder, SECRET};

const SMTP: &str = "[smtp]\nhost = \"mail.example\"\nfrom = \"alarms@station.example\"\n";

fn webhook(keys: &str) -> String {
    format!("[[webhook]]\nname = \"duty\"\nca_file = \"ca.pem\"\n{keys}\n")
}

#[test]
fn what_cannot_be_used_is_told_with_its_place() {
    let folder = Folder::new();
    folder.file("ca.pem", &Authority::new().pem);
    folder.file("secret", SECRET);
    folder.file("short", "hunter2");
    folder.file("empty", "\n\n");
    folder.file("url", "https://hooks.example/hunter2");
    folder.file("plain-url", "http://hooks.example/hunter2");
    folder.file("no.pem", "hunter2");
    folder.file("long", &"x".repeat(5_000));
    let open = folder.file("open", SECRET);
    fs::set_permissions(open, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let check = |text: &str, expected: &str| {
        let refused = Notifier::new(&folder.config(text)).expect_err(text).to_string();
        assert!(refused.contains(expected), "{refused:?} lacks {expected:?}\n{text}");
        assert!(!refused.contains("hunter2"), "{refused}");
    };
    let url = "url = \"https://hook.example/hunter2\"\n";
    check("dashboard_url = \"hub.example\"", "notify, number 1, dashboard_url: expected an address");
    check("dashboard_url = \"https://hub.example/<b>\"", "dashboard_url: expected an address");
    let wrong_name = webhook(&format!("{url}secret_file = \"secret\"")).replace("duty", "on duty");
    check(&wrong_name, "notify.webhook, number 1, name: expected 1 to 40 letters");
    let one = webhook(&format!("{url}secret_file = \"secret\""));
    check(&format!("{one}{one}"), "notify.webhook, number 2, name: two are named \"duty\"");
    check(
        &webhook(&format!("{url}secret_file = \"secret\"\ntimeout = \"1 h\"")),
        "timeout: expected 1 s to 5 min",
    );
    check(
        &webhook(&format!("{url}secret_file = \"secret\"\ntimeout = \"0 s\"")),
        "timeout: expected 1 s to 5 min",
    );
    check(&webhook(&format!("{url}secret_file = \"secret\"\nkey_id = \"a,b\"")), "key_id: expected");
    check(&webhook(&format!("{url}secret_file = \"nowhere\"")), "secret_file: cannot read");
    check(&webhook(&format!("{url}secret_file = \"open\"")), "can be read or changed by others (mode 644)");
    check(&webhook(&format!("{url}secret_file = \"short\"")), "fewer than 32 bytes");
    check(&webhook(&format!("{url}secret_file = \"empty\"")), "begins with an empty line");
    check(&webhook(&format!("{url}secret_file = \"long\"")), "is longer than 4096 bytes");
    check(&one.replace("ca.pem", "nowhere"), "ca_file: cannot read");
    check(&one.replace("ca.pem", "no.pem"), "no certificate of an authority was found");
    check(
        &one.replace("https://", "http://"),
        "notify.webhook, number 1, url: http:// needs allow_http = true",
    );
    check(
        "[[slack]]\nname = \"room\"\nurl_file = \"plain-url\"",
        "notify.slack, number 1, url_file: http:// needs",
    );
    check("[[slack]]\nname = \"room\"\nurl_file = \"nowhere\"", "url_file: cannot read");
    check(&SMTP.replace("alarms@", "alarms"), "notify.smtp, number 1, from: it is no sender");
    check(&format!("{SMTP}user = \"hub\""), "user: a user needs a password_file");
    check(&format!("{SMTP}password_file = \"secret\""), "password_file: a password needs a user");
    check(
        &format!("{SMTP}user = \"hub\"\npassword_file = \"secret\"\nsecurity = \"none\""),
        "user: a password is never sent without TLS",
    );
    check(&format!("{SMTP}hello = \"a b\""), "hello: expected the name of this machine");
    check(&format!("{SMTP}ca_file = \"nowhere\""), "ca_file: cannot read");
    check(&format!("{SMTP}ca_file = \"no.pem\""), "ca_file: no certificate of an authority was found");
    check(&format!("{SMTP}timeout = \"6 min\""), "notify.smtp, number 1, timeout");
    let many: String = (0..101).map(|number| one.replace("duty", &format!("duty-{number}"))).collect();
    check(&many, "notify.webhook, number 101, name: there are more than 100");
}

#[test]
fn keys_that_are_not_known_and_values_that_are_none_are_refused_by_the_parser() {
    let check = |text: &str, expected: &str| {
        let refused = toml::from_str::<NotifyConfig>(text).expect_err(text).to_string();
        assert!(refused.contains(expected), "{refused}");
    };
    check("emails = true", "unknown field `emails`");
    check("[smtp]\nhost = \"a\"\nfrom = \"a@b.example\"\npassword = \"x\"", "unknown field `password`");
    check("[smtp]\nhost = \"a\"\nfrom = \"a@b.example\"\nsecurity = \"ssl\"", "unknown variant `ssl`");
    check("[[slack]]\nname = \"a\"\nurl = \"x\"", "unknown field `url`");
    let allow = "[[slack]]\nname = \"a\"\nurl_file = \"x\"\nallow = [\"10.1.2.3/16\"]";
    check(allow, "\"10.1.2.3/16\" is not a network");
}

#[test]
fn a_configuration_that_is_printed_shows_no_address_that_may_be_a_secret() {
    let config =
        Folder::new().config(&webhook("url = \"https://hook.example/hunter2\"\nsecret_file = \"secret\""));
    let printed = format!("{config:?}");
    assert!(printed.contains("duty") && !printed.contains("hunter2"), "{printed}");
}
