//! When stations hear a spacecraft: the orbit is looked at in coarse steps once for all stations, and what rises, culminates or
//! sets between them is found by halving.

use std::ops::Range;

use space_packet::TaiTime;

use crate::propagation::{Orbit, PropagationError};
use crate::station::Station;
use crate::vector::Vector;

/// How far beyond its span a search follows a spacecraft that stands above the mask, seconds.
pub const SEARCHED_BEYOND: i64 = 2 * 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Acquisition and loss are found to this.
const EDGE_NANOS: i64 = 1_000_000;
/// Culmination is, where the elevation hardly changes.
const TOP_NANOS: i64 = 20_000_000;
/// No orbit around the Earth is faster over the ground, kilometres a second.
const FASTEST_KM_S: f64 = 12.0;
/// Moments of one scan: a month in steps of 20 s.
const LOOKS_MAX: i64 = 140_000;
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// A time in which a spacecraft stands above a station's mask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pass {
    /// Acquisition of signal: it rises above the mask. Absent when it does not within [`SEARCHED_BEYOND`] before the span.
    pub aos: Option<TaiTime>,
    /// It stands highest, as far as was searched.
    pub culmination: TaiTime,
    /// Loss of signal: it sinks below the mask. Absent when it does not within [`SEARCHED_BEYOND`] behind the span.
    pub los: Option<TaiTime>,
}

/// Why a span cannot be searched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScanError {
    /// There is no position at its beginning.
    #[error(transparent)]
    NoPosition(PropagationError),
    /// It is longer than is searched in one go.
    #[error("a span of {days:.0} days is too long to be searched for passes")]
    TooLong {
        /// Its length.
        days: f64,
    },
}

/// An orbit looked at over a span, a step before it to a step behind it, in steps between which no pass goes unseen.
pub struct Scan<'a> {
    orbit: &'a Orbit,
    span: Range<TaiTime>,
    step_nanos: i64,
    looks: Vec<(TaiTime, Vector)>,
    ended: Option<PropagationError>,
}

/// A moment, and by how much the sine of the elevation is above that of the mask.
#[derive(Clone, Copy)]
struct Height {
    at: TaiTime,
    above: f64,
}

impl Height {
    /// 1 above the mask, -1 below.
    fn side(&self) -> f64 {
        if self.above > 0.0 { 1.0 } else { -1.0 }
    }
}

impl<'a> Scan<'a> {
    /// Looks at an orbit over a span. Where positions end within it, the scan does.
    pub fn new(orbit: &'a Orbit, span: Range<TaiTime>) -> Result<Self, ScanError> {
        let step_nanos = (orbit.look_every_s() * NANOS_PER_SECOND as f64) as i64;
        let length = span.end.0.saturating_sub(span.start.0).max(0);
        let count = length / step_nanos + 4;
        if count > LOOKS_MAX {
            return Err(ScanError::TooLong { days: length as f64 / (86_400 * NANOS_PER_SECOND) as f64 });
        }
        let mut looks = Vec::with_capacity(count as usize);
        let mut ended = None;
        for index in -1..count - 1 {
            let at = span.start.plus_nanos(index * step_nanos);
            match orbit.state_at(at) {
                Ok(state) => looks.push((at, state.earth_fixed_km())),
                // A step before the span nothing is missed by it.
                Err(_) if index < 0 => {}
                Err(error) if looks.is_empty() => return Err(ScanError::NoPosition(error)),
                Err(error) => {
                    ended = Some(error).filter(|_| at < span.end);
                    break;
                }
            }
        }
        Ok(Self { orbit, span, step_nanos, looks, ended })
    }

    /// Why positions end within the span, if they do.
    pub fn ended(&self) -> Option<&PropagationError> {
        self.ended.as_ref()
    }

    /// Passes over a station of which some lies in the span, in order.
    pub fn passes(&self, station: &Station) -> Vec<Pass> {
        let mut passes = Vec::new();
        let mut run: Vec<Height> = Vec::new();
        let mut before: Option<Height> = None;
        for height in self.heights(station) {
            if height.above > 0.0 {
                if let Some(below) = before.filter(|_| run.is_empty()) {
                    run.push(self.edge(station, below, height));
                }
                run.push(height);
            } else if let Some(&last) = run.last() {
                let edge = self.edge(station, height, last);
                passes.extend(self.pass(station, &run, Some(edge)));
                run.clear();
            }
            before = Some(height);
        }
        passes.extend(self.pass(station, &run, None));
        passes
    }

