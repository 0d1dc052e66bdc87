//! What a stream's bytes are: packets one after the other, or each behind its length.

use std::fmt;

use serde::Deserialize;
use space_packet::{HeaderError, PacketFramer, PrimaryHeader, Rejection};

use super::{Records, push_packet};

/// Length in front of each packet: 4 bytes, big-endian, not counting themselves.
const PREFIX_BYTES: usize = 4;
/// The stream ended inside a packet.
const TRUNCATED: &str = "truncated";
/// Where the next packet begins is not known any more.
const OUT_OF_RANGE: &str = "length-out-of-range";

/// How packets stand in a link's stream.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum StreamFraming {
    /// One after the other; their own headers say how long they are.
    #[default]
    Bare,
    /// Each behind its length: 4 bytes, big-endian.
    LengthPrefixed,
}

/// Why the rest of a stream cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// A length no packet can have.
    LengthOutOfRange {
        /// What the stream says.
        found: u32,
        /// The longest packet this link takes.
        longest: usize,
    },
    /// The stream ended, or stayed silent, inside a packet.
    Truncated,
}

impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthOutOfRange { found, longest } => {
                write!(formatter, "a length of {found} stands in front of a packet; 1 to {longest} are taken")
            }
            Self::Truncated => formatter.write_str("a packet did not become whole in time"),
        }
    }
}

/// What some bytes of a stream brought.
#[derive(Debug, Default)]
pub struct Framing {
    /// Packets, and bytes that are none, in order.
    pub records: Vec<Records>,
    /// Bytes that were skipped, for the link's counts.
    pub rejected: Vec<(&'static str, u64)>,
    /// The stream cannot be read further.
    pub lost: Option<Lost>,
}

impl Framing {
    /// Whether there is anything to hand on.
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    fn unframed(&mut self, cause: &'static str, bytes: &[u8], all_bytes: u64) {
        self.rejected.push((cause, all_bytes));
        if !bytes.is_empty() {
            self.records.push(Records::Unframed { cause, bytes: bytes.to_vec() });
        }
    }
}

/// Cuts one connection's stream into records.
pub enum Framer {
    /// Bare packets.
    Bare(Box<PacketFramer>),
    /// Packets behind their lengths.
    LengthPrefixed {
        /// What is not whole yet.
        buffer: Vec<u8>,
        /// Longest packet taken.
        packet_bytes_max: usize,
    },
}

impl Framer {
    /// A framer at the beginning of a stream.
    pub fn new(framing: StreamFraming, packet_bytes_max: usize) -> Self {
        match framing {
            StreamFraming::Bare => Self::Bare(Box::new(PacketFramer::new(packet_bytes_max))),
            StreamFraming::LengthPrefixed => Self::LengthPrefixed { buffer: Vec::new(), packet_bytes_max },
        }
    }

    /// Whether its producer counts bytes that are kept for a cause as one of the packets it sent: those behind a length
    /// that came whole. What a stream ended in, it will send again.
    pub fn counts(&self, cause: &str) -> bool {
        matches!(self, Self::LengthPrefixed { .. }) && ![TRUNCATED, OUT_OF_RANGE].contains(&cause)
    }

    /// Bytes received and not yet part of a packet.
    pub fn pending_bytes(&self) -> usize {
        match self {
            Self::Bare(framer) => framer.pending_bytes(),
            Self::LengthPrefixed { buffer, .. } => buffer.len(),
        }
    }

    /// Takes the next bytes of the stream.
    pub fn frame(&mut self, bytes: &[u8]) -> Framing {
        let mut found = Framing::default();
        match self {
            Self::Bare(framer) => {
                framer.push(bytes);
                take_bare(framer, &mut found);
            }
            Self::LengthPrefixed { buffer, packet_bytes_max } => {
                buffer.extend_from_slice(bytes);
                let used = take_prefixed(buffer, *packet_bytes_max, &mut found);
                buffer.drain(..used);
            }
        }
        found
    }

