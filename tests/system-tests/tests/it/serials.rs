//! Compares what was sent, what was acknowledged and what is archived, as sets of serials.

use std::collections::BTreeSet;
use std::ops::Range;

/// What must not be; empty lists when all is well.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Differences {
    /// Acknowledged, and not in the archive.
    pub(crate) missing: Vec<u64>,
    /// In the archive more than once.
    pub(crate) doubled: Vec<u64>,
    /// In the archive, and never sent.
    pub(crate) unsent: Vec<u64>,
}

impl Differences {
    /// The differences; `archived` is in any order.
    pub(crate) fn between(sent: &[Range<u64>], acknowledged: &[Range<u64>], archived: &[u64]) -> Self {
        let mut sorted = archived.to_vec();
        sorted.sort_unstable();
        let doubled: BTreeSet<u64> =
            sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        sorted.dedup();
        let missing = acknowledged
            .iter()
            .cloned()
            .flatten()
            .filter(|serial| sorted.binary_search(serial).is_err())
            .collect();
        let unsent = sorted
            .iter()
            .copied()
            .filter(|serial| !sent.iter().any(|range| range.contains(serial)))
            .collect();
        Self { missing, doubled: doubled.into_iter().collect(), unsent }
    }

    /// Fails when there are some, showing a few.
    pub(crate) fn assert_none(&self) -> anyhow::Result<()> {
        let shown = |what: &str, serials: &[u64]| match serials {
            [] => String::new(),
            _ => format!("\n  {} {what}: {:?}", serials.len(), &serials[..serials.len().min(10)]),
        };
        anyhow::ensure!(
            *self == Self::default(),
            "the archive is not what was acknowledged{}{}{}",
            shown("acknowledged and missing", &self.missing),
            shown("archived more than once", &self.doubled),
            shown("archived and never sent", &self.unsent),
        );
        Ok(())
    }
}

fn check(archived: &[u64], expected: (&[u64], &[u64], &[u64])) {
    let found = Differences::between(&[0..10, 10..20], &[0..8, 10..15], archived);
    assert_eq!((&found.missing[..], &found.doubled[..], &found.unsent[..]), expected, "{archived:?}");
    let is_well = expected == (&[], &[], &[]);
    assert_eq!(found.assert_none().is_ok(), is_well, "{archived:?}");
}

fn acknowledged_and(more: &[u64]) -> Vec<u64> {
    (0..8).chain(10..15).chain(more.iter().copied()).rev().collect()
}

#[test]
fn an_archive_of_what_was_acknowledged_and_some_of_what_was_sent_is_right() {
    check(&acknowledged_and(&[]), (&[], &[], &[]));
    check(&acknowledged_and(&[8, 17]), (&[], &[], &[]));
}

#[test]
fn a_serial_taken_out_of_the_archive_is_noticed() {
    let mut archived = acknowledged_and(&[]);
    archived.retain(|serial| *serial != 12);
    check(&archived, (&[12], &[], &[]));
    check(&[], (&[0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14], &[], &[]));
}

#[test]
fn a_serial_that_is_in_the_archive_twice_is_noticed() {
    check(&acknowledged_and(&[3]), (&[], &[3], &[]));
    // Also one that nobody was told about.
    check(&acknowledged_and(&[9, 9, 9]), (&[], &[9], &[]));
}

#[test]
fn a_serial_that_nobody_sent_is_noticed() {
    check(&acknowledged_and(&[20]), (&[], &[], &[20]));
}
