//! What a hub is told of the sky: where the simulator's stations stand, and how its spacecraft flies.

use std::fs;

use anyhow::Context;
use simulator::catalogue::demo_elements;
use simulator::passes::{Station, station};

use super::{COMMAND_WITHIN, GroundSegment, words};
use crate::process::output;

/// Its name in the mission.
const SPACECRAFT: &str = "demo-1";

impl GroundSegment {
    /// Says to the running hub where the sites of those nodes are that the simulator knows as stations, and imports the
    /// elements of the demo spacecraft with an epoch of now.
    pub async fn tell_sky(&self, mission: &str) -> anyhow::Result<()> {
        for (name, node) in &self.nodes {
            let Some(Station { place, mask_deg, .. }) = station(name) else { continue };
            let mut set = words(["place", "set", &node.site, "--config"], &self.hub_config());
            set.extend([
                format!("--latitude={}", place.latitude_deg),
                format!("--longitude={}", place.longitude_deg),
                format!("--height={}", place.altitude_km * 1e3),
                format!("--mask={mask_deg}"),
            ]);
            output("cloud-hub", &set, COMMAND_WITHIN).await?;
        }
        let file = self.directory.join("demo.tle");
        let [first, second] = demo_elements(simulator::clock::now());
        fs::write(&file, format!("{first}\n{second}\n"))
            .with_context(|| format!("failed to write {}", file.display()))?;
        let mut import = words(
            ["elements", "import", mission, "--spacecraft", SPACECRAFT, "--config"],
            &self.hub_config(),
        );
        import.push(file.display().to_string());
        output("cloud-hub", &import, COMMAND_WITHIN).await.map(drop)
    }
}
