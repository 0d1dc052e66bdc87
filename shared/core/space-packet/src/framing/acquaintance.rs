//! What a link has carried so far: the only thing beyond a bare header that tells a packet from accident.

use std::collections::HashMap;

use crate::{PrimaryHeader, SequenceCount};

/// Identification words remembered of one link: as many as there are APIDs.
const WORDS_MAX: usize = 2_048;
/// Lengths remembered of one identification word.
const LENGTHS_MAX: usize = 4;
/// How far a sequence count may be ahead of the last one and still be its continuation.
const COUNTS_AHEAD_MAX: u16 = 64;

/// How well a header is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Type, secondary header flag and APID were seen with this length.
    Known,
    /// They were seen with other lengths.
    Familiar,
    /// They were not seen.
    Strange,
}

/// Headers of the packets a link has carried.
#[derive(Debug, Default)]
pub(super) struct Acquaintance {
    words: HashMap<u16, Seen>,
}

#[derive(Debug)]
struct Seen {
    lengths: [u16; LENGTHS_MAX],
    /// Place in `lengths` that the next new length takes.
    next: usize,
    count: SequenceCount,
}

impl Acquaintance {
    /// Whether nothing was learnt yet.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Remembers an accepted packet. Words past the bound stay strange.
    pub(super) fn learn(&mut self, header: &PrimaryHeader) {
        let room = self.words.len() < WORDS_MAX;
        match self.words.get_mut(&word(header)) {
            Some(seen) => {
                seen.count = header.sequence_count;
                if !seen.lengths.contains(&header.data_length_field) {
                    seen.lengths[seen.next] = header.data_length_field;
                    seen.next = (seen.next + 1) % LENGTHS_MAX;
                }
            }
            None if room => {
                let lengths = [header.data_length_field; LENGTHS_MAX];
                self.words.insert(word(header), Seen { lengths, next: 1, count: header.sequence_count });
            }
            None => {}
        }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        self.words.clear();
    }

    /// How well a header is known.
    pub(super) fn standing(&self, header: &PrimaryHeader) -> Standing {
        match self.words.get(&word(header)) {
            Some(seen) if seen.lengths.contains(&header.data_length_field) => Standing::Known,
            Some(_) => Standing::Familiar,
            None => Standing::Strange,
        }
    }

    /// Whether a header's sequence count goes on from the last one of its word.
    pub(super) fn counts_on(&self, header: &PrimaryHeader) -> bool {
        self.words.get(&word(header)).is_some_and(|seen| {
            (1..=COUNTS_AHEAD_MAX).contains(&header.sequence_count.distance_from(seen.count))
        })
    }
}

/// The first two bytes of a header: type, secondary header flag and APID.
pub(super) fn word(header: &PrimaryHeader) -> u16 {
    let [first, second, ..] = header.encode();
    u16::from_be_bytes([first, second])
}
