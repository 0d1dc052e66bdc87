//! A ground segment of real processes: a hub, enrolled nodes, and what stands in for the sky.

mod demo;
mod sky;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use simulator::faults::{FaultProfile, FaultProxy};
use simulator::spacecraft::Fault;

use crate::client::Client;
use crate::configuration::{Acknowledgement, Database, EdgeFile, HubFile, LinkEntry, Mission};
use crate::guard::Guard;
use crate::process::{Group, Process, output, until};

/// An address whose port the system chooses.
pub const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// The link that every node has.
pub const LINK: &str = "telemetry";

/// A first start initialises a database; on a busy machine that takes many seconds.
const READY_WITHIN: Duration = Duration::from_secs(120);
const COMMAND_WITHIN: Duration = Duration::from_secs(60);
/// Longer than the programs' own deadline for draining.
const STOP_WITHIN: Duration = Duration::from_secs(45);

/// A node to be.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its name at the hub.
    pub name: String,
    /// Where it stands.
    pub site: String,
    /// Its console and API.
    pub http: SocketAddr,
    /// Where its one link listens.
    pub link: SocketAddr,
    /// What the link tells its producer.
    pub acknowledgement: Acknowledgement,
    /// Keys of its journal, such as `quota`; the program's own defaults when empty.
    pub journal: Vec<(&'static str, &'static str)>,
    /// Profile of its connection to the hub.
    pub forwarding_profile: Option<String>,
}

impl NodePlan {
    /// A node on free ports, whose link counts what is safe.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            site: format!("{name} station"),
            http: ANY_PORT,
            link: ANY_PORT,
            acknowledgement: Acknowledgement::Count,
            journal: Vec::new(),
            forwarding_profile: None,
        }
    }
}

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct GroundPlan {
    /// Holds everything: configuration, data, logs.
    pub directory: PathBuf,
    /// The hub's dashboard and API.
    pub hub_http: SocketAddr,
    /// Where nodes forward to.
    pub reception: SocketAddr,
    /// The archive.
    pub database: Database,
    /// The mission of every link.
    pub mission: Mission,
    /// Nodes, in the order they start.
    pub nodes: Vec<NodePlan>,
    /// Whether signals to us reach the processes as well.
    pub group: Group,
}

impl GroundPlan {
    /// A hub with its own database and the demo mission on free ports, and no nodes yet.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            hub_http: ANY_PORT,
            reception: ANY_PORT,
            database: Database::Private,
            mission: Mission::demo(),
            nodes: Vec::new(),
            group: Group::Shared,
        }
    }

    /// With one more node.
    pub fn with_node(mut self, node: NodePlan) -> Self {
        self.nodes.push(node);
        self
    }

    /// Where the hub's own PostgreSQL lives, if it has one.
    pub fn private_database(&self) -> Option<PathBuf> {
        match &self.database {
            Database::Private => Some(self.directory.join("hub/data/database")),
            Database::PrivateIn(path) => Some(path.clone()),
            Database::Url(_) => None,
        }
    }

    /// Starts the hub, enrols the nodes and starts them.
    pub async fn start(self) -> anyhow::Result<GroundSegment> {
        let mut ground = GroundSegment::prepare(self)?;
        ground.start_hub().await?;
        let names: Vec<String> = ground.nodes.keys().cloned().collect();
        for name in names {
            ground.enrol(&name).await?;
            ground.start_node(&name).await?;
        }
        Ok(ground)
    }
}

struct Hub {
    file: HubFile,
    process: Option<Process>,
}

struct Node {
    file: EdgeFile,
    site: String,
    process: Option<Process>,
}

/// Running processes; dropping it kills them.
pub struct GroundSegment {
    directory: PathBuf,
    group: Group,
    // Dropped in this order, as they would be stopped: the guard ends PostgreSQL after the hub is gone.
    simulators: Vec<Process>,
    nodes: BTreeMap<String, Node>,
    hub: Hub,
    _guard: Option<Guard>,
}

