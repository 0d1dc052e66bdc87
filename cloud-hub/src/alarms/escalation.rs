//! Climbs the ladders of alarms that nobody has acknowledged, while this hub leads. What is due is computed anew from the
//! books at each look, under ids that every hub computes alike; what is in the table of messages is not due again. So
//! nothing is kept that a restart or another leader would lack.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use dashboard::alarms::{AlarmBook, Known, climb_of, grouped};
use futures_util::FutureExt;
use futures_util::future::select_all;
use notify::Notifier;
use processing::alarm::{AlarmId, AlarmRules, AlarmState, DueStep, EntryId, Group, State, StepId, Trigger};
use service::logging::chain;
use service::metric::Metric;
use space_packet::TaiTime;
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::HubAlarms;
use super::sending::Sender;
use super::told::{Climbed, message};
use super::undelivered::{Undelivered, is_about};
use crate::archive::{AlarmTable, ArchiveError, Database, Evidence, NewNotice, NoticeTable};

/// How long changes of alarms are waited for once one came: a flood is looked at as one, and told as one.
const SETTLE_TIME: Duration = Duration::from_millis(500);
/// The longest time between two looks: rules that changed, and a minute of one contact that is full, wake nobody.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
const RETRY_WAIT: Duration = Duration::from_secs(1);
/// Messages written down in one transaction.
const WRITTEN_AT_ONCE: usize = 200;
/// How long messages that are over are kept.
const KEPT_NANOS: i64 = 90 * 86_400 * 1_000_000_000;
const SWEEP_NANOS: i64 = 3_600 * 1_000_000_000;

/// The unit of a parameter of a mission.
pub type Units = Box<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

/// What tells people of alarms, at the hub that leads.
pub struct Escalator {
    shared: Shared,
    missions: Vec<Climbing>,
    sender: Sender,
    swept: Option<TaiTime>,
}

struct Shared {
    alarms: AlarmTable,
    notices: NoticeTable,
    evidence: Evidence,
    notifier: Arc<Notifier>,
    units: Units,
}

/// A mission's alarms on their ladders.
struct Climbing {
    book: Arc<AlarmBook>,
    changes: Receiver<AlarmId>,
    /// Messages that are due and are in the table.
    stored: HashSet<StepId>,
    undelivered: Undelivered,
    /// By which rules what waits has its addresses.
    taken: Option<Arc<AlarmRules>>,
}

/// An open alarm as it stands at a look.
struct Open {
    known: Arc<Known>,
    state: AlarmState,
}

/// A message that is due, and what it tells of.
struct Due<'a> {
    step: DueStep,
    trigger: Trigger,
    group: Arc<Group>,
    open: &'a Open,
}

impl Escalator {
    /// Of the alarms of a hub that leads: `database` shows the lease. Tests of contacts are sent from here on.
    pub fn new(alarms: &HubAlarms, database: &Database, notifier: Arc<Notifier>, units: Units) -> Self {
        let notices = NoticeTable::new(database.clone());
        alarms.deliveries.lead(notices.clone(), Arc::clone(&notifier));
        let climbing = |book: &Arc<AlarmBook>| Climbing {
            book: Arc::clone(book),
            changes: book.subscribe(),
            stored: HashSet::new(),
            undelivered: Undelivered::of(book),
            taken: None,
        };
        let missions = alarms.books.iter().map(|(book, _)| climbing(book)).collect();
        let sender = Sender::new(notices.clone(), Arc::clone(&notifier));
        let evidence = Evidence::new(database.clone());
        let shared = Shared { alarms: AlarmTable::new(database.clone()), notices, evidence, notifier, units };
        Self { shared, missions, sender, swept: None }
    }

