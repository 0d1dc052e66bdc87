//! Alarms, for whoever is at the machine without a browser: the open ones, and that somebody has seen them.

use std::sync::Arc;

use dashboard::Backend;
use dashboard::alarms::{AlarmBook, Asked, Known};
use processing::alarm::{AlarmSeverity, Request, State};
use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use super::{Desk, DeskError, Readers};

/// An open alarm.
#[derive(Debug, Deserialize, Serialize)]
pub struct AlarmRow {
    /// Its name: 32 hexadecimal digits.
    pub alarm: String,
    /// The mission.
    pub mission: String,
    /// What is wrong.
    pub parameter: String,
    /// What found it.
    pub detector: String,
    /// Where it stands.
    pub state: State,
    /// How bad it is now; absent when it is over.
    pub severity: Option<AlarmSeverity>,
    /// Generation time of the first occurrence.
    pub first: String,
}

/// Who has seen an alarm.
#[derive(Debug, Deserialize, Serialize)]
pub struct SeenRequest {
    /// Its name.
    pub alarm: String,
    /// Account at the machine.
    pub who: String,
    /// What they note beside it.
    pub note: Option<String>,
}

impl AlarmRow {
    fn of(known: &Known, now: TaiTime) -> Self {
        let (history, state) = (&known.history, known.state(now));
        let subject = history.subject();
        Self {
            alarm: history.alarm().0.iter().map(|byte| format!("{byte:02x}")).collect(),
            mission: subject.mission.clone(),
            parameter: subject.parameter.clone(),
            detector: subject.detector.clone(),
            state: state.state,
            severity: state.severity,
            first: dashboard::rfc3339(history.first().0),
        }
    }
}

impl Desk {
    fn books(&self) -> Result<Vec<Arc<AlarmBook>>, DeskError> {
        let Readers::Running(view) = &self.readers else { return Err(DeskError::NoAlarms) };
        let missions = view.missions();
        Ok(missions.iter().filter_map(|mission| view.alarms().book(mission.name())).collect())
    }

    /// Open alarms of all missions, the oldest first.
    pub fn open_alarms(&self) -> Result<Vec<AlarmRow>, DeskError> {
        let (books, now) = (self.books()?, service::clock::now());
        let mut rows: Vec<_> =
            books.iter().flat_map(|book| book.open()).map(|known| AlarmRow::of(&known, now)).collect();
        rows.sort_by(|one, other| one.first.cmp(&other.first));
        Ok(rows)
    }

    /// Somebody has seen an open alarm: all notices of it that there are now.
    pub async fn acknowledge(&self, seen: SeenRequest) -> Result<AlarmRow, DeskError> {
        let now = service::clock::now();
        for book in self.books()? {
            let open = book.open();
            let Some(known) = open.iter().find(|known| AlarmRow::of(known, now).alarm == seen.alarm) else {
                continue;
            };
            let asked = Asked { request: Request::Acknowledge { notices: None }, note: seen.note, id: None };
            let known = book.act(known.history.alarm(), asked, &seen.who, now).await;
            return Ok(AlarmRow::of(&*known.map_err(DeskError::NotSeen)?, now));
        }
        Err(DeskError::NoAlarm(seen.alarm))
    }
}
