//! The routes of packets: a list of them, and one taken apart.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use mission_database::BitSpan;
use processing::{DissectedPacket, PacketOutcome, Sample};
use serde::Deserialize;
use space_packet::{Apid, PrimaryHeader};
use utoipa::IntoParams;

use super::asking::in_time;
use super::paging::{Asked, write};
use super::{LoggedIn, Shared, refusals};
use crate::contract::{Packet, PacketValue, Packets};
use crate::records::{FoundPacket, PacketFilter, RecordId};
use crate::{LiveMission, ProblemResponse, convert};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PacketsQuery {
    /// Beginning of the span of reception times, included; everything when absent.
    from: Option<String>,
    /// End of the span, excluded.
    to: Option<String>,
    /// Of this APID only, 0 to 2047.
    apid: Option<u16>,
    /// Of the node with this name only.
    node: Option<String>,
    /// That came in on this link only.
    link: Option<String>,
    /// `true`: those in quarantine only.
    #[serde(default)]
    quarantined: bool,
    /// Packets of a page; 100 when absent, at most 1,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// An APID of a question.
pub(super) fn apid(number: Option<u16>) -> Result<Option<Apid>, ProblemResponse> {
    let read = |number| {
        Apid::try_from(number)
            .map_err(|error| ProblemResponse::bad_request(format!("{error}; mend `apid`, or leave it out")))
    };
    number.map(read).transpose()
}

/// Packets by when a station received them, in the order in which they were received. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/packets", params(("mission" = String, Path), PacketsQuery),
    responses((status = 200, body = Packets), refusals::OfQuestion))]
pub(super) async fn packets(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    query: Result<Query<PacketsQuery>, QueryRejection>,
) -> Result<Json<Packets>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let Query(query) = query.map_err(|error| ProblemResponse::bad_request(error.body_text()))?;
    let list = format!("packets {name}");
    let (from, to) = (query.from.as_deref(), query.to.as_deref());
    let slice = Asked { from, to, limit: query.limit, cursor: query.cursor.as_deref() }.of(&list)?;
    let filter = PacketFilter {
        apid: apid(query.apid)?,
        node: query.node,
        link: query.link,
        is_quarantined: query.quarantined,
    };
    let page = in_time(app.backend.records().packets(&mission, slice, filter)).await?;
    Ok(Json(Packets { packets: page.rows, next: page.next.map(|place| write(&list, place)) }))
}

/// One packet: its bytes, its header, and its values decoded again by the dictionary of its time. Only at the hub.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/packets/{id}",
    params(("mission" = String, Path), ("id" = String, Path, description = "`id` in a list of packets")),
    responses((status = 200, body = Packet), refusals::OfQuestion))]
pub(super) async fn packet(
    State(app): State<Shared>,
    Path((name, id)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<Packet>, ProblemResponse> {
    let mission = app.mission(&who.principal, &name)?;
    let id: RecordId = id.parse().map_err(|error| ProblemResponse::bad_request(format!("{error}")))?;
    let found = in_time(app.backend.records().packet(&mission, id)).await?;
    let found = found.ok_or_else(|| {
        ProblemResponse::unknown_packet(format!("mission {name} has no packet {id}; look it up in the list"))
    })?;
    Ok(Json(describe(&mission, found)))
}

fn describe(mission: &LiveMission, found: FoundPacket) -> Packet {
    let FoundPacket { summary, bytes, dissected } = found;
    let DissectedPacket { outcome, version, container, values } = dissected;
    let database = mission.database();
    let value = |(sample, span): &(Sample, BitSpan)| {
        let shown = convert::sample(&database, sample, &summary.node, None);
        PacketValue {
            unit: database.described(sample.version, sample.parameter).unit.clone(),
            parameter: shown.parameter,
            first_bit: span.start,
            bits: span.bits,
            raw: shown.raw,
            engineering: shown.engineering,
            validity: shown.validity,
            monitoring: shown.monitoring,
        }
    };
    Packet {
        values: values.iter().map(value).collect(),
        header: PrimaryHeader::parse(&bytes).ok().map(|header| convert::packet_header(&header)),
        hex: data_encoding::HEXLOWER.encode(&bytes),
        outcome: outcome.word().to_owned(),
        problem: problem(&outcome),
        container,
        dictionary_version: version.map(|version| version.0),
        summary,
    }
}

fn problem(outcome: &PacketOutcome) -> Option<String> {
    match outcome {
        PacketOutcome::Damaged(error) => Some(error.to_string()),
        PacketOutcome::Decoded | PacketOutcome::Idle => None,
        PacketOutcome::NotAPacket(error) => Some(error.to_string()),
        PacketOutcome::Partial(error) => Some(error.to_string()),
        PacketOutcome::Unresolved => Some("no concrete container of the dictionary fits".to_owned()),
    }
}
