//! The routes of sites' places, spacecraft's elements, and where these are over the Earth.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use orbit::{sidereal_angle_rad, sun};
use serde::Deserialize;
use space_packet::TaiTime;
use utoipa::IntoParams;

use super::asking::{Asked, JsonBody, OfMission, in_time};
use super::{LoggedIn, Shared, range, refusals};
use crate::ProblemResponse;
use crate::access::{Action, MissionScope, Resource};
use crate::app::App;
use crate::contract::{
    GroundTracks, NewOrbitElements, OrbitElements, Places, Site, SitePlace, SpacecraftTrack, SunPoint,
    TrackPoint,
};
use crate::convert::rfc3339;
use crate::orbits::{PlacedSite, Spacecraft, TEXT_BYTES_MAX, check_place, read_elements};

const PLACE_BYTES_MAX: usize = 4 * 1_024;
/// JSON may write a character as six.
const ELEMENTS_BYTES_MAX: usize = 6 * TEXT_BYTES_MAX + 4 * 1_024;
pub(super) const SPAN_DAYS_MAX: f64 = 31.0;
const POINTS_MAX: usize = 2_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Sites, and where they are. A site of which nobody has said so is listed without.
#[utoipa::path(get, path = "/api/v1/places", responses((status = 200, body = Places), refusals::OfPlaces))]
pub(super) async fn places(
    State(app): State<Shared>,
    who: LoggedIn,
) -> Result<Json<Places>, ProblemResponse> {
    who.may(Action::ReadNodes, Resource::Server)?;
    let placed = in_time(app.backend.orbits().places()).await?;
    Ok(Json(Places { at: rfc3339(service::clock::now()), sites: sites(&app, &who, placed) }))
}

/// Sites of the nodes that somebody may know of; those without nodes are shown to who may know of all missions.
fn sites(app: &App, who: &LoggedIn, placed: Vec<PlacedSite>) -> Vec<Site> {
    let unplaced = |site: String| Site { site, nodes: Vec::new(), place: None, set_at: None, set_by: None };
    let mut sites: BTreeMap<String, Site> = BTreeMap::new();
    for node in app.nodes(&who.principal) {
        let site = sites.entry(node.site.clone()).or_insert_with(|| unplaced(node.site));
        site.nodes.push(node.name);
    }
    for PlacedSite { site, place, set_at, set_by } in placed {
        if who.principal.grant.missions == MissionScope::All {
            sites.entry(site.clone()).or_insert_with(|| unplaced(site.clone()));
        }
        if let Some(known) = sites.get_mut(&site) {
            known.place = Some(place);
            known.set_at = Some(rfc3339(set_at));
            known.set_by = Some(set_by);
        }
    }
    sites.into_values().collect()
}

/// Says where a site is. Operators of all missions only.
#[utoipa::path(put, path = "/api/v1/places/{site}", request_body = SitePlace, params(("site" = String, Path)),
    responses((status = 200, body = Site), refusals::OfBody))]
pub(super) async fn put_place(
    State(app): State<Shared>,
    Path(site): Path<String>,
    who: LoggedIn,
    JsonBody(place): JsonBody<SitePlace, PLACE_BYTES_MAX>,
) -> Result<Json<Site>, ProblemResponse> {
    who.may(Action::PlaceSites, Resource::Server)?;
    check_place(&site, &place)?;
    let orbits = app.backend.orbits();
    in_time(orbits.put_place(&site, place, &who.principal.name)).await?;
    let placed = in_time(orbits.places()).await?;
    let found = sites(&app, &who, placed).into_iter().find(|known| known.site == site);
    found
        .map(Json)
        .ok_or_else(|| ProblemResponse::internal("the place was kept, and is not there; report this"))
}

/// How a mission's spacecraft fly: the elements that count now.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/elements", params(("mission" = String, Path)),
    responses((status = 200, body = OrbitElements), refusals::OfQuestion))]
pub(super) async fn elements(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
) -> Result<Json<OrbitElements>, ProblemResponse> {
    in_force(&app, mission.name()).await.map(Json)
}

async fn in_force(app: &App, mission: &str) -> Result<OrbitElements, ProblemResponse> {
    let now = service::clock::now();
    let span = now..now.plus_nanos(1);
    let (spacecraft, _) = Spacecraft::of(in_time(app.backend.orbits().elements(mission, span)).await?);
    let spacecraft = spacecraft.iter().map(|spacecraft| spacecraft.describe(now)).collect();
    Ok(OrbitElements { at: rfc3339(now), spacecraft })
}

/// Imports elements, all or none. Every version is kept; the answer shows those of all spacecraft that count now.
#[utoipa::path(put, path = "/api/v1/missions/{mission}/elements", request_body = NewOrbitElements,
    params(("mission" = String, Path)),
    responses((status = 200, body = OrbitElements), refusals::OfBody))]
