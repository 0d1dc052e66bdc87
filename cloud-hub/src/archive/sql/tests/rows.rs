//! Samples as rows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mission_database::ParameterKind;
use processing::Engineering;
use space_packet::TaiTime;

use super::*;

fn table(rows: usize) -> Table {
    let number = |row: usize| (row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (row % 60);
    let unsigned = |bound: u64| RawColumn::Unsigned((0..rows).map(|row| number(row) % bound).collect());
    let columns = [
        (RawColumn::Unsigned((0..rows).map(number).collect()), ConvertedColumn::None),
        (RawColumn::Signed((0..rows).map(|row| number(row).cast_signed()).collect()), ConvertedColumn::None),
        (RawColumn::Float((0..rows).map(|row| (row as f64 / 9.0).tan()).collect()), ConvertedColumn::None),
        (unsigned(65_536), ConvertedColumn::None),
        (unsigned(5), ConvertedColumn::None),
        (unsigned(3), ConvertedColumn::None),
        (
            RawColumn::Text((0..rows).map(|row| format!("é{}", number(row) % 6).into()).collect()),
            ConvertedColumn::None,
        ),
        (
            RawColumn::Binary((0..rows).map(|row| [7, (row % 4) as u8].into()).collect()),
            ConvertedColumn::None,
        ),
        (unsigned(100), ConvertedColumn::Numbers((0..rows).map(|row| row as f64 * 0.3).collect())),
        (
            unsigned(100),
            ConvertedColumn::Times((0..rows).map(|row| BEGINNING + row as i64 * 1_500_000).collect()),
        ),
    ];
    let quality = |place: usize| {
        let of = |row: usize| {
            Quality::new(Validity::ALL[(row + place) / 7 % 5], MonitoringResult::ALL[(row + place) / 11 % 7])
        };
        (0..rows).map(of).collect()
    };
    let columns = columns.into_iter().enumerate();
    let columns = columns.map(|(place, (raw, converted))| Column { raw, converted, quality: quality(place) });
    let entries = (0..).map(ParameterIndex).zip(KINDS);
    let entries = entries.map(|(parameter, (raw, converted))| LayoutEntry { parameter, raw, converted });
    let generation = |row: usize| BEGINNING + row as i64 * SECOND + (row as i64 * 77_777) % 1_000;
    Table::from_columns(
        Arc::new(Layout::new(entries.collect())),
        VersionNumber(1),
        (
            (0..rows).map(generation).collect(),
            (0..rows).map(|row| generation(row) + 210_000_000 + row as i64).collect(),
            (0..rows).map(|row| Provenance::ALL[row / 13 % 3]).collect(),
        ),
        columns.collect(),
    )
    .expect("equal lengths and kinds")
}

fn moment(nanoseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(TaiTime(nanoseconds).to_unix_nanos().cast_unsigned() / 1_000)
}

fn word(of: impl serde::Serialize) -> String {
    serde_json::to_value(of).expect("a word").as_str().expect("a word").to_owned()
}

#[tokio::test]
async fn samples_are_rows_with_their_engineering_values() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    let table = table(300);
    world.insert(&mission, &table, (0, 1)).await;
    for (place, parameter) in mission.database.parameters().iter().enumerate() {
        let sql = "SELECT time, nanoseconds, reception, raw, raw_text, value, label, validity, monitoring, provenance, node
            FROM sto_sql.samples('test', $1, '2026-11-22', 'infinity') ORDER BY nanoseconds";
        let rows = world.client.query(sql, &[&parameter.name]).await.expect("answers");
        assert_eq!(rows.len(), table.rows(), "{}", parameter.name);
        let series = table.series(place, &mission.derivations);
        for (row, found) in rows.iter().enumerate() {
            let what = format!("{} row {row}", parameter.name);
            let sample = series.sample(ParameterIndex(place as u32), row);
            assert_eq!(found.get::<_, SystemTime>(0), moment(table.generation[row]), "{what}");
            assert_eq!(found.get::<_, i64>(1), table.generation[row], "{what}");
            assert_eq!(found.get::<_, SystemTime>(2), moment(table.reception[row]), "{what}");
            let exact = |is_large: bool, number: String| is_large.then_some(number);
            let (raw, raw_text) = match &table.columns[place].raw {
                RawColumn::Binary(column) => (None, Some(format!("07{:02x}", column[row][1]))),
                RawColumn::Float(column) => (Some(column[row]), None),
                RawColumn::Signed(column) => {
                    let number = column[row];
                    (Some(number as f64), exact(number.unsigned_abs() > 1 << 53, number.to_string()))
                }
                RawColumn::Text(column) => (None, Some(column[row].to_string())),
                RawColumn::Unsigned(column) => {
                    let number = column[row];
                    (Some(number as f64), exact(number > 1 << 53, number.to_string()))
                }
            };
            assert_eq!(found.get::<_, Option<f64>>(3), raw, "{what}");
            assert_eq!(found.get::<_, Option<String>>(4), raw_text, "{what}");
            assert_eq!(found.get::<_, Option<f64>>(5), series.number(row), "{what}");
            let is_kept = sample.validity != Validity::OutsideCalibration;
            let label = match (sample.engineering(&mission.database), &parameter.kind) {
                (Engineering::Label(label), _) => Some(label.to_owned()),
                (Engineering::Text(text), _) => Some(text.to_owned()),
                (Engineering::Boolean(is_one), ParameterKind::Boolean { zero, one }) => {
                    Some(if is_one { one } else { zero }.clone())
                }
                (Engineering::Time(time), _) => {
                    let utc = time.to_utc().to_string();
                    Some(format!("{}.{:06}Z", &utc[..19], time.0.rem_euclid(SECOND) / 1_000))
                }
                _ => None,
            };
            if is_kept {
                assert_eq!(found.get::<_, Option<String>>(6), label, "{what}");
            }
            assert_eq!(found.get::<_, String>(7), word(sample.validity), "{what}");
            assert_eq!(found.get::<_, String>(8), word(sample.monitoring), "{what}");
            assert_eq!(
                found.get::<_, String>(9),
                format!("{:?}", sample.provenance).to_lowercase(),
                "{what}"
            );
            assert_eq!(found.get::<_, String>(10), "alpha", "{what}");
        }
    }
}

