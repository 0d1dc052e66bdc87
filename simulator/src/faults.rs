//! Bad links on purpose: a proxy for UDP (QUIC goes through it) and TCP that delays, loses, doubles, reorders,
//! throttles and cuts, the same way for the same seed.
//!
//! What a datagram meets is decided by [`Path`], which holds no clock and no socket; [`FaultProxy`] carries it out
//! between real sockets. Every client has a link of its own: rates, queues and losses are not shared.

mod outages;
mod path;
mod profile;
mod proxy;
mod statistics;
mod tcp;
mod udp;

pub use self::{
    outages::{Outage, OutageKind, Outages},
    path::{Fate, Passage, Path},
    profile::{Bursts, DirectionFaults, FaultProfile, PROFILES, UnknownProfile},
    proxy::FaultProxy,
    statistics::{Cause, DirectionStatistics, FaultStatistics},
};

/// Which way bytes go through a proxy.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// From the upstream to the client: from the hub to a node.
    ToClient,
    /// From the client to the upstream: from a node to the hub.
    ToUpstream,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ToClient, Self::ToUpstream];
}

#[cfg(test)]
mod tests;
