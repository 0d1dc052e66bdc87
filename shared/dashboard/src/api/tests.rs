use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::Method;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use processing::{RangeAnswer, RangeQuery};
use space_packet::UtcTime;
use tower::ServiceExt;

use super::live as live_route;
use super::*;
use crate::access::{
    Gate, Grant, KnownPrincipal, MissionScope, Principal, Role, SecretHash, SessionStore, StoreUnavailable,
    hash, new_token, normalise_code,
};
use crate::api::who::CSRF_HEADER;
use crate::contract::{LinkReport, Node, NodeReport, NodeState, Server, ServerKind};
use crate::{EventLog, LiveBatch, MissedExtent, MissedPage, MissedQuery};
use axum::http::{HeaderValue, header};

#[derive(Default)]
struct MemoryStore {
    codes: Mutex<Vec<SecretHash>>,
    sessions: Mutex<HashMap<SecretHash, KnownPrincipal>>,
    tokens: Mutex<HashMap<SecretHash, KnownPrincipal>>,
    unavailable: AtomicBool,
}

impl SessionStore for Arc<MemoryStore> {
    fn redeem_code(
        &self,
        code: SecretHash,
        _: TaiTime,
    ) -> BoxFuture<'_, Result<Option<Principal>, StoreUnavailable>> {
        let mut codes = self.codes.lock().expect("not poisoned");
        let found = codes.iter().position(|known| *known == code).map(|index| codes.remove(index));
        async move { Ok(found.map(|_| somebody(Role::Operator, None))) }.boxed()
    }

    fn insert(&self, id: SecretHash, session: KnownPrincipal) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        self.sessions.lock().expect("not poisoned").insert(id, session);
        async { Ok(()) }.boxed()
    }

    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        let found = self.sessions.lock().expect("not poisoned").get(&id).cloned();
        let unavailable = self.unavailable.load(Ordering::Relaxed);
        async move { if unavailable { Err(StoreUnavailable("gone".to_owned())) } else { Ok(found) } }.boxed()
    }

    fn remove(&self, id: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
        self.sessions.lock().expect("not poisoned").remove(&id);
        async { Ok(()) }.boxed()
    }

    fn find_token(
        &self,
        token: SecretHash,
    ) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        let found = self.tokens.lock().expect("not poisoned").get(&token).cloned();
        let unavailable = self.unavailable.load(Ordering::Relaxed);
        async move { if unavailable { Err(StoreUnavailable("gone".to_owned())) } else { Ok(found) } }.boxed()
    }
}

/// A principal for one mission, or for all.
fn somebody(role: Role, mission: Option<&str>) -> Principal {
    let missions = MissionScope::from(mission.map(|name| [name.to_owned()].into()));
    Principal { name: role.word().to_owned(), grant: Grant { role, missions } }
}

impl MemoryStore {
    /// A token of somebody, good for an hour.
    fn token(&self, principal: Principal) -> String {
        let (token, expires) = (new_token(), service::clock::now().plus_nanos(3_600_000_000_000));
        let known = KnownPrincipal { principal, expires };
        self.tokens.lock().expect("not poisoned").insert(hash(&token), known);
        token
    }
}

struct Fixture {
    gate: Gate,
    store: Arc<MemoryStore>,
    mission: Arc<LiveMission>,
    /// Another one, that not everybody may know of.
    other: Arc<LiveMission>,
    /// What the archive has of every parameter of the first mission.
    archived: Vec<processing::Series>,
    /// How often somebody asked how the nodes stand.
    nodes_asked: AtomicUsize,
    nodes: Mutex<Vec<Node>>,
    events: EventLog,
    alarms: alarms::Desk,
    dashboards: dashboards::Shelf,
    orbits: orbits::Memory,
    /// What a ledger would have, and when it was committed.
    ledger: Mutex<Vec<(TaiTime, LiveBatch)>>,
}

