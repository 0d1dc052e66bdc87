//! `hub.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use intake::LinkConfig;
use link::Profile;
use notify::{Notifier, NotifyConfig};
use serde::Deserialize;
use service::config::{Bytes, ConfigError, Secret, load, place, resolve};
use service::mission::MissionConfig;

use crate::archive::FanOut;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// Everything the hub keeps outside a database of yours lies here.
    pub data_directory: PathBuf,
    /// Where the hub's authority is, `authority` in the data directory when absent. Hubs of one database have the same.
    pub authority_directory: Option<PathBuf>,
    /// The dashboard and API.
    #[serde(default)]
    pub http: HttpConfig,
    /// Where nodes connect.
    #[serde(default)]
    pub reception: ReceptionConfig,
    /// PostgreSQL.
    #[serde(default)]
    pub database: DatabaseConfig,
    /// Redis between hubs.
    pub redis: Option<RedisConfig>,
    /// The archive.
    #[serde(default)]
    pub archive: ArchiveConfig,
    /// Missions.
    #[serde(default, rename = "mission")]
    pub missions: Vec<MissionConfig>,
    /// Where telemetry comes in at the hub itself.
    #[serde(default, rename = "link")]
    pub links: Vec<LinkConfig>,
    /// How people are told of alarms.
    #[serde(default)]
    pub notify: NotifyConfig,
}

/// `[http]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Loopback by default: put a TLS proxy in front of it for others.
    pub listen: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8_080)) }
    }
}

/// `[reception]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceptionConfig {
    /// UDP address for QUIC.
    pub listen: SocketAddr,
    /// What tokens tell nodes to connect to, `host:port`, three at most; the listening address when empty.
    pub advertised: Vec<String>,
    /// Other hubs of the same database, `host:port`: where nodes are sent when this one stops.
    pub others: Vec<String>,
    /// The kind of link most nodes have: `satcom` opens wider windows, which long round trips need.
    pub profile: Profile,
    /// Memory for batches that are under way, of all sessions together.
    pub memory: Bytes,
}

impl Default for ReceptionConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8_443)),
            advertised: Vec::new(),
            others: Vec::new(),
            profile: Profile::default(),
            memory: Bytes(256 << 20),
        }
    }
}

/// `[database]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Your PostgreSQL. Absent: the hub runs a private one.
    pub url: Option<Secret<String>>,
    /// Where the private one keeps its data; in the data directory when absent.
    pub directory: Option<PathBuf>,
    /// Where PostgreSQL's programs are; searched for when absent.
    pub binaries: Option<PathBuf>,
}

/// `[redis]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// A Redis that hubs of one database share.
    pub url: Secret<String>,
}

/// `[archive]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Samples in memory at which they are written into segments: 10 to 20 bytes each, and twice while being written.
    pub head_samples_max: usize,
    /// Seconds after which they are written in any case: bounds what a restart reads again.
    pub head_age_max_s: u64,
    /// Seconds after its commit before a node may forget a batch: as long as it takes until a replica or a backup has
    /// it too. Should the database be set back by less, nodes send again what it lost.
    pub safe_delay_s: u64,
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        Self { head_samples_max: 4_000_000, head_age_max_s: 300, safe_delay_s: 0 }
    }
}

impl HubConfig {
    /// Where tokens and enrolled nodes are told to find reception, which listens there.
    pub fn advertised(&self, listening: SocketAddr) -> Vec<String> {
        if self.reception.advertised.is_empty() {
            vec![listening.to_string()]
        } else {
            self.reception.advertised.clone()
        }
    }

    /// Where the hub's authority is.
    pub fn authority_directory(&self) -> PathBuf {
        self.authority_directory.clone().unwrap_or_else(|| self.data_directory.join("authority"))
    }

