//! Handing a request's records to the pipeline, and waiting until they are durable.

use std::sync::Arc;
use std::time::Duration;

use space_packet::ReceptionTime;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::HttpLink;
use super::cause::{Cause, Refusal};
use super::idempotency::RequestKey;
use crate::{Producer, Records, Refused, RequestPart, Submission, Wording};

/// How long a request waits for room in its link's queue before its producer is told to come again.
const ROOM_WAIT: Duration = Duration::from_secs(2);
const ROOM_POLL: Duration = Duration::from_millis(20);
/// When a producer may try again that found no room.
const RETRY_FULL: Duration = Duration::from_secs(2);
/// What a link that ends gives its last records to become durable.
pub(super) const STOP_WAIT: Duration = Duration::from_secs(5);

/// Records of a request that are durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    /// How many.
    pub accepted: u64,
    /// Of them, how many are in quarantine; not known of what an earlier run of the program took.
    pub quarantined: Option<u64>,
}

/// How taking a request ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// All of it is durable.
    Durable(Taken),
    /// There is no room: nothing of it was taken.
    Refused(Refused),
    /// The program or the link stops: how much is durable is not known.
    Stopped,
}

impl Outcome {
    /// What the producer is told when not all is durable.
    pub fn taken(self, wording: &Wording) -> Result<Taken, Refusal> {
        let owner = wording.owner;
        match self {
            Self::Durable(taken) => Ok(taken),
            Self::Refused(Refused::Away) => {
                let message = format!("{}; nothing was taken", wording.slow.1);
                Err(Refusal::later(wording.slow.0, RETRY_FULL, message))
            }
            Self::Refused(Refused::Full) => {
                let message = format!("{}; nothing was taken", wording.full);
                Err(Refusal::later(Cause::QueueFull, RETRY_FULL, message))
            }
            Self::Refused(Refused::Rate { retry_after }) => Err(Refusal::later(
                Cause::RateCap,
                retry_after,
                "the link brings more records a second than `rate_max_per_s` allows; nothing was taken",
            )),
            Self::Refused(Refused::Stopped) => {
                let message = format!("{owner} is stopping; nothing was taken");
                Err(Refusal::later(Cause::Stopping, RETRY_FULL, message))
            }
            Self::Stopped => {
                let message = format!(
                    "{owner} is stopping: the records may or may not be durable; repeat with the same Idempotency-Key"
                );
                Err(Refusal::later(Cause::Stopping, RETRY_FULL, message))
            }
        }
    }
}

/// What is to be taken.
pub(super) struct Taking {
    /// The records, in order.
    pub(super) pieces: Vec<Records>,
    /// The request's key, if it has one.
    pub(super) key: Option<RequestKey>,
    /// Records of the request before these, durable already.
    pub(super) skipped: u32,
}

impl Taking {
    /// Hands everything over and waits until it is durable. Once the first piece is in, the rest waits for its room:
    /// a request is taken as a whole, also when its link closes meanwhile.
    pub(super) async fn run(self, link: &HttpLink) -> Outcome {
        let reception = ReceptionTime(service::clock::now());
        let producer = Arc::new(Producer::default());
        let (mut handed, mut before) = (0_u64, self.skipped);
        for (place, records) in self.pieces.into_iter().enumerate() {
            let count = records.count();
            let request = self.key.map(|key| RequestPart { key, records_before: before });
            let producer = Some(Arc::clone(&producer));
            let submission = Submission { reception, records, producer, request };
            if place == 0 {
                if let Err(refused) = first(link, submission).await {
                    return Outcome::Refused(refused);
                }
            } else if link.link.submit(submission).await.is_err() {
                return Outcome::Stopped;
            }
            handed += count as u64;
            before += count as u32;
        }
        durable(&producer, handed).await;
        let accepted = handed + u64::from(self.skipped);
        Outcome::Durable(Taken { accepted, quarantined: Some(producer.quarantined()) })
    }
}

/// Waits until so many of a producer's records are durable.
async fn durable(producer: &Producer, records: u64) {
    while producer.durable.packets() < records {
        producer.durable.changed().await;
    }
}

/// What comes of something, unless the link stops and it takes long.
pub(super) async fn unless_stopped<T>(
    stop: &CancellationToken,
    wanted: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        value = wanted => Some(value),
        () = async { stop.cancelled().await; sleep(STOP_WAIT).await } => None,
    }
}

/// The first piece of a request is taken if there is room soon.
async fn first(link: &HttpLink, submission: Submission) -> Result<(), Refused> {
    let due = Instant::now() + ROOM_WAIT;
    loop {
        let again = Submission {
            reception: submission.reception,
            records: submission.records.clone(),
            producer: submission.producer.clone(),
            request: submission.request,
        };
        let tried =
            if link.context.owner.is_away() { Err(Refused::Away) } else { link.link.try_submit(again) };
        let wait = match tried {
            Ok(()) => return Ok(()),
            Err(Refused::Stopped) => return Err(Refused::Stopped),
            Err(Refused::Away | Refused::Full) if Instant::now() < due => ROOM_POLL,
            Err(Refused::Rate { retry_after }) if Instant::now() + retry_after < due => retry_after,
            Err(refused) => return Err(refused),
        };
        sleep(wait).await;
    }
}
