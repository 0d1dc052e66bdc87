//! Plots that follow the present, while far more comes in than they show.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use testkit::ground::{GroundPlan, NodePlan};

use super::{Part, ensure_came, script};
use crate::archive::telemetry::{Kind, Source, kinds_of};
use crate::archive::{self, MISSION, SEED};
use crate::stream;

const NODE: &str = "bench";
pub(super) const PARAMETERS: u64 = 10_000;
/// The load ends when the browser has seen enough.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);

/// A node takes each kind of packet once a second, all kinds in turn.
pub(super) async fn measure(minutes: u64, directory: &Path) -> anyhow::Result<()> {
    let kinds = kinds_of(PARAMETERS as u32)?;
    let mut plan = GroundPlan::new(directory).with_node(NodePlan::new(NODE));
    plan.mission = archive::mission(directory, kinds)?;
    let ground = plan.start().await?;
    let mut sources: Vec<Source> = (0..kinds).map(|kind| Source::new(Kind::Many(kind), SEED)).collect();
    let mut packet = Vec::new();
    let load = stream::send(ground.link(NODE)?, Some(f64::from(kinds)), FOREVER, 0, |number, time, burst| {
        let source = &mut sources[(number % u64::from(kinds)) as usize];
        source.go_on();
        source.write_packet(time, &mut packet);
        burst.extend_from_slice(&packet);
    });
    let options = [
        ("mission", MISSION.to_owned()),
        ("minutes", minutes.to_string()),
        ("parameters", PARAMETERS.to_string()),
    ];
    let began = Instant::now();
    tokio::select! {
        ended = load => {
            ended?;
            bail!("the load ended before the browser had seen enough");
        }
        outcome = script::run(&ground, directory, Part::Live, &options, script::Measured::print) => outcome?,
    }
    let wanted = u64::from(kinds) * began.elapsed().as_secs();
    let nodes = ground.hub_client().await?.get("/api/v1/nodes").await?;
    let came = nodes["nodes"][0]["archived_packets"].as_u64().context("the node has a count")?;
    ensure_came("packets", came, wanted)?;
    ground.stop().await
}
