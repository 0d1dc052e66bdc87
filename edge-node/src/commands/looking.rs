//! What commands print.

use std::fmt::Write;

use serde::Serialize;

use super::Output;
use crate::desk::{JournalListing, QuarantinedRecord, QuarantinedRow, Retried, Verification};

/// Bytes in one line of a dump.
const LINE_BYTES: usize = 16;

pub(super) fn print<T: Serialize>(
    output: Output,
    value: &T,
    text: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(value)?),
        Output::Text => print!("{}", text(value)),
    }
    Ok(())
}

/// Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($part:tt)*) => {{ let _ = writeln!($out, $($part)*); }};
}

pub(super) fn listing(found: &JournalListing) -> String {
    let mut out = String::new();
    let full = if found.is_full { " · FULL: intake waits" } else { "" };
    line!(out, "journal {} · batches {} to {}{full}", found.store, found.oldest, found.newest);
    for gap in &found.gaps {
        line!(out, "missing {} to {}: {}", gap.first, gap.last, gap.reason);
    }
    if found.batches.is_empty() {
        line!(out, "no batches");
        return out;
    }
    line!(
        out,
        "{:>10}  {:<12} {:<12} {:<8} {:>7} {:>7}  received",
        "batch",
        "mission",
        "link",
        "content",
        "records",
        "bytes"
    );
    for batch in &found.batches {
        let quarantined = match batch.quarantined {
            0 => String::new(),
            count => format!("  {count} in quarantine"),
        };
        line!(
            out,
            "{:>10}  {:<12} {:<12} {:<8} {:>7} {:>7}  {}{quarantined}",
            batch.sequence,
            batch.mission,
            batch.link,
            batch.content,
            batch.records,
            batch.bytes,
            batch.first_reception
        );
    }
    out
}

pub(super) fn verification(found: &Verification) -> String {
    let mut out = String::new();
    for problem in &found.problems {
        line!(out, "▲ {problem}");
    }
    for gap in &found.gaps {
        line!(out, "missing {} to {}: {}", gap.first, gap.last, gap.reason);
    }
    let verdict = if found.problems.is_empty() { "sound" } else { "NOT SOUND" };
    line!(out, "{verdict}: {} batches, {} records, {} bytes read", found.batches, found.records, found.bytes);
    out
}

pub(super) fn quarantine(rows: &[QuarantinedRow]) -> String {
    let mut out = String::new();
    if rows.is_empty() {
        line!(out, "nothing is in quarantine");
        return out;
    }
    line!(
        out,
        "{:<14} {:<18} {:<12} {:<12} {:>6}  {:<28} begins with",
        "record",
        "cause",
        "mission",
        "link",
        "bytes",
        "received"
    );
    for row in rows {
        let released = if row.released { "  (left the quarantine)" } else { "" };
        line!(
            out,
            "{:<14} {:<18} {:<12} {:<12} {:>6}  {:<28} {}{released}",
            row.id.to_string(),
            row.cause,
            row.mission,
            row.link,
            row.bytes,
            row.reception,
            row.begins
        );
    }
    out
}

pub(super) fn quarantined(record: &QuarantinedRecord) -> String {
    let mut out = String::new();
    let row = &record.row;
    line!(out, "record    {}", row.id);
    line!(out, "mission   {} · link {} · received {}", row.mission, row.link, row.reception);
    line!(out, "cause     {}", row.cause);
    for verdict in &record.verdicts {
        line!(out, "          {verdict}");
    }
    if let Some(header) = &record.header {
        line!(out, "header    {header}");
    }
    line!(out, "now       {}", record.now);
    let digits: Vec<&str> = (0..record.hexadecimal.len() / 2)
        .filter_map(|at| record.hexadecimal.get(2 * at..2 * at + 2))
        .collect();
    for (number, bytes) in digits.chunks(LINE_BYTES).enumerate() {
        line!(out, "{:08x}  {}", number * LINE_BYTES, bytes.join(" "));
    }
    out
}

pub(super) fn retried(found: &Retried) -> String {
    let mut out = String::new();
    line!(out, "{} records tried, {} left the quarantine", found.tried, found.released);
    for (cause, count) in &found.remaining {
        line!(out, "  {count} still cannot be read: {cause}");
    }
    out
}
