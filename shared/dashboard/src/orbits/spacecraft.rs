//! A mission's spacecraft, each with the versions of its elements, and which of them counts when.

use std::ops::Range;

use orbit::{ElementSet, Format, Orbit, PropagationError, State};
use space_packet::TaiTime;

use super::StoredElements;
use crate::contract::{ElementsFormat, SpacecraftElements};
use crate::convert::rfc3339;

const SECONDS_PER_DAY: f64 = 86_400.0;
/// From this age on elements of a low orbit are wrong by some ten kilometres, a pass by seconds.
const AGE_WARNED_DAYS: f64 = 7.0;
/// Beyond this nobody should plan with them, and positions cost a thousand times as much.
const AGE_MAX_DAYS: f64 = 200.0;

/// A spacecraft of which elements are known.
pub struct Spacecraft {
    /// Its name in the mission.
    pub name: String,
    /// Its elements, by epoch, at least one.
    versions: Vec<Version>,
}

/// Elements that can be propagated.
pub struct Version {
    stored: StoredElements,
    set: ElementSet,
    orbit: Orbit,
}

impl Spacecraft {
    /// The spacecraft of stored elements, by name; and the names of those whose elements this software does not read.
    pub fn of(stored: Vec<StoredElements>) -> (Vec<Self>, Vec<String>) {
        let (mut read, mut unread): (Vec<Self>, Vec<String>) = Default::default();
        for one in stored {
            let name = one.elements.spacecraft.clone();
            match (Version::of(one), read.last_mut().filter(|last| last.name == name)) {
                (Some(version), Some(known)) => known.versions.push(version),
                (Some(version), None) => read.push(Self { name, versions: vec![version] }),
                (None, _) => unread.push(name),
            }
        }
        unread.dedup();
        (read, unread)
    }

    /// The version that counts at a moment: the newest one whose epoch is not after it, or else the first.
    pub fn at(&self, moment: TaiTime) -> &Version {
        let before = self.versions.partition_point(|version| version.set.epoch <= moment);
        &self.versions[before.saturating_sub(1)]
    }

    /// The parts of a span, each with the version that counts in it.
    pub fn within(&self, span: Range<TaiTime>) -> impl Iterator<Item = (Range<TaiTime>, &Version)> {
        let begins =
            |index: usize| if index == 0 { TaiTime(i64::MIN) } else { self.versions[index].set.epoch };
        let ends =
            move |index: usize| self.versions.get(index + 1).map_or(TaiTime(i64::MAX), |next| next.set.epoch);
        self.versions.iter().enumerate().filter_map(move |(index, version)| {
            let part = span.start.max(begins(index))..span.end.min(ends(index));
            (part.start < part.end).then_some((part, version))
        })
    }

    /// What people are told of its elements at a moment.
    pub fn describe(&self, now: TaiTime) -> SpacecraftElements {
        let Version { stored, set, .. } = self.at(now);
        SpacecraftElements {
            spacecraft: self.name.clone(),
            catalog_number: set.catalog_number,
            designator: set.designator.clone(),
            epoch: rfc3339(set.epoch),
            age_s: now.seconds_since(set.epoch),
            warning: self.at(now).warning(now),
            format: match set.format {
                Format::Omm => ElementsFormat::Omm,
                Format::Tle => ElementsFormat::Tle,
            },
            text: stored.elements.text.clone(),
            imported_at: rfc3339(stored.imported_at),
            imported_by: stored.imported_by.clone(),
            versions: stored.versions,
        }
    }
}

impl Version {
    fn of(stored: StoredElements) -> Option<Self> {
        let set = ElementSet::parse(&stored.elements.text).ok()?.pop()?;
        let orbit = Orbit::new(&set).ok()?;
        Some(Self { stored, set, orbit })
    }

    /// The moment at which they hold best.
    pub fn epoch(&self) -> TaiTime {
        self.set.epoch
    }

    /// The orbit they describe.
    pub(crate) fn orbit(&self) -> &Orbit {
        &self.orbit
    }

    /// Where the spacecraft is at a moment, if they can be relied on at all.
    pub fn state_at(&self, moment: TaiTime) -> Result<State, String> {
        self.check_age(moment)?;
        self.orbit.state_at(moment).map_err(|error: PropagationError| error.to_string())
    }

    /// Refuses moments too far from the epoch.
    pub(crate) fn check_age(&self, moment: TaiTime) -> Result<(), String> {
        let days = self.days_to(moment).abs();
        if days > AGE_MAX_DAYS {
            return Err(format!(
                "{moment} is {days:.0} days from the epoch of its elements, {}; they are used up to {AGE_MAX_DAYS} days from it: import others",
                self.set.epoch
            ));
        }
        Ok(())
    }

