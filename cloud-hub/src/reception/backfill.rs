//! What a session asks its node to send first, and what that says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use delivery::{Frame, StillWaits};
use link::FrameWriter;
use service::logging::chain;
use tracing::warn;
use uuid::Uuid;

use super::session::{SessionEnd, send};
use crate::backfill::OpenRequests;

/// The requests of one session.
pub(super) struct Asking {
    requests: Arc<OpenRequests>,
    node: Uuid,
    /// Told in this session.
    told: BTreeSet<u64>,
    /// What the node said since it was last written down.
    said: BTreeMap<u64, u64>,
}

impl Asking {
    pub(super) fn new(requests: Arc<OpenRequests>, node: Uuid) -> Self {
        Self { requests, node, told: BTreeSet::new(), said: BTreeMap::new() }
    }

    /// The node says how much still waits of something that it was asked for.
    pub(super) fn on_answer(&mut self, waits: StillWaits) -> Result<(), SessionEnd> {
        if !self.told.contains(&waits.request) {
            return Err(SessionEnd::Unexpected);
        }
        self.said.insert(waits.request, waits.batches);
        Ok(())
    }

    /// Writes down what the node said, and asks what it was not asked yet.
    pub(super) async fn review(&mut self, control: &mut FrameWriter) -> Result<(), SessionEnd> {
        if !self.said.is_empty() {
            match self.requests.table().answered(self.node, &self.said).await {
                Ok(()) => self.said.clear(),
                Err(error) => warn!(error = chain(&error), "what a node said of a request is kept for later"),
            }
        }
        for request in self.requests.of(self.node) {
            if self.told.insert(request.request) {
                send(control, &Frame::SendFirst(request)).await?;
            }
        }
        Ok(())
    }
}
