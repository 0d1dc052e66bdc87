//! Which packets of a link are missing, doubled or late, by their sequence counts (CCSDS 133.0-B-2, 4.1.3.4.3).

use std::collections::BTreeMap;

use crate::{Apid, PacketType, PrimaryHeader, SequenceCount};

/// Half of the counts: what lies further ahead than this is behind.
const HALF: u16 = SequenceCount::MODULUS / 2;
/// A spacecraft that is heard when it starts anew is heard before it has counted this far.
const LOW_COUNTS: u16 = 64;
/// How far behind a count must be, at least, to be that of a restart: what is nearer is disorder on the way.
const BEHIND_MIN: u16 = 64;
/// How many counts must be skipped, at least, to be explained by a restart: links lose less in one piece.
const SKIPPED_MIN: u16 = 1_024;
/// Packets that must follow each other from a low count for a restart to be certain.
const PACKETS_FROM_LOW: u16 = 3;
/// The same from any other count. That many in a row, and none of the old sequence between them, also means that
/// nothing is to be compared with the old sequence any more.
const PACKETS_FROM_ANYWHERE: u16 = 64;

/// What a packet's sequence count says, given the packets before it.
///
/// With `expected = last + 1` and `delta = count - expected`, both modulo 16,384: 0 is in order, 16,383 a
/// duplicate, less than 8,192 a gap of `delta`, anything else late; a late packet leaves `last` as it is.
///
/// A counter that began anew, after a reboot, looks like a large gap or like something late. One packet cannot
/// tell which, so a verdict that might be withdrawn says `may_be_reset`, and [`Self::Reset`] says so when it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Continuity {
    /// The count of the newest packet again.
    Duplicate,
    /// The first packet of its APID on this link: nothing to compare with.
    First,
    /// Packets before this one did not arrive.
    Gap {
        /// How many: 1 to 8,191.
        missing: u16,
        /// Whether the counter may have begun anew instead.
        may_be_reset: bool,
    },
    /// The packet that was expected.
    InOrder,
    /// Older than the newest packet.
    Late {
        /// By how many counts: 1 to 8,191, or 8,192 at the border of what is told apart.
        behind: u16,
        /// Whether the counter may have begun anew instead.
        may_be_reset: bool,
    },
    /// The counter has begun anew, as this packet confirms. Earlier verdicts are withdrawn.
    Reset {
        /// Count of the first packet received since.
        restarted_at: SequenceCount,
        /// Packets since, this one included.
        packets: u16,
        /// What the earlier ones were called.
        withdrawn: Withdrawn,
    },
}

/// The reading that a reset takes back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Withdrawn {
    /// The first packet since the reset was called the end of a gap.
    Gap {
        /// Packets that were called missing, and are not.
        missing: u16,
    },
    /// All packets since the reset except the last were called late.
    Late {
        /// How many.
        packets: u16,
    },
}

/// Verdicts of one APID so far, withdrawn ones taken out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ContinuityCounts {
    /// Packets with the count of the newest one.
    pub duplicates: u64,
    /// Runs of missing packets.
    pub gaps: u64,
    /// Packets older than the newest one.
    pub late: u64,
    /// Packets that did not arrive when it was their turn. One that arrives late stays counted here.
    pub missing: u64,
    /// All packets, whatever their verdict.
    pub received: u64,
    /// Times the counter began anew.
    pub resets: u64,
}

/// Judges the packets of one link; a mission's other links have their own.
///
/// Telemetry and telecommands of an APID are judged apart, since different counters make them. Idle packets are
/// judged like others: whoever does not care for them leaves them out. Telecommands may carry a packet name in
/// place of the count (4.1.3.4.3); their verdicts mean nothing.
///
/// Memory: less than 100 bytes for each APID and type heard, of which there are 4,096.
#[derive(Clone, Debug, Default)]
pub struct ContinuityTracker {
    sequences: BTreeMap<(PacketType, Apid), Sequence>,
}

impl ContinuityTracker {
    /// Takes a packet in the order of reception and says what its count means.
    pub fn on_packet(&mut self, header: &PrimaryHeader) -> Continuity {
        let count = header.sequence_count;
        let key = (header.packet_type, header.apid);
        let Some(sequence) = self.sequences.get_mut(&key) else {
            let counts = ContinuityCounts { received: 1, ..ContinuityCounts::default() };
            self.sequences.insert(key, Sequence { last: count, doubt: None, counts });
            return Continuity::First;
        };
        sequence.counts.received += 1;
        let verdict = sequence.judge(count);
        sequence.counts.add(verdict);
        verdict
    }

