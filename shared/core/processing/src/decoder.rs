//! A packet of a mission, decoded into samples that know their generation time.

use mission_database::{DecodeError, DecodedPacket, MissionDatabase};
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
        let reading = self.database.at(generation.0);
        let is_checked = self.conventions.has_error_control || reading.dictionary.has_error_control();
        if is_checked && let Err(error) = crc::check(packet) {
            return PacketOutcome::Damaged(error);
        }
        let result = reading.dictionary.decode(packet, scratch);
        samples.extend(scratch.values.iter().map(|value| Sample::new(reading, value, generation, reception)));
        match result {
            Err(error) => PacketOutcome::Partial(error),
            Ok(()) if scratch.unresolved => PacketOutcome::Unresolved,
            Ok(()) => PacketOutcome::Decoded,
        }
    }
}
