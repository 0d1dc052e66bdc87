//! The hub: commits what nodes forward, keeps it, serves it.
//!
//! A library so that tests and benchmarks reach its parts; `main.rs` is the program.

pub mod administration;
pub mod alarms;
pub mod archive;
pub mod backend;
mod backfill;
pub mod carrying;
pub mod commands;
pub mod completeness;
pub mod config;
pub mod direct;
mod exports;
pub mod fleet;
mod hub;
pub mod identity;
mod lead;
mod limits;
pub mod missions;
mod orbits;
pub mod reception;
mod records;
pub mod role;
pub mod run;
pub mod told;
