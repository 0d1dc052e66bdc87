//! Columns as the hub writes them, read by the functions of the schema `sto_sql`.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::error::SqlState;

use super::*;

/// Rows and what they look like: enough to come to every encoding and to bins of many sizes.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    kind: u8,
    seed: u64,
    /// Bits that the noise has.
    width: u32,
}

fn shape() -> impl Strategy<Value = Shape> {
    let rows = prop_oneof![4 => 1_usize..40, 4 => 250_usize..1_100, 1 => 4_000_usize..9_000];
    (rows, 0_u8..10, any::<u64>(), 0_u32..65).prop_map(|(rows, kind, seed, width)| Shape {
        rows,
        kind,
        seed,
        width,
    })
}

/// xorshift: a shape is small to print, and its numbers follow from it.
fn mixed(seed: u64, row: usize) -> u64 {
    let mut number = seed ^ (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for shift in [29, 31, 27] {
        number = (number ^ number >> shift).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    number
}

impl Shape {
    fn number(&self, row: usize) -> u64 {
        let (noise, at) = (mixed(self.seed, row), row as u64);
        let narrow = noise.checked_shr(64 - self.width).unwrap_or(0);
        match self.kind {
            0 => self.seed,
            1 => mixed(self.seed, row / 40),
            2 => self.seed.wrapping_add(at.wrapping_mul(narrow >> 3)),
            3 => self.seed.wrapping_add(at.wrapping_mul(1_000_000_000)).wrapping_add(narrow >> 8),
            4 => self.seed.wrapping_add(at.wrapping_mul(at).wrapping_mul(77)).wrapping_add(narrow >> 20),
            5 => [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1][noise as usize % 5],
            6 if narrow >> 60 == 3 => self.seed,
            6 => narrow & 0x1FF,
            _ => narrow,
        }
    }

    fn float(&self, row: usize) -> f64 {
        let noise = mixed(self.seed, row);
        match self.kind {
            5 => {
                let special =
                    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, f64::MIN_POSITIVE, 5e-324];
                [special[noise as usize % 7], f64::MAX, -f64::MIN_POSITIVE / 8.0][(noise >> 32) as usize % 3]
            }
            0 => f64::from_bits(self.seed),
            1 => (self.number(row) >> 40) as f64 / 16.0,
            8 => f64::from_bits(noise),
            9 => f64::from(f32::from_bits(noise as u32)),
            7 => f64::from((noise % 4_096) as u16) * 0.1,
            _ => (row as f64 / 50.0).sin() * f64::from(self.width) + (noise % 16) as f64 / 1_024.0,
        }
    }

    fn single(&self, row: usize) -> f64 {
        f64::from(self.float(row) as f32)
    }

    fn text(&self, row: usize) -> String {
        match self.number(row) % 5 {
            0 => String::new(),
            1 => "é ± 'quoted' \\".to_owned(),
            other => format!("state {other}"),
        }
    }

    fn runs<T: Copy>(&self, all: &[T]) -> Vec<T> {
        (0..self.rows)
            .map(|row| all[mixed(self.seed, row / (1 + self.width as usize)) as usize % all.len()])
            .collect()
    }

    fn table(&self) -> Table {
        let raw = |raw: RawColumn, converted: ConvertedColumn| {
            let quality: Vec<Quality> = self
                .runs(&Validity::ALL)
                .into_iter()
                .zip(self.runs(&MonitoringResult::ALL))
                .map(|(validity, monitoring)| Quality::new(validity, monitoring))
                .collect();
            Column { raw, converted, quality }
        };
        let (numbers, floats) = (
            || (0..self.rows).map(|row| self.number(row)),
            |single| {
                (0..self.rows).map(|row| if single { self.single(row) } else { self.float(row) }).collect()
            },
        );
        let columns = vec![
            raw(RawColumn::Unsigned(numbers().collect()), ConvertedColumn::Numbers(floats(false))),
            raw(RawColumn::Signed(numbers().map(u64::cast_signed).collect()), ConvertedColumn::None),
            raw(RawColumn::Float(floats(false)), ConvertedColumn::None),
            raw(RawColumn::Float(floats(true)), ConvertedColumn::None),
            raw(
                RawColumn::Text((0..self.rows).map(|row| self.text(row).into()).collect()),
                ConvertedColumn::Times(numbers().map(u64::cast_signed).collect()),
            ),
            raw(
                RawColumn::Binary((0..self.rows).map(|row| self.text(row).into_bytes().into()).collect()),
                ConvertedColumn::None,
            ),
        ];
        let kinds = [
            (RawKind::Unsigned, ConvertedKind::Number),
            (RawKind::Signed, ConvertedKind::None),
            (RawKind::Float, ConvertedKind::None),
            (RawKind::Float, ConvertedKind::None),
            (RawKind::Text, ConvertedKind::Time),
            (RawKind::Binary, ConvertedKind::None),
        ];
        let entries = kinds.iter().zip(0..).map(|(&(raw, converted), index)| LayoutEntry {
            parameter: ParameterIndex(index),
            raw,
            converted,
        });
        let times: Vec<i64> = numbers().map(u64::cast_signed).collect();
        Table::from_columns(
            Arc::new(Layout::new(entries.collect())),
            VersionNumber(1),
            (times.clone(), times.into_iter().rev().collect(), self.runs(&Provenance::ALL)),
            columns,
        )
        .expect("equal lengths and kinds")
    }
}

async fn ask<T: for<'a> tokio_postgres::types::FromSql<'a>>(
    client: &Client,
    function: &str,
    part: &[u8],
    rows: usize,
) -> T {
    let sql = format!("SELECT {function}");
    let row = client.query_one(&sql, &[&part, &(rows as i32)]).await;
    row.unwrap_or_else(|failed| panic!("{function}: {failed:?}")).get(0)
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    // Which NaN it is nobody asks, and PostgreSQL has one.
    numbers.iter().map(|number| if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() }).collect()
}

