//! The dashboard: the web app, and the one router that serves it and answers it. Both binaries mount it; what
//! differs between them stands behind [`Backend`].

pub mod access;
pub mod administration;
pub mod alarms;
mod api;
mod app;
mod assets;
mod backend;
pub mod backfill;
pub mod contract;
mod convert;
pub mod dashboards;
mod dictionary_changes;
mod grpc;
pub mod limits;
mod live;
mod live_socket;
pub mod orbits;
mod problem;
pub mod records;
mod reference;
mod silence;

pub use api::{openapi, router};
pub use backend::Backend;
pub use convert::{node_report_json, rfc3339};
pub use dictionary_changes::dictionary_changes;
pub use live::{
    EventLog, LiveBatch, LiveMission, LoggedEvent, MissedExtent, MissedPage, MissedQuery, ParameterSet,
};
pub use problem::ProblemResponse;