impl GroundSegment {
    /// Makes the folders; nothing runs yet.
    pub fn prepare(plan: GroundPlan) -> anyhow::Result<Self> {
        let guard = plan.private_database().map(|cluster| Guard::over(&cluster, None)).transpose()?;
        let file = HubFile {
            data_directory: plan.directory.join("hub/data"),
            authority_directory: None,
            http: plan.hub_http,
            reception: plan.reception,
            database: plan.database,
            redis: None,
            head_age_max_s: None,
            head_samples_max: None,
            notify: None,
            missions: vec![plan.mission.clone()],
        };
        // PostgreSQL's user must be able to enter what lies above its data.
        for folder in ["", "hub", "hub/data", "logs"] {
            open_folder(&plan.directory.join(folder))?;
        }
        let mut nodes = BTreeMap::new();
        for node in plan.nodes {
            open_folder(&plan.directory.join(&node.name))?;
            let link = LinkEntry::new(LINK, node.link, &plan.mission.name, node.acknowledgement);
            let file = EdgeFile {
                data_directory: plan.directory.join(&node.name).join("data"),
                http: node.http,
                missions: vec![plan.mission.clone()],
                links: vec![link],
                journal: node.journal,
                forwarding_profile: node.forwarding_profile,
                hub: Vec::new(),
            };
            nodes.insert(node.name, Node { file, site: node.site, process: None });
        }
        let hub = Hub { file, process: None };
        Ok(Self {
            directory: plan.directory,
            group: plan.group,
            simulators: Vec::new(),
            nodes,
            hub,
            _guard: guard,
        })
    }

    /// Starts the hub and waits until it is ready. Its ports stay the same from then on.
    pub async fn start_hub(&mut self) -> anyhow::Result<()> {
        let config = self.hub_config();
        fs::write(&config, self.hub.file.to_toml())?;
        let arguments = words(["run", "--config"], &config);
        let mut process = Process::start("cloud-hub", &arguments, &self.log("hub"), self.group)?;
        let ready = ready(&mut process, &self.hub.file.data_directory).await?;
        self.hub.process = Some(process);
        self.hub.file.http = address(&ready, "/http")?;
        self.hub.file.reception = address(&ready, "/reception")?;
        fs::write(&config, self.hub.file.to_toml())?;
        Ok(())
    }

