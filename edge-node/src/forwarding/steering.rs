//! What operators decide about the backlog: to pause it, to slow it down, which end goes first. It outlasts a restart.

use std::path::{Path, PathBuf};

use delivery::{BacklogPolicy, Order};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::warn;

const FILE: &str = "forwarding.json";

/// A decision, as it is kept and as commands say it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decision {
    /// The backlog waits; alarms and live data go on.
    pub is_paused: bool,
    /// Bits a second it may take.
    pub limit_bits_per_s: Option<u64>,
    /// What was received last goes first.
    pub is_newest_first: bool,
}

impl Decision {
    fn policy(self) -> BacklogPolicy {
        BacklogPolicy {
            is_paused: self.is_paused,
            limit_bytes_per_s: self.limit_bits_per_s.map(|bits| (bits / 8).max(1)),
            order: if self.is_newest_first { Order::NewestFirst } else { Order::OldestFirst },
        }
    }
}

/// Where decisions are made, kept and heard of.
pub struct Steering {
    file: PathBuf,
    decision: watch::Sender<Decision>,
}

impl Steering {
    /// Reads what was decided before. A file that cannot be read decides nothing.
    pub fn open(data: &Path) -> Self {
        let file = data.join(FILE);
        let decision = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                warn!(file = %file.display(), %error, "what was decided about the backlog cannot be read, it goes at once");
                Decision::default()
            }),
            Err(_) => Decision::default(),
        };
        Self { file, decision: watch::Sender::new(decision) }
    }

    /// What counts now.
    pub fn decision(&self) -> Decision {
        *self.decision.borrow()
    }

    /// Decides; in force at once, and after a restart.
    pub fn decide(&self, decision: Decision) -> std::io::Result<()> {
        let unfinished = self.file.with_extension("json.unfinished");
        std::fs::write(&unfinished, serde_json::to_vec_pretty(&decision)?)?;
        std::fs::rename(unfinished, &self.file)?;
        self.decision.send_replace(decision);
        Ok(())
    }

    pub(super) fn policies(&self) -> Policies {
        Policies(self.decision.subscribe())
    }
}

/// Hears of decisions.
pub(super) struct Policies(watch::Receiver<Decision>);

impl Policies {
    /// What counts now.
    pub(super) fn current(&mut self) -> BacklogPolicy {
        self.0.borrow_and_update().policy()
    }

    /// Waits for another decision.
    pub(super) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_outlasts_a_restart_and_a_broken_file_decides_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let steering = Steering::open(directory.path());
        assert_eq!(steering.decision(), Decision::default());
        let decision = Decision { is_paused: true, limit_bits_per_s: Some(256_000), is_newest_first: true };
        let mut policies = steering.policies();
        steering.decide(decision).expect("written");
        assert_eq!(policies.current().limit_bytes_per_s, Some(32_000));
        assert_eq!(Steering::open(directory.path()).decision(), decision);
        std::fs::write(directory.path().join(FILE), "{").expect("written");
        assert_eq!(Steering::open(directory.path()).decision(), Decision::default());
    }
}
