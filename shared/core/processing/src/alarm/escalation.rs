//! Whom to tell of an alarm that nobody has acknowledged, and when: ladders, quiet hours and who is on call.
//!
//! A function of what is known and the time. Each step has an id that every replica of the hub computes alike; whoever
//! has stored it first sends, and nobody sends twice.

use std::collections::{BTreeMap, BTreeSet};

use delivery::DayWindow;
use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use super::entry::{AlarmSeverity, Rung};
use super::form;
use super::identity::{AlarmId, EntryId, Hasher};
use super::state::AlarmState;

/// Ends of quiet hours that are looked at for one step. What is still quiet then would be quiet for ever.
const QUIET_EDGES_MAX: usize = 32;

/// What starts a ladder: the worst that nobody has acknowledged, and since when that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trigger {
    /// Which alarm.
    pub alarm: AlarmId,
    /// The oldest of its worst unacknowledged notices.
    pub notice: EntryId,
    /// How bad that was.
    pub severity: AlarmSeverity,
    /// When it became known here, by our own clock: a node's may be wrong.
    pub since: TaiTime,
}

impl Trigger {
    /// Of one alarm, or of a group which is told of as one. `known` says when a notice became known here. `None`
    /// when there is nobody to be told: all is acknowledged, shelved or suppressed.
    pub fn of<'a>(
        alarms: impl IntoIterator<Item = (AlarmId, &'a AlarmState)>,
        known: impl Fn(EntryId) -> TaiTime,
    ) -> Option<Self> {
        let ringing = alarms.into_iter().filter(|(_, state)| state.state.rings());
        let notices =
            ringing.flat_map(|(alarm, state)| state.unacknowledged.iter().map(move |notice| (alarm, notice)));
        let worst = notices.min_by_key(|(alarm, notice)| {
            (std::cmp::Reverse(notice.severity), notice.generation, *alarm, notice.entry)
        });
        worst.map(|(alarm, notice)| Self {
            alarm,
            notice: notice.entry,
            severity: notice.severity,
            since: known(notice.entry),
        })
    }
}

/// A ladder that is climbed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Climb<'a> {
    /// What started it.
    pub trigger: Trigger,
    /// The ladder that its rule names; without, the severity decides.
    pub named: Option<&'a str>,
    /// Steps that somebody did not want to wait for, and since when: of all alarms that climb as one.
    pub hastened: Vec<(&'a Rung, TaiTime)>,
}

impl Climb<'_> {
    /// When somebody wanted a step at once.
    fn wanted(&self, ladder: &Ladder, step: u32, round: u32) -> Option<TaiTime> {
        let is_it = |rung: &Rung| {
            (rung.notice, rung.step, rung.round) == (self.trigger.notice, step, round)
                && rung.ladder == ladder.name
        };
        let wanted = self.hastened.iter().filter(|(rung, _)| is_it(rung));
        wanted.map(|(_, at)| *at).min()
    }
}

/// Hours of the day, at an offset from UTC. Daylight saving is not known: no crate of ours has time zones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LocalHours {
    /// When, by a clock that is ahead of UTC by the offset.
    pub window: DayWindow,
    /// How far it is ahead, in seconds.
    pub offset_s: i32,
}

impl LocalHours {
    fn offset_nanos(self) -> i64 {
        i64::from(self.offset_s) * 1_000_000_000
    }

    fn covers(self, at: TaiTime) -> bool {
        self.window.covers(at.plus_nanos(self.offset_nanos()))
    }

    fn next_edge(self, after: TaiTime) -> Option<TaiTime> {
        let edge = self.window.next_edge(after.plus_nanos(self.offset_nanos()))?;
        Some(edge.plus_nanos(-self.offset_nanos())).filter(|edge| *edge > after)
    }
}

/// All that a mission says of whom to tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Escalation {
    /// Ladders, in document order.
    pub ladders: Vec<Ladder>,
    /// Lists of who is on call.
    pub on_call: Vec<OnCall>,
    /// How people and channels are reached, by name.
    pub contacts: BTreeMap<String, ContactAddress>,
}

/// Whom to tell, one after the other, until somebody acknowledges.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// Its name.
    pub name: String,
    /// It is for alarms that are at least so bad, unless a rule names it.
    pub at_least: AlarmSeverity,
    /// Its steps, by time.
    pub steps: Vec<Step>,
    /// Whether the last step comes again.
    pub repeat: Option<Repeat>,
    /// When less severe alarms wait.
    pub quiet: Vec<Quiet>,
}

