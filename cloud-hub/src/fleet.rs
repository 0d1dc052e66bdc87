//! The fleet as the hub knows it: every node, its standing, its session, its last report. In memory for the
//! dashboards, in the database for the next start.

mod detail;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use dashboard::contract::{Drain, Node, NodeReport, NodeState};
use dashboard::rfc3339;
use delivery::{Holds, SessionNumber};
use provisioning::{AllowList, Standing};
use service::logging::chain;
use space_packet::TaiTime;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use crate::archive::{Archive, ArchiveError, NodeRow, Registry};
use crate::role::HubRole;
use detail::PastSessions;

pub use detail::{FleetNode, PastSession};

/// How soon a revocation or a new node is known everywhere.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// Rows of one statement, with up to 32 KiB each.
const REMEMBERED_AT_ONCE: usize = 256;
/// How often what was heard of nodes is written down: a restart may forget this much.
const REMEMBER_INTERVAL: Duration = Duration::from_secs(10);

/// How often a hub that follows reads that.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(5);
/// A node of which the hub that leads wrote down this long ago that it heard of it has a session there: it writes every
/// [`REMEMBER_INTERVAL`], and nodes report every second.
const CONTACT_AGE_NANOS: i64 = 25_000_000_000;

/// A report goes to every dashboard every second; a node with a hundred links stays below this.
const REPORT_BYTES_MAX: usize = 32 * 1_024;

/// Why a report was dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReportRefused {
    /// It is longer than a dashboard is sent every second.
    #[error("the node's report of {bytes} bytes was dropped, {REPORT_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is not of the contract's shape.
    #[error("the node's report was dropped, it cannot be read")]
    Unreadable,
}

impl ReportRefused {
    /// Its stable code.
    pub const CODE: &str = "STO-NODE-REPORT";
}

struct OpenSession {
    number: SessionNumber,
    since: TaiTime,
    /// Ends it when a newer one is opened.
    superseded: CancellationToken,
}

struct KnownNode {
    name: String,
    site: String,
    standing: Standing,
    session: Option<OpenSession>,
    ended: Option<TaiTime>,
    problem: Option<String>,
    last_contact: Option<TaiTime>,
    report: Option<NodeReport>,
    archived_packets: u64,
    is_remembered: bool,
    missions: Option<Vec<String>>,
    holds: Option<Holds>,
    sessions: PastSessions,
    /// The hub that leads heard of it a moment ago.
    is_elsewhere: bool,
}

/// All nodes.
pub struct Fleet {
    authority_ids: Mutex<Vec<String>>,
    nodes: Mutex<BTreeMap<Uuid, KnownNode>>,
    allowed: ArcSwap<AllowList>,
    role: HubRole,
}