pub(super) async fn put_elements(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    JsonBody(new): JsonBody<NewOrbitElements, ELEMENTS_BYTES_MAX>,
) -> Result<Json<OrbitElements>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    who.may(Action::ImportElements, Resource::Mission(&name))?;
    let read = read_elements(&new.text, new.spacecraft.as_deref())?;
    in_time(app.backend.orbits().put_elements(&name, read, &who.principal.name)).await?;
    in_force(&app, &name).await.map(Json)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TrackQuery {
    /// Moment of the first points (RFC 3339, day of the year, or relative as `now-1h`).
    from: String,
    /// End of the span, included where a step ends there; at most 31 days later.
    to: String,
    /// Seconds between two points, 1 to 86,400; at most 2,000 points of all spacecraft together.
    step_s: u32,
    /// Of these only; give it several times for several.
    #[serde(default)]
    spacecraft: Vec<String>,
}

/// Where a mission's spacecraft are over the Earth, and the Sun.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/track", params(("mission" = String, Path), TrackQuery),
    responses((status = 200, body = GroundTracks), refusals::OfQuestion))]
pub(super) async fn track(
    State(app): State<Shared>,
    OfMission(mission): OfMission,
    Asked(asked): Asked<TrackQuery>,
) -> Result<Json<GroundTracks>, ProblemResponse> {
    let (from, to) = short_range(&asked.from, &asked.to)?;
    if !(1..=86_400).contains(&asked.step_s) {
        let detail = format!("`step_s` is {}; 1 to 86400 seconds are taken", asked.step_s);
        return Err(ProblemResponse::bad_request(detail));
    }
    let stored = in_time(app.backend.orbits().elements(mission.name(), from..to)).await?;
    let (spacecraft, _) = Spacecraft::of(stored);
    let is_wanted = |one: &Spacecraft| asked.spacecraft.is_empty() || asked.spacecraft.contains(&one.name);
    let wanted: Vec<_> = spacecraft.into_iter().filter(is_wanted).collect();
    let step_nanos = i64::from(asked.step_s) * NANOS_PER_SECOND;
    let count = ((to.0 - from.0) / step_nanos + 1) as usize;
    if count * wanted.len().max(1) > POINTS_MAX {
        let detail = format!(
            "{count} points of each of {} spacecraft are more than {POINTS_MAX}; ask for a shorter span, a longer step or fewer spacecraft",
            wanted.len()
        );
        return Err(ProblemResponse::bad_request(detail));
    }
    let moments: Vec<TaiTime> = (0..count as i64).map(|index| from.plus_nanos(index * step_nanos)).collect();
    Ok(Json(GroundTracks {
        at: rfc3339(service::clock::now()),
        from: rfc3339(from),
        to: rfc3339(to),
        step_s: f64::from(asked.step_s),
        sun: moments.iter().map(|&at| sun_point(at)).collect(),
        spacecraft: wanted.iter().map(|one| spacecraft_track(one, &moments)).collect(),
    }))
}

/// A range that is not empty and not longer than 31 days.
pub(super) fn short_range(from: &str, to: &str) -> Result<(TaiTime, TaiTime), ProblemResponse> {
    let (from, to) = range(from, to)?;
    check_span(from, to)?;
    Ok((from, to))
}

/// That a range is not longer than 31 days.
pub(super) fn check_span(from: TaiTime, to: TaiTime) -> Result<(), ProblemResponse> {
    let days = to.seconds_since(from) / 86_400.0;
    if days > SPAN_DAYS_MAX {
        let detail = format!("{days:.1} days are asked for; passes and tracks are computed for at most 31");
        return Err(ProblemResponse::bad_request(detail));
    }
    Ok(())
}

fn sun_point(at: TaiTime) -> SunPoint {
    let [latitude_deg, longitude_deg] = sun::point_below(at);
    let sidereal_deg = sidereal_angle_rad(at).to_degrees();
    SunPoint { at: rfc3339(at), latitude_deg, longitude_deg, sidereal_deg }
}

/// Points up to where there are none, which the warning then says.
fn spacecraft_track(spacecraft: &Spacecraft, moments: &[TaiTime]) -> SpacecraftTrack {
    let (first, last) = (moments[0], moments[moments.len() - 1]);
    let mut warning = None;
    let mut points = Vec::with_capacity(moments.len());
    for &at in moments {
        match spacecraft.at(at).state_at(at) {
            Ok(state) => {
                let place = state.place();
                points.push(TrackPoint {
                    at: rfc3339(at),
                    latitude_deg: place.latitude_deg,
                    longitude_deg: place.longitude_deg,
                    height_km: place.height_km,
                    position_km: state.earth_fixed_km(),
                    sunlit: state.is_sunlit(),
                });
            }
            Err(why) => {
                warning = Some(why);
                break;
            }
        }
    }
    let version = spacecraft.at(first);
    SpacecraftTrack {
        spacecraft: spacecraft.name.clone(),
        epoch: rfc3339(version.epoch()),
        age_s: first.seconds_since(version.epoch()),
        warning: warning.or_else(|| version.warning(first)).or_else(|| spacecraft.at(last).warning(last)),
        points,
    }
}
