//! The routes of passes: when stations hear spacecraft, and the way of a spacecraft over a station's sky.

use std::collections::HashMap;
use std::ops::Range;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use space_packet::TaiTime;
use utoipa::IntoParams;

use super::asking::{Asked, in_time};
use super::orbits::{check_span, short_range};
use super::{LoggedIn, Shared, paging, refusals};
use crate::ProblemResponse;
use crate::access::Principal;
use crate::app::App;
use crate::contract::{NoPasses, Pass, PassPhase, PassSample, PassTrack, Passes};
use crate::convert::rfc3339;
use crate::orbits::{Heard, Listener, ReceptionWindow, Spacecraft, Visibility, pair_of, pass_of};

/// Equal parts that a pass is drawn in.
const STEPS: i64 = 180;
/// How far from its culmination a pass without an end is drawn.
const DRAWN_NANOS: i64 = 12 * 3_600 * 1_000_000_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PassesQuery {
    /// Beginning of the span (RFC 3339, day of the year, or relative as `now-1h`).
    from: String,
    /// Its end, excluded; at most 31 days later.
    to: String,
    /// Over the stations with these nodes only; give it several times for several.
    #[serde(default)]
    station: Vec<String>,
    /// Of these spacecraft only; give it several times for several.
    #[serde(default)]
    spacecraft: Vec<String>,
    /// Passes of a page; 100 when absent, at most 1,000.
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// When stations hear a mission's spacecraft, and what came of it. Of a pass that has begun it tells what its station received.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/passes", params(("mission" = String, Path), PassesQuery),
    responses((status = 200, body = Passes), refusals::OfQuestion))]
pub(super) async fn passes(
    State(app): State<Shared>,
    Path(name): Path<String>,
    who: LoggedIn,
    Asked(asked): Asked<PassesQuery>,
) -> Result<Json<Passes>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let (from, to) = short_range(&asked.from, &asked.to)?;
    let list = format!("passes {name} {:?} {:?}", asked.station, asked.spacecraft);
    let part = paging::Asked { from: None, to: None, limit: asked.limit, cursor: asked.cursor.as_deref() };
    let part = part.of(&list)?;
    // Pages go on in the span of the first one, also where that was said from now on.
    let (from, to, after) = part.after.map_or((from, to, 0), |[from, to, index]| {
        (TaiTime(from), TaiTime(to), usize::try_from(index).unwrap_or(usize::MAX))
    });
    check_span(from, to)?;
    let mut sky = Sky::of(&app, &who.principal, &name, from..to).await?;
    sky.keep(|node| asked.station.is_empty() || asked.station.iter().any(|wanted| wanted == node));
    sky.keep_spacecraft(|name| {
        asked.spacecraft.is_empty() || asked.spacecraft.iter().any(|wanted| wanted == name)
    });
    let now = service::clock::now();
    let Sky { visibility, mut left_out } = sky;
    let (mut passes, windows, next, unheard) = computed(move || {
        let (heard, unheard) = visibility.search()?;
        let next = after.saturating_add(part.limit);
        let next = (next < heard.len()).then_some(next);
        let page = heard.iter().skip(after).take(part.limit);
        let (passes, windows): (Vec<_>, Vec<_>) =
            page.map(|one| (one.describe(now), window(one, &visibility.span, now))).unzip();
        Ok((passes, windows, next, unheard))
    })
    .await?;
    left_out.extend(unheard);
    tell_received(&app, &name, &mut passes, windows).await?;
    Ok(Json(Passes {
        at: rfc3339(now),
        from: rfc3339(from),
        to: rfc3339(to),
        passes,
        next: next.map(|index| paging::write(&list, [from.0, to.0, index as i64])),
        left_out,
    }))
}

/// A pass, and the way of the spacecraft over the station's sky.
#[utoipa::path(get, path = "/api/v1/missions/{mission}/passes/{pass}/track",
    params(("mission" = String, Path), ("pass" = String, Path)),
    responses((status = 200, body = PassTrack), refusals::OfQuestion))]
pub(super) async fn pass_track(
    State(app): State<Shared>,
    Path((name, pass)): Path<(String, String)>,
    who: LoggedIn,
) -> Result<Json<PassTrack>, ProblemResponse> {
    app.mission(&who.principal, &name)?;
    let unknown = || {
        let detail = format!("{pass:?} is no pass of mission {name}, or its station has no place any more");
        ProblemResponse::unknown_pass(detail)
    };
    let (pair, second) = pass_of(&pass).ok_or_else(unknown)?;
    let mut sky = Sky::of(&app, &who.principal, &name, second).await?;
    let craft: Vec<String> = sky.visibility.spacecraft.iter().map(|one| one.name.clone()).collect();
    sky.keep(|node| craft.iter().any(|craft| pair_of(craft, node) == pair));
    let nodes: Vec<String> = sky.visibility.listeners.iter().map(|one| one.node.clone()).collect();
    sky.keep_spacecraft(|craft| nodes.iter().any(|node| pair_of(craft, node) == pair));
    let now = service::clock::now();
    let visibility = sky.visibility;
    let drawn = computed(move || {
        let (heard, _) = visibility.search()?;
        Ok(heard.first().map(|one| {
            let (span, samples) = samples(one);
            (one.describe(now), window(one, &span, now), samples)
        }))
    });
    let (pass, window, samples) = drawn.await?.ok_or_else(unknown)?;
    let mut passes = vec![pass];
    tell_received(&app, &name, &mut passes, vec![window]).await?;
    let pass = passes.pop().ok_or_else(unknown)?;
    Ok(Json(PassTrack { pass, samples }))
}

