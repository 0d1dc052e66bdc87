use proptest::prelude::*;

use super::*;
use crate::{DocumentBounds, DocumentHash, DocumentKind, DocumentSignature, HeldDocument, MissionHolds};

#[test]
fn frames_have_the_same_bytes_as_ever() {
    let check = |frame: Frame, kind: u8, expected: &str| {
        let (found, body) = frame.encode();
        let text: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((found, text.as_str()), (kind, expected));
        assert_eq!(Frame::decode(found, &body).expect("decodes"), Some(frame));
    };
    check(
        Frame::Ack(Ack { log: LogNumber(1), watermark: 300, safe: 299, ranges: vec![(310, 311)] }),
        5,
        "01ac02ab0201b602b702",
    );
    check(
        Frame::HelloReject(HelloReject {
            code: RejectCode::Version,
            detail: "no".to_owned(),
            retry_after_ms: 60_000,
        }),
        3,
        "02026e6fe0d403",
    );
    check(
        Frame::Hello(Hello {
            protocol: 2,
            boot: BootId([2; 16]),
            logs: vec![LogHead {
                lane: Lane::Telemetry,
                store: StoreId([1; 16]),
                head: Some(BatchSequence(9)),
                is_forked: false,
            }],
            node_time: TaiTime(-1),
            software: "x".to_owned(),
        }),
        1,
        &format!("02{}0102{}0109000101{}", "02".repeat(16), "01".repeat(16), "78"),
    );
    check(
        Frame::HelloOk(HelloOk {
            session: SessionNumber(17),
            logs: vec![LogPosition {
                epoch: Epoch(3),
                is_fork: false,
                watermark: 25,
                safe: 24,
                hash: ChainHash([3; 16]),
                spans: vec![Span {
                    first: 30,
                    last: 31,
                    previous: ChainHash([4; 16]),
                    hash: ChainHash([5; 16]),
                }],
            }],
            credit: Credit { alarm_bytes: 1, telemetry_bytes: 300, linger_ms: 2 },
            backfill_after_ms: 5,
            hub_time: TaiTime(1),
        }),
        2,
        &format!("110103001918{}011e1f{}{}01ac02020502", "03".repeat(16), "04".repeat(16), "05".repeat(16)),
    );
    check(Frame::Batch { log: LogNumber(1), way: Way::Backfill, sealed: vec![9, 8] }, 4, "01030908");
    check(
        Frame::Goodbye(Goodbye { reason: "no".to_owned(), retry_after_ms: 5, hubs: vec!["b:1".to_owned()] }),
        7,
        "026e6f050103623a31",
    );
    check(Frame::Credit(Credit { alarm_bytes: 1, telemetry_bytes: 2, linger_ms: 3 }), 11, "010203");
    check(Frame::TimeAsk(TaiTime(-1)), 12, "01");
    let answer = TimeAnswer { asked: TaiTime(1), received: TaiTime(2), answered: TaiTime(3) };
    check(Frame::TimeAnswer(answer), 13, "020406");
    check(
        Frame::SetAside(SetAside { log: LogNumber(1), sequence: BatchSequence(2), reason: "no".to_owned() }),
        14,
        "0102026e6f",
    );
    check(Frame::Forked(LogNumber(1)), 15, "01");
    let dictionary =
        HeldDocument { kind: DocumentKind::Dictionary, number: 300, hash: DocumentHash([7; 32]) };
    check(
        Frame::Holds(Holds {
            node: vec![HeldDocument { kind: DocumentKind::Trust, number: 1, hash: DocumentHash([8; 32]) }],
            missions: vec![MissionHolds { mission: "demo".to_owned(), documents: vec![dictionary] }],
        }),
        8,
        &format!("010301{}010464656d6f0100ac02{}", "08".repeat(32), "07".repeat(32)),
    );
    check(
        Frame::Document(DocumentHead {
            mission: Some("demo".to_owned()),
            kind: DocumentKind::Limits,
            number: 2,
            effective_from: Some(TaiTime(-1)),
            effective_to: None,
            file_name: "l.csv".to_owned(),
            bounds: Some(DocumentBounds::Violation),
            author: None,
            reason: Some("no".to_owned()),
            hash: DocumentHash([9; 32]),
            text_bytes: 300,
            packed_bytes: 5,
            signature: DocumentSignature { authority: [3; 32], bytes: vec![4, 5] },
        }),
        9,
        &format!(
            "010464656d6f0102010100056c2e63737601010001026e6f{}ac0205{}020405",
            "09".repeat(32),
            "03".repeat(32)
        ),
    );
    check(Frame::DocumentPart(vec![1, 2]), 10, "0102");
    check(Frame::Renew(vec![1, 2]), 16, "0102");
    check(
        Frame::Renewed(Renewed { chain: vec![vec![1, 2], vec![3]], hub_time_unix: 300 }),
        17,
        "020201020103ac02",
    );
    check(
        Frame::RenewRefused(RenewRefused { code: "C".to_owned(), reason: "no".to_owned() }),
        18,
        "0143026e6f",
    );
    check(
        Frame::AlarmEntries(AlarmEntries { mission: "demo".to_owned(), number: 300, piece: vec![1, 2] }),
        19,
        "0464656d6fac02020102",
    );
    check(Frame::AlarmsKept(300), 20, "ac02");
    check(
        Frame::SendFirst(SendFirst { request: 300, from: TaiTime(-1), to: TaiTime(300) }),
        21,
        "ac0201d804",
    );
    check(Frame::StillWaits(StillWaits { request: 7, batches: 300 }), 22, "07ac02");
}

#[test]
fn what_an_alarm_is_told_is_bounded() {
    let decodes = |mission: usize, piece: usize| {
        let entries = AlarmEntries { mission: "m".repeat(mission), number: u64::MAX, piece: vec![1; piece] };
        let (kind, body) = Frame::AlarmEntries(entries).encode();
        Frame::decode(kind, &body).is_ok()
    };
    assert!(decodes(TEXT_BYTES_MAX, ALARM_PIECE_BYTES_MAX));
    assert!(!decodes(TEXT_BYTES_MAX + 1, 1));
    assert!(!decodes(1, ALARM_PIECE_BYTES_MAX + 1));
}

#[test]
fn of_a_hello_of_another_version_only_the_version_is_read() {
    let Ok(Some(Frame::Hello(hello))) = Frame::decode(1, &[1, 1, 1, 1]) else { panic!("not a HELLO") };
    assert_eq!((hello.protocol, hello.logs.len()), (1, 0));
}

#[test]
fn a_batch_names_a_way_of_a_session() {
    for body in [&[0][..], &[0, 0, 1], &[0, 5, 1], &[0, 200, 1]] {
        assert_eq!(Frame::decode(Frame::BATCH, body), Err(FrameDecodeError { kind: Frame::BATCH }));
    }
}

#[test]
fn a_frame_of_an_unknown_kind_is_skipped() {
    assert_eq!(Frame::decode(200, &[1, 2, 3]), Ok(None));
}

proptest! {
    #[test]
    fn arbitrary_bodies_never_panic(kind in any::<u8>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Frame::decode(kind, &bytes);
    }
}
