//! The gRPC half of the API, on the same port: the services `sto.v1.Telemetry` and `sto.v1.Alarms` of the crate `proto`,
//! health, reflection.

mod alarms;
mod convert;
mod health;
mod subscription;

use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use futures_util::Stream;
use futures_util::stream::unfold;
use mission_database::ParameterIndex;
use processing::{RangeAnswer, RangeQuery, Wanted};
use proto::v1::alarms_server::AlarmsServer;
use proto::v1::telemetry_server::{Telemetry, TelemetryServer};
use proto::v1::{
    GetLatestRequest, GetLatestResponse, GetSamplesRequest, ListMissionsRequest, ListMissionsResponse,
    ListParametersRequest, ListParametersResponse, LiveUpdate, SamplesPage, SubscribeRequest,
};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_server::HealthServer;

use crate::access::{Action, Resource};
use crate::api::{LoggedIn, RANGE_TIMEOUT, find};
use crate::app::App;
use crate::live::{LiveStream, ParameterSet};
use crate::{LiveMission, ProblemResponse};

/// A request: ten thousand names of parameters fit.
const REQUEST_BYTES_MAX: usize = 1 << 20;
const PAGE_SIZE_DEFAULT: usize = 1_000;
const PAGE_SIZE_MAX: usize = 10_000;
/// Trailer that carries the stable code of an error.
const CODE_TRAILER: &str = "sto-code";

/// The routes of all services. They take no cookie, so a browser's page has nothing to abuse.
pub(crate) fn routes(app: Arc<App>) -> Router {
    let telemetry =
        TelemetryServer::new(Service(Arc::clone(&app))).max_decoding_message_size(REQUEST_BYTES_MAX);
    let alarms = AlarmsServer::new(Service(Arc::clone(&app))).max_decoding_message_size(REQUEST_BYTES_MAX);
    let health = HealthServer::new(health::Health(app)).max_decoding_message_size(REQUEST_BYTES_MAX);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // The contract of intake is in the same files, but its doors are at nodes.
            .with_service_name("sto.v1.Alarms")
            .with_service_name("sto.v1.Telemetry")
            .with_service_name("grpc.health.v1.Health")
    };
    let sound = "the descriptors were made by the build";
    Router::new()
        .route_service("/sto.v1.Alarms/{method}", alarms)
        .route_service("/sto.v1.Telemetry/{method}", telemetry)
        .route_service("/grpc.health.v1.Health/{method}", health)
        .route_service(
            "/grpc.reflection.v1.ServerReflection/{method}",
            reflection().build_v1().expect(sound).max_decoding_message_size(REQUEST_BYTES_MAX),
        )
        .route_service(
            "/grpc.reflection.v1alpha.ServerReflection/{method}",
            reflection().build_v1alpha().expect(sound).max_decoding_message_size(REQUEST_BYTES_MAX),
        )
}

impl From<ProblemResponse> for Status {
    fn from(problem: ProblemResponse) -> Self {
        let code = match problem.status() {
            StatusCode::BAD_REQUEST => Code::InvalidArgument,
            StatusCode::CONFLICT => Code::FailedPrecondition,
            StatusCode::FORBIDDEN => Code::PermissionDenied,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            _ => Code::Internal,
        };
        coded(Status::new(code, problem.detail()), problem.code())
    }
}

/// A status with the stable code of its error.
fn coded(mut status: Status, code: &'static str) -> Status {
    status.metadata_mut().insert(CODE_TRAILER, MetadataValue::from_static(code));
    status
}

struct Service(Arc<App>);

impl Service {
    async fn caller(&self, metadata: &MetadataMap) -> Result<LoggedIn, Status> {
        Ok(LoggedIn::of_bearer(&self.0, metadata.as_ref()).await?)
    }

    async fn mission<T>(&self, request: &Request<T>, name: &str) -> Result<Arc<LiveMission>, Status> {
        let who = self.caller(request.metadata()).await?;
        Ok(self.0.mission(&who.principal, name)?)
    }
}

