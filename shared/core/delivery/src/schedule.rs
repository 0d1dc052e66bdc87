//! How fast a link may be used when: caps by time of day and by pass.

mod window;

#[cfg(test)]
mod tests;

use space_packet::TaiTime;

use crate::rate::BitRate;

pub use window::{DayWindow, DayWindowError};

/// The caps of a link. A pass counts before the time of day, and that before the default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RateSchedule {
    /// What holds when nothing else does; `None` is no cap.
    pub default: Option<BitRate>,
    /// By time of day; the first that covers a moment counts.
    pub daily: Vec<DailyCap>,
    /// By pass; the first that covers a moment counts.
    pub passes: Vec<PassCap>,
    /// Whether nothing at all may be sent between passes.
    pub only_in_passes: bool,
}

/// A cap that comes again every week.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DailyCap {
    /// When it holds.
    pub window: DayWindow,
    /// The rate; `None` lifts the default.
    pub rate: Option<BitRate>,
}

/// A cap while a pass lasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PassCap {
    /// The first moment of the pass.
    pub from: TaiTime,
    /// The first moment behind it.
    pub to: TaiTime,
    /// The rate; `None` is no cap.
    pub rate: Option<BitRate>,
}

/// What may be sent at a moment, and for how long that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cap {
    /// `None` is no cap; 0 bits a second lets nothing through.
    pub rate: Option<BitRate>,
    /// From when on to ask again; `None` when this holds for ever.
    pub until: Option<TaiTime>,
}

impl RateSchedule {
    /// The cap at a moment: the same answer at every moment before `until`, which lies behind `now`.
    pub fn cap_at(&self, now: TaiTime) -> Cap {
        let of_passes = self.passes.iter().flat_map(|pass| [pass.from, pass.to]);
        let of_days = self.daily.iter().filter_map(|daily| daily.window.next_edge(now));
        let until = of_passes.chain(of_days).filter(|edge| *edge > now).min();
        Cap { rate: self.rate_at(now), until }
    }

    fn rate_at(&self, now: TaiTime) -> Option<BitRate> {
        if let Some(pass) = self.passes.iter().find(|pass| (pass.from..pass.to).contains(&now)) {
            return pass.rate;
        }
        if self.only_in_passes {
            return Some(BitRate { bits_per_s: 0 });
        }
        let daily = self.daily.iter().find(|daily| daily.window.covers(now));
        daily.map_or(self.default, |daily| daily.rate)
    }
}
