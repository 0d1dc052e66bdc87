//! Enrolment over real QUIC on loopback, against a hub whose book is in memory.

#![allow(clippy::unwrap_used)]

mod enrolment;
mod hub;
mod sessions;