    /// Gives a node a real token and enrols it; one that is enrolled already stays so.
    pub async fn enrol(&self, name: &str) -> anyhow::Result<()> {
        let node = self.node(name)?;
        let config = self.node_config(name);
        fs::write(&config, node.file.to_toml())?;
        let (done, token) =
            (self.directory.join(name).join("enrolled"), self.directory.join(name).join("token"));
        if done.exists() {
            return Ok(());
        }
        let mut create = words(["token", "create", "--config"], &self.hub_config());
        create.extend(words(["--node", name, "--site", &node.site, "--output"], &token));
        output("cloud-hub", &create, COMMAND_WITHIN).await?;
        let mut enrol = words(["enroll", "--config"], &config);
        enrol.extend(words(["--token-file"], &token));
        output("edge-node", &enrol, COMMAND_WITHIN).await?;
        // It is spent.
        fs::remove_file(&token).or_else(|failed| match failed.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(failed),
        })?;
        Ok(fs::write(done, "")?)
    }

    /// Starts a node and waits until it is ready. Its ports stay the same from then on.
    pub async fn start_node(&mut self, name: &str) -> anyhow::Result<()> {
        let (config, log, group) = (self.node_config(name), self.log(name), self.group);
        let node = self.nodes.get_mut(name).with_context(|| format!("no node {name}"))?;
        fs::write(&config, node.file.to_toml())?;
        let mut process = Process::start("edge-node", &words(["run", "--config"], &config), &log, group)?;
        let ready = ready(&mut process, &node.file.data_directory).await?;
        node.process = Some(process);
        node.file.http = address(&ready, "/http")?;
        for link in &mut node.file.links {
            link.listen = address(&ready, &format!("/links/{}", link.name))?;
        }
        fs::write(&config, node.file.to_toml())?;
        Ok(())
    }

    /// Puts a bad link between a node and the hub, which was started: it counts from the node's next start, and lasts as
    /// long as the proxy does. The same seed has the same faults.
    pub async fn bad_link(
        &mut self,
        name: &str,
        seed: u64,
        profile: FaultProfile,
    ) -> anyhow::Result<FaultProxy> {
        let upstream = self.reception();
        if upstream.port() == 0 {
            bail!("the hub has no port yet: start it before the link to it");
        }
        let proxy = FaultProxy::udp(ANY_PORT, upstream, seed, profile).await?;
        self.node_file(name)?.hub = vec![proxy.address()];
        Ok(proxy)
    }

    /// Starts a simulator, `simulator ARGUMENTS...`, and returns its place among [`simulators`](Self::simulators).
    pub fn simulate(&mut self, arguments: &[String]) -> anyhow::Result<usize> {
        let log = self.log("simulator");
        self.simulators.push(Process::start("simulator", arguments, &log, self.group)?);
        Ok(self.simulators.len() - 1)
    }

    /// The spacecraft over every node's station, in sight all the time if so wished, with what goes wrong aboard.
    pub fn simulate_spacecraft(
        &mut self,
        always_visible: bool,
        fault: Option<Fault>,
    ) -> anyhow::Result<usize> {
        let mut arguments = vec!["spacecraft".to_owned()];
        for (name, node) in &self.nodes {
            let link = node.file.links.first().context("every node has a link")?;
            arguments.extend(["--station".to_owned(), format!("{name}=tcp://{}", link.listen)]);
        }
        if always_visible {
            arguments.push("--always-visible".to_owned());
        }
        if let Some(fault) = fault {
            arguments.push(format!("--fault={fault}"));
        }
        self.simulate(&arguments)
    }

    /// Simulators that were started.
    pub fn simulators(&mut self) -> &mut [Process] {
        &mut self.simulators
    }

    /// The hub's process.
    pub fn hub_process(&mut self) -> anyhow::Result<&mut Process> {
        self.hub.process.as_mut().context("the hub was not started")
    }

    /// A node's process.
    pub fn node_process(&mut self, name: &str) -> anyhow::Result<&mut Process> {
        let node = self.nodes.get_mut(name).with_context(|| format!("no node {name}"))?;
        node.process.as_mut().with_context(|| format!("{name} was not started"))
    }

    /// Where the hub answers HTTP.
    pub fn hub_http(&self) -> SocketAddr {
        self.hub.file.http
    }

    /// Where the hub receives from nodes (QUIC).
    pub fn reception(&self) -> SocketAddr {
        self.hub.file.reception
    }

    /// Where a node answers HTTP.
    pub fn node_http(&self, name: &str) -> anyhow::Result<SocketAddr> {
        Ok(self.node(name)?.file.http)
    }

    /// Where a node's link listens.
    pub fn link(&self, name: &str) -> anyhow::Result<SocketAddr> {
        let links = &self.node(name)?.file.links;
        Ok(links.first().with_context(|| format!("{name} has no link"))?.listen)
    }

    /// What the hub's next start reads.
    pub fn hub_file(&mut self) -> &mut HubFile {
        &mut self.hub.file
    }

    /// What a node's next start reads.
    pub fn node_file(&mut self, name: &str) -> anyhow::Result<&mut EdgeFile> {
        let node = self.nodes.get_mut(name).with_context(|| format!("no node {name}"))?;
        Ok(&mut node.file)
    }

    /// Names of the nodes, in order.
    pub fn node_names(&self) -> Vec<String> {
        self.nodes.keys().cloned().collect()
    }

    /// A new one-time code for the hub's dashboard.
    pub async fn hub_code(&self) -> anyhow::Result<String> {
        output("cloud-hub", &words(["login-code", "--config"], &self.hub_config()), COMMAND_WITHIN).await
    }

    /// A new one-time code for a node's console.
    pub async fn node_code(&self, name: &str) -> anyhow::Result<String> {
        output("edge-node", &words(["console", "--config"], &self.node_config(name)), COMMAND_WITHIN).await
    }

    /// A session at the hub.
    pub async fn hub_client(&self) -> anyhow::Result<Client> {
        Client::log_in(self.hub_http(), &self.hub_code().await?).await
    }

    /// A session at a node.
    pub async fn node_client(&self, name: &str) -> anyhow::Result<Client> {
        Client::log_in(self.node_http(name)?, &self.node_code(name).await?).await
    }

    /// `hub.toml`, for further commands.
    pub fn hub_config(&self) -> PathBuf {
        self.directory.join("hub/hub.toml")
    }

    /// A node's `edge.toml`, for further commands.
    pub fn node_config(&self, name: &str) -> PathBuf {
        self.directory.join(name).join("edge.toml")
    }

    /// Names of processes that ended by themselves, with their last lines.
    pub fn ended(&mut self) -> Vec<(String, String)> {
        let nodes = self.nodes.iter_mut().map(|(name, node)| (name.as_str(), &mut node.process));
        let all = std::iter::once(("hub", &mut self.hub.process)).chain(nodes);
        let started = all.filter_map(|(name, process)| Some((name, process.as_mut()?)));
        let simulators = self.simulators.iter_mut().map(|process| ("simulator", process));
        started
            .chain(simulators)
            .filter_map(|(name, process)| {
                (!process.is_alive()).then(|| (name.to_owned(), process.log_tail()))
            })
            .collect()
    }

    /// Stops everything in order: the sky, the nodes, the hub. Every problem is in the error, nothing is left running.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let mut problems = Vec::new();
        let simulators = self.simulators.iter_mut();
        let nodes = self.nodes.values_mut().filter_map(|node| node.process.as_mut());
        for process in simulators.chain(nodes).chain(self.hub.process.as_mut()) {
            if let Err(failed) = process.stop(STOP_WITHIN).await {
                problems.push(format!("{failed:#}"));
            }
        }
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(())
    }

    fn node(&self, name: &str) -> anyhow::Result<&Node> {
        self.nodes.get(name).with_context(|| format!("no node {name}"))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join("logs").join(format!("{name}.log"))
    }
}

