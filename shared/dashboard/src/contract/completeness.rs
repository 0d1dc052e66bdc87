//! What came of what there was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Over how long completeness is summed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompletenessBy {
    /// Days of UTC.
    Day,
    /// Hours of UTC.
    Hour,
    /// The whole span.
    #[default]
    Total,
}

/// Answer of `GET /api/v1/missions/{mission}/completeness`: what came of what there was.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Completeness {
    /// The mission.
    pub mission: String,
    /// Beginning of the span of reception times: that of its first hour.
    pub from: String,
    /// Its end, excluded: that of its last hour.
    pub to: String,
    /// Over how long rows are summed.
    pub by: CompletenessBy,
    /// Up to which commit batches are counted; absent when there are none.
    pub counted_at: Option<String>,
    /// Each station's sum, with what waits there.
    pub stations: Vec<StationCompleteness>,
    /// By time, station, link and APID.
    pub rows: Vec<CompletenessRow>,
}

/// What came of a mission's records at one station.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StationCompleteness {
    /// The node.
    pub node: String,
    /// Sums over its links and APIDs.
    pub counts: CompletenessCounts,
    /// What the node last said is still to come, of all missions; absent while it has said nothing.
    pub waiting: Option<WaitingAtStation>,
    /// Batches of journals that the node has no more: it said it had them, and they are not committed.
    pub presumed_lost_batches: i64,
    /// Records in those, estimated from the size of each journal's committed batches.
    pub presumed_lost: i64,
    /// Here, of what is known to have been sent, in percent: waiting and presumed lost records are due too. Absent when
    /// nothing is.
    pub percent: Option<f64>,
}

/// What waits at a station, as its node said.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct WaitingAtStation {
    /// Records.
    pub records: u64,
    /// Batches that the node had in its journals when its session began, and that are not committed.
    pub batches: i64,
    /// Reception time of the oldest.
    pub oldest: Option<String>,
    /// When the node said so, by its clock.
    pub reported_at: String,
}

/// One row: a link and an APID, for an hour, a day or the whole span.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CompletenessRow {
    /// The node.
    pub node: String,
    /// Its link.
    pub link: String,
    /// Absent of records that are no packets, and of lost batches.
    pub apid: Option<u16>,
    /// Beginning of the hour or day; absent when the whole span is one.
    pub begins: Option<String>,
    /// The counts.
    pub counts: CompletenessCounts,
    /// Here, of what is known to have been sent, in percent; what waits cannot be told by APID.
    pub percent: Option<f64>,
}

/// Numbers of records, unless they say otherwise.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct CompletenessCounts {
    /// Forwarded as they came.
    pub received_live: i64,
    /// Forwarded later, or carried by hand.
    pub backfilled: i64,
    /// Of both, in quarantine.
    pub quarantined: i64,
    /// Of both, with the sequence count of one shortly before.
    pub duplicates: i64,
    /// Skipped by sequence counts: they did not come to the station.
    pub not_received: i64,
    /// Lost at the station because they could not be read any more.
    pub damaged: i64,
    /// Lost at the station because they were given up for new ones.
    pub evicted: i64,
    /// Lost at the hub, which was set back to an older state when the station held them no longer.
    pub forgotten: i64,
    /// Batch numbers that were set aside and never given to a batch: nothing is lost by them.
    pub never_issued: i64,
}
