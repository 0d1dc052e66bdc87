//! The newest samples of a mission's parameters, and how they stood at a moment.

use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};
use mission_database::ParameterIndex;
use processing::{RangeAnswer, RangeQuery, Sample, Wanted};
use serde::Deserialize;
use space_packet::TaiTime;
use space_packet::time::parse_duration;
use utoipa::IntoParams;

use super::asking::{Asked, JsonBody, OfMission, in_time};
use super::{Shared, refusals, time};
use crate::contract::{Latest, LatestQuestion, ValueAt, ValuesAt};
use crate::convert::rfc3339;
use crate::{LiveMission, ProblemResponse};

/// A question for 10,000 parameters with paths of 100 letters fits.
const BODY_BYTES_MAX: usize = 1 << 20;
const PARAMETERS_MAX: usize = 10_000;
/// Parameters whose values at a moment are looked for by one request.
const AT_PARAMETERS_MAX: usize = 200;
/// Of them, so many at once: there are few connections for questions.
const AT_ONCE: usize = 3;
const LOOK_BACK_DEFAULT: &str = "1d";
const DAY: i64 = 86_400_000_000_000;
const LOOK_BACK_MAX: i64 = 3_660 * DAY;
/// First so far back, and then sixty times as far: a value is mostly young.
const LOOK_BACK_FIRST: i64 = 60_000_000_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LatestQuery {
    /// Full path of a parameter, once for each; all when absent.
    #[serde(default)]
    parameter: Vec<String>,
}

/// The newest sample of each parameter, or of those that are named.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/latest", params(("mission" = String, Path), LatestQuery),
    responses((status = 200, body = Latest), refusals::OfQuestion))]
pub(super) async fn latest(
    OfMission(mission): OfMission,
    Asked(asked): Asked<LatestQuery>,
) -> Result<Json<Latest>, ProblemResponse> {
    if asked.parameter.is_empty() {
        return Ok(Json(Latest { at: rfc3339(service::clock::now()), values: mission.latest(|_| true) }));
    }
    newest(&mission, &asked.parameter)
}

/// The newest sample of many parameters.
#[utoipa::path(post, path = "/api/v1/missions/{mission}/latest", params(("mission" = String, Path)),
    request_body = LatestQuestion, responses((status = 200, body = Latest), refusals::OfBody))]
pub(super) async fn latest_of(
    OfMission(mission): OfMission,
    JsonBody(asked): JsonBody<LatestQuestion, BODY_BYTES_MAX>,
) -> Result<Json<Latest>, ProblemResponse> {
    newest(&mission, &asked.parameters)
}

fn newest(mission: &LiveMission, parameters: &[String]) -> Result<Json<Latest>, ProblemResponse> {
    let mut wanted = vec![false; mission.database().parameters().len()];
    for parameter in find_all(mission, parameters, PARAMETERS_MAX)? {
        wanted[parameter.0 as usize] = true;
    }
    let is_wanted =
        |parameter: ParameterIndex| wanted.get(parameter.0 as usize).is_some_and(|wanted| *wanted);
    Ok(Json(Latest { at: rfc3339(service::clock::now()), values: mission.latest(is_wanted) }))
}

/// Parameters by name, at most so many.
pub(super) fn find_all(
    mission: &LiveMission,
    names: &[String],
    max: usize,
) -> Result<Vec<ParameterIndex>, ProblemResponse> {
    if names.len() > max {
        let detail = format!("{} parameters are more than {max}; ask several times", names.len());
        return Err(ProblemResponse::bad_request(detail));
    }
    names.iter().map(|name| super::find(mission, name)).collect()
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AtQuery {
    /// Full path of a parameter, once for each, 200 at most.
    #[serde(default)]
    parameter: Vec<String>,
    /// The moment: RFC 3339, day of the year, or relative as `now-1h`.
    time: String,
    /// How far back a sample may lie, for example `90s`, `15m` or `7d`, 3,660 days at most; a day when absent.
    look_back: Option<String>,
}

/// The value of each parameter at a moment: the newest sample that is not after it.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/at", params(("mission" = String, Path), AtQuery),
    responses((status = 200, body = ValuesAt), refusals::OfQuestion))]
pub(super) async fn at(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<AtQuery>,
) -> Result<Json<ValuesAt>, ProblemResponse> {
    let parameters = find_all(&mission, &asked.parameter, AT_PARAMETERS_MAX)?;
    let moment = time(&asked.time)?;
    let look_back = look_back(asked.look_back.as_deref().unwrap_or(LOOK_BACK_DEFAULT))?;
    let found = stream::iter(parameters.into_iter().zip(asked.parameter))
        .map(|(parameter, name)| value_at(&app, &mission, (parameter, name), (moment, look_back)))
        .buffered(AT_ONCE)
        .try_collect();
    let values = in_time(found).await?;
    let looked_back_to = rfc3339(moment.plus_nanos(-look_back));
    Ok(Json(ValuesAt { at: rfc3339(moment), looked_back_to, values }))
}

fn look_back(text: &str) -> Result<i64, ProblemResponse> {
    parse_duration(text).filter(|nanos| (0..=LOOK_BACK_MAX).contains(nanos)).ok_or_else(|| {
        ProblemResponse::bad_request(format!(
            "`look_back` cannot be {text:?}: it is a whole number with ms, s, m, h, d or w, and 3660d at most"
        ))
    })
}

async fn value_at(
    app: &Shared,
    mission: &LiveMission,
    (parameter, name): (ParameterIndex, String),
    (moment, look_back): (TaiTime, i64),
) -> Result<ValueAt, ProblemResponse> {
    let (mut to, mut reach) = (moment.plus_nanos(1), LOOK_BACK_FIRST.min(look_back));
    let found = loop {
        let from = moment.plus_nanos(-reach);
        if let Some(found) = last_within(app, mission, parameter, (from, to)).await? {
            break Some(found);
        }
        if reach == look_back {
            break None;
        }
        (to, reach) = (from, reach.saturating_mul(60).min(look_back));
    };
    let age = |sample: &Sample| moment.0.saturating_sub(sample.generation.0.0) as f64 / 1e6;
    Ok(ValueAt {
        parameter: name,
        age_ms: found.as_ref().map(|(_, sample)| age(sample)),
        sample: found
            .and_then(|(source, sample)| mission.describe_samples([(source, &sample)].into_iter()).pop()),
    })
}

/// The last sample of a range. A node may answer by parts rather than read its journal for ever.
async fn last_within(
    app: &Shared,
    mission: &LiveMission,
    parameter: ParameterIndex,
    (from, mut to): (TaiTime, TaiTime),
) -> Result<Option<(u32, Sample)>, ProblemResponse> {
    loop {
        let wanted = Wanted::PageBackwards { limit: 1 };
        let query = RangeQuery { parameter, from, to, wanted, reading: None };
        let RangeAnswer::PageBackwards { samples, next } = app.backend.range(mission, query).await? else {
            return Err(super::unexpected());
        };
        match (samples.into_iter().next(), next) {
            (Some(found), _) => return Ok(Some(found)),
            (None, Some(next)) if from < next && next < to => to = next,
            (None, _) => return Ok(None),
        }
    }
}
