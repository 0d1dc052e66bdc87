//! A range of one parameter: as buckets with its gaps, or as the samples themselves, forwards and backwards.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use processing::{RangeAnswer, RangeQuery, Wanted};
use serde::Deserialize;
use utoipa::IntoParams;

use super::asking::{Asked, OfMission, in_time};
use super::buckets::{Silences, within};
use super::cursor::{self, Rest};
use super::{Shared, refusals};
use crate::contract::{Buckets, Order, Page, Samples};
use crate::{LiveMission, ProblemResponse, convert};

const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_MAX: usize = 10_000;
pub(super) const POINTS_MAX: usize = 10_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SamplesQuery {
    /// Full path of the parameter.
    parameter: String,
    /// Beginning of the range, included: RFC 3339, day of the year, or relative as `now-1h`.
    from: String,
    /// End of the range, excluded.
    to: String,
    /// At most so many buckets, 1 to 10,000; absent for the samples themselves.
    #[param(minimum = 1, maximum = 10_000)]
    points: Option<usize>,
    /// With `points`: also spans without samples, and what may be their cause.
    gaps: Option<bool>,
    /// Samples of a page, 1 to 10,000; 1,000 when absent.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<usize>,
    /// In which order pages and their samples come; `asc` when absent.
    order: Option<Order>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// The archive as it was read up to this reading, 0 as it came; absent: as it is read now.
    reading: Option<u32>,
}

/// A range of one parameter, from the archive and from what came in this moment, as one.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/samples", params(("mission" = String, Path), SamplesQuery),
    responses((status = 200, body = Samples), refusals::OfQuestion))]
pub(super) async fn samples(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<SamplesQuery>,
    uri: Uri,
) -> Result<Json<Samples>, ProblemResponse> {
    let parameter = super::find(&mission, &asked.parameter)?;
    let points = asked.points.map(|points| within("points", points, POINTS_MAX)).transpose()?;
    let limit = within("limit", asked.limit.unwrap_or(LIMIT_DEFAULT), LIMIT_MAX)?;
    let order = asked.order.unwrap_or_default();
    let question = question(&mission, &uri);
    let Rest { from, to } = match &asked.cursor {
        Some(cursor) => cursor::read(&question, cursor)?,
        None => {
            let (from, to) = super::range(&asked.from, &asked.to)?;
            Rest { from, to }
        }
    };
    let wanted = match (points, order) {
        (Some(points), _) => Wanted::Pixels { points },
        (None, Order::Asc) => Wanted::Page { limit },
        (None, Order::Desc) => Wanted::PageBackwards { limit },
    };
    let query = RangeQuery { parameter, from, to, wanted, reading: asked.reading };
    let answer = in_time(app.backend.range(&mission, query)).await?;
    let page = |samples: Vec<(u32, processing::Sample)>, rest: Option<Rest>| {
        Samples::Page(Page {
            samples: mission.describe_samples(samples.iter().map(|(source, sample)| (*source, sample))),
            parameter: asked.parameter.clone(),
            next: rest.map(|rest| cursor::write(&question, rest)),
        })
    };
    Ok(Json(match answer {
        RangeAnswer::Page { samples, next } => page(samples, next.map(|from| Rest { from, to })),
        RangeAnswer::PageBackwards { samples, next } => page(samples, next.map(|to| Rest { from, to })),
        RangeAnswer::Pixels(found) => {
            let gaps = match asked.gaps {
                Some(true) => Some(Silences::new(&app, &mission, (from, to)).of(parameter, &found).await),
                _ => None,
            };
            Samples::Buckets(Buckets { gaps, ..convert::buckets(&asked.parameter, found) })
        }
        RangeAnswer::Statistics(_) => return Err(super::unexpected()),
    }))
}

/// What a cursor belongs to: everything that was asked but the cursor itself and how many samples a page has.
fn question(mission: &LiveMission, uri: &Uri) -> String {
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut kept: Vec<&str> =
        pairs.filter(|pair| !pair.starts_with("cursor=") && !pair.starts_with("limit=")).collect();
    kept.sort_unstable();
    format!("{} {}", mission.name(), kept.join("&"))
}
