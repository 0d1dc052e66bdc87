//! What tests of several crates share, and `./dev up` with them: PostgreSQL for a run, real processes, a session at
//! the HTTP interface, a node that says what one wants.

pub mod client;
pub mod configuration;
pub mod ground;
pub mod guard;
pub mod mail;
pub mod node_client;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod redis;
