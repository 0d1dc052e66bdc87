use proptest::prelude::*;

use super::*;
use crate::Frame;

fn head(text: &str, packed: &[u8]) -> DocumentHead {
    DocumentHead {
        mission: Some("demo".to_owned()),
        kind: DocumentKind::Limits,
        number: 2,
        effective_from: Some(TaiTime(-1)),
        effective_to: None,
        file_name: "l.csv".to_owned(),
        bounds: Some(DocumentBounds::Violation),
        author: None,
        reason: Some("why".to_owned()),
        hash: DocumentHash::of(text),
        text_bytes: text.len() as u64,
        packed_bytes: packed.len() as u64,
        signature: DocumentSignature { authority: [1; 32], bytes: vec![2; 70] },
    }
}

fn receive(head: DocumentHead, parts: &[&[u8]]) -> Result<String, TransferError> {
    let mut incoming = IncomingDocument::new(head);
    parts.iter().try_for_each(|part| incoming.on_part(part))?;
    incoming.finish().map(|(_, text)| text)
}

fn decodes(frame: &Frame) -> bool {
    let (kind, body) = frame.encode();
    Frame::decode(kind, &body).is_ok()
}

#[test]
fn a_document_that_is_not_what_was_announced_is_refused() {
    let text = "parameter,red_high\nP,5\n";
    let packed = pack_text(text).expect("short");
    let good = head(text, &packed);
    let announced = good.packed_bytes;
    assert_eq!(receive(good.clone(), &[&packed[..5], &packed[5..]]), Ok(text.to_owned()));
    let cut = TransferError::Cut { announced, found: announced - 1 };
    assert_eq!(receive(good.clone(), &[&packed[1..]]), Err(cut));
    assert_eq!(receive(good.clone(), &[&packed, &[0]]), Err(TransferError::TooLong { announced }));
    let other = DocumentHead { hash: DocumentHash::of("other"), ..good.clone() };
    assert_eq!(receive(other, &[&packed]), Err(TransferError::Hash));
    for text_bytes in [0, good.text_bytes - 1, good.text_bytes + 1] {
        let lies = DocumentHead { text_bytes, ..good.clone() };
        assert_eq!(receive(lies, &[&packed]), Err(TransferError::Unpack { announced: text_bytes }));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let packed = zstd::bulk::compress(&[0xff, 0xfe], 1).expect("fits");
    let head = DocumentHead { text_bytes: 2, ..head("", &packed) };
    assert_eq!(receive(head, &[&packed]), Err(TransferError::Unpack { announced: 2 }));
}

#[test]
fn what_is_longer_than_the_bounds_does_not_decode() {
    let check = |change: &dyn Fn(&mut DocumentHead), fits: bool| {
        let mut head = head("", &[]);
        change(&mut head);
        assert_eq!(decodes(&Frame::Document(head.clone())), fits, "{head:?}");
    };
    let text = |length| "x".repeat(length);
    check(&|head| head.file_name = text(TEXT_BYTES_MAX), true);
    check(&|head| head.file_name = text(TEXT_BYTES_MAX + 1), false);
    check(&|head| head.mission = Some(text(TEXT_BYTES_MAX + 1)), false);
    check(&|head| head.signature.bytes = vec![0; SIGNATURE_BYTES_MAX], true);
    check(&|head| head.signature.bytes = vec![0; SIGNATURE_BYTES_MAX + 1], false);
    check(&|head| head.author = Some(text(TEXT_BYTES_MAX + 1)), false);
    check(&|head| head.reason = Some(text(TEXT_BYTES_MAX + 1)), false);
    check(&|head| (head.text_bytes, head.packed_bytes) = (DOCUMENT_BYTES_MAX, DOCUMENT_BYTES_MAX), true);
    check(&|head| head.text_bytes = DOCUMENT_BYTES_MAX + 1, false);
    check(&|head| head.packed_bytes = DOCUMENT_BYTES_MAX + 1, false);
    assert!(decodes(&Frame::DocumentPart(vec![0; DOCUMENT_PART_BYTES_MAX])));
    assert!(!decodes(&Frame::DocumentPart(vec![0; DOCUMENT_PART_BYTES_MAX + 1])));
}

#[test]
fn all_that_a_node_may_hold_fits_into_one_frame_of_the_link() {
    let held = HeldDocument { kind: DocumentKind::Limits, number: u32::MAX, hash: DocumentHash([255; 32]) };
    let holds = |missions: usize, documents: usize| {
        let mission = |index: usize| MissionHolds {
            mission: "x".repeat(TEXT_BYTES_MAX),
            documents: vec![held; if index == 0 { documents } else { 0 }],
        };
        let node = vec![held; NODE_DOCUMENTS_MAX];
        Frame::Holds(Holds { node, missions: (0..missions).map(mission).collect() })
    };
    let most = holds(HELD_MISSIONS_MAX, HELD_DOCUMENTS_MAX);
    assert!(most.encode().1.len() < 256 * 1_024);
    assert!(decodes(&most));
    assert!(!decodes(&holds(HELD_MISSIONS_MAX + 1, 0)));
    assert!(!decodes(&holds(1, HELD_DOCUMENTS_MAX + 1)));
    let node = vec![held; NODE_DOCUMENTS_MAX + 1];
    assert!(!decodes(&Frame::Holds(Holds { node, missions: Vec::new() })));
}

#[test]
fn a_document_is_about_a_mission_or_about_the_node_by_its_kind() {
    for (kind, mission, fits) in [
        (DocumentKind::Dictionary, Some("demo"), true),
        (DocumentKind::Limits, None, false),
        (DocumentKind::Endpoints, Some("demo"), false),
        (DocumentKind::Endpoints, None, true),
        (DocumentKind::Trust, None, true),
        (DocumentKind::AlarmRules, Some("demo"), true),
        (DocumentKind::Model, None, false),
    ] {
        let head = DocumentHead { kind, mission: mission.map(str::to_owned), ..head("", &[]) };
        assert_eq!(decodes(&Frame::Document(head)), fits, "{kind:?} {mission:?}");
    }
}

#[test]
fn what_is_signed_has_the_same_bytes_as_ever() {
    let bytes = DocumentHead { hash: DocumentHash([9; 32]), ..head("xy", &[]) }.signed_bytes();
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let prefix: String = b"sto-document-1\0".iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = "010464656d6f0102010100056c2e6373760101000103776879";
    assert_eq!(text, format!("{prefix}{fields}{}02", "09".repeat(32)));
}

#[test]
fn every_field_but_the_packing_is_signed() {
    let good = head("text", b"packed");
    let check = |change: &dyn Fn(&mut DocumentHead), is_signed: bool| {
        let mut changed = good.clone();
        change(&mut changed);
        assert_eq!(changed.signed_bytes() != good.signed_bytes(), is_signed, "{changed:?}");
    };
    check(&|head| head.mission = Some("other".to_owned()), true);
    check(&|head| head.kind = DocumentKind::Dictionary, true);
    check(&|head| head.number += 1, true);
    check(&|head| head.effective_from = None, true);
    check(&|head| head.effective_to = Some(TaiTime(7)), true);
    check(&|head| head.file_name.push('x'), true);
    check(&|head| head.bounds = Some(DocumentBounds::Good), true);
    check(&|head| head.author = Some("eve".to_owned()), true);
    check(&|head| head.reason = None, true);
    check(&|head| head.hash.0[31] ^= 1, true);
    check(&|head| head.text_bytes += 1, true);
    check(&|head| head.packed_bytes += 1, false);
    check(&|head| head.signature = DocumentSignature::default(), false);
}

fn any_held() -> impl Strategy<Value = HeldDocument> {
    (any::<bool>(), any::<u32>(), any::<[u8; 32]>()).prop_map(|(limits, number, hash)| HeldDocument {
        kind: if limits { DocumentKind::Limits } else { DocumentKind::Dictionary },
        number,
        hash: DocumentHash(hash),
    })
}

proptest! {
    #[test]
    fn a_text_comes_out_as_it_went_in_whatever_the_parts(text in ".{0,400}", part in 1usize..64) {
        let packed = pack_text(&text).expect("short");
        let parts: Vec<&[u8]> = packed.chunks(part).collect();
        prop_assert_eq!(receive(head(&text, &packed), &parts), Ok(text));
    }

    #[test]
    fn arbitrary_parts_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..100), text_bytes in 0..=DOCUMENT_BYTES_MAX,
    ) {
        let head = DocumentHead { text_bytes, ..head("", &bytes) };
        prop_assert!(text_bytes == 0 || receive(head, &[&bytes]).is_err());
    }

    #[test]
    fn what_a_node_holds_is_read_as_it_was_said(
        missions in proptest::collection::vec(("[a-z0-9-]{1,40}", proptest::collection::vec(any_held(), 0..8)), 0..5),
    ) {
        let missions = missions.into_iter().map(|(mission, documents)| MissionHolds { mission, documents });
        let frame = Frame::Holds(Holds { node: Vec::new(), missions: missions.collect() });
        let (kind, body) = frame.encode();
        prop_assert_eq!(Frame::decode(kind, &body), Ok(Some(frame)));
    }

    #[test]
    fn a_head_is_read_as_it_was_written(
        held in any_held(), times in any::<(Option<i64>, Option<i64>)>(), texts in any::<(String, Option<String>)>(),
        signature in any::<([u8; 32], Vec<u8>)>(),
        bytes in (0..=DOCUMENT_BYTES_MAX, 0..=DOCUMENT_BYTES_MAX), violation in any::<Option<bool>>(),
    ) {
        let bounds = |violation| if violation { DocumentBounds::Violation } else { DocumentBounds::Good };
        let head = DocumentHead {
            kind: held.kind,
            number: held.number,
            hash: held.hash,
            effective_from: times.0.map(TaiTime),
            effective_to: times.1.map(TaiTime),
            file_name: texts.0.chars().take(200).collect(),
            author: texts.1.map(|text| text.chars().take(200).collect()),
            bounds: violation.map(bounds),
            text_bytes: bytes.0,
            packed_bytes: bytes.1,
            signature: DocumentSignature { authority: signature.0, bytes: signature.1 },
            ..head("", &[])
        };
        let frame = Frame::Document(head);
        let (kind, body) = frame.encode();
        prop_assert_eq!(Frame::decode(kind, &body), Ok(Some(frame)));
    }
}
