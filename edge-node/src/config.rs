//! `edge.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use delivery::{BitRate, DailyCap, DayWindow, PassCap, RateSchedule};
use intake::LinkConfig;
use link::Profile;
use serde::Deserialize;
use service::config::{Bytes, ConfigError, load, place, resolve};
use service::mission::MissionConfig;
use space_packet::{TaiTime, UtcTime};

use crate::journal::{Engine, JournalKey, JournalLimits, JournalOptions, KeyError, WhenFull};

use crate::history::HistoryConfig;

/// The whole file.
#[derive(Clone, Debug, Deserialize, PartialEq)]
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
#[derive(Clone, Debug, Deserialize, PartialEq)]
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
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// Disk the journal may take. sled's file can be twice as large as what it holds, so half of this is held.
    pub quota: Bytes,
    /// Of that, how much of what the hub already has is kept for local history.
    pub keep_acknowledged: Bytes,
    /// What keeps it on the disk.
    pub engine: Engine,
    /// File with the key that batches are encrypted with on the disk.
    pub key_file: Option<PathBuf>,
    /// Credential with that key, when systemd passes it.
    pub key_credential: Option<String>,
    /// What happens when it holds all it may and the hub has taken nothing.
    pub when_full: WhenFull,
    /// Disk held in reserve, so that a full disk still leaves room to prune.
    pub ballast: Bytes,
    /// Free space it leaves on the disk.
    pub free_min: Bytes,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            quota: Bytes(8 << 30),
            keep_acknowledged: Bytes(64 << 20),
            engine: Engine::default(),
            key_file: None,
            key_credential: None,
            when_full: WhenFull::default(),
            ballast: Bytes(JournalLimits::BALLAST_BYTES),
            free_min: Bytes(JournalLimits::FREE_BYTES_MIN),
        }
    }
}

impl JournalConfig {
    /// How much it may hold in a data directory.
    pub fn limits(&self, data: &Path) -> JournalLimits {
        let (Bytes(quota), Bytes(keep)) = (self.quota, self.keep_acknowledged);
        // sled's file can grow to twice what it holds (measured).
        let disk_bytes_per_byte = match self.engine {
            Engine::Segments => 1,
            Engine::Sled => 2,
        };
        let retained_bytes_max = quota / disk_bytes_per_byte;
        JournalLimits {
            directory: data.to_owned(),
            retained_bytes_max,
            acknowledged_bytes_max: keep.min(retained_bytes_max / 2),
            // On a small disk both are a share of it, or nothing would be left for telemetry.
            disk_bytes_per_byte,
            free_bytes_min: self.free_min.0.min(disk_bytes(data) / 8),
            ballast_bytes: self.ballast.0.min(disk_bytes(data) / 16),
            when_full: self.when_full,
        }
    }

    /// How it is kept; reads the key.
    pub fn options(&self) -> Result<JournalOptions, KeyError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let key = match (&self.key_file, &self.key_credential) {
            (Some(file), _) => Some(JournalKey::from_file(file)?),
            (None, Some(name)) => Some(JournalKey::from_credential(credentials.as_deref(), name)?),
            (None, None) => None,
        };
        Ok(JournalOptions { engine: self.engine, key, ..JournalOptions::default() })
    }
}

/// All bytes of the disk a directory lies on, used or free.
fn disk_bytes(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(u64::MAX, |disk| disk.f_blocks.saturating_mul(disk.f_frsize))
}

/// `[forwarding]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardingConfig {
    /// How the link to the hub is.
    pub profile: Profile,
    /// Addresses of the hub, in place of those that came with the token.
    pub hub: Vec<String>,
    /// A rate that a contract gives: kept to, instead of looked for by losing packets.
    pub contracted: Option<BitRate>,
    /// Whether packets may be cut by the kernel or the network card.
    pub segmentation_offload: bool,
    /// What may be sent when no window and no pass says otherwise.
    pub rate: Option<BitRate>,
    /// Caps by time of day.
    #[serde(rename = "window")]
    pub windows: Vec<WindowConfig>,
    /// Caps by pass.
    #[serde(rename = "pass")]
    pub passes: Vec<PassConfig>,
    /// Nothing is sent outside passes.
    pub only_in_passes: bool,
}

impl Default for ForwardingConfig {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            hub: Vec::new(),
            contracted: None,
            segmentation_offload: true,
            rate: None,
            windows: Vec::new(),
            passes: Vec::new(),
            only_in_passes: false,
        }
    }
}

/// `[[forwarding.window]]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// UTC: `08:00-18:00`, `Mon-Fri 22:00-06:00`.
    pub hours: DayWindow,
    /// The rate; without one the window lifts the default.
    pub rate: Option<BitRate>,
}