async fn check(client: &Client, shape: Shape) {
    let (table, rows) = (shape.table(), shape.rows);
    let (bytes, ends) = columns::encode(&table);
    let part = |index: usize| {
        let start = index.checked_sub(1).map_or(0, |before| ends[before] as usize);
        &bytes[start..ends[index] as usize]
    };
    let numbers = |block: u8, start: u8| format!("sto_sql.numbers(sto_sql.block($1, {start}, {block}), $2)");
    let times: Vec<i64> = ask(client, &numbers(0, 1), part(0), rows).await;
    assert_eq!(times, table.generation, "{shape:?}");
    let late: Vec<i64> = ask(client, &numbers(1, 1), part(0), rows).await;
    let received: Vec<i64> = times.iter().zip(late).map(|(time, late)| time.wrapping_add(late)).collect();
    assert_eq!(received, table.reception, "{shape:?}");
    let provenance: Vec<i32> = ask(client, "sto_sql.runs(sto_sql.block($1, 1, 2), $2)", part(0), rows).await;
    assert_eq!(provenance, table.provenance.iter().map(|&one| one as i32).collect::<Vec<_>>(), "{shape:?}");
    for (column, index) in table.columns.iter().zip(1..) {
        let what = format!("column {index} of {shape:?}");
        match &column.raw {
            RawColumn::Unsigned(expected) => {
                let found: Vec<i64> = ask(client, &numbers(0, 2), part(index), rows).await;
                assert!(found.iter().map(|one| one.cast_unsigned()).eq(expected.iter().copied()), "{what}");
            }
            RawColumn::Signed(expected) => {
                assert_eq!(
                    ask::<Vec<i64>>(client, &numbers(0, 2), part(index), rows).await,
                    *expected,
                    "{what}"
                );
            }
            RawColumn::Float(expected) => {
                let found: Vec<f64> =
                    ask(client, "sto_sql.floats(sto_sql.block($1, 2, 0), $2)", part(index), rows).await;
                assert_eq!(bits(&found), bits(expected), "{what}");
            }
            RawColumn::Text(expected) => {
                let found: Vec<String> =
                    ask(client, "sto_sql.texts(sto_sql.block($1, 2, 0), $2, true)", part(index), rows).await;
                assert!(found.iter().map(String::as_str).eq(expected.iter().map(AsRef::as_ref)), "{what}");
            }
            RawColumn::Binary(expected) => {
                let found: Vec<String> =
                    ask(client, "sto_sql.texts(sto_sql.block($1, 2, 0), $2, false)", part(index), rows).await;
                let digits =
                    |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                assert!(found.into_iter().eq(expected.iter().map(|bytes| digits(bytes))), "{what}");
            }
        }
        let last = match &column.converted {
            ConvertedColumn::None => 1,
            ConvertedColumn::Numbers(expected) => {
                let found: Vec<f64> =
                    ask(client, "sto_sql.floats(sto_sql.block($1, 2, 1), $2)", part(index), rows).await;
                assert_eq!(bits(&found), bits(expected), "{what}");
                2
            }
            ConvertedColumn::Times(expected) => {
                assert_eq!(
                    ask::<Vec<i64>>(client, &numbers(1, 2), part(index), rows).await,
                    *expected,
                    "{what}"
                );
                2
            }
        };
        let runs = format!("sto_sql.runs(sto_sql.block($1, 2, {last}), $2)");
        let quality: Vec<i32> = ask(client, &runs, part(index), rows).await;
        assert!(quality.into_iter().eq(column.quality.iter().map(|one| i32::from(one.byte()))), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_read_in_sql_as_they_were_written() {
    let world = World::new().await;
    let client = Arc::new(world.client);
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let config = Config { cases: 96, failure_persistence: None, ..Config::default() };
        TestRunner::new(config).run(&shape(), |shape| {
            runtime.block_on(check(&client, shape));
            Ok(())
        })
    });
    checked.await.expect("no panic").expect("equal");
}

#[tokio::test]
async fn a_segment_of_seventy_thousand_rows_is_read_in_sql() {
    let world = World::new().await;
    for kind in [1, 3, 5, 8] {
        check(&world.client, Shape { rows: 70_000, kind, seed: 0x1234_5678_9ABC, width: 21 }).await;
    }
}

/// The encoding of a column's raw values, and the order of the differences that are packed.
fn form(part: &[u8]) -> (u8, u8) {
    let length = part[2..].iter().position(|byte| byte & 0x80 == 0).expect("a length") + 1;
    let block = &part[2 + length..];
    let is_packed = (2..6).contains(&block[0]);
    (block[0], if is_packed && block[3] >> 4 == 1 { block[4] & 7 } else { 0 })
}

#[tokio::test]
async fn every_encoding_and_every_order_of_differences_is_read_in_sql() {
    let world = World::new().await;
    let mut seen = BTreeSet::new();
    for (kind, width) in (0..10).flat_map(|kind| [0, 9, 30].map(|width| (kind, width))) {
        let shape = Shape { rows: 520, kind, seed: 0x1357_9BDF_0246, width };
        check(&world.client, shape).await;
        let (bytes, ends) = columns::encode(&shape.table());
        seen.extend(ends.windows(2).map(|ends| form(&bytes[ends[0] as usize..ends[1] as usize])));
    }
    let integers = [2, 3].into_iter().flat_map(|encoding| [0, 1, 2].map(|order| (encoding, order)));
    let all = [(0, 0), (1, 0), (4, 0), (4, 2), (5, 0), (5, 2), (6, 0)].into_iter().chain(integers);
    let missing: Vec<_> = all.filter(|one| !seen.contains(one)).collect();
    assert_eq!(missing, [], "of {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_columns_end_in_an_error_or_in_rows_and_soon() {
    let world = World::new().await;
    world.client.batch_execute("SET statement_timeout = '20s'").await.expect("set");
    let client = Arc::new(world.client);
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let config = Config { cases: 96, failure_persistence: None, ..Config::default() };
        let damage = (shape(), any::<proptest::sample::Index>(), any::<u8>(), 1_usize..6);
        TestRunner::new(config).run(&damage, |(shape, at, byte, column)| {
            let shape = Shape { rows: shape.rows.min(400), ..shape };
            let (mut bytes, ends) = columns::encode(&shape.table());
            let part = &mut bytes[ends[column - 1] as usize..ends[column] as usize];
            let at = at.index(part.len() - 1) + 1;
            part[at] = byte;
            let function = match column {
                1 | 2 => "sto_sql.numbers(sto_sql.block($1, 2, 0), $2)::text",
                3 | 4 => "sto_sql.floats(sto_sql.block($1, 2, 0), $2)::text",
                _ => "sto_sql.texts(sto_sql.block($1, 2, 0), $2, true)::text",
            };
            let sql = format!("SELECT {function}");
            let answer = runtime.block_on(client.query_one(&sql, &[&&*part, &(shape.rows as i32)]));
            let code = answer.err().and_then(|error| error.code().cloned());
            prop_assert_ne!(code, Some(SqlState::QUERY_CANCELED));
            prop_assert!(!client.is_closed());
            Ok(())
        })
    });
    checked.await.expect("no panic").expect("none that hangs");
}

#[tokio::test]
async fn columns_of_a_later_version_are_refused_with_a_code() {
    let world = World::new().await;
    let part: &[u8] = &[4, 4, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    let answer = world.client.query_one("SELECT sto_sql.block($1, 2, 0)", &[&part]).await;
    let error = answer.expect_err("the version is unknown");
    let error = error.as_db_error().expect("PostgreSQL says so");
    assert_eq!(*error.code(), SqlState::FEATURE_NOT_SUPPORTED);
    assert!(error.message().starts_with("STO-SQL-FORMAT: "), "{}", error.message());
}