impl Backend for Fixture {
    fn server(&self) -> Server {
        Server {
            kind: ServerKind::Hub,
            name: "hub".to_owned(),
            version: "0".to_owned(),
            boot_id: "1".to_owned(),
            role: None,
        }
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn missions(&self) -> Vec<Arc<LiveMission>> {
        vec![Arc::clone(&self.mission), Arc::clone(&self.other)]
    }

    fn nodes(&self) -> Vec<Node> {
        self.nodes_asked.fetch_add(1, Ordering::Relaxed);
        self.nodes.lock().expect("not poisoned").clone()
    }

    fn range<'a>(
        &'a self,
        _: &'a LiveMission,
        query: RangeQuery,
    ) -> BoxFuture<'a, Result<RangeAnswer, ProblemResponse>> {
        let mut scan = processing::RangeScan::new(query);
        self.archived.iter().for_each(|series| scan.add(0, series.view()));
        for (_, batch) in self.ledger.lock().expect("not poisoned").iter() {
            for sample in &batch.samples {
                scan.add(batch.source, processing::Series::starting_with(sample.clone()).view());
            }
        }
        async move { Ok(scan.finish()) }.boxed()
    }

    fn archive_id(&self) -> Option<[u8; 8]> {
        Some([1; 8])
    }

    fn server_events(&self) -> Option<&EventLog> {
        Some(&self.events)
    }

    fn missed_extent<'a>(
        &'a self,
        _: &'a LiveMission,
        after: i64,
        until: i64,
    ) -> BoxFuture<'a, Result<MissedExtent, ProblemResponse>> {
        let missed = self.ledger_between(after, until);
        let records = missed.iter().map(|(_, batch)| batch.samples.len() as u64).sum();
        let extent = MissedExtent { records, since: missed.first().map(|(at, _)| *at) };
        async move { Ok(extent) }.boxed()
    }

    fn missed<'a>(
        &'a self,
        _: &'a LiveMission,
        query: MissedQuery,
    ) -> BoxFuture<'a, Result<MissedPage, ProblemResponse>> {
        // Three at a time, so that pages are put together.
        let missed = self.ledger_between(query.after, query.until);
        let batches: Vec<_> = missed.into_iter().map(|(_, batch)| batch).take(3).collect();
        let page = MissedPage {
            records: batches.iter().map(|batch| batch.samples.len() as u64).sum(),
            up_to: batches.last().and_then(|batch| batch.position).unwrap_or(query.until),
            batches,
        };
        async move { Ok(page) }.boxed()
    }

    fn records(&self) -> &dyn crate::records::Records {
        &records::Broken
    }

    fn administration(&self) -> &dyn crate::administration::Administration {
        &administration::Desk
    }

    fn dashboards(&self) -> &dyn crate::dashboards::DashboardStore {
        &self.dashboards
    }

    fn alarms(&self) -> &dyn crate::alarms::Alarms {
        &self.alarms
    }

    fn orbits(&self) -> &dyn crate::orbits::Orbits {
        &self.orbits
    }

    fn ready(&self) -> Result<(), String> {
        Err("the database does not answer".to_owned())
    }

    fn metrics(&self) -> String {
        "metrics".to_owned()
    }
}

impl Fixture {
    fn ledger_between(&self, after: i64, until: i64) -> Vec<(TaiTime, LiveBatch)> {
        let ledger = self.ledger.lock().expect("not poisoned");
        let is_between = |batch: &LiveBatch| batch.position.is_some_and(|at| at > after && at <= until);
        ledger.iter().filter(|(_, batch)| is_between(batch)).cloned().collect()
    }
}

const CODE: &str = "ABCD-EFGH-JKMN";

fn fixture() -> Router {
    router(backend(), CancellationToken::new())
}

