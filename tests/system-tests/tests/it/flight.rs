//! A real flight: 7,200 packets of JPSS-1, every value of which is known from another decoder.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;
use simulator::connection::Target;
use simulator::replay::Replay;
use space_packet::time::cds;
use space_packet::{PRIMARY_HEADER_BYTES, TaiTime};
use testkit::client::Client;
use testkit::configuration::{Mission, Submilliseconds};
use testkit::process::until;

use crate::archive::{count, database, generation_time, samples};
use crate::world::{DRAINED_WITHIN, NODE, SOON, World};

/// Where the recordings are, when they do not lie beside the repository.
const DATA_VARIABLE: &str = "STO_SHARED_DATA";
const PACKETS: usize = 7_200;
const PARAMETERS: usize = 27;
/// Floats that two decoders calculated.
const RELATIVE_ERROR: f64 = 1e-9;

/// A packet of the recording, and what must come of it.
struct Expected {
    time: TaiTime,
    offset: usize,
    engineering: Value,
    raw: Value,
}

/// The recording with its expectations.
struct Recording {
    folder: PathBuf,
    bytes: Vec<u8>,
    packets: Vec<Expected>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_of_a_real_flight_is_archived_in_memory_and_in_segments() -> anyhow::Result<()> {
    let Some(folder) = recordings() else {
        println!("skipped: no shared/data/ccsds above this folder, and no {DATA_VARIABLE}");
        return Ok(());
    };
    let recording = Recording::read(&folder.join("jpss1-geolocation"))?;
    let mission = Mission {
        name: "jpss".to_owned(),
        title: "JPSS-1".to_owned(),
        dictionary: recording.folder.join("xtce.xml"),
        alarms: None,
        detection: None,
        submilliseconds: Submilliseconds::Microseconds,
    };
    let mut world = World::start(mission).await?;
    let (first_half, all) = (PACKETS / 2, PACKETS);

    recording.send(&world, 0..first_half).await?;
    segments_hold(&world, 0).await?;
    recording.compare(&world, first_half, "from memory").await?;

    world.restart_hub().await?;
    recording.compare(&world, first_half, "from memory, rebuilt from the ledger").await?;

    world.ground.hub_file().head_age_max_s = Some(1);
    world.restart_hub().await?;
    segments_hold(&world, first_half).await?;
    recording.compare(&world, first_half, "from segments").await?;

    world.ground.hub_file().head_age_max_s = None;
    world.restart_hub().await?;
    recording.send(&world, first_half..all).await?;
    recording.compare(&world, all, "half from segments, half from memory").await?;
    segments_hold(&world, first_half).await?;

    world.ground.hub_file().head_age_max_s = Some(1);
    world.restart_hub().await?;
    segments_hold(&world, all).await?;
    recording.compare(&world, all, "from segments").await?;
    world.finish().await
}

/// The folder of all recordings, if there is one.
fn recordings() -> Option<PathBuf> {
    let given = std::env::var_os(DATA_VARIABLE).map(|folder| PathBuf::from(folder).join("ccsds"));
    let above =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/data/ccsds"));
    given.into_iter().chain(above).find(|folder| folder.is_dir())
}

impl Recording {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(folder.join("packets.DAT1"))?;
        let layout =
            cds::Layout { day: cds::DayField::Bits16, submilliseconds: cds::Submilliseconds::Microseconds };
        let lines = BufReader::new(GzDecoder::new(File::open(folder.join("expected.jsonl.gz"))?)).lines();
        let mut packets = Vec::with_capacity(PACKETS);
        for line in lines {
            let mut line: Value = serde_json::from_str(&line?)?;
            let offset = line["off"].as_u64().and_then(|offset| usize::try_from(offset).ok());
            let offset = offset.context("a packet has an offset")?;
            let time = bytes.get(offset + PRIMARY_HEADER_BYTES..).context("packets lie in the file")?;
            let time = layout.decode(time)?;
            packets.push(Expected { time, offset, engineering: line["eng"].take(), raw: line["raw"].take() });
        }
        ensure!(packets.len() == PACKETS, "{} packets are expected", packets.len());
        ensure!(packets.is_sorted_by(|a, b| a.time < b.time), "the recording is in order of time");
        Ok(Self { folder: folder.to_path_buf(), bytes, packets })
    }

