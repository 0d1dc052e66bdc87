//! The service `sto.v1.Alarms`.

use std::sync::Arc;

use futures_util::{StreamExt, future::ready};
use processing::alarm::{EntryId, Request as Act, Rung, Suppression, Usefulness};
use prost_types::Timestamp;
use proto::v1::act_on_alarm_request::Act as Asking;
use proto::v1::alarms_server::Alarms;
use proto::v1::live_update::Update;
use proto::v1::{
    self, ActOnAlarmRequest, ActOnAlarmResponse, AlarmsUpdate, EscalateAct, GetAlarmRequest,
    GetAlarmResponse, ListAlarmsRequest, ListAlarmsResponse, SuppressAct, WatchAlarmsRequest,
};
use tonic::{Request, Response, Status};

use super::convert::{tai, written};
use super::{Replies, Service, subscription};
use crate::ProblemResponse;
use crate::alarms::Asked;
use crate::api::alarms::{AlarmsQuery, do_act, history_of, list};
use crate::contract::{self, LiveSubject};
use crate::live::{AlarmsTold, LiveStream};

#[tonic::async_trait]
impl Alarms for Service {
    type WatchAlarmsStream = Replies<AlarmsUpdate>;

    async fn list_alarms(
        &self,
        request: Request<ListAlarmsRequest>,
    ) -> Result<Response<ListAlarmsResponse>, Status> {
        let who = self.caller(request.metadata()).await?;
        let asked = request.into_inner();
        let query = AlarmsQuery {
            open: (!asked.closed_too).then_some(true),
            at_least: least(asked.at_least()),
            detector: some(asked.detector),
            parameter: some(asked.parameter),
            limit: (asked.page_size > 0).then_some(asked.page_size as usize),
            cursor: some(asked.page_token),
            ..AlarmsQuery::default()
        };
        let found = list(&self.0, &who.principal, &asked.mission, query).await?;
        let alarms = found.alarms.into_iter().map(alarm).collect();
        Ok(Response::new(ListAlarmsResponse { alarms, next_page_token: found.next.unwrap_or_default() }))
    }

    async fn get_alarm(
        &self,
        request: Request<GetAlarmRequest>,
    ) -> Result<Response<GetAlarmResponse>, Status> {
        let who = self.caller(request.metadata()).await?;
        let GetAlarmRequest { mission, alarm: id } = request.into_inner();
        let history = history_of(&self.0, &who.principal, &mission, &id).await?;
        let written = |entry| serde_json::to_string(entry).expect("an entry holds only numbers and text");
        let entries_json = history.entries.iter().map(written).collect();
        Ok(Response::new(GetAlarmResponse { alarm: Some(alarm(history.alarm)), entries_json }))
    }

    async fn act_on_alarm(
        &self,
        request: Request<ActOnAlarmRequest>,
    ) -> Result<Response<ActOnAlarmResponse>, Status> {
        let who = self.caller(request.metadata()).await?;
        let ActOnAlarmRequest { mission, alarm: id, id: act_id, note, act } = request.into_inner();
        let asked = Asked {
            request: act_of(act)?,
            note: some(note),
            id: some(act_id).map(|id| entry_of(&id)).transpose()?,
        };
        let history = do_act(&self.0, &who, &mission, &id, asked).await?;
        Ok(Response::new(ActOnAlarmResponse { alarm: Some(alarm(history.alarm)) }))
    }

    async fn watch_alarms(
        &self,
        request: Request<WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        let who = self.caller(request.metadata()).await?;
        let WatchAlarmsRequest { mission } = request.into_inner();
        let mut stream = LiveStream::new(Arc::clone(&self.0), who.principal.clone());
        stream.open("call", LiveSubject::Alarms { mission }, None)?;
        let updates = subscription::start(Arc::clone(&self.0), &who, stream);
        let alarms = updates.filter_map(|update| {
            ready(match update {
                Ok(v1::LiveUpdate { update: Some(Update::Alarms(alarms)), .. }) => Some(Ok(alarms)),
                Ok(_) => None,
                Err(status) => Some(Err(status)),
            })
        });
        Ok(Response::new(Box::pin(alarms)))
    }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn least(severity: v1::AlarmSeverity) -> Option<contract::AlarmSeverity> {
    Some(match severity {
        v1::AlarmSeverity::Unspecified => return None,
        v1::AlarmSeverity::Watch => contract::AlarmSeverity::Watch,
        v1::AlarmSeverity::Warning => contract::AlarmSeverity::Warning,
        v1::AlarmSeverity::Distress => contract::AlarmSeverity::Distress,
        v1::AlarmSeverity::Critical => contract::AlarmSeverity::Critical,
        v1::AlarmSeverity::Severe => contract::AlarmSeverity::Severe,
    })
}

fn entry_of(text: &str) -> Result<EntryId, ProblemResponse> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(EntryId).ok_or_else(|| {
        ProblemResponse::bad_request(format!(
            "{text:?} is no id; one has 32 hexadecimal digits in lower case"
        ))
    })
}

