//! When each batch was committed, as a connection beside the hub's sees it.

use std::time::Duration;

use anyhow::Context;
use delivery::{Lane, SealedBatch};
use futures_util::TryStreamExt;
use simulator::load::serial_of;
use space_packet::TaiTime;
use space_packet::time::cds::{DayField, Layout, Submilliseconds};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::{Latencies, Planned};

/// Half of it is added to a latency on average, and the look itself.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// The CDS time behind the primary header.
const TIME_AT: usize = 6;
const LAYOUT: Layout = Layout { day: DayField::Bits16, submilliseconds: Submilliseconds::Microseconds };

/// Looks at the lane's watermark, which moves in the transaction of its rows.
pub(super) struct Commits {
    /// Newest committed batch, and when it was seen first.
    seen: Vec<(i64, TaiTime)>,
    pub(super) looks: u64,
}

impl Commits {
    /// Looks until it is stopped.
    pub(super) async fn watch(database: Client, stop: CancellationToken) -> anyhow::Result<Self> {
        let look = database.prepare("SELECT coalesce(max(watermark), 0) FROM lane WHERE lane = $1").await?;
        let mut commits = Self { seen: Vec::new(), looks: 0 };
        while !stop.is_cancelled() {
            let row = database.query_one(&look, &[&lane()]).await?;
            let (watermark, now): (i64, _) = (row.get(0), simulator::clock::now());
            if commits.seen.last().is_none_or(|(newest, _)| *newest < watermark) {
                commits.seen.push((watermark, now));
            }
            commits.looks += 1;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(commits)
    }

    /// How long after it was due each packet in the ledger was committed.
    pub(super) async fn latencies(self, database: &Client, planned: Planned) -> anyhow::Result<Latencies> {
        let mut latencies = Latencies::new()?;
        let rows = database
            .query_raw("SELECT sequence, sealed FROM ledger WHERE lane = $1 ORDER BY sequence", [lane()])
            .await?;
        let mut rows = std::pin::pin!(rows);
        let mut seen = self.seen.into_iter().peekable();
        while let Some(row) = rows.try_next().await? {
            let (sequence, sealed): (i64, Vec<u8>) = (row.get(0), row.get(1));
            while seen.next_if(|(watermark, _)| *watermark < sequence).is_some() {}
            let (_, at) = *seen.peek().with_context(|| format!("batch {sequence} was never seen"))?;
            let batch = SealedBatch::parse(sealed)?;
            let open = batch.open()?;
            for (_, packet) in open.packets() {
                let (_, serial) = serial_of(packet).context("every packet is the load's")?;
                if serial >= planned.first {
                    latencies.record(LAYOUT.decode(&packet[TIME_AT..])?, at);
                }
            }
        }
        Ok(latencies)
    }
}

fn lane() -> i16 {
    i16::from(u8::from(Lane::Telemetry))
}
