//! How the node is, told the same way everywhere: to the hub, on the page, by `edge-node status`.

mod backlog;
mod print;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dashboard::contract::{Backlog, ClockReport, Node, NodeReport, NodeState};
use dashboard::rfc3339;
use delivery::{ClockOffset, Flow, Position, StoreId};
use intake::LinkStatistics;
use service::metric::Metric;
use space_packet::TaiTime;

use backlog::NodeBacklog;
pub use print::print;

/// What people are told while the journal takes nothing more.
const FULL: &str = "STO-JOURNAL-FULL: the journal takes nothing more, intake waits; nothing acknowledged is lost. Make room on the disk, raise journal.quota, or let the hub take what waits";
/// File in the data directory that `edge-node status` reads.
pub const FILE: &str = "status.json";

/// The session with the hub, as far as people care.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HubLink {
    /// The hub's HELLO was read.
    Connected {
        /// Since when.
        since: TaiTime,
    },
    /// No session.
    Disconnected {
        /// Since when.
        since: TaiTime,
        /// Why.
        problem: String,
    },
    /// There is no hub to forward to.
    NotEnrolled,
}

/// Everything the node knows of itself.
pub struct NodeStatus {
    name: String,
    site: String,
    /// What the backlog's times are counted from.
    origin: Instant,
    changing: Mutex<Changing>,
}

struct Changing {
    hub: HubLink,
    is_paused: bool,
    backlog: NodeBacklog,
    last_contact: Option<TaiTime>,
    documents_problem: Option<String>,
    configuration_problem: Option<String>,
    links_problem: Option<String>,
    certificate_ends_unix: Option<u64>,
    is_full: bool,
    clock: Option<ClockOffset>,
    links: Vec<Arc<LinkStatistics>>,
}

impl NodeStatus {
    /// A node that has just started.
    pub fn new(
        name: &str,
        site: &str,
        certificate_ends_unix: Option<u64>,
        hub: HubLink,
        head: Position,
        acknowledged: Position,
    ) -> Self {
        let changing = Changing {
            hub,
            is_paused: false,
            backlog: NodeBacklog::new(head, acknowledged),
            last_contact: None,
            documents_problem: None,
            configuration_problem: None,
            links_problem: None,
            certificate_ends_unix,
            is_full: false,
            clock: None,
            links: Vec::new(),
        };
        Self {
            name: name.to_owned(),
            site: site.to_owned(),
            origin: Instant::now(),
            changing: Mutex::new(changing),
        }
    }

    fn changing(&self) -> std::sync::MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The certificate was renewed: when the new one ends, Unix seconds.
    pub fn on_certificate(&self, ends_unix: u64) {
        self.changing().certificate_ends_unix = Some(ends_unix);
    }

    /// When the certificate ends.
    pub fn certificate_ends(&self) -> Option<TaiTime> {
        let ends_unix = self.changing().certificate_ends_unix?;
        Some(TaiTime::from_unix_nanos((ends_unix as i64).saturating_mul(1_000_000_000)))
    }

    /// The session changed; says whether people have not been told this yet.
    pub fn on_hub(&self, hub: HubLink) -> bool {
        Metric::EdgeForwardConnected.set(f64::from(u8::from(matches!(hub, HubLink::Connected { .. }))));
        let mut changing = self.changing();
        // A hub that stays away is away since the first time it was missed.
        if let (HubLink::Disconnected { since, .. }, HubLink::Disconnected { problem, .. }) =
            (&changing.hub, &hub)
        {
            let is_news =
                !matches!(&changing.hub, HubLink::Disconnected { problem: told, .. } if told == problem);
            changing.hub = HubLink::Disconnected { since: *since, problem: problem.clone() };
            return is_news;
        }
        changing.hub = hub;
        self.update_flow(&mut changing);
        true
    }

    /// Whether somebody holds the backlog back.
    pub fn on_paused(&self, is_paused: bool) {
        let mut changing = self.changing();
        changing.is_paused = is_paused;
        self.update_flow(&mut changing);
    }

    fn update_flow(&self, changing: &mut Changing) {
        let flow = match (&changing.hub, changing.is_paused) {
            (HubLink::Connected { .. }, false) => Flow::Running,
            (HubLink::Connected { .. }, true) => Flow::Paused,
            (HubLink::Disconnected { .. } | HubLink::NotEnrolled, _) => Flow::Disconnected,
        };
        changing.backlog.on_flow(self.origin.elapsed(), flow);
    }

