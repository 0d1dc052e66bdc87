//! From token to identity, and every way it does not get there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use link::{Clock, Profile, connect_pinned};
use provisioning::*;
use tempfile::tempdir;
use tokio::sync::Barrier;

use crate::hub::{Hub, MemoryBook, PATIENCE, options, within};

fn refusal(result: Result<Enrolled, EnrollError>) -> Refused {
    match result {
        Err(EnrollError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_token_turns_a_machine_into_a_node() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let mut hub = Hub::start(home.path());
    let token = hub.token();
    assert_eq!(Identity::load(machine.path()).unwrap(), None);
    let enrolled = within(enroll(&token.to_text(), &options(machine.path(), "rack-7"))).await.unwrap();

    let identity = Identity::load(machine.path()).unwrap().unwrap();
    assert_eq!(identity, enrolled.identity);
    assert_eq!((identity.name.as_str(), identity.site.as_str()), ("svalbard-2", "Svalbard"));
    assert_eq!(identity.hub_addresses, [hub.address.to_string()]);
    assert_eq!(identity.certificate.authority_id, hub.authority.authority_id());
    assert_eq!(identity.bundle_key, Some(hub.authority.bundle_key().unwrap()));
    assert_eq!(enrolled.hub, hub.address);
    let outcome = within(hub.outcomes.recv()).await.unwrap().unwrap();
    let recorded = hub.book.certificates.lock().unwrap()[0].clone();
    assert_eq!(
        outcome,
        EnrolmentOutcome::Granted {
            node_id: identity.node_id,
            name: "svalbard-2".into(),
            hostname: "rack-7".into(),
            serial: recorded.serial.clone(),
        }
    );
    assert_eq!(recorded.serial, identity.certificate.serial);

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = machine.path().join("identity");
    assert_eq!(names_in(machine.path()), ["identity"]);
    assert_eq!(names_in(&directory), ["authority.pem", "certificate.pem", "key.pem", "node.json"]);
    assert_eq!(mode(&directory), 0o700);
    for file in names_in(&directory) {
        assert_eq!(mode(&directory.join(file)), 0o600);
    }
}

#[tokio::test]
async fn a_used_token_says_by_whom_and_when() {
    let (home, first, second) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let mut hub = Hub::start(home.path());
    let token = hub.token();
    within(enroll(&token.to_text(), &options(first.path(), "ge-nuc-07"))).await.unwrap();
    within(hub.outcomes.recv()).await.unwrap().unwrap();
    let refused = refusal(within(enroll(&token.to_text(), &options(second.path(), "thief"))).await);
    assert_eq!(refused.code, "STO-TOKEN-USED");
    assert_eq!(refused.used_by.as_deref(), Some("svalbard-2 (host ge-nuc-07)"));
    assert!(refused.used_at_unix.unwrap() > 1_700_000_000);
    assert!(refused.message.contains("svalbard-2") && refused.message.contains("ge-nuc-07"));
    let outcome = within(hub.outcomes.recv()).await.unwrap().unwrap();
    assert_eq!(
        outcome,
        EnrolmentOutcome::Refused {
            code: "STO-TOKEN-USED".into(),
            token_id: Some(token.id),
            hostname: "thief".into()
        }
    );
    assert_eq!(Identity::load(second.path()).unwrap(), None);
}

#[tokio::test]
async fn of_two_machines_with_one_token_exactly_one_wins() {
    for _ in 0..5 {
        let (home, first, second) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
        let mut book = MemoryBook::default();
        book.rendezvous = Some(Barrier::new(2));
        let hub = Hub::start_with(home.path(), Arc::new(book));
        let text = hub.token().to_text();
        let (first_options, second_options) =
            (options(first.path(), "first"), options(second.path(), "second"));
        let (one, other) =
            within(async { tokio::join!(enroll(&text, &first_options), enroll(&text, &second_options)) })
                .await;
        let (winners, losers): (Vec<_>, Vec<_>) = [one, other].into_iter().partition(Result::is_ok);
        assert_eq!((winners.len(), losers.len()), (1, 1));
        for loser in losers {
            assert_eq!(refusal(loser).code, "STO-TOKEN-USED");
        }
        assert_eq!(hub.book.certificates.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn another_hub_than_the_tokens_learns_nothing() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let mut impostor = Hub::start(home.path());
    let mut token = impostor.token();
    token.authority_spki_sha256 = [7; 32];
    let error = within(enroll(&token.to_text(), &options(machine.path(), "rack-7"))).await.unwrap_err();
    let seen_by_node = match &error {
        EnrollError::Authority { expected, seen, .. } => (*expected, *seen),
        other => panic!("{other:?}"),
    };
    assert_eq!(seen_by_node, ([7; 32], impostor.authority.spki_sha256()));
    assert_eq!(error.code(), "STO-AUTHORITY-PIN");
    // A real enrolment afterwards is the first and only thing the desk and the book ever saw.
    let real = impostor.token();
    within(enroll(&real.to_text(), &options(machine.path(), "rack-7"))).await.unwrap();
    assert!(within(impostor.outcomes.recv()).await.unwrap().is_ok());
    assert!(impostor.outcomes.try_recv().is_err());
    let redemptions = impostor.book.redemptions.lock().unwrap();
    assert_eq!(redemptions.iter().map(|r| r.token_id).collect::<Vec<_>>(), [real.id]);
}

#[tokio::test]
async fn a_failed_pin_leaves_the_machine_untouched() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let mut token = hub.token();
    token.authority_spki_sha256 = [7; 32];
    within(enroll(&token.to_text(), &options(machine.path(), "rack-7"))).await.unwrap_err();
    assert_eq!(names_in(machine.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_unknown_token_and_a_wrong_secret_get_the_same_answer() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let (mut guessed, other) = (hub.token(), hub.token());
    guessed.secret = other.secret.clone();
    let mut unknown = hub.token();
    unknown.id = TokenId([1; 16]);
    let mut answers = Vec::new();
    for token in [guessed, unknown] {
        let answer = within(enroll(&token.to_text(), &options(machine.path(), "rack-7"))).await;
        answers.push(refusal(answer));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].code, "STO-TOKEN-UNKNOWN");
}

#[tokio::test]
async fn a_wrong_secret_for_a_used_token_does_not_learn_who_used_it() {
    let (home, first, second) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let mut token = hub.token();
    within(enroll(&token.to_text(), &options(first.path(), "rack-7"))).await.unwrap();
    token.secret = hub.token().secret;
    let refused = refusal(within(enroll(&token.to_text(), &options(second.path(), "rack-8"))).await);
    assert_eq!((refused.code.as_str(), refused.used_by), ("STO-TOKEN-UNKNOWN", None));
}

#[tokio::test]
async fn an_expired_token_says_when() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let token = hub.token_until(1_795_252_440 - 86_400 * 365);
    let refused = refusal(within(enroll(&token.to_text(), &options(machine.path(), "rack-7"))).await);
    assert_eq!(refused.code, "STO-TOKEN-EXPIRED");
    assert_eq!(refused.message, "this token expired on 2025-11-21 09:14Z");
}

#[tokio::test]
async fn after_a_lost_answer_the_same_token_works_again_on_the_same_machine_only() {
    let (home, machine, other) = (tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    hub.book.outages.store(1, Ordering::SeqCst);
    let text = hub.token().to_text();
    let refused = refusal(within(enroll(&text, &options(machine.path(), "rack-7"))).await);
    assert_eq!(refused.code, "STO-HUB-UNAVAILABLE");
    assert_eq!(Identity::load(machine.path()).unwrap(), None);
    let key = fs::read(machine.path().join("identity.new/key.pem")).unwrap();

    let stolen = refusal(within(enroll(&text, &options(other.path(), "thief"))).await);
    assert_eq!(stolen.code, "STO-TOKEN-USED");
    within(enroll(&text, &options(machine.path(), "rack-7"))).await.unwrap();
    assert_eq!(fs::read(machine.path().join("identity/key.pem")).unwrap(), key);
}

#[tokio::test]
async fn an_enrolled_machine_gives_its_identity_up_only_on_purpose() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let mut options = options(machine.path(), "rack-7");
    let first = within(enroll(&hub.token().to_text(), &options)).await.unwrap().identity;
    let second = hub.token().to_text();
    let error = within(enroll(&second, &options)).await.unwrap_err();
    assert!(matches!(&error, EnrollError::AlreadyEnrolled { node_id, .. } if *node_id == first.node_id));
    assert_eq!(Identity::load(machine.path()).unwrap(), Some(first.clone()));

    options.replace = true;
    let replaced = within(enroll(&second, &options)).await.unwrap().identity;
    assert_ne!(replaced.node_id, first.node_id);
    assert_ne!(replaced.node.key_pkcs8, first.node.key_pkcs8);
    assert_eq!(Identity::load(machine.path()).unwrap(), Some(replaced));
    assert_eq!(names_in(machine.path()), ["identity"]);
}

#[tokio::test]
async fn a_damaged_identity_is_reported_and_can_be_replaced() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let mut options = options(machine.path(), "rack-7");
    within(enroll(&hub.token().to_text(), &options)).await.unwrap();
    let directory = machine.path().join("identity");
    for file in ["key.pem", "certificate.pem", "authority.pem", "node.json"] {
        let whole = fs::read(directory.join(file)).unwrap();
        fs::write(directory.join(file), b"x").unwrap();
        let error = Identity::load(machine.path()).unwrap_err();
        assert!(matches!(error, IdentityError::Damaged { .. }), "{file}: {error}");
        fs::write(directory.join(file), whole).unwrap();
    }
    fs::write(directory.join("key.pem"), b"x").unwrap();
    let text = hub.token().to_text();
    let error = within(enroll(&text, &options)).await.unwrap_err();
    assert_eq!(error.code(), "STO-IDENTITY-STORAGE");
    options.replace = true;
    within(enroll(&text, &options)).await.unwrap();
}

#[tokio::test]
async fn a_client_that_says_nothing_is_sent_away_and_holds_up_nobody() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let mut hub = Hub::start(home.path());
    let pin = hub.authority.spki_sha256();
    let clock = Clock::system();
    let address = [hub.address];
    let connecting = connect_pinned(&address, pin, Profile::Terrestrial, &clock, PATIENCE);
    let silent = within(connecting).await.unwrap();
    within(enroll(&hub.token().to_text(), &options(machine.path(), "rack-7"))).await.unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        outcomes.push(within(hub.outcomes.recv()).await.unwrap());
    }
    assert!(outcomes.iter().any(Result::is_ok));
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(DeskError::Silent))));
    within(silent.closed()).await;
}

