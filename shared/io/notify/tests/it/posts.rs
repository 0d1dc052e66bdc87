//! Webhooks and Slack-compatible posts.

use std::sync::Arc;
use std::time::Duration;

use notify::{Address, Attempt, FailureKind, Notifier, SAID_BYTES_MAX, signature};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::receiver::{Answer, Receiver};
use crate::told::{Folder, IMPATIENT, PATH_SECRET, PATIENT, SECRET, duty, failure, notification, now};

fn ok() -> Answer {
    Answer::new(200, "", "taken")
}

fn patience(answer: &Answer) -> &'static str {
    if matches!(answer, Answer::ThenSilence(_)) { IMPATIENT } else { PATIENT }
}

#[test]
fn a_signature_is_what_others_compute() {
    // By Python: hmac.new(secret, b'1795443010.{"version":1}', hashlib.sha256).hexdigest()
    let expected =
        "t=1795443010,key=2026-11,v1=d03b955d54a44f8e4e97696ac26c80be9d3adb6c2a44cb42038da1dfcfd8bd03";
    assert_eq!(signature(SECRET.as_bytes(), "2026-11", 1_795_443_010, br#"{"version":1}"#), expected);
}

#[tokio::test]
async fn a_webhook_is_signed_and_has_all_that_is_known() {
    let (folder, receiver) = (Folder::new(), Receiver::answering(ok()).await);
    let attempt = folder.posting_to(receiver.address).send(&duty(), &notification(), now()).await;
    assert_eq!(attempt, Attempt::Delivered { said: "200 taken".to_owned() });
    let [request] = &receiver.requests()[..] else { panic!("one request") };
    assert!(request.head.starts_with(&format!("POST /hook/{PATH_SECRET}?from=hub HTTP/1.1\r\n")));
    assert_eq!(request.header("host"), Some(receiver.address.to_string().as_str()));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("sto-notification-id"), Some("a1".repeat(16).as_str()));
    assert!(request.is_signed_by("2026-11", SECRET, 1_795_443_010 + 300));
    assert!(!request.is_signed_by("2026-11", SECRET, 1_795_443_010 + 301), "a replay");
    assert!(!request.is_signed_by("2026-11", "another secret", 1_795_443_010));
    let body: Value = serde_json::from_str(&request.body).expect("JSON");
    let text = body["text"].as_str().expect("a text");
    assert!(text.contains("Seen:            5.5 V\n"), "{text}");
    assert!(text.ends_with("\nhttps://hub.example/missions/demo/alarms/0b0b\n"), "{text}");
    let expected = json!({
        "version": 1,
        "id": "a1".repeat(16),
        "test": false,
        "subject": "[critical] demo and 2 more: /Demo/Power/battery_voltage (limits)",
        "text": text,
        "mission": "demo",
        "alarm": "0b".repeat(16),
        "severity": "critical",
        "state": "active-unacknowledged",
        "detector": "limits",
        "parameter": "/Demo/Power/battery_voltage",
        "unit": "V",
        "seen": 5.5,
        "expected": null,
        "threshold": 6.5,
        "model": null,
        "first_generation_time": "2026-11-23T14:10:00.125Z",
        "group": {
            "alarms": 3,
            "first_out": "0c".repeat(16),
            "first_out_parameter": "/Demo/Power/bus_current",
        },
        "ladder": {"name": "power", "step": 2, "round": 0},
        "link": "https://hub.example/missions/demo/alarms/0b0b",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_repeat_has_the_same_id_and_body_under_a_signature_of_its_own() {
    let (folder, receiver) = (Folder::new(), Receiver::answering(ok()).await);
    let notifier = folder.posting_to(receiver.address);
    notifier.send(&duty(), &notification(), now()).await;
    notifier.send(&duty(), &notification(), now().plus_nanos(3_600_000_000_000)).await;
    let [first, second] = &receiver.requests()[..] else { panic!("two requests") };
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("sto-notification-id"), second.header("sto-notification-id"));
    assert!(second.is_signed_by("2026-11", SECRET, 1_795_446_610));
    assert_ne!(first.header("sto-signature"), second.header("sto-signature"));
}

#[tokio::test]
async fn the_status_decides_what_becomes_of_a_message() {
    let check = async |status: u16, headers: &str, expected: Option<(FailureKind, Option<u64>)>| {
        let (folder, receiver) =
            (Folder::new(), Receiver::answering(Answer::new(status, headers, "why\n so")).await);
        let attempt = folder.posting_to(receiver.address).send(&duty(), &notification(), now()).await;
        let found = match &attempt {
            Attempt::Delivered { .. } => None,
            Attempt::Refused(failure) => Some((failure.kind, None)),
            Attempt::TryAgain { failure, not_before } => {
                Some((failure.kind, not_before.map(|wait| wait.as_secs())))
            }
        };
        assert_eq!(found, expected, "{status}: {attempt:?}");
        let is_final = matches!(attempt, Attempt::Refused(_));
        assert_eq!(is_final, found.is_some_and(|(kind, _)| kind.is_final()), "{status}");
    };
    for status in [200, 201, 202, 204] {
        check(status, "", None).await;
    }
    for status in [301, 302, 307, 308] {
        check(status, "location: http://127.0.0.1:1/\r\n", Some((FailureKind::Refused, None))).await;
    }
    for status in [400, 401, 403, 404, 405, 410, 413, 422] {
        check(status, "retry-after: 5\r\n", Some((FailureKind::Refused, None))).await;
    }
    for status in [408, 425, 429, 500, 501, 502, 503, 504] {
        check(status, "", Some((FailureKind::Busy, None))).await;
    }
    check(429, "retry-after: 120\r\n", Some((FailureKind::Busy, Some(120)))).await;
    check(503, "retry-after: 999999\r\n", Some((FailureKind::Busy, Some(3_600)))).await;
    check(503, "retry-after: Mon, 23 Nov 2026 14:11:10 GMT\r\n", Some((FailureKind::Busy, Some(60)))).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (folder, other) = (Folder::new(), Receiver::answering(ok()).await);
    let location = format!("location: http://{}/\r\n", other.address);
    let receiver = Receiver::answering(Answer::new(307, &location, "")).await;
    let attempt = folder.posting_to(receiver.address).send(&duty(), &notification(), now()).await;
    assert!(failure(&attempt).message.contains("answered 307, a redirect"), "{attempt:?}");
    assert!(receiver.requests().len() == 1 && other.requests().is_empty());
}

#[tokio::test]
async fn what_is_no_answer_is_tried_again() {
    let check = async |answer: Answer, expected: FailureKind| {
        let (folder, receiver) = (Folder::new(), Receiver::answering(answer.clone()).await);
        let notifier = folder.posting_within(patience(&answer), receiver.address);
        let attempt = notifier.send(&duty(), &notification(), now()).await;
        assert!(matches!(&attempt, Attempt::TryAgain { not_before: None, .. }), "{answer:?}: {attempt:?}");
        assert_eq!(failure(&attempt).kind, expected, "{answer:?}: {attempt:?}");
    };
    check(Answer::ThenSilence(""), FailureKind::Timeout).await;
    check(Answer::ThenSilence("HTTP/1.1 200 OK\r\nx: "), FailureKind::Timeout).await;
    check(Answer::Close, FailureKind::Answer).await;
    check(Answer::Bytes("220 mail.example ESMTP\r\n".to_owned()), FailureKind::Answer).await;
    check(Answer::Bytes("HTTP/1.1 200 OK\r\nx: ".to_owned()), FailureKind::Answer).await;
    check(Answer::Endless("HTTP/1.1 200 OK\r\n", "x: yyyyyyyyyyyyyyyy\r\n"), FailureKind::Answer).await;
    check(Answer::Endless("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyyyyyyyyyyyyyy"), FailureKind::Answer).await;
}

#[tokio::test]
async fn what_a_receiver_says_is_bounded() {
    let check = async |answer: Answer, expected: &str| {
        let patience = patience(&answer);
        let (folder, receiver) = (Folder::new(), Receiver::answering(answer).await);
        let notifier = folder.posting_within(patience, receiver.address);
        let attempt = notifier.send(&duty(), &notification(), now()).await;
        let Attempt::Delivered { said } = &attempt else { panic!("{attempt:?}") };
        assert!(said.starts_with(expected) && said.len() <= SAID_BYTES_MAX, "{} bytes: {said}", said.len());
    };
    check(Answer::Endless("HTTP/1.1 200 OK\r\n\r\n", "a\0 \u{1b}[31m\r\n"), "200 a [31m a [31m").await;
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    check(Answer::Endless(head, "4\r\nmore\r\n"), "200 moremore").await;
    check(Answer::ThenSilence("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nand"), "200 and").await;
    check(Answer::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ncut".to_owned()), "200 cut").await;
}

#[tokio::test]
async fn a_receiver_that_is_silent_holds_nobody_up() {
    let (folder, other) = (Folder::new(), Folder::new());
    let (silent, awake) =
        (Receiver::answering(Answer::ThenSilence("")).await, Receiver::answering(ok()).await);
    let silent = folder.posting_within(IMPATIENT, silent.address);
    let awake = Arc::new(other.posting_to(awake.address));
    let waiting = tokio::spawn(async move { silent.send(&duty(), &notification(), now()).await });
    let sent: Vec<_> = (0..8)
        .map(|_| Arc::clone(&awake))
        .map(|awake| tokio::spawn(async move { awake.send(&duty(), &notification(), now()).await }))
        .collect();
    for attempt in sent {
        assert!(matches!(attempt.await, Ok(Attempt::Delivered { .. })));
    }
    assert_eq!(failure(&waiting.await.expect("no panic")).kind, FailureKind::Timeout);
}

#[tokio::test]
async fn where_nobody_listens_is_tried_again() {
    let (folder, listener) =
        (Folder::new(), std::net::TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let notifier = folder.posting_to(listener.local_addr().expect("its address"));
    drop(listener);
    let attempt = notifier.send(&duty(), &notification(), now()).await;
    assert_eq!(failure(&attempt).kind, FailureKind::Connect);
    assert!(attempt.next(1, 7).is_some_and(|wait| wait <= Duration::from_secs(10)));
}

#[tokio::test]
async fn this_machine_is_not_posted_to_unless_that_is_allowed() {
    let (folder, receiver) = (Folder::new(), Receiver::answering(ok()).await);
    folder.file("secret", SECRET);
    let port = receiver.address.port();
    let check = async |host: &str, allow: &str, expected: &[FailureKind]| {
        let text = format!(
            r#"[[webhook]]
            name = "duty"
            url = "http://{host}:{port}/"
            allow_http = true
            secret_file = "secret"
            allow = [{allow}]"#
        );
        let notifier = Notifier::new(&folder.config(&text)).expect("a configuration");
        let attempt = notifier.send(&duty(), &notification(), now()).await;
        assert!(expected.contains(&failure(&attempt).kind), "{host}: {attempt:?}");
    };
    for host in ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"] {
        check(host, "", &[FailureKind::Address]).await;
        check(host, r#""10.0.0.0/8", "fd00::/8""#, &[FailureKind::Address]).await;
    }
    // The C library takes these for 127.0.0.1; where it does not, they are names that nobody has.
    for host in ["localhost", "127.1", "0x7f.1", "2130706433", "017700000001"] {
        check(host, "", &[FailureKind::Address, FailureKind::Connect]).await;
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_is_who_its_certificate_says_or_is_told_nothing() {
    let (folder, ours, another) = (Folder::new(), Authority::new(), Authority::new());
    folder.file("secret", SECRET);
    folder.file("ca.pem", &ours.pem);
    let check = async |authority: &Authority, name: &str, expected: Option<FailureKind>| {
        let receiver = Receiver::start(ok(), Some(authority.acceptor(name))).await;
        let text = format!(
            r#"[[webhook]]
            name = "duty"
            url = "https://{}/"
            secret_file = "secret"
            ca_file = "ca.pem"
            allow = ["127.0.0.1"]"#,
            receiver.address
        );
        let notifier = Notifier::new(&folder.config(&text)).expect("a configuration");
        let attempt = notifier.send(&duty(), &notification(), now()).await;
        match expected {
            None => assert_eq!(attempt, Attempt::Delivered { said: "200 taken".to_owned() }),
            Some(kind) => assert_eq!(failure(&attempt).kind, kind, "{attempt:?}"),
        }
        assert_eq!(receiver.requests().len(), usize::from(expected.is_none()));
    };
    check(&ours, "127.0.0.1", None).await;
    check(&ours, "hook.example", Some(FailureKind::Tls)).await;
    check(&another, "127.0.0.1", Some(FailureKind::Tls)).await;
    let plain = Receiver::answering(ok()).await;
    let text = format!(
        r#"[[webhook]]
        name = "duty"
        url = "https://{}/"
        secret_file = "secret"
        ca_file = "ca.pem"
        allow = ["127.0.0.1"]
        timeout = "1 s""#,
        plain.address
    );
    let notifier = Notifier::new(&folder.config(&text)).expect("a configuration");
    let attempt = notifier.send(&duty(), &notification(), now()).await;
    assert!(matches!(failure(&attempt).kind, FailureKind::Tls | FailureKind::Timeout), "{attempt:?}");
}

#[tokio::test]
async fn a_slack_channel_gets_text_and_blocks_without_links_of_others() {
    let (folder, receiver) = (Folder::new(), Receiver::answering(Answer::new(200, "", "ok")).await);
    let notifier = folder.posting_to(receiver.address);
    let mut told = notification();
    told.parameter = "/Demo/<!channel> & <https://evil.example|click>".to_owned();
    let attempt = notifier.send(&Address::Slack("room".to_owned()), &told, now()).await;
    assert_eq!(attempt, Attempt::Delivered { said: "200 ok".to_owned() });
    let [request] = &receiver.requests()[..] else { panic!("one request") };
    assert!(request.head.starts_with(&format!("POST /services/{PATH_SECRET} HTTP/1.1\r\n")));
    assert_eq!((request.header("sto-signature"), request.header("sto-notification-id")), (None, None));
    let body: Value = serde_json::from_str(&request.body).expect("JSON");
    let text = body["text"].as_str().expect("a text");
    let escaped = "/Demo/&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;";
    assert!(text.starts_with(&format!("[critical] demo and 2 more: {escaped} (limits)\n")), "{text}");
    let link = "<https://hub.example/missions/demo/alarms/0b0b|Open the alarm>";
    assert!(text.ends_with(link), "{text}");
    assert_eq!(text.matches('<').count(), 1, "{text}");
    let blocks = body["blocks"].as_array().expect("blocks");
    let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"]["text"].as_str()).collect();
    assert_eq!((texts.len(), texts[2]), (3, link));
    assert!(texts[1].contains(&format!("Parameter: {escaped}\n")), "{}", texts[1]);
}

#[tokio::test]
async fn names_of_any_length_fit_into_what_slack_takes() {
    let (folder, receiver) = (Folder::new(), Receiver::answering(ok()).await);
    let mut told = notification();
    (told.parameter, told.mission, told.detector) = ("<".repeat(9_999), "&".repeat(9_999), ">".repeat(9_999));
    folder.posting_to(receiver.address).send(&Address::Slack("room".to_owned()), &told, now()).await;
    let body: Value = serde_json::from_str(&receiver.requests()[0].body).expect("JSON");
    for block in body["blocks"].as_array().expect("blocks") {
        let length = block["text"]["text"].as_str().expect("a text").len();
        assert!((1..=3_000).contains(&length), "{length}");
    }
}

#[tokio::test]
async fn nothing_that_is_kept_of_an_attempt_repeats_a_secret() {
    let echo = format!("no hook at /hook/{PATH_SECRET}?from=hub nor /services/{PATH_SECRET}");
    for status in [200, 404, 500] {
        let (folder, receiver) = (Folder::new(), Receiver::answering(Answer::new(status, "", &echo)).await);
        let notifier = folder.posting_to(receiver.address);
        for address in [duty(), Address::Slack("room".to_owned())] {
            let kept = format!("{:?} {notifier:?}", notifier.send(&address, &notification(), now()).await);
            assert!(kept.contains("no hook at"), "{kept}");
            let own = if address == duty() { "/hook/" } else { "/services/" };
            assert!(!kept.contains(&format!("{own}{PATH_SECRET}")) && !kept.contains(SECRET), "{kept}");
        }
    }
}

#[tokio::test]
async fn a_channel_that_is_not_configured_is_refused_by_name() {
    let notifier = Notifier::new(&Folder::new().config("")).expect("an empty configuration");
    for (address, expected) in [
        (duty(), "no [[notify.webhook]] named \"duty\""),
        (Address::Slack("room".to_owned()), "no [[notify.slack]] named \"room\""),
        (Address::Email("kari@station.example".to_owned()), "needs [notify.smtp]"),
    ] {
        assert!(!notifier.has(&address));
        let attempt = notifier.send(&address, &notification(), now()).await;
        let Attempt::Refused(failure) = attempt else { panic!("{attempt:?}") };
        assert!(
            failure.to_string().starts_with("STO-NOTIFY-CHANNEL: ") && failure.message.contains(expected)
        );
    }
}
