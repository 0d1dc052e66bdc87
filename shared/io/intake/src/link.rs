//! A link as its door sees it: where to hand over what was received, and where to count.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{FairQueues, LinkQueue, NotTaken, Stopped};
use super::rate::RateCap;
use super::{LinkStatistics, Submission};

/// What the pipeline must know of a link.
#[derive(Debug)]
pub struct LinkContext {
    /// Its configuration and counts.
    pub statistics: Arc<LinkStatistics>,
    /// Index of its mission.
    pub mission: usize,
}

/// All links' queues.
pub type Queues = FairQueues<LinkContext, Submission>;

/// Why a submission was not taken. Nothing of it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Nothing can become durable at the moment.
    #[error("nothing can become durable at the moment")]
    Away,
    /// The link's queue is full: what makes records durable is slow, or takes nothing at the moment.
    #[error("the link's queue is full")]
    Full,
    /// The link brings more than it may.
    #[error("the link's rate cap is reached")]
    Rate {
        /// When to come again.
        retry_after: Duration,
    },
    /// Intake stops.
    #[error("intake is stopping")]
    Stopped,
}

/// A link's end of the pipeline. Its door owns it; the link ends with it.
pub struct Link {
    context: Arc<LinkContext>,
    queue: LinkQueue<LinkContext, Submission>,
    rate: Option<RateCap>,
}

impl Link {
    /// Opens a link of a mission.
    pub fn open(queues: &Arc<Queues>, statistics: Arc<LinkStatistics>, mission: usize) -> Self {
        let cap = statistics.config.rate_max_per_s;
        let rate = cap.map(|per_second| RateCap::new(per_second, Instant::now()));
        let context = Arc::new(LinkContext { statistics, mission });
        Self { queue: queues.open(Arc::clone(&context)), context, rate }
    }

    /// Its configuration and counts.
    pub fn statistics(&self) -> &Arc<LinkStatistics> {
        &self.context.statistics
    }

    /// Index of its mission.
    pub fn mission(&self) -> usize {
        self.context.mission
    }

    /// Hands over what was received; waits while the link brings more than it may or than can become durable.
    pub async fn submit(&self, submission: Submission) -> Result<(), Stopped> {
        let (records, bytes) = (submission.records.count(), submission.records.bytes());
        if records == 0 {
            return Ok(());
        }
        if let Some(rate) = &self.rate {
            while let Err(wait) = rate.take(records, Instant::now()) {
                tokio::time::sleep(wait).await;
            }
        }
        if !submission.records.is_unframed() {
            let received = submission.records.received_bytes();
            self.context.statistics.on_taken(records, received, submission.reception);
        }
        self.queue.send(submission, bytes).await
    }

    /// Hands over what was received if there is room at once, for producers that can be told to come again.
    pub fn try_submit(&self, submission: Submission) -> Result<(), Refused> {
        let (records, bytes) = (submission.records.count(), submission.records.bytes());
        if records == 0 {
            return Ok(());
        }
        if let Some(rate) = &self.rate {
            rate.take(records, Instant::now()).map_err(|retry_after| Refused::Rate { retry_after })?;
        }
        let (reception, is_unframed) = (submission.reception, submission.records.is_unframed());
        let received = submission.records.received_bytes();
        match self.queue.try_send(submission, bytes) {
            Ok(()) => {
                if !is_unframed {
                    self.context.statistics.on_taken(records, received, reception);
                }
                Ok(())
            }
            Err(NotTaken::Full) => {
                if let Some(rate) = &self.rate {
                    rate.give_back(records);
                }
                Err(Refused::Full)
            }
            Err(NotTaken::Stopped) => Err(Refused::Stopped),
        }
    }
}
