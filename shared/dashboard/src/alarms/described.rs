//! Alarms as the API writes them.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use processing::alarm::{
    self, Action, AlarmId, AlarmRules, Brief, Cause, Change, Condition, Entry, EntryId, Fact, Group,
    GroupKind, Place, State, Suppression, Usefulness, groups,
};
use space_packet::TaiTime;

use super::{AlarmBook, Known};
use crate::contract::{
    Alarm, AlarmCause, AlarmEntry, AlarmFact, AlarmGroup, AlarmGroupKind, AlarmHistory, AlarmNotice,
    AlarmSeverity, AlarmState, AlarmSuppression, AlarmUsefulness, AlarmWorstValue,
};
use crate::convert::rfc3339;

/// Describes alarms of one book as of one moment.
pub(crate) struct Describer<'a> {
    book: &'a AlarmBook,
    now: TaiTime,
    grouping: Arc<Grouping>,
}

/// Which open alarms belong together.
pub(super) struct Grouping {
    /// All groups, of one alarm too.
    pub(super) groups: Vec<Group>,
    /// The group of each alarm that is in one with others.
    described: HashMap<AlarmId, AlarmGroup>,
}

impl<'a> Describer<'a> {
    /// Looks which alarms belong together.
    pub(crate) fn new(book: &'a AlarmBook, now: TaiTime) -> Self {
        Self { book, now, grouping: book.grouping() }
    }

    pub(crate) fn alarm(&self, known: &Known) -> Alarm {
        let (history, state) = (&known.history, known.state(self.now));
        let subject = history.subject();
        let entries = history.entries();
        let newest_first = || entries.iter().rev().filter_map(|entry| entry.condition());
        let rule = newest_first().find_map(|condition| match &condition.change {
            Change::Raised { terms, .. } => Some(terms.rule.clone()),
            _ => None,
        });
        let why = newest_first().find_map(|condition| match &condition.change {
            Change::Raised { cause, .. } | Change::Worsened { cause, .. } => Some(cause),
            Change::Cleared { .. } | Change::Moved { .. } | Change::Reached { .. } => None,
        });
        let worst_value = history.worst_value().map(|worst| AlarmWorstValue {
            value: worst.value,
            generation_time: rfc3339(worst.generation.0),
        });
        let notice = |notice: &alarm::Notice| AlarmNotice {
            entry: entry_id(notice.entry),
            severity: severity_word(notice.severity),
            generation_time: rfc3339(notice.generation.0),
        };
        Alarm {
            id: alarm_id(history.alarm()),
            detector: subject.detector.clone(),
            parameter: subject.parameter.clone(),
            node: subject.node.map(|node| HEXLOWER.encode(&node.0)),
            first: rfc3339(history.first().0),
            since: known.since().map(rfc3339),
            state: state_word(state.state),
            process: state_word(state.process),
            rings: state.state.rings(),
            severity: state.severity.map(severity_word),
            worst: state.worst.map(severity_word),
            rule: rule.unwrap_or_default(),
            cause: why.map(cause),
            worst_value,
            occurrences: state.occurrences,
            recurrences: state.recurrences,
            is_retrospective: state.is_retrospective,
            unacknowledged: state.unacknowledged.iter().map(notice).collect(),
            shelved_until: state.shelved_until.map(rfc3339),
            suppression: state.suppression.map(suppression),
            owners: state.owners.into_iter().collect(),
            usefulness: state.usefulness.into_iter().map(usefulness).collect(),
            group: self.grouping.described.get(&history.alarm()).cloned(),
        }
    }

    pub(crate) fn history(&self, known: &Known) -> AlarmHistory {
        let entries = known.history.entries().into_iter().map(entry).collect();
        AlarmHistory { alarm: self.alarm(known), entries, escalation: self.book.escalation(known, self.now) }
    }
}

fn alarm_id(id: AlarmId) -> String {
    HEXLOWER.encode(&id.0)
}

pub(super) fn entry_id(id: EntryId) -> String {
    HEXLOWER.encode(&id.0)
}

/// Puts open alarms into groups: the same ones that people see and that messages tell of.
pub fn grouped(open: &[Arc<Known>], rules: &AlarmRules) -> Vec<Group> {
    let briefs = open.iter().filter_map(|known| {
        // How bad it is depends on its history only, not on when one looks.
        let (history, state) = (&known.history, known.state(TaiTime(0)));
        let (subject, worst) = (history.subject(), state.worst?);
        Some(Brief {
            alarm: history.alarm(),
            generation: history.first(),
            known: known.since()?,
            severity: state.severity.unwrap_or(worst),
            related: rules.resolve(&subject.parameter, &subject.detector, worst).related,
        })
    });
    groups(&briefs.collect::<Vec<_>>(), rules.groups)
}

