//! What belongs to one mission is never in an answer to somebody of another: everything of `zebra` holds a word, and
//! whatever a viewer of `test` asks, the word does not come back.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cloud_hub::alarms::HubAlarms;
use cloud_hub::archive::{AlarmTable, ApiTokens, Archive, Evidence};
use cloud_hub::backend::HubBackend;
use cloud_hub::fleet::Fleet;
use cloud_hub::role::HubRole;
use dashboard::access::{Grant, MissionScope, Principal, Role};
use dashboard::alarms::{Alarms, RulesKind, WantedRules};
use dashboard::contract::{LinkReport, NodeReport, Rejected};
use delivery::{BatchBuilder, Lane, SealedBatch};
use futures_util::{SinkExt, StreamExt};
use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use processing::alarm::{AlarmSeverity, Place};
use processing::{MissionDecoder, PacketConventions, PacketTime};
use reqwest::Method;
use serde_json::json;
use service::metric::MetricsPage;
use service::mission::LoadedMission;
use space_packet::{Apid, ReceptionTime, SequenceCount, TaiTime, build_packet, time::cds};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use crate::alarms::{said, subject};
use crate::archive::{cut, with_open_session};
use crate::world::{BEGINNING, OpenedLane, SECOND, World, chain, take_in};

/// The word. Only what is of `zebra` has it, however it is written.
const CANARY: &str = "zebra";
const DASHBOARD: &str = "00112233445566778899aabbccddeeff";
const ELEMENTS: &str = "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n\
    2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667\n";
const PATIENCE: Duration = Duration::from_secs(20);

const XTCE: &str = r#"<SpaceSystem name="Zebra"><Header version="zebra-7" date="2026-01-01" validationStatus="Working"/>
    <TelemetryMetaData><ParameterTypeSet>
    <StringParameterType name="Text"><StringDataEncoding><SizeInBits><Fixed><FixedValue>40</FixedValue></Fixed>
    </SizeInBits></StringDataEncoding></StringParameterType>
    </ParameterTypeSet><ParameterSet><Parameter name="zebra_text" shortDescription="of the zebra" parameterTypeRef="Text"/>
    </ParameterSet><ContainerSet><SequenceContainer name="All"><EntryList>
    <ParameterRefEntry parameterRef="zebra_text"><LocationInContainerInBits referenceLocation="containerStart"><FixedValue>112</FixedValue></LocationInContainerInBits></ParameterRefEntry>
    </EntryList></SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

