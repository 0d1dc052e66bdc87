//! `GET /api/v1/ingest/{mission}/stream`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use intake::Door;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::station::{Station, TOKEN, link, packet, packets};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(station: &Station, query: &str) -> Socket {
    let url = format!("ws://{}/api/v1/ingest/demo/stream{query}", station.addresses["ws"]);
    connect_async(url).await.expect("connected").0
}

/// The next thing that is told.
async fn told(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("in time");
        match message.expect("open").expect("sound") {
            Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
            Message::Close(frame) => {
                return json!({"kind": "closed", "code": frame.map(|f| u16::from(f.code))});
            }
            _ => {}
        }
    }
}

/// Waits until so many messages are acknowledged.
async fn acknowledged(socket: &mut Socket, messages: u64) -> Value {
    loop {
        let told = told(socket).await;
        assert_eq!(told["kind"], json!("ack"), "{told}");
        if told["messages"] == json!(messages) {
            return told;
        }
    }
}

#[tokio::test]
async fn messages_are_acknowledged_when_they_are_durable_and_a_bad_one_does_not_end_the_connection() {
    let station = Station::with(link("ws", Door::WebSocket)).await;
    let mut socket = connect(&station, "").await;
    socket.send(Message::Binary(packets(0..3).concat().into())).await.expect("sent");
    let text = json!([{"parameter": "volts", "raw": 1}, {"parameter": "amps", "raw": 2}]).to_string();
    socket.send(Message::Text(text.into())).await.expect("sent");
    let ack = acknowledged(&mut socket, 2).await;
    assert_eq!((&ack["records"], &ack["quarantined"]), (&json!(5), &json!(0)));
    assert_eq!(station.packets().await, packets(0..3));
    assert_eq!(station.samples().await.len(), 2);
    socket.send(Message::Binary(vec![0xFF; 20].into())).await.expect("sent");
    let refused = told(&mut socket).await;
    assert_eq!((&refused["kind"], &refused["message"]), (&json!("refused"), &json!(2)));
    assert_eq!(refused["cause"], json!("not-a-packet"));
    let text = json!([{"parameter": "volts", "raw": 1}, {"parameter": "vots", "raw": 2}]).to_string();
    socket.send(Message::Text(text.into())).await.expect("sent");
    let refused = loop {
        let told = told(&mut socket).await;
        if told["kind"] == json!("refused") {
            break told;
        }
    };
    assert_eq!(refused["refused"][0]["path"], json!("/1/parameter"));
    socket.send(Message::Binary(packet(3).into())).await.expect("sent");
    assert_eq!(acknowledged(&mut socket, 5).await["records"], json!(6));
    assert_eq!(station.rejected("not-a-packet"), 1);
    socket.close(None).await.expect("closed");
}

#[tokio::test]
async fn no_more_is_read_than_may_wait_to_become_durable() {
    let station = Station::with(link("ws", Door::WebSocket)).await;
    station.stall();
    let socket = connect(&station, "").await;
    // 64 KiB each: far more than the window, the queues and the kernel's buffers hold.
    let message = packets(0..1_424).concat();
    let count = 400_u64;
    let (mut write, mut read) = socket.split();
    let mut sent = 0_u64;
    while let Ok(result) =
        tokio::time::timeout(Duration::from_secs(1), write.send(Message::Binary(message.clone().into())))
            .await
    {
        result.expect("open");
        sent += 1;
        assert!(sent < count, "everything was read");
    }
    station.go_on();
    // The one that was cut off by the wait is still in the socket's own buffer.
    write.flush().await.expect("open");
    let mut last = 0;
    while last < sent {
        let told = tokio::time::timeout(Duration::from_secs(20), read.next()).await.expect("in time");
        if let Message::Text(text) = told.expect("open").expect("sound") {
            let ack: Value = serde_json::from_str(&text).expect("JSON");
            last = ack["messages"].as_u64().expect("a count");
        }
    }
}

#[tokio::test]
async fn with_partial_the_good_records_of_a_message_are_taken() {
    let station = Station::with(link("ws", Door::WebSocket)).await;
    let mut socket = connect(&station, "?partial=true").await;
    let text = json!([{"parameter": "volts", "raw": 1}, {"parameter": "vots", "raw": 2}]).to_string();
    socket.send(Message::Text(text.into())).await.expect("sent");
    let refused = told(&mut socket).await;
    assert_eq!((&refused["kind"], &refused["refused_count"]), (&json!("refused"), &json!(1)));
    assert_eq!(acknowledged(&mut socket, 1).await["records"], json!(1));
}

#[tokio::test]
async fn a_message_that_is_too_long_is_told_and_ends_the_connection() {
    let station = Station::with(link("ws", Door::WebSocket)).await;
    let mut socket = connect(&station, "").await;
    let _ = socket.send(Message::Binary(vec![0; (1 << 20) + 1].into())).await;
    let refused = told(&mut socket).await;
    assert_eq!(refused["cause"], json!("body-too-large"));
}

#[tokio::test]
async fn a_link_takes_as_many_clients_as_it_may_and_only_those_with_its_token() {
    let mut narrow = link("ws", Door::WebSocket);
    narrow.connections_max = 1;
    let station = Station::guarded(narrow).await;
    let url = format!("ws://{}/api/v1/ingest/demo/stream", station.addresses["ws"]);
    let refused = connect_async(&url).await.expect_err("refused");
    assert!(refused.to_string().contains("401"), "{refused}");
    let request = || {
        let mut request = url.as_str().into_client_request().expect("a request");
        let token = format!("Bearer {TOKEN}").parse().expect("a header");
        request.headers_mut().insert("authorization", token);
        request
    };
    let _open = connect_async(request()).await.expect("connected");
    let refused = connect_async(request()).await.expect_err("refused");
    assert!(refused.to_string().contains("503"), "{refused}");
    assert_eq!(station.rejected("connection-limit"), 1);
}

#[tokio::test]
async fn a_web_page_opens_only_a_link_with_a_token() {
    let page = |station: &Station, name: &'static str, value: &str, token: Option<&str>| {
        let url = format!("ws://{}/api/v1/ingest/demo/stream", station.addresses["ws"]);
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert(name, value.parse().expect("a header"));
        if let Some(token) = token {
            let token = format!("Bearer {token}").parse().expect("a header");
            request.headers_mut().insert("authorization", token);
        }
        connect_async(request)
    };
    let station = Station::with(link("ws", Door::WebSocket)).await;
    let pages =
        [("origin", "https://evil.example", "origin-refused"), ("host", "evil.example:8090", "host-refused")];
    for (name, value, cause) in pages {
        let refused = page(&station, name, value, None).await.expect_err("refused");
        assert!(refused.to_string().contains("403"), "{refused}");
        assert_eq!(station.rejected(cause), 1);
    }
    page(&station, "host", "localhost:8090", None).await.expect("connected");
    let guarded = Station::guarded(link("ws", Door::WebSocket)).await;
    for (name, value, _) in pages {
        page(&guarded, name, value, Some(TOKEN)).await.expect("connected");
    }
}

#[tokio::test]
async fn a_node_that_stops_says_goodbye_and_keeps_what_was_acknowledged() {
    let station = Station::with(link("ws", Door::WebSocket)).await;
    let mut socket = connect(&station, "").await;
    socket.send(Message::Binary(packet(1).into())).await.expect("sent");
    acknowledged(&mut socket, 1).await;
    station.stop();
    assert_eq!(told(&mut socket).await, json!({"kind": "closed", "code": 1001}));
    assert_eq!(station.packets().await, [packet(1)]);
}