async fn numbers(world: &World, from: &str, to: &str) -> Vec<(i64, f64)> {
    let sql = format!(
        "SELECT (nanoseconds - {BEGINNING}) / {SECOND}, value FROM sto_sql.samples('test', '/T/plain', '{from}', '{to}')
         ORDER BY 1, 2"
    );
    let rows = world.client.query(&sql, &[]).await.expect("answers");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_range_holds_its_beginning_and_not_its_end() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    world.insert(&mission, &plain((0..10).map(|second| (second, 7))), (0, 1)).await;
    world.insert(&mission, &plain([(4, 8), (12, 9)]), (0, 2)).await;
    let found = numbers(&world, "2026-11-22T00:00:03Z", "2026-11-22T00:00:06Z").await;
    assert_eq!(found, [(3, 7.0), (4, 7.0), (4, 8.0), (5, 7.0)]);
    assert_eq!(numbers(&world, "-infinity", "infinity").await.len(), 12);
    assert_eq!(numbers(&world, "2026-11-22T00:00:06Z", "2026-11-22T00:00:03Z").await, []);
    let sql = "SELECT nanoseconds FROM sto_sql.latest('test', '/T/plain')";
    let newest: i64 = world.client.query_one(sql, &[]).await.expect("answers").get(0);
    assert_eq!(newest, BEGINNING + 12 * SECOND);
}

#[tokio::test]
async fn a_reading_that_was_switched_to_hides_what_it_replaces() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    world.insert(&mission, &plain((0..6).map(|second| (second, 1))), (0, 1)).await;
    let span = BEGINNING + 2 * SECOND..BEGINNING + 4 * SECOND;
    world.reading(&mission, 1, span.clone(), 1, true).await;
    world.insert(&mission, &plain([(2, 20), (3, 30)]), (1, 2)).await;
    // Late data that came after the reading began, and a reading that is not finished.
    world.insert(&mission, &plain([(3, 4)]), (0, 3)).await;
    world.reading(&mission, 2, span, 3, false).await;
    world.insert(&mission, &plain([(2, 200), (3, 300)]), (2, 4)).await;
    let found = numbers(&world, "-infinity", "infinity").await;
    assert_eq!(found, [(0, 1.0), (1, 1.0), (2, 20.0), (3, 4.0), (3, 30.0), (4, 1.0), (5, 1.0)]);
}

#[tokio::test]
async fn texts_that_zstd_compressed_are_null_and_their_samples_are_not_missing() {
    let world = World::new().await;
    let mission = world.mission("test", XTCE).await;
    let mut table = table(64);
    table.columns[6].raw =
        RawColumn::Text((0..64).map(|row| format!("a long text with the number {row}").into()).collect());
    world.insert(&mission, &table, (0, 1)).await;
    let sql = "SELECT count(*), count(raw_text), count(label) FROM sto_sql.samples('test', '/T/text', '2026-01-01', '2027-01-01')";
    let row = world.client.query_one(sql, &[]).await.expect("answers");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (64, 0, 0));
}

#[tokio::test]
async fn leap_seconds_are_those_that_times_are_read_with() {
    let world = World::new().await;
    let rows = world.client.query("SELECT unix_second, tai_minus_utc FROM sto_sql.leap_second", &[]).await;
    for row in rows.expect("answers") {
        let (unix, offset): (i64, i32) = (row.get(0), row.get(1));
        for (second, offset) in [(unix - 1, offset - 1), (unix, offset)] {
            let known = TaiTime::from_unix_nanos(second * SECOND).0 / SECOND - second;
            assert_eq!(known, i64::from(offset).max(10), "at {second}");
        }
    }
    // Every half year from 1972 on, for what the table may lack, and both sides of a leap second.
    let halves = (5..140).map(|half| half * 181 * 86_400 * SECOND);
    let beside = [-1_500_000_000, -500_000_000, 0, 500_000_000].map(|offset| 1_483_228_837 * SECOND + offset);
    for tai in halves.chain(beside) {
        let row = world
            .client
            .query_one("SELECT sto_sql.utc($1::bigint), sto_sql.tai(sto_sql.utc($1::bigint))", &[&tai])
            .await;
        let row = row.expect("answers");
        assert_eq!(row.get::<_, SystemTime>(0), moment(tai), "{tai}");
        let known = TaiTime::from_unix_nanos(TaiTime(tai).to_unix_nanos()).0;
        assert_eq!(row.get::<_, i64>(1), known, "{tai}");
    }
}