/// Makes a folder that other users may enter, but not change.
fn open_folder(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("failed to make {}", path.display()))?;
    Ok(fs::set_permissions(path, Permissions::from_mode(0o755))?)
}

fn words<const N: usize>(words: [&str; N], last: &Path) -> Vec<String> {
    words.into_iter().map(str::to_owned).chain([last.to_string_lossy().into_owned()]).collect()
}

/// Waits for the file that a program writes once it is ready, of this run and not of one that was killed.
async fn ready(process: &mut Process, data: &Path) -> anyhow::Result<Value> {
    let path = data.join("ready.json");
    until(&format!("{} to be written", path.display()), READY_WITHIN, async || {
        if !process.is_alive() {
            bail!("it ended instead of becoming ready; its log ends:\n{}", process.log_tail());
        }
        Ok(fs::read(&path).ok().and_then(|text| ready_in(&text, process.id())))
    })
    .await
}

/// The answer, unless it is half written or of another process, or a hub's that does not receive yet.
fn ready_in(text: &[u8], pid: u32) -> Option<Value> {
    let ready: Value = serde_json::from_slice(text).ok()?;
    (ready["pid"] == pid && ready.get("reception") != Some(&Value::Null)).then_some(ready)
}

fn address(ready: &Value, pointer: &str) -> anyhow::Result<SocketAddr> {
    let text = ready.pointer(pointer).and_then(Value::as_str);
    let text = text.with_context(|| format!("ready.json has no {pointer}: {ready}"))?;
    text.parse().with_context(|| format!("ready.json has {pointer} = {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_file_counts_only_when_it_is_whole_and_of_this_process() {
        let text = br#"{"http":"127.0.0.1:8081","links":{"telemetry":"127.0.0.1:10015"},"pid":7}"#;
        assert_eq!(ready_in(text, 8), None);
        assert_eq!(ready_in(&text[..30], 7), None);
        assert_eq!(ready_in(b"", 7), None);
        assert_eq!(ready_in(br#"{"pid":7,"reception":null}"#, 7), None);
        let ready = ready_in(text, 7).expect("it is whole");
        assert_eq!(address(&ready, "/links/telemetry").expect("it is there").port(), 10015);
        assert!(address(&ready, "/reception").is_err());
    }

    #[tokio::test]
    async fn a_segment_without_programs_says_what_to_build_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("the temporary directory is writable");
        let plan = GroundPlan::new(folder.path()).with_node(NodePlan::new("svalbard"));
        let mut ground = GroundSegment::prepare(plan).expect("folders are made");
        assert_eq!(ground.node_names(), ["svalbard"]);
        assert!(ground.ended().is_empty());
        assert!(ground.hub_process().is_err());
        assert!(ground.bad_link("svalbard", 7, FaultProfile::clean()).await.is_err());
        assert!(folder.path().join("hub/data").is_dir());
        ground.stop().await.expect("nothing runs");
    }
}
