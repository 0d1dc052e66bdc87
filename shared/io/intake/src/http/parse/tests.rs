//! Bodies become records, whatever they hold.

use std::sync::LazyLock;

use mission_database::{Dictionary, VersionNumber};
use proptest::prelude::*;
use space_packet::{Apid, SequenceCount, build_packet};

use super::*;

const XTCE: &str = r#"<SpaceSystem name="D"><TelemetryMetaData><ParameterTypeSet>
<IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType></ParameterTypeSet>
<ParameterSet><Parameter name="P" parameterTypeRef="T"/></ParameterSet>
<ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="P"/></EntryList>
</SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

static DATABASE: LazyLock<MissionDatabase> = LazyLock::new(|| {
    let dictionary = Dictionary::from_xtce("d.xml", XTCE).expect("it is a good one");
    MissionDatabase::new(VersionNumber(1), dictionary)
});

fn rules(is_partial: bool) -> Rules<'static> {
    Rules { mission: "demo", packet_bytes_max: 1_000, database: &DATABASE, is_partial }
}

fn packet(bytes: usize) -> Vec<u8> {
    let apid = Apid::try_from(20).expect("in range");
    let count = SequenceCount::try_from(3).expect("in range");
    build_packet(apid, count, false, &vec![7; bytes]).expect("it fits")
}

fn bytes_of(pieces: &[Records]) -> Vec<u8> {
    let bytes = pieces.iter().map(|piece| match piece {
        Records::Packets { bytes, .. } => bytes.clone(),
        _ => Vec::new(),
    });
    bytes.collect::<Vec<_>>().concat()
}

#[test]
fn no_piece_is_longer_than_a_batch_may_be() {
    let body = packet(900).repeat(2_000);
    let parsed = read(Format::Packets, &body.clone().into(), &rules(false)).expect("all are packets");
    assert_eq!(bytes_of(&parsed.pieces), body);
    for piece in &parsed.pieces {
        assert!(piece.count() <= PIECE_RECORDS && piece.bytes() <= PIECE_BYTES + 4 * PIECE_RECORDS);
    }
    let text = "x".repeat(60_000);
    let samples: String = (0..5).map(|_| format!("{{\"parameter\":\"P\",\"value\":\"{text}\"}}\n")).collect();
    let format = Format::Samples(SampleFormat::NdJson);
    let refused = read(format, &samples.into(), &rules(false)).expect_err("no text fits a number");
    assert_eq!(refused.cause, Cause::Sample(SampleCause::ValueUnfit));
}

#[test]
fn a_packet_longer_than_the_link_takes_is_told_by_its_place() {
    let body = [packet(10), packet(2_000)].concat();
    let refused = read(Format::Packets, &body.into(), &rules(false)).expect_err("too long");
    assert_eq!(refused.cause, Cause::Oversized);
    assert_eq!((refused.refused[0].index, refused.refused[0].offset), (1, Some(16)));
    assert!(refused.message.contains("2006 bytes"), "{}", refused.message);
}

#[test]
fn a_message_of_another_mission_is_not_taken() {
    let content = Some(Content::Packets(packet(5)));
    let message = IngestRequest { mission: "apollo".to_owned(), content, ..IngestRequest::default() };
    let refused = read_message(message, &rules(false)).expect_err("of another mission");
    assert_eq!(refused.cause, Cause::ProtobufMalformed);
}

proptest! {
    #[test]
    fn whatever_a_body_holds_it_gives_records_or_says_why_not(
        bytes in any::<Vec<u8>>(),
        is_partial in any::<bool>(),
    ) {
        let formats = [
            Format::Packets,
            Format::Protobuf,
            Format::Samples(SampleFormat::Json),
            Format::Samples(SampleFormat::NdJson),
        ];
        for format in formats {
            match read(format, &bytes.clone().into(), &rules(is_partial)) {
                Ok(parsed) => prop_assert!(parsed.records > 0),
                Err(refusal) => prop_assert!(!refusal.message.is_empty()),
            }
        }
    }

    #[test]
    fn what_is_left_out_and_what_is_left_are_all(count in 1_usize..1_500, skipped in 0_usize..1_600) {
        let body = packet(4).repeat(count);
        let parsed = read(Format::Packets, &body.clone().into(), &rules(false)).expect("all are packets");
        let left = skip(parsed.pieces, skipped);
        let expected = &body[(skipped * packet(4).len()).min(body.len())..];
        prop_assert_eq!(bytes_of(&left), expected);
        prop_assert_eq!(left.iter().map(Records::count).sum::<usize>(), count.saturating_sub(skipped));
    }
}
