//! The hub's parts against a real PostgreSQL.

mod access;
mod archive;
mod canary;
mod carrying;
mod completeness;
mod documents;
mod enrolment;
mod lists;
mod live;
mod reprocess;
mod world;
