//! The node at a ground station: takes telemetry in, keeps it, shows it, forwards it.
//!
//! A library so that tests and benchmarks reach its parts; `main.rs` is the program.

pub mod alarms;
pub mod commands;
pub mod config;
pub mod dashboards;
pub mod desk;
pub mod documents;
pub mod enrolment;
pub mod events;
pub mod export;
pub mod forwarding;
pub mod history;
pub mod journal;
pub mod node;
pub mod recording;
pub mod sessions;
pub mod status;
pub mod trust;
pub mod view;