fn act_of(act: Option<Asking>) -> Result<Act, ProblemResponse> {
    let moment = |field: &str, time: Timestamp| tai(field, Some(time));
    Ok(match act {
        None => return Err(ProblemResponse::bad_request("nothing is to be done: `act` is missing")),
        Some(Asking::Acknowledge(shown)) => {
            let notices =
                shown.notices.iter().map(|notice| entry_of(notice)).collect::<Result<Vec<_>, _>>()?;
            Act::Acknowledge { notices: (!notices.is_empty()).then_some(notices) }
        }
        Some(Asking::Assign(to)) => Act::Assign { to: some(to) },
        Some(Asking::Comment(_)) => Act::Comment {},
        Some(Asking::Escalate(EscalateAct { rung })) => {
            Act::Escalate { rung: rung.map(rung_of).transpose()? }
        }
        Some(Asking::Judge(said)) => Act::Judge {
            usefulness: match &*said {
                "false" => Usefulness::False,
                "known" => Usefulness::Known,
                "true" => Usefulness::True,
                _ => return Err(ProblemResponse::bad_request("`judge` is `true`, `false` or `known`")),
            },
        },
        Some(Asking::Reset(_)) => Act::Reset {},
        Some(Asking::Restore(_)) => Act::Restore {},
        Some(Asking::ShelveUntil(until)) => Act::Shelve { until: moment("shelve_until", until)? },
        Some(Asking::Suppress(SuppressAct { by_design, until, order })) => Act::Suppress {
            kind: if by_design { Suppression::ByDesign } else { Suppression::OutOfService },
            until: until.map(|until| moment("until", until)).transpose()?,
            order,
        },
        Some(Asking::Unshelve(_)) => Act::Unshelve {},
    })
}

fn rung_of(v1::AlarmRung { notice, ladder, step, round }: v1::AlarmRung) -> Result<Rung, ProblemResponse> {
    Ok(Rung { notice: entry_of(&notice)?, ladder, step, round })
}

/// Alarms that a subscription tells of.
pub(super) fn update(told: AlarmsTold) -> AlarmsUpdate {
    AlarmsUpdate {
        alarms: told.alarms.into_iter().map(alarm).collect(),
        is_snapshot: told.snapshot.is_some(),
        is_first: told.snapshot.is_some_and(|part| part.is_first),
        more: told.snapshot.is_some_and(|part| part.more),
    }
}

fn alarm(alarm: contract::Alarm) -> v1::Alarm {
    v1::Alarm {
        json: serde_json::to_string(&alarm).expect("an alarm holds only numbers and text"),
        id: alarm.id,
        detector: alarm.detector,
        parameter: alarm.parameter,
        node: alarm.node.unwrap_or_default(),
        first: written(&alarm.first),
        since: alarm.since.as_deref().and_then(written),
        state: state(alarm.state).into(),
        process: state(alarm.process).into(),
        rings: alarm.rings,
        severity: alarm.severity.map_or(v1::AlarmSeverity::Unspecified, severity).into(),
        worst: alarm.worst.map_or(v1::AlarmSeverity::Unspecified, severity).into(),
        unacknowledged: alarm.unacknowledged.into_iter().map(|notice| notice.entry).collect(),
        first_out: alarm.group.map(|group| group.first_out).unwrap_or_default(),
    }
}

fn severity(severity: contract::AlarmSeverity) -> v1::AlarmSeverity {
    match severity {
        contract::AlarmSeverity::Watch => v1::AlarmSeverity::Watch,
        contract::AlarmSeverity::Warning => v1::AlarmSeverity::Warning,
        contract::AlarmSeverity::Distress => v1::AlarmSeverity::Distress,
        contract::AlarmSeverity::Critical => v1::AlarmSeverity::Critical,
        contract::AlarmSeverity::Severe => v1::AlarmSeverity::Severe,
    }
}

fn state(state: contract::AlarmState) -> v1::AlarmState {
    match state {
        contract::AlarmState::ActiveAcknowledged => v1::AlarmState::ActiveAcknowledged,
        contract::AlarmState::ActiveUnacknowledged => v1::AlarmState::ActiveUnacknowledged,
        contract::AlarmState::ClearedUnacknowledged => v1::AlarmState::ClearedUnacknowledged,
        contract::AlarmState::Latched => v1::AlarmState::Latched,
        contract::AlarmState::Normal => v1::AlarmState::Normal,
        contract::AlarmState::OutOfService => v1::AlarmState::OutOfService,
        contract::AlarmState::Shelved => v1::AlarmState::Shelved,
        contract::AlarmState::SuppressedByDesign => v1::AlarmState::SuppressedByDesign,
    }
}