    /// The hub was heard.
    pub fn on_contact(&self, at: TaiTime) {
        self.changing().last_contact = Some(at);
    }

    /// How far this machine's clock is from the hub's.
    pub fn on_clock(&self, offset: Option<ClockOffset>) {
        self.changing().clock = offset;
    }

    /// Why a document of the hub is not in force here; nothing when all are.
    pub fn on_documents(&self, problem: Option<String>) {
        self.changing().documents_problem = problem;
    }

    /// Why the configuration file on disk is not the one in use; nothing when it is.
    pub fn on_configuration(&self, problem: Option<String>) {
        self.changing().configuration_problem = problem;
    }

    /// Why a configured link is not open; nothing when all are.
    pub fn on_links_problem(&self, problem: Option<String>) {
        self.changing().links_problem = problem;
    }

    /// Whether the journal takes nothing more.
    pub fn on_full(&self, is_full: bool) {
        self.changing().is_full = is_full;
    }

    /// The links that are open.
    pub fn on_links(&self, links: Vec<Arc<LinkStatistics>>) {
        self.changing().links = links;
    }

    fn links(&self) -> Vec<Arc<LinkStatistics>> {
        self.changing().links.clone()
    }

    /// Which journal is written. What the hub has of another one is not of this one.
    pub fn on_journal(&self, store: StoreId) {
        self.changing().backlog.on_journal(store);
    }

    /// The journal grew.
    pub fn on_head(&self, head: Position) {
        self.changing().backlog.on_head(self.origin.elapsed(), head);
    }

    /// The hub committed up to a batch; `oldest` is the reception time of the first one it has not.
    pub fn on_acknowledged(&self, acknowledged: Position, oldest: Option<TaiTime>) {
        self.changing().backlog.on_acknowledged(self.origin.elapsed(), acknowledged, oldest);
    }

    /// Sealed bytes that the journal still takes.
    pub fn on_room(&self, bytes: u64) {
        self.changing().backlog.on_room(bytes);
    }

    /// Journals from before that wait to be forwarded.
    pub fn on_older_journals(&self, count: usize) {
        self.changing().backlog.on_older_journals(count);
    }

    /// What waits for the hub.
    pub fn backlog(&self) -> Backlog {
        self.changing().backlog.tell()
    }

    /// What the hub is told.
    pub fn report(&self) -> NodeReport {
        let now = service::clock::now();
        let unix_seconds = now.to_unix_nanos() / 1_000_000_000;
        let links = self.links();
        let clock = self.changing().clock;
        NodeReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: rfc3339(now),
            packets_received: links.iter().map(|link| link.records()).sum(),
            backlog: self.backlog(),
            clock: clock.map(|clock| ClockReport {
                offset_ms: clock.offset_ns as f64 / 1e6,
                error_ms: clock.error_ns as f64 / 1e6,
            }),
            links: links.iter().map(|link| link.counts().into()).collect(),
            certificate_days: self
                .changing()
                .certificate_ends_unix
                .map(|end| (end as i64 - unix_seconds).div_euclid(86_400)),
        }
    }

    /// What people are told.
    pub fn node(&self) -> Node {
        let report = self.report();
        let changing = self.changing();
        let (state, since, hub_problem) = match &changing.hub {
            HubLink::Connected { since } => (NodeState::Connected, Some(*since), None),
            HubLink::Disconnected { since, problem } => {
                (NodeState::Disconnected, Some(*since), Some(problem))
            }
            HubLink::NotEnrolled => (NodeState::NotEnrolled, None, None),
        };
        // What somebody at the station can mend comes before what only time or the hub can.
        let full = changing.is_full.then(|| FULL.to_owned());
        let problem = [&full, &changing.configuration_problem, &changing.links_problem]
            .into_iter()
            .flatten()
            .next()
            .or(hub_problem)
            .or(changing.documents_problem.as_ref())
            .cloned();
        Node {
            // Who is asked by people knows it.
            id: None,
            name: self.name.clone(),
            site: self.site.clone(),
            state,
            since: since.map(rfc3339),
            last_contact: changing.last_contact.map(rfc3339),
            problem,
            archived_packets: changing.backlog.archived_packets(),
            report: Some(report),
        }
    }

    /// Writes the status where `edge-node status` finds it.
    pub fn write(&self, data_directory: &Path) -> std::io::Result<()> {
        let unfinished = data_directory.join("status.json.unfinished");
        std::fs::write(&unfinished, serde_json::to_vec_pretty(&self.node())?)?;
        std::fs::rename(unfinished, data_directory.join(FILE))
    }
}
