//! The service `sto.v1.Intake`.

use std::time::Duration;

use intake::Door;
use proto::v1::ingest_request::Content;
use proto::v1::intake_client::IntakeClient;
use proto::v1::{IngestReply, IngestRequest, Sample, SampleList};
use tokio::sync::mpsc;
use tonic::transport::Channel;
use tonic::{Code, Request, Streaming};

use crate::station::{Station, TOKEN, link, packet, packets};

async fn connect(station: &Station) -> IntakeClient<Channel> {
    let channel = Channel::from_shared(station.url("rpc", "")).expect("an address").connect().await;
    IntakeClient::new(channel.expect("connected"))
}

fn of_packets(packets: Vec<u8>) -> IngestRequest {
    IngestRequest {
        mission: "demo".to_owned(),
        content: Some(Content::Packets(packets)),
        ..IngestRequest::default()
    }
}

fn of_samples(names: &[&str]) -> IngestRequest {
    let value = || proto::v1::Value { kind: Some(proto::v1::value::Kind::Unsigned(3)) };
    let samples = names.iter().map(|name| Sample {
        parameter: (*name).to_owned(),
        time: None,
        reading: Some(proto::v1::sample::Reading::Raw(value())),
    });
    let content = Some(Content::Samples(SampleList { samples: samples.collect() }));
    IngestRequest { mission: "demo".to_owned(), content, ..IngestRequest::default() }
}

/// The first reply that says so many requests are dealt with, and all refusals on the way.
async fn dealt_with(replies: &mut Streaming<IngestReply>, requests: u64) -> (IngestReply, Vec<String>) {
    let mut causes = Vec::new();
    loop {
        let reply = tokio::time::timeout(Duration::from_secs(20), replies.message()).await.expect("in time");
        let reply = reply.expect("sound").expect("open");
        causes.extend(reply.refused.iter().map(|refused| format!("{} {}", refused.request, refused.cause)));
        if reply.requests == requests {
            return (reply, causes);
        }
    }
}

