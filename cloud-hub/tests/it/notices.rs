//! Who is told of alarms that nobody has acknowledged: with a real database, real receivers, and time as the test has it.

use std::sync::Arc;
use std::time::Duration;

use cloud_hub::alarms::{Escalator, HubAlarms};
use cloud_hub::archive::{AlarmTable, ArchiveError, Database, Lead, Lease, NoticeTable};
use cloud_hub::config::{HubConfig, notifier};
use dashboard::alarms::{AlarmBook, Alarms, Asked};
use dashboard::contract::{AlarmDelivery, DeliveryState};
use dashboard::records::Slice;
use processing::alarm::{
    AlarmId, AlarmRules, AlarmSeverity, Board, Cause, History, Observation, Piece, Place, Request, State,
    Terms,
};
use space_packet::{GenerationTime, TaiTime};
use testkit::postgres::TestDatabase;
use testkit::process::until;
use uuid::Uuid;

use crate::alarms::{act, at, said, subject};
use crate::database::migrated;
use crate::receivers::{Answer, Came, MailServer, Receiver};

const SOON: Duration = Duration::from_secs(30);
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

/// Contacts of the test; `room` and `kari` are webhooks, `ola` has e-mail. It is a Sunday, 00:00 UTC.
const CONTACTS: &str = r#"
version = 1
contact = [{ name = "room", webhook = "room" }, { name = "kari", webhook = "kari" },
           { name = "ola", email = "ola@station.example" }]
"#;
const USUAL: &str = r#"
[[ladder]]
name = "usual"
at_least = "warning"
steps = [{ to = ["room"] }, { after = "10 min", to = ["kari", "ola"] }]
repeat_every = "30 min"
repeat_times = 2
"#;

/// A database, receivers, and what is configured for them.
struct Told {
    _postgres: TestDatabase,
    database: Database,
    receiver: Receiver,
    mail: MailServer,
    folder: tempfile::TempDir,
}

/// A hub that tells people.
struct Hub {
    alarms: Arc<HubAlarms>,
    escalator: Escalator,
}

impl Told {
    async fn new() -> Self {
        let (postgres, database) = migrated().await;
        let (receiver, mail) = (Receiver::start().await, MailServer::start().await);
        let folder = tempfile::tempdir().expect("a directory");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "0123456789abcdef0123456789abcdef").expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&secret, mode).expect("set");
        let mut text = format!(
            "data_directory = \"d\"\n[notify]\ndashboard_url = \"https://hub.example\"\n[notify.smtp]\n\
             host = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"alarms@station.example\"\n",
            mail.address.port()
        );
        for name in ["room", "kari"] {
            text.push_str(&format!(
                "[[notify.webhook]]\nname = \"{name}\"\nurl = \"http://{}/{name}\"\nsecret_file = \"secret\"\n\
                 allow_http = true\nallow = [\"127.0.0.0/8\"]\n",
                receiver.address
            ));
        }
        std::fs::write(folder.path().join("hub.toml"), text).expect("written");
        Self { _postgres: postgres, database, receiver, mail, folder }
    }

    async fn hub(&self, ladders: &str) -> Hub {
        self.hub_that_leads(Lead::default(), ladders).await
    }

    async fn hub_that_leads(&self, lead: Lead, ladders: &str) -> Hub {
        let alarms = self.follower(ladders).await;
        let path = self.folder.path().join("hub.toml");
        let config = HubConfig::read(&path).expect("reads");
        let notifier = Arc::new(notifier(&path, &config.notify).expect("is in order"));
        let units = Box::new(|_: &str, parameter: &str| parameter.contains("volt").then(|| "V".to_owned()));
        let escalator = Escalator::new(&alarms, &self.database.led(lead), notifier, units);
        Hub { alarms, escalator }
    }

    async fn follower(&self, ladders: &str) -> Arc<HubAlarms> {
        let alarms = HubAlarms::new(&self.database, ["test"].into_iter());
        alarms.load().await.expect("reads");
        let rules = AlarmRules::parse("alarms.toml", &format!("{CONTACTS}{ladders}"));
        assert_eq!(rules.problems, []);
        alarms.book("test").expect("a mission").set_rules(Arc::new(rules));
        Arc::new(alarms)
    }

    /// Something is wrong since a second, and known since then.
    async fn raise(&self, parameter: &str, severity: AlarmSeverity, second: i64) -> Piece {
        let piece = said(Place::Hub, &subject("test", parameter), &[(second, Some(severity))]).remove(0);
        AlarmTable::new(self.database.clone()).keep(&piece, at(second)).await.expect("kept");
        piece
    }

    async fn over(&self) {
        let client = self.database.borrow().await.expect("connects");
        let sql = "UPDATE lease SET until = clock_timestamp() - interval '1 second'";
        client.execute(sql, &[]).await.expect("answers");
    }

    fn lease(&self, machine: &str) -> Lease {
        Lease::new(self.database.clone(), Uuid::new_v4(), machine.to_owned())
    }
}

