//! A new key and certificate for a node that has one, over the session it already holds.

use std::path::Path;

use crate::identity::{Identity, IdentityError, Staged, on_disk};

/// A renewal under way: the new key is on disk, the certificate is still to come.
#[derive(Debug)]
pub struct Renewal {
    staged: Staged,
    current: Identity,
    /// The request, DER: for [`crate::CertificateRequest::from_der`] and [`crate::Authority::issue_node`] at the hub.
    pub csr_der: Vec<u8>,
}

impl Renewal {
    /// Makes a new key beside the one in use; a renewal that was cut off goes on with the key it had.
    pub async fn begin(state_dir: &Path, current: Identity) -> Result<Self, IdentityError> {
        let state_dir = state_dir.to_owned();
        on_disk(move || {
            let staged = Staged::prepare(&state_dir)?;
            let csr_der = staged.csr_der()?;
            Ok(Self { staged, current, csr_der })
        })
        .await
    }

    /// Puts the certificate the hub has sent, and the hub's time, in place of what was there.
    pub async fn finish(self, chain: Vec<Vec<u8>>, hub_time_unix: u64) -> Result<Identity, IdentityError> {
        on_disk(move || {
            let mut node = self.current.node_file();
            node.hub_time_unix = node.hub_time_unix.max(hub_time_unix);
            self.staged.commit(&node, &chain, &self.current.authorities)
        })
        .await
    }
}
