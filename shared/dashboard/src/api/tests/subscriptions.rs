//! Live subscriptions: several on one connection, without a seam, and bounded.

use std::collections::BTreeMap;

use delivery::{BatchBuilder, Content, Event, OpenBatch, Severity};
use futures_util::{FutureExt, SinkExt, StreamExt};
use mission_database::ParameterIndex;
use processing::{Raw, Sample};
use serde_json::{Value, json};
use space_packet::{Apid, GenerationTime, ReceptionTime, SequenceCount, build_packet};
use tokio::net::TcpSocket;
use tokio::task::unconstrained;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::live::{Stream, next, served, served_with};
use super::*;
use crate::LoggedEvent;
use crate::access::Role;
use crate::app::Patience;
use crate::contract::{EventEntry, LiveEvent, LiveSubject, NodeState};
use crate::live::{LiveStream, LiveUpdate};

pub(super) fn sample(parameter: u32, raw: Raw) -> Sample {
    let now = service::clock::now();
    Sample {
        parameter: ParameterIndex(parameter),
        generation: GenerationTime(now),
        reception: ReceptionTime(now),
        raw,
        converted: None,
        validity: mission_database::Validity::Valid,
        monitoring: mission_database::MonitoringResult::NotMonitored,
        version: VersionNumber(1),
        provenance: Default::default(),
    }
}

impl Fixture {
    /// Commits a batch of one sample of `/Demo/P` whose value is its position, and shows it.
    pub(super) fn commit(&self, position: i64) {
        self.commit_at(position, service::clock::now());
    }

    pub(super) fn commit_at(&self, position: i64, at: TaiTime) {
        let mut new = sample(0, Raw::Unsigned(position as u64));
        // Each a moment of its own, however fast they come.
        new.generation = GenerationTime(TaiTime(1_000_000_000 * position));
        let batch = LiveBatch { source: 0, position: Some(position), samples: vec![new], records: None };
        self.ledger.lock().expect("not poisoned").push((at, batch.clone()));
        self.mission.publish(batch);
    }

    fn commit_records(&self, position: i64, records: OpenBatch) {
        let batch =
            LiveBatch { source: 0, position: Some(position), samples: Vec::new(), records: Some(records) };
        self.mission.publish(batch);
    }
}

fn opened_batch(content: Content, records: &[Vec<u8>]) -> OpenBatch {
    let mut builder = BatchBuilder::of(content, "demo", "link");
    records.iter().for_each(|record| builder.push(ReceptionTime(service::clock::now()), record));
    let before = delivery::Position::start(delivery::StoreId([4; 16]), delivery::Lane::Telemetry);
    let sealed = builder.pack().expect("records").seal(delivery::Lane::Telemetry, &before);
    sealed.open().expect("opens")
}

pub(super) fn parameters(rate_max_per_s: Option<f64>) -> LiveSubject {
    let parameters = vec!["/Demo/P".to_owned()];
    LiveSubject::Parameters { mission: "demo".to_owned(), parameters, rate_max_per_s }
}

fn operator() -> Principal {
    somebody(Role::Operator, None)
}

fn app_of(backend: &Arc<Fixture>) -> Arc<App> {
    Arc::new(App::new(Arc::clone(backend) as Arc<dyn Backend>, CancellationToken::new()))
}

/// A stream without a transport.
pub(super) fn stream(backend: &Arc<Fixture>) -> LiveStream {
    LiveStream::new(app_of(backend), operator())
}

/// Takes in everything that came.
fn take_in(stream: &mut LiveStream) {
    // A test is a task that never yields, which would be held against it.
    while unconstrained(stream.changed()).now_or_never().is_some() {}
}

/// Everything there is to send, after everything that came was taken in.
pub(super) fn events(stream: &mut LiveStream) -> Vec<LiveEvent> {
    take_in(stream);
    std::iter::from_fn(|| stream.next_update().map(LiveUpdate::into_event)).collect()
}

/// The values that events carry, what was left out of them, and the last cursor.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) values: Vec<i64>,
    pub(super) dropped: u64,
    pub(super) resumed: Option<bool>,
    pub(super) reason: Option<String>,
    pub(super) cursor: Option<String>,
}

