//! The journal's engines alone, beside what the disk gives: the same bytes into a file that is there already.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use delivery::{BatchBuilder, Lane, Position, SealedBatch, SealedBody, StoreId};
use edge_node::journal::{Journal, LogOptions, SEGMENT_BYTES, SegmentJournal, SledJournal};
use serde_json::json;
use space_packet::{Apid, ReceptionTime};

use super::BENCH;
use super::ring::{PACKET_BYTES, Ring};
use crate::figures::print_spread;
use crate::timing::Spread;

/// As the pipeline seals them, and as the writer commits them at most and at least.
const PACKETS_A_BODY: usize = 512;
const BODIES_A_GROUP: [usize; 2] = [64, 1];
const GROUPS: usize = 32;
const ROUNDS: usize = 7;

/// An engine by its name.
type Engine = (&'static str, fn(&Path, StoreId) -> anyhow::Result<Box<dyn Journal>>);

/// Every engine there is.
const ENGINES: [Engine; 2] = [
    ("segments", |path, store| Ok(Box::new(SegmentJournal::open(path, plain(store), SEGMENT_BYTES)?))),
    ("sled", |path, store| Ok(Box::new(SledJournal::open(path, plain(store))?))),
];

/// A log of telemetry, not encrypted.
fn plain(new_store: StoreId) -> LogOptions {
    LogOptions { lane: Lane::Telemetry, new_store, key: None }
}

/// Measures all engines in turns.
pub(super) fn run(directory: &Path) -> anyhow::Result<()> {
    let bodies = bodies()?;
    BODIES_A_GROUP.into_iter().try_for_each(|group| measure(directory, &bodies, group))
}

fn measure(directory: &Path, bodies: &[SealedBody], group: usize) -> anyhow::Result<()> {
    let folder = directory.join(format!("journal-{group}"));
    std::fs::create_dir_all(&folder)?;
    let store = StoreId([7; 16]);
    let mut journals = Vec::new();
    for (name, open) in ENGINES {
        journals.push((name, open(&folder.join(name), store)?, Vec::new()));
    }
    let start = Position::start(store, Lane::Telemetry);
    let sealed: Vec<_> = bodies.iter().map(|body| body.clone().seal(Lane::Telemetry, &start)).collect();
    let bytes: Vec<&[u8]> = sealed.iter().map(SealedBatch::bytes).collect();
    let round_bytes = bytes.iter().cycle().take(GROUPS * group).map(|bytes| bytes.len()).sum::<usize>();
    let plain = preallocated(&folder.join("plain"), round_bytes)?;
    let mut plain_s = Vec::new();
    for _ in 0..ROUNDS {
        plain_s.push(write_plain(&plain, &bytes, group)?);
        for (_, journal, seconds) in &mut journals {
            seconds.push(write_journal(journal.as_mut(), bodies, group)?);
        }
    }
    let packets = GROUPS * group * PACKETS_A_BODY;
    let context = json!({ "bodies_a_commit": group, "packets_a_body": PACKETS_A_BODY, "packet_bytes": PACKET_BYTES,
        "sealed_bytes_per_packet": (round_bytes as f64 / packets as f64 * 10.0).round() / 10.0 });
    let tell = |metric: &str, spread: Spread, unit: &str, engine: &str| {
        let mut context = context.clone();
        context["engine"] = json!(engine);
        print_spread(BENCH, metric, spread, unit, &context);
    };
    let commit_ms = |seconds: &[f64]| Spread::of(seconds.iter().map(|s| s * 1e3 / GROUPS as f64));
    tell("journal_packets_per_second", Spread::of_rate(packets, &plain_s), "1/s", "plain file");
    tell("journal_commit", commit_ms(&plain_s), "ms", "plain file");
    for (name, _, seconds) in &journals {
        tell("journal_packets_per_second", Spread::of_rate(packets, seconds), "1/s", name);
        tell("journal_commit", commit_ms(seconds), "ms", name);
        let ratio = Spread::of(seconds.iter().zip(&plain_s).map(|(engine, plain)| plain / engine));
        tell("journal_of_plain_file", ratio, "ratio", name);
    }
    drop(journals);
    Ok(std::fs::remove_dir_all(folder)?)
}

/// A turn of packets in bodies, as the pipeline seals them.
fn bodies() -> anyhow::Result<Vec<SealedBody>> {
    let apid = Apid::try_from(1_000)?;
    let ring = Ring::new(apid, false, PACKETS_A_BODY, simulator::clock::now())?;
    let mut builder = BatchBuilder::new("load", "bench");
    (0..32)
        .map(|body| {
            for packet in ring.request(body * PACKETS_A_BODY as u64, PACKETS_A_BODY).chunks(PACKET_BYTES) {
                builder.push(ReceptionTime(simulator::clock::now()), packet);
            }
            builder.pack().context("it has packets")
        })
        .collect()
}

/// A file whose blocks are there and written: nothing but data goes to the disk from then on.
fn preallocated(path: &Path, bytes: usize) -> anyhow::Result<File> {
    let file = File::create(path)?;
    let zeros = vec![0; 1 << 20];
    for place in 0..=bytes >> 20 {
        file.write_all_at(&zeros, (place as u64) << 20)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn write_plain(file: &File, batches: &[&[u8]], group: usize) -> anyhow::Result<f64> {
    let mut next = batches.iter().cycle();
    let mut place = 0;
    let begun = Instant::now();
    for _ in 0..GROUPS {
        for bytes in next.by_ref().take(group) {
            file.write_all_at(bytes, place)?;
            place += bytes.len() as u64;
        }
        file.sync_data()?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn write_journal(journal: &mut dyn Journal, bodies: &[SealedBody], group: usize) -> anyhow::Result<f64> {
    let mut next = bodies.iter().cycle();
    let begun = Instant::now();
    for _ in 0..GROUPS {
        for body in next.by_ref().take(group) {
            journal.append(body.clone(), &[])?;
        }
        journal.commit()?;
    }
    Ok(begun.elapsed().as_secs_f64())
}
