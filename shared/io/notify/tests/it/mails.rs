//! E-mail.

use std::net::SocketAddr;

use notify::{Address, Attempt, FailureKind, Notification, Notifier};

use crate::certificates::Authority;
use crate::mail_server::{DROP, ENDLESS, Protection, SILENCE, Script, TestServer};
use crate::told::{Folder, IMPATIENT, PATIENT, failure, notification, now};

const PASSWORD: &str = "correct horse battery";

fn kari() -> Address {
    Address::Email("kari@station.example".to_owned())
}

fn notifier(folder: &Folder, server: SocketAddr, keys: &str) -> Notifier {
    within(PATIENT, folder, server, keys)
}

fn within(timeout: &str, folder: &Folder, server: SocketAddr, keys: &str) -> Notifier {
    let text = format!(
        r#"dashboard_url = "https://hub.example"
        [smtp]
        host = "{}"
        port = {}
        from = "Operations <alarms@station.example>"
        timeout = "{timeout}"
        {keys}"#,
        server.ip(),
        server.port()
    );
    Notifier::new(&folder.config(&text)).expect("a configuration")
}

/// Sends over a connection without TLS to a server that does all right.
async fn delivered(told: &Notification) -> String {
    let server = TestServer::start(Script::new(), Protection::None).await;
    let notifier = notifier(&Folder::new(), server.address, r#"security = "none""#);
    let attempt = notifier.send(&kari(), told, now()).await;
    assert_eq!(attempt, Attempt::Delivered { said: "250 2.0.0 queued as 7".to_owned() });
    let transcript = server.transcript();
    let commands: Vec<&str> = transcript.commands.iter().map(|(command, _)| command.trim()).collect();
    let expected = [
        "EHLO station.example",
        "MAIL FROM:<alarms@station.example>",
        "RCPT TO:<kari@station.example>",
        "DATA",
    ];
    assert_eq!(commands[..4], expected);
    let [message] = &transcript.messages[..] else { panic!("one message") };
    assert!(message.is_ascii() && message.lines().all(|line| line.len() <= 998));
    message.clone()
}

fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let head = message.split("\r\n\r\n").next()?;
    let found = head.split("\r\n").find(|line| line.starts_with(&format!("{name}: ")))?;
    Some(&found[name.len() + 2..])
}

#[tokio::test]
async fn a_mail_has_headers_that_programs_know_and_text_that_people_read() {
    let message = delivered(&notification()).await;
    let check = |name: &str, expected: &str| assert_eq!(header(&message, name), Some(expected), "{message}");
    check("From", "Operations <alarms@station.example>");
    check("To", "kari@station.example");
    check("Subject", "[critical] demo and 2 more: /Demo/Power/battery_voltage (limits)");
    check("Message-ID", &format!("<{}@station.example>", "a1".repeat(16)));
    check("References", &format!("<alarm.{}@station.example>", "0b".repeat(16)));
    check("Auto-Submitted", "auto-generated");
    check("MIME-Version", "1.0");
    check("Content-Type", "text/plain; charset=utf-8");
    check("Date", "Mon, 23 Nov 2026 14:10:10 +0000");
    // Longer lines are broken by quoted-printable, and joined again by whoever reads it.
    let (_, body) = message.split_once("\r\n\r\n").expect("a body");
    let body = body.replace("=\r\n", "");
    let expected = "Nobody has acknowledged this alarm yet.\r\n\
        \r\n\
        Mission:         demo\r\n\
        Parameter:       /Demo/Power/battery_voltage\r\n\
        Severity:        critical\r\n\
        State:           active, not acknowledged\r\n\
        Detector:        limits\r\n\
        Seen:            5.5 V\r\n\
        Threshold:       6.5\r\n\
        Generation time: 2026-11-23T14:10:00.125Z\r\n\
        Group:           3 alarms; the first was /Demo/Power/bus_current (0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c)\r\n\
        Ladder:          power, step 2\r\n\
        Alarm:           0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\r\n\
        \r\n\
        https://hub.example/missions/demo/alarms/0b0b\r\n";
    assert!(body.starts_with(expected), "{body}");
}

#[tokio::test]
async fn a_test_says_that_it_is_one() {
    let message = delivered(&Notification { is_test: true, rung: None, ..notification() }).await;
    assert!(header(&message, "Subject").is_some_and(|subject| subject.starts_with("Test: [critical]")));
    assert!(
        message.contains(
            "\r\n\r\nThis is a test: somebody asked whether messages arrive. Nothing is wrong.\r\n"
        )
    );
    assert!(!message.contains("Ladder:"));
}

#[tokio::test]
async fn a_repeat_has_the_same_message_id() {
    let (first, second) = (delivered(&notification()).await, delivered(&notification()).await);
    assert_eq!(header(&first, "Message-ID"), header(&second, "Message-ID"));
    let other = Notification { id: processing::alarm::StepId([0xa2; 16]), ..notification() };
    assert_ne!(header(&first, "Message-ID"), header(&delivered(&other).await, "Message-ID"));
}

