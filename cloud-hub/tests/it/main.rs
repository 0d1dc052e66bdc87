//! The hub's parts against a real PostgreSQL.

mod archive;
mod backup;
mod carrying;
mod completeness;
mod database;
mod documents;
mod enrolment;
mod lists;
mod reprocess;
mod rights;
mod world;