/// What each route is asked, as somebody would who knows or guesses: of the asker's own mission and of the other one.
/// A route that is not here fails the test.
fn questions() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        ("/api/v1/apart", vec![""]),
        ("/api/v1/api-tokens", vec![""]),
        ("/api/v1/enrolment-tokens", vec![""]),
        ("/api/v1/hub", vec![""]),
        ("/api/v1/people", vec![""]),
        ("/api/v1/nodes/{node}", vec![""]),
        ("/api/v1/missions/{mission}/dictionary", vec![""]),
        ("/api/v1/missions/{mission}/dictionary/{number}", vec![""]),
        ("/api/v1/events", vec![""]),
        ("/api/v1/live", vec![""]),
        ("/api/v1/missions", vec![""]),
        ("/api/v1/missions/{mission}/alarm-deliveries", vec![""]),
        ("/api/v1/missions/{mission}/alarm-rules", vec![""]),
        ("/api/v1/missions/{mission}/alarm-rules/{number}", vec![""]),
        ("/api/v1/missions/{mission}/alarms", vec!["", "?open=true"]),
        ("/api/v1/missions/{mission}/alarms/{alarm}", vec![""]),
        ("/api/v1/missions/{mission}/backfill", vec![""]),
        ("/api/v1/missions/{mission}/dashboards", vec![""]),
        ("/api/v1/missions/{mission}/dashboards/{dashboard}", vec![""]),
        ("/api/v1/missions/{mission}/dashboards/{dashboard}/export", vec![""]),
        ("/api/v1/missions/{mission}/detection-rules", vec![""]),
        ("/api/v1/missions/{mission}/detection-rules/{number}", vec![""]),
        ("/api/v1/missions/{mission}/elements", vec![""]),
        ("/api/v1/missions/{mission}/events", vec![""]),
        ("/api/v1/missions/{mission}/limits", vec![""]),
        ("/api/v1/missions/{mission}/limits/{number}", vec![""]),
        ("/api/v1/missions/{mission}/passes", vec!["?from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z"]),
        ("/api/v1/missions/{mission}/passes/{pass}/track", vec![""]),
        (
            "/api/v1/missions/{mission}/track",
            vec!["?from=2026-11-21T00:00:00Z&to=2026-11-21T01:00:00Z&step_s=60"],
        ),
        ("/api/v1/places", vec![""]),
        (
            "/api/v1/missions/{mission}/export",
            vec![
                "?format=csv&parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z",
                "?format=jsonl&parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z",
            ],
        ),
        ("/api/v1/missions/{mission}/gaps", vec![""]),
        ("/api/v1/missions/{mission}/models", vec![""]),
        ("/api/v1/missions/{mission}/packets", vec![""]),
        ("/api/v1/missions/{mission}/packets/{id}", vec![""]),
        (
            "/api/v1/missions/{mission}/aligned",
            vec!["?parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z&points=4"],
        ),
        (
            "/api/v1/missions/{mission}/buckets",
            vec!["?parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z&points=4&gaps=true"],
        ),
        (
            "/api/v1/missions/{mission}/at",
            vec!["?parameter=PARAMETER&time=2026-11-23T00:00:00Z&look_back=7d"],
        ),
        (
            "/api/v1/missions/{mission}/completeness",
            vec![
                "?from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z",
                "?from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z&by=hour",
            ],
        ),
        ("/api/v1/missions/{mission}/latest", vec!["", "?parameter=PARAMETER"]),
        ("/api/v1/missions/{mission}/parameters", vec![""]),
        (
            "/api/v1/missions/{mission}/samples",
            vec![
                "?parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z",
                "?parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z&order=desc",
                "?parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z&points=9&gaps=true",
            ],
        ),
        (
            "/api/v1/missions/{mission}/statistics",
            vec!["?parameter=PARAMETER&from=2026-11-21T00:00:00Z&to=2026-11-24T00:00:00Z&points=4"],
        ),
        ("/api/v1/nodes", vec![""]),
        ("/api/v1/session", vec![""]),
    ]
}

fn mission() -> LoadedMission {
    let packet_time = PacketTime::Cds {
        offset_bytes: 6,
        day_bits: 16,
        submilliseconds: cds::Submilliseconds::Microseconds,
        p_field: false,
        epoch: None,
    };
    let dictionary = Dictionary::from_xtce("zebra.xml", XTCE).expect("loads");
    let conventions = PacketConventions { time: packet_time, has_error_control: false };
    LoadedMission {
        name: CANARY.to_owned(),
        title: "Zebra".to_owned(),
        decoder: MissionDecoder::new(MissionDatabase::new(VersionNumber(1), dictionary), conventions),
        problem: Some("zebra.xml:1:1: not as it should be".to_owned()),
    }
}

/// One packet that says the word, in a batch behind others.
fn batch(after: &SealedBatch) -> SealedBatch {
    let time = TaiTime(BEGINNING + 100 * SECOND);
    let data = [&cds::encode(time)[..], CANARY.as_bytes()].concat();
    let apid = Apid::try_from(9).expect("in range");
    let packet = build_packet(apid, SequenceCount::default(), true, &data).expect("fits");
    let mut builder = BatchBuilder::new(CANARY, "zebra-link");
    builder.push(ReceptionTime(time), &packet);
    builder.pack().expect("one record").seal(Lane::Telemetry, &after.position())
}

fn report(links: &[(&str, &str)]) -> String {
    let link = |&(name, mission): &(&str, &str)| LinkReport {
        name: name.to_owned(),
        mission: mission.to_owned(),
        station: Some(format!("antenna of {mission}")),
        rejected: vec![Rejected { cause: format!("{mission}-cause"), count: 1, bytes: 1 }],
        ..LinkReport::default()
    };
    let report = NodeReport {
        at: "2026-11-22T01:00:00Z".to_owned(),
        links: links.iter().map(link).collect(),
        ..NodeReport::default()
    };
    serde_json::to_string(&report).expect("encodes")
}

