//! Space packets out of a byte stream: they stand one after the other, split at any byte.

use crate::{HeaderError, PACKET_BYTES_MAX, PRIMARY_HEADER_BYTES, PrimaryHeader};
use acquaintance::{Acquaintance, Standing, word};

/// Bytes skipped in a row after which what was learnt of the link no longer holds.
const LOST_BYTES_MAX: usize = 2 * (PACKET_BYTES_MAX - PRIMARY_HEADER_BYTES);
/// Bytes of a skipped run that are kept for people to look at: its first ones.
const KEPT_BYTES_MAX: usize = 4 * 1_024;

/// Why bytes of a stream were not taken as a packet.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RejectionCause {
    /// Bytes that can't be a header: skipped until the next one that can.
    Garbage,
    /// A packet longer than this link takes.
    Oversized,
    /// The stream ended, or stayed silent too long, inside a packet.
    Truncated,
}

impl RejectionCause {
    /// Stable name, as in metrics and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Oversized => "oversized",
            Self::Truncated => "truncated",
        }
    }
}

/// A run of bytes that was skipped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// Why.
    pub cause: RejectionCause,
    /// How many bytes.
    pub bytes: u64,
}

/// Cuts a byte stream into space packets and finds the next packet after garbage.
///
/// All that bare packets offer to synchronise on is the header, so a header is *plausible* when its version is
/// 0, its length within this link's bound, and its six bytes are not all the same (that is filling).
///
/// In synchronisation every plausible header is believed at once: no packet waits for its successor. The one
/// exception needs no waiting either: when a header that this link has not carried with that length ends, within
/// what is received, before something this link never carried, and packets that it has carried stand inside,
/// its length lies. A completed packet that something implausible follows is delivered, but ends the
/// synchronisation.
///
/// Out of synchronisation the framer believes what it knows: headers of the packets this link carried, with
/// their lengths.
/// - Carried with that length: believed if a header of this link follows, if nothing follows yet, or if its
///   sequence count goes on from the last one.
/// - Carried with other lengths: believed if two headers of this link follow in a row.
/// - Never carried: skipped. If that goes on for 128 KiB, the link carries something else now, and the framer
///   forgets what it knew.
/// - Nothing known: believed if two plausible headers follow in a row.
///
/// A packet that does not become whole is given up by the caller, who has the clock: see [`Self::give_up`].
///
/// Memory is bounded by one packet of the largest size plus what one call to `push` brings, and some
/// 50 KiB for what was learnt.
#[derive(Debug)]
pub struct PacketFramer {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already given out or skipped.
    start: usize,
    packet_bytes_max: usize,
    synchronised: bool,
    /// Bytes skipped in the current run, not yet reported.
    skipped: u64,
    /// The first of them.
    kept: Vec<u8>,
    /// Whether the run began with a packet that was given up.
    truncated: bool,
    /// Bytes skipped since the last packet.
    lost: usize,
    /// Bytes of `buffer` that were there when a packet was given up: nothing that began among them and is not
    /// known is waited for.
    settled: usize,
    /// Bytes of `buffer` among which no believed packet of known length begins (while out of synchronisation).
    inspected: usize,
    known: Acquaintance,
}