impl Fleet {
    /// The fleet as the database has it. While the hub follows, sessions are at another one, which says every few seconds
    /// what it hears of nodes.
    pub fn new(authority_id: &str, rows: Vec<NodeRow>, superseded: HashSet<Vec<u8>>, role: HubRole) -> Self {
        let authority_ids = vec![authority_id.to_owned()];
        let nobody = AllowList::new(authority_ids.clone(), HashMap::new(), HashSet::new());
        let fleet = Self {
            authority_ids: Mutex::new(authority_ids),
            nodes: Mutex::default(),
            allowed: ArcSwap::from_pointee(nobody),
            role,
        };
        fleet.on_rows(rows, superseded);
        fleet
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Uuid, KnownNode>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose certificates count, from the next look at the database on.
    pub fn trust(&self, authority_ids: Vec<String>) {
        *self.authority_ids.lock().unwrap_or_else(PoisonError::into_inner) = authority_ids;
    }

    /// Who may come in, and stay.
    pub fn allowed(&self) -> Arc<AllowList> {
        self.allowed.load_full()
    }

    /// Reads the database again: at once after an enrolment, so that the new node is let in.
    pub async fn refresh(&self, registry: &Registry) -> Result<(), ArchiveError> {
        self.on_rows(registry.standings().await?, registry.superseded().await?);
        Ok(())
    }

    /// Takes over what the hub that leads wrote down of nodes.
    async fn follow(&self, registry: &Registry) -> Result<(), ArchiveError> {
        let rows = registry.nodes().await?;
        let (mut nodes, now) = (self.nodes(), service::clock::now());
        for row in rows {
            let Some(known) = nodes.get_mut(&row.node_id) else { continue };
            let last_contact = row.last_contact.map(TaiTime);
            if known.last_contact != last_contact {
                known.last_contact = last_contact;
                known.report = row.report.as_deref().and_then(|text| serde_json::from_str(text).ok());
            }
            known.archived_packets = row.records as u64;
            let is_recent = |contact: &TaiTime| now.0.saturating_sub(contact.0) < CONTACT_AGE_NANOS;
            known.is_elsewhere = last_contact.as_ref().is_some_and(is_recent);
        }
        Ok(())
    }

    fn on_rows(&self, rows: Vec<NodeRow>, superseded: HashSet<Vec<u8>>) {
        let allowed = rows.iter().map(|row| (row.node_id, row.standing)).collect();
        let authority_ids = self.authority_ids.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.allowed.store(Arc::new(AllowList::new(authority_ids, allowed, superseded)));
        let mut nodes = self.nodes();
        for row in rows {
            let node = nodes.entry(row.node_id).or_insert_with(|| KnownNode {
                name: String::new(),
                site: String::new(),
                standing: row.standing,
                session: None,
                ended: None,
                problem: None,
                last_contact: row.last_contact.map(TaiTime),
                // A report of another version that does not read is no report.
                report: row.report.as_deref().and_then(|text| serde_json::from_str(text).ok()),
                archived_packets: row.records as u64,
                is_remembered: true,
                missions: None,
                holds: None,
                sessions: PastSessions::default(),
                is_elsewhere: false,
            });
            if node.standing != row.standing {
                info!(node = row.name, standing = ?row.standing, "node's standing changed");
            }
            (node.name, node.site, node.standing) = (row.name, row.site, row.standing);
            node.missions = row.missions;
        }
    }

    /// Whether a node may send for a mission.
    pub fn may_send(&self, node: Uuid, mission: &str) -> bool {
        let nodes = self.nodes();
        let missions = nodes.get(&node).and_then(|known| known.missions.as_ref());
        missions.is_none_or(|missions| missions.iter().any(|known| known == mission))
    }

    /// What a node is called.
    pub fn name(&self, node: Uuid) -> Option<String> {
        self.nodes().get(&node).map(|known| known.name.clone())
    }

    /// The node that is called so.
    pub fn node_id(&self, name: &str) -> Option<Uuid> {
        self.nodes().iter().find(|(_, known)| known.name == name).map(|(node, _)| *node)
    }

    /// Whether a node has a session here.
    pub fn has_session(&self, node: Uuid) -> bool {
        self.nodes().get(&node).is_some_and(|known| known.session.is_some())
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.nodes().values().filter(|known| known.session.is_some()).count()
    }

    /// A node's HELLO was accepted; an older session that is still open ends now. The token ends this one.
    pub fn on_session(&self, node: Uuid, number: SessionNumber, now: TaiTime) -> CancellationToken {
        let superseded = CancellationToken::new();
        if let Some(known) = self.nodes().get_mut(&node) {
            if known.session.as_ref().is_some_and(|open| open.number > number) {
                superseded.cancel();
                return superseded;
            }
            let session = OpenSession { number, since: now, superseded: superseded.clone() };
            if let Some(older) = known.session.replace(session) {
                older.superseded.cancel();
            }
            known.sessions.on_begun(number, now);
            known.problem = None;
            known.last_contact = Some(now);
            known.is_remembered = false;
        }
        superseded
    }

    /// A node's session ended, unless a newer one stands.
    pub fn on_session_ended(&self, node: Uuid, number: SessionNumber, reason: &str, now: TaiTime) {
        if let Some(known) = self.nodes().get_mut(&node)
            && known.session.as_ref().is_some_and(|open| open.number == number)
        {
            known.sessions.on_ended(Some(number), reason, now);
            known.session = None;
            known.ended = Some(now);
            known.problem = Some(reason.to_owned());
        }
    }

    /// A node was refused.
    pub fn on_refused(&self, node: Uuid, reason: &str) {
        if let Some(known) = self.nodes().get_mut(&node) {
            known.problem = Some(reason.to_owned());
        }
    }

    /// Something came from a node.
    pub fn on_contact(&self, node: Uuid, now: TaiTime) {
        if let Some(known) = self.nodes().get_mut(&node) {
            known.last_contact = Some(now);
            known.is_remembered = false;
        }
    }

    /// A node said how it is. What is not of the contract's shape is dropped; the report before it stands.
    pub fn on_report(&self, node: Uuid, json: &[u8], now: TaiTime) -> Result<(), ReportRefused> {
        if json.len() > REPORT_BYTES_MAX {
            return Err(ReportRefused::TooLong { bytes: json.len() });
        }
        let report = serde_json::from_slice(json).map_err(|_| ReportRefused::Unreadable)?;
        if let Some(known) = self.nodes().get_mut(&node) {
            known.report = Some(report);
            known.last_contact = Some(now);
            known.is_remembered = false;
        }
        Ok(())
    }

    /// Packets of a node were committed.
    pub fn on_committed(&self, node: Uuid, packets: u64) {
        if let Some(known) = self.nodes().get_mut(&node) {
            known.archived_packets += packets;
        }
    }

    /// How all nodes stand, by name.
    pub fn describe(&self) -> Vec<Node> {
        let mut nodes: Vec<Node> =
            self.nodes().iter().map(|(&id, known)| describe(id, known, self.role.leads())).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes
    }

    /// Keeps up with the database, and writes down what was heard.
    pub async fn run(
        self: Arc<Self>,
        registry: Registry,
        archive: Arc<Archive>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut remembered_at = tokio::time::Instant::now();
        let mut followed_at = remembered_at;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(REFRESH_INTERVAL) => {}
            }
            // Without the database the last picture stands: nobody is let in whom it does not have.
            if !self.role.leads() && followed_at.elapsed() >= FOLLOW_INTERVAL {
                followed_at = tokio::time::Instant::now();
                if let Err(error) = self.follow(&registry).await {
                    tracing::debug!(error = chain(&error), "what was heard of nodes could not be read");
                }
            }
            if self.refresh(&registry).await.is_ok() {
                self.nodes().iter().for_each(|(node, known)| archive.on_node(*node, &known.name));
            }
            if remembered_at.elapsed() >= REMEMBER_INTERVAL {
                remembered_at = tokio::time::Instant::now();
                self.remember(&registry).await;
            }
        }
    }

    /// Writes down what was heard since the last time. Losing it costs nothing but a little memory of the past.
    pub async fn remember(&self, registry: &Registry) {
        let changed: Vec<_> = self
            .nodes()
            .iter_mut()
            .filter_map(|(&node, known)| {
                if std::mem::replace(&mut known.is_remembered, true) {
                    return None;
                }
                let report = known.report.as_ref().and_then(|report| serde_json::to_string(report).ok());
                Some((node, known.last_contact?.0, report))
            })
            .collect();
        for some in changed.chunks(REMEMBERED_AT_ONCE) {
            if let Err(error) = registry.remember(some).await {
                tracing::debug!(error = chain(&error), "what was heard of nodes could not be written down");
            }
        }
    }
}

