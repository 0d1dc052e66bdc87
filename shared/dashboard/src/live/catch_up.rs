//! What a client missed while it was away: read from the archive when it is not too much.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use space_packet::TaiTime;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::{LiveBatch, ParameterSet};
use crate::app::App;
use crate::{LiveMission, ProblemResponse};

/// Clients that are caught up at once: each page is decoded anew. More wait.
pub(crate) const CATCH_UPS_MAX: usize = 4;
/// How long one waits for its turn, and for the archive to say how much there is.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one may take, so that a client that reads slowly does not keep the turn of others.
const LASTING_MAX: Duration = Duration::from_secs(30);
/// What may be missed: for more, a snapshot is kinder to client and archive.
const MISSED_RECORDS_MAX: u64 = 100_000;
const MISSED_NANOS_MAX: i64 = 60_000_000_000;
/// Numbers of the ledger between the two ends, of all missions: they are looked through.
const MISSED_POSITIONS_MAX: i64 = 100_000;

/// How much was committed for a mission between two positions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MissedExtent {
    /// Records: packets or samples as received.
    pub records: u64,
    /// When the first of them was committed.
    pub since: Option<TaiTime>,
}

/// What is asked of what was missed.
#[derive(Clone, Debug)]
pub struct MissedQuery {
    /// Behind this position.
    pub after: i64,
    /// Up to this one, included.
    pub until: i64,
    /// Samples of these parameters; none when it is empty.
    pub parameters: ParameterSet,
    /// Whether the records themselves are wanted.
    pub records: bool,
}

/// The beginning of what was missed: as much as is read at once.
#[derive(Debug, Default)]
pub struct MissedPage {
    /// In order of their positions.
    pub batches: Vec<LiveBatch>,
    /// How many records were read for them.
    pub records: u64,
    /// Everything up to here was read.
    pub up_to: i64,
}

/// What a catching up tells.
pub(super) enum CatchUp {
    /// It will come: so many records.
    Begun(u64),
    Page(MissedPage),
    /// It does not come, and nothing of it did.
    Refused(String),
}

/// Reads what was missed until it is told or nobody listens. When it ends before `query.until`, the rest is lost to
/// this client.
pub(super) fn start(app: Arc<App>, mission: Arc<LiveMission>, query: MissedQuery) -> mpsc::Receiver<CatchUp> {
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        let gone = tell.clone();
        tokio::select! {
            () = read(&app, &mission, query, tell) => {}
            () = gone.closed() => {}
            () = app.shutdown.cancelled() => {}
        }
    });
    told
}

async fn read(app: &App, mission: &LiveMission, mut query: MissedQuery, tell: mpsc::Sender<CatchUp>) {
    let Ok(Ok(_turn)) = timeout(PATIENCE, app.catch_ups.acquire()).await else {
        let reason = "too many others are being caught up at the moment";
        return drop(tell.send(CatchUp::Refused(reason.to_owned())).await);
    };
    let ends = Instant::now() + LASTING_MAX;
    let mut remaining = match extent(app, mission, &query).await {
        Ok(extent) => extent.records,
        Err(reason) => return drop(tell.send(CatchUp::Refused(reason)).await),
    };
    if tell.send(CatchUp::Begun(remaining)).await.is_err() {
        return;
    }
    while query.after < query.until && remaining > 0 {
        let page = timeout_at(ends, app.backend.missed(mission, query.clone())).await;
        let Ok(Ok(page)) = page else { return };
        query.after = page.up_to;
        remaining = remaining.saturating_sub(page.records);
        if !matches!(timeout_at(ends, tell.send(CatchUp::Page(page))).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// How much was missed, when it is not too much.
async fn extent(app: &App, mission: &LiveMission, query: &MissedQuery) -> Result<MissedExtent, String> {
    if query.until - query.after > MISSED_POSITIONS_MAX {
        return Err(format!("more than {MISSED_POSITIONS_MAX} batches were committed since"));
    }
    let asked = app.backend.missed_extent(mission, query.after, query.until);
    let extent: Result<MissedExtent, ProblemResponse> = match timeout(PATIENCE, asked.boxed()).await {
        Ok(answer) => answer,
        Err(_) => return Err(format!("the archive took longer than {} s", PATIENCE.as_secs())),
    };
    let extent = extent.map_err(|problem| problem.detail().to_owned())?;
    let now = service::clock::now();
    if extent.records > MISSED_RECORDS_MAX {
        return Err(format!("{} records were missed; up to {MISSED_RECORDS_MAX} are sent", extent.records));
    }
    if extent.since.is_some_and(|since| since.plus_nanos(MISSED_NANOS_MAX) < now) {
        return Err(format!("records of more than {} s were missed", MISSED_NANOS_MAX / 1_000_000_000));
    }
    Ok(extent)
}
