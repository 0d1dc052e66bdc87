//! A plot of a year of one sample a second.

use std::path::Path;

use testkit::ground::{GroundPlan, GroundSegment};
use testkit::node_client::{Enroller, NodeClient};
use testkit::ports::Ports;

use super::Part;
use super::script::{self, Measured};
use crate::archive::ask::restart_cold;
use crate::archive::feed::Feed;
use crate::archive::fill::send_year;
use crate::archive::stored::Stored;
use crate::archive::telemetry::Kind;
use crate::archive::{self, HEAD_AGE_MAX_S, MISSION, PATIENCE, SECONDS_PER_DAY};

const NODE: &str = "bench";
const COLD: usize = 5;
const WARM: usize = 9;

/// A node seals the year beforehand and sends it as it would after a long time without a connection.
pub(super) async fn measure(days: u32, directory: &Path) -> anyhow::Result<()> {
    let mut ports = Ports::claim()?;
    let mut plan = GroundPlan::new(directory);
    plan.mission = archive::mission(directory, 1)?;
    // The browser finds the hub again after it was restarted.
    plan.hub_http = ports.next_address()?;
    plan.reception = ports.next_address()?;
    let mut ground = GroundSegment::prepare(plan)?;
    ground.hub_file().head_age_max_s = Some(HEAD_AGE_MAX_S);
    ground.start_hub().await?;
    let identity = Enroller::of(&ground, directory.join("nodes"))?.enrol(NODE).await?;
    let mut feed = Feed::new(NodeClient::new(identity)?);
    let stored = Stored::of(directory).await?;
    let (end, packets) = (simulator::clock::now(), u64::from(days) * u64::from(SECONDS_PER_DAY));
    send_year(&mut feed, &stored, end, packets).await?;
    stored.merged(PATIENCE).await?;
    drop((stored, feed));
    let begin = end.plus_nanos(-(packets as i64) * 1_000_000_000);
    let options = |visits: usize| {
        [
            ("mission", MISSION.to_owned()),
            ("parameter", Kind::Yearly.parameter_name(0)),
            ("from", begin.to_utc().to_string()),
            ("to", end.to_utc().to_string()),
            ("visits", visits.to_string()),
        ]
    };
    let mut cold: Vec<Measured> = Vec::new();
    for _ in 0..COLD {
        restart_cold(&mut ground, directory).await?;
        script::run(&ground, directory, Part::Year, &options(0), |measured| {
            match cold.iter_mut().find(|known| known.metric == measured.metric) {
                Some(known) => known.values.extend(measured.values),
                None => cold.push(measured),
            }
        })
        .await?;
    }
    cold.into_iter().for_each(Measured::print);
    script::run(&ground, directory, Part::Year, &options(WARM), Measured::print).await?;
    ground.stop().await
}
