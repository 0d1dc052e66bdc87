//! What people ask of messages: what was sent to whom, and whether messages arrive.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dashboard::ProblemResponse;
use dashboard::alarms::AlarmBook;
use dashboard::contract::AlarmDelivery;
use dashboard::records::{Page, Slice};
use notify::{Address, Notifier};
use processing::alarm::{AlarmId, DueStep, StepId};
use tokio::time::timeout;
use uuid::Uuid;

use super::not_answered;
use super::sending::outcome;
use super::told::{message, test};
use crate::archive::{ArchiveError, Database, NoticeTable, Outcome, RATE_MAX, leader};

/// How long somebody waits for what comes of a test; mail servers take longer at times, and then it is in the list.
const TEST_WAIT: Duration = Duration::from_secs(20);

/// Messages of all missions, as a hub is asked for them.
pub(super) struct Deliveries {
    database: Database,
    table: NoticeTable,
    /// Once this hub leads.
    sending: OnceLock<Sending>,
}

/// What the hub that leads sends with.
#[derive(Clone)]
struct Sending {
    table: NoticeTable,
    notifier: Arc<Notifier>,
}

impl Deliveries {
    pub(super) fn new(database: Database) -> Self {
        let table = NoticeTable::new(database.clone());
        Self { database, table, sending: OnceLock::new() }
    }

    /// This hub leads from now on; it does so until its end.
    pub(super) fn lead(&self, table: NoticeTable, notifier: Arc<Notifier>) {
        self.sending.get_or_init(|| Sending { table, notifier });
    }

    pub(super) async fn page(
        &self,
        mission: &str,
        alarm: Option<AlarmId>,
        slice: &Slice,
    ) -> Result<Page<AlarmDelivery>, ProblemResponse> {
        self.table.page(mission, alarm, slice).await.map_err(|error| not_answered(&error))
    }

    /// Sends a test at once and waits for what comes of it.
    pub(super) async fn send_test(
        &self,
        book: &AlarmBook,
        contact: &str,
    ) -> Result<AlarmDelivery, ProblemResponse> {
        let Some(sending) = self.sending.get().cloned() else { return Err(self.elsewhere().await) };
        let (mission, rules) = (book.mission().to_owned(), book.rules());
        let address = rules.escalation.contacts.get(contact).cloned().ok_or_else(|| {
            ProblemResponse::alarm_contact(format!(
                "the alarm rules in force have no contact {contact:?}; nothing was sent"
            ))
        })?;
        let now = service::clock::now();
        let told_enough = sending.table.is_told_enough(&mission, contact, now).await;
        if told_enough.map_err(|error| not_answered(&error))? {
            let detail = format!("{contact} was sent {RATE_MAX} messages within a minute; try again in one");
            return Err(ProblemResponse::slow_down(detail));
        }
        let id = StepId(*Uuid::new_v4().as_bytes());
        let step = DueStep {
            id,
            ladder: String::new(),
            step: 0,
            round: 0,
            due: now,
            contact: contact.to_owned(),
            address,
        };
        // It goes on when whoever waits for it goes away.
        let sent = tokio::spawn({
            let mission = mission.clone();
            async move { sending.send(&mission, &step).await }
        });
        match timeout(TEST_WAIT, sent).await {
            Ok(Ok(sent)) => sent.map_err(|error| not_answered(&error))?,
            Ok(Err(_)) => return Err(ProblemResponse::internal("the test ended unexpectedly; report this")),
            Err(_) => {}
        }
        let found = self.table.one(&mission, id).await.map_err(|error| not_answered(&error))?;
        found.ok_or_else(|| ProblemResponse::unavailable("the test is not written down yet; look again"))
    }

    async fn elsewhere(&self) -> ProblemResponse {
        match leader(&self.database).await {
            Ok(Some(machine)) => {
                ProblemResponse::alarms_elsewhere(format!("the hub on {machine} leads and sends; ask it"))
            }
            Ok(None) => ProblemResponse::alarms_elsewhere("no hub leads yet; try again in a few seconds"),
            Err(error) => not_answered(&error),
        }
    }
}

impl Sending {
    async fn send(&self, mission: &str, step: &DueStep) -> Result<(), ArchiveError> {
        let notification = test(step.id, mission, &step.contact, step.due);
        self.table.begin_test(mission, step, &message(&notification), step.due).await?;
        let address: &Address = &step.address;
        let attempt = self.notifier.send(address, &notification, step.due).await;
        let now = service::clock::now();
        // Whoever asked wants to know now, so that it is not tried again.
        let (came_to, said) = match outcome(&attempt, 1, step.id, now) {
            (Outcome::Delivered, said) => (Outcome::Delivered, said),
            (_, said) => (Outcome::GivenUp, said),
        };
        self.table.finish(step.id, &came_to, &said, now).await
    }
}
