//! `yamcs-load`: the load of a published benchmark of Yamcs, from a station's socket to the archive: 200 kinds of packets
//! with 369 parameters of 32 bits each, of which a tenth of the bytes changes from one time to the next. Theirs watches
//! 5 % of the parameters; here all have limits.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use space_packet::{SequenceCount, TaiTime, time::cds};
use testkit::client::Client;
use testkit::configuration::{Mission, Submilliseconds};
use testkit::ground::{GroundPlan, GroundSegment, NodePlan};
use testkit::process::until;

use crate::decode::missions::{self, Extent};
use crate::figures::print;
use crate::processes::{Usage, memory_mib};
use crate::{database, scratch, stream};

const BENCH: &str = "yamcs-load";
const NODE: &str = "bench";
const MISSION: &str = "bench";
/// What Yamcs publishes: 200 packets of 369 parameters ten times a second, on 4 cores.
const PUBLISHED_PER_S: f64 = 738_000.0;
/// So many are made beforehand; then they come backwards, so that no two neighbours differ by more.
const REPEATS: usize = 40;
const CHANGING: f64 = 0.1;
const HEAD_AGE_MAX_S: u64 = 2;
/// More than any of these measurements leaves waiting.
const QUOTA: &str = "8 GiB";
const PATIENCE: Duration = Duration::from_secs(900);
/// The CDS time behind the primary header.
const TIME_AT: std::ops::Range<usize> = 6..14;
const SEQUENCE_AT: std::ops::Range<usize> = 2..4;
const UNSEGMENTED: u16 = 0b11 << 14;
/// No machine of today takes more: so much room on the disk is asked for.
const SAMPLES_PER_S_MAX: f64 = 6e6;
/// Journal, ledger, and segments of a sample with what merging leaves.
const ROOM_PER_SAMPLE: f64 = 24.0;
const ROOM_ASIDE: u64 = 4 << 30;

/// How much.
#[derive(Clone, Debug, clap::Args)]
pub struct YamcsLoad {
    /// Kinds of packets.
    #[arg(long, default_value_t = 200)]
    kinds: u16,
    /// Parameters of each.
    #[arg(long, default_value_t = 369)]
    parameters: u32,
    /// Samples a second that are offered first; then comes as much as is taken.
    #[arg(long, default_value_t = PUBLISHED_PER_S)]
    offered: f64,
    /// Seconds of each load.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Where node and hub keep their data. The system's temporary directory when absent.
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// Packets made beforehand, sent in turn with a time and a sequence count of their own.
struct Turn {
    packets: Vec<Vec<u8>>,
    kinds: u64,
}

impl YamcsLoad {
    /// Runs it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        ensure!(
            self.kinds > 0 && self.parameters > 0,
            "there is nothing to send without kinds and parameters"
        );
        let samples = (SAMPLES_PER_S_MAX + self.offered) * self.seconds as f64;
        let bytes = (samples * ROOM_PER_SAMPLE) as u64 + ROOM_ASIDE;
        let work = async |directory: PathBuf| self.measure(&directory).await;
        scratch::measure(BENCH, self.directory.as_deref(), bytes, work).await
    }

    async fn measure(&self, directory: &Path) -> anyhow::Result<()> {
        let extent = Extent { kinds: self.kinds, parameters: self.parameters };
        let mission = tokio::task::block_in_place(|| missions::Mission::repeating(extent, REPEATS, CHANGING));
        let dictionary = directory.join("bench.xml");
        std::fs::write(&dictionary, &mission.xtce)?;
        let turn = Turn { packets: mission.packets, kinds: u64::from(self.kinds) };
        let mut node = NodePlan::new(NODE);
        node.journal = vec![("quota", QUOTA)];
        let mut plan = GroundPlan::new(directory).with_node(node);
        plan.mission = Mission {
            name: MISSION.to_owned(),
            title: "Bench".to_owned(),
            dictionary,
            alarms: None,
            detection: None,
            submilliseconds: Submilliseconds::Microseconds,
        };
        let mut ground = GroundSegment::prepare(plan)?;
        ground.hub_file().head_age_max_s = Some(HEAD_AGE_MAX_S);
        ground.start_hub().await?;
        ground.enrol(NODE).await?;
        ground.start_node(NODE).await?;
        let mut sent = 0;
        for offered in [Some(self.offered), None] {
            sent += self.load(&mut ground, directory, &turn, sent, offered).await?;
        }
        for (process, pid) in [("node", ground.node_process(NODE)?.id()), ("hub", ground.hub_process()?.id())]
        {
            let (peak, _) = memory_mib(pid)?;
            print(BENCH, "memory_peak", peak, "MiB", &json!({ "process": process }));
        }
        ground.stop().await
    }

    /// One load from its first packet until it is in segments; returns how many packets it had.
    async fn load(
        &self,
        ground: &mut GroundSegment,
        directory: &Path,
        turn: &Turn,
        first: u64,
        offered: Option<f64>,
    ) -> anyhow::Result<u64> {
        let (hub, node) = (ground.hub_process()?.id(), ground.node_process(NODE)?.id());
        let (client, database) = (ground.hub_client().await?, database::connect(directory).await?);
        let before = Usage::of(hub, Some(node))?;
        let committed_before = committed(&client).await?;
        let packets_per_s = offered.map(|samples| samples / f64::from(self.parameters));
        let begun = Instant::now();
        let time = Duration::from_secs(self.seconds);
        let sent = stream::send(ground.link(NODE)?, packets_per_s, time, first, |serial, time, burst| {
            turn.append(serial, time, burst);
        })
        .await?;
        until("all packets to be committed", PATIENCE, async || {
            Ok((committed(&client).await? >= committed_before + sent.packets).then_some(()))
        })
        .await?;
        let committed_s = begun.elapsed().as_secs_f64();
        self.in_head(&client, first + sent.packets - 1, sent.last).await?;
        let decoded_s = begun.elapsed().as_secs_f64();
        database::segmented(&database, PATIENCE).await?;
        let segmented_s = begun.elapsed().as_secs_f64();
        none_undecoded(&client).await?;

        let samples = (sent.packets * u64::from(self.parameters)) as f64;
        let mut context = self.context(offered);
        context["samples"] = json!(samples);
        for (metric, path, seconds) in [
            (
                "judged",
                "station's socket to the node's acknowledgement, every value judged",
                sent.took.as_secs_f64(),
            ),
            ("committed", "station's socket to PostgreSQL's commit", committed_s),
            ("decoded", "station's socket to the answer of the hub, committed and decoded", decoded_s),
            ("in_segments", "station's socket to segments", segmented_s),
        ] {
            context["path"] = json!(path);
            let per_s = samples / seconds;
            print(BENCH, &format!("samples_per_second_{metric}"), per_s, "1/s", &context);
            print(BENCH, &format!("{metric}_of_published"), per_s / PUBLISHED_PER_S, "ratio", &context);
        }
        context["path"] = json!("station's socket to segments");
        for (process, seconds) in Usage::of(hub, Some(node))?.since(before) {
            context["process"] = json!(process);
            print(BENCH, "cpu", seconds / segmented_s, "core", &context);
            print(BENCH, "cpu_per_sample", seconds * 1e9 / samples, "ns", &context);
        }
        Ok(sent.packets)
    }

    /// Waits until the hub answers with a packet's values.
    async fn in_head(&self, client: &Client, serial: u64, time: TaiTime) -> anyhow::Result<()> {
        let extent = Extent { kinds: self.kinds, parameters: self.parameters };
        let apid = (serial % u64::from(self.kinds)) as u16;
        // The time in a packet is cut to microseconds.
        let (from, to) = (time.plus_nanos(-1_000_000), time.plus_nanos(1_000_000));
        let path = format!(
            "/api/v1/missions/{MISSION}/samples?parameter={}&from={}&to={}",
            extent.parameter_name(apid, 0),
            from.to_utc(),
            to.to_utc()
        );
        until("the last packet to be decoded at the hub", PATIENCE, async || {
            let page = client.get(&path).await?;
            let samples = page["samples"].as_array().context("a page has samples")?;
            Ok((!samples.is_empty()).then_some(()))
        })
        .await
    }

    fn context(&self, offered: Option<f64>) -> Value {
        json!({ "load": if offered.is_some() { "steady" } else { "as fast as taken" }, "offered_per_s": offered,
            "kinds": self.kinds, "parameters_per_packet": self.parameters, "bits": 32, "bytes_changing": CHANGING,
            "with_limits": "all, five severities", "header_values_not_counted": 10, "seconds": self.seconds,
            "head_age_max_s": HEAD_AGE_MAX_S,
            "published_by_yamcs_per_s": PUBLISHED_PER_S, "published_with": "4 cores, 5 % with limits" })
    }
}

