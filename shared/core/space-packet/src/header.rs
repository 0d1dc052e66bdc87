//! The primary header of a space packet (CCSDS 133.0-B-2, 4.1.3).

use serde::{Deserialize, Serialize};

use crate::{PACKET_BYTES_MAX, PRIMARY_HEADER_BYTES};

/// Which on-board application made a packet: 11 bits (4.1.3.3.4).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Apid(u16);

impl Apid {
    /// Idle packets (4.1.3.3.4.4): counted, never decoded.
    pub const IDLE: Apid = Apid(0x7FF);

    /// The number itself.
    pub fn value(self) -> u16 {
        self.0
    }
}

/// A number that does not fit an APID's 11 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("APID {0} is out of range: an APID has 11 bits, 0 to 2047")]
pub struct ApidOutOfRange(pub u16);

impl TryFrom<u16> for Apid {
    type Error = ApidOutOfRange;

    fn try_from(value: u16) -> Result<Self, ApidOutOfRange> {
        if value <= 0x7FF { Ok(Self(value)) } else { Err(ApidOutOfRange(value)) }
    }
}

impl From<Apid> for u16 {
    fn from(apid: Apid) -> u16 {
        apid.0
    }
}

/// A packet's place in the sequence of its APID: 14 bits, wrapping (4.1.3.4.3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SequenceCount(u16);

/// A number that does not fit a sequence count's 14 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("sequence count {0} is out of range: it has 14 bits, 0 to 16383")]
pub struct SequenceCountOutOfRange(pub u16);

impl SequenceCount {
    /// How many counts there are before they repeat.
    pub const MODULUS: u16 = 1 << 14;

    /// The number itself.
    pub fn value(self) -> u16 {
        self.0
    }

    /// The count after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 + 1) % Self::MODULUS)
    }

    /// How many counts this one lies ahead of `earlier`, modulo 16,384.
    pub fn distance_from(self, earlier: Self) -> u16 {
        self.0.wrapping_sub(earlier.0) % Self::MODULUS
    }
}

impl TryFrom<u16> for SequenceCount {
    type Error = SequenceCountOutOfRange;

    fn try_from(value: u16) -> Result<Self, SequenceCountOutOfRange> {
        if value < Self::MODULUS { Ok(Self(value)) } else { Err(SequenceCountOutOfRange(value)) }
    }
}

/// Telemetry comes down, telecommands (or their echoes) go up (4.1.3.3.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PacketType {
    /// Bit 0.
    Telemetry,
    /// Bit 1.
    Telecommand,
}

/// Where a packet stands in a group of segments (4.1.3.4.2), in the standard's order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SequenceFlags {
    /// 00: neither the first nor the last segment.
    Continuation,
    /// 01: the first segment.
    First,
    /// 10: the last segment.
    Last,
    /// 11: complete in itself.
    Unsegmented,
}

/// Why six bytes are not the header of a space packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer than six bytes.
    #[error("{found_bytes} bytes are too few for a primary header of 6 bytes")]
    Truncated {
        /// Bytes there were.
        found_bytes: usize,
    },
    /// The packet version number is not 0 (4.1.3.2).
    #[error("packet version number {found} is not 0, the only one CCSDS 133.0-B-2 defines")]
    Version {
        /// The number found, 1 to 7.
        found: u8,
    },
}

/// The primary header, field by field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PrimaryHeader {
    /// Telemetry or telecommand.
    pub packet_type: PacketType,
    /// Whether a secondary header follows.
    pub secondary_header: bool,
    /// The application.
    pub apid: Apid,
    /// Segmentation.
    pub sequence_flags: SequenceFlags,
    /// Place in the APID's sequence.
    pub sequence_count: SequenceCount,
    /// Bytes after the header, minus one, as transmitted (4.1.3.5).
    pub data_length_field: u16,
}

