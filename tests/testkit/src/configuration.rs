//! Configuration files of the hub and of nodes, as tests and `./dev up` write them.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where packets of a mission carry their time: behind the primary header, as CDS with 16 bits of day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Submilliseconds {
    /// Times have milliseconds only.
    None,
    /// Times have a 16-bit field of microseconds.
    Microseconds,
}

/// A mission as both programs are told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mission {
    /// Short name, part of every route.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Path of its XTCE file.
    pub dictionary: PathBuf,
    /// Path of its alarm rules.
    pub alarms: Option<PathBuf>,
    /// Path of its detection rules.
    pub detection: Option<PathBuf>,
    /// How fine its packets' times are.
    pub submilliseconds: Submilliseconds,
}

impl Mission {
    /// The mission of the simulator's demo spacecraft.
    pub fn demo() -> Self {
        Self::of_simulator("demo", "Demo spacecraft", "demo-spacecraft.xml")
    }

    /// The same with the rules that lie beside its dictionary.
    pub fn demo_with_rules() -> Self {
        let demo = Self::demo();
        let beside = |name: &str| Some(demo.dictionary.with_file_name(name));
        let (alarms, detection) = (beside("alarms.toml"), beside("detection.toml"));
        Self { alarms, detection, ..demo }
    }

    /// The mission of the simulator's load generator.
    pub fn load() -> Self {
        Self::of_simulator("load", "Load", "load.xml")
    }

    fn of_simulator(name: &str, title: &str, dictionary: &str) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            dictionary: repository.join("simulator/demo").join(dictionary),
            alarms: None,
            detection: None,
            submilliseconds: Submilliseconds::Microseconds,
        }
    }

    fn write(&self, out: &mut String) {
        let submilliseconds = match self.submilliseconds {
            Submilliseconds::None => "none",
            Submilliseconds::Microseconds => "microseconds",
        };
        let _ = writeln!(
            out,
            "\n[[mission]]\nname = {}\ntitle = {}\ndictionary = {}",
            quoted(&self.name),
            quoted(&self.title),
            quoted_path(&self.dictionary),
        );
        for (key, path) in [("alarms", &self.alarms), ("detection", &self.detection)] {
            if let Some(path) = path {
                let _ = writeln!(out, "{key} = {}", quoted_path(path));
            }
        }
        let _ = writeln!(
            out,
            "\n[mission.packet_time]\ncode = \"cds\"\n\
             offset_bytes = 6\nday_bits = 16\nsubmilliseconds = \"{submilliseconds}\""
        );
    }
}

/// What a hub's database is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Database {
    /// The hub's own, in its data directory.
    #[default]
    Private,
    /// The hub's own, elsewhere.
    PrivateIn(PathBuf),
    /// Somebody else's.
    Url(String),
}

/// `hub.toml`.
#[derive(Clone, Debug)]
pub struct HubFile {
    /// Where the hub keeps what it must remember.
    pub data_directory: PathBuf,
    /// Where its authority is; in the data directory when absent.
    pub authority_directory: Option<PathBuf>,
    /// Dashboard and API.
    pub http: SocketAddr,
    /// Where nodes forward to.
    pub reception: SocketAddr,
    /// Where the archive is.
    pub database: Database,
    /// Redis between hubs, as a URL.
    pub redis: Option<String>,
    /// Seconds after which what is in memory goes into segments; the program's own default when absent.
    pub head_age_max_s: Option<u64>,
    /// Samples that are kept in memory before; the program's own default when absent.
    pub head_samples_max: Option<u64>,
    /// Its `[notify]`, as text; absent: nobody is told of alarms.
    pub notify: Option<String>,
    /// Missions of the hub.
    pub missions: Vec<Mission>,
}

impl HubFile {
    /// The file's text.
    pub fn to_toml(&self) -> String {
        let mut out = format!("data_directory = {}\n", quoted_path(&self.data_directory));
        if let Some(directory) = &self.authority_directory {
            let _ = writeln!(out, "authority_directory = {}", quoted_path(directory));
        }
        let _ = writeln!(
            out,
            "\n[http]\nlisten = \"{}\"\n\n[reception]\nlisten = \"{}\"",
            self.http, self.reception
        );
        match &self.database {
            Database::Private => {}
            Database::PrivateIn(path) => {
                let _ = writeln!(out, "\n[database]\ndirectory = {}", quoted_path(path));
            }
            Database::Url(url) => {
                let _ = writeln!(out, "\n[database]\nurl = {}", quoted(url));
            }
        }
        if let Some(url) = &self.redis {
            let _ = writeln!(out, "\n[redis]\nurl = {}", quoted(url));
        }
        if self.head_age_max_s.is_some() || self.head_samples_max.is_some() {
            out.push_str("\n[archive]\n");
        }
        if let Some(seconds) = self.head_age_max_s {
            let _ = writeln!(out, "head_age_max_s = {seconds}");
        }
        if let Some(samples) = self.head_samples_max {
            let _ = writeln!(out, "head_samples_max = {samples}");
        }
        if let Some(notify) = &self.notify {
            let _ = write!(out, "\n{notify}");
        }
        self.missions.iter().for_each(|mission| mission.write(&mut out));
        out
    }
}

