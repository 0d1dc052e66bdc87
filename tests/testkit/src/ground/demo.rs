//! What the demo mission has besides its dictionary and its rules: limits, and a dashboard to begin with.

use anyhow::Context;
use serde_json::{Value, json};

use super::{COMMAND_WITHIN, GroundSegment, words};
use crate::client::Client;
use crate::configuration::Mission;
use crate::process::output;

/// The dashboard's name for ever, so that there is one.
const DASHBOARD: &str = "demo-spacecraft-first";

impl GroundSegment {
    /// Gives the running hub the demo's limits and its dashboard, once: whoever changed or removed them since keeps what
    /// they did.
    pub async fn furnish_demo(&self) -> anyhow::Result<()> {
        let demo = Mission::demo();
        let hub = self.hub_client().await?;
        let limits = hub.get(&format!("/api/v1/missions/{}/limits", demo.name)).await?;
        if limits["versions"].as_array().is_some_and(|versions| !versions.is_empty()) {
            return Ok(());
        }
        self.furnish_dashboard(&hub, &demo).await?;
        let mut import = words(["limits", "import", &demo.name, "--config"], &self.hub_config());
        import.push(demo.dictionary.with_file_name("limits.toml").display().to_string());
        import.extend(["--author=demo", "--reason=what a healthy flight stays inside of"].map(str::to_owned));
        output("cloud-hub", &import, COMMAND_WITHIN).await.map(drop)
    }

    /// One that is there stays: a start that was stopped halfway posted it.
    async fn furnish_dashboard(&self, hub: &Client, demo: &Mission) -> anyhow::Result<()> {
        let route = format!("/api/v1/missions/{}/dashboards", demo.name);
        let listed = hub.get(&route).await?;
        let mut known = listed["dashboards"].as_array().into_iter().flatten();
        if known.any(|dashboard| dashboard["id"] == DASHBOARD) {
            return Ok(());
        }
        let text = std::fs::read_to_string(demo.dictionary.with_file_name("dashboard.json"))
            .context("the demo's dashboard cannot be read")?;
        let mut dashboard: Value = serde_json::from_str(&text).context("the demo's dashboard")?;
        dashboard["id"] = json!(DASHBOARD);
        dashboard["audience"] = json!("everyone");
        hub.post(&route, &dashboard).await.map(drop)
    }
}