/// Fills both missions, at a station that serves both and one of `zebra` only.
async fn filled(world: &mut World, lane: &OpenedLane) -> Arc<Archive> {
    world.missions.push(mission());
    let archive = world.archive().await;
    let mut batches = chain("test", 0, 20, &mut None);
    batches.push(batch(&batches[19]));
    take_in(&archive, &world.commit(lane.key, lane.session, &batches[..10]).await.expect("committed"));
    cut(world, &archive).await;
    take_in(&archive, &world.commit(lane.key, lane.session, &batches[10..]).await.expect("committed"));
    let other = world.node("station-z").await.node_id;
    let reports = [
        (lane.key.node, BEGINNING, Some(report(&[("link", "test"), ("zebra-link", CANARY)]))),
        (other, BEGINNING, Some(report(&[("zebra-only", CANARY)]))),
    ];
    world.registry.remember(&reports).await.expect("kept");
    let evidence = Evidence::new(world.database.clone());
    for node in [Some(lane.key.node), Some(other), None] {
        evidence.record(node, "STO-ZEBRA", "something about the zebra").await.expect("recorded");
    }
    archive
}

struct Hub {
    address: String,
    client: reqwest::Client,
    operator: String,
    viewer: String,
    /// Of the other mission.
    alarm: String,
    stop: CancellationToken,
}

/// Both missions' alarms, with one of the other mission and its rules; and that one's id.
async fn alarms(world: &World) -> (Arc<HubAlarms>, String) {
    let subject = subject(CANARY, "/Zebra/zebra_text");
    let raised = said(Place::Hub, &subject, &[(1, Some(AlarmSeverity::Severe))]).remove(0);
    let kept = AlarmTable::new(world.database.clone()).keep(&raised, service::clock::now()).await;
    kept.expect("kept");
    let alarms = HubAlarms::new(&world.database, ["test", CANARY].into_iter());
    alarms.load().await.expect("reads");
    for (kind, text) in [
        (RulesKind::Alarms, "[[rule]]\nname = \"zebra\"\n"),
        (RulesKind::Detection, "[[watch]]\nparameters = [\"/Zebra/*\"]\n"),
    ] {
        let (author, reason) = (CANARY.to_owned(), CANARY.to_owned());
        let rules = WantedRules { kind, based_on: None, text: text.to_owned(), author, reason };
        alarms.put_rules(CANARY, rules).await.expect("taken");
    }
    let id = raised.alarm().0.iter().map(|byte| format!("{byte:02x}")).collect();
    (Arc::new(alarms), id)
}

