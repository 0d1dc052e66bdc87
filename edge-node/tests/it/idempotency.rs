//! Requests that come again.

use std::collections::HashMap;
use std::time::Duration;

use intake::Door;
use intake::http::idempotency::request_key;
use serde_json::{Value, json};

use crate::station::{Station, link, packets};

async fn post(station: &Station, key: &str, body: Vec<u8>) -> (u16, Value) {
    let request = reqwest::Client::new().post(station.url("web", "/api/v1/ingest/demo")).body(body);
    let request = request.header("content-type", "application/octet-stream").header("idempotency-key", key);
    let response = request.send().await.expect("answered");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_request_that_comes_again_is_taken_once_and_answered_the_same() {
    let station = Station::with(link("web", Door::Http)).await;
    let body = packets(0..1_500);
    let first = post(&station, "pass-7", body.concat()).await;
    let again = post(&station, "pass-7", body.concat()).await;
    assert_eq!((first.0, again.0), (200, 200));
    assert_eq!((&first.1["accepted"], &again.1["accepted"]), (&json!(1_500), &json!(1_500)));
    assert_eq!((&first.1["repeated"], &again.1["repeated"]), (&Value::Null, &json!(true)));
    assert_eq!(station.packets().await, body);
    let (status, answer) = post(&station, "pass-7", packets(0..1).concat()).await;
    assert_eq!((status, &answer["cause"]), (422, &json!("idempotency-key-reused")));
}

#[tokio::test]
async fn a_request_that_comes_again_while_it_is_under_way_waits_for_it() {
    let station = Station::with(link("web", Door::Http)).await;
    station.stall();
    let body = packets(0..10);
    let first = post(&station, "pass-8", body.concat());
    let again = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        post(&station, "pass-8", body.concat()).await
    };
    let go_on = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        station.go_on();
    };
    let (first, again, ()) = tokio::join!(first, again, go_on);
    assert_eq!((first.0, again.0), (200, 200));
    assert_eq!(again.1["repeated"], json!(true));
    assert_eq!(station.packets().await, body);
}

#[tokio::test]
async fn after_a_restart_only_what_is_not_durable_yet_is_taken() {
    let body = packets(0..1_500);
    let key = |key| request_key("web", key, &body.concat(), false);
    let receipts = HashMap::from([(key("half"), 700), (key("whole"), 1_500)]);
    let station = Station::start(&[link("web", Door::Http)], receipts).await;
    let (status, answer) = post(&station, "whole", body.concat()).await;
    assert_eq!((status, &answer["accepted"], &answer["repeated"]), (200, &json!(1_500), &json!(true)));
    assert!(station.packets().await.is_empty());
    let (status, answer) = post(&station, "half", body.concat()).await;
    assert_eq!((status, &answer["accepted"]), (200, &json!(1_500)));
    assert_eq!(station.packets().await, body[700..]);
}

#[tokio::test]
async fn after_a_restart_another_body_under_a_known_key_is_taken_as_a_whole() {
    let (before, body) = (packets(0..600), packets(600..900));
    let receipts = HashMap::from([(request_key("web", "k", &before.concat(), false), 600)]);
    let station = Station::start(&[link("web", Door::Http)], receipts).await;
    let (status, answer) = post(&station, "k", body.concat()).await;
    assert_eq!((status, &answer["accepted"], &answer["repeated"]), (200, &json!(300), &Value::Null));
    assert_eq!(station.packets().await, body);
    assert_eq!(post(&station, "k", before.concat()).await.0, 422);
}

#[tokio::test]
async fn a_producer_that_gave_up_waiting_may_repeat_its_request() {
    let station = Station::with(link("web", Door::Http)).await;
    station.stall();
    let body = packets(0..600);
    let gone = tokio::time::timeout(Duration::from_millis(500), post(&station, "k", body.concat())).await;
    assert!(gone.is_err());
    station.go_on();
    let (status, _) = post(&station, "k", body.concat()).await;
    assert_eq!(status, 200);
    assert_eq!(station.packets().await, body);
}

#[tokio::test]
async fn a_request_is_taken_once_also_when_its_link_closes_and_opens_again_meanwhile() {
    let station = Station::start(&[], HashMap::new()).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound");
    let of = |more: &str| {
        format!("[[link]]\nname = \"web\"\ndoor = \"http\"\nlisten = \"{free}\"\nmission = \"demo\"\n{more}")
    };
    let body = packets(0..1_200);
    let post = || async {
        let request = reqwest::Client::new().post(format!("http://{free}/api/v1/ingest/demo"));
        let request =
            request.header("content-type", "application/octet-stream").header("idempotency-key", "k");
        request.body(body.concat()).send().await.map(|answer| answer.status().as_u16()).ok()
    };
    station.stall();
    station.configure(&of(""));
    let open = async || while tokio::net::TcpStream::connect(free).await.is_err() {};
    open().await;
    let change = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        station.configure(&of("connections_max = 255\n"));
    };
    let (status, ()) = tokio::join!(post(), change);
    assert_eq!(status, Some(503));
    station.go_on();
    let due = tokio::time::Instant::now() + Duration::from_secs(30);
    while post().await != Some(200) {
        assert!(tokio::time::Instant::now() < due, "not taken");
    }
    assert_eq!(station.packets().await, body);
}
