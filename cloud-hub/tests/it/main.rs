//! The hub's parts against a real PostgreSQL.

mod archive;
mod carrying;
mod completeness;
mod documents;
mod enrolment;
mod lists;
mod model;
mod reprocess;
mod sql;
mod world;
