//! A packet of a mission, decoded into samples that know their generation time.

use mission_database::{DecodeError, DecodedPacket, MissionDatabase, Validity};
use space_packet::crc::{self, CrcError};
use space_packet::{Apid, GenerationTime, HeaderError, PrimaryHeader, ReceptionTime};

use crate::{PacketTime, Sample};

/// What became of a packet.
#[derive(Debug)]
pub enum PacketOutcome {
    /// Its error control says that it was changed on its way: nothing is decoded.
    Damaged(CrcError),
    /// All its parameters were decoded.
    Decoded,
    /// An idle packet: there is nothing in it.
    Idle,
    /// Not a space packet.
    NotAPacket(HeaderError),
    /// It ended before its container did; what came before is decoded.
    Partial(DecodeError),
    /// No concrete container fits; what the abstract ones hold is decoded.
    Unresolved,
}

impl PacketOutcome {
    /// One word for it, as counts have it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "damaged",
            Self::Decoded => "decoded",
            Self::Idle => "idle",
            Self::NotAPacket(_) => "not-a-packet",
            Self::Partial(_) => "partial",
            Self::Unresolved => "unresolved",
        }
    }
}

/// How a mission's packets are read beside its dictionary.
#[derive(Clone, Debug, Default)]
pub struct PacketConventions {
    /// Where packets carry their time.
    pub time: PacketTime,
    /// Whether they end in a CRC-16, even when the dictionary does not say so.
    pub has_error_control: bool,
}

/// What a packet says of its own time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PacketClock {
    /// It announces none.
    Absent,
    /// It was made then.
    Read(GenerationTime),
    /// It announces one that is cut off, of another code, or not plausible.
    Unreadable,
}

/// A packet and its times.
#[derive(Clone, Copy)]
pub(crate) struct DatedPacket<'p> {
    pub(crate) bytes: &'p [u8],
    pub(crate) generation: GenerationTime,
    pub(crate) reception: ReceptionTime,
    /// Whether it ends in a CRC-16 whatever conventions and dictionary say.
    pub(crate) has_error_control: bool,
}

/// Which validities occur among some values.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Validities(u8);

impl Validities {
    #[inline]
    pub(crate) fn add(&mut self, validity: Validity) {
        self.0 |= 1 << validity as u8;
    }

    /// Whether all are valid.
    pub(crate) fn are_valid(self) -> bool {
        self.0 & !(1 << Validity::Valid as u8) == 0
    }

    pub(crate) fn holds(self, validity: Validity) -> bool {
        self.0 & 1 << validity as u8 != 0
    }
}

/// Decodes the packets of one mission. A clone shares the mission's dictionaries.
#[derive(Clone)]
pub struct MissionDecoder {
    database: MissionDatabase,
    conventions: PacketConventions,
}

impl MissionDecoder {
    /// A decoder of packets that `database` describes.
    pub fn new(database: MissionDatabase, conventions: PacketConventions) -> Self {
        Self { database, conventions }
    }

    /// The mission's dictionaries.
    pub fn database(&self) -> &MissionDatabase {
        &self.database
    }

    /// The same conventions with other dictionaries.
    #[must_use]
    pub fn with_database(&self, database: MissionDatabase) -> Self {
        Self { database, conventions: self.conventions.clone() }
    }

    /// Decodes a packet, by the version in force when it was made, and appends its samples. `scratch` only saves
    /// allocations.
    ///
    /// A packet without a readable time is as old as its reception.
    pub fn decode<'p>(
        &self,
        reception: ReceptionTime,
        packet: &'p [u8],
        scratch: &mut DecodedPacket<'p>,
        samples: &mut Vec<Sample>,
    ) -> PacketOutcome {
        let header = match PrimaryHeader::parse(packet) {
            Ok(header) if header.apid == Apid::IDLE => return PacketOutcome::Idle,
            Ok(header) => header,
            Err(error) => return PacketOutcome::NotAPacket(error),
        };
        let time = self.conventions.time.read(&header, packet);
        let generation = time.unwrap_or(GenerationTime(reception.0));
        let dated = DatedPacket { bytes: packet, generation, reception, has_error_control: false };
        self.decode_dated(dated, scratch, samples).0
    }

    /// When a packet says that it was made.
    pub(crate) fn packet_clock(&self, header: &PrimaryHeader, packet: &[u8]) -> PacketClock {
        let time = &self.conventions.time;
        match time.read(header, packet) {
            Some(generation) => PacketClock::Read(generation),
            None if header.secondary_header && *time != PacketTime::None => PacketClock::Unreadable,
            None => PacketClock::Absent,
        }
    }

    /// Decodes a packet whose time is known already.
    pub(crate) fn decode_dated<'p>(
        &self,
        packet: DatedPacket<'p>,
        scratch: &mut DecodedPacket<'p>,
        samples: &mut impl Extend<Sample>,
    ) -> (PacketOutcome, Validities) {
        let DatedPacket { bytes, generation, reception, has_error_control } = packet;
        let reading = self.database.at(generation.0);
        let is_checked =
            has_error_control || self.conventions.has_error_control || reading.dictionary.has_error_control();
        let mut validities = Validities::default();
        if is_checked && let Err(error) = crc::check(bytes) {
            return (PacketOutcome::Damaged(error), validities);
        }
        let result = reading.dictionary.decode(bytes, scratch);
        scratch.values.iter().for_each(|value| validities.add(value.validity));
        samples.extend(scratch.values.iter().map(|value| Sample::new(reading, value, generation, reception)));
        let outcome = match result {
            Err(error) => PacketOutcome::Partial(error),
            Ok(()) if scratch.unresolved => PacketOutcome::Unresolved,
            Ok(()) => PacketOutcome::Decoded,
        };
        (outcome, validities)
    }
}
