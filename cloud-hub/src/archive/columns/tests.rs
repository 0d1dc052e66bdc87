use mission_database::{MonitoringResult, Validity};
use proptest::prelude::*;

use super::*;

/// Written by version 1: four raw integers with calibrated numbers, and four texts without.
const CALIBRATED_BEFORE_QUALITY: &str = "01042c00000070636f21030002010401040300000010000090499c36e8bcbc040100\
    00000000ca9a3b00943577005ed0b2001c00000070636f210300020104010403000000100000a8d455000000000400002200000070636f\
    21030002010401020300000010000800000000000000600000100002e0ff003900000070636f2103000201040106030000004200e0ffff\
    ffffffffff0f00000000000000f82f00000000000000f87f00000000000000f8ff00630000bccc2a31";
const TEXT_BEFORE_QUALITY: &str = "01032c00000070636f21030002010401040300000010000090499c36e8bcbc04010000000000\
    ca9a3b00943577005ed0b2001c00000070636f210300020104010403000000100000a8d455000000000400001200000028b52ffd200949\
    00000401610002c3a90164000000001027706d";

/// Numbers that are easily lost, among others.
fn number() -> impl Strategy<Value = f64> {
    let special = vec![f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE / 2.0];
    prop_oneof![proptest::sample::select(special), any::<u64>().prop_map(f64::from_bits)]
}

fn quality() -> impl Strategy<Value = Quality> {
    let pair =
        (proptest::sample::select(&Validity::ALL[..]), proptest::sample::select(&MonitoringResult::ALL[..]));
    pair.prop_map(|(validity, monitoring)| Quality::new(validity, monitoring))
}

#[derive(Clone, Debug)]
struct Row {
    generation: i64,
    reception: i64,
    integer: u64,
    number: f64,
    quality: Quality,
}

fn row() -> impl Strategy<Value = Row> {
    let parts = (any::<i64>(), any::<i64>(), any::<u64>(), number(), quality());
    parts.prop_map(|(generation, reception, integer, number, quality)| Row {
        generation,
        reception,
        integer,
        number,
        quality,
    })
}

fn series(rows: &[Row], raw_kind: u8, converted_kind: u8, version: u32) -> Series {
    let integers = || rows.iter().map(|row| row.integer);
    let numbers = || rows.iter().map(|row| row.number).collect();
    let columns = Columns {
        version: VersionNumber(version),
        generation: rows.iter().map(|row| row.generation).collect(),
        reception: rows.iter().map(|row| row.reception).collect(),
        raw: match raw_kind {
            0 => RawColumn::Binary(integers().map(|number| number.to_be_bytes().into()).collect()),
            1 => RawColumn::Float(numbers()),
            2 => RawColumn::Signed(integers().map(u64::cast_signed).collect()),
            3 => RawColumn::Text(integers().map(|number| number.to_string().into()).collect()),
            _ => RawColumn::Unsigned(integers().collect()),
        },
        converted: match converted_kind {
            0 => ConvertedColumn::None,
            1 => ConvertedColumn::Numbers(numbers()),
            _ => ConvertedColumn::Times(rows.iter().map(|row| row.generation / 3).collect()),
        },
        quality: rows.iter().map(|row| row.quality).collect(),
    };
    Series::from_columns(columns).expect("equal lengths")
}

/// NaN differs from itself and -0 does not from 0, so floating-point columns are compared by their bits.
fn bits(series: &Series) -> (Columns, Vec<u64>) {
    let mut columns = series.columns().clone();
    let mut bits = Vec::new();
    let mut take = |column: &mut Vec<f64>| bits.extend(column.drain(..).map(f64::to_bits));
    if let RawColumn::Float(column) = &mut columns.raw {
        take(column);
    }
    if let ConvertedColumn::Numbers(column) = &mut columns.converted {
        take(column);
    }
    (columns, bits)
}