impl Seen {
    pub(super) fn add(&mut self, event: LiveEvent) {
        match event {
            LiveEvent::Opened { resumed, reason, cursor, .. } => {
                (self.resumed, self.reason) = (Some(resumed), reason);
                self.cursor = cursor.or(self.cursor.take());
            }
            LiveEvent::Snapshot { samples, dropped, cursor, .. }
            | LiveEvent::Values { samples, dropped, cursor, .. } => {
                let value = |sample: &crate::contract::Sample| match sample.raw {
                    crate::contract::Value::Integer(number) => number,
                    ref other => panic!("{other:?}"),
                };
                self.values.extend(samples.iter().map(value));
                self.dropped += dropped;
                self.cursor = cursor;
            }
            LiveEvent::Heartbeat { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn of(events: Vec<LiveEvent>) -> Self {
        let mut seen = Self::default();
        events.into_iter().for_each(|event| seen.add(event));
        seen
    }
}

async fn send(stream: &mut Stream, request: Value) {
    stream.send(Message::text(request.to_string())).await.expect("sent");
}

/// The next message that is no heartbeat.
async fn told(stream: &mut Stream) -> Value {
    loop {
        let message = next(stream).await;
        let value: Value = serde_json::from_str(message.to_text().expect("text")).expect("JSON");
        if value["kind"] != "heartbeat" {
            return value;
        }
    }
}

pub(super) fn event(position: i64, text: &str) -> LoggedEvent {
    let entry = EventEntry {
        at: "2026-11-22T20:00:00Z".to_owned(),
        node: None,
        author: None,
        code: "STO-TEST".to_owned(),
        severity: None,
        text: text.to_owned(),
        details: Vec::new(),
    };
    LoggedEvent { position, entry }
}

#[tokio::test]
async fn several_subscriptions_share_a_connection_and_each_event_says_whose_it_is() {
    let served = served().await;
    let mut stream = served.open().await;
    served.backend.events.publish(event(1, "before"));
    let subjects = [
        ("alarms", json!({"kind": "alarms", "mission": "demo"})),
        ("events", json!({"kind": "events"})),
        ("nodes", json!({"kind": "nodes"})),
        ("packets", json!({"kind": "packets", "mission": "demo"})),
        ("values", json!({"kind": "parameters", "mission": "demo", "parameters": ["/Demo/P"]})),
    ];
    for (id, of) in &subjects {
        send(&mut stream, json!({"kind": "open", "id": id, "of": of})).await;
    }
    send(&mut stream, json!({"kind": "subscribe", "mission": "demo", "parameters": ["/Demo/P"]})).await;
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while kinds.values().map(Vec::len).sum::<usize>() < 11 {
        let event = told(&mut stream).await;
        let id = event["id"].as_str().unwrap_or("without a name").to_owned();
        kinds.entry(id).or_default().push(event["kind"].as_str().expect("a kind").to_owned());
    }
    let expected = [
        ("alarms", vec!["opened", "alarms-snapshot"]),
        ("events", vec!["opened", "events"]),
        ("nodes", vec!["opened", "nodes"]),
        ("packets", vec!["opened", "packets"]),
        ("values", vec!["opened", "snapshot"]),
        ("without a name", vec!["snapshot"]),
    ];
    let expected =
        expected.map(|(id, kinds)| (id.to_owned(), kinds.into_iter().map(str::to_owned).collect()));
    assert_eq!(kinds, BTreeMap::from(expected));

    send(&mut stream, json!({"kind": "close", "id": "values"})).await;
    send(&mut stream, json!({"kind": "open", "id": "", "of": {"kind": "nodes"}})).await;
    assert_eq!(told(&mut stream).await["code"], "STO-API-BAD-REQUEST", "what was sent before is carried out");
    served.backend.commit(1);
    let event = told(&mut stream).await;
    assert_eq!((&event["kind"], &event["id"]), (&json!("values"), &Value::Null), "{event}");
    served.backend.events.publish(event_of_restart());
    let event = told(&mut stream).await;
    assert_eq!((&event["id"], &event["events"][0]["text"]), (&json!("events"), &json!("again")), "{event}");
}

fn event_of_restart() -> LoggedEvent {
    event(2, "again")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_subscribes_while_samples_flow_sees_each_of_them_once_or_is_told() {
    const COUNT: i64 = 3_000;
    let served = served().await;
    let backend = Arc::clone(&served.backend);
    let flowing = tokio::task::spawn_blocking(move || {
        for position in 1..=COUNT {
            backend.commit(position);
            if position % 8 == 0 {
                std::thread::yield_now();
            }
        }
    });
    let mut watching = tokio::task::JoinSet::new();
    for number in 0..8 {
        let mut stream = served.open().await;
        watching.spawn(async move {
            let of = json!({"kind": "parameters", "mission": "demo", "parameters": ["/Demo/P"]});
            send(&mut stream, json!({"kind": "open", "id": number.to_string(), "of": of})).await;
            let (mut last, mut changes) = (None, 0);
            while last != Some(COUNT) {
                let event: LiveEvent = serde_json::from_value(told(&mut stream).await).expect("an event");
                let seen = Seen::of(vec![event]);
                for value in seen.values {
                    let is_next = last.is_none_or(|last| value == last + 1);
                    assert!(is_next || seen.dropped > 0 && last < Some(value), "{last:?}, then {value}");
                    (last, changes) = (Some(value), changes + 1);
                }
            }
            changes
        });
    }
    flowing.await.expect("committed");
    let counts = watching.join_all().await;
    assert!(counts.iter().all(|count| (1..=COUNT).contains(count)), "{counts:?}");
}

#[tokio::test]
async fn what_a_slow_client_missed_is_coalesced_to_the_latest_and_counted() {
    let backend = backend();
    let mut stream = stream(&backend);
    stream.open("a", parameters(None), None).expect("opened");
    assert_eq!(Seen::of(events(&mut stream)).resumed, Some(false));
    for position in 1..=10_000 {
        backend.commit(position);
        take_in(&mut stream);
    }
    let all = events(&mut stream);
    assert!(matches!(&all[..], [LiveEvent::Snapshot { dropped: 9_999, .. }]), "{all:?}");
    assert_eq!(Seen::of(all).values, [10_000]);
    backend.commit(10_001);
    assert_eq!(Seen::of(events(&mut stream)).values, [10_001], "then every sample again");
}

#[tokio::test]
async fn a_client_that_was_not_even_heard_of_gets_a_snapshot_in_place_of_whole_batches() {
    let backend = backend();
    let mut stream = stream(&backend);
    stream.open("a", parameters(None), None).expect("opened");
    events(&mut stream);
    (1..=10_000).for_each(|position| backend.commit(position));
    let seen = Seen::of(events(&mut stream));
    assert_eq!(seen.values, [10_000]);
    assert!(seen.dropped > 9_000, "{}", seen.dropped);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_and_told_why() {
    let patience = Patience { message: Duration::from_millis(300), farewell: Duration::from_secs(60) };
    let served = served_with(|app| app.patience = patience).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("set");
    let connection = socket.connect(served.address).await.expect("connected");
    let mut request =
        format!("ws://{}/api/v1/live", served.address).into_client_request().expect("a request");
    request.headers_mut().insert(header::COOKIE, HeaderValue::from_str(&served.cookie).expect("text"));
    let (mut stream, _) = tokio_tungstenite::client_async(request, connection).await.expect("opened");
    let of = json!({"kind": "parameters", "mission": "demo", "parameters": ["/Demo/P"]});
    let open = json!({"kind": "open", "id": "a", "of": of}).to_string();
    stream.send(Message::text(open)).await.expect("sent");
    while !stream.next().await.expect("goes on").expect("a message").to_string().contains("snapshot") {}
    // Far more than the kernel keeps for a client, in values so long that it cannot be coalesced away.
    for _ in 0..200 {
        let long = sample(0, Raw::Text("x".repeat(200_000).into()));
        let batch = LiveBatch { source: 0, position: None, samples: vec![long], records: None };
        served.backend.mission.publish(batch);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reading = async {
        loop {
            if let Message::Close(frame) = stream.next().await.expect("goes on").expect("a message") {
                return frame.expect("a frame");
            }
        }
    };
    let frame = tokio::time::timeout(Duration::from_secs(30), reading).await.expect("it is cut");
    assert_eq!(u16::from(frame.code), 4408);
    assert!(frame.reason.contains("STO-LIVE-TOO-SLOW"), "{}", frame.reason);
}

#[tokio::test]
async fn a_rate_brings_the_newest_and_calls_nothing_a_loss() {
    let backend = backend();
    let mut stream = stream(&backend);
    stream.open("slow", parameters(Some(0.01)), None).expect("opened");
    events(&mut stream);
    backend.commit(1);
    assert_eq!(Seen::of(events(&mut stream)).values, [1]);
    (2..=9).for_each(|position| backend.commit(position));
    assert!(events(&mut stream).is_empty(), "the next one is due in 100 s");

    stream.open("slow", parameters(Some(100.0)), None).expect("replaced");
    events(&mut stream);
    (10..=19).for_each(|position| backend.commit(position));
    let mut seen = Seen::default();
    while seen.values.last() != Some(&19) {
        stream.changed().await;
        while let Some(update) = stream.next_update() {
            seen.add(update.into_event());
        }
    }
    assert_eq!((seen.values, seen.dropped), (vec![19], 0));
}

#[tokio::test]
async fn packets_come_with_header_and_bytes_and_only_of_the_apids_asked_for() {
    let backend = backend();
    backend.mission.source("gs-1");
    let mut stream = stream(&backend);
    let subject = |apids| LiveSubject::Packets { mission: "demo".to_owned(), apids };
    stream.open("all", subject(None), None).expect("opened");
    stream.open("one", subject(Some(vec![7])), None).expect("opened");
    events(&mut stream);
    let packet = |apid: u16| {
        let apid = Apid::try_from(apid).expect("in range");
        build_packet(apid, SequenceCount::try_from(9).expect("in range"), true, &[1, 2, 3]).expect("fits")
    };
    backend.commit_records(3, opened_batch(Content::Packets, &[packet(7), packet(8), vec![0xff; 7]]));
    backend.commit_records(4, opened_batch(Content::Events, &[vec![1]]));
    let mut apids: BTreeMap<String, Vec<Option<u16>>> = BTreeMap::new();
    for event in events(&mut stream) {
        let LiveEvent::Packets { id, packets, .. } = event else { panic!("{event:?}") };
        assert_eq!(packets[0].hex, "0807c0090002010203");
        assert_eq!(packets[0].node, "gs-1");
        apids
            .entry(id)
            .or_default()
            .extend(packets.iter().map(|packet| packet.header.as_ref().map(|header| header.apid)));
    }
    let expected = [("all".to_owned(), vec![Some(7), Some(8), None]), ("one".to_owned(), vec![Some(7)])];
    assert_eq!(apids, BTreeMap::from(expected));
}

#[tokio::test]
async fn events_of_a_mission_begin_with_the_newest_that_are_known() {
    let backend = backend();
    let told = |text: &str| {
        let event = Event {
            at: service::clock::now(),
            code: "STO-TEST".to_owned(),
            severity: Severity::Warning,
            text: text.to_owned(),
            details: vec![("link".to_owned(), "radio".to_owned())],
        };
        opened_batch(Content::Events, &[event.encode()])
    };
    (1..=200).for_each(|number| backend.commit_records(number, told(&number.to_string())));
    let mut stream = stream(&backend);
    let subject = LiveSubject::Events { mission: Some("demo".to_owned()) };
    stream.open("a", subject, None).expect("opened");
    let mut texts = |expected: usize| {
        let mut all = events(&mut stream);
        assert_eq!(all.len(), expected);
        let Some(LiveEvent::Events { events, dropped: 0, .. }) = all.pop() else { panic!("{all:?}") };
        events.into_iter().map(|event| event.text).collect::<Vec<_>>()
    };
    assert_eq!(texts(2), (101..=200).map(|number| number.to_string()).collect::<Vec<_>>());
    backend.commit_records(201, told("after"));
    assert_eq!(texts(1), ["after"]);
}

#[tokio::test]
async fn nodes_are_told_when_they_changed_and_only_then() {
    let backend = backend();
    let mut stream = stream(&backend);
    stream.open("a", LiveSubject::Nodes, None).expect("opened");
    assert_eq!(events(&mut stream).len(), 2, "opened, and how they stand");
    stream.on_second();
    assert!(events(&mut stream).is_empty());
    backend.nodes.lock().expect("not poisoned").push(Node {
        id: None,
        name: "gs-1".to_owned(),
        site: "here".to_owned(),
        state: NodeState::Connected,
        since: None,
        last_contact: None,
        problem: None,
        report: None,
        archived_packets: 0,
    });
    assert!(events(&mut stream).is_empty(), "not before the second is over");
    stream.on_second();
    let all = events(&mut stream);
    assert!(matches!(&all[..], [LiveEvent::Nodes { nodes, .. }] if nodes.len() == 5), "{all:?}");
}

#[tokio::test]
async fn a_connection_has_so_many_subscriptions_and_no_more() {
    let backend = backend();
    let mut stream = stream(&backend);
    let mut open = |id: &str, of| stream.open(id, of, None).map_err(|problem| problem.detail().to_owned());
    (0..16).for_each(|number| open(&number.to_string(), LiveSubject::Nodes).expect("opened"));
    open("3", LiveSubject::Nodes).expect("replaced");
    assert!(open("16", LiveSubject::Nodes).expect_err("refused").contains("16 subscriptions"));
    assert!(open("3", parameters(Some(0.0))).expect_err("refused").contains("a rate of 0"));
    assert!(open(&"x".repeat(65), LiveSubject::Nodes).expect_err("refused").contains("65 bytes"));
}

#[tokio::test]
async fn whoever_may_not_see_a_mission_gets_nothing_of_it_by_any_subscription() {
    let app = app_of(&backend());
    let (operator, viewer) = (somebody(Role::Operator, None), somebody(Role::Viewer, Some("luna")));
    let check = |principal: &Principal, mission: &str, expected: Result<(), &str>| {
        let mut stream = LiveStream::new(Arc::clone(&app), principal.clone());
        let mission = || mission.to_owned();
        let subjects = [
            LiveSubject::Alarms { mission: mission() },
            LiveSubject::Events { mission: Some(mission()) },
            LiveSubject::Packets { mission: mission(), apids: None },
            LiveSubject::Parameters { mission: mission(), parameters: Vec::new(), rate_max_per_s: None },
        ];
        for of in subjects {
            let opened = stream.open("a", of.clone(), None).map_err(|problem| problem.code());
            assert_eq!(opened, expected, "{of:?}");
        }
        let subscribed = stream.subscribe(&mission(), &[]).map_err(|problem| problem.code());
        assert_eq!(subscribed, expected);
    };
    let unknown = Err("STO-API-UNKNOWN-MISSION");
    check(&operator, "apollo", unknown);
    check(&viewer, "demo", unknown);
    check(&viewer, "apollo", unknown);
    check(&viewer, "luna", Ok(()));
    check(&operator, "demo", Ok(()));
    let mut stream = LiveStream::new(app, viewer);
    let refused =
        stream.open("a", LiveSubject::Events { mission: None }, None).expect_err("they speak of all");
    assert_eq!(refused.code(), "STO-API-NOT-ALLOWED");
    stream.open("a", LiveSubject::Nodes, None).expect("may be seen");
    let all = events(&mut stream);
    let [_, LiveEvent::Nodes { nodes, .. }] = &all[..] else { panic!("{all:?}") };
    let names: Vec<_> = nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["gs-both", "gs-luna"]);
    assert!(nodes.iter().all(|node| !format!("{node:?}").contains("demo")), "{nodes:?}");
}
