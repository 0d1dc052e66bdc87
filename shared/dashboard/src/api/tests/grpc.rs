//! The gRPC services, over a real connection.

use proto::v1::live_update::Update;
use proto::v1::subscribe_request::Of;
use proto::v1::telemetry_client::TelemetryClient;
use proto::v1::value::Kind;
use proto::v1::{
    GetLatestRequest, GetSamplesRequest, ListMissionsRequest, ListParametersRequest, LiveUpdate,
    NodesSubject, PacketsSubject, ParametersSubject, SubscribeRequest,
};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use super::live::{Served, served, served_with};
use super::*;
use crate::app::Patience;

const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn channel(served: &Served) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{}", served.address)).expect("an address");
    endpoint.connect().await.expect("connected")
}

/// A call of a program with a token.
fn call<T>(served: &Served, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let token = served.backend.store.token(somebody(Role::Operator, None));
    let bearer = format!("Bearer {token}");
    request.metadata_mut().insert("authorization", bearer.parse().expect("text"));
    request
}

pub(super) fn code(status: &Status) -> (Code, Option<&str>) {
    (status.code(), status.metadata().get("sto-code").and_then(|code| code.to_str().ok()))
}

fn parameters() -> SubscribeRequest {
    let of = ParametersSubject {
        mission: "demo".to_owned(),
        parameters: vec!["/Demo/P".to_owned()],
        ..ParametersSubject::default()
    };
    SubscribeRequest { of: Some(Of::Parameters(of)), resume: String::new() }
}

async fn told(updates: &mut Streaming<LiveUpdate>) -> LiveUpdate {
    let next = tokio::time::timeout(PATIENCE, updates.message()).await.expect("something comes");
    next.expect("goes on").expect("an update")
}

fn values(update: &LiveUpdate) -> Vec<u64> {
    let (Some(Update::Values(samples)) | Some(Update::Snapshot(samples))) = &update.update else {
        panic!("{update:?}")
    };
    let raw =
        samples.samples.iter().map(|sample| match sample.raw.as_ref().and_then(|raw| raw.kind.as_ref()) {
            Some(Kind::Unsigned(number)) => *number,
            other => panic!("{other:?}"),
        });
    raw.collect()
}

#[tokio::test]
async fn a_program_reads_missions_parameters_latest_values_and_pages_of_samples() {
    let served = served().await;
    let mut client = TelemetryClient::new(channel(&served).await);
    (1..=2_500).for_each(|position| served.backend.commit(position));
    let missions = client.list_missions(call(&served, ListMissionsRequest {})).await.expect("answers");
    let missions = missions.into_inner().missions;
    assert_eq!((missions.len(), &*missions[0].name, missions[0].parameter_count), (2, "demo", 1));

    let page = ListParametersRequest { mission: "demo".to_owned(), ..ListParametersRequest::default() };
    let page = client.list_parameters(call(&served, page)).await.expect("answers").into_inner();
    assert_eq!((&*page.parameters[0].name, &*page.next_page_token), ("/Demo/P", ""));

    let latest = GetLatestRequest { mission: "demo".to_owned(), parameters: vec!["/Demo/P".to_owned()] };
    let latest = client.get_latest(call(&served, latest)).await.expect("answers").into_inner().samples;
    let engineering = latest[0].engineering.clone().and_then(|value| value.kind);
    assert_eq!((latest.len(), engineering), (1, Some(Kind::Unsigned(2_500))));

    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let range = GetSamplesRequest {
        mission: "demo".to_owned(),
        parameter: "/Demo/P".to_owned(),
        from: at(0),
        to: at(1_999),
        page_size: 900,
    };
    let mut pages = client.get_samples(call(&served, range)).await.expect("answers").into_inner();
    let mut sizes = Vec::new();
    while let Some(page) = pages.message().await.expect("goes on") {
        sizes.push(page.samples.len());
    }
    assert_eq!(sizes, [900, 900, 199]);
}

