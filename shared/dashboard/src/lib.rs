//! The dashboard: the web app, and the one router that serves it and answers it. Both binaries mount it; what
//! differs between them stands behind [`Backend`].

pub mod access;
pub mod alarms;
mod api;
mod app;
mod assets;
mod backend;
pub mod contract;
mod convert;
mod grpc;
mod live;
mod live_socket;
mod problem;
pub mod records;
mod reference;
mod silence;

pub use api::{openapi, router};
pub use backend::Backend;
pub use convert::{node_report_json, rfc3339};
pub use live::{
    EventLog, LiveBatch, LiveMission, LoggedEvent, MissedExtent, MissedPage, MissedQuery, ParameterSet,
};
pub use problem::ProblemResponse;
