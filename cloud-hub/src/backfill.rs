//! Backfill that somebody asked for: what the router is told of requests, and what sessions tell their nodes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dashboard::backfill::{Answer, Backfill, WantedBackfill};
use dashboard::contract::{BackfillRequest, BackfillState, NodeState};
use dashboard::{LiveMission, ProblemResponse, rfc3339};
use delivery::SendFirst;
use futures_util::FutureExt;
use service::logging::chain;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::archive::{ArchiveError, Asked, BackfillRow, BackfillStanding, BackfillTable, Database};
use crate::fleet::Fleet;

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Requests as dashboards see and make them.
pub(crate) struct HubBackfill {
    table: BackfillTable,
    fleet: Arc<Fleet>,
}

impl HubBackfill {
    pub(crate) fn new(database: Database, fleet: Arc<Fleet>) -> Self {
        Self { table: BackfillTable::new(database), fleet }
    }

    fn described(&self, rows: Vec<BackfillRow>) -> Vec<BackfillRequest> {
        let nodes = self.fleet.describe();
        let is_connected =
            |name: &str| nodes.iter().any(|node| node.name == name && node.state == NodeState::Connected);
        rows.into_iter()
            .map(|row| {
                let is_connected = is_connected(&row.node_name);
                describe(row, is_connected)
            })
            .collect()
    }
}

impl Backfill for HubBackfill {
    fn requests<'a>(&'a self, mission: &'a LiveMission) -> Answer<'a, Vec<BackfillRequest>> {
        async move {
            let rows = self.table.list(mission.name()).await.map_err(|error| unavailable(&error))?;
            Ok(self.described(rows))
        }
        .boxed()
    }

    fn ask<'a>(&'a self, mission: &'a LiveMission, wanted: WantedBackfill) -> Answer<'a, BackfillRequest> {
        async move {
            let node = self.fleet.node_id(&wanted.node);
            let Some(node) = node.filter(|node| self.fleet.may_send(*node, mission.name())) else {
                let detail =
                    format!("{:?} is no node that may send for mission {}", wanted.node, mission.name());
                return Err(ProblemResponse::backfill_node(detail));
            };
            let asked = self.table.ask(mission.name(), node, wanted.span, &wanted.by).await;
            match asked.map_err(|error| unavailable(&error))? {
                Asked::Open(row) => {
                    info!(%node, request = row.number, by = wanted.by, "node is asked to send a span first");
                    self.described(vec![row]).pop().ok_or_else(|| {
                        ProblemResponse::internal("the request that was just made is not there; report this")
                    })
                }
                Asked::TooMany => Err(ProblemResponse::backfill_full(format!(
                    "node {} has as many open requests as it may; wait until one is served or a day old",
                    wanted.node
                ))),
            }
        }
        .boxed()
    }
}

fn describe(row: BackfillRow, is_connected: bool) -> BackfillRequest {
    BackfillRequest {
        id: row.number,
        node: row.node_name,
        from: rfc3339(row.span.start),
        to: rfc3339(row.span.end),
        asked_by: row.asked_by,
        asked_at: rfc3339(row.asked_at),
        state: match row.standing {
            BackfillStanding::Asked | BackfillStanding::UnderWay if !is_connected => {
                BackfillState::NodeSilent
            }
            BackfillStanding::Asked => BackfillState::Asked,
            BackfillStanding::Expired => BackfillState::Expired,
            BackfillStanding::NothingWaits => BackfillState::NothingWaits,
            BackfillStanding::Served => BackfillState::Served,
            BackfillStanding::UnderWay => BackfillState::UnderWay,
        },
        batches: row.batches,
        changed_at: rfc3339(row.changed_at),
    }
}

fn unavailable(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "requests for backfill could not be read or made");
    crate::archive::problem(error)
}

/// Open requests as the sessions of a hub that leads know them.
pub(crate) struct OpenRequests {
    table: BackfillTable,
    open: watch::Sender<HashMap<Uuid, Vec<SendFirst>>>,
}

impl OpenRequests {
    pub(crate) fn new(database: Database) -> Self {
        Self { table: BackfillTable::new(database), open: watch::Sender::default() }
    }

    /// Looks for what somebody asks, until shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            match self.table.open().await {
                Ok(open) => drop(self.open.send_replace(open)),
                Err(error) => warn!(error = chain(&error), "requests for backfill could not be looked for"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// What a node is to be asked.
    pub(crate) fn of(&self, node: Uuid) -> Vec<SendFirst> {
        self.open.borrow().get(&node).cloned().unwrap_or_default()
    }

    /// Where answers of nodes are written down.
    pub(crate) fn table(&self) -> &BackfillTable {
        &self.table
    }
}
