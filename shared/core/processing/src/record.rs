//! A record of a batch, read again: in the archive, for local history, and out of quarantine.

use delivery::{Content, Record, SampleRecord, Verdicts};
use mission_database::DecodedPacket;
use space_packet::GenerationTime;

use crate::validation::{converted, named};
use crate::{MissionDecoder, PacketOutcome, Sample, Verdict};

/// What another dictionary does not change: such a record is never read.
const UNREADABLE: Verdicts = Verdicts(
    1 << Verdict::ApidUnknown as u32
        | 1 << Verdict::CrcMismatch as u32
        | 1 << Verdict::LengthMismatch as u32
        | 1 << Verdict::NotAPacket as u32,
);

/// What became of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordOutcome {
    /// There is nothing in it to be read: an idle packet, an event.
    Empty,
    /// All of it was read.
    Read,
    /// It was read in part or not at all; one word says why, as counts have it.
    Unread(&'static str),
}

impl MissionDecoder {
    /// Reads a record of a batch that holds `content`, by the version in force when it was made, and appends its
    /// samples. `scratch` only saves allocations.
    ///
    /// What intake found wrong for good is not read; what the dictionary of that day did not know is tried again.
    pub fn decode_record<'r>(
        &self,
        content: Content,
        record: Record<'r>,
        scratch: &mut DecodedPacket<'r>,
        samples: &mut Vec<Sample>,
    ) -> RecordOutcome {
        if record.verdicts.intersects(UNREADABLE) {
            return RecordOutcome::Unread("quarantined");
        }
        match content {
            Content::Alarms | Content::Events => RecordOutcome::Empty,
            Content::Packets => match self.decode(record.reception, record.bytes, scratch, samples) {
                PacketOutcome::Decoded => RecordOutcome::Read,
                PacketOutcome::Idle => RecordOutcome::Empty,
                unread => RecordOutcome::Unread(unread.word()),
            },
            Content::Samples => self.decode_sample(record, samples),
            Content::Unframed => RecordOutcome::Unread("unframed"),
        }
    }

    fn decode_sample(&self, record: Record<'_>, samples: &mut Vec<Sample>) -> RecordOutcome {
        let Ok(sample) = SampleRecord::decode(record.bytes) else { return RecordOutcome::Unread("damaged") };
        let generation = sample.generation.unwrap_or(GenerationTime(record.reception.0));
        let reading = self.database().at(generation.0);
        let Some(parameter) = named(self.database(), reading, &sample.parameter) else {
            return RecordOutcome::Unread(Verdict::ParameterUnknown.code());
        };
        match converted(reading, parameter, &sample) {
            Ok(value) => {
                samples.push(Sample::new(reading, &value, generation, record.reception));
                RecordOutcome::Read
            }
            Err(_) => RecordOutcome::Unread(Verdict::ValueUnfit.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use delivery::{ReadingKind, Scalar};
    use mission_database::{Dictionary, MissionDatabase, VersionNumber};
    use space_packet::{ReceptionTime, TaiTime};

    use super::*;
    use crate::PacketConventions;

    const DEMO: &str = r#"<SpaceSystem name="DEMO"><TelemetryMetaData>
        <ParameterTypeSet><IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
        </ParameterTypeSet><ParameterSet><Parameter name="VOLTS" parameterTypeRef="T"/></ParameterSet>
        <ContainerSet><SequenceContainer name="HK"><EntryList>
          <ParameterRefEntry parameterRef="VOLTS"/></EntryList></SequenceContainer></ContainerSet>
        </TelemetryMetaData></SpaceSystem>"#;

    fn check(parameter: &str, verdicts: Verdicts, expected: RecordOutcome, samples_expected: usize) {
        let dictionary = Dictionary::from_xtce("demo.xml", DEMO).expect("loads");
        let decoder = MissionDecoder::new(
            MissionDatabase::new(VersionNumber(1), dictionary),
            PacketConventions::default(),
        );
        let sample = SampleRecord {
            parameter: parameter.to_owned(),
            generation: None,
            reading: ReadingKind::Raw,
            value: Scalar::Unsigned(7),
        };
        let bytes = sample.encode();
        let record = Record { reception: ReceptionTime(TaiTime(5)), verdicts, bytes: &bytes };
        let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
        let outcome = decoder.decode_record(Content::Samples, record, &mut scratch, &mut samples);
        assert_eq!((outcome, samples.len()), (expected, samples_expected));
        assert!(samples.iter().all(|sample| sample.generation.0 == TaiTime(5)));
    }

    #[test]
    fn what_the_dictionary_did_not_know_is_tried_again_and_what_is_wrong_for_good_is_not() {
        check("/DEMO/VOLTS", Verdicts::NONE, RecordOutcome::Read, 1);
        check("/DEMO/VOLTS", Verdict::ParameterUnknown.into(), RecordOutcome::Read, 1);
        check("/DEMO/AMPS", Verdict::ParameterUnknown.into(), RecordOutcome::Unread("parameter-unknown"), 0);
        check("/DEMO/VOLTS", Verdict::CrcMismatch.into(), RecordOutcome::Unread("quarantined"), 0);
    }
}