/// One series of four samples, well-formed but for its quality column and the kind of its converted column.
fn with_quality(converted_kind: u8, quality: &[u8]) -> Result<Series, ColumnsError> {
    let mut bytes = vec![VERSION, 4, converted_kind, 1, 0, 0, 0];
    let (times, raw) = (compress(&[1i64, 2, 3, 4]), compress(&[7u64; 4]));
    for column in [&times, &times, &raw, &Vec::new(), &quality.to_vec()] {
        bytes.extend_from_slice(&(column.len() as u32).to_le_bytes());
        bytes.extend_from_slice(column);
    }
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    decode(&bytes)
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits = |place| u8::from_str_radix(&text[place..place + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digits).collect()
}

#[test]
fn samples_of_one_quality_cost_five_bytes_for_it() {
    let alike = vec![Quality::new(Validity::Valid, MonitoringResult::Normal); 70_000];
    assert_eq!(runs(&alike), [0x70, 0x11, 1, 0, alike[0].byte()]);
    assert_eq!(read_runs(&runs(&alike), alike.len()).expect("reads"), alike);
}

#[test]
fn what_was_written_before_there_was_quality_is_valid_and_not_monitored() {
    let series = decode(&hexadecimal(CALIBRATED_BEFORE_QUALITY)).expect("reads");
    let second = 1_000_000_000;
    let generation: Vec<i64> = (0..4).map(|number| (1_700_000_037 + number) * second).collect();
    let columns = Columns {
        version: VersionNumber(1),
        reception: generation.iter().map(|time| time + 180_000_000).collect(),
        generation,
        raw: RawColumn::Unsigned(vec![1, 2, 3, 4_095]),
        converted: ConvertedColumn::Numbers(vec![0.5, -0.0, f64::INFINITY, f64::NAN]),
        quality: vec![Quality::new(Validity::Valid, MonitoringResult::NotMonitored); 4],
    };
    let expected = Series::from_columns(columns.clone()).expect("equal lengths");
    assert_eq!(bits(&series), bits(&expected));
    let text = RawColumn::Text(["a", "", "é", "d"].map(Into::into).to_vec());
    let columns = Columns { raw: text, converted: ConvertedColumn::None, ..columns };
    assert_eq!(*decode(&hexadecimal(TEXT_BEFORE_QUALITY)).expect("reads").columns(), columns);
}

#[test]
fn a_version_that_nobody_wrote_yet_is_refused_by_its_number() {
    let mut bytes = vec![3, 4, 0];
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    assert!(matches!(decode(&bytes), Err(ColumnsError::Version { found: 3 })));
}

#[test]
fn runs_that_do_not_fit_the_samples_are_refused_before_anything_is_made_of_them() {
    with_quality(0, &[1, 0, 0, 0, 0, 3, 0, 0, 0, 0x10]).expect("reads");
    for quality in [
        &[0xFF, 0xFF, 0xFF, 0xFF, 0][..],
        &[5, 0, 0, 0, 0],
        &[3, 0, 0, 0, 0],
        &[4, 0, 0, 0, 0x0F],
        &[4, 0, 0, 0, 0x70],
        &[4, 0, 0, 0, 0, 1],
        &[],
    ] {
        assert!(matches!(with_quality(0, quality), Err(ColumnsError::Column { .. })), "{quality:?}");
    }
    for kind in 1..4 {
        assert!(matches!(with_quality(kind, &[4, 0, 0, 0, 0]), Err(ColumnsError::Column { .. })));
    }
}

#[test]
fn a_column_that_is_longer_than_its_neighbours_is_refused() {
    let three = compress(&[1i64, 2, 3]);
    assert_eq!(decompress::<i64>(&three, 3, "x").expect("reads"), [1, 2, 3]);
    assert!(decompress::<i64>(&three, 2, "x").is_err());
    let empty = pack([&[][..]; 3].into_iter());
    assert_eq!(unpack(&empty, 3).expect("reads"), vec![Vec::<u8>::new(); 3]);
    assert!(unpack(&empty, 2).is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read_bit_for_bit(
        rows in proptest::collection::vec(row(), 1..300),
        kinds in (0u8..5, 0u8..3),
        version in any::<u32>(),
    ) {
        let series = series(&rows, kinds.0, kinds.1, version);
        let read = decode(&encode(&series)).expect("reads");
        prop_assert_eq!(bits(&read), bits(&series));
    }

    #[test]
    fn damaged_bytes_are_refused(
        rows in proptest::collection::vec(row(), 1..20),
        at in any::<proptest::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut bytes = encode(&series(&rows, 4, 1, 1));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic_even_with_a_check_sum_that_fits(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        version in 0u8..4,
    ) {
        let _ = decode(&bytes);
        bytes.insert(0, version);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let _ = decode(&bytes);
    }

    #[test]
    fn bytes_damaged_before_they_were_checked_never_panic(
        rows in proptest::collection::vec(row(), 1..20),
        kinds in (0u8..5, 0u8..3),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode(&series(&rows, kinds.0, kinds.1, 1));
        bytes.truncate(bytes.len() - 4);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let _ = decode(&bytes);
    }
}
