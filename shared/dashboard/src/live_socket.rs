//! `/api/v1/live`: a snapshot first, then every change, without a seam; a slow browser gets a new snapshot in
//! place of what it missed, and is told so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mission_database::ParameterIndex;
use processing::Sample;
use space_packet::TaiTime;
use tokio::sync::broadcast;
use tokio::time::timeout;

use crate::access::{Credential, Principal};
use crate::api::LoggedIn;
use crate::app::App;
use crate::contract::{LiveEvent, LiveRequest};
use crate::live::DescriptionChanges;
use crate::{LiveBatch, LiveMission, ProblemResponse};

/// Close code of a stream whose session is over, after HTTP's 401.
const SESSION_OVER: u16 = 4401;
/// How long the other side gets to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// A browser that takes longer for one message is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Samples of one parameter sent from one batch; beyond, only the extremes and the ends go on the wire.
const SAMPLES_PER_BATCH: usize = 64;
/// Parameters of one subscription.
const PARAMETERS_MAX: usize = 10_000;

pub(crate) struct Subscription {
    mission: Arc<LiveMission>,
    wanted: Wanted,
    changes: broadcast::Receiver<Arc<LiveBatch>>,
    descriptions: DescriptionChanges,
}

/// Which parameters are subscribed to. Those of a later dictionary are not.
struct Wanted(Vec<bool>);

impl Wanted {
    fn has(&self, parameter: ParameterIndex) -> bool {
        self.0.get(parameter.0 as usize).copied().unwrap_or(false)
    }
}

/// Serves one browser until it leaves, its session is over, or the server stops.
pub(crate) async fn serve(mut socket: WebSocket, app: Arc<App>, who: LoggedIn) {
    let LoggedIn { principal, expires, credential } = who;
    let mut session = Session { app: Arc::clone(&app), credential, expires, check: None };
    let mut heartbeats = app.heartbeats();
    let mut subscription: Option<Subscription> = None;
    let mut text = Some(app.heartbeat(&principal));
    loop {
        if let Some(text) = text.take()
            && !matches!(timeout(SEND_TIMEOUT, socket.send(Message::Text(text))).await, Ok(Ok(())))
        {
            return;
        }
        let event = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => match subscribe(&app, &principal, &text) {
                    Ok((new, snapshot)) => {
                        subscription = new;
                        snapshot
                    }
                    Err(problem) => Some(LiveEvent::Refused {
                        code: problem.code().to_owned(),
                        detail: problem.detail().to_owned(),
                    }),
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return,
            },
            event = next_change(&mut subscription) => event,
            () = session.over() => return close(socket, SESSION_OVER, "the session is over").await,
            () = app.shutdown.cancelled() => return close(socket, close_code::AWAY, "the server stops").await,
            _ = heartbeats.tick() => {
                session.check_again();
                text = Some(app.heartbeat(&principal));
                None
            }
        };
        text = text.or_else(|| event.map(|event| Utf8Bytes::from(event.to_json())));
    }
}

/// The session a stream belongs to. It is looked up beside the stream: a store that answers slowly or not at
/// all stops no telemetry.
struct Session {
    app: Arc<App>,
    credential: Credential,
    expires: TaiTime,
    /// The look-up on its way; whether the session is there still.
    check: Option<BoxFuture<'static, bool>>,
}

impl Session {
    /// Looks the session up, if that is not being done already.
    fn check_again(&mut self) {
        let now = service::clock::now();
        if self.expires <= now {
            self.check = Some(std::future::ready(false).boxed());
        } else if self.check.is_none() {
            let (app, credential) = (Arc::clone(&self.app), self.credential.clone());
            // An unavailable store says nothing about the session.
            let check =
                async move { !matches!(app.backend.gate().principal(&credential, now).await, Ok(None)) };
            self.check = Some(check.boxed());
        }
    }

