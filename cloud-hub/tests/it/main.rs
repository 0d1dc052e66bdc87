//! The hub's parts against a real PostgreSQL.

mod archive;
mod enrolment;
mod world;
