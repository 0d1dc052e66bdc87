//! `/api/v1/live`: a snapshot first, then every change, without a seam; a slow browser gets a new snapshot in
//! place of what it missed, and is told so.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use mission_database::ParameterIndex;
use processing::Sample;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::contract::{LiveEvent, LiveRequest};
use crate::convert::rfc3339;
use crate::{Backend, LiveBatch, LiveMission, ProblemResponse};

const HEARTBEAT: Duration = Duration::from_secs(1);
/// A browser that takes longer for one message is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Samples of one parameter sent from one batch; beyond, only the extremes and the ends go on the wire.
const SAMPLES_PER_BATCH: usize = 64;
/// Parameters of one subscription.
const PARAMETERS_MAX: usize = 10_000;

struct Subscription {
    mission: Arc<LiveMission>,
    wanted: Vec<bool>,
    changes: broadcast::Receiver<Arc<LiveBatch>>,
}

/// Serves one browser until it leaves.
pub(crate) async fn serve(mut socket: WebSocket, backend: Arc<dyn Backend>) {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut subscription: Option<Subscription> = None;
    loop {
        let event = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => match subscribe(&*backend, &text) {
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
            _ = heartbeat.tick() => {
                Some(LiveEvent::Heartbeat { at: rfc3339(service::clock::now()), nodes: backend.nodes() })
            }
        };
        if let Some(event) = event {
            let text = serde_json::to_string(&event).expect("events hold only numbers and text");
            if !matches!(timeout(SEND_TIMEOUT, socket.send(Message::text(text))).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

fn subscribe(
    backend: &dyn Backend,
    text: &str,
) -> Result<(Option<Subscription>, Option<LiveEvent>), ProblemResponse> {
    let LiveRequest::Subscribe { mission: name, parameters } = serde_json::from_str(text)
        .map_err(|error| ProblemResponse::bad_request(format!("the message cannot be read: {error}")))?;
    if parameters.len() > PARAMETERS_MAX {
        let detail = format!("{} parameters are more than {PARAMETERS_MAX}", parameters.len());
        return Err(ProblemResponse::bad_request(detail));
    }
    let mission = backend
        .missions()
        .into_iter()
        .find(|mission| mission.name() == name)
        .ok_or_else(|| ProblemResponse::unknown_mission(format!("{name:?} is not a mission here")))?;
    let mut wanted = vec![false; mission.dictionary().parameters().len()];
    for parameter in &parameters {
        let index = mission.dictionary().find(parameter).ok_or_else(|| {
            ProblemResponse::unknown_parameter(format!("{parameter:?} is not a parameter of mission {name}"))
        })?;
        wanted[index.0 as usize] = true;
    }
    // Subscribed before the snapshot is taken: what changes in between is sent twice rather than never.
    let changes = mission.subscribe();
    let snapshot = snapshot(&mission, &wanted, 0);
    Ok((Some(Subscription { mission, wanted, changes }), Some(snapshot)))
}

fn snapshot(mission: &LiveMission, wanted: &[bool], dropped: u64) -> LiveEvent {
    let samples = mission.latest(|parameter| wanted[parameter.0 as usize]);
    LiveEvent::Snapshot { mission: mission.name().to_owned(), samples, dropped }
}

/// The next thing to send; `None` when a batch held nothing that was subscribed.
async fn next_change(subscription: &mut Option<Subscription>) -> Option<LiveEvent> {
    let Some(Subscription { mission, wanted, changes }) = subscription else {
        return std::future::pending().await;
    };
    let batch = match changes.recv().await {
        Ok(batch) => batch,
        Err(broadcast::error::RecvError::Lagged(dropped)) => return Some(snapshot(mission, wanted, dropped)),
        Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
    };
    let chosen: Vec<&Sample> =
        batch.samples.iter().filter(|sample| wanted[sample.parameter.0 as usize]).collect();
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
            calibrated: None,
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
