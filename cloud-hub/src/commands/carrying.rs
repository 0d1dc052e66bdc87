//! `cloud-hub import` and `cloud-hub receipt`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use delivery::{HubReceipt, NodeId, RECEIPT_LOGS_MAX};
use provisioning::Authority;
use space_packet::TaiTime;

use super::{database, ready, unix_now};
use crate::archive::{Evidence, Registry};
use crate::carrying::FileReport;
use crate::carrying::requests::{self, ImportRequest};
use crate::config::HubConfig;

/// Has the running hub import files; false when something of them was not taken.
pub async fn import(config: &HubConfig, files: &[PathBuf]) -> anyhow::Result<bool> {
    ready(config)?;
    let absolute = |file: &PathBuf| {
        std::fs::canonicalize(file)
            .with_context(|| format!("[STO-IMPORT-BUNDLE] cannot find {}", file.display()))
    };
    let files = files.iter().map(absolute).collect::<anyhow::Result<_>>()?;
    let id = uuid::Uuid::new_v4().simple().to_string();
    let request = ImportRequest { who: account(), files };
    let answer = requests::ask(&config.data_directory, &id, &request).context(
        "the request cannot be put into the hub's data directory; run this as its account, or as root",
    )?;
    let answer = loop {
        match std::fs::read(&answer) {
            Ok(bytes) => {
                // Left behind it takes room, and nothing else.
                let _ = std::fs::remove_file(&answer);
                break bytes;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                ready(config).context("the hub stopped; it goes on with the import when it runs again")?;
                tokio::time::sleep(requests::INTERVAL).await;
            }
            Err(error) => return Err(error).context("the hub's answer cannot be read"),
        }
    };
    let reports: Vec<FileReport> =
        serde_json::from_slice(&answer).context("the hub's answer cannot be read")?;
    reports.iter().for_each(|report| print!("{}", text(report)));
    Ok(reports.iter().all(|report| report.refusal.is_none() && report.damaged.is_empty()))
}

fn text(report: &FileReport) -> String {
    let node = report.node.as_deref().unwrap_or("unknown node");
    let part = report.part.map(|part| format!(", part {part}")).unwrap_or_default();
    let last = if report.is_last == Some(true) { ", the last" } else { "" };
    let mut out = format!("{}: {node}{part}{last}\n", report.file);
    let imported = &report.imported;
    out +=
        &format!("  {} batches new, {} known, {} kept apart\n", imported.new, imported.known, imported.apart);
    for chunk in &report.damaged {
        let batches = match &chunk.batches {
            Some(runs) => {
                let runs =
                    runs.iter().map(|(log, first, last)| format!("batches {first} to {last} of log {log}"));
                runs.collect::<Vec<_>>().join(", ")
            }
            None => "batches unknown".to_owned(),
        };
        out += &format!("  [STO-IMPORT-DAMAGED] bytes {} to {}: {batches}\n", chunk.from, chunk.to);
    }
    if let Some(refusal) = &report.refusal {
        out += &format!("  not taken [{}]: {}\n", refusal.code, refusal.reason);
    }
    out
}

/// Writes what the hub has of a node's logs into a file for that node.
pub async fn receipt(config: &HubConfig, node: &str, output: &Path) -> anyhow::Result<()> {
    let ready = ready(config)?;
    let authority = Authority::open_or_create(&config.authority_directory(), unix_now())?;
    let database = database(config, &ready)?;
    let registry = Registry::new(database.clone());
    let delay = Duration::from_secs(config.archive.safe_delay_s);
    let file = make_receipt(&authority, &registry, node, delay).await?;
    let written = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(output);
    written.and_then(|mut opened| opened.write_all(&file).and_then(|()| opened.sync_all())).with_context(
        || format!("cannot write the receipt to {} (an existing file is never replaced)", output.display()),
    )?;
    Evidence::new(database)
        .record(None, "STO-RECEIPT", &format!("{} wrote a receipt for {node}", account()))
        .await?;
    println!(
        "receipt for {node:?} written to {}\nNext, on the node: edge-node receipt FILE",
        output.display()
    );
    Ok(())
}

/// A receipt for a node, by its name; what is committed is safe after a delay.
pub async fn make_receipt(
    authority: &Authority,
    registry: &Registry,
    node: &str,
    safe_delay: Duration,
) -> anyhow::Result<Vec<u8>> {
    let known = registry.nodes().await?.into_iter().find(|row| row.name == node);
    let Some(known) = known else {
        bail!("error[STO-NODE-UNKNOWN]: there is no node {node:?}\n  → cloud-hub node ls");
    };
    let created = service::clock::now();
    let delay_ns = i64::try_from(safe_delay.as_nanos()).unwrap_or(i64::MAX);
    let safe_at = TaiTime(created.0.saturating_sub(delay_ns));
    let mut logs = registry.logs(known.node_id, safe_at).await?;
    logs.truncate(RECEIPT_LOGS_MAX);
    let receipt = HubReceipt {
        version: HubReceipt::VERSION,
        authority: authority.spki_sha256(),
        node: NodeId(known.node_id.into_bytes()),
        created,
        hub_key: authority.bundle_key()?,
        logs,
    };
    Ok(receipt.seal(authority)?)
}

/// The account that runs this command.
fn account() -> String {
    let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    let user = rustix::process::getuid().as_raw();
    name("SUDO_USER").or_else(|| name("USER")).unwrap_or_else(|| format!("uid {user}"))
}