fn describe(id: Uuid, known: &KnownNode, leads: bool) -> Node {
    let has_session = known.session.is_some() || (known.is_elsewhere && !leads);
    let state = match (known.standing, has_session, known.last_contact) {
        (Standing::Revoked, ..) => NodeState::Revoked,
        (Standing::Active, true, _) => NodeState::Connected,
        (Standing::Active, false, Some(_)) => NodeState::Disconnected,
        (Standing::Active, false, None) => NodeState::NeverConnected,
    };
    let since = known.session.as_ref().map(|open| open.since).or(known.ended).or(known.last_contact);
    let mut report = known.report.clone();
    if let (false, Some(report)) = (has_session, &mut report) {
        // What the node measured last was true of a session that is over, and of what came in then.
        (report.backlog.drain, report.backlog.full_in_s) = (Drain::Disconnected, None);
    }
    Node {
        id: Some(id.to_string()),
        name: known.name.clone(),
        site: known.site.clone(),
        state,
        since: since.map(rfc3339),
        last_contact: known.last_contact.map(rfc3339),
        problem: known.problem.clone().filter(|_| !has_session),
        report,
        archived_packets: known.archived_packets,
    }
}

#[cfg(test)]
mod tests {
    use dashboard::contract::Backlog;

    use super::*;

    #[test]
    fn a_node_without_a_session_is_not_said_to_drain() {
        let backlog = Backlog {
            packets: 7,
            drain: Drain::After { seconds: 3.0 },
            full_in_s: Some(9.0),
            ..Backlog::default()
        };
        let session = |number| OpenSession {
            number: SessionNumber(number),
            since: TaiTime(0),
            superseded: CancellationToken::new(),
        };
        let mut known = KnownNode {
            name: "gs-1".to_owned(),
            site: "s".to_owned(),
            standing: Standing::Active,
            session: Some(session(1)),
            ended: None,
            problem: None,
            last_contact: Some(TaiTime(0)),
            report: Some(NodeReport { backlog: backlog.clone(), ..NodeReport::default() }),
            archived_packets: 0,
            missions: None,
            holds: None,
            sessions: PastSessions::default(),
            is_elsewhere: false,
            is_remembered: true,
        };
        let told = |known: &KnownNode| describe(Uuid::nil(), known, true).report.expect("reported").backlog;
        assert_eq!(told(&known), backlog);
        known.session = None;
        assert_eq!(told(&known), Backlog { drain: Drain::Disconnected, full_in_s: None, ..backlog });
    }
}
