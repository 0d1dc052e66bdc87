//! The hub's parts against a real PostgreSQL.

mod archive;
mod documents;
mod enrolment;
mod lists;
mod reprocess;
mod world;