impl Grouping {
    pub(super) fn of(open: &[Arc<Known>], rules: &AlarmRules) -> Self {
        let groups = grouped(open, rules);
        let mut described = HashMap::new();
        for group in groups.iter().filter(|group| group.members.len() > 1) {
            let (kind, relation) = match &group.kind {
                GroupKind::Alone => continue,
                GroupKind::Flood => (AlarmGroupKind::Flood, None),
                GroupKind::Related(relation) => (AlarmGroupKind::Related, Some(relation.clone())),
            };
            let (first_out, members) = (alarm_id(group.first_out), group.members.len());
            let told =
                AlarmGroup { kind, relation, first_out, members, severity: severity_word(group.severity) };
            described.extend(group.members.iter().map(|alarm| (*alarm, told.clone())));
        }
        Self { groups, described }
    }
}

fn entry(entry: &Entry) -> AlarmEntry {
    let act = entry.act();
    AlarmEntry {
        id: entry_id(entry.id),
        recorded: rfc3339(entry.recorded),
        node: match entry.place {
            Place::Hub => None,
            Place::Node(node) => Some(HEXLOWER.encode(&node.0)),
        },
        by: act.map(|act| act.by.clone()),
        note: act.and_then(|act| act.note.clone()),
        fact: match &entry.fact {
            Fact::Act(act) => done(&act.action),
            Fact::Condition(condition) => changed(condition),
        },
    }
}

fn changed(condition: &Condition) -> AlarmFact {
    let (generation_time, live) = (rfc3339(condition.generation.0), condition.live);
    match &condition.change {
        Change::Cleared { latched, recurrences } => {
            AlarmFact::Cleared { generation_time, live, latched: *latched, recurrences: *recurrences }
        }
        Change::Moved { severity: now } => {
            AlarmFact::Moved { generation_time, live, severity: severity_word(*now) }
        }
        Change::Raised { severity: now, terms, cause: why } => AlarmFact::Raised {
            generation_time,
            live,
            severity: severity_word(*now),
            rule: terms.rule.clone(),
            rules_version: terms.version,
            cause: cause(why),
        },
        Change::Reached { cause: why } => AlarmFact::Reached { generation_time, live, cause: cause(why) },
        Change::Worsened { severity: now, cause: why } => {
            AlarmFact::Worsened { generation_time, live, severity: severity_word(*now), cause: cause(why) }
        }
    }
}

fn done(action: &Action) -> AlarmFact {
    match action {
        Action::Acknowledge { notices } => {
            AlarmFact::Acknowledged { notices: notices.iter().copied().map(entry_id).collect() }
        }
        Action::Assign { to, .. } => AlarmFact::Assigned { to: to.clone() },
        Action::Comment => AlarmFact::Commented,
        Action::Escalate { rung } => {
            AlarmFact::Escalated { ladder: rung.ladder.clone(), step: rung.step, round: rung.round }
        }
        Action::Judge { usefulness: said, .. } => AlarmFact::Judged { usefulness: usefulness(*said) },
        Action::Reset { .. } => AlarmFact::Reset,
        Action::Restore { .. } => AlarmFact::Restored,
        Action::Shelve { until, severity: bad, .. } => {
            AlarmFact::Shelved { until: rfc3339(*until), severity: severity_word(*bad) }
        }
        Action::Suppress { kind, until, order, .. } => AlarmFact::Suppressed {
            suppression: suppression(*kind),
            until: until.map(rfc3339),
            order: order.clone(),
        },
        Action::Unshelve { .. } => AlarmFact::Unshelved,
    }
}

fn cause(cause: &Cause) -> AlarmCause {
    AlarmCause {
        seen: cause.seen,
        expected: cause.expected,
        score: cause.score,
        threshold: cause.threshold,
        model: cause.model.clone(),
    }
}

pub(crate) fn severity_word(severity: alarm::AlarmSeverity) -> AlarmSeverity {
    match severity {
        alarm::AlarmSeverity::Watch => AlarmSeverity::Watch,
        alarm::AlarmSeverity::Warning => AlarmSeverity::Warning,
        alarm::AlarmSeverity::Distress => AlarmSeverity::Distress,
        alarm::AlarmSeverity::Critical => AlarmSeverity::Critical,
        alarm::AlarmSeverity::Severe => AlarmSeverity::Severe,
    }
}

pub(crate) fn state_word(state: State) -> AlarmState {
    match state {
        State::ActiveAcknowledged => AlarmState::ActiveAcknowledged,
        State::ActiveUnacknowledged => AlarmState::ActiveUnacknowledged,
        State::ClearedUnacknowledged => AlarmState::ClearedUnacknowledged,
        State::Latched => AlarmState::Latched,
        State::Normal => AlarmState::Normal,
        State::OutOfService => AlarmState::OutOfService,
        State::Shelved => AlarmState::Shelved,
        State::SuppressedByDesign => AlarmState::SuppressedByDesign,
    }
}

fn suppression(kind: Suppression) -> AlarmSuppression {
    match kind {
        Suppression::ByDesign => AlarmSuppression::ByDesign,
        Suppression::OutOfService => AlarmSuppression::OutOfService,
    }
}

fn usefulness(said: Usefulness) -> AlarmUsefulness {
    match said {
        Usefulness::False => AlarmUsefulness::False,
        Usefulness::Known => AlarmUsefulness::Known,
        Usefulness::True => AlarmUsefulness::True,
    }
}