    /// Waits for a look-up that does not find the session.
    async fn over(&mut self) {
        loop {
            let Some(check) = &mut self.check else { return std::future::pending().await };
            let there = check.await;
            self.check = None;
            if !there {
                return;
            }
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            // Gone before the other side answered, the connection would take the frame with it.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(CLOSE_TIMEOUT, closing).await;
}

pub(crate) fn subscribe(
    app: &App,
    principal: &Principal,
    text: &str,
) -> Result<(Option<Subscription>, Option<LiveEvent>), ProblemResponse> {
    let LiveRequest::Subscribe { mission: name, parameters } = serde_json::from_str(text)
        .map_err(|error| ProblemResponse::bad_request(format!("the message cannot be read: {error}")))?;
    if parameters.len() > PARAMETERS_MAX {
        let detail = format!("{} parameters are more than {PARAMETERS_MAX}", parameters.len());
        return Err(ProblemResponse::bad_request(detail));
    }
    let mission = app.mission(principal, &name)?;
    // Subscribed before anything is read: what changes in between is told twice rather than never.
    let (changes, descriptions) = (mission.subscribe(), mission.subscribe_descriptions());
    let database = mission.database();
    let mut wanted = vec![false; database.parameters().len()];
    for parameter in &parameters {
        let index = database.find(parameter).ok_or_else(|| {
            ProblemResponse::unknown_parameter(format!("{parameter:?} is not a parameter of mission {name}"))
        })?;
        wanted[index.0 as usize] = true;
    }
    let wanted = Wanted(wanted);
    let snapshot = snapshot(&mission, &wanted, 0);
    Ok((Some(Subscription { mission, wanted, changes, descriptions }), Some(snapshot)))
}

fn snapshot(mission: &LiveMission, wanted: &Wanted, dropped: u64) -> LiveEvent {
    let samples = mission.latest(|parameter| wanted.has(parameter));
    LiveEvent::Snapshot { mission: mission.name().to_owned(), samples, dropped }
}

fn dictionary(mission: &LiveMission) -> LiveEvent {
    LiveEvent::Dictionary {
        mission: mission.name().to_owned(),
        dictionary_version: mission.database().at(service::clock::now()).version.0,
    }
}

/// The next thing to send; `None` when a batch held nothing that was subscribed.
async fn next_change(subscription: &mut Option<Subscription>) -> Option<LiveEvent> {
    let Some(Subscription { mission, wanted, changes, descriptions }) = subscription else {
        return std::future::pending().await;
    };
    let batch = tokio::select! {
        biased;
        () = descriptions.next() => return Some(dictionary(mission)),
        batch = changes.recv() => batch,
    };
    let batch = match batch {
        Ok(batch) => batch,
        Err(broadcast::error::RecvError::Lagged(dropped)) => return Some(snapshot(mission, wanted, dropped)),
        Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
    };
    let chosen: Vec<&Sample> = batch.samples.iter().filter(|sample| wanted.has(sample.parameter)).collect();
    if chosen.is_empty() {
        return None;
    }
    let chosen = thin(chosen);
    let samples = mission.describe_samples(chosen.into_iter().map(|sample| (batch.source, sample)));
    Some(LiveEvent::Values { mission: mission.name().to_owned(), samples })
}

/// Keeps at most a few samples of each parameter: the first, the extremes and the last of each stretch.
fn thin(samples: Vec<&Sample>) -> Vec<&Sample> {
    let mut by_parameter: HashMap<ParameterIndex, Vec<usize>> = HashMap::new();
    for (place, sample) in samples.iter().enumerate() {
        by_parameter.entry(sample.parameter).or_default().push(place);
    }
    if by_parameter.values().all(|places| places.len() <= SAMPLES_PER_BATCH) {
        return samples;
    }
    let mut kept = vec![false; samples.len()];
    for places in by_parameter.values() {
        if places.len() <= SAMPLES_PER_BATCH {
            places.iter().for_each(|&place| kept[place] = true);
            continue;
        }
        for stretch in places.chunks(places.len().div_ceil(SAMPLES_PER_BATCH / 4)) {
            let number = |place: &&usize| samples[**place].number().unwrap_or(f64::NAN);
            let least = stretch.iter().min_by(|a, b| number(a).total_cmp(&number(b)));
            let most = stretch.iter().max_by(|a, b| number(a).total_cmp(&number(b)));
            for place in [stretch.first(), least, most, stretch.last()].into_iter().flatten() {
                kept[*place] = true;
            }
        }
    }
    samples.into_iter().zip(kept).filter_map(|(sample, keep)| keep.then_some(sample)).collect()
}

#[cfg(test)]
mod tests {
    use processing::Raw;
    use space_packet::{GenerationTime, ReceptionTime, TaiTime};

    use super::*;

    fn sample(parameter: u32, number: i64) -> Sample {
        Sample {
            parameter: ParameterIndex(parameter),
            generation: GenerationTime(TaiTime(number)),
            reception: ReceptionTime::default(),
            raw: Raw::Signed(number),
            converted: None,
            validity: Default::default(),
            monitoring: Default::default(),
            version: Default::default(),
        }
    }

    #[test]
    fn a_burst_is_thinned_without_losing_its_extremes_its_ends_or_a_rare_neighbour() {
        let mut burst: Vec<_> = (0..1_000).map(|number| sample(0, number % 777)).collect();
        burst.push(sample(1, 5));
        let kept = thin(burst.iter().collect());
        assert!(kept.len() <= SAMPLES_PER_BATCH + 1, "{}", kept.len());
        for needed in [&burst[0], &burst[776], &burst[999], &burst[1_000]] {
            assert!(kept.contains(&needed));
        }
    }
}
