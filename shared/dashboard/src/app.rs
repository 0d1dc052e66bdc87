//! What all requests share: the backend, the cookie's name, the heartbeat of this second, the end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::access::{Action, Decision, MissionScope, Principal, Resource, authorize, hash};
use crate::contract::{LiveEvent, Node, Server, ServerKind};
use crate::convert::rfc3339;
use crate::live::CATCH_UPS_MAX;
use crate::{Backend, LiveMission, ProblemResponse};

const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long whoever listens to a stream may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For one message; then the stream ends.
    pub(crate) message: Duration,
    /// For what was on its way, so that it is told why.
    pub(crate) farewell: Duration,
}

const PATIENCE: Patience = Patience { message: Duration::from_secs(10), farewell: Duration::from_secs(5) };

/// The router's state.
pub(crate) struct App {
    pub(crate) backend: Arc<dyn Backend>,
    /// Name of the session cookie.
    pub(crate) cookie: String,
    /// Cancelled when the server stops: open streams end then.
    pub(crate) shutdown: CancellationToken,
    /// Turns of clients that are caught up from the archive.
    pub(crate) catch_ups: Semaphore,
    /// Turns of dictionaries that are imported: each may have 64 MiB.
    pub(crate) imports: Arc<Semaphore>,
    /// Rules that somebody wants looked at, one after the other.
    pub(crate) rules_read: Arc<Semaphore>,
    pub(crate) patience: Patience,
    /// Heartbeats of all streams fall on whole seconds since this.
    started: Instant,
    /// The heartbeat of one second, as it goes on the wire to everybody who may know of the same missions.
    heartbeat: Mutex<(u64, HashMap<MissionScope, Utf8Bytes>)>,
}

impl App {
    pub(crate) fn new(backend: Arc<dyn Backend>, shutdown: CancellationToken) -> Self {
        let cookie = cookie_name(&backend.server());
        Self {
            backend,
            cookie,
            shutdown,
            catch_ups: Semaphore::new(CATCH_UPS_MAX),
            imports: Arc::new(Semaphore::new(1)),
            rules_read: Arc::new(Semaphore::new(1)),
            patience: PATIENCE,
            started: Instant::now(),
            heartbeat: Mutex::default(),
        }
    }

    /// Ticks when a heartbeat is due, for all streams at the same moments.
    pub(crate) fn heartbeats(&self) -> Interval {
        let next = self.started + HEARTBEAT * (self.second() + 1) as u32;
        let mut heartbeats = interval_at(next, HEARTBEAT);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Skip);
        heartbeats
    }

    /// The heartbeat of this second. Whoever is first makes it.
    pub(crate) fn heartbeat(&self, principal: &Principal) -> Utf8Bytes {
        let second = self.second();
        let mut made = self.heartbeat.lock().unwrap_or_else(PoisonError::into_inner);
        if made.0 != second {
            *made = (second, HashMap::new());
        }
        if let Some(text) = made.1.get(&principal.grant.missions) {
            return text.clone();
        }
        let event = LiveEvent::Heartbeat { at: rfc3339(service::clock::now()), nodes: self.nodes(principal) };
        let text = Utf8Bytes::from(event.to_json());
        made.1.insert(principal.grant.missions.clone(), text.clone());
        text
    }

    /// How nodes stand, as far as a principal may know: the nodes with a link for one of its missions, and of those no
    /// word of another mission. What a node's link to the hub died of is said in words that may name one.
    pub(crate) fn nodes(&self, principal: &Principal) -> Vec<Node> {
        let nodes = self.backend.nodes();
        let scope = &principal.grant.missions;
        if *scope == MissionScope::All {
            return nodes;
        }
        let seen = nodes.into_iter().filter_map(|mut node| {
            let report = node.report.as_mut()?;
            report.links.retain(|link| scope.includes(&link.mission));
            node.problem = None;
            (!report.links.is_empty()).then_some(node)
        });
        seen.collect()
    }

    /// The missions a principal may know of, by name.
    pub(crate) fn missions(&self, principal: &Principal) -> Vec<Arc<LiveMission>> {
        let may_know = |mission: &Arc<LiveMission>| {
            let resource = Resource::Mission(mission.name());
            authorize(principal, Action::ReadTelemetry, resource) == Decision::Allow
        };
        self.backend.missions().into_iter().filter(may_know).collect()
    }

    /// A mission of this server. One the principal may not see and one that is not there are the same answer.
    pub(crate) fn mission(
        &self,
        principal: &Principal,
        name: &str,
    ) -> Result<Arc<LiveMission>, ProblemResponse> {
        let found = self.missions(principal).into_iter().find(|mission| mission.name() == name);
        found.ok_or_else(|| {
            ProblemResponse::unknown_mission(format!("there is no mission {name:?} for you here"))
        })
    }

    fn second(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}

/// Cookies know hosts but no ports: servers on one host need names of their own, or a login at one ends the
/// session at the other.
fn cookie_name(server: &Server) -> String {
    let kind = match server.kind {
        ServerKind::Edge => "edge",
        ServerKind::Hub => "hub",
    };
    let name = data_encoding::HEXLOWER.encode(&hash(&server.name)[..4]);
    format!("sto_session_{kind}_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_on_one_host_have_cookies_of_their_own() {
        let name = |kind, name: &str| {
            cookie_name(&Server {
                kind,
                name: name.to_owned(),
                version: String::new(),
                boot_id: String::new(),
                role: None,
            })
        };
        let names = [
            name(ServerKind::Hub, "hub"),
            name(ServerKind::Edge, "hub"),
            name(ServerKind::Edge, "svalbard"),
            name(ServerKind::Edge, "troll; Path=/"),
        ];
        assert_eq!(names[0], "sto_session_hub_".to_owned() + &sha256_prefix("hub"));
        for (place, name) in names.iter().enumerate() {
            assert!(!names[..place].contains(name), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
        }
    }

    fn sha256_prefix(text: &str) -> String {
        hash(text)[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
