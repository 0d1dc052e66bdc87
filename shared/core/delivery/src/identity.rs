//! What names a record: (node, epoch, lane, batch sequence, index) (decision D3).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A node, for its whole life: the UUID in its certificate.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct NodeId(pub [u8; 16]);

/// One journal: random, made with each empty journal, so that a re-imaged node is told from its past.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct StoreId(pub [u8; 16]);

fn hexadecimal(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

impl fmt::Debug for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(&self.0, formatter)
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(&self.0, formatter)
    }
}

/// Which of a node's journals a sequence belongs to: the hub hands one out for each new [`StoreId`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Epoch(pub u32);

/// Which connection of a node is the valid one: the hub counts it up with each accepted HELLO.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SessionNumber(pub u64);

/// An independent sequence of batches; its number is the same on the wire, on disk and in the database.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum Lane {
    /// Events of the node: few, and never behind telemetry.
    Alarm = 1,
    /// What was received.
    Telemetry = 2,
}

/// A number that names no lane.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} is not the number of a lane")]
pub struct UnknownLane(pub u8);

impl TryFrom<u8> for Lane {
    type Error = UnknownLane;

    fn try_from(number: u8) -> Result<Self, UnknownLane> {
        match number {
            1 => Ok(Self::Alarm),
            2 => Ok(Self::Telemetry),
            other => Err(UnknownLane(other)),
        }
    }
}

impl From<Lane> for u8 {
    fn from(lane: Lane) -> u8 {
        lane as u8
    }
}

/// How a batch came to the hub: each way is a stream of its own, more urgent ones first. Live and backfill carry one
/// lane, of which live is what was sealed after the session began.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum Way {
    /// The alarm lane.
    Alarm = 1,
    /// Sealed after the session began.
    Live = 2,
    /// Sealed before.
    Backfill = 3,
    /// Journals from before, which take nothing new.
    Bulk = 4,
    /// Carried by hand, not over a link.
    Import = 5,
}

/// A number that names no way.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0} is not the number of a way")]
pub struct UnknownWay(pub u8);

impl TryFrom<u8> for Way {
    type Error = UnknownWay;

    fn try_from(number: u8) -> Result<Self, UnknownWay> {
        Ok(match number {
            1 => Self::Alarm,
            2 => Self::Live,
            3 => Self::Backfill,
            4 => Self::Bulk,
            5 => Self::Import,
            other => return Err(UnknownWay(other)),
        })
    }
}

impl From<Way> for u8 {
    fn from(way: Way) -> u8 {
        way as u8
    }
}

/// Priority of the control stream in QUIC: acknowledgements and goodbyes wait for nothing.
pub const CONTROL_PRIORITY: i32 = 100;

impl Way {
    /// Those that are streams of a session, most urgent first.
    pub const OF_SESSION: [Self; 4] = [Self::Alarm, Self::Live, Self::Backfill, Self::Bulk];

    /// Priority of its stream in QUIC: the higher first, strictly.
    pub fn priority(self) -> i32 {
        match self {
            Self::Alarm => 90,
            Self::Live => 50,
            Self::Backfill => 10,
            Self::Bulk | Self::Import => 0,
        }
    }

    /// One word for it, as reports have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Live => "live",
            Self::Backfill => "backfill",
            Self::Bulk => "bulk",
            Self::Import => "import",
        }
    }
}

/// One run of a node's process: random. One that comes back after another was seen means two machines with one
/// identity.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct BootId(pub [u8; 16]);

/// A log of a session: its place in HELLO.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct LogNumber(pub u8);

/// A batch's number in its lane: from 1, without holes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct BatchSequence(pub u64);

impl BatchSequence {
    /// The first batch of a lane.
    pub const FIRST: Self = Self(1);

    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