#[tokio::test]
async fn every_method_asks_who_is_there() {
    let served = served().await;
    let channel = channel(&served).await;
    let client = || TelemetryClient::new(channel.clone());
    let latest = GetLatestRequest { mission: "demo".to_owned(), parameters: vec!["/Demo/P".to_owned()] };
    let range = GetSamplesRequest { mission: "demo".to_owned(), ..GetSamplesRequest::default() };
    let wrong = |message| {
        let mut request = tonic::Request::new(message);
        request.metadata_mut().insert("authorization", "Bearer somebody".parse().expect("text"));
        request
    };
    for refused in [
        client().list_missions(ListMissionsRequest {}).await.map(drop),
        client().list_parameters(ListParametersRequest::default()).await.map(drop),
        client().get_latest(latest).await.map(drop),
        client().get_samples(range).await.map(drop),
        client().subscribe(parameters()).await.map(drop),
        client().subscribe(wrong(parameters())).await.map(drop),
    ] {
        let status = refused.expect_err("nobody is there");
        assert_eq!(code(&status), (Code::Unauthenticated, Some("STO-API-NOT-LOGGED-IN")));
    }
}

#[tokio::test]
async fn what_cannot_be_answered_has_a_status_and_the_stable_code() {
    let served = served().await;
    let mut client = TelemetryClient::new(channel(&served).await);
    let latest = |mission: &str, parameter: &str| {
        let parameters = if parameter.is_empty() { Vec::new() } else { vec![parameter.to_owned()] };
        call(&served, GetLatestRequest { mission: mission.to_owned(), parameters })
    };
    for (mission, parameter, expected) in [
        ("apollo", "/Demo/P", (Code::NotFound, Some("STO-API-UNKNOWN-MISSION"))),
        ("demo", "/Demo/Q", (Code::NotFound, Some("STO-API-UNKNOWN-PARAMETER"))),
        ("demo", "", (Code::InvalidArgument, Some("STO-API-BAD-REQUEST"))),
    ] {
        let refused = client.get_latest(latest(mission, parameter)).await.expect_err("refused");
        assert_eq!(code(&refused), expected);
    }
    let empty = client.subscribe(call(&served, SubscribeRequest::default())).await.expect_err("refused");
    assert_eq!(code(&empty), (Code::InvalidArgument, Some("STO-API-BAD-REQUEST")));
    let range = GetSamplesRequest {
        mission: "demo".to_owned(),
        parameter: "/Demo/P".to_owned(),
        from: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
        ..GetSamplesRequest::default()
    };
    let refused = client.get_samples(call(&served, range)).await.expect_err("refused");
    assert_eq!(code(&refused), (Code::InvalidArgument, Some("STO-API-BAD-REQUEST")));
    served.backend.store.unavailable.store(true, Ordering::Relaxed);
    let failed = client.list_missions(call(&served, ListMissionsRequest {})).await.expect_err("fails");
    assert_eq!(code(&failed), (Code::Unavailable, Some("STO-API-UNAVAILABLE")));
}

