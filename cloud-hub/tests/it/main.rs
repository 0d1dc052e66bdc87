//! The hub's parts against a real PostgreSQL.

mod archive;
mod backup;
mod carrying;
mod completeness;
mod database;
mod direct;
mod direct_world;
mod documents;
mod enrolment;
mod lists;
mod model;
mod reprocess;
mod rights;
mod world;
