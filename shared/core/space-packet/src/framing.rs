//! Space packets out of a byte stream: they stand one after the other, split at any byte.

use crate::{HeaderError, PACKET_BYTES_MAX, PRIMARY_HEADER_BYTES, PrimaryHeader};

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
/// The only thing a stream of bare packets offers to synchronise on is the header itself, so a header is
/// *plausible* when its version is 0 and its length is within this link's bound, and after garbage a packet
/// is believed only when a plausible header follows it (or the stream pauses there). In synchronisation
/// every plausible header is believed at once, so no packet waits for its successor.
///
/// Memory is bounded by one packet of the largest size plus what one call to `push` brings.
#[derive(Debug)]
pub struct PacketFramer {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already given out or skipped.
    start: usize,
    packet_bytes_max: usize,
    synchronised: bool,
    /// Bytes skipped in the current run of garbage, not yet reported.
    skipped: u64,
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
        }
    }

    /// Adds received bytes. Call `next_packet` until it returns `None` before adding more.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes received and not yet part of a packet.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole packet. Skipped bytes are reported through `rejected`, once for each run.
    pub fn next_packet(&mut self, rejected: &mut impl FnMut(Rejection)) -> Option<&[u8]> {
        loop {
            let pending = &self.buffer[self.start..];
            if pending.len() < PRIMARY_HEADER_BYTES {
                return None;
            }
            match self.judge(pending) {
                Verdict::Packet(bytes) => {
                    self.report_skipped(rejected);
                    self.synchronised = true;
                    let packet = self.start..self.start + bytes;
                    self.start += bytes;
                    return Some(&self.buffer[packet]);
                }
                Verdict::Wait => return None,
                Verdict::Skip(cause) => {
                    if cause == RejectionCause::Oversized {
                        rejected(Rejection { cause, bytes: 1 });
                    } else {
                        self.skipped += 1;
                    }
                    self.synchronised = false;
                    self.start += 1;
                }
            }
        }
    }

    /// Gives up on a packet that never became whole: the stream ended or stayed silent too long.
    pub fn give_up(&mut self, rejected: &mut impl FnMut(Rejection)) {
        self.report_skipped(rejected);
        let bytes = self.pending_bytes() as u64;
        if bytes > 0 {
            rejected(Rejection { cause: RejectionCause::Truncated, bytes });
        }
        self.buffer.clear();
        self.start = 0;
        self.synchronised = true;
    }

    fn judge(&self, pending: &[u8]) -> Verdict {
        let header = match PrimaryHeader::parse(pending) {
            Ok(header) => header,
            Err(HeaderError::Version { .. }) => return Verdict::Skip(RejectionCause::Garbage),
            Err(HeaderError::Truncated { .. }) => return Verdict::Wait,
        };
        let bytes = header.packet_bytes();
        if bytes > self.packet_bytes_max {
            let cause = if self.synchronised { RejectionCause::Oversized } else { RejectionCause::Garbage };
            return Verdict::Skip(cause);
        }
        let Some(after) = pending.get(bytes..) else {
            return Verdict::Wait;
        };
        if self.synchronised || self.plausible(after) {
            return Verdict::Packet(bytes);
        }
        Verdict::Skip(RejectionCause::Garbage)
    }

    /// Whether what follows a candidate may be another packet: nothing, or the beginning of one.
    fn plausible(&self, after: &[u8]) -> bool {
        match PrimaryHeader::parse(after) {
            Ok(header) => header.packet_bytes() <= self.packet_bytes_max,
            Err(HeaderError::Truncated { .. }) => after.first().is_none_or(|byte| byte >> 5 == 0),
            Err(HeaderError::Version { .. }) => false,
        }
    }

    fn report_skipped(&mut self, rejected: &mut impl FnMut(Rejection)) {
        if self.skipped > 0 {
            rejected(Rejection { cause: RejectionCause::Garbage, bytes: self.skipped });
            self.skipped = 0;
        }
    }
}

enum Verdict {
    Packet(usize),
    Skip(RejectionCause),
    Wait,
}

#[cfg(test)]
mod tests;