#[tokio::test]
async fn a_call_subscribes_and_another_one_takes_it_up_at_the_cursor() {
    let served = served().await;
    let mut client = TelemetryClient::new(channel(&served).await);
    let mut updates = client.subscribe(call(&served, parameters())).await.expect("answers").into_inner();
    assert!(matches!(told(&mut updates).await.update, Some(Update::Opened(opened)) if !opened.resumed));
    assert!(values(&told(&mut updates).await).is_empty());
    served.backend.commit(1);
    let update = told(&mut updates).await;
    assert_eq!(values(&update), [1]);
    drop(updates);
    (2..=30).for_each(|position| served.backend.commit(position));
    let again = SubscribeRequest { resume: update.cursor, ..parameters() };
    let mut updates = client.subscribe(call(&served, again)).await.expect("answers").into_inner();
    assert!(matches!(told(&mut updates).await.update, Some(Update::Opened(opened)) if opened.resumed));
    let mut missed = Vec::new();
    while missed.last() != Some(&30) {
        missed.extend(values(&told(&mut updates).await));
    }
    assert_eq!(missed, (2..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn calls_about_nodes_and_packets_end_with_the_token() {
    let served = served().await;
    let mut client = TelemetryClient::new(channel(&served).await);
    let packets = PacketsSubject { mission: "demo".to_owned(), apids: vec![7] };
    let mut statuses = Vec::new();
    let mut calls = Vec::new();
    for of in [Of::Nodes(NodesSubject {}), Of::Packets(packets)] {
        let request = SubscribeRequest { of: Some(of), resume: String::new() };
        let mut updates = client.subscribe(call(&served, request)).await.expect("answers").into_inner();
        told(&mut updates).await;
        told(&mut updates).await;
        calls.push(updates);
    }
    served.backend.store.tokens.lock().expect("not poisoned").clear();
    for mut updates in calls {
        let ended = tokio::time::timeout(PATIENCE, updates.message()).await.expect("it ends");
        statuses.push(code(&ended.expect_err("with a status")).0);
    }
    assert_eq!(statuses, [Code::Unauthenticated; 2]);
}

#[tokio::test]
async fn a_caller_that_does_not_read_is_cut_and_told_why() {
    let patience = Patience { message: Duration::from_millis(300), farewell: Duration::from_secs(1) };
    let served = served_with(|app| app.patience = patience).await;
    let mut client = TelemetryClient::new(channel(&served).await);
    let mut updates = client.subscribe(call(&served, parameters())).await.expect("answers").into_inner();
    told(&mut updates).await;
    told(&mut updates).await;
    // Values so long that a few of them fill the window of the call.
    for position in 1..=200 {
        let long = processing::Raw::Text("x".repeat(100_000).into());
        served.backend.mission.publish(LiveBatch {
            source: 0,
            position: Some(position),
            samples: vec![super::subscriptions::sample(0, long)],
            records: None,
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = loop {
        match tokio::time::timeout(PATIENCE, updates.message()).await.expect("it ends") {
            Ok(update) => assert!(update.is_some(), "it ends with a status"),
            Err(status) => break status,
        }
    };
    assert_eq!(code(&status), (Code::ResourceExhausted, Some("STO-LIVE-TOO-SLOW")));
}

#[tokio::test]
async fn the_server_says_how_it_is_and_what_it_can_be_asked() {
    let served = served().await;
    let mut health = HealthClient::new(channel(&served).await);
    let service = |name: &str| HealthCheckRequest { service: name.to_owned() };
    let checked = health.check(service("sto.v1.Telemetry")).await.expect("answers").into_inner();
    assert_eq!(checked.status(), ServingStatus::NotServing, "the fixture's database never answers");
    let unknown = health.check(service("sto.v1.Intake")).await.expect_err("not here");
    assert_eq!(unknown.code(), Code::NotFound);
    let mut watched = health.watch(service("")).await.expect("answers").into_inner();
    let first = watched.message().await.expect("goes on").expect("a status");
    assert_eq!(first.status(), ServingStatus::NotServing);

    let mut reflection = ServerReflectionClient::new(channel(&served).await);
    let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let questions = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("sto.v1.Telemetry".to_owned())),
    ];
    let asked = reflection.server_reflection_info(futures_util::stream::iter(questions)).await;
    let mut answers = asked.expect("answers").into_inner();
    let mut next = async || {
        answers
            .message()
            .await
            .expect("goes on")
            .and_then(|answer| answer.message_response)
            .expect("an answer")
    };
    let MessageResponse::ListServicesResponse(services) = next().await else { panic!("services") };
    let mut names: Vec<_> = services.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(names, ["grpc.health.v1.Health", "sto.v1.Alarms", "sto.v1.Telemetry"]);
    let MessageResponse::FileDescriptorResponse(file) = next().await else { panic!("a file") };
    assert!(!file.file_descriptor_proto.is_empty());
}
