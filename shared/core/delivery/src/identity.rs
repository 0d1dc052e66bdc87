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
    /// Space packets.
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