#[tokio::test]
async fn requests_too_long_or_senseless_are_not_served() {
    let home = tempdir().unwrap();
    let mut hub = Hub::start(home.path());
    let (pin, clock, address) = (hub.authority.spki_sha256(), Clock::system(), [hub.address]);
    let too_long = vec![0; 9000];
    for (kind, body) in [(1, b"?".as_slice()), (9, b""), (1, &too_long)] {
        let connecting = connect_pinned(&address, pin, Profile::Terrestrial, &clock, PATIENCE);
        let connection = within(connecting).await.unwrap();
        let (mut writer, _reader) = connection.open_bi().await.unwrap();
        writer.send(kind, &[body]).await.unwrap();
        let error = within(hub.outcomes.recv()).await.unwrap().unwrap_err();
        assert!(matches!(error, DeskError::Request(_) | DeskError::Unreadable), "{error}");
    }
    assert!(hub.book.redemptions.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_bad_request_does_not_use_the_token_up() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let text = hub.token().to_text();
    let refused = refusal(within(enroll(&text, &options(machine.path(), ""))).await);
    assert_eq!(refused.code, "STO-REQUEST-REJECTED");
    within(enroll(&text, &options(machine.path(), "rack-7"))).await.unwrap();
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_reported_with_what_to_check() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let mut token = hub.token();
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    token.hub_addresses = vec![nobody.local_addr().unwrap().to_string()];
    let mut options = options(machine.path(), "rack-7");
    options.connect_timeout = std::time::Duration::from_millis(200);
    let error = within(enroll(&token.to_text(), &options)).await.unwrap_err();
    assert_eq!(error.code(), "STO-HUB-UNREACHABLE");
    assert!(error.report().contains("UDP"), "{}", error.report());
    let error = within(enroll("not a token", &options)).await.unwrap_err();
    assert_eq!(error.code(), "STO-TOKEN-NONE");
}