/// `[[forwarding.pass]]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct PassConfig {
    /// When it begins, RFC 3339.
    #[serde(deserialize_with = "time")]
    pub from: TaiTime,
    /// When it ends.
    #[serde(deserialize_with = "time")]
    pub to: TaiTime,
    /// The rate; without one there is no cap.
    pub rate: Option<BitRate>,
}

fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<TaiTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    let unfit = |error| {
        serde::de::Error::custom(format!("{text:?} is not a time like 2026-11-23T08:00:00Z: {error}"))
    };
    UtcTime::parse(&text).map(UtcTime::to_tai).map_err(unfit)
}

impl ForwardingConfig {
    /// How QUIC is used.
    pub fn link(&self) -> link::LinkOptions {
        link::LinkOptions {
            profile: self.profile,
            contracted_bits_per_s: self.contracted.map(|rate| rate.bits_per_s),
            segmentation_offload: self.segmentation_offload,
        }
    }

    /// What may be sent when.
    pub fn schedule(&self) -> RateSchedule {
        RateSchedule {
            default: self.rate,
            daily: self
                .windows
                .iter()
                .map(|window| DailyCap { window: window.hours, rate: window.rate })
                .collect(),
            passes: self
                .passes
                .iter()
                .map(|pass| PassCap { from: pass.from, to: pass.to, rate: pass.rate })
                .collect(),
            only_in_passes: self.only_in_passes,
        }
    }
}

impl EdgeConfig {
    /// Reads the file and checks what its types cannot say.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load(path)?;
        config.data_directory = resolve(path, &config.data_directory);
        for link in &mut config.links {
            link.token_file = link.token_file.as_deref().map(|file| resolve(path, file));
        }
        config.journal.key_file = config.journal.key_file.as_deref().map(|file| resolve(path, file));
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        match config.problem() {
            None => Ok(config),
            Some((table, index, key, message)) => Err(ConfigError::Invalid {
                path: path.to_owned(),
                place: place(&text, table, index, key),
                message,
            }),
        }
    }

    /// What does not fit together: the table, which of its kind, the key, and why.
    fn problem(&self) -> Option<(&'static str, usize, &'static str, String)> {
        if self.journal.key_file.is_some() && self.journal.key_credential.is_some() {
            let message = "journal.key_file and journal.key_credential both name a key; keep one".to_owned();
            return Some(("journal", 0, "key_credential", message));
        }
        for (index, mission) in self.missions.iter().enumerate() {
            if self.missions[..index].iter().any(|other| other.name == mission.name) {
                return Some((
                    "mission",
                    index,
                    "name",
                    format!("two missions are named {:?}", mission.name),
                ));
            }
        }
        let missions: Vec<&str> = self.missions.iter().map(|mission| mission.name.as_str()).collect();
        let (index, key, message) = intake::config::problem(&self.links, &missions)?;
        Some(("link", index, key, message))
    }
}

#[cfg(test)]
mod tests {
    use intake::Acknowledgement;

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

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("rate_max_per_s = 0\n", ":9:1: link \"a\": rate_max_per_s"),
            ("door = \"udp\"\nframing = \"length-prefixed\"\n", ":10:1: link \"a\": framing"),
            ("packet_bytes_max = 3\n", ":9:1: link \"a\": packet_bytes_max"),
            ("token_file = \"x\"\n", ":9:1: link \"a\": token_file"),
        ];
        for (lines, expected) in cases {
            let error = check(&format!("{MISSION}{LINK}{lines}")).expect_err("refused");
            assert!(error.contains(expected), "{error}");
        }
        let open = LINK.replace("127.0.0.1:0", "0.0.0.0:8090") + "door = \"http\"\n";
        let error = check(&format!("{MISSION}{open}")).expect_err("refused");
        assert!(error.contains("name a token_file"), "{error}");
    }

    #[test]
    fn requests_of_two_missions_share_an_address_and_streams_do_not() {
        let other = |door: &str, name: &str, mission: &str| {
            format!(
                "[[link]]\nname = \"{name}\"\nlisten = \"127.0.0.1:8090\"\nmission = \"{mission}\"\ndoor = \"{door}\"\n"
            )
        };
        let missions = format!("{MISSION}[[mission]]\nname = \"other\"\ndictionary = \"demo.xml\"\n");
        let links = |first: String, second: String| check(&format!("{missions}{first}{second}"));
        assert!(links(other("http", "a", "demo"), other("http", "b", "other")).is_ok());
        assert!(links(other("http", "a", "demo"), other("websocket", "b", "demo")).is_ok());
        assert!(links(other("udp", "a", "demo"), other("tcp", "b", "demo")).is_ok());
        assert!(links(other("http", "a", "demo"), other("http", "b", "demo")).is_err());
        assert!(links(other("tcp", "a", "demo"), other("tcp", "b", "other")).is_err());
        assert!(links(other("tcp", "a", "demo"), other("http", "b", "other")).is_err());
    }
}
