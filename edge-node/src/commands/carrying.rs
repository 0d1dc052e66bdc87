//! `edge-node export` and `edge-node receipt`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use delivery::RECEIPT_BYTES_MAX;

use super::{Output, looking};
use crate::config::EdgeConfig;
use crate::desk::carrying::{TakenReceipt, account};
use crate::desk::client::Reach;
use crate::export::{ExportArguments, Exported, export as write};

/// Writes what the hub does not have into a directory.
pub async fn export(
    config_file: &Path,
    output: Output,
    arguments: &ExportArguments,
) -> anyhow::Result<ExitCode> {
    let config = EdgeConfig::read(config_file)?;
    let desk = Reach::of(config_file, &config).await?;
    let exported = write(&config.data_directory, &desk, arguments).await?;
    looking::print(output, &exported, exported_text)?;
    Ok(ExitCode::SUCCESS)
}

/// Takes a receipt.
pub async fn receipt(config_file: &Path, output: Output, file: &Path) -> anyhow::Result<ExitCode> {
    let config = EdgeConfig::read(config_file)?;
    let about = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if about.len() > RECEIPT_BYTES_MAX as u64 {
        bail!("[STO-RECEIPT-FILE] {} is too long for a receipt; the journal is as it was", file.display());
    }
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let taken = Reach::of(config_file, &config).await?.take_receipt(bytes, account()).await?;
    looking::print(output, &taken, taken_text)?;
    Ok(ExitCode::SUCCESS)
}

fn exported_text(exported: &Exported) -> String {
    let mut out = String::new();
    for file in &exported.files {
        out += &format!("{}  {} bytes  {}\n", file.path.display(), file.bytes, &file.hash[..16]);
    }
    if exported.files.is_empty() {
        out += match exported.kept {
            0 => "nothing to export: the hub has everything\n".to_owned(),
            kept => format!("nothing more to export: {kept} files from before hold it\n"),
        }
        .as_str();
    } else {
        out += &format!("{} batches exported; ", exported.batches);
        out += "they stay in the journal until a receipt comes back: edge-node receipt FILE\n";
    }
    out
}

fn taken_text(taken: &TakenReceipt) -> String {
    let mut out = format!("receipt of {} taken\n", taken.created);
    for log in &taken.logs {
        out += &format!(
            "  {:9} the hub has everything up to batch {}, and keeps it safe up to {}\n",
            format!("{:?}", log.lane).to_lowercase(),
            log.watermark,
            log.safe
        );
    }
    if taken.logs.is_empty() {
        out += "  it says nothing about the journals of this node: the hub has none of their batches\n";
    }
    out
}
