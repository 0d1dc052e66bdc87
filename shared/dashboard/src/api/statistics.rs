//! Ranges in numbers: statistics of one parameter, and several parameters on one grid of cells.

use axum::Json;
use axum::extract::State;
use futures_util::{StreamExt, TryStreamExt, stream};
use mission_database::ParameterIndex;
use processing::{CellStatistics, RangeAnswer, RangeQuery, Wanted};
use serde::Deserialize;
use space_packet::TaiTime;
use space_packet::time::parse_duration;
use utoipa::IntoParams;

use super::asking::{Asked, OfMission, in_time};
use super::latest::find_all;
use super::samples::POINTS_MAX;
use super::{Shared, refusals};
use crate::contract::{Aligned, AlignedColumn, BucketStatistic, Statistics};
use crate::convert::{rfc3339, statistic, unix_ms};
use crate::{LiveMission, ProblemResponse};

/// Parameters on one grid.
const PARAMETERS_MAX: usize = 100;
/// Cells of all of them.
const CELLS_MAX: usize = 500_000;
/// Of them, so many at once: there are few connections for questions.
const AT_ONCE: usize = 3;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StatisticsQuery {
    /// Full path of the parameter.
    parameter: String,
    /// Beginning of the range, included: RFC 3339, day of the year, or relative as `now-1h`.
    from: String,
    /// End of the range, excluded.
    to: String,
    /// Also of so many buckets, 1 to 10,000.
    #[param(minimum = 1, maximum = 10_000)]
    points: Option<usize>,
    /// Also of buckets of this width, for example `10s` or `1h`; not together with `points`.
    step: Option<String>,
    /// The archive as it was read up to this reading, 0 as it came; absent: as it is read now.
    reading: Option<u32>,
}

/// Count, extremes, mean, deviation and time outside limits of one parameter in a range.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/statistics", params(("mission" = String, Path), StatisticsQuery),
    responses((status = 200, body = Statistics), refusals::OfQuestion))]
pub(super) async fn statistics(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<StatisticsQuery>,
) -> Result<Json<Statistics>, ProblemResponse> {
    let parameter = super::find(&mission, &asked.parameter)?;
    let (from, to) = super::range(&asked.from, &asked.to)?;
    let grid = Grid::of((from, to), asked.points, asked.step.as_deref())?;
    let width = grid.as_ref().map_or(i64::MAX, |grid| grid.width);
    let found = in_time(ask(&app, &mission, (parameter, asked.reading), (from, to), width)).await?;
    let bucket = |(place, cell): &(usize, CellStatistics)| BucketStatistic {
        from: rfc3339(beginning(from, width, *place)),
        statistic: statistic(cell),
    };
    Ok(Json(Statistics {
        parameter: asked.parameter,
        from: rfc3339(from),
        to: rfc3339(to),
        total: statistic(&found.total),
        bucket_ms: grid.as_ref().map(Grid::width_ms),
        buckets: if grid.is_some() { found.cells.iter().map(bucket).collect() } else { Vec::new() },
    }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AlignedQuery {
    /// Full path of a parameter, once for each, 100 at most.
    #[serde(default)]
    parameter: Vec<String>,
    /// Beginning of the range, included: RFC 3339, day of the year, or relative as `now-1h`.
    from: String,
    /// End of the range, excluded.
    to: String,
    /// So many cells, 1 to 10,000; all parameters together 500,000 at most.
    #[param(minimum = 1, maximum = 10_000)]
    points: Option<usize>,
    /// Cells of this width, for example `10s` or `1h`; one of `points` and `step` is needed.
    step: Option<String>,
    /// The archive as it was read up to this reading, 0 as it came; absent: as it is read now.
    reading: Option<u32>,
}

/// Several parameters on one grid of cells.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/aligned", params(("mission" = String, Path), AlignedQuery),
    responses((status = 200, body = Aligned), refusals::OfQuestion))]
pub(super) async fn aligned(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<AlignedQuery>,
) -> Result<Json<Aligned>, ProblemResponse> {
    let parameters = find_all(&mission, &asked.parameter, PARAMETERS_MAX)?;
    let range = super::range(&asked.from, &asked.to)?;
    let grid = Grid::of(range, asked.points, asked.step.as_deref())?
        .ok_or_else(|| ProblemResponse::bad_request("say with `points` or `step` how wide a cell is"))?;
    if grid.cells * parameters.len() > CELLS_MAX {
        let detail = format!(
            "{} parameters of {} cells are more than {CELLS_MAX}; ask for fewer parameters, or wider cells",
            parameters.len(),
            grid.cells
        );
        return Err(ProblemResponse::bad_request(detail));
    }
    let columns = stream::iter(parameters.into_iter().zip(asked.parameter))
        .map(|(parameter, name)| {
            let asking = ask(&app, &mission, (parameter, asked.reading), range, grid.width);
            async { Ok(column(name, grid.cells, &asking.await?.cells)) }
        })
        .buffered(AT_ONCE)
        .try_collect();
    let columns = in_time(columns).await?;
    let times = (0..grid.cells).map(|place| unix_ms(beginning(range.0, grid.width, place).0)).collect();
    let (from, to) = (rfc3339(range.0), rfc3339(range.1));
    Ok(Json(Aligned { from, to, step_ms: grid.width_ms(), times, columns }))
}

fn column(parameter: String, count: usize, cells: &[(usize, CellStatistics)]) -> AlignedColumn {
    let mut dense = vec![CellStatistics::default(); count];
    cells.iter().for_each(|(place, cell)| dense[*place] = *cell);
    AlignedColumn {
        parameter,
        min: dense.iter().map(|cell| cell.minimum).collect(),
        max: dense.iter().map(|cell| cell.maximum).collect(),
        mean: dense.iter().map(CellStatistics::mean).collect(),
        last: dense.iter().map(|cell| cell.last.map(|(_, number)| number)).collect(),
        count: dense.iter().map(|cell| cell.count).collect(),
    }
}

/// Cells of a range.
#[derive(Debug, Eq, PartialEq)]
struct Grid {
    width: i64,
    cells: usize,
}

impl Grid {
    /// By number or by width; none when neither is given.
    fn of(
        (from, to): (TaiTime, TaiTime),
        points: Option<usize>,
        step: Option<&str>,
    ) -> Result<Option<Self>, ProblemResponse> {
        let length = i128::from(to.0) - i128::from(from.0);
        let width = match (points, step) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(ProblemResponse::bad_request("give `points` or `step`, not both"));
            }
            (Some(points), None) if (1..=POINTS_MAX).contains(&points) => (length - 1) / points as i128 + 1,
            (Some(points), None) => {
                let detail = format!("`points` is {points}, and can be 1 to {POINTS_MAX}");
                return Err(ProblemResponse::bad_request(detail));
            }
            (None, Some(step)) => {
                let width = parse_duration(step).filter(|width| *width > 0).ok_or_else(|| {
                    ProblemResponse::bad_request(format!(
                        "`step` cannot be {step:?}: it is a whole number above 0 with ms, s, m, h, d or w"
                    ))
                })?;
                i128::from(width).min(length)
            }
        };
        let cells = (length - 1) / width + 1;
        if cells > POINTS_MAX as i128 {
            let detail = format!("that makes {cells} cells, more than {POINTS_MAX}; take a wider `step`");
            return Err(ProblemResponse::bad_request(detail));
        }
        // Of the whole of time one cell is wider than can be said.
        Ok(Some(Self { width: i64::try_from(width).unwrap_or(i64::MAX), cells: cells as usize }))
    }

    fn width_ms(&self) -> f64 {
        self.width as f64 / 1e6
    }
}

