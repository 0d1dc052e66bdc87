//! The standard health service: whether requests can be answered now, as `/readyz` says it.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::unfold;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::stopping;
use crate::app::App;

/// The server as a whole, and the services that depend on its archive.
const SERVICES: [&str; 3] = ["", "sto.v1.Alarms", "sto.v1.Telemetry"];

pub(super) struct Health(pub(super) Arc<App>);

fn status(app: &App, service: &str) -> ServingStatus {
    match app.backend.ready() {
        _ if !SERVICES.contains(&service) => ServingStatus::ServiceUnknown,
        Ok(()) => ServingStatus::Serving,
        Err(_) => ServingStatus::NotServing,
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = request.into_inner().service;
        match status(&self.0, &name) {
            ServingStatus::ServiceUnknown => Err(Status::not_found(format!("there is no service {name:?}"))),
            known => Ok(Response::new(response(known))),
        }
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = request.into_inner().service;
        let start = (Arc::clone(&self.0), self.0.heartbeats(), None);
        let changes = unfold(Some(start), move |state| {
            let name = name.clone();
            async move {
                let (app, mut seconds, told) = state?;
                loop {
                    let now = status(&app, &name);
                    if told != Some(now) {
                        return Some((Ok(response(now)), Some((app, seconds, Some(now)))));
                    }
                    tokio::select! {
                        _ = seconds.tick() => {}
                        () = app.shutdown.cancelled() => return Some((Err(stopping()), None)),
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}
