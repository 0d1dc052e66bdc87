//! What every binary needs: configuration, logs, metrics, tasks and their ordered end, HTTP, missions.

pub mod clock;
pub mod config;
pub mod documents;
pub mod http;
pub mod logging;
pub mod metric;
pub mod mission;
pub mod ready;
pub mod supervisor;
pub mod tasks;
mod unread;