fn beginning(from: TaiTime, width: i64, place: usize) -> TaiTime {
    TaiTime((i128::from(from.0) + i128::from(width) * place as i128) as i64)
}

async fn ask(
    app: &Shared,
    mission: &LiveMission,
    (parameter, reading): (ParameterIndex, Option<u32>),
    (from, to): (TaiTime, TaiTime),
    width_nanos: i64,
) -> Result<processing::Statistics, ProblemResponse> {
    let query = RangeQuery { parameter, from, to, wanted: Wanted::Statistics { width_nanos }, reading };
    match app.backend.range(mission, query).await? {
        RangeAnswer::Statistics(found) => Ok(found),
        _ => Err(super::unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_covers_its_range_and_no_more() {
        let range = (TaiTime(5), TaiTime(1_000_000_005));
        let grid =
            |points, step| Grid::of(range, points, step).map_err(|problem| problem.detail().to_owned());
        assert_eq!(grid(None, None), Ok(None));
        for (points, step, width, cells) in [
            (Some(3), None, 333_333_334, 3),
            (Some(10_000), None, 100_000, 10_000),
            (None, Some("300ms"), 300_000_000, 4),
            (None, Some("7d"), 1_000_000_000, 1),
        ] {
            assert_eq!(grid(points, step), Ok(Some(Grid { width, cells })));
        }
        for (points, step, told) in [
            (Some(0), None, "can be 1 to 10000"),
            (Some(10_000_000), None, "can be 1 to 10000"),
            (Some(1), Some("1s"), "not both"),
            (None, Some("0s"), "cannot be"),
            (None, Some("fast"), "cannot be"),
        ] {
            let problem = grid(points, step).expect_err(told);
            assert!(problem.contains(told), "{problem}");
        }
        let whole = (TaiTime(i64::MIN), TaiTime(i64::MAX));
        assert!(Grid::of(whole, None, Some("1s")).is_err(), "of all of time");
        assert_eq!(beginning(TaiTime(i64::MIN), i64::MAX, 2), TaiTime(i64::MAX - 1));
    }
}
