//! What a message tells of an alarm. It is made once and stored; each attempt tells the same.

use notify::{GroupTold, Notification, Rung};
use processing::alarm::{
    AlarmId, AlarmSeverity, Cause, Change, DueStep, Group, History, State, StepId, Trigger,
};
use space_packet::{GenerationTime, TaiTime};

/// A step of a ladder, and the alarm that is on it.
pub(super) struct Climbed<'a> {
    pub(super) step: &'a DueStep,
    pub(super) trigger: &'a Trigger,
    pub(super) history: &'a History,
    pub(super) state: State,
    /// The group it stands for, and the alarm that was first in it.
    pub(super) group: (&'a Group, &'a History),
    pub(super) unit: Option<String>,
}

impl Climbed<'_> {
    pub(super) fn notification(self) -> Notification {
        let (subject, (group, first_out)) = (self.history.subject(), self.group);
        let (alarm, cause) = (self.trigger.alarm, self.cause());
        let group = (group.members.len() > 1).then(|| GroupTold {
            first_out: group.first_out,
            first_out_parameter: first_out.subject().parameter.clone(),
            alarms: u32::try_from(group.members.len()).unwrap_or(u32::MAX),
        });
        Notification {
            id: self.step.id,
            is_test: false,
            mission: subject.mission.clone(),
            alarm,
            severity: self.trigger.severity,
            state: self.state,
            detector: subject.detector.clone(),
            parameter: subject.parameter.clone(),
            unit: self.unit,
            cause,
            first_generation: self.history.first(),
            group,
            rung: Some(Rung {
                ladder: self.step.ladder.clone(),
                step: self.step.step,
                round: self.step.round,
            }),
            path: Some(format!("/alarms/{}?alarm={:032x}", subject.mission, u128::from_be_bytes(alarm.0))),
        }
    }

    /// What speaks for the entry that nobody has acknowledged.
    fn cause(&self) -> Cause {
        let condition = self.history.entry(self.trigger.notice).and_then(|entry| entry.condition());
        match condition.map(|condition| &condition.change) {
            Some(Change::Raised { cause, .. } | Change::Worsened { cause, .. }) => cause.clone(),
            _ => Cause::default(),
        }
    }
}

/// What somebody is told who asked whether messages arrive.
pub(super) fn test(id: StepId, mission: &str, contact: &str, now: TaiTime) -> Notification {
    Notification {
        id,
        is_test: true,
        mission: mission.to_owned(),
        alarm: AlarmId([0; 16]),
        severity: AlarmSeverity::Watch,
        state: State::Normal,
        detector: "test".to_owned(),
        parameter: contact.to_owned(),
        unit: None,
        cause: Cause::default(),
        first_generation: GenerationTime(now),
        group: None,
        rung: None,
        path: None,
    }
}

/// A message as the table has it.
pub(super) fn message(notification: &Notification) -> String {
    serde_json::to_string(notification).expect("names, numbers and ids are always JSON")
}
