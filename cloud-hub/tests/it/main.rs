//! The hub's parts against a real PostgreSQL.

mod archive;
mod carrying;
mod completeness;
mod direct;
mod direct_world;
mod documents;
mod enrolment;
mod leading;
mod lists;
mod model;
mod reprocess;
mod world;
