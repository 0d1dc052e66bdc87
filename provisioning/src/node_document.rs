//! Documents about a node: the authorities it trusts, and the hubs it may turn to.

use serde::{Deserialize, Serialize};

use crate::signature::{Authorities, AuthoritiesError};
use crate::text::is_label;
use crate::token::is_address;

/// Hubs of one fleet.
const HUBS_MAX: usize = 16;
const NAME_MAX: usize = 64;

/// A hub that nodes may turn to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HubEndpointName {
    /// What people call it.
    pub name: String,
    /// `host:port`.
    pub address: String,
}

/// The hubs nodes may turn to; each has its own order among them. Never empty.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HubList {
    /// The hubs.
    pub hubs: Vec<HubEndpointName>,
}

/// Why a list of hubs is of no use.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HubListError {
    /// An address is no `host:port`, or is there twice.
    #[error("{address:?} is not host:port, or is named twice")]
    Address {
        /// The address.
        address: String,
    },
    /// None, or too many.
    #[error("it names {found} hubs; 1 to {HUBS_MAX} are taken")]
    Count {
        /// How many.
        found: usize,
    },
    /// A name is empty, too long or unprintable.
    #[error("{name:?} is not a hub's name: 1 to {NAME_MAX} printable bytes")]
    Name {
        /// The name.
        name: String,
    },
    /// The text is not of the form.
    #[error("it is not a list of hubs in JSON")]
    Unreadable,
}

impl HubList {
    /// Reads `HOST:PORT` or `NAME=HOST:PORT` of each hub; without a name the host is its name.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, HubListError> {
        let hub = |argument: &String| {
            let (name, address) = match argument.split_once('=') {
                Some((name, address)) => (name, address),
                None => (argument.rsplit_once(':').map_or("", |(host, _)| host), argument.as_str()),
            };
            HubEndpointName { name: name.to_owned(), address: address.to_owned() }
        };
        Self { hubs: arguments.iter().map(hub).collect() }.checked()
    }

    /// Reads a document's text.
    pub fn from_text(text: &str) -> Result<Self, HubListError> {
        serde_json::from_str::<Self>(text).map_err(|_| HubListError::Unreadable)?.checked()
    }

    /// A document's text.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts always become JSON")
    }

    fn checked(self) -> Result<Self, HubListError> {
        let found = self.hubs.len();
        if found == 0 || found > HUBS_MAX {
            return Err(HubListError::Count { found });
        }
        for (index, HubEndpointName { name, address }) in self.hubs.iter().enumerate() {
            if !is_address(address) || self.hubs[..index].iter().any(|other| other.address == *address) {
                return Err(HubListError::Address { address: address.clone() });
            }
            if !is_label(name, NAME_MAX) {
                return Err(HubListError::Name { name: name.clone() });
            }
        }
        Ok(self)
    }
}

/// Why a list of authorities does not take the place of the one in force.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TrustChangeError {
    /// It is no list.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// Whoever signed it would be trusted no more, and with it perhaps the only hub that can be reached.
    #[error("it leaves out the authority that signed it, so nobody could take it back")]
    LeavesOutSigner,
}

/// The authorities that a document of kind trust puts in place of those in force. Its signature is verified
/// already, with those in force. An authority only leaves by the word of another one that stays.
pub fn changed_trust(text: &str, signer_spki_sha256: [u8; 32]) -> Result<Authorities, TrustChangeError> {
    let next = Authorities::from_pem(text)?;
    if next.contains(signer_spki_sha256) { Ok(next) } else { Err(TrustChangeError::LeavesOutSigner) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Authority;

    fn list(arguments: &[&str]) -> Result<HubList, HubListError> {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        HubList::from_arguments(&arguments)
    }

    #[test]
    fn hubs_have_the_name_that_was_given_or_their_hosts() {
        let hubs = list(&["north=hub-n.example:7443", "hub-s.example:7443", "[2001:db8::1]:7443"]).unwrap();
        let names: Vec<_> = hubs.hubs.iter().map(|hub| hub.name.as_str()).collect();
        assert_eq!(names, ["north", "hub-s.example", "[2001:db8::1]"]);
        assert_eq!(hubs.hubs[0].address, "hub-n.example:7443");
        assert_eq!(HubList::from_text(&hubs.to_text()), Ok(hubs));
    }

    #[test]
    fn a_list_that_nobody_could_use_is_refused() {
        assert_eq!(list(&[]), Err(HubListError::Count { found: 0 }));
        let many: Vec<String> = (1..=17).map(|port| format!("hub:{port}")).collect();
        assert_eq!(HubList::from_arguments(&many), Err(HubListError::Count { found: 17 }));
        for address in ["hub", "hub:0", "hub:70000", "h ub:1"] {
            let refused = list(&[&format!("n={address}")]);
            assert_eq!(refused, Err(HubListError::Address { address: address.to_owned() }));
        }
        assert!(matches!(list(&["a=hub:1", "b=hub:1"]), Err(HubListError::Address { .. })));
        assert!(matches!(list(&["=hub:1"]), Err(HubListError::Name { .. })));
        for text in ["", "{}", r#"{"hubs":[{"name":"a","address":"a:1","more":1}]}"#] {
            assert_eq!(HubList::from_text(text), Err(HubListError::Unreadable), "{text}");
        }
    }

    #[test]
    fn an_authority_leaves_only_by_the_word_of_one_that_stays() {
        let home = tempfile::tempdir().unwrap();
        let make = |name: &str| Authority::open_or_create(&home.path().join(name), 1_795_000_000).unwrap();
        let (old, new) = (make("old"), make("new"));
        let pem = |all: &[&Authority]| {
            let all: Vec<_> = all.iter().map(|authority| authority.certificate_der().to_vec()).collect();
            Authorities::from_der(&all).unwrap().to_pem()
        };
        let both = changed_trust(&pem(&[&old, &new]), old.spki_sha256()).unwrap();
        assert_eq!(both.ids(), [old.authority_id(), new.authority_id()]);
        let refused = changed_trust(&pem(&[&new]), old.spki_sha256());
        assert_eq!(refused, Err(TrustChangeError::LeavesOutSigner));
        assert_eq!(changed_trust(&pem(&[&new]), new.spki_sha256()).unwrap().ids(), [new.authority_id()]);
        let unreadable = Err(TrustChangeError::Authorities(AuthoritiesError::Unreadable));
        assert_eq!(changed_trust("", old.spki_sha256()), unreadable);
    }
}
