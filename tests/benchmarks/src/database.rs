//! The hub's own PostgreSQL, asked beside the hub.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use delivery::Way;
use serde_json::Value;
use tokio_postgres::Client;

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A client of the database of the hub that runs in a ground segment's folder; it works while the hub does.
pub(crate) async fn connect(ground: &Path) -> anyhow::Result<Client> {
    let ready = std::fs::read(ground.join("hub/data/ready.json")).context("the hub is ready")?;
    let ready: Value = serde_json::from_slice(&ready)?;
    let text = |key: &str| ready["database"][key].as_str().with_context(|| format!("no {key} in {ready}"));
    let port = ready["database"]["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let mut config = tokio_postgres::Config::new();
    config.host_path(text("socket_directory")?).user(text("user")?).dbname("sto");
    config.port(port.with_context(|| format!("no port in {ready}"))?);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Waits until everything in the ledger is in segments.
pub(crate) async fn segmented(database: &Client, patience: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    let live = [Way::Alarm, Way::Live].map(|way| i16::from(u8::from(way)));
    loop {
        let row = database
            .query_one(
                "SELECT count(*) FROM ledger, segmented
                 WHERE ledger.ledger_id > CASE WHEN way = ANY($1) THEN live_ledger_id ELSE backlog_ledger_id END",
                &[&live.as_slice()],
            )
            .await
            .context("the ledger was not compared with what is in segments")?;
        let waiting: i64 = row.get(0);
        if waiting == 0 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{waiting} batches are not in segments after {patience:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
