//! Histories on their way and at rest: pieces of bounded size, which are merged where they arrive.

use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

use super::entry::{Entry, EntryError, NAME_BYTES_MAX};
use super::history::History;
use super::identity::{AlarmId, Subject};

/// The newest version of the form, its first byte.
pub const FORMAT_VERSION: u8 = 2;
/// The version of what holds nothing newer: programs from before read it.
const FIRST_VERSION: u8 = 1;
/// Bytes of a piece: it fits into a record of a batch.
pub const PIECE_BYTES_MAX: usize = 64 * 1_024;
/// Entries of a piece.
pub const PIECE_ENTRIES_MAX: usize = 256;

/// Entries of one alarm, with what the alarm's id is derived from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Piece {
    /// What the alarm is about.
    pub subject: Subject,
    /// Generation time of its first occurrence.
    pub first: GenerationTime,
    /// Entries, in any order.
    pub entries: Vec<Entry>,
}

/// Why bytes are not a piece of a history. Nothing was taken of them.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PieceError {
    /// An entry breaks its bounds.
    #[error("STO-ALARM-PIECE: {0}; nothing of it was taken")]
    Entry(#[from] EntryError),
    /// The bytes end early, go on, or say what cannot be.
    #[error("STO-ALARM-PIECE: the bytes are not a piece of an alarm's history; nothing of it was taken")]
    Malformed,
    /// There is too much of something.
    #[error(
        "STO-ALARM-PIECE: more than {PIECE_BYTES_MAX} bytes or {PIECE_ENTRIES_MAX} entries; nothing of it was taken"
    )]
    TooLarge,
    /// A later program wrote it.
    #[error("STO-ALARM-PIECE: version {0}, and this program reads {FORMAT_VERSION}; nothing of it was taken")]
    Version(u8),
}

impl Piece {
    /// Which alarm it is of.
    pub fn alarm(&self) -> AlarmId {
        self.subject.alarm(self.first)
    }

    /// The bytes: version, then postcard. The version is the oldest that knows all of it.
    pub fn encode(&self) -> Result<Vec<u8>, PieceError> {
        self.check()?;
        let is_new = self.entries.iter().any(Entry::is_of_second_version);
        let version = if is_new { FORMAT_VERSION } else { FIRST_VERSION };
        let bytes = postcard::to_extend(self, vec![version]).map_err(|_| PieceError::Malformed)?;
        if bytes.len() > PIECE_BYTES_MAX { Err(PieceError::TooLarge) } else { Ok(bytes) }
    }

    /// Reads the bytes of a piece.
    pub fn decode(bytes: &[u8]) -> Result<Self, PieceError> {
        if bytes.len() > PIECE_BYTES_MAX {
            return Err(PieceError::TooLarge);
        }
        let (version, body) = bytes.split_first().ok_or(PieceError::Malformed)?;
        if !(FIRST_VERSION..=FORMAT_VERSION).contains(version) {
            return Err(PieceError::Version(*version));
        }
        let (piece, rest) = postcard::take_from_bytes::<Self>(body).map_err(|_| PieceError::Malformed)?;
        piece.check()?;
        if rest.is_empty() { Ok(piece) } else { Err(PieceError::Malformed) }
    }

    fn check(&self) -> Result<(), PieceError> {
        if self.entries.len() > PIECE_ENTRIES_MAX {
            return Err(PieceError::TooLarge);
        }
        let names = [&self.subject.mission, &self.subject.detector, &self.subject.parameter];
        if names.iter().any(|name| !(1..=NAME_BYTES_MAX).contains(&name.len())) {
            return Err(EntryError::Name.into());
        }
        // Made into a history, because whether an id is right depends on the alarm.
        History::try_from(self.clone()).map(|_| ())
    }
}

impl TryFrom<Piece> for History {
    type Error = PieceError;

    fn try_from(piece: Piece) -> Result<Self, PieceError> {
        let mut history = Self::new(piece.subject, piece.first);
        for entry in piece.entries {
            history.insert(entry)?;
        }
        Ok(history)
    }
}

impl History {
    /// All of it, in pieces that keep to the bounds.
    pub fn pieces(&self) -> Vec<Piece> {
        let empty = Piece { subject: self.subject().clone(), first: self.first(), entries: Vec::new() };
        let (mut pieces, mut bytes) = (vec![empty.clone()], 0);
        // Room for the version, the subject and the count of entries.
        let room = PIECE_BYTES_MAX - 4 * NAME_BYTES_MAX;
        for entry in self.entries() {
            let length = postcard::to_stdvec(entry).map_or(0, |written| written.len());
            let is_full = |piece: &Piece| piece.entries.len() == PIECE_ENTRIES_MAX || bytes + length > room;
            if pieces.last().is_none_or(is_full) {
                pieces.push(empty.clone());
                bytes = 0;
            }
            bytes += length;
            if let Some(piece) = pieces.last_mut() {
                piece.entries.push(entry.clone());
            }
        }
        pieces
    }
}