/// What a link tells its producer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Acknowledgement {
    /// How many packets are safe.
    Count,
    /// Nothing.
    None,
}

/// What a link speaks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Door {
    /// The service of the public contract.
    Grpc,
    /// Requests.
    Http,
    /// A stream of bare packets.
    #[default]
    Tcp,
    /// A stream of packets, each behind its length.
    TcpLengthPrefixed,
    /// Datagrams.
    Udp,
    /// Messages.
    WebSocket,
}

impl Door {
    /// Its lines in the file; TCP with bare packets is what a link is without any.
    fn lines(self) -> &'static str {
        match self {
            Self::Grpc => "door = \"grpc\"\n",
            Self::Http => "door = \"http\"\n",
            Self::Tcp => "",
            Self::TcpLengthPrefixed => "framing = \"length-prefixed\"\n",
            Self::Udp => "door = \"udp\"\n",
            Self::WebSocket => "door = \"websocket\"\n",
        }
    }
}

/// One intake link of a node.
#[derive(Clone, Debug)]
pub struct LinkEntry {
    /// Its name.
    pub name: String,
    /// What it speaks.
    pub door: Door,
    /// Where producers connect.
    pub listen: SocketAddr,
    /// Mission of its packets.
    pub mission: String,
    /// What producers are told.
    pub acknowledgement: Acknowledgement,
    /// Longest packet taken; the program's own default when absent.
    pub packet_bytes_max: Option<usize>,
    /// Seconds a packet may take; the program's own default when absent.
    pub packet_timeout_s: Option<u64>,
}

impl LinkEntry {
    /// A link with the program's own limits.
    pub fn new(name: &str, listen: SocketAddr, mission: &str, acknowledgement: Acknowledgement) -> Self {
        Self {
            name: name.to_owned(),
            door: Door::default(),
            listen,
            mission: mission.to_owned(),
            acknowledgement,
            packet_bytes_max: None,
            packet_timeout_s: None,
        }
    }
}

/// `edge.toml`.
#[derive(Clone, Debug)]
pub struct EdgeFile {
    /// Where the node keeps its journal and its identity.
    pub data_directory: PathBuf,
    /// Console and API.
    pub http: SocketAddr,
    /// Missions of the node.
    pub missions: Vec<Mission>,
    /// Where packets come in.
    pub links: Vec<LinkEntry>,
    /// Keys of its journal, such as `quota`; the program's own defaults when empty.
    pub journal: Vec<(&'static str, &'static str)>,
    /// Profile of the connection to the hub, such as `satcom`.
    pub forwarding_profile: Option<String>,
    /// Where it reaches the hub, in place of what came with the token; of no effect when empty.
    pub hub: Vec<SocketAddr>,
}

impl EdgeFile {
    /// The file's text.
    pub fn to_toml(&self) -> String {
        let mut out = format!(
            "data_directory = {}\n\n[http]\nlisten = \"{}\"\n",
            quoted_path(&self.data_directory),
            self.http
        );
        if !self.journal.is_empty() {
            out.push_str("\n[journal]\n");
        }
        for (key, value) in &self.journal {
            let _ = writeln!(out, "{key} = {}", quoted(value));
        }
        if self.forwarding_profile.is_some() || !self.hub.is_empty() {
            out.push_str("\n[forwarding]\n");
        }
        if let Some(profile) = &self.forwarding_profile {
            let _ = writeln!(out, "profile = {}", quoted(profile));
        }
        if !self.hub.is_empty() {
            let addresses: Vec<String> = self.hub.iter().map(|address| format!("\"{address}\"")).collect();
            let _ = writeln!(out, "hub = [{}]", addresses.join(", "));
        }
        self.missions.iter().for_each(|mission| mission.write(&mut out));
        for link in &self.links {
            let acknowledgement = match link.acknowledgement {
                Acknowledgement::Count => "count",
                Acknowledgement::None => "none",
            };
            let _ = writeln!(
                out,
                "\n[[link]]\nname = {}\nlisten = \"{}\"\nmission = {}\nacknowledgement = \"{acknowledgement}\"",
                quoted(&link.name),
                link.listen,
                quoted(&link.mission),
            );
            out.push_str(link.door.lines());
            if let Some(bytes) = link.packet_bytes_max {
                let _ = writeln!(out, "packet_bytes_max = {bytes}");
            }
            if let Some(seconds) = link.packet_timeout_s {
                let _ = writeln!(out, "packet_timeout_s = {seconds}");
            }
        }
        out
    }
}

