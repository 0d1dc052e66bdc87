//! Alarms at several hubs, over restarts, and on their way to nodes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cloud_hub::alarms::HubAlarms;
use cloud_hub::archive::{AlarmTable, Database, Evidence, Registry};
use cloud_hub::fleet::Fleet;
use cloud_hub::missions::Missions;
use cloud_hub::reception::committer::Committer;
use cloud_hub::reception::import::{Imported, Importer};
use cloud_hub::role::HubRole;
use dashboard::alarms::{AlarmBook, Alarms, Asked, RulesKind, WantedRules};
use delivery::{AlarmEntries, BundleLog, BundledBatch, Lane};
use processing::alarm::{AlarmId, History, Piece, Place, Request, State};
use space_packet::TaiTime;
use testkit::process::until;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::alarms::{act, at, batch, node_place, raised, said, subject};
use crate::database::migrated;
use crate::world::{STORE, World, XTCE};

const SOON: Duration = Duration::from_secs(30);

async fn hub(database: &Database) -> HubAlarms {
    let alarms = HubAlarms::new(database, ["test", "quiet"].into_iter());
    alarms.load().await.expect("reads");
    alarms
}

fn book(hub: &HubAlarms) -> Arc<AlarmBook> {
    hub.book("test").expect("a mission of this hub")
}

async fn look(hub: &HubAlarms, now: TaiTime) {
    hub.look(now).await.expect("answers");
}

fn asked(request: Request) -> Asked {
    Asked { request, note: None, id: None }
}

fn state(hub: &HubAlarms, alarm: AlarmId, now: TaiTime) -> State {
    book(hub).known(alarm).expect("is known").state(now).state
}