    /// Replays some of the packets, as `simulator replay` does.
    async fn send(&self, world: &World, packets: std::ops::Range<usize>) -> anyhow::Result<()> {
        let offset = |packet: usize| self.packets.get(packet).map_or(self.bytes.len(), |found| found.offset);
        let file = world.folder().join("replay");
        fs::write(&file, &self.bytes[offset(packets.start)..offset(packets.end)])?;
        let replay = Replay {
            file,
            target: Target::from(world.ground.link(NODE)?),
            packets_per_second: None,
            skip_header_bytes: 0,
            repeat: false,
        };
        let report = replay.run(std::future::pending()).await?;
        ensure!(report.packets == packets.len() as u64, "{report:?} of {packets:?}");
        let archived = |node: &Value| node["archived_packets"].as_u64() == Some(packets.end as u64);
        world.hub_says("every packet of the recording archived", NODE, archived).await.map(drop)
    }

    /// Compares the first packets with what the hub answers, for every parameter and value by value.
    async fn compare(&self, world: &World, packets: usize, what: &str) -> anyhow::Result<()> {
        let expected = &self.packets[..packets];
        let (Some(first), Some(last)) = (expected.first(), self.packets.last()) else {
            anyhow::bail!("there is nothing to compare");
        };
        let (from, to) = (first.time, last.time.plus_nanos(1));
        let hub = world.ground.hub_client().await?;
        let names = parameters(&hub).await?;
        ensure!(names.len() == PARAMETERS, "{names:?}");
        let mut values = 0;
        for (name, short) in &names {
            // Decoding follows committing.
            until(&format!("{packets} samples of {name}"), SOON, async || {
                Ok((count(&hub, "jpss", name, from, to).await? == packets as u64).then_some(()))
            })
            .await?;
            let samples = samples(&hub, "jpss", name, from, to).await?;
            ensure!(samples.len() == packets, "{} samples of {name}", samples.len());
            for (place, (sample, packet)) in samples.iter().zip(expected).enumerate() {
                let engineering = &packet.engineering[short];
                let raw = packet.raw.get(short).unwrap_or(engineering);
                let fits = generation_time(sample)? == packet.time
                    && same(&sample["engineering"], engineering)
                    && same(&sample["raw"], raw);
                ensure!(fits, "packet {place}, {short}: {engineering} (raw {raw}) expected, found {sample}");
                values += 2;
            }
        }
        println!("{what}: {packets} packets, {} parameters, {values} values compared", names.len());
        Ok(())
    }
}

/// Full and short names of all parameters.
async fn parameters(hub: &Client) -> anyhow::Result<Vec<(String, String)>> {
    let answer = hub.get("/api/v1/missions/jpss/parameters").await?;
    let all = answer["parameters"].as_array().context("a mission has parameters")?;
    let text = |parameter: &Value, key: &str| Some(parameter[key].as_str()?.to_owned());
    let names = all.iter().map(|parameter| Some((text(parameter, "name")?, text(parameter, "short_name")?)));
    names.collect::<Option<Vec<_>>>().context("parameters have names")
}

/// Waits until exactly so many packets are in segments, with all of their parameters.
async fn segments_hold(world: &World, packets: usize) -> anyhow::Result<()> {
    let database = database(world).await?;
    let wanted = i64::try_from(packets * PARAMETERS)?;
    let mut found = 0;
    until("the head cut into segments", DRAINED_WITHIN, async || {
        let sql = "SELECT coalesce(sum(moments * cardinality(parameters)), 0)::bigint
                   FROM segment JOIN layout USING (mission_id, layout_id)";
        let row = database.query_one(sql, &[]).await?;
        found = row.get(0);
        Ok((found == wanted).then_some(()))
    })
    .await
    .with_context(|| format!("{found} samples in segments, {wanted} expected"))
}

/// Whether two values are the same: numbers as numbers, floats to a billionth.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a == b,
            _ => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= RELATIVE_ERROR * a.abs().max(b.abs()),
                _ => false,
            },
        },
        // Integers beyond 2^53 travel as text.
        (Value::String(text), Value::Number(number)) => *text == number.to_string(),
        _ => found == expected,
    }
}

#[test]
fn values_are_compared_as_numbers_and_a_wrong_one_is_noticed() {
    use serde_json::json;
    let check = |found: Value, wanted: Value, expected: bool| {
        assert_eq!(same(&found, &wanted), expected, "{found} and {wanted}");
    };
    check(json!(7), json!(7.0), true);
    check(json!(7), json!(8), false);
    check(json!(0.1), json!(0.100_000_000_000_001), true);
    check(json!(0.1), json!(0.100_000_001), false);
    check(json!(-0.0), json!(0), true);
    check(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64), false);
    check(json!("18446744073709551615"), json!(18_446_744_073_709_551_615_u64), true);
    check(json!("NaN"), json!("NaN"), true);
    check(json!(null), json!(0), false);
    check(json!("ON"), json!("OFF"), false);
}
