use proptest::prelude::*;

use super::*;
use crate::Frame;

fn head(text: &str, packed: &[u8]) -> DocumentHead {
    DocumentHead {
        mission: "demo".to_owned(),
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
    check(&|head| head.mission = text(TEXT_BYTES_MAX + 1), false);
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
        Frame::Holds(Holds { missions: (0..missions).map(mission).collect() })
    };
    let most = holds(HELD_MISSIONS_MAX, HELD_DOCUMENTS_MAX);
    assert!(most.encode().1.len() < 256 * 1_024);
    assert!(decodes(&most));
    assert!(!decodes(&holds(HELD_MISSIONS_MAX + 1, 0)));
    assert!(!decodes(&holds(1, HELD_DOCUMENTS_MAX + 1)));
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
        let frame = Frame::Holds(Holds { missions: missions.collect() });
        let (kind, body) = frame.encode();
        prop_assert_eq!(Frame::decode(kind, &body), Ok(Some(frame)));
    }

    #[test]
    fn a_head_is_read_as_it_was_written(
        held in any_held(), times in any::<(Option<i64>, Option<i64>)>(), texts in any::<(String, Option<String>)>(),
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
            ..head("", &[])
        };
        let frame = Frame::Document(head);
        let (kind, body) = frame.encode();
        prop_assert_eq!(Frame::decode(kind, &body), Ok(Some(frame)));
    }
}
