//! The live stream, over a real connection.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) struct Served {
    pub(super) backend: Arc<Fixture>,
    pub(super) router: Router,
    pub(super) cookie: String,
    pub(super) address: SocketAddr,
    pub(super) shutdown: CancellationToken,
}

pub(super) async fn served() -> Served {
    served_with(|_| {}).await
}

pub(super) async fn served_with(change: impl FnOnce(&mut App)) -> Served {
    let (backend, shutdown) = (backend(), CancellationToken::new());
    let mut app = App::new(Arc::clone(&backend) as Arc<dyn Backend>, shutdown.clone());
    change(&mut app);
    let router = router_of(Arc::new(app));
    let cookie = log_in(&router).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(service::http::serve(listener, router.clone(), shutdown.clone()));
    Served { backend, router, cookie, address, shutdown }
}

impl Served {
    pub(super) async fn open(&self) -> Stream {
        let mut request =
            format!("ws://{}/api/v1/live", self.address).into_client_request().expect("a request");
        request.headers_mut().insert(header::COOKIE, HeaderValue::from_str(&self.cookie).expect("text"));
        connect_async(request).await.expect("opened").0
    }
}

pub(super) async fn next(stream: &mut Stream) -> Message {
    let next = tokio::time::timeout(PATIENCE, stream.next()).await.expect("something comes");
    next.expect("the stream goes on").expect("a message")
}

/// Code of the close frame that ends the stream.
pub(super) async fn close_code(stream: &mut Stream) -> u16 {
    let closed = async {
        loop {
            if let Message::Close(frame) = next(stream).await {
                return frame.expect("a frame").code.into();
            }
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("the stream ends")
}

async fn heartbeats(stream: &mut Stream, mut count: usize) {
    while count > 0 {
        let message = next(stream).await;
        assert!(message.is_text(), "{message:?}");
        count -= usize::from(message.to_text().expect("text").contains("\"heartbeat\""));
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_session_does() {
    let served = served().await;
    let mut stream = served.open().await;
    heartbeats(&mut stream, 2).await;
    let leave =
        Request::delete("/api/v1/session").header(CSRF_HEADER, "test").header(header::COOKIE, &served.cookie);
    assert_eq!(ask(&served.router, leave, "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(close_code(&mut stream).await, 4401);
}

#[tokio::test]
async fn a_stream_ends_when_its_session_expires_even_if_the_store_does_not_answer() {
    let served = served().await;
    let soon = service::clock::now().plus_nanos(1_500_000_000);
    served.backend.store.sessions.lock().expect("not poisoned").values_mut().for_each(|session| {
        session.expires = soon;
    });
    let mut stream = served.open().await;
    served.backend.store.unavailable.store(true, Ordering::Relaxed);
    assert_eq!(close_code(&mut stream).await, 4401);
    assert!(service::clock::now() >= soon);
}

#[tokio::test]
async fn a_stream_goes_on_while_the_store_does_not_answer() {
    let served = served().await;
    let mut stream = served.open().await;
    served.backend.store.unavailable.store(true, Ordering::Relaxed);
    heartbeats(&mut stream, 4).await;
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let served = served().await;
    let mut stream = served.open().await;
    heartbeats(&mut stream, 1).await;
    served.shutdown.cancel();
    assert_eq!(close_code(&mut stream).await, 1001);
}

#[tokio::test]
async fn a_subscription_brings_a_snapshot_or_says_why_not() {
    let served = served().await;
    let mut stream = served.open().await;
    for (mission, expected) in [("demo", "\"snapshot\""), ("apollo", "STO-API-UNKNOWN-MISSION")] {
        let text = format!(r#"{{"kind":"subscribe","mission":"{mission}","parameters":[]}}"#);
        stream.send(Message::text(text)).await.expect("sent");
        wait_for(&mut stream, expected).await;
    }
}

#[tokio::test]
async fn whoever_is_subscribed_hears_of_other_dictionaries_and_then_gets_what_only_they_describe() {
    let served = served().await;
    let mut stream = served.open().await;
    let mut subscribe = async |parameter: &str, expected: &str| {
        let text = format!(r#"{{"kind":"subscribe","mission":"demo","parameters":["{parameter}"]}}"#);
        stream.send(Message::text(text)).await.expect("sent");
        wait_for(&mut stream, expected).await
    };
    subscribe("/Demo/Q", "STO-API-UNKNOWN-PARAMETER").await;
    subscribe("/Demo/P", "\"snapshot\"").await;
    let mission = &served.backend.mission;
    let now = service::clock::now();
    let database = mission.database().with_version(VersionNumber(2), now, dictionary("2", &["P", "Q"]));
    mission.replace(database.expect("fits"), None);
    let text = wait_for(&mut stream, "\"dictionary\"").await;
    assert_eq!(text, r#"{"kind":"dictionary","mission":"demo","dictionary_version":2}"#);
    let sample = processing::Sample {
        parameter: ParameterIndex(1),
        generation: space_packet::GenerationTime(now),
        reception: space_packet::ReceptionTime(now),
        raw: processing::Raw::Unsigned(7),
        converted: None,
        validity: mission_database::Validity::OutsideValidRange,
        monitoring: mission_database::MonitoringResult::NotMonitored,
        version: VersionNumber(2),
        provenance: Default::default(),
    };
    mission.publish(LiveBatch { source: 0, position: None, samples: vec![sample], records: None });
    let text = r#"{"kind":"subscribe","mission":"demo","parameters":["/Demo/Q"]}"#;
    stream.send(Message::text(text)).await.expect("sent");
    let text = wait_for(&mut stream, "\"snapshot\"").await;
    let described = r#""validity":"outside-valid-range","monitoring":"not-monitored","dictionary_version":2"#;
    assert!(text.contains("/Demo/Q") && text.contains(described), "{text}");
}

pub(super) async fn wait_for(stream: &mut Stream, expected: &str) -> String {
    loop {
        let message = next(stream).await;
        let text = message.to_text().expect("text");
        if text.contains(expected) {
            return text.to_owned();
        }
    }
}