/// One step of a ladder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// How long after the alarm became known, in seconds.
    pub after_s: u32,
    /// Whom to tell.
    pub to: Vec<Target>,
}

/// The last step of a ladder comes again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Repeat {
    /// After how many seconds.
    pub every_s: u32,
    /// How often.
    pub times: u32,
}

/// Hours in which less severe alarms wait for their end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quiet {
    /// Which hours.
    pub hours: LocalHours,
    /// What is less severe than this waits.
    pub below: AlarmSeverity,
}

/// Whom a step tells.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// A contact, by name.
    Contact(String),
    /// Whoever is on call in a list when the step is due.
    OnCall(String),
}

/// Who is on call when.
#[derive(Clone, Debug, PartialEq)]
pub struct OnCall {
    /// Its name.
    pub name: String,
    /// The first that covers a moment counts.
    pub shifts: Vec<Shift>,
    /// Contacts when no shift covers it; never empty, so that somebody is always told.
    pub otherwise: Vec<String>,
}

/// Hours of a list of who is on call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shift {
    /// Which hours.
    pub hours: LocalHours,
    /// The contacts.
    pub contacts: Vec<String>,
}

/// How a contact is reached. Addresses and secrets of channels are in the hub's configuration, not here.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactAddress {
    /// An address of electronic mail.
    Email(String),
    /// A Slack-compatible channel, by its name in the hub's configuration.
    Slack(String),
    /// A webhook, by its name in the hub's configuration.
    Webhook(String),
}

/// One message to one contact: the same id is the same message, whichever replica computes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct StepId(#[serde(with = "form::hexadecimal")] pub [u8; 16]);

/// A message to be sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DueStep {
    /// What names it.
    pub id: StepId,
    /// The ladder.
    pub ladder: String,
    /// The step, from 1.
    pub step: u32,
    /// 0 for the step itself, then counted up as it repeats.
    pub round: u32,
    /// Since when it is due.
    #[serde(with = "form::moment")]
    pub due: TaiTime,
    /// Whom to tell.
    pub contact: String,
    /// How.
    pub address: ContactAddress,
}

/// What to send, and when to ask again.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Due {
    /// What is due, sent or not: the caller leaves out the ids it has stored.
    pub steps: Vec<DueStep>,
    /// When the next step is due, if nobody acknowledges before.
    pub next: Option<TaiTime>,
}

/// The step of a ladder that is due next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NextStep {
    /// Which.
    pub rung: Rung,
    /// When it is due, unless somebody does not want to wait.
    pub due: TaiTime,
    /// Who would be told now.
    pub contacts: Vec<String>,
}

/// Why there is no next step.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoStep {
    /// All were due.
    #[error("everybody on the ladder has been told")]
    AllTold,
    /// The rules have none for it.
    #[error("no ladder of the alarm rules is for an alarm of this severity")]
    NoLadder,
    /// It is acknowledged, shelved or suppressed.
    #[error("nobody is told of an alarm that does not ring")]
    Silent,
}

impl Escalation {
    /// What is due for what climbs.
    pub fn due(&self, climb: &Climb<'_>, now: TaiTime) -> Due {
        let trigger = &climb.trigger;
        let Some(ladder) = self.ladder(trigger.severity, climb.named) else { return Due::default() };
        let mut due = Due::default();
        // Of rounds that are due together, after quiet hours or with the hub back, one is enough: the newest.
        let mut newest: BTreeMap<usize, (u32, TaiTime)> = BTreeMap::new();
        for (step, round, at) in ladder.moments(climb) {
            if at > now {
                due.next = Some(due.next.map_or(at, |next| next.min(at)));
            } else {
                newest.insert(step, (round, at));
            }
        }
        for (step, found) in ladder.steps.iter().enumerate() {
            if let Some((round, at)) = newest.get(&step) {
                due.steps.extend(self.messages(trigger, ladder, found, (step, *round, *at)));
            }
        }
        due
    }

    /// What is due next, if nobody acknowledges before.
    pub fn next(&self, climb: &Climb<'_>, now: TaiTime) -> Result<NextStep, NoStep> {
        let ladder = self.ladder(climb.trigger.severity, climb.named).ok_or(NoStep::NoLadder)?;
        let coming = ladder.moments(climb).filter(|(_, _, at)| *at > now);
        // Of several at the end of quiet hours the lowest.
        let (index, round, due) = coming.min_by_key(|(_, _, at)| *at).ok_or(NoStep::AllTold)?;
        let to = ladder.steps.get(index).map_or(&[][..], |step| &step.to);
        let contacts: BTreeSet<&str> = to.iter().flat_map(|target| self.resolve(target, now)).collect();
        let (notice, step) = (climb.trigger.notice, index as u32 + 1);
        let rung = Rung { notice, ladder: ladder.name.clone(), step, round };
        Ok(NextStep { rung, due, contacts: contacts.into_iter().map(str::to_owned).collect() })
    }

