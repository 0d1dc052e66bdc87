//! Places of sites and elements of spacecraft, kept and asked for; and what was received in a time.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use cloud_hub::archive::OrbitTable;
use dashboard::contract::PassReceived;
use dashboard::orbits::{NewElements, ReceptionWindow};
use delivery::{BatchBuilder, Lane, Position, SealedBatch};
use serde_json::{Value, json};
use space_packet::TaiTime;

use crate::archive::with_open_session;
use crate::served::Served;
use crate::world::{BEGINNING, SECOND, STORE, chain, packet};

const PLACE: &str = r#"{"latitude_deg":-72.01,"longitude_deg":2.53,"height_m":1300,"mask_deg":5}"#;

fn new(spacecraft: &str, epoch: i64, text: &str) -> NewElements {
    NewElements { spacecraft: spacecraft.to_owned(), epoch: TaiTime(epoch), text: text.to_owned() }
}

async fn put(served: &Served, path: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::put(path)
        .header("x-sto-request", "test")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .expect("a request");
    let (parts, body) = served.ask(request).await.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    (parts.status, serde_json::from_slice(&body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_of_elements_is_kept_and_those_of_a_span_are_given_out() {
    let (world, _) = with_open_session().await;
    let table = OrbitTable::new(world.database.clone());
    let versions =
        [new("a", 100, "first"), new("a", 200, "second"), new("a", 300, "third"), new("b", 250, "only")];
    assert_eq!(table.put_elements("test", &versions, "kari").await.expect("kept"), 4);
    assert_eq!(
        table.put_elements("test", &versions[1..2], "ola").await.expect("kept"),
        0,
        "the same twice is once"
    );
    table.put_elements("apollo", &[new("a", 150, "elsewhere")], "kari").await.expect("kept");
    let check = async |from: i64, to: i64, expected: &[&str]| {
        let found = table.elements("test", TaiTime(from)..TaiTime(to)).await.expect("found");
        let texts: Vec<&str> = found.iter().map(|one| one.elements.text.as_str()).collect();
        assert_eq!(texts, expected, "{from} to {to}");
        assert!(found.iter().all(|one| one.versions == if one.elements.spacecraft == "a" { 3 } else { 1 }));
        assert!(found.iter().all(|one| one.imported_by == "kari"));
    };
    check(0, 50, &["first", "only"]).await;
    check(150, 151, &["first", "only"]).await;
    check(150, 201, &["first", "second", "only"]).await;
    check(200, 201, &["second", "only"]).await;
    check(0, 1_000, &["first", "second", "third", "only"]).await;
    check(5_000, 6_000, &["third", "only"]).await;
}

/// One batch with packets of these numbers, each a second after the one before.
fn batch(mission: &str, of: &[u32], position: &mut Position) -> SealedBatch {
    let mut builder = BatchBuilder::new(mission, "link");
    for number in of {
        let (time, packet) = packet(*number);
        builder.push(time, &packet);
    }
    let batch = builder.pack().expect("records").seal(Lane::Telemetry, position);
    *position = batch.position();
    batch
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_received_in_a_pass_is_counted_by_batches_of_its_mission_and_node() {
    let (mut world, lane) = with_open_session().await;
    let mut position = Position::start(STORE, Lane::Telemetry);
    let batches = [batch("test", &[0, 1], &mut position), batch("test", &[10, 11, 12], &mut position)];
    world.commit(lane.key, lane.session, &batches).await.expect("committed");
    let elsewhere = chain("apollo", 20, 1, &mut Some(position));
    world.commit(lane.key, lane.session, &elsewhere).await.expect("committed");
    let window = |node: &str, from: i64, to: i64| ReceptionWindow {
        node: node.to_owned(),
        span: TaiTime(BEGINNING + from * SECOND)..TaiTime(BEGINNING + to * SECOND),
    };
    let windows = vec![
        window("station", 0, 100),
        window("station", 12, 13),
        window("station", 2, 12),
        window("nobody", 0, 100),
        window("station", 1, 2),
    ];
    let table = OrbitTable::new(world.database.clone());
    let received = table.received("test", &windows).await.expect("counted");
    let bytes = batches.each_ref().map(|batch| batch.bytes().len() as u64);
    let expected = [(5, bytes[0] + bytes[1]), (3, bytes[1]), (0, 0), (0, 0), (2, bytes[0])];
    let expected = expected.map(|(records, bytes)| PassReceived { records, bytes });
    assert_eq!(received, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_said_over_the_api_and_again() {
    let (world, _) = with_open_session().await;
    let served = Served::new(&world, &world.archive().await).await;
    let (status, site) = put(&served, "/api/v1/places/Troll%20/%20Jutulsessen", PLACE).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a slash parts paths: {site}");
    let (status, site) = put(&served, "/api/v1/places/Troll", PLACE).await;
    assert_eq!((status, &site["place"]["height_m"]), (StatusCode::OK, &json!(1300.0)));
    put(&served, "/api/v1/places/Troll", &PLACE.replace("1300", "1298.5")).await;
    let sites = served.json("/api/v1/places").await["sites"].clone();
    assert_eq!(sites.as_array().map(Vec::len), Some(1));
    assert_eq!((&sites[0]["place"]["height_m"], &sites[0]["set_by"]), (&json!(1298.5), &json!("operator")));

    let lines = "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n\
        2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667";
    let body = json!({ "text": lines }).to_string();
    let (status, elements) = put(&served, "/api/v1/missions/test/elements", &body).await;
    assert_eq!((status, &elements["spacecraft"][0]["spacecraft"]), (StatusCode::OK, &json!("5")));
    let warning = elements["spacecraft"][0]["warning"].as_str().expect("a warning");
    assert!(warning.contains("days from the epoch"), "{warning}");
    let passes = "/api/v1/missions/test/passes?from=2000-06-28T00:00:00Z&to=2000-06-29T00:00:00Z";
    assert_eq!(served.json(passes).await["passes"], json!([]), "no node has said that it stands anywhere");
}