    /// Gives up what is waited for: it took too long, or the stream ended.
    pub fn give_up(&mut self) -> Framing {
        let mut found = Framing::default();
        match self {
            Self::Bare(framer) => {
                framer.give_up(&mut |rejection, first| skipped(&mut found, rejection, first));
                take_bare(framer, &mut found);
            }
            Self::LengthPrefixed { buffer, .. } => {
                found.unframed(TRUNCATED, buffer, buffer.len() as u64);
                found.lost = Some(Lost::Truncated);
                buffer.clear();
            }
        }
        found
    }
}

fn skipped(found: &mut Framing, rejection: Rejection, first: &[u8]) {
    found.unframed(rejection.cause.name(), first, rejection.bytes);
}

fn take_bare(framer: &mut PacketFramer, found: &mut Framing) {
    loop {
        let mut rejections = Vec::new();
        let packet = framer.next_packet(&mut |rejection, first| rejections.push((rejection, first.to_vec())));
        rejections.iter().for_each(|(rejection, first)| skipped(found, *rejection, first));
        match packet {
            Some(packet) => push_packet(&mut found.records, packet),
            None => return,
        }
    }
}

/// Returns how many bytes were used.
fn take_prefixed(buffer: &[u8], packet_bytes_max: usize, found: &mut Framing) -> usize {
    let mut rest = buffer;
    while let Some((prefix, behind)) = rest.split_first_chunk::<PREFIX_BYTES>() {
        let length = u32::from_be_bytes(*prefix);
        let longest = packet_bytes_max as u32;
        if !(1..=longest).contains(&length) {
            // Where the next one begins is not known any more.
            found.unframed(OUT_OF_RANGE, rest, rest.len() as u64);
            found.lost = Some(Lost::LengthOutOfRange { found: length, longest: packet_bytes_max });
            return buffer.len();
        }
        let Some((packet, behind)) = behind.split_at_checked(length as usize) else { break };
        match not_a_packet(packet) {
            None => push_packet(&mut found.records, packet),
            Some(cause) => found.unframed(cause, packet, packet.len() as u64),
        }
        rest = behind;
    }
    buffer.len() - rest.len()
}

/// Why bytes that should be exactly one packet are none.
pub fn not_a_packet(bytes: &[u8]) -> Option<&'static str> {
    match PrimaryHeader::parse(bytes) {
        Ok(header) if header.packet_bytes() == bytes.len() => None,
        Ok(_) => Some("length-mismatch"),
        Err(HeaderError::Truncated { .. }) => Some("length-mismatch"),
        Err(HeaderError::Version { .. }) => Some("not-a-packet"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use space_packet::{Apid, SequenceCount, build_packet};

    use super::*;

    fn packet(number: u8) -> Vec<u8> {
        let apid = Apid::try_from(20).expect("in range");
        let count = SequenceCount::try_from(u16::from(number)).expect("in range");
        build_packet(apid, count, false, &[number; 5]).expect("it fits")
    }

    fn prefixed(bytes: &[u8]) -> Vec<u8> {
        [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
    }

    type Framed = (Vec<Vec<u8>>, Vec<(&'static str, u64)>, Option<Lost>);

    fn frame_in_pieces(stream: &[u8], piece: usize) -> Framed {
        let mut framer = Framer::new(StreamFraming::LengthPrefixed, 1_000);
        let (mut packets, mut rejected, mut lost) = (Vec::new(), Vec::new(), None);
        for bytes in stream.chunks(piece.max(1)) {
            let found = framer.frame(bytes);
            for records in &found.records {
                if let Records::Packets { bytes, ends } = records {
                    packets.extend(crate::packets(bytes, ends).map(<[u8]>::to_vec));
                }
            }
            rejected.extend(found.rejected);
            lost = lost.or(found.lost);
            if lost.is_some() {
                break;
            }
        }
        (packets, rejected, lost)
    }

    #[test]
    fn a_packet_whose_length_is_not_the_one_in_front_is_kept_apart_and_the_next_one_found() {
        let mut short = packet(2);
        short.pop();
        let stream = [prefixed(&packet(1)), prefixed(&short), prefixed(&packet(3))].concat();
        let (packets, rejected, lost) = frame_in_pieces(&stream, 7);
        assert_eq!(packets, [packet(1), packet(3)]);
        assert_eq!(rejected, [("length-mismatch", short.len() as u64)]);
        assert_eq!(lost, None);
    }

    #[test]
    fn a_length_no_packet_has_ends_the_stream() {
        for length in [0_u32, 1_001, u32::MAX] {
            let stream = [&prefixed(&packet(1))[..], &length.to_be_bytes(), &[1; 40]].concat();
            let (packets, rejected, lost) = frame_in_pieces(&stream, stream.len());
            assert_eq!(packets.len(), 1);
            assert_eq!(rejected, [("length-out-of-range", 44)]);
            assert_eq!(lost, Some(Lost::LengthOutOfRange { found: length, longest: 1_000 }));
        }
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_the_packets_are_the_same(count in 1_u8..20, piece in 1_usize..200) {
            let expected: Vec<_> = (0..count).map(packet).collect();
            let stream: Vec<u8> = expected.iter().flat_map(|packet| prefixed(packet)).collect();
            let (packets, rejected, _) = frame_in_pieces(&stream, piece);
            prop_assert_eq!(packets, expected);
            prop_assert!(rejected.is_empty());
        }
    }
}
