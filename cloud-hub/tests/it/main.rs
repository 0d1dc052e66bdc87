//! The hub's parts against a real PostgreSQL.

mod access;
mod alarm_books;
mod alarms;
mod archive;
mod backup;
mod canary;
mod carrying;
mod completeness;
mod database;
mod direct;
mod direct_world;
mod documents;
mod enrolment;
mod exports;
mod fan_out;
mod leading;
mod lists;
mod live;
mod model;
mod own_links;
mod packets;
mod reprocess;
mod rights;
mod served;
mod sql;
mod world;
