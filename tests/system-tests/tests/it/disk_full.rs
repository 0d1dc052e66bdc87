//! The disk of a station is full: it takes nothing more, loses nothing, and goes on by itself once there is room.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use simulator::load::Load;
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::process::until;
use tokio::process::Command;

use crate::archive::load_in_ledger;
use crate::serials::Differences;
use crate::world::{DRAINED_WITHIN, NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x4655_4c4c;
const PACKETS_PER_SECOND: f64 = 10_000.0;
/// Large, so that the disk is soon full.
const PACKET_BYTES: usize = 1_400;
/// Half of it is the space that a node always leaves free.
const DISK: &str = "size=128m,mode=0700";
const FULL_WITHIN: Duration = Duration::from_secs(90);
/// New figures in which nothing may have come in.
const FIGURES_WITHOUT_CHANGE: usize = 3;
/// Set in the process that has mounts of its own.
const INSIDE: &str = "STO_TEST_OWN_MOUNTS";
const TEST: &str = "disk_full::a_full_disk_stops_intake_until_there_is_room_and_loses_nothing";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_intake_until_there_is_room_and_loses_nothing() -> anyhow::Result<()> {
    if std::env::var_os(INSIDE).is_none() {
        return again_with_own_mounts().await;
    }
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    let data = world.ground.node_file(NODE)?.data_directory.clone();
    std::fs::create_dir_all(&data)?;
    command("mount", &["-t", "tmpfs", "-o", DISK, "tmpfs", &data.to_string_lossy()]).await?;
    world.run().await?;
    world.stop_hub().await?;

    let mut load = Load::new(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    load.packet_bytes = PACKET_BYTES;
    let load = RunningLoad::of(load);
    let held = full(&world, &data).await?;
    // A node that starts on a full disk must find its way as well.
    world.ground.node_process(NODE)?.kill()?;
    world.ground.start_node(NODE).await?;
    let held_after_kill = full(&world, &data).await?;
    ensure!(held_after_kill >= held, "{held} packets were held, {held_after_kill} after a kill");

    world.ground.start_hub().await?;
    let more = |node: &Value| node["archived_packets"].as_u64() > Some(held_after_kill + 1_000);
    let what = "packets that came in after the disk was full";
    world.hub_says_within(what, NODE, DRAINED_WITHIN, more).await?;
    let report = load.stop().await?;
    world.drained(NODE).await?;
    let archived = load_in_ledger(&world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    println!(
        "{held_after_kill} packets were held by a full disk; {} acknowledged in all, {} archived",
        report.acknowledged_packets(),
        serials.len()
    );
    world.stop_node(NODE).await?;
    command("umount", &[&data.to_string_lossy()]).await?;
    world.finish().await
}

/// Waits until the node refuses, and makes sure that it does: says how many packets it holds then.
async fn full(world: &World, data: &Path) -> anyhow::Result<u64> {
    let client = world.ground.node_client(NODE).await?;
    until("a journal that refuses", FULL_WITHIN, async || Ok((refusals(&client).await? > 0.0).then_some(())))
        .await?;
    let (mut last, mut same) = ((String::new(), 0), 0);
    let held = until("a backlog that stands still", SOON, async || {
        let (at, packets) = backlog(&client).await?;
        if at != last.0 {
            same = if packets == last.1 { same + 1 } else { 0 };
            last = (at, packets);
        }
        Ok((same == FIGURES_WITHOUT_CHANGE).then_some(packets))
    })
    .await?;
    let disk = rustix::fs::statvfs(data)?;
    let free_bytes = disk.f_bavail * disk.f_frsize;
    println!("full: {held} packets held, {} MiB of the disk are free", free_bytes >> 20);
    ensure!(free_bytes > 0, "the node filled its disk to the last byte");
    Ok(held)
}

/// How often the journal began to refuse.
async fn refusals(node: &Client) -> anyhow::Result<f64> {
    let metrics = node.text("/metrics").await?;
    let line = metrics.lines().find(|line| line.starts_with("edge_journal_refused_total"));
    let value = line.and_then(|line| line.rsplit(' ').next());
    Ok(value.map(str::parse).transpose()?.unwrap_or(0.0))
}

/// When figures were made, and how many packets waited then.
async fn backlog(node: &Client) -> anyhow::Result<(String, u64)> {
    let answer = node.get("/api/v1/nodes").await?;
    let report = answer.pointer("/nodes/0/report").context("a node reports")?;
    let at = report["at"].as_str().context("reports have a time")?;
    let packets = report.pointer("/backlog/packets").and_then(Value::as_u64);
    Ok((at.to_owned(), packets.context("reports have a backlog")?))
}

/// Runs this test once more in a process whose mounts nobody else sees, and that leaves none behind.
async fn again_with_own_mounts() -> anyhow::Result<()> {
    let program = std::env::current_exe()?;
    let mut again = Command::new("unshare");
    again.args(["--mount", "--"]).arg(program).args(["--exact", TEST, "--nocapture"]);
    let status =
        again.env(INSIDE, "1").kill_on_drop(true).status().await.context("failed to start unshare")?;
    ensure!(
        status.success(),
        "needs a file system of its own, so root or CAP_SYS_ADMIN; it ended with {status}"
    );
    Ok(())
}

async fn command(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program).args(arguments).output().await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{program} {}` needs root or CAP_SYS_ADMIN: {}", arguments.join(" "), said.trim_end());
    }
    Ok(())
}
