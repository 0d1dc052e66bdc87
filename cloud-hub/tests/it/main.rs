//! The hub's parts against a real PostgreSQL.

mod archive;
mod carrying;
mod completeness;
mod documents;
mod enrolment;
mod exports;
mod lists;
mod packets;
mod reprocess;
mod served;
mod world;
