use std::sync::Arc;

use mission_database::{MonitoringResult, ParameterIndex, Validity, VersionNumber};
use processing::{Derivations, Layout, LayoutEntry, Resolution};
use proptest::prelude::*;

use super::*;

/// Numbers that are easily lost, among others.
fn number() -> impl Strategy<Value = f64> {
    let special = vec![f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE / 2.0];
    let single = any::<f32>().prop_map(f64::from);
    prop_oneof![proptest::sample::select(special), any::<u64>().prop_map(f64::from_bits), single]
}

fn quality() -> impl Strategy<Value = Quality> {
    let pair =
        (proptest::sample::select(&Validity::ALL[..]), proptest::sample::select(&MonitoringResult::ALL[..]));
    pair.prop_map(|(validity, monitoring)| Quality::new(validity, monitoring))
}

#[derive(Clone, Debug)]
struct Row {
    times: (i64, i64),
    integer: u64,
    number: f64,
    quality: Quality,
    provenance: Provenance,
}

/// Rows as they come: each a little or much unlike the one before, or the same.
fn rows(max: usize) -> impl Strategy<Value = Vec<Row>> {
    let parts = (any::<(i64, i64)>(), any::<u64>(), number(), quality(), 0u8..4, 0u8..4);
    let row = parts.prop_map(|(times, integer, number, quality, provenance, repeated)| {
        let provenance = Provenance::from_number(provenance).expect("there are four");
        (Row { times, integer, number, quality, provenance }, repeated)
    });
    proptest::collection::vec(row, 1..max).prop_map(|rows| {
        rows.into_iter()
            .flat_map(|(row, repeated)| std::iter::repeat_n(row, 1 + usize::from(repeated) * 5))
            .collect()
    })
}

fn raw_column(rows: &[Row], kind: RawKind) -> RawColumn {
    let integers = || rows.iter().map(|row| row.integer);
    match kind {
        RawKind::Binary => RawColumn::Binary(integers().map(|number| number.to_be_bytes().into()).collect()),
        RawKind::Float => RawColumn::Float(rows.iter().map(|row| row.number).collect()),
        RawKind::Signed => RawColumn::Signed(integers().map(u64::cast_signed).collect()),
        RawKind::Text => RawColumn::Text(integers().map(|number| (number % 7).to_string().into()).collect()),
        RawKind::Unsigned => RawColumn::Unsigned(integers().collect()),
    }
}

/// A table of all kinds of columns.
fn table(rows: &[Row]) -> Table {
    let raws = [RawKind::Binary, RawKind::Float, RawKind::Signed, RawKind::Text, RawKind::Unsigned];
    let converteds = [ConvertedKind::None, ConvertedKind::Number, ConvertedKind::Time];
    let kinds = raws.into_iter().flat_map(|raw| converteds.map(|converted| (raw, converted)));
    let entries: Vec<LayoutEntry> = kinds
        .zip(0..)
        .map(|((raw, converted), index)| LayoutEntry { parameter: ParameterIndex(index), raw, converted })
        .collect();
    let column = |entry: &LayoutEntry| Column {
        raw: raw_column(rows, entry.raw),
        converted: match entry.converted {
            ConvertedKind::None => ConvertedColumn::None,
            ConvertedKind::Number => ConvertedColumn::Numbers(rows.iter().map(|row| row.number).collect()),
            ConvertedKind::Time => ConvertedColumn::Times(rows.iter().map(|row| row.times.0 / 3).collect()),
        },
        quality: rows.iter().map(|row| row.quality).collect(),
    };
    let columns = entries.iter().map(column).collect();
    let times = (
        rows.iter().map(|row| row.times.0).collect(),
        rows.iter().map(|row| row.times.1).collect(),
        rows.iter().map(|row| row.provenance).collect(),
    );
    Table::from_columns(Arc::new(Layout::new(entries)), VersionNumber(3), times, columns).expect("fits")
}

/// NaN differs from itself and -0 does not from 0, so floating-point columns are compared by their bits.
fn bits(mut column: Column) -> (Column, Vec<u64>) {
    let mut bits = Vec::new();
    let mut take = |column: &mut Vec<f64>| bits.extend(column.drain(..).map(f64::to_bits));
    if let RawColumn::Float(column) = &mut column.raw {
        take(column);
    }
    if let ConvertedColumn::Numbers(column) = &mut column.converted {
        take(column);
    }
    (column, bits)
}

fn parts(bytes: &[u8], ends: &[i32]) -> Vec<Vec<u8>> {
    crate::archive::query::parts(ends, bytes)
        .expect("they end in it")
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect()
}

fn resealed(mut part: Vec<u8>, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    part.truncate(part.len() - 4);
    change(&mut part);
    let sum = crc32c::crc32c(&part);
    part.extend_from_slice(&sum.to_le_bytes());
    part
}

fn written(numbers: &[f64]) -> Vec<u8> {
    let mut out = Vec::new();
    numbers::write_float(&mut out, numbers);
    out
}

