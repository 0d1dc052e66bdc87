//! `POST /api/v1/ingest/{mission}`.

use std::io::Write;
use std::time::{Duration, Instant};

use delivery::{ReadingKind, SampleRecord, Scalar};
use intake::Door;
use prost::Message;
use serde_json::{Value, json};
use service::config::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::station::{Station, TOKEN, link, packet, packets};

const OCTETS: &str = "application/octet-stream";
const JSON: &str = "application/json";

async fn post(station: &Station, query: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Value) {
    let url = station.url("web", &format!("/api/v1/ingest/demo{query}"));
    let mut request = reqwest::Client::new().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("answered");
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

async fn web() -> Station {
    Station::with(link("web", Door::Http)).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).expect("written");
    packer.finish().expect("finished")
}

fn sample(parameter: &str, value: u64) -> SampleRecord {
    let (parameter, value) = (parameter.to_owned(), Scalar::Unsigned(value));
    SampleRecord { parameter, generation: None, reading: ReadingKind::Raw, value }
}

#[tokio::test]
async fn packets_are_in_the_journal_byte_for_byte_when_the_answer_comes() {
    let station = web().await;
    let sent = packets(0..3_000);
    let (status, answer) = post(&station, "", &[("content-type", OCTETS)], sent.concat()).await;
    // What was not announced is quarantined or not; here one container fits all.
    let expected =
        json!({"accepted": 3_000, "quarantined": 0, "durable": true, "refused": [], "refused_count": 0});
    assert_eq!((status, answer), (200, expected));
    assert_eq!(station.packets().await, sent);
}

#[tokio::test]
async fn every_form_and_packing_of_samples_gives_the_same_records() {
    let station = web().await;
    let samples = [sample("volts", 1), sample("amps", 2), sample("/D/volts", 3)];
    let objects = samples.iter().map(|sample| {
        let Scalar::Unsigned(value) = sample.value else { panic!("all are unsigned") };
        json!({"parameter": sample.parameter, "raw": value})
    });
    let objects: Vec<_> = objects.collect();
    let json = Value::from(objects.clone()).to_string().into_bytes();
    let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let list = samples.iter().cloned().map(proto::from_record).collect();
    let list = proto::v1::SampleList { samples: list };
    let content = Some(proto::v1::ingest_request::Content::Samples(list));
    let message = proto::v1::IngestRequest { content, ..Default::default() }.encode_to_vec();
    let zstd = zstd::encode_all(&json[..], 3).expect("packed");
    let cases: [(&str, &str, Vec<u8>); 5] = [
        (JSON, "identity", json.clone()),
        ("application/x-ndjson; charset=utf-8", "identity", lines.into_bytes()),
        (JSON, "gzip", gzip(&json)),
        (JSON, "zstd", zstd),
        ("application/x-protobuf", "identity", message),
    ];
    let mut expected = Vec::new();
    for (content_type, encoding, body) in cases {
        let headers = [("content-type", content_type), ("content-encoding", encoding)];
        let (status, answer) = post(&station, "", &headers, body).await;
        assert_eq!((status, &answer["accepted"]), (200, &json!(3)), "{content_type} {encoding}: {answer}");
        // What a number of JSON is kept as is not the door's to say.
        expected.extend(samples.iter().map(|sample| sample.parameter.clone()));
        let kept = station.samples().await;
        assert_eq!(kept.iter().map(|sample| sample.parameter.clone()).collect::<Vec<_>>(), expected);
    }
    assert_eq!(station.samples().await[12..], samples);
}

#[tokio::test]
async fn no_answer_comes_before_the_records_are_durable() {
    let station = web().await;
    station.stall();
    let answer = post(&station, "", &[("content-type", OCTETS)], packet(1));
    tokio::pin!(answer);
    let early = tokio::time::timeout(Duration::from_millis(500), &mut answer).await;
    assert!(early.is_err(), "{early:?}");
    station.go_on();
    assert_eq!(answer.await.0, 200);
    assert_eq!(station.packets().await, [packet(1)]);
}