impl Hub {
    fn book(&self) -> Arc<AlarmBook> {
        self.alarms.book("test").expect("a mission")
    }

    /// All that happens at a second, until nothing is under way.
    async fn pass(&mut self, second: i64) -> TaiTime {
        let next = self.try_pass(second).await;
        next.expect("answers")
    }

    async fn try_pass(&mut self, second: i64) -> Result<TaiTime, ArchiveError> {
        self.alarms.look(at(second)).await?;
        let mut next = self.escalator.pass(at(second)).await?;
        while self.escalator.attempt_ended().await {
            next = self.escalator.pass(at(second)).await?;
        }
        Ok(next)
    }

    async fn act(&self, alarm: AlarmId, request: Request, second: i64) {
        let asked = Asked { request, note: None, id: None };
        self.book().act(alarm, asked, "kari", at(second)).await.expect("done");
    }

    async fn acknowledge(&self, alarm: AlarmId, second: i64) {
        self.act(alarm, Request::Acknowledge { notices: None }, second).await;
    }

    async fn deliveries(&self) -> Vec<AlarmDelivery> {
        let slice = Slice { span: TaiTime(0)..TaiTime(i64::MAX), limit: 1_000, after: None };
        self.alarms.deliveries("test", None, slice).await.expect("answers").rows
    }

    /// Contact, state and attempts of each message, the oldest first.
    async fn states(&self) -> Vec<(String, DeliveryState, u32)> {
        let states = self.deliveries().await.into_iter().rev();
        states.map(|one| (one.contact, one.state, one.attempts)).collect()
    }

    fn open(&self, detector: &str, second: i64) -> Vec<(String, State)> {
        let open = self.book().open().into_iter();
        let of_detector = open.filter(|known| known.history.subject().detector == detector);
        of_detector
            .map(|known| (known.history.subject().parameter.clone(), known.state(at(second)).state))
            .collect()
    }
}

fn text<'a>(came: &'a Came, key: &str) -> &'a str {
    came.body[key].as_str().unwrap_or_else(|| panic!("{key} in {}", came.body))
}

fn waiting(contact: &str, attempts: u32) -> (String, DeliveryState, u32) {
    (contact.to_owned(), DeliveryState::Waiting, attempts)
}

