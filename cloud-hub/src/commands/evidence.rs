//! `events` and `apart`: what the hub refused, and the batches it keeps out of the archive.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::{database, print_json, ready};
use crate::archive::Evidence;
use crate::config::HubConfig;

fn evidence(config: &HubConfig) -> anyhow::Result<Evidence> {
    Ok(Evidence::new(database(config, &ready(config)?)?))
}

/// Lists what the hub refused and what somebody should know of, newest first.
pub async fn list_events(config: &HubConfig, count: u32, is_json: bool) -> anyhow::Result<()> {
    let events = evidence(config)?.events(i64::from(count)).await?;
    if is_json {
        let rows = events.iter().map(|event| {
            let at = dashboard::rfc3339(event.at);
            json!({ "at": at, "node": event.node, "code": event.code, "text": event.text })
        });
        return print_json(&rows.collect());
    }
    if events.is_empty() {
        println!("nothing was refused so far");
    }
    for event in events {
        let node = event.node.as_deref().unwrap_or("-");
        println!("{}  {node:<24} {:<24} {}", event.at, event.code, printable(&event.text));
    }
    Ok(())
}

/// Lists batches that are kept apart, oldest first.
pub async fn list_apart(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let kept = evidence(config)?.kept_apart().await?;
    if is_json {
        let rows = kept.iter().map(|batch| {
            json!({
                "id": batch.kept_id, "node": batch.node, "epoch": batch.epoch, "lane": batch.lane,
                "sequence": batch.sequence, "cause": batch.cause, "kept_at": dashboard::rfc3339(batch.kept_at),
                "bytes": batch.bytes,
            })
        });
        return print_json(&rows.collect());
    }
    if kept.is_empty() {
        println!("no batch is kept apart");
    }
    for batch in kept {
        let place = format!("epoch {} lane {} batch {}", batch.epoch, batch.lane, batch.sequence);
        println!(
            "{:>6}  {:<24} {place:<32} {:<10} {}  {} bytes",
            batch.kept_id, batch.node, batch.cause, batch.kept_at, batch.bytes
        );
    }
    Ok(())
}

/// Writes a batch that is kept apart into a file, as its node sealed it.
pub async fn save_apart(config: &HubConfig, kept_id: i64, file: &Path, is_json: bool) -> anyhow::Result<()> {
    let Some(sealed) = evidence(config)?.sealed(kept_id).await? else {
        bail!(
            "error[STO-APART-UNKNOWN]: no batch is kept apart under {kept_id}\n  Nothing was written.\n  → cloud-hub apart ls"
        );
    };
    // Telemetry, which perhaps only this file's owner may read.
    let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = created.and_then(|mut created| {
        created.write_all(&sealed)?;
        created.sync_all()
    });
    written.with_context(|| {
        format!("cannot write to {} (an existing file is never replaced)", file.display())
    })?;
    if is_json {
        return print_json(&json!({ "id": kept_id, "file": file, "bytes": sealed.len() }));
    }
    println!(
        "batch {kept_id}, {} bytes as its node sealed them, written to {}",
        sealed.len(),
        file.display()
    );
    Ok(())
}

/// Words of another machine on a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