#[tokio::test]
async fn names_from_outside_begin_no_header_and_end_no_message() {
    let evil = "/Demo\r\nBcc: evil@example.com\r\n\r\nbody\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.\u{1b}[31m\0größer";
    let mut told = notification();
    (told.parameter, told.mission, told.detector) = (evil.to_owned(), evil.to_owned(), evil.to_owned());
    (told.unit, told.cause.model) = (Some(evil.to_owned()), Some(evil.to_owned()));
    (told.path, told.group.as_mut().unwrap().first_out_parameter) = (Some(evil.to_owned()), evil.to_owned());
    told.rung.as_mut().unwrap().ladder = evil.to_owned();
    let message = delivered(&told).await;
    let (head, _) = message.split_once("\r\n\r\n").expect("a body");
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(": ").next())
        .collect();
    let expected = [
        "Date",
        "From",
        "To",
        "Subject",
        "Message-ID",
        "References",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];
    assert_eq!(names, expected);
    assert!(!message.contains("\r\nBcc:") && !message.contains("\r\nMAIL") && !message.contains('\u{1b}'));
    assert!(message.ends_with("\r\n.\r\n") && message.matches("\r\n.\r\n").count() == 1, "{message}");
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anybody_is_asked() {
    let server = TestServer::start(Script::new(), Protection::None).await;
    let notifier = notifier(&Folder::new(), server.address, r#"security = "none""#);
    for wrong in [
        "",
        "kari",
        "kari@",
        "@station.example",
        "kari@station.example\r\nRCPT TO:<evil@example.com>",
        "kari@station.example>\r\nDATA",
        "kari@station.example, evil@example.com",
        "kari @station.example",
    ] {
        let attempt = notifier.send(&Address::Email(wrong.to_owned()), &notification(), now()).await;
        assert_eq!(failure(&attempt).kind, FailureKind::Recipient, "{wrong:?}: {attempt:?}");
        assert!(matches!(attempt, Attempt::Refused(_)));
    }
    assert!(server.transcript().commands.is_empty());
}

#[tokio::test]
async fn what_the_server_says_decides_what_becomes_of_a_mail() {
    let check = async |at: &'static str, says: &'static str, expected: FailureKind| {
        let server = TestServer::start(Script::from([(at, says)]), Protection::None).await;
        let patience = if says == SILENCE { IMPATIENT } else { PATIENT };
        let notifier = within(patience, &Folder::new(), server.address, r#"security = "none""#);
        let attempt = notifier.send(&kari(), &notification(), now()).await;
        assert_eq!(failure(&attempt).kind, expected, "{at}, {says}: {attempt:?}");
        assert_eq!(matches!(attempt, Attempt::Refused(_)), expected.is_final(), "{at}, {says}");
        let is_told = [ENDLESS, SILENCE].contains(&says) || failure(&attempt).message.contains(&says[4..]);
        assert!(is_told || says.starts_with("HTTP"), "{attempt:?}");
    };
    check("greeting", "421 too many of you", FailureKind::Busy).await;
    check("greeting", "554 go away", FailureKind::Refused).await;
    check("greeting", "HTTP/1.1 400 Bad Request", FailureKind::Answer).await;
    check("MAIL", "451 later", FailureKind::Busy).await;
    check("MAIL", "550 not from you", FailureKind::Refused).await;
    check("RCPT", "450 greylisted for 300 s", FailureKind::Busy).await;
    check("RCPT", "550 5.1.1 no such user", FailureKind::Refused).await;
    check("DATA", "452 disk full", FailureKind::Busy).await;
    check(".", "451 scanner away", FailureKind::Busy).await;
    check(".", "554 5.7.1 looks like spam", FailureKind::Refused).await;
    for at in ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        check(at, SILENCE, FailureKind::Timeout).await;
        check(at, ENDLESS, FailureKind::Answer).await;
    }
    for at in ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        let server = TestServer::start(Script::from([(at, DROP)]), Protection::None).await;
        let notifier = notifier(&Folder::new(), server.address, r#"security = "none""#);
        let attempt = notifier.send(&kari(), &notification(), now()).await;
        assert!(matches!(attempt, Attempt::TryAgain { .. }), "{at}: {attempt:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_no_goodbye_has_taken_the_message_all_the_same() {
    for goodbye in [SILENCE, DROP, "500 what?"] {
        let server = TestServer::start(Script::from([("QUIT", goodbye)]), Protection::None).await;
        let patience = if goodbye == SILENCE { IMPATIENT } else { PATIENT };
        let notifier = within(patience, &Folder::new(), server.address, r#"security = "none""#);
        let attempt = notifier.send(&kari(), &notification(), now()).await;
        assert!(matches!(attempt, Attempt::Delivered { .. }), "{goodbye}: {attempt:?}");
    }
}

#[tokio::test]
async fn password_and_message_go_through_tls() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.file("ca.pem", &authority.pem);
    folder.file("password", &format!("{PASSWORD}\n"));
    let keys = "ca_file = \"ca.pem\"\nuser = \"hub\"\npassword_file = \"password\"\n";
    let acceptor = authority.acceptor("127.0.0.1");
    for (protection, security) in
        [(Protection::Starttls(acceptor.clone()), "starttls"), (Protection::FromTheStart(acceptor), "tls")]
    {
        let server = TestServer::start(Script::new(), protection).await;
        let notifier = notifier(&folder, server.address, &format!("security = {security:?}\n{keys}"));
        let attempt = notifier.send(&kari(), &notification(), now()).await;
        assert!(matches!(attempt, Attempt::Delivered { .. }), "{security}: {attempt:?}");
        let transcript = server.transcript();
        assert_eq!(transcript.messages.len(), 1);
        let plain: Vec<&str> =
            transcript.commands.iter().filter(|(_, tls)| !tls).map(|(command, _)| command.trim()).collect();
        let expected: &[&str] = if security == "tls" { &[] } else { &["EHLO station.example", "STARTTLS"] };
        assert_eq!(plain, expected, "{security}");
        let login = data_encoding::BASE64.encode(format!("\0hub\0{PASSWORD}").as_bytes());
        let logged_in = (format!("AUTH PLAIN {login}\r\n"), true);
        assert!(transcript.commands.contains(&logged_in), "{:?}", transcript.commands);
    }
}

#[tokio::test]
async fn without_tls_that_can_be_trusted_a_server_is_told_nothing() {
    let (folder, ours, another) = (Folder::new(), Authority::new(), Authority::new());
    folder.file("ca.pem", &ours.pem);
    folder.file("password", PASSWORD);
    let keys = "ca_file = \"ca.pem\"\nuser = \"hub\"\npassword_file = \"password\"\n";
    let check = async |protection: Protection, security: &str| {
        let server = TestServer::start(Script::new(), protection).await;
        let notifier = notifier(&folder, server.address, &format!("security = {security:?}\n{keys}"));
        let attempt = notifier.send(&kari(), &notification(), now()).await;
        assert_eq!(failure(&attempt).kind, FailureKind::Tls, "{attempt:?}");
        assert!(matches!(attempt, Attempt::TryAgain { .. }));
        let transcript = server.transcript();
        let allowed =
            |command: &str| ["EHLO", "STARTTLS", "QUIT"].iter().any(|verb| command.starts_with(verb));
        assert!(transcript.commands.iter().all(|(command, _)| allowed(command)), "{transcript:?}");
    };
    check(Protection::None, "starttls").await;
    for authority_and_name in [(&another, "127.0.0.1"), (&ours, "mail.example")] {
        let acceptor = authority_and_name.0.acceptor(authority_and_name.1);
        check(Protection::Starttls(acceptor.clone()), "starttls").await;
        check(Protection::FromTheStart(acceptor), "tls").await;
    }
}

#[tokio::test]
async fn what_was_said_before_tls_is_not_taken_for_what_came_through_it() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.file("ca.pem", &authority.pem);
    let forged = "220 go on\r\n250-mail.example\r\n250 AUTH PLAIN";
    let protection = Protection::Starttls(authority.acceptor("127.0.0.1"));
    let server = TestServer::start(Script::from([("STARTTLS", forged)]), protection).await;
    let attempt =
        notifier(&folder, server.address, "ca_file = \"ca.pem\"").send(&kari(), &notification(), now()).await;
    assert_eq!(failure(&attempt).kind, FailureKind::Tls, "{attempt:?}");
    assert!(server.transcript().commands.iter().all(|(_, is_protected)| !is_protected));
}

#[tokio::test]
async fn a_password_that_is_refused_is_in_nothing_that_is_kept() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.file("ca.pem", &authority.pem);
    folder.file("password", PASSWORD);
    let protection = Protection::Starttls(authority.acceptor("127.0.0.1"));
    let server = TestServer::start(Script::from([("AUTH", "535 5.7.8 wrong")]), protection).await;
    let keys = "ca_file = \"ca.pem\"\nuser = \"hub\"\npassword_file = \"password\"\n";
    let notifier = notifier(&folder, server.address, keys);
    let attempt = notifier.send(&kari(), &notification(), now()).await;
    assert_eq!(failure(&attempt).kind, FailureKind::Refused);
    let kept = format!("{attempt:?} {notifier:?}");
    assert!(kept.contains("535") && !kept.contains(PASSWORD), "{kept}");
    assert!(!kept.contains(&data_encoding::BASE64.encode(format!("\0hub\0{PASSWORD}").as_bytes())));
}

#[tokio::test]
async fn a_mail_leaves_this_machine_unprotected_only_when_that_is_said() {
    let elsewhere: SocketAddr = "192.0.2.1:25".parse().expect("an address of documentation");
    let attempt = notifier(&Folder::new(), elsewhere, r#"security = "none""#)
        .send(&kari(), &notification(), now())
        .await;
    assert_eq!(failure(&attempt).kind, FailureKind::Address, "{attempt:?}");
    // Nobody has this address: that it is tried is all that shows.
    let keys = "security = \"none\"\nunprotected = true";
    let notifier = within(IMPATIENT, &Folder::new(), elsewhere, keys);
    let attempt = notifier.send(&kari(), &notification(), now()).await;
    assert!(matches!(failure(&attempt).kind, FailureKind::Connect | FailureKind::Timeout), "{attempt:?}");
}