impl PacketFramer {
    /// A framer that takes packets up to `packet_bytes_max` bytes (at most the standard's 65,542).
    pub fn new(packet_bytes_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            packet_bytes_max: packet_bytes_max.min(PACKET_BYTES_MAX),
            synchronised: true,
            skipped: 0,
            kept: Vec::new(),
            truncated: false,
            lost: 0,
            settled: 0,
            inspected: 0,
            known: Acquaintance::default(),
        }
    }

    /// Adds received bytes. Call `next_packet` until it returns `None` before adding more.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.settled = self.settled.saturating_sub(self.start);
            self.inspected = self.inspected.saturating_sub(self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes received and not yet part of a packet.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole packet. Skipped bytes are reported through `rejected`, once for each run, with the first of them
    /// (up to 4 KiB).
    pub fn next_packet(&mut self, rejected: &mut impl FnMut(Rejection, &[u8])) -> Option<&[u8]> {
        loop {
            if self.pending_bytes() < PRIMARY_HEADER_BYTES {
                if !self.synchronised && self.start < self.settled {
                    self.skip(self.pending_bytes());
                    self.begin_anew(rejected);
                }
                return None;
            }
            match self.judge() {
                Verdict::Packet(header) => {
                    let bytes = header.packet_bytes();
                    self.report_skipped(rejected);
                    self.known.learn(&header);
                    self.synchronised = true;
                    (self.lost, self.inspected) = (0, 0);
                    let packet = self.start..self.start + bytes;
                    self.start += bytes;
                    return Some(&self.buffer[packet]);
                }
                Verdict::Wait => return None,
                Verdict::Skip(cause) => {
                    if cause == RejectionCause::Oversized {
                        rejected(Rejection { cause, bytes: 1 }, &self.buffer[self.start..=self.start]);
                        self.start += 1;
                    } else {
                        self.skip(1);
                    }
                    self.synchronised = false;
                }
            }
        }
    }

    /// Gives up the packet that is waited for: it took too long, or the stream ended.
    ///
    /// Its first byte is skipped, and what is left of it behind that, as truncated. Packets that stand whole
    /// behind it come out of `next_packet`, so call that until it returns `None`. If nothing there can be
    /// believed, all of it is skipped and the next byte pushed is the beginning of a packet again; a known packet
    /// that is not whole is kept and waited for. So at the end of a stream, do both until `pending_bytes` is 0.
    pub fn give_up(&mut self, rejected: &mut impl FnMut(Rejection, &[u8])) {
        self.report_skipped(rejected);
        if self.pending_bytes() > 0 {
            self.truncated = true;
            self.skip(1);
        }
        self.synchronised = false;
        self.settled = self.buffer.len();
        if self.pending_bytes() == 0 {
            self.begin_anew(rejected);
        }
    }

    fn begin_anew(&mut self, rejected: &mut impl FnMut(Rejection, &[u8])) {
        self.report_skipped(rejected);
        self.synchronised = true;
    }

    fn skip(&mut self, bytes: usize) {
        let kept = bytes.min(KEPT_BYTES_MAX.saturating_sub(self.kept.len()));
        self.kept.extend_from_slice(&self.buffer[self.start..self.start + kept]);
        self.start += bytes;
        self.skipped += bytes as u64;
        self.lost += bytes;
        if self.lost > LOST_BYTES_MAX {
            self.known.forget();
            self.lost = 0;
        }
    }

    /// What to do with the bytes at `start`.
    fn judge(&mut self) -> Verdict {
        let garbage = Verdict::Skip(RejectionCause::Garbage);
        let Found::Header(header) = self.header_at(self.start) else { return garbage };
        let bytes = header.packet_bytes();
        if bytes > self.packet_bytes_max {
            return if self.synchronised { Verdict::Skip(RejectionCause::Oversized) } else { garbage };
        }
        let whole = bytes <= self.pending_bytes();
        if self.synchronised {
            return if !whole {
                Verdict::Wait
            } else if self.length_lies(&header) {
                garbage
            } else {
                Verdict::Packet(header)
            };
        }
        let settled = self.start < self.settled;
        let followed = match self.known.standing(&header) {
            Standing::Known if !whole => Followed::Unknown,
            Standing::Known if self.believed(self.start, &header) => Followed::Yes,
            Standing::Known => Followed::No,
            _ if !whole && settled => Followed::No,
            Standing::Familiar => self.followed(bytes, |next| self.known.standing(next) != Standing::Strange),
            Standing::Strange if self.known.is_empty() => self.followed(bytes, |_| true),
            Standing::Strange => Followed::No,
        };
        match followed {
            Followed::Yes => Verdict::Packet(header),
            Followed::No => garbage,
            Followed::Unknown if self.known_behind() => garbage,
            Followed::Unknown => Verdict::Wait,
        }
    }

    /// Whether two headers that `fits` says yes to follow the packet at `start` in a row.
    fn followed(&self, bytes: usize, fits: impl Fn(&PrimaryHeader) -> bool) -> Followed {
        // Waiting for a second one must not cost more memory than a packet.
        let no_more_comes =
            self.start < self.settled || self.pending_bytes() > self.packet_bytes_max + PRIMARY_HEADER_BYTES;
        let mut at = self.start + bytes;
        for before in 0..2 {
            if self.start < self.settled && at == self.settled {
                return Followed::Yes;
            }
            match self.header_at(at) {
                Found::Header(next) if next.packet_bytes() <= self.packet_bytes_max && fits(&next) => {
                    at += next.packet_bytes();
                }
                Found::Header(_) | Found::Nonsense => return Followed::No,
                Found::Nothing if no_more_comes && before > 0 => return Followed::Yes,
                Found::Nothing if no_more_comes => return Followed::No,
                Found::Nothing => return Followed::Unknown,
            }
        }
        Followed::Yes
    }

    /// Whether the packet of known length at `at` is one, by what follows it or by its sequence count.
    fn believed(&self, at: usize, header: &PrimaryHeader) -> bool {
        self.known.counts_on(header)
            || match self.header_at(at + header.packet_bytes()) {
                Found::Header(next) => {
                    next.packet_bytes() <= self.packet_bytes_max
                        && self.known.standing(&next) != Standing::Strange
                }
                Found::Nonsense => false,
                Found::Nothing => true,
            }
    }

    /// Whether a believed packet of known length begins behind `start`.
    fn known_behind(&mut self) -> bool {
        let last = self.buffer.len().saturating_sub(PRIMARY_HEADER_BYTES);
        let from = self.inspected.max(self.start + 1);
        let found = (from..=last).find(|&at| match self.header_at(at) {
            Found::Header(header) => {
                self.known.standing(&header) == Standing::Known && self.believed(at, &header)
            }
            Found::Nonsense | Found::Nothing => false,
        });
        self.inspected = found.unwrap_or(from.max(last + 1));
        found.is_some()
    }

    /// Whether the whole packet at `start` has swallowed packets of this link.
    fn length_lies(&self, header: &PrimaryHeader) -> bool {
        if self.known.is_empty() || self.known.standing(header) == Standing::Known {
            return false;
        }
        let end = self.start + header.packet_bytes();
        match self.header_at(end) {
            Found::Nothing => return false,
            Found::Header(next)
                if self.known.standing(&next) != Standing::Strange || word(&next) == word(header) =>
            {
                return false;
            }
            Found::Header(_) | Found::Nonsense => {}
        }
        let known = |at| match self.header_at(at) {
            Found::Header(header) if self.known.standing(&header) == Standing::Known => Some(header),
            _ => None,
        };
        (self.start + 1..end).any(|at| {
            known(at).is_some_and(|header| {
                self.known.counts_on(&header) || known(at + header.packet_bytes()).is_some()
            })
        })
    }

    fn header_at(&self, at: usize) -> Found {
        let bytes = self.buffer.get(at..).unwrap_or_default();
        match PrimaryHeader::parse(bytes) {
            Ok(_) if bytes[1..PRIMARY_HEADER_BYTES].iter().all(|byte| *byte == bytes[0]) => Found::Nonsense,
            Ok(header) => Found::Header(header),
            Err(HeaderError::Version { .. }) => Found::Nonsense,
            Err(HeaderError::Truncated { .. }) if bytes.first().is_some_and(|byte| byte >> 5 != 0) => {
                Found::Nonsense
            }
            Err(HeaderError::Truncated { .. }) => Found::Nothing,
        }
    }

    fn report_skipped(&mut self, rejected: &mut impl FnMut(Rejection, &[u8])) {
        if self.skipped > 0 {
            let cause = if self.truncated { RejectionCause::Truncated } else { RejectionCause::Garbage };
            rejected(Rejection { cause, bytes: self.skipped }, &self.kept);
            // Garbage comes seldom or in floods; a quiet link holds no memory for it.
            self.kept = Vec::new();
        }
        (self.skipped, self.truncated) = (0, false);
    }
}

enum Verdict {
    Packet(PrimaryHeader),
    Skip(RejectionCause),
    Wait,
}

/// What stands at a place of the stream.
enum Found {
    Header(PrimaryHeader),
    /// Not the beginning of a packet.
    Nonsense,
    /// Too few bytes to say.
    Nothing,
}

enum Followed {
    Yes,
    No,
    /// Not received yet.
    Unknown,
}

mod acquaintance;
#[cfg(test)]
mod tests;
