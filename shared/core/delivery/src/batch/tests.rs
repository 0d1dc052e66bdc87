use proptest::prelude::*;

use super::*;

const STORE: StoreId = StoreId([7; 16]);

fn seal(records: &[(i64, Vec<u8>)], previous: &Position) -> SealedBatch {
    let mut builder = BatchBuilder::new("demo", "antenna");
    for (time, packet) in records {
        assert!(builder.has_room_for(packet.len()));
        builder.push(ReceptionTime(TaiTime(*time)), packet);
    }
    builder.pack().expect("records were pushed").seal(Lane::Telemetry, previous)
}

fn records_of(batch: &SealedBatch) -> Vec<(i64, Vec<u8>)> {
    let open = batch.open().expect("opens");
    open.packets().map(|(time, packet)| (time.0.0, packet.to_vec())).collect()
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let text = hexadecimal.trim();
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// Three packets of two kinds.
fn golden_records() -> [(i64, Vec<u8>); 3] {
    [(1_000, vec![0, 1, 2]), (2_000, vec![0, 1, 3]), (3_000, vec![9, 9])]
}

/// Packets of one kind, as small batches have them.
fn like_packets(count: u8) -> Vec<(i64, Vec<u8>)> {
    let head = [8, 100, 0xC0, 0, 0, 41, 0x5A, 0x45, 2, 200, 17];
    let packet = |number: u8| [&head[..3], &[number], &head[4..], &[number; 4], &[0; 28]].concat();
    (0..count).map(|number| (1_000_000 * i64::from(number), packet(number))).collect()
}

#[test]
fn batches_of_older_versions_still_open() {
    // Written when they were the newest: they lie on disks and in ledgers.
    for (version, text) in [(1, include_str!("golden-1.hex")), (2, include_str!("golden-2.hex"))] {
        let batch = SealedBatch::parse(bytes_of(text)).expect("parses");
        assert_eq!((batch.header.version, batch.header.content), (version, Content::Packets));
        assert_eq!(batch.header.last_reception, ReceptionTime(TaiTime(3_000)));
        assert_eq!(records_of(&batch), golden_records());
    }
}

#[test]
fn a_dictionary_never_changes_once_it_is_shipped() {
    let hash = blake3::hash(include_bytes!("dictionary-1.zstd")).to_hex();
    assert_eq!(&hash[..32], "07ef63961f8b49b016bf1d172c45bf72");
    let batch = SealedBatch::parse(bytes_of(include_str!("golden-dictionary-1.hex"))).expect("parses");
    assert_eq!(batch.header.codec, Codec::Dictionary(1));
    assert_eq!(records_of(&batch), like_packets(4));
}

#[test]
fn a_small_body_goes_through_the_dictionary_and_a_long_one_without() {
    let start = Position::start(STORE, Lane::Telemetry);
    let small = seal(&like_packets(4), &start);
    assert_eq!(small.header.codec, Codec::Dictionary(1));
    let mut builder = BatchBuilder::new("demo", "antenna");
    like_packets(4).iter().for_each(|(time, packet)| builder.push(ReceptionTime(TaiTime(*time)), packet));
    let without = builder.pack_with(&mut Packer::only(Codec::Zstd)).expect("not empty");
    assert!(small.header.body_bytes < without.bytes.len() as u32);
    assert_eq!(seal(&like_packets(200), &start).header.codec, Codec::Zstd);
    assert_eq!(seal(&[(0, vec![7; 3])], &start).header.codec, Codec::Plain);
}

#[test]
fn a_dictionary_that_is_not_known_is_named() {
    let start = Position::start(STORE, Lane::Telemetry);
    let small = seal(&like_packets(4), &start);
    for number in [0, 2, 255] {
        let header = BatchHeader { codec: Codec::Dictionary(number), ..small.header.clone() };
        let newer = SealedBatch::seal(header, small.body(), start.hash);
        assert_eq!(SealedBatch::parse(newer.into_bytes()), Err(BatchError::Dictionary { number }));
    }
}

#[test]
fn a_body_that_unpacks_to_more_than_it_states_is_refused() {
    let start = Position::start(STORE, Lane::Telemetry);
    let small = seal(&like_packets(4), &start).header;
    let zeros = vec![0; 10 << 20];
    let with_dictionary = dictionary::compressor().expect("zstd").compress(&zeros).expect("packs");
    let bombs = [
        (Codec::Dictionary(1), dictionary::without_magic(&with_dictionary)),
        (Codec::Zstd, &zstd::bulk::compress(&zeros, 1).expect("packs")[..]),
    ];
    for (codec, body) in bombs {
        let header =
            |raw_bytes| BatchHeader { codec, raw_bytes, body_bytes: body.len() as u32, ..small.clone() };
        for raw_bytes in [1, 200, RAW_BYTES_MAX as u32] {
            let batch = SealedBatch::seal(header(raw_bytes), body, start.hash);
            let parsed = SealedBatch::parse(batch.into_bytes()).expect("parses");
            assert!(matches!(parsed.open(), Err(BatchError::Malformed { .. })), "{codec:?} {raw_bytes}");
        }
        let batch = SealedBatch::seal(header(RAW_BYTES_MAX as u32 + 1), body, start.hash);
        assert!(matches!(SealedBatch::parse(batch.into_bytes()), Err(BatchError::Malformed { .. })));
    }
}

#[test]
fn where_a_batch_begins_its_length_is_known() {
    for text in [include_str!("golden-1.hex"), include_str!("golden-2.hex"), include_str!("golden-3.hex")] {
        let bytes = bytes_of(text);
        let followed = [&bytes[..], &[1; 50]].concat();
        assert_eq!(SealedBatch::length_at(&followed), Some(bytes.len()));
        assert_eq!(SealedBatch::length_at(&bytes[..20]), None);
    }
}

#[test]
fn what_was_found_out_about_a_record_travels_with_it() {
    let mut builder = BatchBuilder::of(Content::Samples, "demo", "antenna");
    builder.push(ReceptionTime(TaiTime(1)), &[1, 2, 3]);
    builder.push_judged(ReceptionTime(TaiTime(2)), Verdicts(0x8000_0001), true, &[1]);
    let batch =
        builder.pack().expect("not empty").seal(Lane::Telemetry, &Position::start(STORE, Lane::Telemetry));
    assert_eq!((batch.header.quarantined, batch.header.has_verdicts), (1, true));
    let open = SealedBatch::parse(batch.into_bytes()).expect("parses").open().expect("opens");
    assert_eq!(open.content(), Content::Samples);
    let found: Vec<_> = open.records().map(|record| (record.verdicts.0, record.bytes.to_vec())).collect();
    assert_eq!(found, [(0, vec![1, 2, 3]), (0x8000_0001, vec![1])]);
    assert_eq!(open.packets().count(), 0);
}

#[test]
fn a_gap_stands_in_for_what_is_missing_and_the_chain_goes_on_behind_it() {
    let start = Position::start(STORE, Lane::Telemetry);
    let first = seal(&[(5, vec![1; 9])], &start);
    let lost = seal(&[(6, vec![2; 9]), (7, vec![2; 9])], &first.position());
    let next = seal(&[(8, vec![3; 9])], &lost.position());
    let gap = Gap {
        first: lost.header.sequence,
        reason: GapReason::Damaged,
        records: next.header.records_before - first.position().records,
        continues: next.previous,
    };
    let declared = SealedBatch::seal_gap(
        Lane::Telemetry,
        &first.position(),
        BatchSequence(2),
        gap,
        ("demo", "antenna"),
        ReceptionTime(TaiTime(9)),
    );
    let parsed = SealedBatch::parse(declared.into_bytes()).expect("parses");
    assert_eq!(parsed.header.gap, Some(gap));
    assert!(parsed.open().expect("opens").is_empty());
    let position = parsed.position();
    assert_eq!((position.number(), position.records, position.hash), (2, 3, next.previous));
}

#[test]
fn a_sealed_batch_has_the_same_bytes_as_ever() {
    // Golden bytes: a change here is a change of the format and needs a new version.
    let start = Position::start(STORE, Lane::Telemetry);
    assert_eq!(seal(&golden_records(), &start).bytes(), bytes_of(include_str!("golden-3.hex")));
}

#[test]
fn the_longest_pieces_of_alarms_travel_in_batches_of_their_own_kind() {
    let mut builder = BatchBuilder::of(Content::Alarms, "demo", "node");
    let piece = vec![5; crate::ALARM_PIECE_BYTES_MAX];
    builder.push(ReceptionTime(TaiTime(1)), &piece);
    assert!(!builder.has_room_for(piece.len()), "two of them do not fit");
    let batch = builder.pack().expect("not empty").seal(Lane::Alarm, &Position::start(STORE, Lane::Alarm));
    let batch = SealedBatch::parse(batch.into_bytes()).expect("parses");
    assert_eq!((batch.header.content, u8::from(batch.header.content)), (Content::Alarms, 5));
    let open = batch.open().expect("opens");
    assert_eq!(open.records().map(|record| record.bytes.to_vec()).collect::<Vec<_>>(), [piece]);
}

#[test]
fn each_batch_continues_the_counts_and_the_chain_of_the_one_before() {
    let start = Position::start(STORE, Lane::Telemetry);
    let first = seal(&[(5, vec![1; 90]), (4, vec![1; 90])], &start);
    let second = seal(&[(9, vec![2; 10])], &first.position());
    assert_eq!(second.header.sequence, BatchSequence(2));
    assert_eq!(second.header.records_before, 2);
    assert_eq!(second.header.bytes_before, first.bytes().len() as u64);
    assert_eq!(second.previous, first.hash);
    assert_eq!(first.header.first_reception, ReceptionTime(TaiTime(4)));
}

#[test]
fn a_batch_is_full_before_it_outgrows_a_journal_value() {
    let mut builder = BatchBuilder::new("demo", "antenna");
    let mut noise = 1_u64;
    while builder.has_room_for(1_000) {
        let packet: Vec<u8> = (0..1_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect();
        builder.push(ReceptionTime(TaiTime(0)), &packet);
    }
    let body = builder.pack().expect("not empty");
    assert!(body.sealed_bytes_max() <= BATCH_BYTES_MAX);
    let mut builder = BatchBuilder::new("demo", "antenna");
    builder.push(ReceptionTime(TaiTime(0)), &vec![0xA7; PACKET_BYTES_MAX]);
    let batch =
        builder.pack().expect("not empty").seal(Lane::Telemetry, &Position::start(STORE, Lane::Telemetry));
    assert_eq!(
        records_of(&SealedBatch::parse(batch.into_bytes()).expect("parses"))[0].1.len(),
        PACKET_BYTES_MAX
    );
}

#[test]
fn a_batch_with_a_name_that_no_row_can_hold_is_refused() {
    let mut builder = BatchBuilder::new("a\0b", "antenna");
    builder.push(ReceptionTime(TaiTime(0)), &[1; 8]);
    let batch =
        builder.pack().expect("not empty").seal(Lane::Telemetry, &Position::start(STORE, Lane::Telemetry));
    assert!(matches!(SealedBatch::parse(batch.into_bytes()), Err(BatchError::Malformed { .. })));
}

#[test]
fn a_packer_that_was_used_before_gives_the_same_bytes() {
    let mut used = Packer::default();
    for length in [90, 7, 400] {
        let build = || {
            let mut builder = BatchBuilder::new("demo", "antenna");
            for number in 0..100_u8 {
                builder.push(ReceptionTime(TaiTime(i64::from(number))), &vec![number / 3; length]);
            }
            builder
        };
        let position = Position::start(STORE, Lane::Telemetry);
        let fresh = build().pack().expect("not empty").seal(Lane::Telemetry, &position);
        let again = build().pack_with(&mut used).expect("not empty").seal(Lane::Telemetry, &position);
        assert_eq!(again, fresh, "records of {length} bytes");
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens_to_the_same_records_in_the_same_order(
        records in proptest::collection::vec(
            (any::<i64>(), prop_oneof![
                proptest::collection::vec(any::<u8>(), 7..120),
                Just(vec![8, 1, 2, 3, 4, 5, 6, 7]),
                // Of one kind, so that they are turned together.
                any::<[u8; 27]>().prop_map(|bytes| [&[8, 9], &bytes[..]].concat()),
            ]),
            1..200,
        ),
    ) {
        let batch = seal(&records, &Position::start(STORE, Lane::Telemetry));
        let parsed = SealedBatch::parse(batch.bytes().to_vec()).expect("parses");
        prop_assert_eq!(&parsed, &batch);
        prop_assert_eq!(records_of(&parsed), records);
    }

    #[test]
    fn whatever_the_codec_records_come_out_as_they_went_in(
        content in proptest::sample::select(vec![
            Content::Alarms,
            Content::Events,
            Content::Packets,
            Content::Samples,
            Content::Unframed,
        ]),
        codec in proptest::sample::select(vec![Codec::Plain, Codec::Zstd, Codec::Dictionary(1)]),
        records in proptest::collection::vec(
            (any::<i64>(), any::<u32>(), prop_oneof![
                proptest::collection::vec(any::<u8>(), 1..40),
                any::<[u8; 3]>().prop_map(|bytes| [&[8, 100, 0, 0], &bytes[..], &[0; 30]].concat()),
            ]),
            1..60,
        ),
    ) {
        let mut builder = BatchBuilder::of(content, "demo", "antenna");
        for (time, verdicts, record) in &records {
            builder.push_judged(ReceptionTime(TaiTime(*time)), Verdicts(*verdicts), false, record);
        }
        let body = builder.pack_with(&mut Packer::only(codec)).expect("not empty");
        let batch = body.seal(Lane::Telemetry, &Position::start(STORE, Lane::Telemetry));
        prop_assert!([codec, Codec::Plain].contains(&batch.header.codec));
        let open = SealedBatch::parse(batch.into_bytes()).expect("parses").open().expect("opens");
        prop_assert_eq!(open.content(), content);
        let out: Vec<_> =
            open.records().map(|record| (record.reception.0.0, record.verdicts.0, record.bytes.to_vec())).collect();
        prop_assert_eq!(out, records);
    }

    #[test]
    fn a_hostile_body_unpacks_to_no_more_than_it_states(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        // A single segment of repeated bytes or raw ones, or anything.
        head in prop_oneof![Just(vec![0x60, 0xFF, 0xFF]), Just(vec![0x00, 0xFF]), Just(Vec::new())],
        raw_bytes in 0usize..5_000,
    ) {
        let body = [&head[..], &body].concat();
        for codec in [Codec::Dictionary(1), Codec::Zstd] {
            if let Ok(plain) = packer::unpack(codec, &body, raw_bytes) {
                prop_assert!(plain.len() <= raw_bytes);
            }
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed(at in any::<proptest::sample::Index>(), bit in 0u8..8) {
        let batch = seal(&[(1, vec![3; 50]), (2, vec![4; 50])], &Position::start(STORE, Lane::Telemetry));
        let mut bytes = batch.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(SealedBatch::parse(bytes).is_err());
    }

    #[test]
    fn columns_that_state_anything_never_panic(
        groups in proptest::collection::vec((0u8..4, 0u8..4), 0..4),
        rest in proptest::collection::vec(any::<u8>(), 0..40),
        records in 0usize..12,
    ) {
        let mut bytes = vec![groups.len() as u8];
        groups.iter().for_each(|&(length, packets)| bytes.extend([length, packets]));
        bytes.extend(rest);
        for (has_verdicts, differences) in [(false, false), (true, true)] {
            let _ = columns::decode(&bytes, Layout { records, has_verdicts, since: i64::MAX, differences });
        }
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), records in 0usize..2_000) {
        prop_assert!(SealedBatch::parse(bytes.clone()).is_err());
        for (has_verdicts, differences) in [(false, false), (true, true)] {
            let _ = columns::decode(&bytes, Layout { records, has_verdicts, since: i64::MAX, differences });
        }
    }
}
