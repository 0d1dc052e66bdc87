//! The routes of a mission's alarms: lists, histories, acts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use processing::alarm::{AlarmId, EntryId, Request};
use serde::Deserialize;
use space_packet::{GenerationTime, TaiTime};
use utoipa::IntoParams;

use super::asking::{Asked as Question, JsonBody, in_time};
use super::paging::{Asked as Part, write};
use super::{LoggedIn, Shared, refusals};
use crate::ProblemResponse;
use crate::access::{Action, Principal, Resource};
use crate::alarms::{ActError, AlarmBook, AlarmPlace, Asked, Describer, Known, severity_word, state_word};
use crate::app::App;
use crate::contract::{
    AlarmAcknowledged, AlarmAcknowledgements, AlarmActRequest, AlarmHistory, AlarmRefused, AlarmSeverity,
    AlarmState, Alarms,
};
use crate::records::Place;

/// An act: a note has 4 KiB, an acknowledgement up to 256 names.
const ACT_BYTES_MAX: usize = 32 * 1_024;
/// Acknowledgements of a thousand alarms with some notices each.
const ACKNOWLEDGEMENTS_BYTES_MAX: usize = 1_024 * 1_024;
const ACKNOWLEDGED_MAX: usize = 1_000;

/// The alarms of a mission that one may know of.
pub(crate) fn book(app: &App, who: &Principal, mission: &str) -> Result<Arc<AlarmBook>, ProblemResponse> {
    app.mission(who, mission)?;
    app.backend.alarms().book(mission).ok_or_else(|| {
        let detail = format!("this server looks after no alarms of mission {mission}");
        ProblemResponse::no_alarms(detail)
    })
}

/// The same, if one may deal with them.
fn book_to_act_on(app: &App, who: &LoggedIn, mission: &str) -> Result<Arc<AlarmBook>, ProblemResponse> {
    may_deal(app, who, mission)?;
    book(app, &who.principal, mission)
}

/// Whether somebody may deal with the alarms of a mission. One that is not there for them is told as such.
pub(super) fn may_deal(app: &App, who: &LoggedIn, mission: &str) -> Result<(), ProblemResponse> {
    app.mission(&who.principal, mission)?;
    who.may(Action::DealWithAlarms, Resource::Mission(mission))
}

/// An alarm as paths and messages name it.
pub(super) fn alarm_of(text: &str) -> Result<AlarmId, ProblemResponse> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(AlarmId).ok_or_else(|| ActError::Unknown.into())
}

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlarmsQuery {
    /// `true`: open ones only; `false`: closed ones only.
    pub(crate) open: Option<bool>,
    /// In this state only; give it several times for any of several.
    #[serde(default)]
    pub(crate) state: Vec<AlarmState>,
    /// At least so bad: now, or at its worst where it is over.
    pub(crate) at_least: Option<AlarmSeverity>,
    /// Found by this detector only.
    pub(crate) detector: Option<String>,
    /// Of parameters whose full names begin so.
    pub(crate) parameter: Option<String>,
    /// Rows of a page; 100 when absent, at most 1,000.
    pub(crate) limit: Option<usize>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

impl AlarmsQuery {
    fn wants_closed(&self) -> bool {
        self.open != Some(true) && (self.state.is_empty() || self.state.contains(&AlarmState::Normal))
    }

    fn wants(&self, known: &Known, now: TaiTime) -> bool {
        let (subject, state) = (known.history.subject(), known.state(now));
        let severity = state.severity.or(state.worst).map(severity_word);
        let word = state_word(state.state);
        self.open.is_none_or(|open| open != state.is_closed())
            && (self.state.is_empty() || self.state.contains(&word))
            && self.at_least.is_none_or(|least| severity >= Some(least))
            && self.detector.as_ref().is_none_or(|detector| *detector == subject.detector)
            && self.parameter.as_ref().is_none_or(|prefix| subject.parameter.starts_with(prefix))
    }
}

/// Alarms of a mission, by their first occurrence, newest first.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarms", params(("mission" = String, Path), AlarmsQuery),
    responses((status = 200, body = Alarms), refusals::OfQuestion))]
pub(super) async fn alarms(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    Question(query): Question<AlarmsQuery>,
) -> Result<Json<Alarms>, ProblemResponse> {
    list(&app, &who.principal, &name, query).await.map(Json)
}

/// A page of alarms, for whoever may know of the mission.
pub(crate) async fn list(
    app: &App,
    who: &Principal,
    mission: &str,
    query: AlarmsQuery,
) -> Result<Alarms, ProblemResponse> {
    let (book, now) = (book(app, who, mission)?, service::clock::now());
    let list = format!("alarms {mission}");
    let part =
        Part { from: None, to: None, limit: query.limit, cursor: query.cursor.as_deref() }.of(&list)?;
    let before = part.after.map(alarm_place);
    let page = book.page(before, part.limit, query.wants_closed(), |known| query.wants(known, now));
    let page = in_time(page).await?;
    let describer = Describer::new(&book, now);
    Ok(Alarms {
        alarms: page.alarms.iter().map(|known| describer.alarm(known)).collect(),
        next: page.next.map(|place| write(&list, place_of(place))),
        open: book.open().len(),
        left_out: book.left_out(),
    })
}

