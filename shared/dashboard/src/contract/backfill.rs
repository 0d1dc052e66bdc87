//! Backfill that somebody asked for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `POST /api/v1/missions/{mission}/backfill`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackfillRequest {
    /// Name of the node.
    pub node: String,
    /// Beginning of the span of reception time, included.
    pub from: String,
    /// Its end, excluded.
    pub to: String,
}

/// Answer of `GET /api/v1/missions/{mission}/backfill`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct BackfillRequests {
    /// Requests of the last days, newest first, at most 1,000.
    pub requests: Vec<BackfillRequest>,
}

/// A span that a node was asked to send first.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct BackfillRequest {
    /// Its number.
    pub id: i64,
    /// Name of the node.
    pub node: String,
    /// Beginning of the span of reception time, included.
    pub from: String,
    /// Its end, excluded.
    pub to: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: String,
    /// What came of it.
    pub state: BackfillState,
    /// Batches of that span that waited at the node when it last said so; absent while it did not.
    pub batches: Option<u64>,
    /// When the state was last looked at or told.
    pub changed_at: String,
}

/// What came of a request for backfill.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BackfillState {
    /// It is on its way to the node, which has not answered; software older than this never does.
    Asked,
    /// It was not served within a day, and is not repeated.
    Expired,
    /// The node has no session; it is asked when it has one.
    NodeSilent,
    /// Nothing of that span waits at the node: what there is, the hub has.
    NothingWaits,
    /// All of it that waited at the node is here.
    Served,
    /// The node sends it first.
    UnderWay,
}
