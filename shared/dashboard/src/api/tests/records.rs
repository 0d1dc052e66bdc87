//! Routes of what lies in the ledger, at a server that has nothing of it but exports that break off.

use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::records::{ExportBody, ExportCut, Exported, Records};

/// Every export has one part, and then fails.
pub(super) struct Broken;

impl Records for Broken {
    fn export<'a>(
        &'a self,
        _: &'a LiveMission,
        _: Range<TaiTime>,
        _: Exported,
    ) -> BoxFuture<'a, Result<ExportBody, ProblemResponse>> {
        let first = stream::iter([Ok(Bytes::from_static(b"generation_time\n"))]);
        let failure = stream::once(async {
            // What is there is sent while the next part is not.
            tokio::task::yield_now().await;
            Err(ExportCut)
        });
        async move { Ok(first.chain(failure).boxed()) }.boxed()
    }
}

const SPAN: &str = "from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z";

#[tokio::test]
async fn what_a_server_does_not_have_it_sends_to_the_hub_for() {
    let router = fixture();
    let cookie = log_in(&router).await;
    let id = format!("{}.1.2.3.4", "ab".repeat(16));
    for path in [
        "missions/demo/packets".to_owned(),
        format!("missions/demo/packets/{id}"),
        "missions/demo/events".to_owned(),
        "missions/demo/gaps".to_owned(),
        "events".to_owned(),
        "apart".to_owned(),
    ] {
        let request = Request::get(format!("/api/v1/{path}")).header(header::COOKIE, &cookie);
        let (status, _, body) = ask(&router, request, "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {body}");
        assert!(body.contains("only the hub answers"), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_client_sees_that_an_export_broke_off() {
    let router = fixture();
    let cookie = log_in(&router).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let serving = tokio::spawn(service::http::serve(listener, router, stop.clone()));
    let mut client = TcpStream::connect(address).await.expect("connected");
    let path = format!("/api/v1/missions/demo/export?{SPAN}&format=csv&parameter=/Demo/P");
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\ncookie: {cookie}\r\n\r\n");
    client.write_all(request.as_bytes()).await.expect("asked");
    let mut answer = Vec::new();
    // The server closes the connection, which it would keep open behind a whole answer.
    let _ = client.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("generation_time"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "this says that all was sent: {answer}");
    stop.cancel();
    serving.await.expect("ends").expect("without an error");
}
