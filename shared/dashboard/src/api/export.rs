//! The route that gives out everything of a span, as long as that may be.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use mission_database::ParameterIndex;
use space_packet::TaiTime;
use utoipa::IntoParams;

use super::asking::in_time;
use super::packets::apid;
use super::paging::span;
use super::{LoggedIn, Shared, find, refusals};
use crate::records::{Exported, PacketFilter, SampleFormat};
use crate::{LiveMission, ProblemResponse};

/// More parameters are asked for one after the other.
const PARAMETERS_MAX: usize = 1_000;

#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// `csv`, `jsonl`, `parquet`, or `packets` for the space packets themselves.
    #[param(required, value_type = String)]
    format: Option<String>,
    /// Full path of a parameter; once for each, 1,000 at most. Not with `packets`.
    #[param(required = false)]
    parameter: Vec<String>,
    /// Beginning of the span, included: of generation times, of `packets` of reception times.
    #[param(required, value_type = String)]
    from: Option<String>,
    /// End of the span, excluded.
    #[param(required, value_type = String)]
    to: Option<String>,
    /// The archive as it was read up to this reading, 0 as it came; absent: as it is read now. Not with `packets`.
    reading: Option<u32>,
    /// With `packets`: of this APID only.
    apid: Option<u16>,
    /// With `packets`: of the node with this name only.
    node: Option<String>,
    /// With `packets`: that came in on this link only.
    link: Option<String>,
}

impl ExportQuery {
    /// Keys may repeat, which a struct cannot be read from.
    fn of(pairs: Vec<(String, String)>) -> Result<Self, ProblemResponse> {
        let mut query = Self::default();
        for (key, value) in pairs {
            let place = match key.as_str() {
                "parameter" => {
                    query.parameter.push(value);
                    continue;
                }
                "reading" => {
                    query.reading = Some(number(&key, &value)?);
                    continue;
                }
                "apid" => {
                    query.apid = Some(number(&key, &value)?);
                    continue;
                }
                "format" => &mut query.format,
                "from" => &mut query.from,
                "to" => &mut query.to,
                "node" => &mut query.node,
                "link" => &mut query.link,
                _ => {
                    let known = "format, parameter, from, to, reading, apid, node, link";
                    return Err(ProblemResponse::bad_request(format!("{key:?} is not one of {known}")));
                }
            };
            if place.replace(value).is_some() {
                return Err(ProblemResponse::bad_request(format!("`{key}` stands there twice")));
            }
        }
        Ok(query)
    }

    /// What is to be exported, and the ending of its file.
    fn exported(self, mission: &LiveMission) -> Result<(Exported, &'static str), ProblemResponse> {
        let (format, ending) = match self.format.as_deref() {
            Some("csv") => (SampleFormat::Csv, "csv"),
            Some("jsonl") => (SampleFormat::JsonLines, "jsonl"),
            Some("parquet") => (SampleFormat::Parquet, "parquet"),
            Some("packets") if self.parameter.is_empty() && self.reading.is_none() => {
                let (node, link) = (self.node, self.link);
                let filter = PacketFilter { apid: apid(self.apid)?, node, link, is_quarantined: false };
                return Ok((Exported::Packets(filter), "bin"));
            }
            Some("packets") => {
                let detail =
                    "`parameter` and `reading` are about samples; leave them out, or choose another format";
                return Err(ProblemResponse::bad_request(detail));
            }
            _ => {
                let detail = "say `format`: csv, jsonl, parquet, or packets for the space packets themselves";
                return Err(ProblemResponse::bad_request(detail));
            }
        };
        if self.apid.is_some() || self.node.is_some() || self.link.is_some() {
            let detail =
                "`apid`, `node` and `link` choose packets; leave them out, or choose the format packets";
            return Err(ProblemResponse::bad_request(detail));
        }
        if !(1..=PARAMETERS_MAX).contains(&self.parameter.len()) {
            let found = self.parameter.len();
            let detail =
                format!("say `parameter` once for each, {PARAMETERS_MAX} at most; there are {found}");
            return Err(ProblemResponse::bad_request(detail));
        }
        let parameters = self.parameter.iter().map(|parameter| find(mission, parameter));
        let parameters = parameters.collect::<Result<Vec<ParameterIndex>, _>>()?;
        Ok((Exported::Samples { format, parameters, reading: self.reading }, ending))
    }
}

fn number<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, ProblemResponse> {
    value.parse().map_err(|_| ProblemResponse::bad_request(format!("`{key}` is not a number: {value:?}")))
}

/// Everything of a span, as a file. It is made while it is sent; one that fails half-way ends by a cut connection,
/// never as if it were whole. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/export", params(("mission" = String, Path), ExportQuery),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = String), refusals::OfExport))]
pub(super) async fn export(
    State(app): State<Shared>,
    Path(name): Path<String>,
    version: Version,
    who: LoggedIn,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    if version < Version::HTTP_11 {
        let detail =
            "before HTTP/1.1 nobody can tell a file that was cut off from a whole one; ask with 1.1 or 2";
        return Err(ProblemResponse::bad_request(detail));
    }
    let Query(pairs) = pairs.map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
    let query = ExportQuery::of(pairs)?;
    let (Some(from), Some(to)) = (query.from.as_deref(), query.to.as_deref()) else {
        return Err(ProblemResponse::bad_request("say `from` and `to`"));
    };
    let span = span(Some(from), Some(to))?;
    let (exported, ending) = query.exported(&mission)?;
    let media_type = match &exported {
        Exported::Packets(_) => "application/octet-stream",
        Exported::Samples { format: SampleFormat::Csv, .. } => "text/csv; charset=utf-8",
        Exported::Samples { format: SampleFormat::JsonLines, .. } => "application/x-ndjson",
        Exported::Samples { format: SampleFormat::Parquet, .. } => "application/vnd.apache.parquet",
    };
    let file = format!("{name}_{}_{}.{ending}", compact(span.start), compact(span.end));
    let body = in_time(app.backend.records().export(&mission, span, exported)).await?;
    // What packs it asks once more behind the end.
    let mut response = Body::from_stream(body.fuse()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // A mission's name is letters, digits, dashes and underscores.
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{file}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// A moment as file names can have it.
fn compact(time: TaiTime) -> String {
    crate::rfc3339(time).chars().filter(|letter| !matches!(letter, '-' | ':')).collect()
}
