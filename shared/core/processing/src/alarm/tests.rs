mod escalating;
mod furthest;
mod life;
mod merging;
mod reading_rules;
mod sequences;

use delivery::NodeId;
use space_packet::{GenerationTime, TaiTime};

use super::*;

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const NODE: Place = Place::Node(NodeId([7; 16]));

/// Seconds after 2026-11-23T12:00:00Z, a Monday.
pub(super) fn at(seconds: i64) -> TaiTime {
    TaiTime::from_unix_nanos(1_795_435_200 * SECOND).plus_nanos(seconds * SECOND)
}

pub(super) fn generation(seconds: i64) -> GenerationTime {
    GenerationTime(at(seconds))
}

pub(super) fn subject(parameter: &str) -> Subject {
    Subject {
        mission: "demo".to_owned(),
        node: None,
        detector: "limits".to_owned(),
        parameter: parameter.to_owned(),
    }
}

pub(super) fn terms() -> Terms {
    Terms { rule: "battery".to_owned(), version: 1, merge_window_s: 60, ..Terms::default() }
}

pub(super) fn seen(second: i64, severity: Option<AlarmSeverity>) -> Observation {
    Observation {
        subject: subject("/SAT/BATT_T"),
        severity,
        generation: generation(second),
        live: true,
        terms: terms(),
        cause: Cause { seen: Some(47.5), threshold: Some(45.0), ..Cause::default() },
    }
}

/// A value and the limit that it breaks.
pub(super) fn beyond(value: f64, limit: f64) -> Cause {
    Cause { seen: Some(value), threshold: Some(limit), ..Cause::default() }
}

pub(super) fn author(by: &str, place: Place, second: i64, id: u8) -> Author {
    Author { by: by.to_owned(), place, at: at(second), id: EntryId([id; 16]) }
}

/// One alarm that was raised at second 0.
pub(super) fn raised(severity: AlarmSeverity) -> (Board, History) {
    let mut board = Board::new(NODE);
    board.on_observation(&seen(0, Some(severity)), at(0));
    let history = board.alarms().next().expect("it was raised").clone();
    (board, history)
}

pub(super) fn state(history: &History, second: i64) -> AlarmState {
    AlarmState::of(history, at(second))
}