fn alarm_place([first, high, low]: Place) -> AlarmPlace {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&high.to_be_bytes());
    id[8..].copy_from_slice(&low.to_be_bytes());
    (GenerationTime(TaiTime(first)), AlarmId(id))
}

fn place_of((first, AlarmId(id)): AlarmPlace) -> Place {
    let (halves, _) = id.as_chunks::<8>();
    [first.0.0, i64::from_be_bytes(halves[0]), i64::from_be_bytes(halves[1])]
}

/// An alarm and all that happened to it.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/alarms/{alarm}",
    params(("mission" = String, Path), ("alarm" = String, Path)),
    responses((status = 200, body = AlarmHistory), refusals::OfQuestion))]
pub(super) async fn alarm(
    State(app): State<Shared>,
    Path((name, alarm)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<AlarmHistory>, ProblemResponse> {
    history_of(&app, &who.principal, &name, &alarm).await.map(Json)
}

/// An alarm and its history, for whoever may know of the mission.
pub(crate) async fn history_of(
    app: &App,
    who: &Principal,
    mission: &str,
    alarm: &str,
) -> Result<AlarmHistory, ProblemResponse> {
    let (book, now) = (book(app, who, mission)?, service::clock::now());
    let known = in_time(book.find(alarm_of(alarm)?, now)).await?.ok_or(ActError::Unknown)?;
    Ok(Describer::new(&book, now).history(&known))
}

/// As [`AlarmActRequest`] is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActBody {
    act: Request,
    note: Option<String>,
    id: Option<EntryId>,
}

/// Does something about an alarm. The answer comes when that is durable, and shows the alarm as it is then.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/alarms/{alarm}/acts", request_body = AlarmActRequest,
    params(("mission" = String, Path), ("alarm" = String, Path)),
    responses((status = 200, body = AlarmHistory), refusals::OfAct))]
pub(super) async fn act(
    State(app): State<Shared>,
    Path((name, alarm)): Path<(String, String)>,
    who: LoggedIn,
    JsonBody(ActBody { act, note, id }): JsonBody<ActBody, ACT_BYTES_MAX>,
) -> Result<Json<AlarmHistory>, ProblemResponse> {
    do_act(&app, &who, &name, &alarm, Asked { request: act, note, id }).await.map(Json)
}

/// Does what whoever may deal with the mission's alarms asks for.
pub(crate) async fn do_act(
    app: &App,
    who: &LoggedIn,
    mission: &str,
    alarm: &str,
    asked: Asked,
) -> Result<AlarmHistory, ProblemResponse> {
    let (book, now) = (book_to_act_on(app, who, mission)?, service::clock::now());
    let known = in_time(act_in(&book, &who.principal, alarm, asked)).await?;
    Ok(Describer::new(&book, now).history(&known))
}

async fn act_in(
    book: &Arc<AlarmBook>,
    who: &Principal,
    alarm: &str,
    asked: Asked,
) -> Result<Arc<Known>, ProblemResponse> {
    Ok(book.act(alarm_of(alarm)?, asked, &who.name, service::clock::now()).await?)
}

/// As [`AlarmAcknowledgements`] are read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgementsBody {
    alarms: Vec<AcknowledgementBody>,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcknowledgementBody {
    alarm: String,
    notices: Vec<EntryId>,
    id: Option<EntryId>,
}

/// Acknowledges what was shown of several alarms. Each is an act of its own; what cannot be acknowledged is told.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/alarms/acknowledge", request_body = AlarmAcknowledgements,
    params(("mission" = String, Path)),
    responses((status = 200, body = AlarmAcknowledged), refusals::OfAct))]
pub(super) async fn acknowledge(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(body): JsonBody<AcknowledgementsBody, ACKNOWLEDGEMENTS_BYTES_MAX>,
) -> Result<Json<AlarmAcknowledged>, ProblemResponse> {
    let book = book_to_act_on(&app, &who, &name)?;
    if !(1..=ACKNOWLEDGED_MAX).contains(&body.alarms.len()) {
        let detail = format!("{} alarms were sent; 1 to {ACKNOWLEDGED_MAX} are taken", body.alarms.len());
        return Err(ProblemResponse::bad_request(detail));
    }
    let mut answer = AlarmAcknowledged { done: Vec::new(), refused: Vec::new() };
    let mut out_of_order: Option<ProblemResponse> = None;
    for AcknowledgementBody { alarm, notices, id } in body.alarms {
        let request = Request::Acknowledge { notices: Some(notices) };
        let asked = Asked { request, note: body.note.clone(), id };
        let problem = match &out_of_order {
            // A store that did not take one is not asked for each of the others.
            Some(problem) => Err(problem.clone()),
            None => in_time(act_in(&book, &who.principal, &alarm, asked)).await.map(drop),
        };
        match problem {
            Ok(()) => answer.done.push(alarm),
            Err(problem) => {
                let (code, detail) = (problem.code().to_owned(), problem.detail().to_owned());
                out_of_order = out_of_order.or_else(|| problem.is_of_server().then_some(problem));
                answer.refused.push(AlarmRefused { alarm, code, detail });
            }
        }
    }
    Ok(Json(answer))
}
