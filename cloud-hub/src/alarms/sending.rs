//! Sends messages that wait: to each contact one after the other, to several at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use notify::{Address, Attempt, Notification, Notifier, retry_after};
use processing::alarm::StepId;
use service::metric::Metric;
use space_packet::TaiTime;
use tokio::task::{Id, JoinSet};
use tracing::{info, warn};

use crate::archive::{ArchiveError, NoticeTable, Outcome, ReadyNotice};

/// Attempts under way.
const SENDING_MAX: usize = 32;
/// Attempts under way on one channel, the mail server being one: a dead one must not hold up the others.
const CHANNEL_MAX: usize = 4;
/// When a hub ended in the last attempt there is.
const LAST_WAIT: Duration = Duration::from_secs(3_600);

/// Attempts that are under way, and those whose result is not in the database yet.
pub(super) struct Sender {
    table: NoticeTable,
    notifier: Arc<Notifier>,
    sending: JoinSet<Attempt>,
    claimed: HashMap<Id, ReadyNotice>,
    /// What became of attempts; absent where that is not known.
    ended: Vec<(ReadyNotice, Option<Attempt>)>,
}

/// When a message is tried again, and how long it waits for that, is spread by its id.
fn seed(id: StepId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

pub(super) fn after(now: TaiTime, wait: Duration) -> TaiTime {
    now.plus_nanos(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX))
}

/// What an attempt comes to, of a message that was tried so often, and what is written down of it.
pub(super) fn outcome(attempt: &Attempt, attempts: u32, id: StepId, now: TaiTime) -> (Outcome, String) {
    match attempt {
        Attempt::Delivered { said } => (Outcome::Delivered, said.clone()),
        Attempt::Refused(failure) => (Outcome::GivenUp, failure.to_string()),
        Attempt::TryAgain { failure, .. } => {
            let next = attempt.next(attempts, seed(id)).map(|wait| Outcome::Later(after(now, wait)));
            (next.unwrap_or(Outcome::GivenUp), failure.to_string())
        }
    }
}

impl Sender {
    pub(super) fn new(table: NoticeTable, notifier: Arc<Notifier>) -> Self {
        let (sending, claimed, ended) = (JoinSet::new(), HashMap::new(), Vec::new());
        Self { table, notifier, sending, claimed, ended }
    }

    pub(super) fn is_sending(&self) -> bool {
        !self.sending.is_empty()
    }

    /// Starts attempts whose time has come, as far as there is room.
    pub(super) async fn start(&mut self, now: TaiTime) -> Result<(), ArchiveError> {
        for notice in self.table.ready(now).await? {
            let is_free = |notice: &ReadyNotice| {
                let under_way = || self.claimed.values().chain(self.ended.iter().map(|(claimed, _)| claimed));
                let same_contact = |other: &ReadyNotice| {
                    (&other.mission, &other.contact) == (&notice.mission, &notice.contact)
                };
                let channel = under_way().filter(|other| is_same_channel(&other.address, &notice.address));
                !under_way().any(same_contact) && channel.count() < CHANNEL_MAX
            };
            if self.claimed.len() >= SENDING_MAX {
                break;
            }
            if is_free(&notice) {
                self.attempt(notice, now).await?;
            }
        }
        Ok(())
    }

    async fn attempt(&mut self, mut notice: ReadyNotice, now: TaiTime) -> Result<(), ArchiveError> {
        let wait = retry_after(notice.attempts + 1, seed(notice.id)).unwrap_or(LAST_WAIT);
        let Some(message) = self.table.claim(&notice, now, after(now, wait)).await? else { return Ok(()) };
        notice.attempts += 1;
        let notification: Notification = match serde_json::from_str(&message) {
            Ok(notification) => notification,
            Err(error) => {
                let said = format!("another version of the hub wrote this message: {error}");
                return self.table.finish(notice.id, &Outcome::GivenUp, &said, now).await;
            }
        };
        let (notifier, address) = (Arc::clone(&self.notifier), notice.address.clone());
        let task = self.sending.spawn(async move { notifier.send(&address, &notification, now).await });
        self.claimed.insert(task.id(), notice);
        Ok(())
    }

    /// Waits until an attempt has ended; for ever when none is under way. May be dropped half-way.
    pub(super) async fn ended(&mut self) {
        let (id, attempt) = match self.sending.join_next_with_id().await {
            None => return std::future::pending().await,
            Some(Ok((id, attempt))) => (id, Some(attempt)),
            Some(Err(error)) => (error.id(), None),
        };
        let claimed = self.claimed.remove(&id);
        self.ended.extend(claimed.map(|claimed| (claimed, attempt)));
    }

    /// Writes down what became of attempts. What cannot be written now is written with the next call.
    pub(super) async fn write(&mut self, now: TaiTime) -> Result<(), ArchiveError> {
        while let Some((notice, attempt)) = self.ended.first() {
            let (outcome, said) = match attempt {
                Some(attempt) => outcome(attempt, notice.attempts, notice.id, now),
                None => unknown(notice, now),
            };
            self.table.finish(notice.id, &outcome, &said, now).await?;
            let ReadyNotice { mission, contact, attempts, .. } = notice;
            match outcome {
                Outcome::Delivered => {
                    Metric::HubNoticesDelivered.add(1);
                    info!(mission, contact, attempts, "message about an alarm was delivered");
                }
                Outcome::GivenUp => {
                    Metric::HubNoticesFailed.add(1);
                    warn!(mission, contact, attempts, said, "message about an alarm was given up");
                }
                Outcome::Later(_) => {
                    info!(mission, contact, attempts, said, "message about an alarm is tried again");
                }
            }
            self.ended.remove(0);
        }
        Ok(())
    }
}

/// Of an attempt that ended by a fault of ours.
fn unknown(notice: &ReadyNotice, now: TaiTime) -> (Outcome, String) {
    let next = retry_after(notice.attempts, seed(notice.id)).map(|wait| Outcome::Later(after(now, wait)));
    let said = "the attempt ended unexpectedly; report this with the hub's log".to_owned();
    (next.unwrap_or(Outcome::GivenUp), said)
}

fn is_same_channel(one: &Address, other: &Address) -> bool {
    match (one, other) {
        (Address::Email(_), Address::Email(_)) => true,
        (one, other) => one == other,
    }
}
