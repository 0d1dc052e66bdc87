//! What of a document's history somebody knows.

use std::fmt;
use std::str::FromStr;

use automerge::ChangeHash;

/// A document's newest changes are joined before there are more, so that nobody needs more to say what they know.
pub(crate) const HEADS_MAX: usize = 16;
const HASH_CHARS: usize = 64;

/// The newest changes that somebody knows; with them everything before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Heads(pub(crate) Vec<ChangeHash>);

/// Text that is no heads of ours.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("these are no heads of a dashboard; send them as they came with it")]
pub struct HeadsError;

impl fmt::Display for Heads {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, hash) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "." };
            write!(out, "{separator}{hash}")?;
        }
        Ok(())
    }
}

impl FromStr for Heads {
    type Err = HeadsError;

    fn from_str(text: &str) -> Result<Self, HeadsError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > HEADS_MAX * (HASH_CHARS + 1) {
            return Err(HeadsError);
        }
        let hashes = text.split('.').map(|hash| hash.parse().map_err(|_| HeadsError));
        hashes.collect::<Result<_, _>>().map(Self)
    }
}