impl PrimaryHeader {
    /// Reads the first six bytes of a packet.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let Some(&[b0, b1, b2, b3, b4, b5]) = bytes.first_chunk::<PRIMARY_HEADER_BYTES>() else {
            return Err(HeaderError::Truncated { found_bytes: bytes.len() });
        };
        let identification = u16::from_be_bytes([b0, b1]);
        let sequence = u16::from_be_bytes([b2, b3]);
        let version = (identification >> 13) as u8;
        if version != 0 {
            return Err(HeaderError::Version { found: version });
        }
        Ok(Self {
            packet_type: if identification & 0x1000 == 0 {
                PacketType::Telemetry
            } else {
                PacketType::Telecommand
            },
            secondary_header: identification & 0x0800 != 0,
            apid: Apid(identification & 0x07FF),
            sequence_flags: match sequence >> 14 {
                0 => SequenceFlags::Continuation,
                1 => SequenceFlags::First,
                2 => SequenceFlags::Last,
                _ => SequenceFlags::Unsegmented,
            },
            sequence_count: SequenceCount(sequence & 0x3FFF),
            data_length_field: u16::from_be_bytes([b4, b5]),
        })
    }

    /// Writes the six bytes.
    pub fn encode(&self) -> [u8; PRIMARY_HEADER_BYTES] {
        let identification = u16::from(self.packet_type == PacketType::Telecommand) << 12
            | u16::from(self.secondary_header) << 11
            | self.apid.0;
        let flags: u16 = match self.sequence_flags {
            SequenceFlags::Continuation => 0,
            SequenceFlags::First => 1,
            SequenceFlags::Last => 2,
            SequenceFlags::Unsegmented => 3,
        };
        let [b0, b1] = identification.to_be_bytes();
        let [b2, b3] = (flags << 14 | self.sequence_count.0).to_be_bytes();
        let [b4, b5] = self.data_length_field.to_be_bytes();
        [b0, b1, b2, b3, b4, b5]
    }

    /// Bytes of the whole packet, header included: 7 to 65,542.
    pub fn packet_bytes(&self) -> usize {
        PRIMARY_HEADER_BYTES + usize::from(self.data_length_field) + 1
    }
}

/// Data that no packet can carry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found_bytes} bytes of packet data are out of range: a packet carries 1 to 65536")]
pub struct PacketBuildError {
    /// Bytes that were to be carried.
    pub found_bytes: usize,
}

/// Puts a header of an unsegmented telemetry packet before `data` (secondary header included in `data`).
pub fn build_packet(
    apid: Apid,
    sequence_count: SequenceCount,
    secondary_header: bool,
    data: &[u8],
) -> Result<Vec<u8>, PacketBuildError> {
    let refused = PacketBuildError { found_bytes: data.len() };
    let data_length_field =
        data.len().checked_sub(1).and_then(|length| u16::try_from(length).ok()).ok_or(refused)?;
    let header = PrimaryHeader {
        packet_type: PacketType::Telemetry,
        secondary_header,
        apid,
        sequence_flags: SequenceFlags::Unsegmented,
        sequence_count,
        data_length_field,
    };
    let mut packet = Vec::with_capacity(header.packet_bytes().min(PACKET_BYTES_MAX));
    packet.extend_from_slice(&header.encode());
    packet.extend_from_slice(data);
    Ok(packet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_header_of_a_flight_packet_reads_as_its_fields() {
        let header = PrimaryHeader::parse(&[0x08, 0x0B, 0xCA, 0x2E, 0x00, 0x40]).expect("a JPSS-1 header");
        assert_eq!(header.apid.value(), 11);
        assert!(header.secondary_header);
        assert_eq!(header.sequence_flags, SequenceFlags::Unsegmented);
        assert_eq!(header.sequence_count.value(), 2606);
        assert_eq!(header.packet_bytes(), 71);
    }

    #[test]
    fn a_version_other_than_zero_is_refused() {
        assert_eq!(PrimaryHeader::parse(&[0x20, 0, 0, 0, 0, 0]), Err(HeaderError::Version { found: 1 }));
        assert_eq!(PrimaryHeader::parse(&[0xFF; 6]), Err(HeaderError::Version { found: 7 }));
    }

    #[test]
    fn a_packet_without_data_or_with_too_much_cannot_be_built() {
        let apid = Apid::try_from(1).expect("in range");
        assert!(build_packet(apid, SequenceCount::default(), false, &[]).is_err());
        assert!(build_packet(apid, SequenceCount::default(), false, &vec![0; 65_537]).is_err());
        let largest = build_packet(apid, SequenceCount::default(), false, &vec![0; 65_536]).expect("fits");
        assert_eq!(largest.len(), PACKET_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn what_parses_encodes_to_the_same_bytes(bytes in any::<[u8; 6]>()) {
            if let Ok(header) = PrimaryHeader::parse(&bytes) {
                prop_assert_eq!(header.encode(), bytes);
            }
        }
    }
}