#[test]
fn what_does_not_change_costs_ten_bytes_however_long_it_is() {
    // A length, an encoding, a value.
    assert_eq!(written(&[4.25; 60_000]).len(), 10);
    let mut out = Vec::new();
    write_runs(&mut out, &vec![Quality::default(); 70_000], |quality| quality.byte());
    assert_eq!(out, [4, 0xF0, 0xA2, 4, 0]);
}

#[test]
fn single_precision_takes_half_the_room_of_double() {
    let noise = |index: i32| f64::from((f64::from(index) * 0.7).sin() as f32);
    let single: Vec<f64> = (0..4_000).map(noise).collect();
    let double: Vec<f64> = single.iter().map(|number| number + 1e-12).collect();
    assert!(written(&single).len() * 10 < written(&double).len() * 6);
}

#[test]
fn a_version_that_nobody_wrote_yet_is_refused_by_its_number() {
    let part = resealed(vec![0; 10], |part| part[0] = VERSION + 1);
    assert!(matches!(decode_axis(&part, 1), Err(ColumnsError::Version(found)) if found == VERSION + 1));
}

#[test]
fn a_number_of_rows_that_is_too_large_is_refused_before_anything_is_allocated() {
    let row = Row {
        times: (1, 2),
        integer: 3,
        number: 4.0,
        quality: Quality::default(),
        provenance: Provenance::Live,
    };
    let (bytes, ends) = encode(&table(&[row]));
    for part in parts(&bytes, &ends) {
        for rows in [ROWS_MAX + 1, usize::MAX] {
            assert!(decode_axis(&part, rows).is_err());
            assert!(decode_column(&part, rows).is_err());
            assert!(decode_rolled_axis(&part, rows).is_err());
            assert!(decode_rolled_column(&part, rows).is_err());
        }
    }
}

#[test]
fn entries_that_would_become_much_more_together_are_refused() {
    let mut out = Vec::new();
    let long = vec![7; 4 << 20];
    texts::write(&mut out, std::iter::repeat_n(&long[..], 200).collect::<Vec<_>>().into_iter());
    assert!(out.len() < 10_000, "one entry, compressed");
    assert!(texts::read(&mut Reader::new(&out), 200, "texts").is_err());
    assert_eq!(texts::read(&mut Reader::new(&out), 201, "texts").ok(), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_bit_for_bit(rows in rows(200)) {
        let table = table(&rows);
        let (bytes, ends) = encode(&table);
        let parts = parts(&bytes, &ends);
        let axis = decode_axis(&parts[0], rows.len()).expect("reads");
        prop_assert_eq!((axis.generation, axis.reception, axis.provenance), (table.generation, table.reception, table.provenance));
        for (column, part) in table.columns.into_iter().zip(&parts[1..]) {
            let read = decode_column(part, rows.len()).expect("reads");
            prop_assert_eq!(bits(read), bits(column));
            prop_assert!(decode_column(part, rows.len() + 1).is_err());
        }
    }

    #[test]
    fn roll_ups_are_read_as_they_were_written(rows in rows(100)) {
        let table = table(&rows).sorted();
        let rolled = table.rolled_up(Resolution::Hour, &Derivations::default()).expect("has rows");
        let (bytes, ends) = encode_rolled(&rolled);
        let parts = parts(&bytes, &ends);
        prop_assert_eq!(&decode_rolled_axis(&parts[0], rolled.rows()).expect("reads"), &rolled.buckets);
        for (column, part) in rolled.columns.iter().zip(&parts[1..]) {
            let read = decode_rolled_column(part, rolled.rows()).expect("reads");
            // NaN is no number, whatever its bits.
            prop_assert_eq!(format!("{read:?}"), format!("{column:?}"));
        }
    }

    #[test]
    fn damaged_bytes_are_refused(
        rows in rows(20),
        at in any::<proptest::sample::Index>(),
        bit in 0u8..8,
    ) {
        let (bytes, ends) = encode(&table(&rows));
        for mut part in parts(&bytes, &ends) {
            let at = at.index(part.len());
            part[at] ^= 1 << bit;
            prop_assert!(decode_axis(&part, rows.len()).is_err());
            prop_assert!(decode_column(&part, rows.len()).is_err());
        }
    }

    #[test]
    fn bytes_damaged_before_they_were_checked_never_panic(
        rows in rows(20),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let table = table(&rows).sorted();
        let rolled = table.rolled_up(Resolution::Hour, &Derivations::default()).expect("has rows");
        for (bytes, ends) in [encode(&table), encode_rolled(&rolled)] {
            for part in parts(&bytes, &ends) {
                let place = at.index(part.len() - 4);
                let part = resealed(part, |part| part[place] = byte);
                let _ = decode_axis(&part, rows.len());
                let _ = decode_column(&part, rows.len());
                let _ = decode_rolled_axis(&part, rolled.rows());
                let _ = decode_rolled_column(&part, rolled.rows());
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_even_with_a_check_sum_that_fits(
        bytes in proptest::collection::vec(any::<u8>(), 5..200),
        rows in 0usize..100,
    ) {
        let part = resealed(bytes, |part| part[0] = VERSION);
        let _ = decode_axis(&part, rows);
        let _ = decode_column(&part, rows);
        let _ = decode_rolled_axis(&part, rows);
        let _ = decode_rolled_column(&part, rows);
    }
}