fn backend() -> Arc<Fixture> {
    let database = MissionDatabase::new(VersionNumber(1), dictionary("1.0", &["P"]));
    let store = Arc::new(MemoryStore::default());
    store.codes.lock().expect("not poisoned").push(hash(&normalise_code(CODE)));
    let other = MissionDatabase::new(VersionNumber(1), dictionary("1.0", &["Q"]));
    let other = Arc::new(LiveMission::new("luna", "Luna", other, None));
    let mission = Arc::new(LiveMission::new("demo", "Demo", database, None));
    let gate = Gate::new(Arc::clone(&store));
    let nodes = vec![
        node("gs-both", &["demo", "luna"]),
        node("gs-demo", &["demo"]),
        node("gs-luna", &["luna"]),
        node("gs-new", &[]),
    ];
    let archived = vec![questions::series()];
    Arc::new(Fixture {
        gate,
        store,
        mission,
        other,
        nodes: Mutex::new(nodes),
        archived,
        nodes_asked: AtomicUsize::new(0),
        events: EventLog::default(),
        alarms: alarms::Desk::default(),
        dashboards: dashboards::Shelf::default(),
        orbits: orbits::Memory::default(),
        ledger: Mutex::default(),
    })
}

/// A node with a link for each of some missions, that has a problem with the last.
fn node(name: &str, missions: &[&str]) -> Node {
    let link = |mission: &&str| LinkReport {
        name: format!("link of {mission}"),
        mission: (*mission).to_owned(),
        ..LinkReport::default()
    };
    let links: Vec<_> = missions.iter().map(link).collect();
    Node {
        id: None,
        name: name.to_owned(),
        site: "here".to_owned(),
        state: NodeState::Disconnected,
        since: None,
        last_contact: None,
        problem: missions.last().map(|mission| format!("a batch of {mission} could not be read")),
        report: (!links.is_empty()).then(|| NodeReport { links, ..NodeReport::default() }),
        archived_packets: 0,
    }
}

