//! What the hub has of a node's logs, signed: the one thing that lets a node forget what it carried by hand.

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use super::{BundleError, CryptoRefused, Signer, VERSION, Verifier, envelope, signed};
use crate::{ChainHash, Epoch, Lane, NodeId, StoreId};

/// Longest file of a receipt.
pub const RECEIPT_BYTES_MAX: usize = 64 << 10;
/// Most logs of a receipt, newest epochs first.
pub const RECEIPT_LOGS_MAX: usize = 256;
const MAGIC: [u8; 8] = *b"STORECPT";
const CONTEXT: &[u8] = b"sto-receipt-1";

/// What the hub has committed of a node's logs at a time.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HubReceipt {
    /// Of the format.
    pub version: u8,
    /// SHA-256 of the public key of the authority that signed it.
    pub authority: [u8; 32],
    /// For whom.
    pub node: NodeId,
    /// The hub's clock. Of two receipts the later one counts.
    pub created: TaiTime,
    /// The X25519 key that bundles for this hub are sealed for.
    pub hub_key: [u8; 32],
    /// Newest epochs first, at most [`RECEIPT_LOGS_MAX`].
    pub logs: Vec<ReceiptLog>,
}

/// What is committed of a log.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ReceiptLog {
    /// Which journal.
    pub store: StoreId,
    /// Its lane.
    pub lane: Lane,
    /// Its epoch.
    pub epoch: Epoch,
    /// Everything up to here is committed; 0 when nothing is.
    pub watermark: u64,
    /// The node may forget up to here.
    pub safe: u64,
    /// The chain at the watermark.
    pub hash: ChainHash,
}

impl HubReceipt {
    /// Version written here.
    pub const VERSION: u8 = VERSION;

    /// The file.
    pub fn seal(&self, hub: &impl Signer) -> Result<Vec<u8>, CryptoRefused> {
        let body = postcard::to_stdvec(self).expect("numbers and hashes always encode");
        let signature = hub.sign(&signed(CONTEXT, &body))?;
        Ok(envelope::wrap(MAGIC, &body, &signature))
    }
}

/// A receipt whose signature nobody has looked at yet.
#[derive(Clone, Debug)]
pub struct UncheckedReceipt {
    receipt: HubReceipt,
    body: Vec<u8>,
    signature: Vec<u8>,
}

impl UncheckedReceipt {
    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > RECEIPT_BYTES_MAX || !bytes.starts_with(&MAGIC) {
            return Err(BundleError::Foreign);
        }
        let found = envelope::unwrap(MAGIC, bytes)
            .ok_or(BundleError::Damaged { what: "its check sum does not fit its bytes" })?;
        match found.body.first() {
            Some(&VERSION) => {}
            Some(&found) => return Err(BundleError::Version { found }),
            None => return Err(BundleError::Malformed { what: "it is empty" }),
        }
        let receipt: HubReceipt = postcard::from_bytes(found.body)
            .map_err(|_| BundleError::Malformed { what: "it cannot be read" })?;
        let fits = |log: &ReceiptLog| log.safe <= log.watermark;
        if receipt.logs.len() > RECEIPT_LOGS_MAX || !receipt.logs.iter().all(fits) {
            return Err(BundleError::Malformed { what: "a field of it is out of range" });
        }
        Ok(Self { receipt, body: found.body.to_vec(), signature: found.signature.to_vec() })
    }

    /// What it says, which is not to be believed yet.
    pub fn receipt(&self) -> &HubReceipt {
        &self.receipt
    }

    /// Holds it against the authority's signature.
    pub fn verify(self, authority: &impl Verifier) -> Result<HubReceipt, BundleError> {
        if authority.verifies(&signed(CONTEXT, &self.body), &self.signature) {
            Ok(self.receipt)
        } else {
            Err(BundleError::Altered { what: "it is not what the hub signed" })
        }
    }
}