    /// Tells people until shutdown; fails when another hub leads.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut is_well = true;
        loop {
            let now = service::clock::now();
            let wait = match self.pass(now).await {
                Ok(next) => {
                    is_well = true;
                    let nanos = next.0.saturating_sub(now.0).max(0).cast_unsigned();
                    Duration::from_nanos(nanos).min(LOOK_INTERVAL)
                }
                Err(error @ ArchiveError::Fenced) => return Err(error.into()),
                Err(error) => {
                    if std::mem::take(&mut is_well) {
                        warn!(error = chain(&error), "messages about alarms wait for the database");
                    } else {
                        debug!(error = chain(&error), "messages about alarms wait for the database");
                    }
                    RETRY_WAIT
                }
            };
            let changes = self.missions.iter_mut().map(|mission| mission.changes.recv().boxed());
            let changed = async {
                // A hub without missions has no changes.
                match changes.collect::<Vec<_>>() {
                    none if none.is_empty() => std::future::pending().await,
                    some => drop(select_all(some).await),
                }
                tokio::time::sleep(SETTLE_TIME).await;
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(()),
                () = self.sender.ended() => {}
                () = changed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Looks at all alarms as of a moment: writes down what is due, drops what nobody needs any more, and starts attempts
    /// whose time has come. Returns when to look again, should nothing change before.
    pub async fn pass(&mut self, now: TaiTime) -> Result<TaiTime, ArchiveError> {
        self.sender.write(now).await?;
        let mut next = now.plus_nanos(LOOK_INTERVAL.as_nanos() as i64);
        let mut failed = None;
        for mission in &mut self.missions {
            match mission.look(&self.shared, now).await {
                Ok(due) => next = due.map_or(next, |due| due.min(next)),
                // The other missions are looked at all the same.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.sender.start(now).await?;
        if let Some(error) = failed {
            return Err(error);
        }
        let waiting = self.shared.notices.waiting(now).await?;
        Metric::HubNoticesWaiting.set(waiting.count as f64);
        if self.swept.is_none_or(|swept| now.0.saturating_sub(swept.0) >= SWEEP_NANOS) {
            self.shared.notices.drop_old(now.plus_nanos(-KEPT_NANOS), now).await?;
            self.swept = Some(now);
        }
        Ok(waiting.next_attempt.map_or(next, |attempt| attempt.min(next)))
    }

    /// Waits for an attempt that is under way, if there is one; whether there was.
    pub async fn attempt_ended(&mut self) -> bool {
        let is_sending = self.sender.is_sending();
        if is_sending {
            self.sender.ended().await;
        }
        is_sending
    }
}

impl Climbing {
    async fn look(&mut self, shared: &Shared, now: TaiTime) -> Result<Option<TaiTime>, ArchiveError> {
        // What changes from here on is looked at again.
        self.changes = self.changes.resubscribe();
        let rules = self.book.rules();
        self.take_rules(shared, &rules, now).await?;
        let cleared =
            self.undelivered.look(&self.book, &rules, (&shared.alarms, &shared.notices), now).await?;
        self.drop_waiting(shared, now).await?;
        let next = self.write_due(shared, &rules, now).await?;
        Ok(next.into_iter().chain(cleared).min())
    }

    /// Lets what waits go where new rules say, and tells which of their contacts cannot be reached before an alarm needs
    /// them.
    async fn take_rules(
        &mut self,
        shared: &Shared,
        rules: &Arc<AlarmRules>,
        now: TaiTime,
    ) -> Result<(), ArchiveError> {
        if self.taken.as_ref().is_some_and(|taken| Arc::ptr_eq(taken, rules)) {
            return Ok(());
        }
        shared.notices.readdress(self.book.mission(), &rules.escalation.contacts, now).await?;
        // Dropped ones may be due again.
        self.stored.clear();
        let contacts = rules.escalation.contacts.iter();
        let lacking: Vec<&str> = contacts
            .filter(|(_, address)| !shared.notifier.has(address))
            .map(|(contact, _)| contact.as_str())
            .collect();
        if !lacking.is_empty() {
            let (mission, contacts) = (self.book.mission(), lacking.join(", "));
            warn!(
                mission,
                contacts, "STO-NOTIFY-CHANNEL: rules name contacts whose channel is not configured"
            );
            let text = format!("{mission}: no channel is configured for {contacts}; they are not told");
            shared.evidence.record(None, "STO-NOTIFY-CHANNEL", &text).await?;
        }
        self.taken = Some(Arc::clone(rules));
        Ok(())
    }

    /// Drops messages that wait and that nobody needs any more.
    async fn drop_waiting(&mut self, shared: &Shared, now: TaiTime) -> Result<(), ArchiveError> {
        let mission = self.book.mission();
        for (alarm, entry) in shared.notices.waiting_for(mission).await? {
            // Its reason is logged there; the message waits until the alarm can be read.
            let Ok(known) = self.book.find(alarm, now).await else { continue };
            let why = known.map_or(Some("the alarm is gone"), |known| dealt_with(&known.state(now), entry));
            if let Some(why) = why {
                let dropped = shared.notices.drop_waiting(mission, (alarm, entry), why, now).await?;
                info!(mission, messages = dropped.len(), why, "messages about an alarm are not sent");
                self.stored.retain(|id| !dropped.contains(id));
            }
        }
        Ok(())
    }

    /// Writes down what is due and not in the table yet; when the next step is.
    async fn write_due(
        &mut self,
        shared: &Shared,
        rules: &AlarmRules,
        now: TaiTime,
    ) -> Result<Option<TaiTime>, ArchiveError> {
        let known = self.book.open();
        let open: Vec<Open> = known.iter().map(|known| Open::of(known, now)).collect();
        let by_id = open.iter().map(|open| (open.known.history.alarm(), open)).collect();
        let groups = grouped(&known, rules);
        let (due, next) = due(&by_id, groups, rules, now);
        let ids: HashSet<StepId> = due.iter().map(|due| due.step.id).collect();
        self.stored.retain(|id| ids.contains(id));
        let new = due.into_iter().filter(|due| !self.stored.contains(&due.step.id));
        let new: Vec<NewNotice> = new.map(|due| due.notice(&by_id, shared)).collect();
        for part in new.chunks(WRITTEN_AT_ONCE) {
            self.stored.extend(shared.notices.write(self.book.mission(), part, now).await?);
        }
        Ok(next)
    }
}

/// What is due for open alarms, group by group, and when the next step is.
fn due<'a>(
    open: &HashMap<AlarmId, &'a Open>,
    groups: Vec<Group>,
    rules: &AlarmRules,
    now: TaiTime,
) -> (Vec<Due<'a>>, Option<TaiTime>) {
    let (mut all, mut next) = (Vec::new(), None::<TaiTime>);
    for group in groups {
        let members: Vec<&Open> = group.members.iter().filter_map(|alarm| open.get(alarm).copied()).collect();
        let standing: Vec<_> = members.iter().map(|member| (&*member.known, &member.state)).collect();
        let Some(climb) = climb_of(&standing, rules, now) else { continue };
        let trigger = climb.trigger;
        let Some(climbing) = open.get(&trigger.alarm).copied() else { continue };
        let due = rules.escalation.due(&climb, now);
        next = next.into_iter().chain(due.next).min();
        let group = Arc::new(group);
        let steps =
            due.steps.into_iter().filter(|step| !is_about(climbing.known.history.subject(), step, rules));
        all.extend(steps.map(|step| Due { step, trigger, group: Arc::clone(&group), open: climbing }));
    }
    (all, next)
}

impl Open {
    fn of(known: &Arc<Known>, now: TaiTime) -> Self {
        Self { state: known.state(now), known: Arc::clone(known) }
    }
}

impl Due<'_> {
    fn notice(self, open: &HashMap<AlarmId, &Open>, shared: &Shared) -> NewNotice {
        let history = &self.open.known.history;
        let subject = history.subject();
        let first_out = open.get(&self.group.first_out).map_or(history, |open| &open.known.history);
        let climbed = Climbed {
            step: &self.step,
            trigger: &self.trigger,
            history,
            state: self.open.state.state,
            group: (&self.group, first_out),
            unit: (shared.units)(&subject.mission, &subject.parameter),
        };
        let (alarm, entry) = (self.trigger.alarm, self.trigger.notice);
        NewNotice { message: message(&climbed.notification()), step: self.step, alarm, entry }
    }
}

/// Why nobody needs to be told of an entry any more.
fn dealt_with(state: &AlarmState, entry: EntryId) -> Option<&'static str> {
    match state.state {
        State::OutOfService => Some("what the alarm watches is out of service"),
        State::Shelved => Some("somebody shelved the alarm"),
        State::SuppressedByDesign => Some("the alarm is suppressed by design"),
        _ if state.unacknowledged.iter().any(|notice| notice.entry == entry) => None,
        _ => Some("somebody acknowledged the alarm"),
    }
}
