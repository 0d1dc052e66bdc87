//! What a node tells of itself beyond the list of nodes.

use std::collections::BTreeMap;

use dashboard::contract::{ConfigurationState, DocumentKind, NodeDocumentStanding, NodeKnowledge};
use delivery::{HeldDocument, Holds};
use tokio::sync::watch;
use uuid::Uuid;

/// A node that is enrolled.
pub struct Enrolled {
    /// Its identity.
    pub node_id: Uuid,
    /// Documents it holds.
    pub holds: watch::Receiver<Holds>,
}

impl Enrolled {
    /// What is known of it here. Which documents it should hold is known at the hub alone.
    pub(super) fn knowledge(&self) -> NodeKnowledge {
        let holds = self.holds.borrow();
        let of_missions =
            holds.missions.iter().flat_map(|holds| newest(Some(&holds.mission), &holds.documents));
        NodeKnowledge {
            documents: newest(None, &holds.node).into_iter().chain(of_missions).collect(),
            ..NodeKnowledge::default()
        }
    }
}

/// Of each kind the newest.
fn newest(mission: Option<&str>, held: &[HeldDocument]) -> Vec<NodeDocumentStanding> {
    let mut newest: BTreeMap<DocumentKind, u32> = BTreeMap::new();
    for document in held {
        let known = newest.entry(document.kind.into()).or_default();
        *known = (*known).max(document.number);
    }
    let standing = |(kind, number)| NodeDocumentStanding {
        mission: mission.map(str::to_owned),
        kind,
        wanted: None,
        held: Some(number),
        missing: Vec::new(),
        state: ConfigurationState::Unknown,
        since: None,
    };
    newest.into_iter().map(standing).collect()
}

#[cfg(test)]
mod tests {
    use delivery::{DocumentHash, MissionHolds};

    use super::*;

    #[test]
    fn a_node_tells_which_versions_it_holds_and_not_which_it_should() {
        let held = |kind, number| HeldDocument { kind, number, hash: DocumentHash([0; 32]) };
        let dictionary = delivery::DocumentKind::Dictionary;
        let documents = vec![held(dictionary, 2), held(dictionary, 10), held(dictionary, 9)];
        let holds = Holds {
            node: vec![held(delivery::DocumentKind::Trust, 7)],
            missions: vec![MissionHolds { mission: "demo".to_owned(), documents }],
        };
        let enrolled = Enrolled { node_id: Uuid::from_u128(1), holds: watch::channel(holds).1 };
        let known = enrolled.knowledge();
        let told: Vec<_> = known
            .documents
            .iter()
            .map(|row| (row.mission.as_deref(), row.kind, row.held, row.wanted))
            .collect();
        let expected = [
            (None, DocumentKind::Trust, Some(7), None),
            (Some("demo"), DocumentKind::Dictionary, Some(10), None),
        ];
        assert_eq!(told, expected);
        assert!(known.events.is_none(), "events are the hub's");
    }
}