    fn ladder(&self, severity: AlarmSeverity, named: Option<&str>) -> Option<&Ladder> {
        let named = named.and_then(|name| self.ladders.iter().find(|ladder| ladder.name == name));
        let fitting = self.ladders.iter().rev().filter(|ladder| ladder.at_least <= severity);
        // Reversed, so that of equals the first in the document is taken.
        named.or_else(|| fitting.max_by_key(|ladder| ladder.at_least))
    }

    fn messages<'a>(
        &'a self,
        trigger: &'a Trigger,
        ladder: &'a Ladder,
        step: &'a Step,
        (index, round, due): (usize, u32, TaiTime),
    ) -> impl Iterator<Item = DueStep> + 'a {
        let contacts: BTreeSet<&str> = step.to.iter().flat_map(|target| self.resolve(target, due)).collect();
        let step = index as u32 + 1;
        contacts.into_iter().filter_map(move |contact| {
            let mut hasher = Hasher::new(b"sto-alarm-step-1");
            hasher.bytes(&trigger.alarm.0);
            hasher.bytes(&trigger.notice.0);
            hasher.text(&ladder.name);
            hasher.bytes(&[step.to_le_bytes(), round.to_le_bytes()].concat());
            hasher.text(contact);
            Some(DueStep {
                id: StepId(hasher.finish()),
                ladder: ladder.name.clone(),
                step,
                round,
                due,
                contact: contact.to_owned(),
                address: self.contacts.get(contact)?.clone(),
            })
        })
    }

    /// Contacts of a target at a moment.
    fn resolve<'a>(&'a self, target: &'a Target, at: TaiTime) -> Vec<&'a str> {
        match target {
            Target::Contact(name) => vec![name],
            Target::OnCall(name) => {
                let list = self.on_call.iter().find(|list| list.name == *name);
                list.map_or(&[][..], |list| list.at(at)).iter().map(String::as_str).collect()
            }
        }
    }
}

impl OnCall {
    fn at(&self, at: TaiTime) -> &[String] {
        let shift = self.shifts.iter().find(|shift| shift.hours.covers(at));
        shift.map_or(&self.otherwise, |shift| &shift.contacts)
    }
}

impl Ladder {
    /// Step, round and time of all that it will ever do for a trigger.
    fn moments(&self, climb: &Climb<'_>) -> impl Iterator<Item = (usize, u32, TaiTime)> {
        let rounds = self.repeat.map_or(0, |repeat| repeat.times);
        let every = self.repeat.map_or(0, |repeat| i64::from(repeat.every_s));
        let last = self.steps.len().saturating_sub(1);
        let once = self.steps.iter().enumerate().map(|(step, found)| (step, 0, i64::from(found.after_s)));
        let last_after = self.steps.last().map(|step| i64::from(step.after_s));
        let again = last_after.into_iter().flat_map(move |after| {
            (1..=rounds).map(move |round| (last, round, after + every * i64::from(round)))
        });
        let trigger = climb.trigger;
        once.chain(again).map(move |(step, round, after_s)| {
            let at = trigger.since.plus_nanos(after_s * 1_000_000_000);
            let by_itself = self.after_quiet(at, trigger.severity);
            // Whoever does not want to wait knows what time it is there.
            let wanted = climb.wanted(self, step as u32 + 1, round);
            (step, round, wanted.map_or(by_itself, |wanted| wanted.min(by_itself)))
        })
    }

    /// A moment, or the end of the quiet hours in which it lies.
    fn after_quiet(&self, at: TaiTime, severity: AlarmSeverity) -> TaiTime {
        let quiet = |at: TaiTime| {
            self.quiet.iter().find(move |quiet| severity < quiet.below && quiet.hours.covers(at))
        };
        let mut moved = at;
        for _ in 0..QUIET_EDGES_MAX {
            let Some(found) = quiet(moved) else { return moved };
            let Some(edge) = found.hours.next_edge(moved) else { return at };
            moved = edge;
        }
        at
    }
}
