//! `reprocess`: the ledger read again, with the versions in force now.

use anyhow::bail;
use clap::Args;
use space_packet::TaiTime;

use super::documents::{check_mission, decoder, moment};
use super::{database, ready};
use crate::archive::{
    Documents, ReadingTable, ReprocessError, ReprocessProgress, ReprocessRequest, reprocess,
};
use crate::config::HubConfig;

/// What is read again.
#[derive(Args, Debug)]
pub struct ReprocessArguments {
    /// Mission, as `hub.toml` names it.
    mission: String,
    /// Beginning of the span of generation time, as in 2026-11-22T17:31:02Z.
    #[arg(long, value_parser = moment, value_name = "TIME", required_unless_present = "ls")]
    from: Option<TaiTime>,
    /// Its end, excluded.
    #[arg(long, value_parser = moment, value_name = "TIME", required_unless_present = "ls")]
    to: Option<TaiTime>,
    /// Lists the readings there are instead.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    ls: bool,
}

/// Reads again and switches, or lists.
pub async fn run(config: &HubConfig, arguments: ReprocessArguments) -> anyhow::Result<()> {
    let mission = &arguments.mission;
    check_mission(config, mission)?;
    let archive = database(config, &ready(config)?)?;
    let documents = Documents::new(archive.clone());
    let (Some(from), Some(to)) = (arguments.from, arguments.to) else {
        return list(&ReadingTable::new(archive), documents.mission_id(mission).await?).await;
    };
    if from >= to {
        bail!(
            "error[STO-IMPORT-SPAN]: {from} is not before {to}\n  Nothing was changed.\n  → exchange or mend them"
        );
    }
    documents.mission_id(mission).await?;
    let decoder = decoder(config, &documents, mission).await?;
    println!(
        "reading the ledger of {mission} again; until it is done, every answer gives the earlier reading"
    );
    let tell = |progress: ReprocessProgress| {
        let ReprocessProgress { batches, batches_of, packets, samples, .. } = progress;
        println!("{batches} of {batches_of} batches, {packets} packets, {samples} samples in the span");
    };
    let request = ReprocessRequest { mission: mission.clone(), decoder, span: from..to };
    match reprocess(&archive, request, tell).await {
        Ok(done) => {
            println!("reading {} counts from now on for {from} to {to}", done.reading_id);
            println!("The earlier reading stays: add `reading={}` to a question.", done.reading_id - 1);
            Ok(())
        }
        Err(error @ ReprocessError::Busy) => bail!(
            "error[STO-REPROCESS-BUSY]: {error}\n  Nothing was changed.\n  → look with `cloud-hub reprocess {mission} --ls`, try again when it is done"
        ),
        Err(error @ ReprocessError::NotCut) => bail!(
            "error[STO-REPROCESS-WAIT]: {error}\n  Nothing was changed.\n  → see the hub's log, then try again"
        ),
        Err(ReprocessError::Archive(error)) => Err(error.into()),
    }
}

async fn list(table: &ReadingTable, mission_id: i32) -> anyhow::Result<()> {
    println!("   0  as it came");
    for row in table.list(mission_id).await? {
        let state = match (row.switched_at, row.abandoned_at, row.covers) {
            (Some(at), ..) => format!("counts since {}", TaiTime(at)),
            (None, Some(at), _) => format!("came to nothing, found {}", TaiTime(at)),
            (None, None, Some(_)) => "is being read".to_owned(),
            (None, None, None) => "waits for the hub to write what it holds in memory".to_owned(),
        };
        println!(
            "{:>4}  {} to {}: {state}; {} batches, {} packets, {} samples",
            row.reading_id,
            TaiTime(row.from),
            TaiTime(row.to),
            row.batches,
            row.packets,
            row.samples
        );
    }
    Ok(())
}