/// A mission's spacecraft and the stations that may hear them, as far as somebody may know of these.
struct Sky {
    visibility: Visibility,
    left_out: Vec<NoPasses>,
}

impl Sky {
    async fn of(
        app: &App,
        who: &Principal,
        mission: &str,
        span: Range<TaiTime>,
    ) -> Result<Self, ProblemResponse> {
        let orbits = app.backend.orbits();
        let (spacecraft, unread) = Spacecraft::of(in_time(orbits.elements(mission, span.clone())).await?);
        let places = in_time(orbits.places()).await?;
        let places: HashMap<_, _> = places.into_iter().map(|placed| (placed.site, placed.place)).collect();
        let unread = unread.into_iter().map(|name| NoPasses {
            station: None,
            spacecraft: Some(name),
            reason: "this version of the software cannot read its elements; import them again".to_owned(),
        });
        let mut sky = Self {
            visibility: Visibility { spacecraft, listeners: Vec::new(), span },
            left_out: unread.collect(),
        };
        for node in app.nodes(who) {
            // A node that has not said yet what links it has may have one of this mission.
            let report = node.report.as_ref();
            if report.is_some_and(|report| report.links.iter().all(|link| link.mission != mission)) {
                continue;
            }
            match places.get(&node.site) {
                Some(place) => sky.visibility.listeners.push(Listener::new(node.name, node.site, place)),
                None => sky.left_out.push(NoPasses {
                    station: Some(node.name),
                    spacecraft: None,
                    reason: format!("nobody has said where its site {:?} is", node.site),
                }),
            }
        }
        Ok(sky)
    }

    /// Forgets stations but some.
    fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.visibility.listeners.retain(|listener| is_wanted(&listener.node));
        self.left_out.retain(|one| one.station.as_deref().is_none_or(&is_wanted));
    }

    /// Forgets spacecraft but some.
    fn keep_spacecraft(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.visibility.spacecraft.retain(|spacecraft| is_wanted(&spacecraft.name));
        self.left_out.retain(|one| one.spacecraft.as_deref().is_none_or(&is_wanted));
    }
}

/// Computes beside the tasks that answer others.
async fn computed<T: Send + 'static>(
    compute: impl FnOnce() -> Result<T, ProblemResponse> + Send + 'static,
) -> Result<T, ProblemResponse> {
    let ended = |_| {
        ProblemResponse::internal("the search for passes ended unexpectedly; nothing is lost, report this")
    };
    in_time(async { tokio::task::spawn_blocking(compute).await.map_err(ended)? }).await
}

/// When a pass's station may have received something, up to now; where an end is absent, up to that of a span.
fn window(heard: &Heard<'_>, span: &Range<TaiTime>, now: TaiTime) -> ReceptionWindow {
    let (from, to) = (heard.pass.aos.unwrap_or(span.start), heard.pass.los.unwrap_or(span.end));
    ReceptionWindow { node: heard.listener.node.clone(), span: from..to.min(now).max(from) }
}

/// Asks what came of those passes that have begun.
async fn tell_received(
    app: &App,
    mission: &str,
    passes: &mut [Pass],
    windows: Vec<ReceptionWindow>,
) -> Result<(), ProblemResponse> {
    let has_begun = |pass: &Pass| pass.phase != PassPhase::ToCome;
    let windows: Vec<_> =
        passes.iter().zip(windows).filter(|(pass, _)| has_begun(pass)).map(|(_, window)| window).collect();
    if windows.is_empty() {
        return Ok(());
    }
    let received = in_time(app.backend.orbits().received(mission, windows)).await?;
    for (pass, received) in passes.iter_mut().filter(|pass| has_begun(pass)).zip(received) {
        pass.received = Some(received);
    }
    Ok(())
}

/// The way over the sky, and of which time.
fn samples(heard: &Heard<'_>) -> (Range<TaiTime>, Vec<PassSample>) {
    let orbit::Pass { aos, culmination, los } = heard.pass;
    let from = aos.unwrap_or(culmination.plus_nanos(-DRAWN_NANOS));
    let to = los.unwrap_or(culmination.plus_nanos(DRAWN_NANOS));
    let moments = (0..=STEPS)
        .map(|step| TaiTime(from.0 + ((to.0 - from.0) as f64 * step as f64 / STEPS as f64) as i64));
    let sample = |at: TaiTime| {
        let state = heard.version.state_at(at).ok()?;
        let look = heard.listener.station.look(&state);
        Some(PassSample {
            at: rfc3339(at),
            azimuth_deg: look.azimuth_deg,
            elevation_deg: look.elevation_deg,
            range_km: look.range_km,
            range_rate_km_s: look.range_rate_km_s,
            sunlit: state.is_sunlit(),
        })
    };
    (from..to, moments.filter_map(sample).collect())
}
