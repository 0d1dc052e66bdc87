//! What came of what there was, put together for the API and the command line: the account's rows, what nodes say is
//! still to come, and what is presumed lost.

use std::collections::BTreeMap;
use std::ops::Range;

use dashboard::contract::{
    Completeness, CompletenessBy, CompletenessCounts, CompletenessRow, NodeReport, StationCompleteness,
    WaitingAtStation,
};
use dashboard::rfc3339;
use delivery::NodeId;
use processing::{Counts, Hour};
use space_packet::{Apid, UtcTime};

use crate::archive::{AccountRows, StationRow, Width};

/// Rows of an answer: more are no answer that somebody reads.
pub const ROWS_MAX: usize = 10_000;

/// What was asked.
pub struct Asked<'a> {
    /// Name of the mission.
    pub mission: &'a str,
    /// Hours of reception.
    pub hours: Range<Hour>,
    /// Over how long rows are summed.
    pub by: CompletenessBy,
}

/// Over how many hours the archive sums.
pub fn width(by: CompletenessBy) -> Width {
    match by {
        CompletenessBy::Day => Width::Day,
        CompletenessBy::Hour => Width::Hour,
        CompletenessBy::Total => Width::Total,
    }
}

/// Puts an answer together.
pub fn describe(asked: &Asked<'_>, account: &AccountRows, stations: &[StationRow]) -> Completeness {
    let mut sums: BTreeMap<NodeId, Counts> = BTreeMap::new();
    for (key, counts) in &account.rows {
        *sums.entry(key.node).or_default() += *counts;
    }
    let names: BTreeMap<NodeId, &str> =
        stations.iter().map(|station| (station.node, station.name.as_str())).collect();
    let begins = |hour: Hour| (asked.by != CompletenessBy::Total).then(|| rfc3339(hour.start()));
    let rows = account.rows.iter().filter_map(|(key, counts)| {
        Some(CompletenessRow {
            node: (*names.get(&key.node)?).to_owned(),
            link: key.feed.link.clone(),
            apid: key.apid.map(Apid::value),
            begins: begins(key.hour),
            counts: described(*counts),
            percent: counts.percent(0),
        })
    });
    let mut rows: Vec<CompletenessRow> = rows.collect();
    rows.sort_by(|a, b| (&a.begins, &a.node, &a.link, a.apid).cmp(&(&b.begins, &b.node, &b.link, b.apid)));
    Completeness {
        mission: asked.mission.to_owned(),
        from: rfc3339(asked.hours.start.start()),
        to: rfc3339(asked.hours.end.start()),
        by: asked.by,
        counted_at: account.counted_at.map(rfc3339),
        stations: stations.iter().filter_map(|row| station(asked, row, sums.get(&row.node))).collect(),
        rows,
    }
}

/// A station that has sent for the mission, or has a link of it.
fn station(asked: &Asked<'_>, row: &StationRow, counts: Option<&Counts>) -> Option<StationCompleteness> {
    // A report of another version that does not read is no report.
    let report: Option<NodeReport> =
        row.report.as_deref().and_then(|report| serde_json::from_str(report).ok());
    let has_link = report.iter().any(|report| report.links.iter().any(|link| link.mission == asked.mission));
    if counts.is_none() && !has_link {
        return None;
    }
    let counts = counts.copied().unwrap_or_default();
    let waiting = report.map(|report| WaitingAtStation {
        records: report.backlog.packets,
        batches: row.waiting_batches,
        oldest: report.backlog.oldest,
        reported_at: report.at,
    });
    let due = waiting.as_ref().filter(|waiting| may_be_in(&asked.hours, waiting));
    let due = due.map_or(0, |waiting| i64::try_from(waiting.records).unwrap_or(i64::MAX));
    Some(StationCompleteness {
        node: row.name.clone(),
        counts: described(counts),
        waiting,
        presumed_lost_batches: row.presumed_lost_batches,
        presumed_lost: row.presumed_lost_records,
        percent: counts.percent(due.saturating_add(row.presumed_lost_records)),
    })
}

/// Whether some of what waits can have been received in the hours asked for.
fn may_be_in(hours: &Range<Hour>, waiting: &WaitingAtStation) -> bool {
    let oldest = waiting.oldest.as_deref().and_then(|text| UtcTime::parse(text).ok());
    oldest.is_none_or(|oldest| Hour::of(oldest.to_tai()) < hours.end)
}

fn described(counts: Counts) -> CompletenessCounts {
    CompletenessCounts {
        received_live: counts.received_live,
        backfilled: counts.backfilled,
        quarantined: counts.quarantined,
        duplicates: counts.duplicates,
        not_received: counts.not_received,
        damaged: counts.damaged,
        evicted: counts.evicted,
        forgotten: counts.forgotten,
        never_issued: counts.never_issued,
    }
}