/// A node that is known.
async fn node(database: &Database) -> Uuid {
    let node = Uuid::new_v4();
    let client = database.connect().await.expect("connects");
    let sql = "INSERT INTO node (node_id, name, site) VALUES ($1, 'station', 'here')";
    client.execute(sql, &[&node]).await.expect("is made");
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_see_what_a_node_sent_and_what_is_done_at_the_other_one() {
    let (_postgres, database) = migrated().await;
    let (first, second) = (hub(&database).await, hub(&database).await);
    let raised = raised(node_place(node(&database).await));
    let alarm = raised.alarm();
    AlarmTable::new(database.clone()).keep(&raised, at(5)).await.expect("kept");
    for hub in [&first, &second] {
        look(hub, at(6)).await;
        assert_eq!(state(hub, alarm, at(6)), State::ActiveUnacknowledged);
        let known = book(hub).known(alarm).expect("is known");
        assert_eq!(known.known.values().copied().collect::<Vec<_>>(), [at(5)], "known at both since then");
        assert!(hub.book("quiet").expect("a mission").open().is_empty());
    }
    let acknowledge = asked(Request::Acknowledge { notices: None });
    book(&first).act(alarm, acknowledge, "kari", at(7)).await.expect("done");
    assert_eq!(state(&first, alarm, at(7)), State::ActiveAcknowledged);
    assert_eq!(state(&second, alarm, at(7)), State::ActiveUnacknowledged);
    let assign = asked(Request::Assign { to: Some("ola".to_owned()) });
    book(&second).act(alarm, assign, "ola", at(7)).await.expect("done");
    look(&first, at(8)).await;
    look(&second, at(8)).await;
    let histories = [&first, &second].map(|hub| book(hub).known(alarm).expect("is known").history.clone());
    assert_eq!(histories[0].len(), 3);
    assert_eq!(histories[0], histories[1]);

    let restarted = hub(&database).await;
    assert_eq!(book(&restarted).known(alarm).expect("is known").history, histories[0]);
    assert_eq!(book(&restarted).known(alarm), book(&first).known(alarm), "and known since the same time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_hears_of_what_others_write_until_it_stops() {
    let (_postgres, database) = migrated().await;
    let hub = Arc::new(hub(&database).await);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    let raised = raised(Place::Hub);
    AlarmTable::new(database.clone()).keep(&raised, at(1)).await.expect("kept");
    let known = until("the hub knows it", SOON, async || Ok(book(&hub).known(raised.alarm()))).await;
    known.expect("in time");
    stop.cancel();
    running.await.expect("ends").expect("without an error");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_and_seen_is_closed_in_the_table_and_comes_back_by_pages() {
    let (_postgres, database) = migrated().await;
    let table = AlarmTable::new(database.clone());
    let open = async || table.start("test", 0).await.expect("answers").entries.len();
    let hub = hub(&database).await;
    let levels = [(1, Some(processing::alarm::AlarmSeverity::Warning)), (2, None)];
    let pieces = said(Place::Hub, &subject("test", "/Test/number"), &levels);
    assert_eq!(pieces.len(), 2, "it has no window");
    let alarm = pieces[0].alarm();
    for piece in &pieces {
        table.keep(piece, at(3)).await.expect("kept");
    }
    look(&hub, at(4)).await;
    assert_eq!((state(&hub, alarm, at(4)), open().await), (State::ClearedUnacknowledged, 2));
    let shelve = asked(Request::Shelve { until: at(100) });
    book(&hub).act(alarm, shelve, "kari", at(5)).await.expect("done");
    let acknowledge = asked(Request::Acknowledge { notices: None });
    book(&hub).act(alarm, acknowledge, "kari", at(5)).await.expect("done");
    look(&hub, at(6)).await;
    assert_eq!((state(&hub, alarm, at(6)), open().await), (State::Shelved, 4), "shelved is not closed");
    look(&hub, at(101)).await;
    assert_eq!((state(&hub, alarm, at(101)), open().await), (State::Normal, 0));

    let page = book(&hub).page(None, 10, true, |_| true).await.expect("answers");
    assert_eq!(page.alarms.iter().map(|known| known.history.alarm()).collect::<Vec<_>>(), [alarm]);
    let again = self::hub(&database).await;
    assert!(book(&again).open().is_empty());
    assert_eq!(book(&again).page(None, 10, true, |_| true).await.expect("answers").alarms.len(), 1);
    assert_eq!(table.start("quiet", 10).await.expect("answers").entries.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_closed_while_no_hub_looked_is_noted_at_the_next_start() {
    let (_postgres, database) = migrated().await;
    let table = AlarmTable::new(database.clone());
    let levels = [(1, Some(processing::alarm::AlarmSeverity::Warning)), (2, None)];
    let mut history: Option<History> = None;
    for piece in said(Place::Hub, &subject("test", "/Test/number"), &levels) {
        table.keep(&piece, at(3)).await.expect("kept");
        let part = History::try_from(piece).expect("a history");
        history = Some(history.map_or(part.clone(), |mut whole| {
            whole.merge(&part);
            whole
        }));
    }
    let mut history = history.expect("was raised");
    let acknowledged = act(&mut history, Place::Hub, &Request::Acknowledge { notices: None }, 4);
    table.keep(&acknowledged, at(4)).await.expect("kept");
    let hub = hub(&database).await;
    look(&hub, at(5)).await;
    assert!(table.start("test", 0).await.expect("answers").entries.is_empty());
}

/// A node's session, as far as alarms are told.
struct Session {
    kept: watch::Sender<Option<u64>>,
    told: mpsc::Receiver<AlarmEntries>,
    task: tokio::task::JoinHandle<()>,
}

impl Session {
    fn open(hub: &HubAlarms, node: Uuid) -> Self {
        let (kept, said) = watch::channel(None);
        let (to_session, told) = mpsc::channel(1);
        let task = tokio::spawn(hub.telling().tell(node, said, to_session, |mission| mission == "test"));
        Self { kept, told, task }
    }

    async fn next(&mut self) -> AlarmEntries {
        tokio::time::timeout(SOON, self.told.recv()).await.expect("in time").expect("is told")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_in_its_session_what_it_lacks_and_what_comes_then() {
    let (_postgres, database) = migrated().await;
    let table = AlarmTable::new(database.clone());
    let (hub, node) = (hub(&database).await, node(&database).await);
    let raised = raised(node_place(node));
    let other = said(
        node_place(node),
        &subject("other-mission", "/X"),
        &[(1, Some(processing::alarm::AlarmSeverity::Watch))],
    )
    .remove(0);
    for piece in [&raised, &other] {
        table.keep(piece, at(1)).await.expect("kept");
    }
    let mut history = History::try_from(raised.clone()).expect("a history");
    let mut other = History::try_from(other).expect("a history");
    let hidden = act(&mut other, Place::Hub, &Request::Acknowledge { notices: None }, 2);
    table.keep(&hidden, at(2)).await.expect("kept");
    look(&hub, at(2)).await;
    let acknowledge = asked(Request::Acknowledge { notices: None });
    book(&hub).act(raised.alarm(), acknowledge, "kari", at(3)).await.expect("done");

    let mut session = Session::open(&hub, node);
    session.kept.send_replace(Some(0));
    let told = session.next().await;
    assert_eq!(told.mission, "test", "the other mission it may not know of");
    let piece = Piece::decode(&told.piece).expect("reads");
    assert_eq!(piece.entries[0].act().map(|act| act.by.as_str()), Some("kari"));
    session.kept.send_replace(Some(told.number));

    history.merge(&History::try_from(piece).expect("a history"));
    let assigned = act(&mut history, Place::Hub, &Request::Assign { to: None }, 4);
    table.keep(&assigned, at(4)).await.expect("kept");
    look(&hub, at(4)).await;
    let then = session.next().await;
    assert_eq!(Piece::decode(&then.piece).expect("reads"), assigned);
    assert!(then.number > told.number);

    // The link broke before the node had it.
    drop(session.told);
    drop(session.kept);
    session.task.await.expect("ends with its session");
    let mut session = Session::open(&hub, node);
    session.kept.send_replace(Some(told.number));
    assert_eq!(session.next().await, then);
    session.kept.send_replace(Some(then.number));
    let behind = told.number.cast_signed();
    let gone = async || Ok(table.to_tell(node, behind, 10).await?.is_empty().then_some(()));
    until("what the node has is not kept for it any more", SOON, gone).await.expect("in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_on_its_way_to_a_node_than_it_has_said_to_have_and_a_little() {
    let (_postgres, database) = migrated().await;
    let table = AlarmTable::new(database.clone());
    let (hub, node) = (hub(&database).await, node(&database).await);
    let raised = raised(node_place(node));
    table.keep(&raised, at(1)).await.expect("kept");
    let mut history = History::try_from(raised).expect("a history");
    for second in 2..12 {
        let mut said = act(&mut history, Place::Hub, &Request::Assign { to: None }, second);
        if let processing::alarm::Fact::Act(act) = &mut said.entries[0].fact {
            act.note = Some("x".repeat(4_096));
        }
        table.keep(&said, at(second)).await.expect("kept");
    }
    let mut session = Session::open(&hub, node);
    session.kept.send_replace(Some(0));
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(session.next().await);
    }
    let more = tokio::time::timeout(Duration::from_millis(300), session.told.recv()).await;
    assert!(more.is_err(), "12.5 kB of 16 KiB are under way, and the next one does not fit");
    session.kept.send_replace(Some(told[0].number));
    let next = session.next().await;
    assert!(next.number > told[2].number);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_of_another_place_is_told_to_mission_control_and_its_batch_is_committed() {
    let (_postgres, database) = migrated().await;
    let node = node(&database).await;
    let registry = Registry::new(database.clone());
    let nodes = registry.nodes().await.expect("answers");
    let fleet = Arc::new(Fleet::new("authority", nodes, HashSet::new(), HubRole::default()));
    let (decode, mut decoded) = mpsc::channel(16);
    tokio::spawn(async move { while decoded.recv().await.is_some() {} });
    let committer = Committer::open(database.clone(), Arc::clone(&fleet), decode).await.expect("the writer");
    let (to_committer, submissions) = mpsc::channel(16);
    tokio::spawn(committer.run(submissions));
    let evidence = Evidence::new(database.clone());
    let importer = Importer { registry, evidence: evidence.clone(), fleet, committer: to_committer };

    let (good, foreign) = (raised(node_place(node)), raised(Place::Hub));
    let records = [good.encode().expect("encodes"), foreign.encode().expect("encodes"), vec![1, 2, 3]];
    let batch = batch("test", &records, &mut None);
    let (lane, store, hash) = (Lane::Telemetry, STORE, batch.position().hash);
    let log = BundleLog { lane, store, first: 1, last: 1, previous: batch.previous, hash };
    let mut import = importer.begin(node, &[log]);
    import.take(&[BundledBatch { log: 0, batch }]).await.expect("is taken");
    assert_eq!(import.imported, Imported { new: 1, ..Imported::default() });

    let entries = AlarmTable::new(database.clone()).start("test", 10).await.expect("answers").entries;
    assert_eq!(entries.into_iter().map(|known| known.piece).collect::<Vec<_>>(), [good]);
    let told = async || {
        let mut codes: Vec<String> = evidence.events(10).await?.into_iter().map(|event| event.code).collect();
        codes.sort();
        Ok((codes == ["STO-ALARM-PIECE", "STO-ALARM-PLACE"]).then_some(()))
    };
    until("both refusals are told", SOON, told).await.expect("told");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_somebody_sends_are_a_version_that_is_in_force_at_every_hub() {
    let world = World::new().await;
    let hub = hub(&world.database).await;
    let first = "version = 3\n[[rule]]\nname = \"power\"\nlatch = true\n";
    let second = "version = 4\n[[rule]]\nname = \"power\"\n[[rule]]\nname = 7\n";
    let put = async |based_on, text| hub.put_rules("test", wanted(RulesKind::Alarms, based_on, text)).await;
    assert_eq!(put(None, first).await.expect("taken").number, 1);
    let version = put(Some(1), second).await.expect("taken");
    assert_eq!((version.number, version.document_version, version.problems.len()), (2, 4, 1));
    assert_eq!((version.author.as_str(), version.reason.as_str()), ("kari", "fewer at night"));
    assert_eq!(put(Some(1), second).await.expect("taken").number, 2, "the same again");
    assert!(put(Some(2), "[[rule").await.is_err());
    let versions = hub.rules("test", RulesKind::Alarms).await.expect("answers");
    assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
    let text = hub.rules_text("test", RulesKind::Alarms, 1).await.expect("answers").expect("is there");
    assert_eq!(text.text, first);
    assert!(hub.rules_text("test", RulesKind::Alarms, 9).await.expect("answers").is_none());
    assert!(hub.rules("quiet", RulesKind::Alarms).await.expect("answers").is_empty());
    let detection = "version = 7\n[[watch]]\nparameters = [\"/Test/*\"]\n[[watch]]\nparameters = 7\n";
    let version = hub.put_rules("test", wanted(RulesKind::Detection, None, detection)).await.expect("taken");
    assert_eq!((version.number, version.document_version, version.problems.len()), (1, 7, 1));

    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("test.xml"), XTCE).expect("written");
    let config = folder.path().join("hub.toml");
    let mission = service::mission::MissionConfig {
        name: "test".to_owned(),
        title: None,
        dictionary: "test.xml".into(),
        packet_time: Default::default(),
        packet_error_control: Default::default(),
        alarms: None,
        detection: None,
    };
    let (missions, _) = Missions::open(&world.database, &config, &[mission]).await.expect("opens");
    assert_eq!(book(&hub).rules().version, 0, "nothing was brought into force yet");
    hub.use_documents(&missions);
    assert_eq!(book(&hub).rules().names().collect::<Vec<_>>(), ["power"]);
    assert_eq!(book(&hub).rules().version, 4);
    let detection = hub.detection_rules("test");
    assert_eq!((detection.version, detection.rules()[0].parameters().collect()), (7, vec!["/Test/*"]));
    assert!(hub.detection_rules("quiet").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_based_on_an_older_version_are_refused_by_the_name_of_the_newer_one() {
    let world = World::new().await;
    let hub = hub(&world.database).await;
    for (kind, text) in [
        (RulesKind::Alarms, "[[rule]]\nname = \"power\"\n"),
        (RulesKind::Detection, "[[watch]]\nparameters = [\"/Test/*\"]\n"),
    ] {
        let put = async |based_on, version| {
            let text = format!("version = {version}\n{text}");
            hub.put_rules("test", wanted(kind, based_on, &text)).await
        };
        assert_eq!(put(None, 1).await.expect("taken").number, 1);
        assert_eq!(put(Some(1), 2).await.expect("taken").number, 2);
        for based_on in [None, Some(1), Some(3)] {
            let refused = format!("{:?}", put(based_on, 3).await.expect_err("overtaken"));
            assert!(refused.contains("STO-RULES-CONFLICT"), "{refused}");
            assert!(refused.contains("version 2, by kari (fewer at night)"), "{refused}");
        }
        let versions = hub.rules("test", kind).await.expect("answers");
        assert_eq!(versions.iter().map(|version| version.document_version).collect::<Vec<_>>(), [2, 1]);
        let refused = hub.put_rules("quiet", wanted(kind, Some(1), text)).await.expect_err("there is none");
        assert!(format!("{refused:?}").contains("there is no version"), "{refused:?}");
    }
}

fn wanted(kind: RulesKind, based_on: Option<u32>, text: &str) -> WantedRules {
    let (author, reason) = ("kari".to_owned(), "fewer at night".to_owned());
    WantedRules { kind, based_on, text: text.to_owned(), author, reason }
}