    /// What was counted of an APID; `None` if it was not heard.
    pub fn counts(&self, packet_type: PacketType, apid: Apid) -> Option<ContinuityCounts> {
        self.sequences.get(&(packet_type, apid)).map(|sequence| sequence.counts)
    }

    /// All that was heard, telemetry first, by APID.
    pub fn all_counts(&self) -> impl Iterator<Item = (PacketType, Apid, ContinuityCounts)> {
        self.sequences.iter().map(|(&(packet_type, apid), sequence)| (packet_type, apid, sequence.counts))
    }
}

#[derive(Clone, Debug)]
struct Sequence {
    last: SequenceCount,
    doubt: Option<Doubt>,
    counts: ContinuityCounts,
}

/// Packets that may come from a counter that began anew, each the successor of the one before.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    first: SequenceCount,
    newest: SequenceCount,
    packets: u16,
    reading: Reading,
}

/// What such packets are called until it is certain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    Gap { missing: u16 },
    Late,
}

impl Sequence {
    fn judge(&mut self, count: SequenceCount) -> Continuity {
        let delta = count.distance_from(self.last.next());
        match delta {
            0 => self.successor(count),
            _ if delta == SequenceCount::MODULUS - 1 => Continuity::Duplicate,
            missing if missing < HALF => self.ahead(count, missing),
            _ => self.behind(count, self.last.distance_from(count)),
        }
    }

    /// The old sequence goes on; unless it only seemed to, behind a gap that was none.
    fn successor(&mut self, count: SequenceCount) -> Continuity {
        self.last = count;
        match self.doubt.take() {
            Some(doubt @ Doubt { reading: Reading::Gap { missing }, .. }) => {
                let doubt = Doubt { newest: count, packets: doubt.packets + 1, ..doubt };
                if doubt.packets < PACKETS_FROM_LOW {
                    self.doubt = Some(doubt);
                    return Continuity::InOrder;
                }
                let withdrawn = Withdrawn::Gap { missing };
                Continuity::Reset { restarted_at: doubt.first, packets: doubt.packets, withdrawn }
            }
            Some(Doubt { reading: Reading::Late, .. }) | None => Continuity::InOrder,
        }
    }

    fn ahead(&mut self, count: SequenceCount, missing: u16) -> Continuity {
        let is_past_the_end = count < self.last;
        let may_be_reset = is_past_the_end && count.value() < LOW_COUNTS && missing >= SKIPPED_MIN;
        self.last = count;
        self.doubt = may_be_reset.then_some(Doubt::begun(count, Reading::Gap { missing }));
        Continuity::Gap { missing, may_be_reset }
    }

    fn behind(&mut self, count: SequenceCount, behind: u16) -> Continuity {
        let run = self.doubt.filter(|doubt| doubt.reading == Reading::Late);
        let doubt = match run {
            Some(doubt) if count == doubt.newest.next() => {
                Doubt { newest: count, packets: doubt.packets + 1, ..doubt }
            }
            // Doubled on the way: it says nothing new.
            Some(doubt) if count == doubt.newest => doubt,
            _ => Doubt::begun(count, Reading::Late),
        };
        let begins_low = doubt.first.value() < LOW_COUNTS && behind >= BEHIND_MIN;
        let enough = if begins_low { PACKETS_FROM_LOW } else { PACKETS_FROM_ANYWHERE };
        if doubt.packets < enough {
            self.doubt = Some(doubt);
            return Continuity::Late { behind, may_be_reset: begins_low || doubt.packets > 1 };
        }
        (self.last, self.doubt) = (count, None);
        let withdrawn = Withdrawn::Late { packets: doubt.packets - 1 };
        Continuity::Reset { restarted_at: doubt.first, packets: doubt.packets, withdrawn }
    }
}

impl Doubt {
    fn begun(count: SequenceCount, reading: Reading) -> Self {
        Self { first: count, newest: count, packets: 1, reading }
    }
}

impl ContinuityCounts {
    fn add(&mut self, verdict: Continuity) {
        match verdict {
            Continuity::Duplicate => self.duplicates += 1,
            Continuity::First | Continuity::InOrder => {}
            Continuity::Gap { missing, .. } => {
                self.gaps += 1;
                self.missing += u64::from(missing);
            }
            Continuity::Late { .. } => self.late += 1,
            Continuity::Reset { withdrawn, .. } => {
                self.resets += 1;
                match withdrawn {
                    Withdrawn::Gap { missing } => {
                        self.gaps -= 1;
                        self.missing -= u64::from(missing);
                    }
                    Withdrawn::Late { packets } => self.late -= u64::from(packets),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