fn sent(contact: &str) -> (String, DeliveryState, u32) {
    (contact.to_owned(), DeliveryState::Sent, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_is_climbed_until_somebody_acknowledges() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    let alarm = told.raise("/Test/voltage", AlarmSeverity::Warning, 1).await.alarm();
    let next = hub.pass(1).await;
    let came = told.receiver.came();
    assert_eq!(came.len(), 1);
    assert_eq!(came[0].to, "room");
    let hexadecimal = format!("{:032x}", u128::from_be_bytes(alarm.0));
    for (key, expected) in [
        ("mission", "test"),
        ("alarm", &hexadecimal),
        ("severity", "warning"),
        ("state", "active-unacknowledged"),
        ("parameter", "/Test/voltage"),
        ("unit", "V"),
        ("first_generation_time", "2026-11-22T00:00:01Z"),
        ("link", &format!("https://hub.example/alarms/test?alarm={hexadecimal}")),
    ] {
        assert_eq!(text(&came[0], key), expected);
    }
    assert_eq!(came[0].body["seen"], 7.5);
    assert_eq!(came[0].body["ladder"]["step"], 1);
    assert!(next <= at(11), "it looks again soon");

    for second in [2, 600] {
        hub.pass(second).await;
        assert_eq!(told.receiver.told(), [""; 0], "{second}: nothing more is due");
    }
    hub.pass(601).await;
    assert_eq!(told.receiver.told(), ["kari"]);
    let mails = told.mail.messages();
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0].contains("To: ola@station.example") && mails[0].contains("/Test/voltage"),
        "{}",
        mails[0]
    );

    hub.pass(601 + 30 * MINUTE).await;
    assert_eq!((told.receiver.told(), told.mail.messages().len()), (vec!["kari".to_owned()], 1), "again");
    hub.acknowledge(alarm, 601 + 40 * MINUTE).await;
    hub.pass(601 + 60 * MINUTE).await;
    assert_eq!((told.receiver.told(), told.mail.messages().len()), (vec![], 0), "somebody has seen it");
    let mut states = hub.states().await;
    states.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(states, [sent("kari"), sent("kari"), sent("ola"), sent("ola"), sent("room")]);
    let answers: Vec<_> = hub.deliveries().await.into_iter().filter_map(|one| one.answer).collect();
    assert!(answers.iter().any(|answer| answer == "200 noted.") && answers.len() == 5, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_want_to_wait_has_the_next_step_sent_at_once_at_whichever_hub_they_are() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    let alarm = told.raise("/Test/voltage", AlarmSeverity::Warning, 1).await.alarm();
    hub.pass(1).await;
    assert_eq!(told.receiver.told(), ["room"]);
    let follower = told.follower(USUAL).await;
    let escalate = || Asked { request: Request::Escalate { rung: None }, note: None, id: None };
    let book = follower.book("test").expect("a mission");
    book.act(alarm, escalate(), "kari", at(60)).await.expect("there is a second step");
    hub.pass(61).await;
    assert_eq!((told.receiver.told(), told.mail.messages().len()), (vec!["kari".to_owned()], 1));
    hub.pass(601).await;
    assert_eq!(told.receiver.told(), [""; 0], "it is not sent again at its own time");

    hub.act(alarm, Request::Escalate { rung: None }, 700).await;
    hub.pass(701).await;
    assert_eq!((told.receiver.told(), told.mail.messages().len()), (vec!["kari".to_owned()], 1), "a round");
    hub.act(alarm, Request::Escalate { rung: None }, 800).await;
    hub.pass(801).await;
    let refused = hub.book().act(alarm, escalate(), "kari", at(900)).await.expect_err("all are told");
    assert!(refused.to_string().contains("everybody on the ladder has been told"), "{refused}");
    told.receiver.told();
    hub.pass(3 * HOUR).await;
    assert_eq!(told.receiver.told(), [""; 0], "nothing is left of the ladder");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_alarm_that_somebody_dealt_with_is_not_sent() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.receiver.answer(Answer::Status(503));
    let alarm = told.raise("/Test/a", AlarmSeverity::Warning, 1).await.alarm();
    let other = told.raise("/Test/b", AlarmSeverity::Warning, 1).await.alarm();
    hub.pass(1).await;
    assert_eq!(told.receiver.told(), ["room", "room"]);
    assert_eq!(hub.states().await, [waiting("room", 1), waiting("room", 1)]);
    hub.acknowledge(alarm, 2).await;
    hub.act(other, Request::Shelve { until: at(500) }, 2).await;
    told.receiver.answer(Answer::Status(200));
    hub.pass(60).await;
    assert_eq!(told.receiver.told(), [""; 0]);
    let why: Vec<_> = hub.deliveries().await.into_iter().filter_map(|one| one.problem).collect();
    assert_eq!(why.len(), 2);
    assert!(why.contains(&"somebody acknowledged the alarm".to_owned()), "{why:?}");
    assert!(why.contains(&"somebody shelved the alarm".to_owned()), "{why:?}");

    hub.pass(501).await;
    let came = told.receiver.came();
    assert_eq!(came.len(), 1, "the shelving is over, and it rings again");
    assert_eq!(text(&came[0], "parameter"), "/Test/b");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_data_tells_nobody() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    let seen = Observation {
        subject: subject("test", "/Test/a"),
        severity: Some(AlarmSeverity::Severe),
        generation: GenerationTime(at(1)),
        live: false,
        terms: Terms::default(),
        cause: Cause::default(),
    };
    let written = Board::new(Place::Hub).on_observation(&seen, at(2)).remove(0);
    let late = Piece { subject: written.subject, first: written.first, entries: vec![written.entry] };
    AlarmTable::new(told.database.clone()).keep(&late, at(2)).await.expect("kept");
    hub.pass(2).await;
    hub.pass(HOUR).await;
    assert!(hub.book().known(late.alarm()).expect("is known").state(at(3)).is_retrospective);
    assert_eq!((told.receiver.told(), hub.states().await), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_night_the_mild_waits_and_whoever_is_on_call_is_told_of_the_rest() {
    let ladders = r#"
on_call = [{ name = "ops", shifts = [{ when = "06:00-18:00", contacts = ["room"] }], otherwise = ["kari"] }]
[[ladder]]
name = "any"
steps = [{ to = ["on-call:ops"] }]
quiet = [{ when = "22:00-06:00", below = "critical" }]
"#;
    let told = Told::new().await;
    let mut hub = told.hub(ladders).await;
    told.raise("/Test/mild", AlarmSeverity::Warning, HOUR).await;
    told.raise("/Test/bad", AlarmSeverity::Critical, HOUR).await;
    hub.pass(HOUR).await;
    let came = told.receiver.came();
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].to.as_str(), text(&came[0], "parameter")), ("kari", "/Test/bad"));
    hub.pass(6 * HOUR - 1).await;
    assert_eq!(told.receiver.told(), [""; 0]);
    hub.pass(6 * HOUR).await;
    let came = told.receiver.came();
    assert_eq!(came.len(), 1);
    assert_eq!((came[0].to.as_str(), text(&came[0], "parameter")), ("room", "/Test/mild"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_away_is_told_later_and_once() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    told.receiver.answer(Answer::Status(503));
    let next = hub.pass(1).await;
    assert!(next > at(1) && next <= at(11));
    hub.pass(5).await;
    let first = told.receiver.came();
    assert_eq!(first.len(), 1, "not before its time");
    hub.pass(11).await;
    let second = told.receiver.came();
    assert_eq!(second[0].body, first[0].body, "the same message");
    assert_eq!(hub.states().await, [waiting("room", 2)]);
    assert!(
        hub.deliveries().await[0].problem.as_deref().is_some_and(|why| why.starts_with("STO-NOTIFY-BUSY"))
    );
    told.receiver.answer(Answer::Status(200));
    hub.pass(41).await;
    assert_eq!(told.receiver.told(), ["room"]);
    hub.pass(500).await;
    assert_eq!(told.receiver.told(), [""; 0]);
    assert_eq!(hub.states().await, [("room".to_owned(), DeliveryState::Sent, 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_down_and_not_sent_is_sent_by_the_next_leader_under_the_same_id() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    told.receiver.answer(Answer::Silence);
    hub.alarms.look(at(1)).await.expect("answers");
    hub.escalator.pass(at(1)).await.expect("answers");
    let mut came = Vec::new();
    until("it is on its way", SOON, async || {
        came.extend(told.receiver.came());
        Ok((!came.is_empty()).then_some(()))
    })
    .await
    .expect("posted");
    // Killed before it knew what became of it.
    drop(hub);
    told.receiver.answer(Answer::Status(200));
    let mut next = told.hub(USUAL).await;
    next.pass(2).await;
    assert_eq!(told.receiver.told(), [""; 0], "the first attempt counts");
    next.pass(11).await;
    let again = told.receiver.came();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].body, came[0].body, "the receiver can tell");
    assert_eq!(next.states().await, [("room".to_owned(), DeliveryState::Sent, 2)]);
    next.pass(HOUR - 1).await;
    assert_eq!(told.receiver.told(), ["kari"], "and the ladder goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hubs_the_one_that_leads_sends_and_a_sleeper_that_wakes_does_not() {
    let told = Told::new().await;
    let lead = told.lease("first").take().await.expect("answers").expect("nobody has it");
    let mut first = told.hub_that_leads(lead, USUAL).await;
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    first.pass(1).await;
    assert_eq!(told.receiver.told(), ["room"]);

    told.over().await;
    let lead = told.lease("second").take().await.expect("answers").expect("it is over");
    let mut second = told.hub_that_leads(lead, USUAL).await;
    told.raise("/Test/b", AlarmSeverity::Critical, 2).await;
    assert!(matches!(first.try_pass(2).await, Err(ArchiveError::Fenced)));
    assert_eq!(told.receiver.told(), [""; 0], "it sleeps through nothing and sends nothing");
    second.pass(2).await;
    let came = told.receiver.came();
    assert_eq!(came.len(), 1, "what the first one sent is not sent again");
    assert_eq!(text(&came[0], "parameter"), "/Test/b");

    // Due and written down by the second one, when the first one wakes again.
    told.receiver.answer(Answer::Status(503));
    second.pass(602).await;
    assert_eq!(told.receiver.told().len(), 2);
    let before = second.states().await;
    assert!(matches!(first.try_pass(700).await, Err(ArchiveError::Fenced)));
    assert_eq!((told.receiver.told(), second.states().await), (vec![], before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_cannot_be_reached_is_an_alarm_for_the_others_until_it_is_reached_again() {
    let ladders = r#"
[[ladder]]
name = "usual"
at_least = "warning"
steps = [{ to = ["room", "ola"] }]
"#;
    let told = Told::new().await;
    let mut hub = told.hub(ladders).await;
    told.receiver.answer(Answer::Status(404));
    let alarm = told.raise("/Test/a", AlarmSeverity::Warning, 1).await.alarm();
    hub.pass(1).await;
    assert_eq!(told.receiver.told(), ["room"], "a refusal is not tried again");
    hub.pass(2).await;
    assert_eq!(hub.open("delivery", 2), [("room".to_owned(), State::ActiveUnacknowledged)]);
    assert_eq!(told.receiver.told(), [""; 0], "it is not told of itself");
    let mails = told.mail.messages();
    assert_eq!(mails.len(), 2);
    assert!(mails[1].contains("Detector:        delivery") && mails[1].contains("critical"), "{}", mails[1]);

    // Another leader knows it too, and does not raise it again.
    hub.acknowledge(alarm, 3).await;
    drop(hub);
    let mut hub = told.hub(ladders).await;
    hub.pass(10).await;
    assert_eq!(hub.open("delivery", 10).len(), 1);
    let standing = hub.book().open().into_iter().find(|known| known.history.subject().detector == "delivery");
    let standing = standing.expect("it stands");
    assert_eq!(standing.history.len(), 1);
    assert_eq!(told.mail.messages().len(), 0);

    told.receiver.answer(Answer::Status(200));
    told.raise("/Test/b", AlarmSeverity::Warning, 20).await;
    hub.pass(20).await;
    assert_eq!(told.receiver.told(), ["room"]);
    hub.pass(21).await;
    assert_eq!(hub.open("delivery", 21), [("room".to_owned(), State::ActiveUnacknowledged)], "for a minute");
    hub.pass(90).await;
    assert_eq!(hub.open("delivery", 90), [("room".to_owned(), State::ClearedUnacknowledged)]);
    hub.acknowledge(standing.history.alarm(), 91).await;
    hub.pass(92).await;
    assert_eq!(hub.open("delivery", 92), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rules_count_for_what_waits() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.receiver.answer(Answer::Status(503));
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    hub.pass(1).await;
    assert_eq!(told.receiver.told(), ["room"]);
    told.receiver.answer(Answer::Status(200));
    let rules = |contacts: &str| {
        let text = format!(
            "version = 2\n{contacts}\n[[ladder]]\nname = \"usual\"\nsteps = [{{ to = [\"ola\"] }}]\n"
        );
        let rules = AlarmRules::parse("alarms.toml", &text);
        assert_eq!(rules.problems, []);
        Arc::new(rules)
    };
    let ola = "{ name = \"ola\", email = \"ola@station.example\" }";
    hub.book().set_rules(rules(&format!("contact = [{{ name = \"room\", webhook = \"kari\" }}, {ola}]")));
    hub.pass(11).await;
    assert_eq!(told.receiver.told(), ["kari"], "the room has another address");

    told.receiver.answer(Answer::Status(503));
    told.raise("/Test/b", AlarmSeverity::Warning, 20).await;
    hub.book().set_rules(told.follower(USUAL).await.book("test").expect("a mission").rules());
    hub.pass(20).await;
    assert_eq!(told.receiver.told(), ["room"]);
    told.receiver.answer(Answer::Status(200));
    hub.book().set_rules(rules(&format!("contact = [{ola}]")));
    hub.pass(60).await;
    assert_eq!(told.receiver.told(), [""; 0], "there is no room any more");
    let why = hub.deliveries().await.into_iter().filter_map(|one| one.problem);
    assert_eq!(why.collect::<Vec<_>>(), ["the alarm rules have this contact no more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_told_as_one() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    for number in 0..40 {
        let severity = if number == 7 { AlarmSeverity::Critical } else { AlarmSeverity::Warning };
        told.raise(&format!("/Test/p{number}"), severity, 1 + number).await;
    }
    hub.pass(60).await;
    let came = told.receiver.came();
    assert_eq!(came.len(), 1);
    assert_eq!(text(&came[0], "parameter"), "/Test/p7", "the worst");
    assert_eq!(came[0].body["group"]["alarms"], 40);
    assert_eq!(came[0].body["group"]["first_out_parameter"], "/Test/p0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_told_thirty_things_a_minute_and_the_rest_after_it() {
    let told = Told::new().await;
    let no_flood = format!("flood = {{ alarms = 1000, window = \"1 min\" }}\n{USUAL}");
    let mut hub = told.hub(&no_flood).await;
    for number in 0..33 {
        told.raise(&format!("/Test/p{number}"), AlarmSeverity::Warning, 1).await;
    }
    hub.pass(1).await;
    let first = told.receiver.came();
    assert_eq!(first.len(), 30);
    hub.pass(60).await;
    assert_eq!(told.receiver.told(), [""; 0]);
    hub.pass(62).await;
    let then = told.receiver.came();
    assert_eq!(then.len(), 3);
    let ids: std::collections::BTreeSet<_> = first.iter().chain(&then).map(|came| text(came, "id")).collect();
    assert_eq!(ids.len(), 33);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_round_that_still_waits_is_enough() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.receiver.answer(Answer::Status(503));
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    for second in [601, 601 + 30 * MINUTE, 601 + 60 * MINUTE] {
        hub.pass(second).await;
    }
    let waits = hub.states().await.into_iter().filter(|(_, state, _)| *state == DeliveryState::Waiting);
    let mut contacts: Vec<String> = waits.map(|(contact, ..)| contact).collect();
    contacts.sort();
    assert_eq!(contacts, ["kari", "room"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_at_once_and_a_follower_says_who_sends() {
    let told = Told::new().await;
    let follower = told.follower(USUAL).await;
    let refused = follower.send_test("test", "room", "kari").await.expect_err("it does not lead");
    assert_eq!(refused.code(), "STO-ALARM-ELSEWHERE");
    let lead = told.lease("machine-1").take().await.expect("answers").expect("nobody has it");
    let refused = follower.send_test("test", "room", "kari").await.expect_err("it does not lead");
    assert!(refused.detail().contains("machine-1"), "{}", refused.detail());
    assert_eq!(told.receiver.told(), [""; 0]);

    let hub = told.hub_that_leads(lead, USUAL).await;
    let unknown = hub.alarms.send_test("test", "nobody", "kari").await.expect_err("no such contact");
    assert_eq!(unknown.code(), "STO-ALARM-CONTACT");
    let sent = hub.alarms.send_test("test", "room", "kari").await.expect("is sent");
    assert_eq!(
        (sent.state, sent.alarm, sent.answer.as_deref()),
        (DeliveryState::Sent, None, Some("200 noted."))
    );
    let came = told.receiver.came();
    assert_eq!((came.len(), &came[0].body["test"]), (1, &true.into()));
    told.receiver.answer(Answer::Status(503));
    let failed = hub.alarms.send_test("test", "room", "kari").await.expect("was tried");
    assert_eq!((failed.state, failed.attempts), (DeliveryState::Failed, 1), "whoever asked knows");
    let listed = follower.deliveries(
        "test",
        None,
        Slice { span: TaiTime(0)..TaiTime(i64::MAX), limit: 1, after: None },
    );
    let page = listed.await.expect("answers");
    assert_eq!(page.rows, [failed]);
    let slice = Slice { span: TaiTime(0)..TaiTime(i64::MAX), limit: 1, after: page.next };
    let page = follower.deliveries("test", None, slice).await.expect("answers");
    assert_eq!((page.rows.len(), page.rows[0].state, page.next), (1, DeliveryState::Sent, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_test_raises_no_alarm_and_a_delivered_one_ends_it() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.receiver.answer(Answer::Status(404));
    hub.alarms.send_test("test", "room", "kari").await.expect("was tried");
    let now = (service::clock::now().0 - at(0).0) / crate::world::SECOND;
    hub.pass(now).await;
    assert_eq!(hub.open("delivery", now), []);
    told.raise("/Test/a", AlarmSeverity::Warning, now).await;
    hub.pass(now + 1).await;
    hub.pass(now + 2).await;
    assert_eq!(hub.open("delivery", now + 2).len(), 1);
    told.receiver.answer(Answer::Status(200));
    // A test's time is the real clock's, and only a newer one speaks against what was given up.
    until("the real clock is past what was given up", SOON, async || {
        Ok((service::clock::now() > at(now + 3)).then_some(()))
    })
    .await
    .expect("it goes on");
    hub.alarms.send_test("test", "room", "kari").await.expect("was sent");
    hub.pass(now + 10).await;
    hub.pass(now + 100).await;
    assert_eq!(hub.open("delivery", now + 100), [("room".to_owned(), State::ClearedUnacknowledged)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_kept_for_ninety_days_and_what_waits_for_ever() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    hub.pass(1).await;
    told.receiver.answer(Answer::Status(503));
    told.raise("/Test/b", AlarmSeverity::Warning, 2).await;
    hub.pass(2).await;
    assert_eq!(hub.states().await, [sent("room"), waiting("room", 1)]);
    let table = NoticeTable::new(told.database.clone());
    assert_eq!(table.drop_old(at(1), at(3)).await.expect("answers"), 0);
    assert_eq!(table.drop_old(at(90 * 24 * HOUR), at(3)).await.expect("answers"), 1);
    assert_eq!(hub.states().await, [waiting("room", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_follows_an_alarm_that_others_acknowledged_at_another_hub() {
    let told = Told::new().await;
    let mut hub = told.hub(USUAL).await;
    let raised = told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    hub.pass(1).await;
    assert_eq!(told.receiver.told(), ["room"]);
    let mut history = History::try_from(raised).expect("a history");
    let seen = act(&mut history, Place::Hub, &Request::Acknowledge { notices: None }, 300);
    AlarmTable::new(told.database.clone()).keep(&seen, at(300)).await.expect("kept");
    hub.pass(601).await;
    assert_eq!(told.receiver.told(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_tells_people_by_itself_and_stops_when_it_is_to() {
    let told = Told::new().await;
    let hub = told.hub(USUAL).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let looking = tokio::spawn(Arc::clone(&hub.alarms).run(stop.clone()));
    let telling = tokio::spawn(hub.escalator.run(stop.clone()));
    told.raise("/Test/a", AlarmSeverity::Warning, 1).await;
    let came = until("a message comes", SOON, async || Ok(told.receiver.came().pop())).await.expect("comes");
    assert_eq!(text(&came, "parameter"), "/Test/a");
    stop.cancel();
    telling.await.expect("ends").expect("without an error");
    looking.await.expect("ends").expect("without an error");
}
