//! What a node lost or let go is in a declared gap, record by record; everything else is archived once.

use std::io::{Seek, SeekFrom, Write};

use anyhow::{Context, ensure};
use simulator::load::Load;
use testkit::configuration::Mission;

use crate::archive::{gaps, load_in_ledger, records_in_ledger};
use crate::world::{NODE, RunningLoad, World};

const PACKETS_PER_SECOND: f64 = 5_000.0;
/// Hardly any of it can be compressed, so that bytes come fast.
const PACKET_BYTES: usize = 1_400;

async fn receive_without_hub(world: &mut World, run: u32, packets: u64) -> anyhow::Result<u64> {
    world.stop_hub().await?;
    let mut load = Load::new(world.ground.link(NODE)?, run, PACKETS_PER_SECOND);
    load.packet_bytes = PACKET_BYTES;
    load.packets_max = Some(packets);
    let report = RunningLoad::of(load).finished().await?;
    ensure!(report.acknowledged_packets() == packets, "{} acknowledged", report.acknowledged_packets());
    Ok(packets)
}

/// Everything is accounted for: archived, or in a gap with this reason.
async fn accounted_for(world: &World, run: u32, acknowledged: u64, reason: &str) -> anyhow::Result<()> {
    world.drained(NODE).await?;
    let archived = load_in_ledger(world, run).await?;
    let mut serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    serials.sort_unstable();
    serials.dedup();
    ensure!(serials.len() == archived.len(), "{} packets are archived twice", archived.len() - serials.len());
    let gaps = gaps(world).await?;
    println!("{} of {acknowledged} archived, gaps: {gaps:?}", serials.len());
    let missing: u64 = gaps.iter().map(|gap| gap.records).sum();
    ensure!(missing > 0 && gaps.iter().all(|gap| gap.reason.word() == reason), "gaps: {gaps:?}");
    // The node's own events are records too, archived or let go with the rest.
    let present = records_in_ledger(world).await?;
    ensure!(present.archived + missing == present.issued, "{present:?}, {missing} missing");
    let telemetry = serials.len() as u64;
    ensure!(telemetry + missing >= acknowledged, "{telemetry} archived, {missing} missing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_journal_lets_go_is_declared_and_the_rest_is_archived() -> anyhow::Result<()> {
    const RUN: u32 = 0x4741_5001;
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    let file = world.ground.node_file(NODE)?;
    file.journal = vec![("engine", "segments"), ("quota", "2 MiB"), ("when_full", "evict-oldest")];
    world.run().await?;
    let acknowledged = receive_without_hub(&mut world, RUN, 10_000).await?;
    world.ground.start_hub().await?;
    accounted_for(&world, RUN, acknowledged, "evicted").await?;
    world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_disk_lost_is_declared_and_the_rest_is_archived() -> anyhow::Result<()> {
    const RUN: u32 = 0x4741_5002;
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    world.ground.node_file(NODE)?.journal = vec![("engine", "segments")];
    world.run().await?;
    let acknowledged = receive_without_hub(&mut world, RUN, 10_000).await?;
    world.stop_node(NODE).await?;
    let folder = world.ground.node_file(NODE)?.data_directory.join("journal-segments");
    let segment = std::fs::read_dir(&folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .context("a segment file")?;
    let mut file = std::fs::OpenOptions::new().write(true).open(&segment)?;
    let length = file.metadata()?.len();
    for place in [length / 3, length / 2] {
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&[0xA5; 64])?;
    }
    file.sync_all()?;
    world.ground.start_node(NODE).await?;
    world.ground.start_hub().await?;
    accounted_for(&world, RUN, acknowledged, "damaged").await?;
    world.finish().await
}
