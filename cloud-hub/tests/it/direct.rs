//! Telemetry that comes to the hub itself.

use std::collections::BTreeMap;
use std::time::Duration;

use cloud_hub::archive::{OWN_STATION, OwnStation};
use delivery::{Content, SampleRecord};
use futures_util::{SinkExt, StreamExt};
use proto::v1::intake_client::IntakeClient;
use proto::v1::{IngestRequest, ingest_request};
use provisioning::{EnrolmentBook, Refusal};
use serde_json::{Value, json};
use testkit::process::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tonic::transport::Channel;

use crate::direct_world::{DICTIONARY, HubWorld, OCTETS, TOKEN, link, packet, packets};
use crate::world::{World, redemption};

const SOON: Duration = Duration::from_secs(60);

async fn web() -> HubWorld {
    HubWorld::start(&link("web", "http", "")).await
}

/// Status and body of an answer.
async fn answered(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("answered");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_and_samples_over_http_are_committed_when_the_answer_comes_and_read_at_once() {
    let world = web().await;
    let (status, answer) = answered(world.post(packets(0..2_000).concat())).await;
    let expected =
        json!({"accepted": 2_000, "quarantined": 0, "durable": true, "refused": [], "refused_count": 0});
    assert_eq!((status, answer), (200, expected));
    assert_eq!(world.packets().await, packets(0..2_000));

    let url = format!("http://{}/api/v1/ingest/demo", world.address("web"));
    let sample = json!([{"parameter": "volts", "time": "2026-11-22T17:31:02.125Z", "raw": 7}]);
    let (status, answer) = answered(reqwest::Client::new().post(url).json(&sample)).await;
    assert_eq!((status, &answer["accepted"]), (200, &json!(1)), "{answer}");
    let samples = world.records(Content::Samples).await;
    let samples: Vec<_> = samples.iter().map(|record| SampleRecord::decode(record).expect("sound")).collect();
    assert_eq!(samples.iter().map(|sample| sample.parameter.as_str()).collect::<Vec<_>>(), ["volts"]);

    let client = world.client().await;
    let range =
        "/api/v1/missions/demo/samples?parameter=/D/volts&from=2026-11-22T17:31:00Z&to=2026-11-22T17:32:00Z";
    let found = until("the sample in the archive", SOON, async || {
        let page = client.get(range).await?;
        Ok(page["samples"].as_array().and_then(|samples| samples.first()).cloned())
    });
    let found = found.await.expect("read");
    assert_eq!((&found["raw"], &found["node"]), (&json!(7), &json!("hub")), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_the_hub_wants_its_token_and_refuses_what_cannot_be_read() {
    let world = HubWorld::start(&link("web", "http", "token_file = \"token\"\n")).await;
    let (status, answer) = answered(world.post(packet(1))).await;
    assert_eq!((status, &answer["cause"]), (401, &json!("token-missing")));
    let (status, answer) = answered(world.post(packet(1)).bearer_auth("guess")).await;
    assert_eq!((status, &answer["cause"]), (401, &json!("token-wrong")));
    assert_eq!(answered(world.post(packet(1)).bearer_auth(TOKEN)).await.0, 200);
    let (status, answer) = answered(world.post(vec![0xFF; 20]).bearer_auth(TOKEN)).await;
    assert_eq!((status, &answer["cause"]), (400, &json!("not-a-packet")));
    assert_eq!(world.packets().await, [packet(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_of_the_hub_brings_packets_into_the_ledger_and_tells_its_producer() {
    let doors = [
        link("stream", "tcp", "acknowledgement = \"count\"\n"),
        link("datagrams", "udp", ""),
        link("socket", "websocket", ""),
        link("rpc", "grpc", ""),
    ];
    let world = HubWorld::start(&doors.concat()).await;

    let mut stream = TcpStream::connect(world.address("stream")).await.expect("connected");
    stream.write_all(&packets(0..100).concat()).await.expect("written");
    let mut told = 0;
    while told < 100 {
        told = tokio::time::timeout(SOON, stream.read_u64()).await.expect("in time").expect("told");
    }
    assert_eq!(world.packets().await, packets(0..100));

    let url = format!("ws://{}/api/v1/ingest/demo/stream", world.address("socket"));
    let mut socket = tokio_tungstenite::connect_async(url).await.expect("connected").0;
    socket.send(Message::Binary(packets(100..200).concat().into())).await.expect("sent");
    let told = tokio::time::timeout(SOON, async {
        loop {
            if let Message::Text(text) = socket.next().await.expect("open").expect("sound") {
                return serde_json::from_str::<Value>(&text).expect("JSON");
            }
        }
    });
    let told = told.await.expect("in time");
    assert_eq!((&told["kind"], &told["records"]), (&json!("ack"), &json!(100)), "{told}");

    let channel = Channel::from_shared(format!("http://{}", world.address("rpc"))).expect("an address");
    let mut rpc = IntakeClient::new(channel.connect().await.expect("connected"));
    let content = Some(ingest_request::Content::Packets(packets(200..300).concat()));
    let request = IngestRequest { mission: "demo".to_owned(), content, ..IngestRequest::default() };
    assert_eq!(rpc.ingest(request).await.expect("answered").into_inner().accepted, 100);
    assert_eq!(world.packets().await, packets(0..300));

    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("bound");
    socket.send_to(&packet(300), world.address("datagrams")).await.expect("sent");
    until("the datagram in the ledger", SOON, async || {
        Ok((world.packets().await == packets(0..301)).then_some(()))
    })
    .await
    .expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_key_is_taken_once_however_often_and_over_whatever_restart_it_is_repeated() {
    let mut world = web().await;
    let body = packets(0..700).concat();
    let send = |world: &HubWorld, key: &str, body: &[u8]| {
        answered(world.post(body.to_vec()).header("idempotency-key", key))
    };
    let (status, answer) = send(&world, "pass-1", &body).await;
    assert_eq!((status, &answer["accepted"], answer.get("repeated")), (200, &json!(700), None));
    let (status, answer) = send(&world, "pass-1", &body).await;
    assert_eq!((status, &answer["accepted"], &answer["repeated"]), (200, &json!(700), &json!(true)));
    let (status, answer) = send(&world, "pass-1", &packet(9)).await;
    assert_eq!((status, &answer["cause"]), (422, &json!("idempotency-key-reused")));

    world.kill_and_start().await;
    let (status, answer) = send(&world, "pass-1", &body).await;
    assert_eq!((status, &answer["accepted"], &answer["repeated"]), (200, &json!(700), &json!(true)));
    world.stop_and_start().await;
    let (status, answer) = send(&world, "pass-1", &body).await;
    assert_eq!((status, &answer["accepted"], &answer["repeated"]), (200, &json!(700), &json!(true)));
    assert_eq!(send(&world, "pass-2", &packet(700)).await.0, 200);
    assert_eq!(world.packets().await, packets(0..701));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_producers_wait_or_are_told_to_come_again_and_nothing_is_lost_or_doubled() {
    let world = HubWorld::start(
        &[link("web", "http", ""), link("stream", "tcp", "acknowledgement = \"count\"\n")].concat(),
    )
    .await;
    assert_eq!(answered(world.post(packet(0))).await.0, 200);
    world.take_database_away().await;
    // Whether the hub has noticed by now or not: what it answers 200 is committed, and else nothing was taken, or it is
    // still under way and the key says so.
    let early =
        tokio::spawn(answered(world.post(packet(1)).header("idempotency-key", "early").timeout(SOON)));
    let refused = until("the hub to notice", SOON, async || {
        let answer = world.post(packet(99)).header("idempotency-key", "late").send().await?;
        Ok((answer.status() == 503).then_some(answer))
    })
    .await
    .expect("it is refused");
    let wait =
        refused.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    assert!(wait.is_some_and(|seconds| (1..=60).contains(&seconds)), "{wait:?}");
    let problem: Value = refused.json().await.expect("JSON");
    assert_eq!(problem["cause"], json!("database-away"), "{problem}");
    let mut stream = TcpStream::connect(world.address("stream")).await.expect("connected");
    stream.write_all(&packets(2..50).concat()).await.expect("written");

    world.give_database_back().await;
    let mut told = 0;
    while told < 48 {
        told = tokio::time::timeout(SOON, stream.read_u64()).await.expect("in time").expect("told");
    }
    let _ = early.await.expect("ran");
    for (key, number) in [("early", 1), ("late", 99)] {
        until("the request to be taken", SOON, async || {
            let answer = world.post(packet(number)).header("idempotency-key", key).send().await?;
            Ok((answer.status() == 200).then_some(()))
        })
        .await
        .expect("taken");
    }
    let mut committed = world.packets().await;
    committed.sort_unstable();
    let mut expected = [packets(0..50), packets(99..100)].concat();
    expected.sort_unstable();
    assert_eq!(committed, expected);
}

/// Sends requests with keys one after the other, each until it is taken; the address changes with every start.
async fn produce(mut url: watch::Receiver<String>, producer: u32, requests: u32) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().expect("a client");
    for number in 0..requests {
        let body = packets_of(producer, number).concat();
        loop {
            let address = url.borrow_and_update().clone();
            let request = client.post(address).header("content-type", OCTETS);
            let request =
                request.header("idempotency-key", format!("{producer}-{number}")).body(body.clone());
            if request.send().await.is_ok_and(|answer| answer.status() == 200) {
                break;
            }
            // A hub that is not there yet, or that is stopping.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn packets_of(producer: u32, request: u32) -> Vec<Vec<u8>> {
    let first = producer * 1_000_000 + request * 300;
    packets(first..first + 300)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_once_over_kills_of_the_hub() {
    const PRODUCERS: u32 = 4;
    const REQUESTS: u32 = 150;
    let mut world = web().await;
    let url = |world: &HubWorld| format!("http://{}/api/v1/ingest/demo", world.address("web"));
    let (tell, told) = watch::channel(url(&world));
    let mut producers = JoinSet::new();
    for producer in 0..PRODUCERS {
        producers.spawn(produce(told.clone(), producer, REQUESTS));
    }
    for kill in 1..=3_usize {
        // In the middle of the work, wherever that is: so much more is there.
        let share = (PRODUCERS * REQUESTS * 300) as usize / 5;
        until("packets to come in", SOON, async || {
            Ok((world.packets().await.len() >= share * kill).then_some(()))
        })
        .await
        .expect("they do");
        world.kill_and_start().await;
        tell.send_replace(url(&world));
    }
    while let Some(ended) = producers.join_next().await {
        ended.expect("all is taken in the end");
    }
    let mut counts: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for packet in world.packets().await {
        *counts.entry(packet).or_default() += 1;
    }
    let doubled = counts.values().filter(|count| **count > 1).count();
    assert_eq!((doubled, counts.len()), (0, (PRODUCERS * REQUESTS * 300) as usize));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hubs_own_station_is_shown_as_a_node_and_cannot_be_revoked_or_enrolled() {
    let mut world = web().await;
    assert_eq!(answered(world.post(packets(0..30).concat())).await.0, 200);
    assert_eq!(answered(world.post(vec![0xFF; 9])).await.0, 400);
    let node = world.station(|node| node["archived_packets"] == 30 && !node["report"].is_null()).await;
    assert_eq!((&node["state"], &node["site"]), (&json!("connected"), &json!("hub")), "{node}");
    assert!(node["last_contact"].is_string(), "{node}");
    let shown = world.station(|node| node["report"]["links"][0]["rejected"][0]["count"] == 1).await;
    let link = &shown["report"]["links"][0];
    assert_eq!((&link["name"], &link["door"], &link["durable"]), (&json!("web"), &json!("http"), &json!(30)));
    assert_eq!(link["rejected"][0]["cause"], json!("not-a-packet"), "{link}");
    assert_eq!(shown["report"]["backlog"]["drain"], json!({"kind": "empty"}), "{shown}");

    for command in [
        &["node", "revoke", "hub"][..],
        &["node", "missions", "hub", "demo"],
        &["token", "create", "--node", "hub", "--site", "x"],
    ] {
        let refused = world.command(command).await.expect_err("refused").to_string();
        assert!(refused.contains("STO-NODE-BUILT-IN"), "{refused}");
    }
    world.stop_and_start().await;
    assert_eq!(answered(world.post(packet(30))).await.0, 200);
    let node = world.station(|node| node["archived_packets"] == 31).await;
    assert_eq!(node["state"], json!("connected"), "{node}");
    assert_eq!(world.packets().await, packets(0..31));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_the_hub_is_read_by_an_imported_dictionary_within_a_moment() {
    let world = web().await;
    let url = format!("http://{}/api/v1/ingest/demo", world.address("web"));
    let sample = json!([{"parameter": "amps", "raw": 7}]);
    let (status, answer) = answered(reqwest::Client::new().post(&url).json(&sample)).await;
    assert_eq!((status, &answer["cause"]), (422, &json!("parameter-unknown")), "{answer}");
    let declared = "<Parameter name=\"volts\" parameterTypeRef=\"T\"/>";
    let more = DICTIONARY.replace(declared, &[declared, &declared.replace("volts", "amps")].concat());
    let file = world.write("more.xml", &more);
    world.command(&["dictionary", "import", "demo", &file]).await.expect("imported");
    until("the new parameter to be taken", SOON, async || {
        let answer = reqwest::Client::new().post(&url).json(&sample).send().await?;
        Ok((answer.status() == 200).then_some(()))
    })
    .await
    .expect("taken");
}

#[tokio::test]
async fn the_hubs_own_station_takes_a_name_nobody_has_and_no_token_makes_a_machine_of_it() {
    let world = World::new().await;
    let table = OwnStation::new(world.database.clone());
    world.node("hub").await;
    let (_, early) = world.token("hub-links").await;
    assert!(table.establish().await.expect("answers"));
    assert!(table.establish().await.expect("answers"), "nothing is changed by the second time");
    let nodes = world.registry.nodes().await.expect("answers");
    let own: Vec<_> = nodes.iter().filter(|node| node.node_id == OWN_STATION).collect();
    assert_eq!((own.len(), own[0].name.as_str(), nodes.len()), (1, "hub-links", 2));
    assert!(!table.is_called("hub").await.expect("answers"));

    let refused = world.registry.redeem(redemption(&early, 1, 1_000)).await;
    assert!(matches!(refused, Err(Refusal::Unknown)), "{refused:?}");
    assert!(!world.registry.revoke("hub-links", "a reason", "a test").await.expect("answers"));
    assert!(!world.registry.set_missions("hub-links", None, "a test").await.expect("answers"));
    assert!(world.registry.revoke("hub", "a reason", "a test").await.expect("answers"));
}