/// A hub's page, and the tokens of an operator and of a viewer of `test`.
async fn serve(world: &World, archive: Arc<Archive>) -> Hub {
    let rows = world.registry.nodes().await.expect("answers");
    let fleet = Arc::new(Fleet::new("authority", rows, HashSet::new(), HubRole::default()));
    let answers = (Arc::new(AtomicBool::new(true)), HubRole::default());
    let backend = HubBackend::new(archive, world.database.clone(), fleet, MetricsPage::start(), answers);
    let (alarms, alarm) = alarms(world).await;
    let backend = backend.with_alarms(alarms);
    let stop = CancellationToken::new();
    let router = dashboard::router(Arc::new(backend), stop.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(service::http::serve(listener, router, stop.clone()));
    let tokens = ApiTokens::new(world.database.clone());
    let missions = MissionScope::from(Some(["test".to_owned()].into()));
    let add = async |name: &str, grant| {
        let holder = Principal { name: name.to_owned(), grant };
        tokens.add(&holder, Duration::from_secs(3_600), "a test").await.expect("made").text
    };
    let operator = add("operator", Grant::default()).await;
    let viewer = add("viewer", Grant { role: Role::Viewer, missions }).await;
    Hub { address, client: reqwest::Client::new(), operator, viewer, alarm, stop }
}

impl Hub {
    async fn ask(&self, token: &str, path: &str) -> (u16, String) {
        let request = self.client.get(format!("http://{}{path}", self.address)).bearer_auth(token);
        let answer = tokio::time::timeout(PATIENCE, request.send()).await.expect("in time").expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    /// An operator of all missions writes what people write about the other one: a dashboard, an event, an orbit.
    async fn write(&self) {
        let widget =
            json!({"id": CANARY, "kind": "text", "x": 0, "y": 0, "w": 4, "h": 4, "opts": {"text": CANARY}});
        let dashboard =
            json!({"id": DASHBOARD, "title": CANARY, "audience": "everyone", "widgets": [widget]});
        let event = json!({"id": DASHBOARD, "severity": "warning", "text": "a zebra came by"});
        let elements = json!({"text": ELEMENTS, "spacecraft": CANARY});
        for (method, what, body) in [
            (Method::POST, "dashboards", dashboard),
            (Method::POST, "events", event),
            (Method::PUT, "elements", elements),
        ] {
            let address = format!("http://{}/api/v1/missions/{CANARY}/{what}", self.address);
            let request = self.client.request(method, address).bearer_auth(&self.operator).json(&body);
            let answer = request.send().await.expect("answers");
            assert!(answer.status().is_success(), "{what}: {}", answer.text().await.expect("a body"));
        }
    }

    /// What a live stream says to somebody who asks for both missions, until the second heartbeat behind the first answer.
    async fn listen(&self, token: &str) -> String {
        let mut request =
            format!("ws://{}/api/v1/live", self.address).into_client_request().expect("a request");
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("text"));
        let (mut stream, _) = tokio_tungstenite::connect_async(request).await.expect("opened");
        for (mission, parameter) in [("test", "/Test/number"), (CANARY, "/Zebra/zebra_text")] {
            let text =
                format!(r#"{{"kind":"subscribe","mission":"{mission}","parameters":["{parameter}"]}}"#);
            stream.send(Message::text(text)).await.expect("sent");
        }
        let (mut heard, mut heartbeats) = (String::new(), 0);
        while heartbeats < 2 {
            let next = tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time");
            if let Message::Text(text) = next.expect("goes on").expect("a message") {
                heartbeats += usize::from(heard.contains("/Test/number") && text.contains("\"heartbeat\""));
                heard.push_str(&text);
            }
        }
        heard
    }
}

/// Whether an answer has the word where the question did not put it.
fn tells(answer: &str, asked: &str) -> bool {
    let answer = answer.to_lowercase();
    // A refusal repeats the mission it was asked for.
    let answer = if asked.contains(CANARY) { answer.replace("\\\"zebra\\\"", "") } else { answer };
    answer.contains(CANARY)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_mission_is_in_any_answer_to_somebody_of_another() {
    let (mut world, lane) = with_open_session().await;
    let archive = filled(&mut world, &lane).await;
    let hub = serve(&world, archive).await;
    hub.write().await;
    let (operator, viewer) = (&hub.operator, &hub.viewer);
    let mut told = HashSet::new();
    let questions = questions();
    for (route, asked) in &questions {
        for (mission, parameter) in [("test", "/Test/number"), (CANARY, "/Zebra/zebra_text")] {
            for query in asked {
                let path = format!("{route}{query}")
                    .replace("{mission}", mission)
                    .replace("{alarm}", &hub.alarm)
                    .replace("{number}", "1")
                    .replace("{dashboard}", DASHBOARD)
                    .replace("{pass}", "00000000-20261121T000000Z")
                    .replace("{node}", "station")
                    .replace("{id}", "00000000000000000000000000000000.1.2.1.0")
                    .replace("PARAMETER", parameter);
                let (status, answer) = hub.ask(viewer, &path).await;
                assert!(!tells(&answer, &path), "{path}: {status} {answer}");
                let (status, answer) = hub.ask(operator, &path).await;
                assert!(status < 500, "{path}: {status} {answer}");
                if tells(&answer, &path) {
                    told.insert(*route);
                }
            }
        }
    }
    let heard = hub.listen(viewer).await;
    assert!(heard.contains("/Test/number") && !tells(&heard, CANARY), "{heard}");
    assert!(tells(&hub.listen(operator).await, CANARY));
    for served in ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"] {
        let (_, answer) = hub.ask(viewer, served).await;
        assert!(!tells(&answer, served), "{served}: {answer}");
    }
    for route in [
        "missions",
        "missions/{mission}/alarm-rules",
        "missions/{mission}/alarms",
        "missions/{mission}/alarms/{alarm}",
        "missions/{mission}/dashboards",
        "missions/{mission}/dashboards/{dashboard}",
        "missions/{mission}/dashboards/{dashboard}/export",
        "missions/{mission}/detection-rules",
        "missions/{mission}/elements",
        "missions/{mission}/events",
        "missions/{mission}/latest",
        "missions/{mission}/samples",
        "missions/{mission}/track",
        "nodes",
    ] {
        let route = format!("/api/v1/{route}");
        assert!(told.contains(route.as_str()), "the word is there for who may know it: {route}");
    }
    let routes = dashboard::openapi().paths.paths.into_iter().filter(|(_, item)| item.get.is_some());
    let routes: BTreeSet<String> = routes.map(|(path, _)| path).collect();
    let asked: BTreeSet<String> = questions.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(asked, routes, "every route that answers GET was asked");
    hub.stop.cancel();
}
