//! Who may come in: asked for every accepted connection, resumed or not, and again while it lasts.

use std::collections::{HashMap, HashSet};

use link::NodeCertificate;
use uuid::Uuid;

/// How a node stands with the hub.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// May forward.
    Active,
    /// May not any more.
    Revoked,
}

/// Why a node with a genuine certificate is not let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAllowed {
    /// The certificate ran out, perhaps since the connection began.
    #[error("the node's certificate has expired")]
    Expired,
    /// Another authority's trust domain.
    #[error("the node belongs to another authority")]
    ForeignAuthority,
    /// Somebody revoked the node.
    #[error("the node was revoked")]
    Revoked,
    /// The hub has no such node.
    #[error("the hub does not know this node")]
    Unknown,
}

impl NotAllowed {
    /// The stable code nodes show.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "STO-CERTIFICATE-EXPIRED",
            Self::ForeignAuthority => "STO-NODE-FOREIGN",
            Self::Revoked => "STO-NODE-REVOKED",
            Self::Unknown => "STO-NODE-UNKNOWN",
        }
    }

    /// What a hub closes the connection with.
    pub fn close_code(self) -> u32 {
        match self {
            Self::Expired => 0x20,
            Self::ForeignAuthority => 0x21,
            Self::Revoked => 0x22,
            Self::Unknown => 0x23,
        }
    }

    /// What a node reads out of a connection closed with [`close_code`](Self::close_code).
    pub fn from_close_code(code: u64) -> Option<Self> {
        [Self::Expired, Self::ForeignAuthority, Self::Revoked, Self::Unknown]
            .into_iter()
            .find(|reason| u64::from(reason.close_code()) == code)
    }
}

/// A picture of the hub's nodes at one moment; the database is the truth, and the hub replaces this whenever it changes.
#[derive(Clone, Debug)]
pub struct AllowList {
    authority_ids: Vec<String>,
    nodes: HashMap<Uuid, Standing>,
    superseded: HashSet<Vec<u8>>,
}

impl AllowList {
    /// The nodes, the ids of the authorities whose certificates count, and the serial numbers of certificates whose
    /// machine was replaced by another.
    pub fn new(
        authority_ids: Vec<String>,
        nodes: HashMap<Uuid, Standing>,
        superseded: HashSet<Vec<u8>>,
    ) -> Self {
        Self { authority_ids, nodes, superseded }
    }

    /// Whether the certificate is of a machine that was replaced by another.
    pub fn is_superseded(&self, peer: &NodeCertificate) -> bool {
        self.nodes.get(&peer.node_id) == Some(&Standing::Active) && self.superseded.contains(&peer.serial)
    }

    /// Whether the node may come in, or stay.
    pub fn judge(&self, peer: &NodeCertificate, now_unix: u64) -> Result<(), NotAllowed> {
        if !self.authority_ids.contains(&peer.authority_id) {
            return Err(NotAllowed::ForeignAuthority);
        }
        match self.nodes.get(&peer.node_id) {
            None => Err(NotAllowed::Unknown),
            // The node goes on under a key of its own; this is the machine it was moved from.
            Some(Standing::Active) if self.superseded.contains(&peer.serial) => Err(NotAllowed::Revoked),
            Some(Standing::Revoked) => Err(NotAllowed::Revoked),
            // TLS has checked it once; a session may outlive its certificate.
            Some(Standing::Active) if now_unix > peer.not_after => Err(NotAllowed::Expired),
            Some(Standing::Active) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_node_of_a_trusted_authority_with_a_valid_certificate_may_come_in() {
        let (active, revoked) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let list = AllowList::new(
            vec!["sto-a".to_owned(), "sto-next".to_owned()],
            HashMap::from([(active, Standing::Active), (revoked, Standing::Revoked)]),
            HashSet::from([vec![9]]),
        );
        let judge_serial = |authority_id: &str, node_id, now, serial| {
            let peer = NodeCertificate {
                node_id,
                authority_id: authority_id.to_owned(),
                not_before: 0,
                not_after: 100,
                serial: vec![serial],
            };
            list.judge(&peer, now)
        };
        let judge = |authority_id, node_id, now| judge_serial(authority_id, node_id, now, 1);
        assert_eq!(judge_serial("sto-a", active, 100, 9), Err(NotAllowed::Revoked));
        assert_eq!(judge("sto-a", active, 100), Ok(()));
        assert_eq!(judge("sto-next", active, 100), Ok(()));
        assert_eq!(judge("sto-a", active, 101), Err(NotAllowed::Expired));
        assert_eq!(judge("sto-a", revoked, 100), Err(NotAllowed::Revoked));
        assert_eq!(judge("sto-a", Uuid::from_u128(3), 100), Err(NotAllowed::Unknown));
        assert_eq!(judge("sto-b", active, 100), Err(NotAllowed::ForeignAuthority));
    }

    #[test]
    fn every_reason_is_recognised_by_its_close_code() {
        for reason in
            [NotAllowed::Expired, NotAllowed::ForeignAuthority, NotAllowed::Revoked, NotAllowed::Unknown]
        {
            assert_eq!(NotAllowed::from_close_code(u64::from(reason.close_code())), Some(reason));
        }
        assert_eq!(NotAllowed::from_close_code(0), None);
    }
}
