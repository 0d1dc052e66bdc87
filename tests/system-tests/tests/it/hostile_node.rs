//! Nodes with valid certificates that attack the hub in every way the protocol leaves them: the hub stays small, another
//! node goes on as if nothing was, and what each of them did is written down.

mod attacks;
mod forged;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, ensure};
use delivery::SealedBatch;
use simulator::load::{is_intact, serial_of};
use testkit::configuration::Mission;
use testkit::node_client::{Enroller, Forwarding, NodeClient, NodeEvent, Pace};
use testkit::process::until;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::archive::database;
use crate::bad_input::memory_peak_kib;
use crate::world::{SOON, World};
use attacks::Attack;

const HONEST: &str = "honest";
const RUN: u32 = 0x484F_4E45;
const CALM: Duration = Duration::from_secs(3);
const PACE: Pace = Pace { batch_every: Some(Duration::from_millis(50)), packets: 10, packet_bytes: 92 };
const SILENT: Pace = Pace { batch_every: None, ..PACE };
/// What all attackers together may make the hub hold. Each of the fifteen has at most 8 connections, and each of those
/// at most a window of 1 MiB; batches under way are bounded by the credit.
const ATTACK_MEMORY_KIB: u64 = 160 * 1_024;

#[derive(Debug, Default)]
struct Seen {
    acknowledgements: AtomicU64,
    ends: AtomicU64,
    /// Packets made, once it makes no more.
    made: OnceLock<u64>,
    is_drained: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_nodes_get_nowhere_and_the_others_do_not_notice() -> anyhow::Result<()> {
    let mut world = World::prepare(Mission::load(), &[])?;
    world.ground.start_hub().await?;
    let process = world.ground.hub_process()?.id();
    let enroller = Enroller::of(&world.ground, world.folder().join("nodes"))?;

    let mut honest = Forwarding::new(NodeClient::new(enroller.enrol(HONEST).await?)?, "load", RUN);
    let (pace, paces) = watch::channel(PACE);
    let (stop, seen) = (CancellationToken::new(), Arc::new(Seen::default()));
    let running = tokio::spawn({
        let (stop, seen) = (stop.clone(), Arc::clone(&seen));
        async move {
            let on = |event| match event {
                NodeEvent::Acknowledged { is_drained } => {
                    seen.acknowledgements.fetch_add(1, Ordering::Relaxed);
                    seen.is_drained.store(is_drained, Ordering::Relaxed);
                }
                NodeEvent::Ended(_) => drop(seen.ends.fetch_add(1, Ordering::Relaxed)),
                NodeEvent::Silent { made, is_drained } => {
                    seen.is_drained.store(is_drained, Ordering::Relaxed);
                    // It falls silent once; a session that begins later says the same again.
                    let _ = seen.made.set(made);
                }
                NodeEvent::Opened => {}
            };
            honest.run(paces, on, &stop).await;
            honest
        }
    });
    let mut attackers = Vec::new();
    for attack in Attack::ALL {
        attackers.push((attack, NodeClient::new(enroller.enrol(attack.name()).await?)?));
    }
    forbid_missions(&world).await?;
    begin_journals(&world).await?;
    sleep(CALM).await;

    let calm_kib = memory_peak_kib(process)?;
    let before = seen.acknowledgements.load(Ordering::Relaxed);
    ensure!(before > 0, "the honest node is acknowledged in calm");
    let mut attacking = tokio::task::JoinSet::new();
    for (attack, node) in attackers {
        attacking.spawn(async move {
            let outcome = attack.run(node).await;
            outcome.with_context(|| format!("the attack of {}", attack.name()))
        });
    }
    while let Some(attacked) = attacking.join_next().await {
        println!("{}", attacked??);
    }
    let during = seen.acknowledgements.load(Ordering::Relaxed) - before;
    let peak_kib = memory_peak_kib(process)?;
    println!(
        "hub: {calm_kib} KiB at most in calm, {peak_kib} KiB under attack; {during} acknowledgements meanwhile"
    );

    pace.send_replace(SILENT);
    let made = drained(&seen).await?;
    let archived = archived(&world).await?;
    stop.cancel();
    let honest = running.await?;
    ensure!(honest.made() == made && honest.is_drained(), "it is not drained, or made more than {made}");
    ensure!(archived == (0..made).collect(), "of {made} packets {} are archived", archived.len());
    ensure!(during > 0, "the honest node was not acknowledged during the attack");
    // The last one is the test's own.
    ensure!(seen.ends.load(Ordering::Relaxed) == 1, "the honest node lost its session");
    ensure!(world.ground.ended().is_empty(), "the hub ended: {:?}", world.ground.ended());
    let log = fs::read_to_string(world.folder().join("logs/hub.log"))?;
    for bad in ["panicked", "decoding thread is gone"] {
        ensure!(!log.contains(bad), "the hub's log says: {bad}");
    }
    what_was_refused_is_written_down(&world).await?;
    ensure!(
        peak_kib < calm_kib + ATTACK_MEMORY_KIB,
        "the hub took {peak_kib} KiB, {calm_kib} KiB before the attack"
    );
    world.finish().await
}

/// From now on, for the hub's next look, this attacker has no right to send for the mission it sends for.
async fn forbid_missions(world: &World) -> anyhow::Result<()> {
    let client = database(world).await?;
    let name = Attack::ForeignMission.name();
    let changed = client.execute("UPDATE node SET missions = '{other}' WHERE name = $1", &[&name]).await?;
    ensure!(changed == 1, "{name} is known");
    Ok(())
}

/// This attacker has begun nearly as many journals as a node may: to get there by sessions of their own takes minutes.
async fn begin_journals(world: &World) -> anyhow::Result<()> {
    let begun = "INSERT INTO node_epoch (node_id, epoch, store_id)
                 SELECT node_id, number, decode(md5(number::text), 'hex')
                 FROM node, generate_series(1, 9900) AS number WHERE name = $1";
    let changed = database(world).await?.execute(begun, &[&Attack::NewStores.name()]).await?;
    ensure!(changed == 9_900, "{} is known", Attack::NewStores.name());
    Ok(())
}

/// Waits until the hub has what the honest node made, and says how many packets that are.
async fn drained(seen: &Seen) -> anyhow::Result<u64> {
    until("the honest node's last batch to be safe", SOON, async || {
        let made = seen.made.get().filter(|_| seen.is_drained.load(Ordering::Relaxed));
        Ok(made.copied())
    })
    .await
}

async fn archived(world: &World) -> anyhow::Result<BTreeSet<u64>> {
    let client = database(world).await?;
    let rows = client
        .query(
            "SELECT sealed FROM ledger JOIN node USING (node_id) WHERE name = $1 ORDER BY ledger_id",
            &[&HONEST],
        )
        .await?;
    let mut serials = BTreeSet::new();
    for row in rows {
        let batch = SealedBatch::parse(row.get(0))?;
        for (_, packet) in batch.open()?.packets() {
            let (run, serial) = serial_of(packet).context("a packet of the load")?;
            ensure!(run == RUN && is_intact(packet), "packet {serial} is not what was sent");
            ensure!(serials.insert(serial), "packet {serial} is archived twice");
        }
    }
    Ok(serials)
}

/// Each attacker has its events, and what of its data was taken is kept apart.
async fn what_was_refused_is_written_down(world: &World) -> anyhow::Result<()> {
    let client = database(world).await?;
    let mut missing = Vec::new();
    for attack in Attack::ALL {
        let rows = client
            .query(
                "SELECT code || ' ' || text, count(*) FROM hub_event JOIN node USING (node_id)
                 WHERE name = $1 GROUP BY 1",
                &[&attack.name()],
            )
            .await?;
        let events: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for (text, count) in events.iter().take(3) {
            println!("{} x{count}: {text}", attack.name());
        }
        for (code, words) in attack.evidence() {
            if !events.iter().any(|(text, _)| text.starts_with(code) && text.contains(words)) {
                missing.push(format!("{}: {code} with {words:?}", attack.name()));
            }
        }
        let kept = client
            .query_one(
                "SELECT count(*), coalesce(string_agg(DISTINCT cause, ','), '')
                 FROM kept_apart JOIN node USING (node_id) WHERE name = $1",
                &[&attack.name()],
            )
            .await?;
        let (count, cause): (i64, String) = (kept.get(0), kept.get(1));
        if cause != attack.kept_apart() {
            missing.push(format!("{}: {count} batches are kept apart for {cause:?}", attack.name()));
        }
    }
    let honest = client
        .query_one("SELECT count(*) FROM hub_event JOIN node USING (node_id) WHERE name = $1", &[&HONEST]);
    ensure!(honest.await?.get::<_, i64>(0) == 0, "there are events about the honest node");
    ensure!(missing.is_empty(), "not as it should be:\n{}", missing.join("\n"));
    Ok(())
}