impl Turn {
    /// Appends the packet of a number: all kinds in turn, each forwards and backwards through what was made.
    fn append(&self, serial: u64, time: TaiTime, to: &mut Vec<u8>) {
        let (kind, count) = (serial % self.kinds, serial / self.kinds);
        let repeats = self.packets.len() as u64 / self.kinds;
        let way = (2 * repeats).saturating_sub(2).max(1);
        let place = (count % way).min(way - count % way);
        let begin = to.len();
        to.extend_from_slice(&self.packets[(place * self.kinds + kind) as usize]);
        let packet = &mut to[begin..];
        let in_sequence = (count % u64::from(SequenceCount::MODULUS)) as u16;
        packet[SEQUENCE_AT].copy_from_slice(&(UNSEGMENTED | in_sequence).to_be_bytes());
        packet[TIME_AT].copy_from_slice(&cds::encode(time));
    }
}

async fn committed(client: &Client) -> anyhow::Result<u64> {
    let nodes = client.get("/api/v1/nodes").await?;
    nodes["nodes"][0]["archived_packets"].as_u64().context("the node has a count")
}

/// What is not decoded is archived fast.
async fn none_undecoded(client: &Client) -> anyhow::Result<()> {
    let page = client.text("/metrics").await?;
    let counts = page.lines().filter(|line| line.starts_with("hub_archive_undecoded_packets_total"));
    let undecoded: Vec<&str> = counts.filter(|line| !line.ends_with(" 0")).collect();
    ensure!(undecoded.is_empty(), "the hub could not decode everything: {}", undecoded.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use space_packet::PrimaryHeader;

    use super::*;

    #[test]
    fn packets_are_in_sequence_and_neighbours_differ_by_one_repeat() -> anyhow::Result<()> {
        let extent = Extent { kinds: 2, parameters: 100 };
        let turn = Turn { packets: missions::Mission::repeating(extent, 3, CHANGING).packets, kinds: 2 };
        let mut contents = Vec::new();
        for serial in 0..12 {
            let mut packet = Vec::new();
            turn.append(serial, TaiTime(0), &mut packet);
            let header = PrimaryHeader::parse(&packet)?;
            assert_eq!(u64::from(header.apid.value()), serial % 2);
            assert_eq!(u64::from(header.sequence_count.value()), serial / 2);
            contents.push(packet.split_off(TIME_AT.end));
        }
        let same_as = |serial: usize| contents.iter().position(|content| *content == contents[serial]);
        let places: Vec<_> = (0..12).step_by(2).map(same_as).collect();
        assert_eq!(places, [0, 2, 4, 2, 0, 2].map(Some));
        Ok(())
    }
}