/// JSON's strings are TOML's basic strings, escapes included.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

    fn mission() -> Mission {
        Mission { dictionary: "/missions/demo.xml".into(), ..Mission::demo() }
    }

    #[test]
    fn a_hub_file_says_what_the_hub_reads() {
        let mut file = HubFile {
            data_directory: "/var/lib/a \"hub\"".into(),
            authority_directory: None,
            http: FREE,
            reception: FREE,
            database: Database::Url("host='/tmp' user=sto".to_owned()),
            redis: None,
            head_age_max_s: None,
            head_samples_max: None,
            notify: None,
            missions: vec![mission()],
        };
        let expected = r#"data_directory = "/var/lib/a \"hub\""

[http]
listen = "127.0.0.1:0"

[reception]
listen = "127.0.0.1:0"

[database]
url = "host='/tmp' user=sto"

[[mission]]
name = "demo"
title = "Demo spacecraft"
dictionary = "/missions/demo.xml"

[mission.packet_time]
code = "cds"
offset_bytes = 6
day_bits = 16
submilliseconds = "microseconds"
"#;
        assert_eq!(file.to_toml(), expected);
        file.database = Database::Private;
        file.authority_directory = Some("/var/lib/authority".into());
        file.head_age_max_s = Some(2);
        file.head_samples_max = Some(3);
        let text = file.to_toml();
        assert!(!text.contains("[database]"));
        assert!(text.contains("\n[archive]\nhead_age_max_s = 2\nhead_samples_max = 3\n"), "{text}");
        assert!(text.contains("\"\nauthority_directory = \"/var/lib/authority\"\n\n[http]\n"), "{text}");
    }

    #[test]
    fn an_edge_file_says_what_the_node_reads() {
        let link = LinkEntry::new("telemetry", FREE, "demo", Acknowledgement::Count);
        let narrow = LinkEntry {
            packet_bytes_max: Some(1_024),
            packet_timeout_s: Some(2),
            ..LinkEntry::new("narrow", FREE, "demo", Acknowledgement::None)
        };
        let modem =
            LinkEntry { door: Door::Udp, ..LinkEntry::new("modem", FREE, "demo", Acknowledgement::None) };
        let framed = LinkEntry {
            door: Door::TcpLengthPrefixed,
            ..LinkEntry::new("framed", FREE, "demo", Acknowledgement::Count)
        };
        let mut file = EdgeFile {
            data_directory: "/var/lib/node".into(),
            http: FREE,
            missions: Vec::new(),
            links: vec![link, narrow, modem, framed],
            journal: vec![("quota", "2 GiB")],
            forwarding_profile: None,
            hub: Vec::new(),
        };
        let expected = r#"data_directory = "/var/lib/node"

[http]
listen = "127.0.0.1:0"

[journal]
quota = "2 GiB"

[[link]]
name = "telemetry"
listen = "127.0.0.1:0"
mission = "demo"
acknowledgement = "count"

[[link]]
name = "narrow"
listen = "127.0.0.1:0"
mission = "demo"
acknowledgement = "none"
packet_bytes_max = 1024
packet_timeout_s = 2

[[link]]
name = "modem"
listen = "127.0.0.1:0"
mission = "demo"
acknowledgement = "none"
door = "udp"

[[link]]
name = "framed"
listen = "127.0.0.1:0"
mission = "demo"
acknowledgement = "count"
framing = "length-prefixed"
"#;
        assert_eq!(file.to_toml(), expected);
        file.hub = vec![FREE];
        assert!(file.to_toml().contains("\n\n[forwarding]\nhub = [\"127.0.0.1:0\"]\n\n"));
        file.forwarding_profile = Some("satcom".to_owned());
        let text = file.to_toml();
        assert!(text.contains("[forwarding]\nprofile = \"satcom\"\nhub = [\"127.0.0.1:0\"]\n"), "{text}");
    }
}
