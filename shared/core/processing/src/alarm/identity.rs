//! What names an alarm and its entries, at a node as at the hub.

use delivery::NodeId;
use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

use super::form;

/// An alarm. Derived from what it is about and its first occurrence, so that it is the same wherever it is computed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct AlarmId(#[serde(with = "form::hexadecimal")] pub [u8; 16]);

/// An entry of an alarm's history. Of a condition it is derived from the content; of an act it is random.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct EntryId(#[serde(with = "form::hexadecimal")] pub [u8; 16]);

/// What an alarm is about.
///
/// The detector is part of it and not the alarm rule that a detection matches: rules are renamed and reordered while
/// alarms stand, and an alarm must still find its end.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Subject {
    /// The mission, by name.
    pub mission: String,
    /// The node, where the alarm is about the node itself; `None` for what a spacecraft sends, which several stations
    /// may receive.
    #[serde(with = "form::node_option")]
    pub node: Option<NodeId>,
    /// What detects it, for example `limits`.
    pub detector: String,
    /// Full name of the parameter.
    pub parameter: String,
}

impl Subject {
    /// The alarm about this that began with an occurrence at a generation time.
    pub fn alarm(&self, first: GenerationTime) -> AlarmId {
        let mut hasher = Hasher::new(b"sto-alarm-1");
        hasher.text(&self.mission);
        hasher.bytes(self.node.as_ref().map_or(&[], |node| &node.0));
        hasher.text(&self.detector);
        hasher.text(&self.parameter);
        hasher.bytes(&first.0.0.to_le_bytes());
        AlarmId(hasher.finish())
    }
}

/// BLAKE3 of parts, each behind its length, so that no two lists of parts run into one; the first 16 bytes of it.
pub(super) struct Hasher(blake3::Hasher);

impl Hasher {
    pub(super) fn new(purpose: &[u8]) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.bytes(purpose);
        hasher
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn finish(self) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        id
    }
}