fn page_size(asked: u32) -> usize {
    match asked as usize {
        0 => PAGE_SIZE_DEFAULT,
        asked => asked.min(PAGE_SIZE_MAX),
    }
}

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Telemetry for Service {
    type GetSamplesStream = Replies<SamplesPage>;
    type SubscribeStream = Replies<LiveUpdate>;

    async fn list_missions(
        &self,
        request: Request<ListMissionsRequest>,
    ) -> Result<Response<ListMissionsResponse>, Status> {
        let who = self.caller(request.metadata()).await?;
        who.may(Action::ReadMissions, Resource::Server)?;
        let now = service::clock::now();
        let missions = self.0.missions(&who.principal);
        let missions = missions.iter().map(|mission| convert::mission(mission.describe(now))).collect();
        Ok(Response::new(ListMissionsResponse { missions }))
    }

    async fn list_parameters(
        &self,
        request: Request<ListParametersRequest>,
    ) -> Result<Response<ListParametersResponse>, Status> {
        let mission = self.mission(&request, &request.get_ref().mission).await?;
        let ListParametersRequest { page_size: asked, page_token, .. } = request.into_inner();
        let first = if page_token.is_empty() { Ok(0) } else { page_token.parse::<usize>() };
        let first =
            first.map_err(|_| ProblemResponse::bad_request("the page token is not one of this server"))?;
        let parameters = mission.describe_parameters(service::clock::now());
        let count = parameters.len();
        let end = first.saturating_add(page_size(asked)).min(count);
        let page = parameters.into_iter().take(end).skip(first).map(convert::parameter).collect();
        let next_page_token = if end < count { end.to_string() } else { String::new() };
        Ok(Response::new(ListParametersResponse { parameters: page, next_page_token }))
    }

    async fn get_latest(
        &self,
        request: Request<GetLatestRequest>,
    ) -> Result<Response<GetLatestResponse>, Status> {
        let mission = self.mission(&request, &request.get_ref().mission).await?;
        let names = request.into_inner().parameters;
        if !(1..=PAGE_SIZE_MAX).contains(&names.len()) {
            let detail =
                format!("{} parameters were asked for; 1 to {PAGE_SIZE_MAX} are answered", names.len());
            return Err(ProblemResponse::bad_request(detail).into());
        }
        let wanted = names.iter().map(|name| find(&mission, name));
        let wanted = wanted.collect::<Result<ParameterSet, _>>()?;
        let latest = mission.latest_seen(|parameter| wanted.contains(parameter));
        Ok(Response::new(GetLatestResponse { samples: convert::samples(&mission, &latest) }))
    }

    async fn get_samples(
        &self,
        request: Request<GetSamplesRequest>,
    ) -> Result<Response<Self::GetSamplesStream>, Status> {
        let mission = self.mission(&request, &request.get_ref().mission).await?;
        let GetSamplesRequest { parameter, from, to, page_size: asked, .. } = request.into_inner();
        let parameter: ParameterIndex = find(&mission, &parameter)?;
        let (from, to) = (convert::tai("from", from)?, convert::tai("to", to)?);
        if to <= from {
            return Err(ProblemResponse::bad_request("the range is empty: `to` is not after `from`").into());
        }
        let wanted = Wanted::Page { limit: page_size(asked) };
        let query = RangeQuery { parameter, from, to, wanted, reading: None };
        let app = Arc::clone(&self.0);
        let pages = unfold(Some(query), move |query| {
            let (app, mission) = (Arc::clone(&app), Arc::clone(&mission));
            async move {
                let query = query?;
                match page(&app, &mission, query).await {
                    Ok((page, Some(from))) => Some((Ok(page), Some(RangeQuery { from, ..query }))),
                    Ok((page, None)) => Some((Ok(page), None)),
                    Err(status) => Some((Err(status), None)),
                }
            }
        });
        Ok(Response::new(Box::pin(pages)))
    }

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let who = self.caller(request.metadata()).await?;
        let SubscribeRequest { of, resume } = request.into_inner();
        let mut stream = LiveStream::new(Arc::clone(&self.0), who.principal.clone());
        let resume = (!resume.is_empty()).then_some(resume);
        // A call has one subscription, and its name stays here.
        stream.open("call", convert::subject(of)?, resume.as_deref())?;
        Ok(Response::new(subscription::start(Arc::clone(&self.0), &who, stream)))
    }
}

/// A page of a range, and where the next one begins.
async fn page(
    app: &App,
    mission: &LiveMission,
    query: RangeQuery,
) -> Result<(SamplesPage, Option<space_packet::TaiTime>), Status> {
    let answer = tokio::select! {
        answer = tokio::time::timeout(RANGE_TIMEOUT, app.backend.range(mission, query)) => answer,
        () = app.shutdown.cancelled() => return Err(stopping()),
    };
    let late = |_| {
        let detail = "the archive took longer than 30 s; ask for a shorter range, or try again";
        ProblemResponse::unavailable(detail)
    };
    match answer.map_err(late)?? {
        RangeAnswer::Page { samples, next } => {
            let samples = convert::samples(mission, &mission.seen(samples));
            Ok((SamplesPage { samples }, next))
        }
        _ => Err(ProblemResponse::internal("a page was asked for").into()),
    }
}

fn stopping() -> Status {
    ProblemResponse::unavailable("the server stops; connect again in a few seconds").into()
}
