//! A rolled table as bytes, in the same parts as a table: what its buckets have in common, then each column.
//!
//! ```text
//! axis     u8 version, numbers of counts (unsigned), of the first generation times, of last − first, CRC-32C
//! column   u8 version, numbers of rows without a number (unsigned), of violations (unsigned), runs of the worst
//!          monitoring result, numbers (floating-point; NaN for none) first, last, minimum, maximum, sum, CRC-32C
//! ```

use mission_database::MonitoringResult;
use processing::{Bucket, Rolled, RolledTable};

use super::{ColumnsError, ROWS_MAX, begin, numbers, open, read_runs, write_runs};

/// Its parts one after the other, and where each ends.
pub fn encode_rolled(table: &RolledTable) -> (Vec<u8>, Vec<i32>) {
    let (mut out, mut ends) = (Vec::new(), Vec::with_capacity(table.columns.len() + 1));
    begin(&mut out, |out| {
        let of_buckets = |field: fn(&Bucket) -> i64| table.buckets.iter().map(field).collect::<Vec<i64>>();
        let counts: Vec<u64> = table.buckets.iter().map(|bucket| bucket.count.into()).collect();
        numbers::write_unsigned(out, &counts);
        numbers::write_signed(out, &of_buckets(|bucket| bucket.first_at));
        numbers::write_signed(out, &of_buckets(|bucket| bucket.last_at.wrapping_sub(bucket.first_at)));
    });
    ends.push(out.len() as i32);
    for column in &table.columns {
        begin(&mut out, |out| {
            let unsigned =
                |field: fn(&Rolled) -> u32| column.iter().map(|one| field(one).into()).collect::<Vec<u64>>();
            numbers::write_unsigned(out, &unsigned(|one| one.without_number));
            numbers::write_unsigned(out, &unsigned(|one| one.violations));
            let worst: Vec<MonitoringResult> = column.iter().map(|one| one.worst).collect();
            write_runs(out, &worst, |worst| *worst as u8);
            let fields: [fn(&Rolled) -> f64; 5] =
                [|one| one.first, |one| one.last, |one| one.minimum, |one| one.maximum, |one| one.sum];
            for field in fields {
                numbers::write_float(out, &column.iter().map(field).collect::<Vec<f64>>());
            }
        });
        ends.push(out.len() as i32);
    }
    (out, ends)
}

/// Reads what so many buckets have in common.
pub fn decode_rolled_axis(bytes: &[u8], rows: usize) -> Result<Vec<Bucket>, ColumnsError> {
    if rows > ROWS_MAX {
        return Err(ColumnsError::Unreadable("the number of rows"));
    }
    let mut reader = open(bytes)?;
    let counts = numbers::read_unsigned(&mut reader, rows, "counts")?;
    let first = numbers::read_signed(&mut reader, rows, "first times")?;
    let spans = numbers::read_signed(&mut reader, rows, "last times")?;
    let buckets = counts.iter().zip(first).zip(spans).map(|((&count, first_at), span)| {
        let count = u32::try_from(count).map_err(|_| ColumnsError::Unreadable("counts"))?;
        Ok(Bucket { count, first_at, last_at: first_at.wrapping_add(span) })
    });
    buckets.collect()
}

/// Reads a column of so many buckets.
pub fn decode_rolled_column(bytes: &[u8], rows: usize) -> Result<Vec<Rolled>, ColumnsError> {
    if rows > ROWS_MAX {
        return Err(ColumnsError::Unreadable("the number of rows"));
    }
    let mut reader = open(bytes)?;
    let without_number = numbers::read_unsigned(&mut reader, rows, "counts without a number")?;
    let violations = numbers::read_unsigned(&mut reader, rows, "violations")?;
    let worst = read_runs(&mut reader, rows, "monitoring results", MonitoringResult::from_number)?;
    let mut float = |what| numbers::read_float(&mut reader, rows, what);
    let (first, last) = (float("first values")?, float("last values")?);
    let (minimum, maximum, sum) = (float("smallest values")?, float("largest values")?, float("sums")?);
    let rolled = (0..rows).map(|row| Rolled {
        without_number: u32::try_from(without_number[row]).unwrap_or(u32::MAX),
        violations: u32::try_from(violations[row]).unwrap_or(u32::MAX),
        worst: worst[row],
        first: first[row],
        last: last[row],
        minimum: minimum[row],
        maximum: maximum[row],
        sum: sum[row],
    });
    Ok(rolled.collect())
}
