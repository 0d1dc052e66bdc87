//! Live streams at the hub: no seam while batches are committed, and taken up again from the ledger.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cloud_hub::archive::{ApiTokens, Archive, Database, Evidence, archive_id, follow_events};
use cloud_hub::backend::HubBackend;
use cloud_hub::fleet::Fleet;
use cloud_hub::role::HubRole;
use dashboard::EventLog;
use dashboard::access::{Grant, MissionScope, Principal, Role};
use dashboard::contract::EventSeverity;
use dashboard::records::PostedEvent;
use delivery::Position;
use proto::v1::live_update::Update;
use proto::v1::subscribe_request::Of;
use proto::v1::telemetry_client::TelemetryClient;
use proto::v1::value::Kind;
use proto::v1::{EventsSubject, LiveUpdate, PacketsSubject, ParametersSubject, SubscribeRequest};
use service::metric::MetricsPage;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::archive::{cut, with_open_session};
use crate::world::{OpenedLane, World, chain, take_in};

const PATIENCE: Duration = Duration::from_secs(30);

/// The hub's page on a port, and a token that counts there.
struct Page {
    client: TelemetryClient<Channel>,
    token: String,
    stop: CancellationToken,
}

impl Page {
    async fn of(world: &World, archive: &Arc<Archive>, metrics: &MetricsPage) -> Self {
        archive.begin_live();
        let database = &world.database;
        let (stop, events) = (CancellationToken::new(), Arc::new(EventLog::default()));
        let (followed, following) = (Arc::clone(archive), Arc::clone(&events));
        tokio::spawn(follow_events(database.clone(), followed, following, stop.clone()));
        let fleet = Arc::new(Fleet::new("test", Vec::new(), HashSet::new(), HubRole::default()));
        let answers = (Arc::new(AtomicBool::new(true)), HubRole::default());
        let id = archive_id(database).await.expect("the database says which one it is");
        let backend = HubBackend::new(Arc::clone(archive), database.clone(), fleet, metrics.clone(), answers);
        let router = dashboard::router(Arc::new(backend.with_live(id, events)), stop.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(service::http::serve(listener, router, stop.clone()));
        Self { client: client(address).await, token: token(database).await, stop }
    }

    /// Subscribes and reads that it stands.
    async fn subscribe(&mut self, of: Of, resume: &str) -> (Streaming<LiveUpdate>, bool, String) {
        let mut request = tonic::Request::new(SubscribeRequest { of: Some(of), resume: resume.to_owned() });
        let bearer = format!("Bearer {}", self.token).parse().expect("text");
        request.metadata_mut().insert("authorization", bearer);
        let mut updates = self.client.subscribe(request).await.expect("answers").into_inner();
        let Some(Update::Opened(opened)) = told(&mut updates).await.update else { panic!("it stands first") };
        (updates, opened.resumed, opened.reason)
    }
}

async fn client(address: SocketAddr) -> TelemetryClient<Channel> {
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
    TelemetryClient::new(endpoint.connect().await.expect("connected"))
}

/// A token of a page of its own.
async fn token(database: &Database) -> String {
    let name = uuid::Uuid::new_v4().to_string();
    let holder = Principal { name, grant: Grant { role: Role::Operator, missions: MissionScope::All } };
    ApiTokens::new(database.clone())
        .add(&holder, Duration::from_secs(3_600), "a test")
        .await
        .expect("made")
        .text
}

async fn told(updates: &mut Streaming<LiveUpdate>) -> LiveUpdate {
    let next = tokio::time::timeout(PATIENCE, updates.message()).await.expect("something comes");
    next.expect("goes on").expect("an update")
}

fn numbers() -> Of {
    let parameters = vec!["/Test/number".to_owned()];
    Of::Parameters(ParametersSubject { mission: "test".to_owned(), parameters, rate_max_per_s: 0.0 })
}

fn values(update: &LiveUpdate) -> Vec<u64> {
    let (Some(Update::Values(samples)) | Some(Update::Snapshot(samples))) = &update.update else {
        panic!("{update:?}")
    };
    let raw =
        samples.samples.iter().map(|sample| match sample.raw.as_ref().and_then(|raw| raw.kind.as_ref()) {
            Some(Kind::Unsigned(number)) => *number,
            other => panic!("{other:?}"),
        });
    raw.collect()
}

/// Reads values until one is there; returns all of them and the last cursor.
async fn until(updates: &mut Streaming<LiveUpdate>, last: u64) -> (Vec<u64>, String) {
    let mut seen = Vec::new();
    loop {
        let update = told(updates).await;
        assert_eq!(update.dropped, 0, "nothing is left out");
        seen.extend(values(&update));
        if seen.last() == Some(&last) {
            return (seen, update.cursor);
        }
    }
}

async fn receive(
    world: &mut World,
    archive: &Arc<Archive>,
    lane: &OpenedLane,
    numbers: std::ops::Range<u32>,
    position: &mut Option<Position>,
) {
    let batches = chain("test", numbers.start, numbers.len() as u32, position);
    let committed = world.commit(lane.key, lane.session, &batches).await.expect("committed");
    tokio::task::block_in_place(|| take_in(archive, &committed));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_subscribes_while_batches_are_committed_sees_each_of_them_once() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut page = Page::of(&world, &archive, &MetricsPage::start()).await;
    let mut position = None;
    receive(&mut world, &archive, &lane, 0..5, &mut position).await;
    let mut watching = tokio::task::JoinSet::new();
    for first in (5..200).step_by(5) {
        let (mut updates, resumed, _) = page.subscribe(numbers(), "").await;
        assert!(!resumed);
        watching.spawn(async move { until(&mut updates, 199).await.0 });
        receive(&mut world, &archive, &lane, first..first + 5, &mut position).await;
    }
    for seen in watching.join_all().await {
        assert_eq!(seen, (seen[0]..=199).collect::<Vec<_>>());
    }
    page.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_where_it_was_from_the_ledger_also_over_a_restart_of_the_hub() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let metrics = MetricsPage::start();
    let mut page = Page::of(&world, &archive, &metrics).await;
    let mut position = None;
    let (mut updates, ..) = page.subscribe(numbers(), "").await;
    receive(&mut world, &archive, &lane, 0..3, &mut position).await;
    let (_, cursor) = until(&mut updates, 2).await;
    drop(updates);
    receive(&mut world, &archive, &lane, 3..300, &mut position).await;
    cut(&world, &archive).await;
    receive(&mut world, &archive, &lane, 300..310, &mut position).await;

    let (mut updates, resumed, reason) = page.subscribe(numbers(), &cursor).await;
    assert!(resumed, "{reason}");
    let (missed, _) = until(&mut updates, 309).await;
    assert_eq!(missed, (3..=309).collect::<Vec<_>>(), "without hole or double, however it was kept");
    receive(&mut world, &archive, &lane, 310..320, &mut position).await;
    let (live, cursor) = until(&mut updates, 319).await;
    assert_eq!(live, (310..=319).collect::<Vec<_>>());
    page.stop.cancel();

    receive(&mut world, &archive, &lane, 320..330, &mut position).await;
    let restarted = world.archive().await;
    let mut page = Page::of(&world, &restarted, &metrics).await;
    let (mut updates, resumed, reason) = page.subscribe(numbers(), &cursor).await;
    assert!(resumed, "{reason}");
    assert_eq!(until(&mut updates, 329).await.0, (320..=329).collect::<Vec<_>>());
    page.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_are_taken_up_from_the_ledger_byte_by_byte_and_those_of_no_other_mission() {
    let (mut world, lane) = with_open_session().await;
    let archive = world.archive().await;
    let mut page = Page::of(&world, &archive, &MetricsPage::start()).await;
    let mut position = None;
    let of = |apid: u32| Of::Packets(PacketsSubject { mission: "test".to_owned(), apids: vec![apid] });
    let (mut updates, ..) = page.subscribe(of(7), "").await;
    let cursor = told(&mut updates).await.cursor;
    receive(&mut world, &archive, &lane, 0..10, &mut position).await;
    let foreign = chain("apollo", 100, 5, &mut position);
    world.commit(lane.key, lane.session, &foreign).await.expect("committed, and nobody's here");
    receive(&mut world, &archive, &lane, 10..20, &mut position).await;
    let read = async |mut updates: Streaming<LiveUpdate>| {
        let mut bytes = Vec::new();
        while bytes.len() < 20 {
            let Some(Update::Packets(packets)) = told(&mut updates).await.update else { panic!("packets") };
            for packet in packets.packets {
                assert_eq!(
                    (&*packet.node, packet.header.expect("sound").apid),
                    (&*lane.key.node.to_string(), 7)
                );
                bytes.push(packet.data);
            }
        }
        bytes
    };
    let live = read(updates).await;
    let (updates, resumed, reason) = page.subscribe(of(7), &cursor).await;
    assert!(resumed, "{reason}");
    assert_eq!(read(updates).await, live);
    let numbers: Vec<&[u8]> = live.iter().map(|packet| &packet[packet.len() - 4..]).collect();
    assert_eq!(numbers, (0_u32..20).map(u32::to_be_bytes).collect::<Vec<_>>());
    page.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_own_events_are_told_whoever_writes_them_down() {
    let (world, _) = with_open_session().await;
    let archive = world.archive().await;
    let mut page = Page::of(&world, &archive, &MetricsPage::start()).await;
    let (mut updates, ..) = page.subscribe(Of::Events(EventsSubject::default()), "").await;
    let evidence = Evidence::new(world.database.clone());
    for text in ["first", "second", "third"] {
        evidence.record(None, "STO-TEST", text).await.expect("written");
    }
    let (mut texts, mut cursor) = (Vec::new(), String::new());
    while texts.len() < 3 {
        let update = told(&mut updates).await;
        let Some(Update::Events(events)) = update.update else { panic!("events") };
        // Making the world's tokens is told too.
        let of_test = events.events.into_iter().filter(|event| event.code == "STO-TEST");
        texts.extend(of_test.map(|event| event.text));
        cursor = update.cursor;
    }
    assert_eq!(texts, ["first", "second", "third"]);
    let (_, resumed, reason) = page.subscribe(Of::Events(EventsSubject::default()), &cursor).await;
    assert!(resumed, "{reason}");
    page.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_posts_at_one_hub_is_told_once_at_every_hub() {
    let (world, _) = with_open_session().await;
    let (one, other) = (world.archive().await, world.archive().await);
    let metrics = MetricsPage::start();
    let mut pages = [Page::of(&world, &one, &metrics).await, Page::of(&world, &other, &metrics).await];
    let of = || Of::Events(EventsSubject { mission: "test".to_owned() });
    let mut streams = Vec::new();
    for page in &mut pages {
        streams.push(page.subscribe(of(), "").await.0);
    }
    let post = async |number, text: &str| {
        let (severity, author) = (EventSeverity::Warning, "kari".to_owned());
        let posted = PostedEvent { id: [number; 16], severity, text: text.to_owned(), author };
        one.post_event(&world.database, 0, &posted).await.expect("kept");
    };
    let mut seen = [Vec::new(), Vec::new()];
    // The later ones stand behind whatever is told twice of the earlier ones.
    for (number, text) in [(1, "antenna stowed"), (2, "wind"), (3, "antenna free"), (4, "calm")] {
        post(number, text).await;
        for (updates, seen) in streams.iter_mut().zip(&mut seen) {
            while seen.len() < usize::from(number) {
                let Some(Update::Events(events)) = told(updates).await.update else { panic!("events") };
                seen.extend(
                    events.events.into_iter().map(|event| (event.text, event.author, event.severity)),
                );
            }
        }
    }
    let expected = ["antenna stowed", "wind", "antenna free", "calm"]
        .map(|text| (text.to_owned(), "kari".to_owned(), "warning".to_owned()));
    assert_eq!(seen, [expected.to_vec(), expected.to_vec()]);
    for page in pages {
        page.stop.cancel();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_database_is_refused_and_says_so() {
    let (mut world, lane) = with_open_session().await;
    let (elsewhere, _) = with_open_session().await;
    let metrics = MetricsPage::start();
    let archive = world.archive().await;
    let mut other = Page::of(&elsewhere, &elsewhere.archive().await, &metrics).await;
    let (mut updates, ..) = other.subscribe(numbers(), "").await;
    let cursor = told(&mut updates).await.cursor;
    let mut page = Page::of(&world, &archive, &metrics).await;
    receive(&mut world, &archive, &lane, 0..3, &mut None).await;
    let (mut updates, resumed, reason) = page.subscribe(numbers(), &cursor).await;
    assert!(!resumed && reason.contains("another server"), "{reason}");
    assert_eq!(until(&mut updates, 2).await.0, [2], "the snapshot stands in");
    for page in [page, other] {
        page.stop.cancel();
    }
}
