//! What the fleet knows of one node beyond what every dashboard is told every second: documents it holds, its last
//! sessions.

use std::collections::VecDeque;

use delivery::{Holds, SessionNumber};
use space_packet::TaiTime;
use uuid::Uuid;

use super::{Fleet, KnownNode};

/// Sessions that are remembered of a node.
const SESSIONS_MAX: usize = 10;

/// A session of a node, since this hub started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PastSession {
    /// Its number.
    pub number: SessionNumber,
    /// When it began.
    pub since: TaiTime,
    /// When it ended; absent while it stands.
    pub until: Option<TaiTime>,
    /// Why it ended.
    pub reason: Option<String>,
}

/// A node, looked up.
#[derive(Clone, Debug)]
pub struct FleetNode {
    /// Its identity.
    pub id: Uuid,
    /// Missions it may send for; absent: all.
    pub missions: Option<Vec<String>>,
    /// Missions of the links that it reported last.
    pub linked: Vec<String>,
    /// Documents that it said it holds; absent when it has not since this hub started.
    pub holds: Option<Holds>,
    /// Its sessions, newest first.
    pub sessions: Vec<PastSession>,
}

/// The last sessions of a node, newest first.
#[derive(Default)]
pub(super) struct PastSessions(VecDeque<PastSession>);

impl PastSessions {
    pub(super) fn on_begun(&mut self, number: SessionNumber, now: TaiTime) {
        // One that is replaced ends now, whether it knows already or not.
        self.on_ended(None, "a newer session began", now);
        self.0.push_front(PastSession { number, since: now, until: None, reason: None });
        self.0.truncate(SESSIONS_MAX);
    }

    /// Ends the session with a number, or any that stands.
    pub(super) fn on_ended(&mut self, number: Option<SessionNumber>, reason: &str, now: TaiTime) {
        let is_meant = |session: &PastSession| number.is_none_or(|number| number == session.number);
        for session in self.0.iter_mut().filter(|session| session.until.is_none() && is_meant(session)) {
            (session.until, session.reason) = (Some(now), Some(reason.to_owned()));
        }
    }
}

impl Fleet {
    /// A node said which documents it holds.
    pub fn on_holds(&self, node: Uuid, holds: &Holds) {
        if let Some(known) = self.nodes().get_mut(&node) {
            known.holds = Some(holds.clone());
        }
    }

    /// The node that is called so.
    pub fn look_up(&self, name: &str) -> Option<FleetNode> {
        let nodes = self.nodes();
        let (&id, known) = nodes.iter().find(|(_, known)| known.name == name)?;
        let KnownNode { missions, report, holds, sessions, .. } = known;
        let links = report.iter().flat_map(|report| &report.links);
        Some(FleetNode {
            id,
            missions: missions.clone(),
            linked: links.map(|link| link.mission.clone()).collect(),
            holds: holds.clone(),
            sessions: sessions.0.iter().cloned().collect(),
        })
    }

    /// How many nodes may send for a mission.
    pub fn allowed_for(&self, mission: &str) -> usize {
        let may = |known: &&KnownNode| {
            let missions = known.missions.as_ref();
            let named = missions.is_none_or(|missions| missions.iter().any(|known| known == mission));
            named && known.standing == provisioning::Standing::Active
        };
        self.nodes().values().filter(may).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_sessions_are_remembered_and_a_replaced_one_ends_when_the_next_begins() {
        let mut sessions = PastSessions::default();
        for number in 1..=12 {
            sessions.on_begun(SessionNumber(number), TaiTime(number as i64));
        }
        sessions.on_ended(Some(SessionNumber(11)), "late news of an older one", TaiTime(20));
        let numbers: Vec<_> = sessions.0.iter().map(|session| session.number.0).collect();
        assert_eq!(numbers, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
        assert_eq!((sessions.0[0].until, sessions.0[1].until), (None, Some(TaiTime(12))));
        assert_eq!(sessions.0[1].reason.as_deref(), Some("a newer session began"));
        sessions.on_ended(Some(SessionNumber(12)), "the node stopped", TaiTime(21));
        assert_eq!(sessions.0[0].reason.as_deref(), Some("the node stopped"));
    }
}