fn dictionary(version: &str, parameters: &[&str]) -> Dictionary {
    let each = |one: &str| parameters.iter().map(|name| one.replace("NAME", name)).collect::<String>();
    let declared = each(r#"<Parameter name="NAME" parameterTypeRef="T"/>"#);
    let entries = each(r#"<ParameterRefEntry parameterRef="NAME"/>"#);
    let xtce = format!(
        r#"<SpaceSystem name="Demo"><Header version="{version}" date="2026-01-01" validationStatus="Working"/>
        <TelemetryMetaData><ParameterTypeSet>
        <IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
        </ParameterTypeSet><ParameterSet>{declared}</ParameterSet>
        <ContainerSet><SequenceContainer name="C"><EntryList>{entries}</EntryList>
        </SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#
    );
    Dictionary::from_xtce("demo.xml", &xtce).expect("loads")
}

async fn ask(
    router: &Router,
    request: axum::http::request::Builder,
    body: &str,
) -> (StatusCode, HeaderMap, String) {
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("the router answers");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

async fn log_in(router: &Router) -> String {
    let request = Request::post("/api/v1/session")
        .header(CSRF_HEADER, "test")
        .header(header::CONTENT_TYPE, "application/json");
    let (status, headers, _) = ask(router, request, &format!("{{\"code\":\"{CODE}\"}}")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let cookie = headers[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[tokio::test]
async fn a_code_opens_one_session_and_no_second_one() {
    let router = fixture();
    let cookie = log_in(&router).await;
    let (status, _, body) =
        ask(&router, Request::get("/api/v1/session").header(header::COOKIE, &cookie), "").await;
    assert!(status.is_success() && body.contains("\"principal\":\"operator\""), "{body}");
    let again = Request::post("/api/v1/session")
        .header(CSRF_HEADER, "test")
        .header(header::CONTENT_TYPE, "application/json");
    let (status, _, body) = ask(&router, again, &format!("{{\"code\":\"{CODE}\"}}")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("STO-API-WRONG-CODE"), "{body}");
    let leave =
        Request::delete("/api/v1/session").header(CSRF_HEADER, "test").header(header::COOKIE, &cookie);
    assert_eq!(ask(&router, leave, "").await.0, StatusCode::NO_CONTENT);
    let gone = Request::get("/api/v1/session").header(header::COOKIE, &cookie);
    assert_eq!(ask(&router, gone, "").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_of_another_site_can_change_nothing_and_open_no_stream() {
    let router = fixture();
    let cookie = log_in(&router).await;
    let request = Request::delete("/api/v1/session").header(header::COOKIE, &cookie);
    assert_eq!(ask(&router, request, "").await.0, StatusCode::FORBIDDEN);
    let headers = |origin: &str| {
        HeaderMap::from_iter([
            (header::ORIGIN, HeaderValue::from_str(origin).expect("text")),
            (header::HOST, HeaderValue::from_static("hub:8080")),
        ])
    };
    assert!(live_route::same_origin(&headers("http://hub:8080")));
    assert!(!live_route::same_origin(&headers("http://evil:8080")));
}

#[tokio::test]
async fn bad_questions_get_problems_that_say_what_to_do() {
    let router = fixture();
    let cookie = log_in(&router).await;
    let check = async |uri: &str, status: u16, code: &str| {
        let (found, headers, body) =
            ask(&router, Request::get(uri).header(header::COOKIE, &cookie), "").await;
        assert_eq!(found.as_u16(), status, "{uri}: {body}");
        assert!(body.contains(code), "{uri}: {body}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    };
    let range = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";
    check("/api/v1/missions/apollo/latest", 404, "STO-API-UNKNOWN-MISSION").await;
    check(
        &format!("/api/v1/missions/demo/samples?parameter=/Demo/Q&{range}"),
        404,
        "STO-API-UNKNOWN-PARAMETER",
    )
    .await;
    check("/api/v1/missions/demo/samples?parameter=/Demo/P", 400, "STO-API-BAD-REQUEST").await;
    check(
        &format!("/api/v1/missions/demo/samples?parameter=/Demo/P&{range}&pionts=3"),
        400,
        "STO-API-BAD-REQUEST",
    )
    .await;
    check(
        "/api/v1/missions/demo/samples?parameter=/Demo/P&from=2026-01-02T00:00:00Z&to=yesterday",
        400,
        "RFC 3339",
    )
    .await;
    check("/api/v1/nothing", 404, "STO-API-UNKNOWN-PATH").await;
}

#[tokio::test]
async fn completeness_is_asked_by_hours_of_a_span_and_only_of_those_that_keep_account() {
    let router = fixture();
    let cookie = log_in(&router).await;
    let check = async |query: &str, status: StatusCode, found: &str| {
        let uri = format!("/api/v1/missions/{query}");
        let (answered, _, body) = ask(&router, Request::get(uri).header(header::COOKIE, &cookie), "").await;
        assert_eq!(answered, status, "{query}: {body}");
        assert!(body.contains(found), "{query}: {body}");
    };
    let (bad, not_found) = (StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND);
    let span = "from=2026-11-22T00:00:00Z&to=2026-11-22T01:00:00Z";
    // The fixture is a server that keeps none, as a node.
    check(&format!("demo/completeness?{span}&by=day"), not_found, "only the hub keeps account").await;
    check(&format!("apollo/completeness?{span}"), not_found, "STO-API-UNKNOWN-MISSION").await;
    check(&format!("demo/completeness?{span}&by=week"), bad, "week").await;
    check("demo/completeness?from=2026-11-22T00:00:00Z&to=2026-11-22T00:00:00Z", bad, "not after").await;
    check("demo/completeness?from=yesterday&to=2026-11-22T00:00:00Z", bad, "not a time").await;
}

#[tokio::test]
async fn a_mission_says_which_dictionary_is_in_force_since_when_and_which_others_there_are() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let cookie = log_in(&router).await;
    let ask = async |leaf: &str| {
        let request = Request::get(format!("/api/v1/missions{leaf}")).header(header::COOKIE, &cookie);
        serde_json::from_str::<serde_json::Value>(&ask(&router, request, "").await.2).expect("JSON")
    };
    let mission = &ask("").await["missions"][0];
    assert_eq!((&mission["dictionary_version"], &mission["parameter_count"]), (&1.into(), &1.into()));
    assert!(mission["dictionary_effective_from"].is_null(), "{mission}");
    let at = |text| UtcTime::parse(text).expect("a time").to_tai();
    let database = backend
        .mission
        .database()
        .with_version(VersionNumber(2), at("2026-02-01T00:00:00Z"), dictionary("1.1", &["P", "Q"]))
        .and_then(|database| {
            database.with_version(VersionNumber(3), at("2200-01-01T00:00:00Z"), dictionary("2.0", &["R"]))
        });
    backend.mission.replace(database.expect("fits"), Some("demo.xml:3:1: broken".to_owned()));
    let mission = &ask("").await["missions"][0];
    assert_eq!(
        *mission,
        serde_json::json!({
            "name": "demo", "title": "Demo", "parameter_count": 3,
            "dictionary_problem": "demo.xml:3:1: broken",
            "dictionary_version": 2, "dictionary_effective_from": "2026-02-01T00:00:00Z",
            "limits_version": null,
            "dictionary_versions": [
                { "number": 1, "effective_from": null, "name": "Demo", "version": "1.0" },
                { "number": 2, "effective_from": "2026-02-01T00:00:00Z", "name": "Demo", "version": "1.1" },
                { "number": 3, "effective_from": "2200-01-01T00:00:00Z", "name": "Demo", "version": "2.0" },
            ],
        })
    );
    let parameters = ask("/demo/parameters").await;
    let names: Vec<_> =
        parameters["parameters"].as_array().expect("a list").iter().map(|found| &found["name"]).collect();
    assert_eq!(names, ["/Demo/P", "/Demo/Q", "/Demo/R"]);
}

#[tokio::test]
async fn every_answer_forbids_foreign_content() {
    let (_, headers, _) = ask(&fixture(), Request::get("/"), "").await;
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
}

#[test]
fn the_committed_openapi_document_is_the_generated_one() {
    let generated = openapi().to_pretty_json().expect("serialises") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("STO_UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &generated).expect("written");
    }
    let committed = std::fs::read_to_string(path).expect("openapi.json is committed");
    assert!(
        committed == generated,
        "openapi.json is old: run `STO_UPDATE_OPENAPI=1 cargo test -p dashboard openapi`"
    );
}

#[tokio::test]
async fn a_heartbeat_is_made_once_a_second_for_all_streams() {
    let backend = backend();
    let app = App::new(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let begun = std::time::Instant::now();
    let (operator, viewer) = (somebody(Role::Operator, None), somebody(Role::Viewer, Some("demo")));
    let texts: Vec<_> = (0..1_000).map(|_| app.heartbeat(&operator)).collect();
    assert!(texts[0].contains("\"kind\":\"heartbeat\""), "{}", texts[0]);
    let seconds = begun.elapsed().as_secs() as usize + 2;
    assert!(backend.nodes_asked.load(Ordering::Relaxed) <= seconds);
    assert!(texts[0].contains("luna"), "{}", texts[0]);
    for who in [&viewer, &operator, &viewer] {
        let text = app.heartbeat(who);
        assert!(text.contains("gs-both"), "{text}");
        assert_eq!(text.contains("luna"), *who == operator, "{text}");
    }
}

#[tokio::test]
async fn each_address_has_wrong_codes_of_its_own() {
    let router = fixture();
    let guess = async |last: u8| {
        let request = Request::post("/api/v1/session")
            .header(CSRF_HEADER, "test")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ConnectInfo(SocketAddr::from(([10, 0, 0, last], 4_711))));
        ask(&router, request, "{\"code\":\"0000\"}").await.0
    };
    for _ in 0..20 {
        assert_eq!(guess(1).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(guess(1).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess(2).await, StatusCode::UNAUTHORIZED);
    log_in(&router).await;
}

#[tokio::test]
async fn a_session_of_another_server_on_this_host_is_not_taken_for_ones_own() {
    let router = fixture();
    let cookie = log_in(&router).await;
    assert!(cookie.starts_with("sto_session_hub_"), "{cookie}");
    let both = format!("sto_session_edge_00000000=foreign; {cookie}");
    let request = Request::get("/api/v1/session").header(header::COOKIE, &both);
    assert_eq!(ask(&router, request, "").await.0, StatusCode::OK);
}

mod administration;
mod alarm_streams;
mod alarms;
mod dashboards;
mod grpc;
mod live;
mod orbits;
mod questions;
mod records;
mod resuming;
mod routes;
mod subscriptions;
