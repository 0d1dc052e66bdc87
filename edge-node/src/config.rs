//! `edge.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use service::config::{Bytes, ConfigError, load, resolve};
use service::mission::MissionConfig;

use crate::history::HistoryConfig;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeConfig {
    /// Everything the node keeps lies here.
    pub data_directory: PathBuf,
    /// The local page and API.
    #[serde(default)]
    pub http: HttpConfig,
    /// The journal.
    #[serde(default)]
    pub journal: JournalConfig,
    /// Roll-ups for local history.
    #[serde(default)]
    pub history: HistoryConfig,
    /// The session with the hub.
    #[serde(default)]
    pub forwarding: ForwardingConfig,
    /// Missions received here.
    #[serde(default, rename = "mission")]
    pub missions: Vec<MissionConfig>,
    /// Where telemetry comes in.
    #[serde(default, rename = "link")]
    pub links: Vec<LinkConfig>,
}

/// `[http]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Loopback by default: the page has no TLS of its own yet.
    pub listen: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8_081)) }
    }
}

/// `[journal]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// Disk the journal may take. sled's file can be twice as large as what it holds, so half of this is held.
    pub quota: Bytes,
    /// Of that, how much of what the hub already has is kept for local history.
    pub keep_acknowledged: Bytes,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { quota: Bytes(8 << 30), keep_acknowledged: Bytes(64 << 20) }
    }
}

/// `[forwarding]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardingConfig {
    /// How the link to the hub is.
    pub profile: ForwardingProfile,
    /// Addresses of the hub, in place of those that came with the token.
    pub hub: Vec<String>,
}

/// Transport settings for a kind of link.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingProfile {
    /// Long round trips, reordering, little bandwidth.
    Satcom,
    /// Everything else.
    #[default]
    Terrestrial,
}

impl From<ForwardingProfile> for link::Profile {
    fn from(profile: ForwardingProfile) -> Self {
        match profile {
            ForwardingProfile::Satcom => Self::Satcom,
            ForwardingProfile::Terrestrial => Self::Terrestrial,
        }
    }
}

/// `[[link]]`: a TCP port that takes space packets, one after the other.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// Name, as in records and metrics.
    pub name: String,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Mission its packets belong to.
    pub mission: String,
    /// What producers are told.
    #[serde(default)]
    pub acknowledgement: Acknowledgement,
    /// Longest packet taken; a longer one is rejected as oversized.
    #[serde(default = "packet_bytes_max")]
    pub packet_bytes_max: usize,
    /// Seconds a packet may take from its first byte to its last.
    #[serde(default = "packet_timeout_s")]
    pub packet_timeout_s: u64,
    /// Connections at once; further ones are closed and counted.
    #[serde(default = "connections_max")]
    pub connections_max: usize,
}

impl LinkConfig {
    /// How long a packet may take from its first byte to its last.
    pub fn packet_timeout(&self) -> Duration {
        Duration::from_secs(self.packet_timeout_s)
    }
}

fn packet_bytes_max() -> usize {
    space_packet::PACKET_BYTES_MAX
}

/// A packet at 64 bit/s still makes it; a client that sends a byte a second does not.
fn packet_timeout_s() -> u64 {
    30
}

fn connections_max() -> usize {
    256
}

/// What a producer is told on its own connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledgement {
    /// After each commit: how many packets of this connection are durable, 8 bytes big-endian, cumulative.
    Count,
    /// Nothing, as most equipment expects.
    #[default]
    None,
}

impl EdgeConfig {
    /// Reads the file and checks what its types cannot say.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load(path)?;
        config.data_directory = resolve(path, &config.data_directory);
        let invalid =
            |message: String| ConfigError::Invalid { path: path.to_owned(), place: String::new(), message };
        for (index, mission) in config.missions.iter().enumerate() {
            if config.missions[..index].iter().any(|other| other.name == mission.name) {
                return Err(invalid(format!("two missions are named {:?}", mission.name)));
            }
        }
        for (index, link) in config.links.iter().enumerate() {
            let name_fits = delivery::is_name(&link.name);
            if !name_fits {
                return Err(invalid(format!("link name {:?}: 1 to 40 letters, digits, - and _", link.name)));
            }
            if config.links[..index].iter().any(|other| other.name == link.name) {
                return Err(invalid(format!("two links are named {:?}", link.name)));
            }
            if !config.missions.iter().any(|mission| mission.name == link.mission) {
                return Err(invalid(format!(
                    "link {:?} names mission {:?}, which is not configured",
                    link.name, link.mission
                )));
            }
            if link.packet_bytes_max < space_packet::PACKET_BYTES_MIN {
                return Err(invalid(format!(
                    "link {:?}: packet_bytes_max is below the smallest packet, 7",
                    link.name
                )));
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<EdgeConfig, String> {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("edge.toml");
        std::fs::write(&path, text).expect("written");
        EdgeConfig::read(&path).map_err(|error| error.to_string())
    }

    const MISSION: &str = "data_directory = \"d\"\n[[mission]]\nname = \"demo\"\ndictionary = \"demo.xml\"\n";
    const LINK: &str = "[[link]]\nname = \"a\"\nlisten = \"127.0.0.1:0\"\nmission = \"demo\"\n";

    #[test]
    fn a_link_is_known_by_one_name_and_belongs_to_a_mission_that_is_there() {
        let config = check(&format!("{MISSION}{LINK}")).expect("reads");
        assert_eq!(config.links[0].acknowledgement, Acknowledgement::None);
        assert!(check(&format!("{MISSION}{LINK}{LINK}")).expect_err("refused").contains("two links"));
        let stray = LINK.replace("demo", "apollo");
        assert!(check(&format!("{MISSION}{stray}")).expect_err("refused").contains("apollo"));
    }
}
