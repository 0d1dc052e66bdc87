//! Who climbs which ladder: of the alarms of a group the worst, and what is due next for it.

use processing::alarm::{AlarmRules, AlarmState, Change, Climb, NextStep, NoStep, Place, Trigger};
use space_packet::TaiTime;

use super::{AlarmBook, Known};
use crate::contract::{AlarmEscalation, AlarmRung, AlarmStep};
use crate::convert::rfc3339;

/// What the alarms of a group climb together; `None` when there is nobody to be told.
pub fn climb_of<'a>(
    members: &[(&'a Known, &AlarmState)],
    rules: &'a AlarmRules,
    now: TaiTime,
) -> Option<Climb<'a>> {
    let since = |entry| members.iter().find_map(|(known, _)| known.known.get(&entry).copied());
    let states = members.iter().map(|(known, state)| (known.history.alarm(), *state));
    let trigger = Trigger::of(states, |entry| since(entry).unwrap_or(now))?;
    let (climber, _) = members.iter().find(|(known, _)| known.history.alarm() == trigger.alarm)?;
    let hastened = members.iter().flat_map(|(known, _)| known.history.hastened()).collect();
    Some(Climb { trigger, named: ladder(climber, rules), hastened })
}

/// The ladder of the rule that raised it, if that names one.
fn ladder<'r>(known: &Known, rules: &'r AlarmRules) -> Option<&'r str> {
    let entries = known.history.entries();
    let rule = entries.iter().rev().find_map(|entry| match &entry.condition()?.change {
        Change::Raised { terms, .. } => Some(terms.rule.as_str()),
        _ => None,
    });
    rules.ladder_of(rule?)
}

impl AlarmBook {
    /// The step that is due next for an alarm, or for the group that it is in.
    pub(super) fn next_step(&self, known: &Known, now: TaiTime) -> Result<NextStep, NoStep> {
        let (alarm, rules, grouping) = (known.history.alarm(), self.rules(), self.grouping());
        let group = grouping.groups.iter().find(|group| group.members.contains(&alarm));
        let members = group.map_or(&[][..], |group| &group.members);
        let members: Vec<_> = members.iter().filter_map(|member| self.known(*member)).collect();
        let states: Vec<_> = members.iter().map(|member| member.state(now)).collect();
        let standing: Vec<_> = members.iter().map(|member| &**member).zip(&states).collect();
        let rings = known.state(now).state.rings();
        let climb = climb_of(&standing, &rules, now).filter(|_| rings).ok_or(NoStep::Silent)?;
        rules.escalation.next(&climb, now)
    }

    /// Where an alarm is on its ladder; `None` at a place that climbs none.
    pub(super) fn escalation(&self, known: &Known, now: TaiTime) -> Option<AlarmEscalation> {
        if self.place() != Place::Hub {
            return None;
        }
        Some(match self.next_step(known, now) {
            Ok(next) => AlarmEscalation { next: Some(step(next)), ended: None },
            Err(reason) => AlarmEscalation { next: None, ended: Some(reason.to_string()) },
        })
    }
}

fn step(NextStep { rung, due, contacts }: NextStep) -> AlarmStep {
    let rung = AlarmRung {
        notice: super::described::entry_id(rung.notice),
        ladder: rung.ladder,
        step: rung.step,
        round: rung.round,
    };
    AlarmStep { rung, due: rfc3339(due), contacts }
}
