use operator_state::{DOCUMENT_BYTES_MAX, LoadError};
use proptest::prelude::*;

use super::*;

fn document() -> Vec<u8> {
    let first = with(&[widget("a", 1), widget("b", 1)]);
    changed(&first, &first.heads(), &by("ola", 2), 2, &put(&[widget("a", 2)])).bytes().to_vec()
}

fn refused(bytes: Vec<u8>) -> String {
    match DashboardDocument::load(bytes) {
        Err(LoadError::Refused(refused)) => refused.to_string(),
        other => panic!("was not refused before it was loaded: {other:?}"),
    }
}

#[test]
fn what_is_no_single_document_is_refused_before_it_is_loaded() {
    let good = document();
    assert!(DashboardDocument::load(good.clone()).is_ok());
    let form = "the bytes are no document of ours";
    assert_eq!(refused(vec![]), form);
    assert_eq!(refused(b"{\"widgets\": []}".to_vec()), form);
    assert_eq!(refused([good.as_slice(), &good].concat()), form, "what follows would be loaded too");
    assert_eq!(refused(good[..good.len() - 1].to_vec()), form);
    // A change, a packed change, a bundle: only documents are kept.
    for kind in 1..=4 {
        let mut other = good.clone();
        other[8] = kind;
        assert_eq!(refused(other), form);
    }
    let long = refused(vec![0; DOCUMENT_BYTES_MAX + 1]);
    assert_eq!(long, "the document says that it has 4194305 bytes, and at most 4194304 are read");
}

#[test]
fn a_document_that_is_not_a_dashboard_says_what_it_lacks() {
    let mut other = automerge::Automerge::new();
    let bytes = other.save_nocompress();
    let told = DashboardDocument::load(bytes).expect_err("is no dashboard").to_string();
    assert_eq!(told, "the document does not hold a title, as every dashboard does");
    let mut act = other.transaction();
    let text = "x".repeat(2_000);
    automerge::transaction::Transactable::put(&mut act, automerge::ROOT, "title", text).expect("is put");
    act.commit();
    assert_eq!(
        refused(other.save()),
        "the document is packed; ours are not, and how large it would become is not known"
    );
}

/// A document of one column of changes, with this specification and these bytes.
fn with_column(specification: u8, column: &[u8]) -> Vec<u8> {
    let mut data = vec![0, 0, 1, specification, column.len() as u8, 0];
    data.extend(column);
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 0, data.len() as u8];
    bytes.extend(data);
    bytes
}

#[test]
fn counts_that_a_few_bytes_declare_are_refused() {
    let check = |specification: u8, column: &[u8], told: &str| {
        let refused = refused(with_column(specification, column));
        assert!(refused.contains(told), "{column:?}: {refused}");
    };
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f];
    let run = |of: &[u8]| [&huge[..], of].concat();
    check(0x02, &run(&[1]), "281474976710655 rows");
    check(0x03, &run(&[1]), "281474976710655 rows");
    check(0x05, &run(&[1, b'x']), "281474976710655 rows");
    check(0x04, &huge, "281474976710655 rows");
    check(0x02, &[&[0][..], &huge].concat(), "281474976710655 rows");
    // One group of so many rows, and so many groups of some.
    check(0x00, &[&[1][..], &huge].concat(), "281474976710655 rows");
    check(0x00, &run(&[9]), "rows");
    check(0x0a, &[1, 1], "is packed");
    check(0x05, &[1, 9, b'x'], "no document");
    check(0x02, &[0xff; 12], "no document");
}

proptest! {
    #[test]
    fn bytes_from_anywhere_are_no_reason_to_stop(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(DashboardDocument::load(bytes).is_err());
    }

    #[test]
    fn a_document_with_a_byte_that_fell_over_is_refused_or_loads(place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = document();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let loaded = DashboardDocument::load(bytes);
        prop_assert!(loaded.is_err(), "its sum does not fit");
    }
}
