//! Serving HTTP with bounds: `axum::serve` has no timeouts and no connection cap, this has both.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, service_fn};
use tracing::debug;

use crate::unread::ReadByPeer;

/// Connections at once; a thousand dashboards and their sockets fit. More wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;
/// What connections get to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// How long a client may take.
#[derive(Clone, Copy)]
struct Patience {
    /// For the headers of a request; of the first one, whatever the client sends or does not send.
    headers: Duration,
    /// For a request from its headers to the answer's, its body included. What an answer upgrades to, like
    /// a WebSocket, is not part of it.
    request: Duration,
    /// For taking some of an answer. Whoever takes nothing for so long loses the connection, however long the answer is.
    unread: Duration,
}

const PATIENCE: Patience = Patience {
    headers: Duration::from_secs(10),
    request: Duration::from_secs(60),
    unread: Duration::from_secs(60),
};

/// Bytes of one request's body, and of all those of a connection, that a client of HTTP/2 may send ahead.
const STREAM_WINDOW_BYTES: u32 = 64 * 1_024;
const CONNECTION_WINDOW_BYTES: u32 = 128 * 1_024;
/// Bytes that are kept of a connection of HTTP/1 until they are asked for.
const BUFFER_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of all headers of a request of HTTP/2.
const HEADERS_BYTES_MAX: u32 = 16 * 1_024;
/// A client of HTTP/2 that answers no ping is gone.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Bounds of a listener that hostile clients may reach.
pub struct Bounds {
    /// Connections at once; what comes beyond is closed.
    pub connections_max: usize,
    /// How long a request may take from its headers to its answer's, its body included.
    pub request: Duration,
    /// Called for each connection that is closed because there are as many as may be.
    pub on_refused: Arc<dyn Fn() + Send + Sync>,
    /// Called for each connection that is closed because its first request did not come in time.
    pub on_silent: Arc<dyn Fn() + Send + Sync>,
}

/// Serves `router` until shutdown.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    serve_with(listener, router, shutdown, PATIENCE, CONNECTIONS_MAX).await
}

/// Serves `router` until shutdown, and refuses connections rather than letting them wait.
pub async fn serve_bounded(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let patience = Patience { request: bounds.request, ..PATIENCE };
    let permits = Arc::new(Semaphore::new(bounds.connections_max));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Some((stream, remote)) = usable(accepted).await else { continue };
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            (bounds.on_refused)();
            // A crowd that is refused must not keep those that are served from their turns.
            tokio::task::yield_now().await;
            continue;
        };
        let (router, shutdown) = (router.clone(), shutdown.clone());
        let on_silent = Arc::clone(&bounds.on_silent);
        connections.spawn(async move {
            if serve_connection(stream, remote, router, shutdown, patience).await == Ended::Silent {
                on_silent();
            }
            drop(permit);
        });
    }
    drain(connections).await;
    Ok(())
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ended {
    /// After it was asked something, or by the client.
    Served,
    /// By us: no request came in time.
    Silent,
}

/// A connection, unless it is gone again or there is no file descriptor for it: neither ends the server.
async fn usable(accepted: std::io::Result<(TcpStream, SocketAddr)>) -> Option<(TcpStream, SocketAddr)> {
    match accepted {
        Ok((stream, remote)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, remote))
        }
        Err(error) => {
            debug!(%error, "accept failed");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn drain(mut connections: tokio::task::JoinSet<()>) {
    let _ = tokio::time::timeout(DRAIN, async { while connections.join_next().await.is_some() {} }).await;
}

async fn serve_with(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    patience: Patience,
    connections_max: usize,
) -> anyhow::Result<()> {
    let permits = Arc::new(Semaphore::new(connections_max));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await?;
            anyhow::Ok((permit, listener.accept().await))
        };
        let (permit, accepted) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = next => next?,
        };
        let Some((stream, remote)) = usable(accepted).await else { continue };
        while connections.try_join_next().is_some() {}
        let (router, shutdown) = (router.clone(), shutdown.clone());
        connections.spawn(async move {
            serve_connection(stream, remote, router, shutdown, patience).await;
            drop(permit);
        });
    }
    drain(connections).await;
    Ok(())
}

async fn serve_connection(
    stream: TcpStream,
    remote: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
    patience: Patience,
) -> Ended {
    let asked = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let asked = Arc::clone(&asked);
        move |mut request: hyper::Request<hyper::body::Incoming>| {
            asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(remote));
            answer(router.clone(), request.map(Body::new), patience.request)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.headers)
        .max_buf_size(BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let stream = TokioIo::new(ReadByPeer::new(stream, patience.unread));
    let connection = builder.serve_connection_with_upgrades(stream, TowerToHyperService::new(service));
    tokio::pin!(connection);
    // The library waits without end for the bytes that tell it the version of HTTP.
    let first_request = tokio::time::sleep(patience.headers);
    tokio::pin!(first_request);
    let (mut waiting, mut stopping) = (true, false);
    let result = loop {
        tokio::select! {
            result = connection.as_mut() => break result,
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = first_request.as_mut(), if waiting => {
                if !asked.load(Ordering::Relaxed) {
                    debug!(%remote, "connection closed: no request came");
                    return Ended::Silent;
                }
                waiting = false;
            }
        }
    };
    let Err(error) = result else { return Ended::Served };
    debug!(%remote, error = %error, "connection ended with an error");
    // The library has a timer of its own, which may be first.
    let is_late = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout);
    if is_late && !asked.load(Ordering::Relaxed) { Ended::Silent } else { Ended::Served }
}

