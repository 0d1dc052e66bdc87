//! Where judged records go: into the journal, and as samples to the page.

use std::sync::Arc;
use std::time::Duration;

use intake::queue::Stopped;
use intake::{Packed, Sink};
use processing::Sample;
use service::metric::Metric;
use tokio::sync::mpsc;

use crate::forwarding::Linger;
use crate::journal::JournalHandle;
use crate::view::{View, Viewed};

/// The journal and the page.
pub struct JournalSink {
    /// Where batches go.
    pub journal: JournalHandle,
    /// What shows samples.
    pub view: Arc<View>,
    /// Where decoded samples go to be shown. They may be left out; batches may not.
    pub viewer: mpsc::Sender<Viewed>,
    /// How long a record waits for company when its link is quiet.
    pub linger: Arc<Linger>,
}

impl Sink for JournalSink {
    async fn append(&mut self, packed: Packed) -> Result<(), Stopped> {
        let Packed { body, producers, receipts } = packed;
        self.journal.append(body, producers, receipts).await.map_err(|_| Stopped)
    }

    fn linger(&self) -> Duration {
        self.linger.get()
    }

    fn wants_samples(&self) -> bool {
        // Only the pipeline sends there, so that there will still be room.
        self.view.keeps_up() && self.viewer.capacity() > 0
    }

    /// The page may miss what it is too slow for; the journal misses nothing.
    fn show(&mut self, mission: usize, samples: Vec<Sample>) {
        // First, or they would be taken off before they were added.
        self.view.on_waiting(samples.len());
        // Full it cannot be; without a receiver there is nobody to show anything to.
        let _ = self.viewer.try_send(Viewed { mission, samples });
    }

    fn on_unseen(&mut self, samples: u64) {
        Metric::EdgeDecodeSkippedSamples.add(samples);
    }
}
