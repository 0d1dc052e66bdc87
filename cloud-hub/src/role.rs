//! Whether this hub leads or follows, for those who are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashboard::contract::ServerRole;

/// A hub's role: a follower's at first, and once it leads it does so until its end. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct HubRole {
    leads: Arc<AtomicBool>,
}

impl HubRole {
    /// The hub leads from now on.
    pub fn lead(&self) {
        self.leads.store(true, Ordering::Release);
    }

    /// Whether it leads.
    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Acquire)
    }

    /// As the API says it.
    pub fn described(&self) -> ServerRole {
        if self.leads() { ServerRole::Leader } else { ServerRole::Follower }
    }
}