#[tokio::test]
async fn a_body_with_bytes_that_are_no_packet_is_refused_as_a_whole_or_taken_in_part_as_it_says() {
    let station = web().await;
    let body = [packets(0..3).concat(), vec![0xFF; 20]].concat();
    let offset = 3 * packet(0).len();
    let (status, answer) = post(&station, "", &[("content-type", OCTETS)], body.clone()).await;
    assert_eq!((status, &answer["cause"]), (400, &json!("not-a-packet")), "{answer}");
    assert_eq!(answer["refused"][0]["offset"], json!(offset));
    assert_eq!(answer["refused"][0]["index"], json!(3));
    assert_eq!(answer["refused"][0]["first_bytes"], json!("ff".repeat(16)));
    assert!(station.packets().await.is_empty());
    let (status, answer) = post(&station, "?partial=true", &[("content-type", OCTETS)], body).await;
    assert_eq!((status, &answer["accepted"]), (200, &json!(3)), "{answer}");
    assert_eq!(answer["refused"][0]["cause"], json!("not-a-packet"));
    assert_eq!(station.packets().await, packets(0..3));
    let mut cut = packet(4);
    cut.pop();
    let (_, answer) = post(&station, "", &[("content-type", OCTETS)], cut).await;
    assert_eq!(answer["cause"], json!("truncated"));
    assert_eq!(station.rejected("not-a-packet"), 2);
}

