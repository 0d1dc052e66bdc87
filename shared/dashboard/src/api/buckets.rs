//! A range reduced to buckets, of several parameters in one answer, and where such a range has no samples.

use std::ops::Range;

use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt, stream};
use mission_database::ParameterIndex;
use processing::{Hour, RangeAnswer, RangeQuery, Wanted};
use serde::Deserialize;
use space_packet::TaiTime;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::asking::{Asked, OfMission, in_time_until};
use super::samples::POINTS_MAX;
use super::{RANGE_TIMEOUT, Shared, refusals};
use crate::contract::{Buckets, BucketsOrProblem, CompletenessBy, ManyBuckets, Silence};
use crate::silence::{self, Account};
use crate::{LiveMission, ProblemResponse, convert};

const PARAMETERS_MAX: usize = 64;
/// Buckets of one answer.
const BUCKETS_MAX: usize = 500_000;
/// Parameters read at once: there are few connections for questions.
const AT_ONCE: usize = 3;
/// Hours of silence whose account is taken hour by hour; a wider one is taken as a whole.
const ACCOUNT_HOURS_MAX: i32 = 24 * 31;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct BucketsQuery {
    /// Full path of a parameter, once for each, 64 at most.
    #[serde(default)]
    parameter: Vec<String>,
    /// Beginning of the range, included: RFC 3339, day of the year, or relative as `now-1h`.
    from: String,
    /// End of the range, excluded.
    to: String,
    /// At most so many buckets of each, 1 to 10,000.
    #[param(minimum = 1, maximum = 10_000)]
    points: usize,
    /// Also spans without samples, and what may be their cause.
    gaps: Option<bool>,
    /// The archive as it was read up to this reading, 0 as it came; absent: as it is read now.
    reading: Option<u32>,
}

/// A range of several parameters, each as it is answered alone. One that cannot be answered says why in its place.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/buckets", params(("mission" = String, Path), BucketsQuery),
    responses((status = 200, body = ManyBuckets), refusals::OfQuestion))]
pub(super) async fn buckets(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<BucketsQuery>,
) -> Result<Json<ManyBuckets>, ProblemResponse> {
    let points = within("points", asked.points, POINTS_MAX)?;
    let count = asked.parameter.len();
    if count > PARAMETERS_MAX || count * points > BUCKETS_MAX {
        let detail = format!(
            "{count} parameters of {points} buckets are more than {PARAMETERS_MAX} parameters or {BUCKETS_MAX} buckets; ask several times"
        );
        return Err(ProblemResponse::bad_request(detail));
    }
    let (from, to) = super::range(&asked.from, &asked.to)?;
    let deadline = Instant::now() + RANGE_TIMEOUT;
    let found: Vec<_> = stream::iter(asked.parameter.clone())
        .map(|name| {
            let found = super::find(&mission, &name).map(|parameter| {
                let (wanted, reading) = (Wanted::Pixels { points }, asked.reading);
                let query = RangeQuery { parameter, from, to, wanted, reading };
                (parameter, app.backend.range(&mission, query))
            });
            async move {
                let (parameter, answer) = found?;
                match in_time_until(deadline, answer).await? {
                    RangeAnswer::Pixels(found) => Ok((parameter, found)),
                    _ => Err(super::unexpected()),
                }
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut silences = Silences::until(deadline, &app, &mission, (from, to));
    let mut answers = Vec::with_capacity(count);
    for (name, found) in asked.parameter.iter().zip(found) {
        answers.push(match found {
            Ok((parameter, found)) => {
                let gaps = match asked.gaps {
                    Some(true) => Some(silences.of(parameter, &found).await),
                    _ => None,
                };
                BucketsOrProblem::Buckets(Buckets { gaps, ..convert::buckets(name, found) })
            }
            Err(problem) => BucketsOrProblem::Problem(problem.document()),
        });
    }
    Ok(Json(ManyBuckets { answers }))
}

/// A number of a question, if it is between 1 and the most that is answered.
pub(super) fn within(name: &str, value: usize, max: usize) -> Result<usize, ProblemResponse> {
    if (1..=max).contains(&value) {
        return Ok(value);
    }
    Err(ProblemResponse::bad_request(format!("`{name}` is {value}, and can be 1 to {max}")))
}

/// Says where a range has no samples, of one parameter after the other.
pub(super) struct Silences<'a> {
    app: &'a Shared,
    mission: &'a LiveMission,
    range: (TaiTime, TaiTime),
    deadline: Instant,
    /// What was asked for already: most parameters are silent in the same hours.
    accounts: Vec<(Range<Hour>, Option<Account>)>,
}

impl<'a> Silences<'a> {
    pub(super) fn new(app: &'a Shared, mission: &'a LiveMission, range: (TaiTime, TaiTime)) -> Self {
        Self::until(Instant::now() + RANGE_TIMEOUT, app, mission, range)
    }

    fn until(
        deadline: Instant,
        app: &'a Shared,
        mission: &'a LiveMission,
        range: (TaiTime, TaiTime),
    ) -> Self {
        Self { app, mission, range, deadline, accounts: Vec::new() }
    }

    pub(super) async fn of(
        &mut self,
        parameter: ParameterIndex,
        found: &processing::Buckets,
    ) -> Vec<Silence> {
        let (from, to) = self.range;
        let until = to.0.min(service::clock::now().0);
        let spans = silence::spans(found, (from.0, until), self.mission.usual_interval_s(parameter));
        let ends = spans.first().zip(spans.last());
        let hours = ends.and_then(|(first, last)| Hour::span(TaiTime(first.from), TaiTime(last.to)));
        let Some(hours) = hours else { return Vec::new() };
        let account = self.account(hours).await;
        spans.iter().map(|span| silence::describe(span, account)).collect()
    }

    /// Absent where nobody keeps account, or has more of it than an answer holds: where nothing is, is known all the same.
    async fn account(&mut self, hours: Range<Hour>) -> Option<&Account> {
        let place = match self.accounts.iter().position(|(known, _)| *known == hours) {
            Some(place) => place,
            None => {
                let is_wide = hours.end.0 - hours.start.0 > ACCOUNT_HOURS_MAX;
                let by = if is_wide { CompletenessBy::Day } else { CompletenessBy::Hour };
                let asking = self.app.backend.completeness(self.mission, hours.clone(), by);
                let completeness = in_time_until(self.deadline, asking).await.ok();
                let account = completeness.map(|completeness| {
                    Account::new(self.mission.name(), completeness, self.app.backend.nodes())
                });
                self.accounts.push((hours, account));
                self.accounts.len() - 1
            }
        };
        self.accounts[place].1.as_ref()
    }
}