    /// Reads the file; its relative paths are relative to it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = load(path)?;
        config.data_directory = resolve(path, &config.data_directory);
        config.authority_directory = config.authority_directory.map(|directory| resolve(path, &directory));
        config.database.directory = config.database.directory.map(|directory| resolve(path, &directory));
        config.notify = config.notify.resolved(path);
        let invalid =
            |message: String| ConfigError::Invalid { path: path.to_owned(), place: String::new(), message };
        for (index, mission) in config.missions.iter().enumerate() {
            if config.missions[..index].iter().any(|other| other.name == mission.name) {
                return Err(invalid(format!("two missions are named {:?}", mission.name)));
            }
        }
        for link in &mut config.links {
            link.token_file = link.token_file.as_deref().map(|file| resolve(path, file));
        }
        let missions: Vec<&str> = config.missions.iter().map(|mission| mission.name.as_str()).collect();
        if let Some((index, key, message)) = intake::config::problem(&config.links, &missions) {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            let place = place(&text, "link", index, key);
            return Err(ConfigError::Invalid { path: path.to_owned(), place, message });
        }
        if let Some(redis) = &config.redis {
            FanOut::check_url(redis.url.reveal()).map_err(|error| invalid(error.to_string()))?;
        }
        if config.reception.advertised.len() > 3 {
            return Err(invalid("reception.advertised: three addresses at most fit into a token".to_owned()));
        }
        Ok(config)
    }
}

/// The ways that messages about alarms go, with their secrets read from their files.
pub fn notifier(path: &Path, config: &NotifyConfig) -> Result<Notifier, ConfigError> {
    Notifier::new(config).map_err(|error| {
        // Without the text the place is not told, the table is.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let place = place(&text, error.table, error.index, error.key);
        ConfigError::Invalid { path: path.to_owned(), place, message: error.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(links: &str) -> Result<HubConfig, String> {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("hub.toml");
        let head = "data_directory = \"d\"\n[[mission]]\nname = \"demo\"\ndictionary = \"demo.xml\"\n";
        std::fs::write(&path, format!("{head}{links}")).expect("written");
        HubConfig::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_redis_url_is_never_shown_and_one_that_is_none_is_refused() {
        let config = check("[redis]\nurl = \"rediss://user:secret@host/1\"\n").expect("reads");
        assert!(!format!("{config:?}").contains("secret"));
        let error = check("[redis]\nurl = \"http://user:secret@host\"\n").expect_err("refused");
        assert!(error.contains("redis.url cannot be read") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn channels_of_messages_are_read_at_the_start_and_what_is_wrong_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("hub.toml");
        let webhook =
            "[[notify.webhook]]\nname = \"duty\"\nurl = \"https://duty.example\"\nsecret_file = \"s\"\n";
        std::fs::write(&path, format!("data_directory = \"d\"\n{webhook}")).expect("written");
        let config = HubConfig::read(&path).expect("reads: commands need no secrets");
        let check = |expected: &str| {
            let error = notifier(&path, &config.notify).expect_err("refused").to_string();
            assert!(error.contains(":5:1: notify.webhook, number 1, secret_file: "), "{error}");
            assert!(error.contains(expected), "{error}");
        };
        check("cannot read");
        let secret = folder.path().join("s");
        std::fs::write(&secret, "too short").expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&secret, mode).expect("set");
        check("can be guessed");
        std::fs::write(&secret, "0123456789abcdef0123456789abcdef\n").expect("written");
        notifier(&path, &config.notify).expect("is relative to the configuration");
    }

    #[test]
    fn links_of_the_hub_take_the_keys_of_a_nodes_and_what_is_wrong_is_named_with_its_line() {
        let link =
            "[[link]]\nname = \"web\"\nlisten = \"0.0.0.0:8090\"\nmission = \"demo\"\ndoor = \"http\"\n";
        let config = check(&format!("{link}token_file = \"token\"\n")).expect("reads");
        let token = config.links[0].token_file.as_deref().expect("named");
        assert!(token.is_absolute() && token.ends_with("token"), "{}", token.display());
        let error = check(link).expect_err("refused");
        assert!(
            error.contains(":7:1: link \"web\": listen") && error.contains("name a token_file"),
            "{error}"
        );
        let stray = link.replace("demo", "apollo");
        let error = check(&format!("{stray}token_file = \"token\"\n")).expect_err("refused");
        assert!(error.contains("apollo"), "{error}");
    }
}