#[tokio::test]
async fn bad_samples_are_told_by_index_and_path_and_the_good_ones_taken_only_if_wanted() {
    let station = web().await;
    let body = json!([
        {"parameter": "volts", "raw": 1},
        {"parameter": "vots", "raw": 2},
        {"parameter": "amps", "raw": 3, "colour": "red"},
        {"parameter": "amps", "raw": 4},
    ]);
    let body = body.to_string().into_bytes();
    let (status, answer) = post(&station, "", &[("content-type", JSON)], body.clone()).await;
    assert_eq!((status, &answer["cause"]), (422, &json!("parameter-unknown")), "{answer}");
    let places: Vec<_> = (0..2).map(|place| &answer["refused"][place]).collect();
    assert_eq!((&places[0]["index"], &places[0]["path"]), (&json!(1), &json!("/1/parameter")));
    assert_eq!((&places[1]["index"], &places[1]["path"]), (&json!(2), &json!("/2/colour")));
    assert_eq!(places[1]["cause"], json!("field-unknown"));
    assert!(station.samples().await.is_empty());
    let (status, answer) = post(&station, "?partial=true", &[("content-type", JSON)], body).await;
    assert_eq!((status, &answer["accepted"], &answer["refused_count"]), (200, &json!(2), &json!(2)));
    assert_eq!(station.samples().await.len(), 2);
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_cause_and_leaves_nothing() {
    let station = web().await;
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Vec<u8>, u16, &'a str);
    let cases: [Case<'_>; 10] = [
        ("", &[("content-type", "text/plain")], packet(1), 415, "content-type"),
        ("", &[], packet(1), 415, "content-type"),
        ("", &[("content-type", OCTETS), ("content-encoding", "br")], packet(1), 415, "content-encoding"),
        ("", &[("content-type", OCTETS), ("content-encoding", "gzip")], packet(1), 400, "encoding-broken"),
        ("", &[("content-type", OCTETS), ("content-encoding", "zstd")], packet(1), 400, "encoding-broken"),
        ("", &[("content-type", OCTETS)], Vec::new(), 400, "body-empty"),
        ("", &[("content-type", JSON)], b"{\"parameter\":".to_vec(), 400, "json-syntax"),
        ("", &[("content-type", "application/protobuf")], vec![0xFF; 9], 400, "protobuf-malformed"),
        ("?parts=all", &[("content-type", OCTETS)], packet(1), 400, "query-malformed"),
        (
            "",
            &[("content-type", OCTETS), ("idempotency-key", "")],
            packet(1),
            400,
            "idempotency-key-malformed",
        ),
    ];
    for (query, headers, body, status, cause) in cases {
        let (found, answer) = post(&station, query, headers, body).await;
        assert_eq!((found, &answer["cause"]), (status, &json!(cause)), "{answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer}");
        assert!(station.rejected(cause) > 0, "{cause} is not counted");
    }
    assert!(station.packets().await.is_empty());
}

#[tokio::test]
async fn a_body_that_would_unpack_to_gigabytes_is_refused_at_once() {
    let mut small = link("web", Door::Http);
    small.body_max = Bytes(1 << 20);
    let station = Station::with(small).await;
    let zeros = vec![0; 512 << 20];
    let bombs = [("gzip", gzip(&zeros)), ("zstd", zstd::encode_all(&zeros[..], 19).expect("packed"))];
    drop(zeros);
    for (encoding, bomb) in bombs {
        assert!(bomb.len() < 1 << 20);
        let begun = Instant::now();
        let headers = [("content-type", OCTETS), ("content-encoding", encoding)];
        let (status, answer) = post(&station, "", &headers, bomb).await;
        assert_eq!((status, &answer["cause"]), (413, &json!("body-too-large")), "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    // Announced, and far more than the sockets hold: the answer must reach who is still sending.
    let (status, _) = post(&station, "", &[("content-type", OCTETS)], vec![0; 40 << 20]).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn a_full_queue_is_told_with_the_time_to_come_again_and_the_request_taken_later() {
    let station = web().await;
    station.stall();
    // More than the queue, the pipeline and the journal's queue hold.
    let big = packets(0..16_000).concat().repeat(10);
    let client = reqwest::Client::new();
    let url = station.url("web", "/api/v1/ingest/demo");
    let send = |body: Vec<u8>| client.post(&url).header("content-type", OCTETS).body(body).send();
    let first = tokio::spawn(send(big));
    let refused = loop {
        let answer = tokio::time::timeout(Duration::from_secs(4), send(packet(1))).await;
        if let Ok(answer) = answer {
            break answer.expect("answered");
        }
    };
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let problem: Value = refused.json().await.expect("JSON");
    assert_eq!(problem["cause"], json!("queue-full"));
    station.go_on();
    assert_eq!(first.await.expect("ran").expect("answered").status(), 200);
    assert_eq!(send(packet(2)).await.expect("answered").status(), 200);
}

#[tokio::test]
async fn a_link_over_its_rate_is_told_when_to_come_again() {
    let mut slow = link("web", Door::Http);
    slow.rate_max_per_s = Some(10);
    let station = Station::with(slow).await;
    let (status, _) = post(&station, "", &[("content-type", OCTETS)], packets(0..100).concat()).await;
    assert_eq!(status, 200);
    let (status, answer) = post(&station, "", &[("content-type", OCTETS)], packet(1)).await;
    assert_eq!((status, &answer["cause"]), (429, &json!("rate-cap")));
}

#[tokio::test]
async fn strangers_are_told_nothing_and_who_has_the_token_what_is_there() {
    let station = Station::guarded(link("web", Door::Http)).await;
    let (status, answer) = post(&station, "", &[("content-type", OCTETS)], packet(1)).await;
    assert_eq!((status, &answer["cause"]), (401, &json!("token-missing")));
    let wrong = [("content-type", OCTETS), ("authorization", "Bearer guess")];
    let (status, answer) = post(&station, "", &wrong, packet(1)).await;
    assert_eq!((status, &answer["cause"]), (401, &json!("token-wrong")));
    let bearer = format!("Bearer {TOKEN}");
    let right = [("content-type", OCTETS), ("authorization", bearer.as_str())];
    assert_eq!(post(&station, "", &right, packet(1)).await.0, 200);
    let client = reqwest::Client::new();
    let other = station.url("web", "/api/v1/ingest/apollo");
    let answer = client.post(&other).body("x").send().await.expect("answered");
    assert_eq!(answer.status(), 401);
    let answer =
        client.post(&other).header("authorization", bearer).body("x").send().await.expect("answered");
    assert_eq!(answer.status(), 404);
    let problem: Value = answer.json().await.expect("JSON");
    assert_eq!(problem["cause"], json!("mission-unknown"));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("demo by http")), "{problem}");
}

#[tokio::test]
async fn a_web_page_brings_nothing_into_a_link_without_a_token() {
    let station = web().await;
    let pages = [
        ("origin", "https://evil.example", "origin-refused"),
        ("origin", "null", "origin-refused"),
        ("origin", "http://127.0.0.1", "origin-refused"),
        ("host", "evil.example", "host-refused"),
        ("host", "evil.example:8090", "host-refused"),
    ];
    for (name, value, cause) in pages {
        let before = station.rejected(cause);
        let (status, answer) =
            post(&station, "", &[("content-type", OCTETS), (name, value)], packet(1)).await;
        assert_eq!((status, &answer["cause"]), (403, &json!(cause)), "{name}: {value}: {answer}");
        assert!(answer["detail"].as_str().is_some_and(|text| text.contains("need a link with a token")));
        assert_eq!(station.rejected(cause), before + 1);
    }
    assert!(station.packets().await.is_empty());
    let here = [("content-type", OCTETS), ("host", "localhost:8090")];
    assert_eq!(post(&station, "", &here, packet(1)).await.0, 200);
}

#[tokio::test]
async fn a_web_page_with_the_token_may_bring_something_by_any_name() {
    let station = Station::guarded(link("web", Door::Http)).await;
    let bearer = format!("Bearer {TOKEN}");
    let page = [("content-type", OCTETS), ("origin", "https://a.example"), ("host", "station:8090")];
    let (status, answer) = post(&station, "", &page, packet(1)).await;
    assert_eq!((status, &answer["cause"]), (401, &json!("token-missing")));
    let known = [&page[..], &[("authorization", bearer.as_str())]].concat();
    assert_eq!(post(&station, "", &known, packet(1)).await.0, 200);
}

#[tokio::test]
async fn a_producer_that_goes_away_leaves_no_half_of_its_request() {
    let station = web().await;
    let body = packets(0..2_000).concat();
    let mut stream = tokio::net::TcpStream::connect(&station.addresses["web"]).await.expect("connected");
    let head = format!(
        "POST /api/v1/ingest/demo HTTP/1.1\r\nhost: localhost\r\ncontent-type: {OCTETS}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.write_all(&body[..body.len() / 2]).await.expect("written");
    drop(stream);
    // One that says too little of what it sends is not taken either.
    let mut stream = tokio::net::TcpStream::connect(&station.addresses["web"]).await.expect("connected");
    stream.write_all(b"POST /api/v1/ingest/demo HTTP/1.1\r\n\r\n").await.expect("written");
    let mut answer = Vec::new();
    stream.shutdown().await.expect("closed");
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(post(&station, "", &[("content-type", OCTETS)], packet(9)).await.0, 200);
    assert_eq!(station.packets().await, [packet(9)]);
}

#[tokio::test]
async fn links_of_one_address_share_a_listener_that_closes_with_the_last_of_them() {
    let station = Station::start(&[], std::collections::HashMap::new()).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound").port();
    let of = |name: &str, door: &str| {
        format!(
            "[[link]]\nname = \"{name}\"\ndoor = \"{door}\"\nlisten = \"127.0.0.1:{port}\"\nmission = \"demo\"\n"
        )
    };
    let url = format!("http://127.0.0.1:{port}/api/v1/ingest/demo");
    let post = || async {
        let request = reqwest::Client::new().post(&url).header("content-type", OCTETS).body(packet(1));
        request.send().await.map(|answer| answer.status().as_u16()).ok()
    };
    let becomes = |wanted: Option<u16>| async move {
        let due = Instant::now() + Duration::from_secs(20);
        while post().await != wanted {
            assert!(Instant::now() < due, "did not become {wanted:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    station.configure(&of("rpc", "grpc"));
    becomes(Some(404)).await;
    station.configure(&[of("rpc", "grpc"), of("web", "http")].concat());
    becomes(Some(200)).await;
    station.configure(&of("web", "http"));
    becomes(Some(200)).await;
    station.configure("");
    becomes(None).await;
    station.configure(&of("other", "http"));
    becomes(Some(200)).await;
}

#[tokio::test]
async fn two_links_on_free_ports_of_their_own_share_nothing() {
    let links = [link("web", Door::Http), link("other", Door::Http)];
    let station = Station::start(&links, std::collections::HashMap::new()).await;
    assert_ne!(station.addresses["web"], station.addresses["other"]);
    assert_eq!(post(&station, "", &[("content-type", OCTETS)], packet(1)).await.0, 200);
}

#[tokio::test]
async fn what_the_node_has_to_say_is_recorded_while_no_telemetry_can_be() {
    let station = Station::with(link("web", Door::Http)).await;
    station.stall();
    let request = reqwest::Client::new().post(station.url("web", "/api/v1/ingest/demo"));
    let waiting = tokio::spawn(request.header("content-type", OCTETS).body(packet(1)).send());
    station.configure("nothing = \"that is known\"\n");
    let event = station.event("STO-CONFIG").await;
    assert!(event.text.contains("nothing"), "{}", event.text);
    assert!(!waiting.is_finished(), "nobody was told of a packet that is not durable");
    station.go_on();
    assert_eq!(waiting.await.expect("ends").expect("is answered").status(), 200);
}
