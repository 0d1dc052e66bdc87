//! One packet taken apart, for somebody who looks at it: what it says of its time, and where in it each value stands.

use mission_database::{BitSpan, DecodedPacket, VersionNumber};
use space_packet::{Apid, GenerationTime, PrimaryHeader, ReceptionTime};

use crate::decoder::{DatedPacket, PacketClock};
use crate::{MissionDecoder, PacketOutcome, Sample};

/// A packet, decoded by the version in force when it was made.
#[derive(Debug)]
pub struct DissectedPacket {
    /// What became of it.
    pub outcome: PacketOutcome,
    /// The version of the dictionary that read it; absent when nothing was read.
    pub version: Option<VersionNumber>,
    /// Full name of the most specific container that fits.
    pub container: Option<String>,
    /// Its values in the order in which they were read, each with its place.
    pub values: Vec<(Sample, BitSpan)>,
}

impl MissionDecoder {
    /// When a packet says that it was made; `None` when it does not say so, or not so that it can be read.
    pub fn generation(&self, packet: &[u8]) -> Option<GenerationTime> {
        let header = PrimaryHeader::parse(packet).ok()?;
        match self.packet_clock(&header, packet) {
            PacketClock::Read(generation) => Some(generation),
            PacketClock::Absent | PacketClock::Unreadable => None,
        }
    }

    /// Decodes a packet as [`MissionDecoder::decode`] does, and tells the place of each value. One that is damaged or
    /// idle has none.
    pub fn dissect(&self, reception: ReceptionTime, packet: &[u8]) -> DissectedPacket {
        let unread =
            |outcome| DissectedPacket { outcome, version: None, container: None, values: Vec::new() };
        match PrimaryHeader::parse(packet) {
            Ok(header) if header.apid == Apid::IDLE => return unread(PacketOutcome::Idle),
            Ok(_) => {}
            Err(error) => return unread(PacketOutcome::NotAPacket(error)),
        }
        let generation = self.generation(packet).unwrap_or(GenerationTime(reception.0));
        let dated = DatedPacket { bytes: packet, generation, reception, has_error_control: false };
        let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
        let (outcome, _) = self.decode_dated(dated, &mut scratch, &mut samples);
        if let PacketOutcome::Damaged(_) = outcome {
            return unread(outcome);
        }
        let reading = self.database().at(generation.0);
        let container = scratch.container.map(|index| reading.dictionary.container(index).name.clone());
        let spans = reading.dictionary.bit_spans(packet);
        let values = samples.into_iter().zip(spans).collect();
        DissectedPacket { outcome, version: Some(reading.version), container, values }
    }
}

#[cfg(test)]
mod tests {
    use mission_database::{Dictionary, MissionDatabase};
    use space_packet::{SequenceCount, TaiTime, build_packet};

    use super::*;
    use crate::{PacketConventions, Raw};

    const FIRST: &str = r#"<SpaceSystem name="Demo"><TelemetryMetaData>
        <ParameterTypeSet><IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
        </ParameterTypeSet><ParameterSet><Parameter name="VOLTS" parameterTypeRef="T"/></ParameterSet>
        <ContainerSet><SequenceContainer name="HK"><EntryList>
          <ParameterRefEntry parameterRef="VOLTS"><LocationInContainerInBits referenceLocation="containerStart">
          <FixedValue>48</FixedValue></LocationInContainerInBits></ParameterRefEntry></EntryList></SequenceContainer>
        </ContainerSet></TelemetryMetaData></SpaceSystem>"#;

    fn decoder(has_error_control: bool) -> MissionDecoder {
        let load = |text: &str| Dictionary::from_xtce("demo.xml", text).expect("loads");
        let second = FIRST.replace("<FixedValue>48", "<FixedValue>56");
        let database = MissionDatabase::new(VersionNumber(1), load(FIRST))
            .with_version(VersionNumber(2), TaiTime(1_000), load(&second))
            .expect("fits");
        MissionDecoder::new(database, PacketConventions { has_error_control, ..PacketConventions::default() })
    }

    fn packet() -> Vec<u8> {
        let apid = Apid::try_from(5).expect("in range");
        build_packet(apid, SequenceCount::default(), false, &[7, 9]).expect("fits")
    }

    #[test]
    fn a_packet_is_taken_apart_by_the_version_of_its_time() {
        let check = |reception: i64, version: u32, start: usize, expected: u64| {
            let found = decoder(false).dissect(ReceptionTime(TaiTime(reception)), &packet());
            assert_eq!(
                (found.version, found.container.as_deref()),
                (Some(VersionNumber(version)), Some("/Demo/HK"))
            );
            let [(sample, span)] = found.values.as_slice() else { panic!("one value: {found:?}") };
            assert_eq!((&sample.raw, *span), (&Raw::Unsigned(expected), BitSpan { start, bits: 8 }));
        };
        check(999, 1, 48, 7);
        check(1_000, 2, 56, 9);
    }

    #[test]
    fn what_is_damaged_or_no_packet_has_no_values() {
        let check = |packet: &[u8], expected: &str| {
            let found = decoder(true).dissect(ReceptionTime::default(), packet);
            assert_eq!((found.outcome.word(), found.values.len(), found.version), (expected, 0, None));
        };
        check(&packet(), "damaged");
        check(&[1, 2, 3], "not-a-packet");
        let idle = build_packet(Apid::IDLE, SequenceCount::default(), false, &[0]).expect("fits");
        check(&idle, "idle");
    }
}