    /// Why what is computed of a moment is not to be relied on.
    pub fn warning(&self, moment: TaiTime) -> Option<String> {
        if let Err(why) = self.state_at(moment) {
            return Some(why);
        }
        let days = self.days_to(moment);
        let stands = if days < 0.0 { "before" } else { "after" };
        (days.abs() > AGE_WARNED_DAYS).then(|| {
            format!("{:.1} days {stands} the epoch of the elements: passes may be wrong by many seconds; import newer ones", days.abs())
        })
    }

    fn days_to(&self, moment: TaiTime) -> f64 {
        moment.seconds_since(self.set.epoch) / SECONDS_PER_DAY
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use space_packet::UtcTime;

    use super::*;
    use crate::orbits::NewElements;

    pub(crate) fn at(text: &str) -> TaiTime {
        UtcTime::parse(text).expect("a time").to_tai()
    }

    /// Elements of a low orbit over the poles, with an epoch on a day of November 2026.
    pub(crate) fn stored(spacecraft: &str, day: u32) -> StoredElements {
        let epoch = format!("2026-11-{day:02}T00:00:00");
        let text = format!(
            r#"{{"OBJECT_NAME":"X","OBJECT_ID":"2026-001A","EPOCH":"{epoch}","MEAN_MOTION":14.845,"ECCENTRICITY":0.0011,
            "INCLINATION":97.86,"RA_OF_ASC_NODE":258.7,"ARG_OF_PERICENTER":90,"MEAN_ANOMALY":270,"EPHEMERIS_TYPE":0,
            "CLASSIFICATION_TYPE":"U","NORAD_CAT_ID":99001,"ELEMENT_SET_NO":1,"REV_AT_EPOCH":1,"BSTAR":0,
            "MEAN_MOTION_DOT":0,"MEAN_MOTION_DDOT":0}}"#
        );
        let epoch = at(&format!("{epoch}Z"));
        StoredElements {
            elements: NewElements { spacecraft: spacecraft.to_owned(), epoch, text },
            imported_at: epoch,
            imported_by: "kari".to_owned(),
            versions: 2,
        }
    }

    #[test]
    fn a_version_counts_from_its_epoch_to_the_next_ones_and_the_first_also_before() {
        let stored = vec![stored("demo-1", 10), stored("demo-1", 20), stored("demo-2", 15)];
        let (spacecraft, unread) = Spacecraft::of(stored);
        assert!(spacecraft.len() == 2 && unread.is_empty());
        let epoch = |day: u32| spacecraft[0].at(at(&format!("2026-11-{day:02}T12:00:00Z"))).epoch();
        assert_eq!((epoch(1), epoch(19), epoch(20)), (epoch(10), epoch(10), at("2026-11-20T00:00:00Z")));
        let span = at("2026-11-01T00:00:00Z")..at("2026-11-25T00:00:00Z");
        let parts: Vec<_> = spacecraft[0].within(span.clone()).map(|(part, _)| part).collect();
        let cut = at("2026-11-20T00:00:00Z");
        assert_eq!(parts, [span.start..cut, cut..span.end]);
        assert_eq!(spacecraft[1].within(span.clone()).map(|(part, _)| part).collect::<Vec<_>>(), [span]);
    }

    #[test]
    fn elements_are_warned_of_after_a_week_and_not_used_after_200_days() {
        let (spacecraft, _) = Spacecraft::of(vec![stored("demo-1", 10)]);
        let described = |text: &str| spacecraft[0].describe(at(text));
        let fresh = described("2026-11-16T00:00:00Z");
        assert_eq!((fresh.age_s, fresh.warning), (6.0 * 86_400.0, None));
        let old = described("2026-11-18T12:00:00Z").warning.expect("a warning");
        assert!(old.starts_with("8.5 days after the epoch"), "{old}");
        let early = described("2026-11-01T00:00:00Z").warning.expect("a warning");
        assert!(early.starts_with("9.0 days before the epoch"), "{early}");
        let useless = described("2027-11-10T00:00:00Z").warning.expect("a warning");
        assert!(useless.contains("365 days from the epoch"), "{useless}");
    }

    #[test]
    fn elements_that_this_software_does_not_read_are_named() {
        let mut foreign = stored("demo-3", 10);
        foreign.elements.text = "KVN".to_owned();
        let (spacecraft, unread) = Spacecraft::of(vec![stored("demo-1", 10), foreign.clone(), foreign]);
        assert_eq!((spacecraft.len(), unread), (1, vec!["demo-3".to_owned()]));
    }
}
