//! A packet of a mission, decoded into samples that know their generation time.

use std::sync::Arc;

use mission_database::{DecodeError, DecodedPacket, Dictionary};
use serde::Deserialize;
use space_packet::time::cds;
use space_packet::{Apid, GenerationTime, HeaderError, PrimaryHeader, ReceptionTime};

use crate::{Raw, Sample};

/// Where a mission's packets carry the time at which they were made.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(tag = "code", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PacketTime {
    /// CDS (CCSDS 301.0-B-4, 3.3) in the secondary header.
    Cds {
        /// Where it begins, counted from the packet's first byte; 6 is right behind the primary header.
        offset_bytes: usize,
        /// 16 or 24.
        #[serde(default = "sixteen")]
        day_bits: u8,
        /// What follows the milliseconds.
        #[serde(default)]
        submilliseconds: cds::Submilliseconds,
    },
    /// Packets carry none: the reception time stands in.
    #[default]
    None,
}

fn sixteen() -> u8 {
    16
}

impl PacketTime {
    fn read(self, header: &PrimaryHeader, packet: &[u8]) -> Option<GenerationTime> {
        match self {
            Self::Cds { offset_bytes, day_bits, submilliseconds } if header.secondary_header => {
                let day = if day_bits == 24 { cds::DayField::Bits24 } else { cds::DayField::Bits16 };
                let layout = cds::Layout { day, submilliseconds };
                layout.decode(packet.get(offset_bytes..)?).ok().map(GenerationTime)
            }
            Self::Cds { .. } | Self::None => None,
        }
    }
}

/// What became of a packet.
#[derive(Debug)]
pub enum PacketOutcome {
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

/// Decodes the packets of one mission.
#[derive(Clone)]
pub struct MissionDecoder {
    dictionary: Arc<Dictionary>,
    time: PacketTime,
}

impl MissionDecoder {
    /// A decoder of packets that `dictionary` describes and that carry their time as `time` says.
    pub fn new(dictionary: Arc<Dictionary>, time: PacketTime) -> Self {
        Self { dictionary, time }
    }

    /// The dictionary.
    pub fn dictionary(&self) -> &Arc<Dictionary> {
        &self.dictionary
    }

    /// Decodes a packet and appends its samples. `scratch` only saves allocations.
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
        let generation = self.time.read(&header, packet).unwrap_or(GenerationTime(reception.0));
        let result = self.dictionary.decode(packet, scratch);
        samples.extend(scratch.values.iter().map(|value| {
            let is_calibrated = self.dictionary.parameter(value.parameter).calibrated;
            Sample {
                parameter: value.parameter,
                generation,
                reception,
                raw: Raw::from(&value.raw),
                calibrated: Sample::calibrated_from(&value.engineering, is_calibrated),
            }
        }));
        match result {
            Err(error) => PacketOutcome::Partial(error),
            Ok(()) if scratch.unresolved => PacketOutcome::Unresolved,
            Ok(()) => PacketOutcome::Decoded,
        }
    }
}
