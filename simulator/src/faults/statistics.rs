//! What a proxy did to what passed, counted.

use std::{collections::BTreeMap, fmt};

use super::Direction;

/// Why a datagram did not arrive.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Cause {
    /// Nothing passed in either direction at that moment.
    Blackhole,
    /// Lost in a burst.
    Burst,
    /// Nothing passed in its direction at that moment.
    HalfOpen,
    /// Lost by chance.
    Loss,
    /// The proxy's own bounds on clients or bytes were reached; no fault that anyone asked for.
    ProxyFull,
    /// The rate's queue was full.
    QueueFull,
    /// The next socket refused it, as that of a hub which is not running does.
    Refused,
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Blackhole => "blackhole",
            Self::Burst => "burst",
            Self::HalfOpen => "half-open",
            Self::Loss => "loss",
            Self::ProxyFull => "proxy full",
            Self::QueueFull => "queue full",
            Self::Refused => "refused",
        })
    }
}

/// One direction of a proxy, all clients together. Units are datagrams (UDP) or chunks as read (TCP).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DirectionStatistics {
    /// Taken in, whatever became of them.
    pub received: u64,
    /// Handed on, copies included.
    pub forwarded: u64,
    /// Bytes of those.
    pub forwarded_bytes: u64,
    /// Handed on later than at once.
    pub delayed: u64,
    /// Arrived a second time.
    pub duplicated: u64,
    /// Held back so that later ones overtake them; with TCP, so long as a retransmission takes.
    pub held_back: u64,
    /// Handed on with a flipped bit.
    pub corrupted: u64,
    /// Not handed on.
    pub dropped: BTreeMap<Cause, u64>,
}

impl DirectionStatistics {
    /// How many were dropped for a cause.
    pub fn dropped_by(&self, cause: Cause) -> u64 {
        self.dropped.get(&cause).copied().unwrap_or(0)
    }

    pub(super) fn drop_one(&mut self, cause: Cause) {
        *self.dropped.entry(cause).or_default() += 1;
    }
}

impl fmt::Display for DirectionStatistics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} forwarded ({} bytes)", self.forwarded, self.forwarded_bytes)?;
        for (count, what) in [
            (self.delayed, "delayed"),
            (self.duplicated, "duplicated"),
            (self.held_back, "held back"),
            (self.corrupted, "corrupted"),
        ] {
            if count > 0 {
                write!(formatter, ", {count} {what}")?;
            }
        }
        for (cause, count) in &self.dropped {
            write!(formatter, ", {count} dropped by {cause}")?;
        }
        Ok(())
    }
}

/// What a proxy did since it started.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FaultStatistics {
    /// Clients seen: UDP mappings or TCP connections.
    pub clients: u64,
    /// Those there are now.
    pub clients_now: u64,
    /// Cuts, by command and by profile.
    pub cuts: u64,
    /// From the upstream to clients.
    pub to_client: DirectionStatistics,
    /// From clients to the upstream.
    pub to_upstream: DirectionStatistics,
}

impl FaultStatistics {
    /// One direction of it.
    pub fn direction(&self, direction: Direction) -> &DirectionStatistics {
        match direction {
            Direction::ToClient => &self.to_client,
            Direction::ToUpstream => &self.to_upstream,
        }
    }

    pub(super) fn direction_mut(&mut self, direction: Direction) -> &mut DirectionStatistics {
        match direction {
            Direction::ToClient => &mut self.to_client,
            Direction::ToUpstream => &mut self.to_upstream,
        }
    }
}

impl fmt::Display for FaultStatistics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, clients_now, cuts, to_client, to_upstream } = self;
        write!(formatter, "{clients_now} of {clients} clients, {cuts} cuts")?;
        write!(formatter, "; to upstream: {to_upstream}; to client: {to_client}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_without_those_that_are_zero() {
        let mut statistics = FaultStatistics { clients: 3, clients_now: 2, cuts: 1, ..Default::default() };
        statistics.to_upstream.forwarded = 980;
        statistics.to_upstream.forwarded_bytes = 98_000;
        statistics.to_upstream.delayed = 980;
        for _ in 0..20 {
            statistics.direction_mut(Direction::ToUpstream).drop_one(Cause::Loss);
        }
        assert_eq!(
            statistics.to_string(),
            "2 of 3 clients, 1 cuts; to upstream: 980 forwarded (98000 bytes), 980 delayed, \
             20 dropped by loss; to client: 0 forwarded (0 bytes)"
        );
    }
}