async fn answer(
    router: Router,
    request: axum::extract::Request,
    patience: Duration,
) -> Result<Response, Infallible> {
    match tokio::time::timeout(patience, router.oneshot(request)).await {
        Ok(answer) => answer,
        Err(_) => Ok((StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")]).into_response()),
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    const SHORT: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(30);
    const GET: &str = "GET / HTTP/1.1\r\nhost: test\r\n";

    async fn server(
        patience: Patience,
        connections_max: usize,
    ) -> (SocketAddr, CancellationToken, JoinHandle<anyhow::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let router = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/echo", post(|body: String| async { body }));
        let serving = serve_with(listener, router, shutdown.clone(), patience, connections_max);
        (address, shutdown, tokio::spawn(serving))
    }

    /// Sends the pieces, a pause after each, and returns all that comes back until the server closes.
    async fn talk(address: SocketAddr, pieces: &[&str], pause: Duration) -> String {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        for piece in pieces {
            // The server may have closed by now.
            let _ = stream.write_all(piece.as_bytes()).await;
            sleep(pause).await;
        }
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.expect("closed");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_client_that_asks_is_answered_and_may_ask_again_later() {
        let (address, ..) = server(Patience { headers: LONG, request: LONG, unread: LONG }, 8).await;
        let again = [format!("{GET}\r\n"), format!("{GET}connection: close\r\n\r\n")];
        let answers = talk(address, &[&again[0], &again[1]], SHORT).await;
        assert_eq!(answers.matches("hello").count(), 2, "{answers}");
    }

    #[tokio::test]
    async fn a_client_that_sends_no_request_is_cut_off() {
        let (address, ..) = server(Patience { headers: SHORT, request: LONG, unread: LONG }, 8).await;
        for beginning in ["", "G", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let begun = Instant::now();
            let answer = talk(address, &[beginning], Duration::ZERO).await;
            assert!(begun.elapsed() >= SHORT && begun.elapsed() < LONG, "{beginning:?}: {answer}");
            assert!(!answer.contains("hello"));
        }
    }

    #[tokio::test]
    async fn a_client_that_sends_its_headers_one_by_one_is_cut_off() {
        let (address, ..) = server(Patience { headers: SHORT, request: LONG, unread: LONG }, 8).await;
        let mut pieces = vec![GET];
        pieces.extend(["x: y\r\n"; 20]);
        let answer = talk(address, &[pieces, vec!["\r\n"]].concat(), SHORT / 4).await;
        assert!(!answer.contains("hello"), "{answer}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let (address, ..) = server(Patience { headers: LONG, request: SHORT, unread: LONG }, 8).await;
        let request = "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf";
        let answer = talk(address, &[request], Duration::ZERO).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_an_endless_answer_loses_its_connection() {
        let given_up = Arc::new(tokio::sync::Notify::new());
        let parts = {
            let given_up = Arc::clone(&given_up);
            move || {
                let on_drop = NotifyOnDrop(Arc::clone(&given_up));
                futures_util::stream::repeat_with(move || {
                    let _kept = &on_drop;
                    Ok::<_, Infallible>(vec![7; 64 * 1_024])
                })
            }
        };
        let router = Router::new().route("/", get(|| async move { Body::from_stream(parts()) }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let patience = Patience { headers: LONG, request: LONG, unread: SHORT };
        let serving = serve_with(listener, router, CancellationToken::new(), patience, 8);
        let serving = tokio::spawn(serving);
        let mut client = TcpStream::connect(address).await.expect("connected");
        client.write_all(format!("{GET}\r\n").as_bytes()).await.expect("asked");
        client.read_u8().await.expect("it begins");
        timeout(LONG, given_up.notified()).await.expect("the answer is given up");
        serving.abort();
    }

    struct NotifyOnDrop(Arc<tokio::sync::Notify>);

    impl Drop for NotifyOnDrop {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[tokio::test]
    async fn the_server_stops_while_all_connections_are_taken() {
        let (address, shutdown, serving) =
            server(Patience { headers: LONG, request: LONG, unread: LONG }, 1).await;
        let _silent = TcpStream::connect(address).await.expect("connected");
        sleep(SHORT).await;
        shutdown.cancel();
        timeout(DRAIN * 2, serving).await.expect("stops").expect("no panic").expect("no error");
    }

    #[tokio::test]
    async fn a_bounded_server_closes_what_is_too_much_and_counts_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("an address");
        let refused = Arc::new(std::sync::atomic::AtomicUsize::default());
        let counting = Arc::clone(&refused);
        let bounds = Bounds {
            connections_max: 1,
            request: LONG,
            on_refused: Arc::new(move || {
                counting.fetch_add(1, Ordering::Relaxed);
            }),
            on_silent: Arc::new(|| {}),
        };
        let router = Router::new().route("/", get(|| async { "hello" }));
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve_bounded(listener, router, bounds, shutdown.clone()));
        let mut held = TcpStream::connect(address).await.expect("connected");
        let request = format!("{GET}\r\n");
        held.write_all(request.as_bytes()).await.expect("written");
        held.read_u8().await.expect("answered");
        let answer = talk(address, &[&request], Duration::ZERO).await;
        assert_eq!((answer.as_str(), refused.load(Ordering::Relaxed)), ("", 1));
        drop(held);
        shutdown.cancel();
        timeout(DRAIN * 2, serving).await.expect("stops").expect("no panic").expect("no error");
    }
}