    /// Heights over a station at the scan's moments, and at extremes between them on whose side of the mask neither neighbour is.
    fn heights(&self, station: &Station) -> Vec<Height> {
        let sine_of_mask = station.mask_deg().to_radians().sin();
        let hidden_km = -FASTEST_KM_S * self.step_nanos as f64 / NANOS_PER_SECOND as f64;
        let coarse = |&(at, position): &(TaiTime, Vector)| {
            let above = station.sine_of_elevation(position) - sine_of_mask;
            (Height { at, above }, station.above_horizon_km(position) < hidden_km)
        };
        let coarse: Vec<(Height, bool)> = self.looks.iter().map(coarse).collect();
        let mut heights = Vec::with_capacity(coarse.len() + 16);
        for (index, &(here, is_hidden)) in coarse.iter().enumerate() {
            let around =
                index.checked_sub(1).and_then(|before| Some((coarse[before].0, coarse.get(index + 1)?.0)));
            let (Some((before, behind)), false) = (around, is_hidden) else {
                heights.push(here);
                continue;
            };
            let side = here.side();
            // The highest of three below the mask, or the lowest of three above it: between them it may cross.
            let is_extreme =
                side * before.above >= side * here.above && side * behind.above >= side * here.above;
            let extreme = is_extreme.then(|| self.extreme(station, before.at, behind.at, -side));
            match extreme.filter(|extreme| extreme.side() != side) {
                Some(extreme) if extreme.at < here.at => heights.extend([extreme, here]),
                Some(extreme) => heights.extend([here, extreme]),
                None => heights.push(here),
            }
        }
        heights
    }

    /// The pass of a run of heights above the mask, which begins with its edge unless it began before the scan did.
    fn pass(&self, station: &Station, run: &[Height], los: Option<Height>) -> Option<Pass> {
        let (first, last) = (*run.first()?, *run.last()?);
        let began_before = self.looks.first().is_some_and(|(at, _)| *at == first.at);
        let (aos, top_before) = if began_before {
            self.follow(station, first, -self.step_nanos)
        } else {
            (Some(first.at), first)
        };
        let (los, top_behind) = match los {
            Some(edge) => (Some(edge.at), edge),
            None if self.ended.is_some() => (None, last),
            None => self.follow(station, last, self.step_nanos),
        };
        let lies_in_span =
            aos.is_none_or(|aos| aos < self.span.end) && los.is_none_or(|los| los > self.span.start);
        let highest = |a: Height, b: &Height| if b.above > a.above { *b } else { a };
        let top = run.iter().chain([&top_before, &top_behind]).fold(first, highest);
        let culmination = self.top(station, top, aos, los);
        lies_in_span.then_some(Pass { aos, culmination, los })
    }

    /// Follows a spacecraft that stands above the mask out of the scan: where it sinks below, and where it stood highest.
    fn follow(&self, station: &Station, from: Height, step_nanos: i64) -> (Option<TaiTime>, Height) {
        let (mut last, mut top) = (from, from);
        let steps = SEARCHED_BEYOND * NANOS_PER_SECOND / self.step_nanos;
        for _ in 0..steps {
            let Some(next) = self.height(station, last.at.plus_nanos(step_nanos)) else { return (None, top) };
            if next.above <= 0.0 {
                return (Some(self.edge(station, next, last).at), top);
            }
            if next.above > top.above {
                top = next;
            }
            last = next;
        }
        (None, top)
    }

    /// Height at a moment, if there is a position.
    fn height(&self, station: &Station, at: TaiTime) -> Option<Height> {
        let position = self.orbit.state_at(at).ok()?.earth_fixed_km();
        Some(Height {
            at,
            above: station.sine_of_elevation(position) - station.mask_deg().to_radians().sin(),
        })
    }

    /// The same between moments that have positions; where one has none the spacecraft is nowhere to be heard.
    fn height_between(&self, station: &Station, at: TaiTime) -> Height {
        self.height(station, at).unwrap_or(Height { at, above: -1.0 })
    }

    /// Where it crosses the mask, on the upper side, between a moment below and one above.
    fn edge(&self, station: &Station, below: Height, above: Height) -> Height {
        let (mut below, mut above) = (below, above);
        while (above.at.0 - below.at.0).abs() > EDGE_NANOS {
            let middle = TaiTime(below.at.0 + (above.at.0 - below.at.0) / 2);
            let height = self.height_between(station, middle);
            if height.above > 0.0 { above = height } else { below = height }
        }
        above
    }

    /// The one extreme between two moments: the highest, or with `sign` -1 the lowest (golden section).
    fn extreme(&self, station: &Station, from: TaiTime, to: TaiTime, sign: f64) -> Height {
        let (mut from, mut to) = (from.0, to.0);
        let inner = |from: i64, to: i64| ((to - from) as f64 * GOLDEN) as i64;
        let at = |nanos: i64| self.height_between(station, TaiTime(nanos));
        let (mut left, mut right) = (at(to - inner(from, to)), at(from + inner(from, to)));
        while to - from > TOP_NANOS {
            if sign * left.above >= sign * right.above {
                (to, right) = (right.at.0, left);
                left = at(to - inner(from, to));
            } else {
                (from, left) = (left.at.0, right);
                right = at(from + inner(from, to));
            }
        }
        if sign * left.above >= sign * right.above { left } else { right }
    }

    /// Where it stands highest, next to the highest moment looked at and within the pass.
    fn top(&self, station: &Station, highest: Height, aos: Option<TaiTime>, los: Option<TaiTime>) -> TaiTime {
        let from = highest.at.plus_nanos(-self.step_nanos);
        let to = highest.at.plus_nanos(self.step_nanos);
        let (from, to) = (aos.map_or(from, |aos| aos.max(from)), los.map_or(to, |los| los.min(to)));
        let found = self.extreme(station, from, to, 1.0);
        if found.above > highest.above { found.at } else { highest.at }
    }
}

#[cfg(test)]
mod tests;