fn stream() -> (mpsc::Sender<IngestRequest>, impl futures_util::Stream<Item = IngestRequest> + Send + 'static)
{
    let (send, requests) = mpsc::channel(1);
    let stream =
        futures_util::stream::unfold(requests, |mut requests: mpsc::Receiver<IngestRequest>| async {
            requests.recv().await.map(|request| (request, requests))
        });
    (send, stream)
}

#[tokio::test]
async fn one_request_is_answered_when_it_is_durable_and_may_be_repeated() {
    let station = Station::with(link("rpc", Door::Grpc)).await;
    let mut client = connect(&station).await;
    let request =
        IngestRequest { idempotency_key: "pass-9".to_owned(), ..of_packets(packets(0..600).concat()) };
    let reply = client.ingest(request.clone()).await.expect("taken").into_inner();
    assert_eq!((reply.accepted, reply.quarantined, reply.repeated), (600, 0, false));
    assert_eq!(station.packets().await, packets(0..600));
    let reply = client.ingest(request).await.expect("taken").into_inner();
    assert_eq!((reply.accepted, reply.repeated), (600, true));
    assert_eq!(station.packets().await.len(), 600);
}

#[tokio::test]
async fn what_is_refused_is_told_by_code_cause_and_field() {
    let station = Station::with(link("rpc", Door::Grpc)).await;
    let mut client = connect(&station).await;
    let status = client.ingest(of_samples(&["volts", "vots"])).await.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    for part in ["parameter-unknown", "/samples/1/parameter"] {
        assert!(status.message().contains(part), "{status:?}");
    }
    let partial = IngestRequest { partial: true, ..of_samples(&["volts", "vots"]) };
    let reply = client.ingest(partial).await.expect("taken").into_inner();
    assert_eq!((reply.accepted, reply.refused_count, reply.refused[0].index), (1, 1, 1));
    let elsewhere = IngestRequest { mission: "apollo".to_owned(), ..of_packets(packet(1)) };
    assert_eq!(client.ingest(elsewhere).await.expect_err("refused").code(), Code::NotFound);
}

#[tokio::test]
async fn a_stream_is_told_how_far_it_is_durable_and_what_was_refused() {
    let station = Station::with(link("rpc", Door::Grpc)).await;
    let mut client = connect(&station).await;
    let (send, requests) = stream();
    let mut replies = client.stream(requests).await.expect("open").into_inner();
    send.send(of_packets(packets(0..3).concat())).await.expect("open");
    let (reply, _) = dealt_with(&mut replies, 1).await;
    assert_eq!(reply.accepted, 3);
    assert_eq!(station.packets().await, packets(0..3));
    send.send(of_packets(vec![0xFF; 9])).await.expect("open");
    send.send(of_samples(&["volts", "amps"])).await.expect("open");
    let (reply, refused) = dealt_with(&mut replies, 3).await;
    assert_eq!((reply.accepted, refused), (5, vec!["1 not-a-packet".to_owned()]));
    drop(send);
    assert!(replies.message().await.expect("sound").is_none());
}

#[tokio::test]
async fn a_stream_is_read_no_further_than_may_wait_to_become_durable() {
    let station = Station::with(link("rpc", Door::Grpc)).await;
    station.stall();
    let mut client = connect(&station).await;
    let (send, requests) = stream();
    let mut replies = client.stream(requests).await.expect("open").into_inner();
    let mut sent = 0;
    let body = packets(0..1_000).concat();
    while let Ok(result) =
        tokio::time::timeout(Duration::from_secs(1), send.send(of_packets(body.clone()))).await
    {
        result.expect("open");
        sent += 1;
        assert!(sent < 400, "everything was read");
    }
    station.go_on();
    let (reply, _) = dealt_with(&mut replies, sent).await;
    assert_eq!(reply.accepted, sent * 1_000);
}

#[tokio::test]
async fn a_call_without_the_token_is_not_authenticated() {
    let station = Station::guarded(link("rpc", Door::Grpc)).await;
    let mut client = connect(&station).await;
    let status = client.ingest(of_packets(packet(1))).await.expect_err("refused");
    assert_eq!(status.code(), Code::Unauthenticated);
    let mut request = Request::new(of_packets(packet(1)));
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().expect("a header"));
    assert_eq!(client.ingest(request).await.expect("taken").into_inner().accepted, 1);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_and_counted() {
    let mut small = link("rpc", Door::Grpc);
    small.body_max = service::config::Bytes(10_000);
    let station = Station::with(small).await;
    let mut client = connect(&station).await;
    let status = client.ingest(of_packets(packets(0..1_000).concat())).await.expect_err("refused");
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert_eq!(station.rejected("body-too-large"), 1);
    assert!(station.packets().await.is_empty());
}

#[tokio::test]
async fn a_web_page_calls_only_a_link_with_a_token() {
    let station = Station::with(link("rpc", Door::Grpc)).await;
    let by_page = || {
        let mut request = Request::new(of_packets(packet(1)));
        request.metadata_mut().insert("origin", "https://evil.example".parse().expect("a header"));
        request
    };
    let status = connect(&station).await.ingest(by_page()).await.expect_err("refused");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().starts_with("origin-refused: "), "{status:?}");
    assert_eq!(station.rejected("origin-refused"), 1);
    let by_name = |station: &Station| {
        let channel = Channel::from_shared(station.url("rpc", "")).expect("an address");
        let channel = channel.origin("http://evil.example".parse().expect("an address"));
        async move { IntakeClient::new(channel.connect().await.expect("connected")) }
    };
    let status = by_name(&station).await.ingest(of_packets(packet(1))).await.expect_err("refused");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().starts_with("host-refused: "), "{status:?}");
    assert!(station.packets().await.is_empty());
    let guarded = Station::guarded(link("rpc", Door::Grpc)).await;
    let mut known = by_page();
    known.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().expect("a header"));
    assert_eq!(by_name(&guarded).await.ingest(known).await.expect("taken").into_inner().accepted, 1);
}

#[tokio::test]
async fn a_call_that_finds_no_memory_for_its_message_is_told_to_come_again() {
    let mut large = link("rpc", Door::Grpc);
    large.body_max = service::config::Bytes(64 << 20);
    let station = Station::with(large).await;
    let mut client = connect(&station).await;
    let (send, requests) = stream();
    let mut replies = client.stream(requests).await.expect("open").into_inner();
    // All of the address's memory, which the call keeps until it ends.
    send.send(of_packets(vec![0xFF; (64 << 20) - 100])).await.expect("open");
    let (_, refused) = dealt_with(&mut replies, 1).await;
    assert_eq!(refused, ["0 not-a-packet"]);
    let status = client.ingest(of_packets(packet(1))).await.expect_err("refused");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert!(status.message().starts_with("memory: "), "{status:?}");
    assert!(status.metadata().contains_key("retry-after"), "{status:?}");
    assert_eq!(station.rejected("memory"), 1);
    drop((send, replies));
    let due = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(status) = client.ingest(of_packets(packet(1))).await {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert!(tokio::time::Instant::now() < due, "the memory did not come back");
    }
    assert_eq!(station.packets().await, [packet(1)]);
}
