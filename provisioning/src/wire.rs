//! What is said on `sto-enroll/1`: one request, one answer, on one stream.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::token::{TokenId, TokenSecret};

/// Frame type of [`Request`].
pub(crate) const REQUEST: u8 = 1;
/// Frame type of [`Granted`].
pub(crate) const GRANTED: u8 = 2;
/// Frame type of [`Refused`].
pub(crate) const REFUSED: u8 = 3;

/// Frame type of the hub's X25519 key for bundles, 32 bytes, behind [`Granted`]. A node from before it has left by then.
pub(crate) const BUNDLE_KEY: u8 = 4;
/// A request comes from anyone who finds the port.
pub(crate) const REQUEST_MAX: usize = 8 * 1024;
/// An answer comes from the hub that was recognised by its authority.
pub(crate) const ANSWER_MAX: usize = 64 * 1024;

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Request {
    pub(crate) token_id: TokenId,
    pub(crate) secret: TokenSecret,
    pub(crate) csr_der: Vec<u8>,
    pub(crate) hostname: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Granted {
    pub(crate) node_id: [u8; 16],
    pub(crate) name: String,
    pub(crate) site: String,
    pub(crate) certificate_chain: Vec<Vec<u8>>,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) hub_addresses: Vec<String>,
    pub(crate) hub_time_unix: u64,
}

/// The hub's no, as a node reads it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refused {
    /// Stable, for scripts and search: `STO-…`.
    pub code: String,
    /// For people.
    pub message: String,
    /// Which node, on which host, if the token was used.
    pub used_by: Option<String>,
    /// When, in Unix seconds, if the token was used.
    pub used_at_unix: Option<u64>,
}

pub(crate) fn encode(message: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(message).expect("strings and bytes always encode into memory")
}

/// The message, if the bytes are exactly one.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty()).map(|(message, _)| message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode::<Request>(&bytes);
            let _ = decode::<Granted>(&bytes);
            let _ = decode::<Refused>(&bytes);
        }
    }

    #[test]
    fn something_after_the_message_is_refused() {
        let refused = Refused { code: "c".into(), message: "m".into(), used_by: None, used_at_unix: None };
        let mut bytes = encode(&refused);
        assert_eq!(decode::<Refused>(&bytes), Some(refused));
        bytes.push(0);
        assert_eq!(decode::<Refused>(&bytes), None);
    }
}
