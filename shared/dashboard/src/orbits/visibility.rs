//! Which stations hear which spacecraft, and when.

use std::ops::Range;
use std::time::{Duration, Instant};

use orbit::{Geodetic, Scan, Station};
use space_packet::{TaiTime, UtcTime};

use super::{Spacecraft, Version};
use crate::ProblemResponse;
use crate::access::hash;
use crate::contract::{NoPasses, Pass, PassMoment, PassPhase, SitePlace};
use crate::convert::rfc3339;

/// Stations, times spacecraft, times days that one question may be about: 3 s of one processor.
const STATION_DAYS_MAX: f64 = 2_000.0;
/// A search that takes longer is given up: whoever asked is gone.
const PATIENCE: Duration = Duration::from_secs(20);
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const HASH_DIGITS: usize = 8;

/// A station that may hear something.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) node: String,
    pub(crate) site: String,
    pub(crate) station: Station,
}

impl Listener {
    /// The station of a node at a place.
    pub(crate) fn new(node: String, site: String, place: &SitePlace) -> Self {
        let &SitePlace { latitude_deg, longitude_deg, height_m, mask_deg } = place;
        let place = Geodetic { latitude_deg, longitude_deg, height_km: height_m / 1e3 };
        Self { node, site, station: Station::new(place, mask_deg) }
    }
}

/// A pass, and whose.
pub(crate) struct Heard<'a> {
    pub(crate) spacecraft: &'a Spacecraft,
    pub(crate) listener: &'a Listener,
    pub(crate) version: &'a Version,
    pub(crate) pass: orbit::Pass,
}

/// Who may hear whom, and when that is asked of.
pub(crate) struct Visibility {
    pub(crate) spacecraft: Vec<Spacecraft>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) span: Range<TaiTime>,
}

impl Visibility {
    /// All passes of which some lies in the span, by culmination; and spacecraft of which none can be told.
    pub(crate) fn search(&self) -> Result<(Vec<Heard<'_>>, Vec<NoPasses>), ProblemResponse> {
        let days = self.span.end.seconds_since(self.span.start) / 86_400.0;
        let asked = self.spacecraft.len() as f64 * self.listeners.len() as f64 * days;
        if asked > STATION_DAYS_MAX {
            let detail = format!(
                "{} spacecraft over {} stations in {days:.1} days is more than is searched at once; ask for a shorter span or for fewer of them",
                self.spacecraft.len(),
                self.listeners.len()
            );
            return Err(ProblemResponse::bad_request(detail));
        }
        if self.listeners.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (mut heard, mut left_out, begun) = (Vec::new(), Vec::new(), Instant::now());
        for spacecraft in &self.spacecraft {
            for (part, version) in spacecraft.within(self.span.clone()) {
                if begun.elapsed() > PATIENCE {
                    return Err(ProblemResponse::too_slow(
                        "the search took longer than 20 s; ask for a shorter span",
                    ));
                }
                if let Err(why) = self.search_part(spacecraft, version, part, &mut heard) {
                    left_out.push(NoPasses {
                        station: None,
                        spacecraft: Some(spacecraft.name.clone()),
                        reason: why,
                    });
                }
            }
        }
        heard.sort_by_key(|heard: &Heard<'_>| heard.pass.culmination);
        left_out.dedup();
        Ok((heard, left_out))
    }

    fn search_part<'a>(
        &'a self,
        spacecraft: &'a Spacecraft,
        version: &'a Version,
        part: Range<TaiTime>,
        heard: &mut Vec<Heard<'a>>,
    ) -> Result<(), String> {
        version.check_age(part.start)?;
        version.check_age(part.end)?;
        let begins = part.start;
        let scan = Scan::new(version.orbit(), part).map_err(|error| error.to_string())?;
        for listener in &self.listeners {
            for pass in scan.passes(&listener.station) {
                // One under way where a newer version begins to count is found by both.
                let may_be_known = pass.aos.is_none_or(|aos| aos < begins);
                let is_known = |known: &Heard<'_>| {
                    known.spacecraft.name == spacecraft.name
                        && known.listener.node == listener.node
                        && overlap(&known.pass, &pass)
                };
                if !(may_be_known && heard.iter().any(is_known)) {
                    heard.push(Heard { spacecraft, listener, version, pass });
                }
            }
        }
        scan.ended().map_or(Ok(()), |error| Err(error.to_string()))
    }
}

fn overlap(a: &orbit::Pass, b: &orbit::Pass) -> bool {
    let begins = |pass: &orbit::Pass| pass.aos.unwrap_or(TaiTime(i64::MIN));
    let ends = |pass: &orbit::Pass| pass.los.unwrap_or(TaiTime(i64::MAX));
    begins(a) < ends(b) && begins(b) < ends(a)
}

impl Heard<'_> {
    /// As people are told of it. What was received is asked for later.
    pub(crate) fn describe(&self, now: TaiTime) -> Pass {
        let orbit::Pass { aos, culmination, los } = self.pass;
        let duration_s = aos.zip(los).map(|(aos, los)| los.seconds_since(aos));
        let top = self.moment(culmination);
        let phase = match (aos.is_some_and(|aos| aos > now), los.is_some_and(|los| los <= now)) {
            (true, _) => PassPhase::ToCome,
            (false, true) => PassPhase::Past,
            (false, false) => PassPhase::UnderWay,
        };
        Pass {
            id: pass_id(&self.spacecraft.name, &self.listener.node, culmination),
            spacecraft: self.spacecraft.name.clone(),
            station: self.listener.node.clone(),
            site: self.listener.site.clone(),
            aos: aos.map(|aos| self.moment(aos)),
            elevation_max_deg: top.elevation_deg,
            culmination: top,
            los: los.map(|los| self.moment(los)),
            mask_deg: self.listener.station.mask_deg(),
            duration_s,
            phase,
            elements_epoch: rfc3339(self.version.epoch()),
            elements_age_s: culmination.seconds_since(self.version.epoch()),
            received: None,
        }
    }

    fn moment(&self, at: TaiTime) -> PassMoment {
        let state = self.version.orbit().state_at(at).expect("the search has seen it there");
        let look = self.listener.station.look(&state);
        PassMoment { at: rfc3339(at), azimuth_deg: look.azimuth_deg, elevation_deg: look.elevation_deg }
    }
}

/// Names the pass that is under way at a moment. Newer elements move a pass by seconds, and it is still the one.
pub(crate) fn pass_id(spacecraft: &str, node: &str, moment: TaiTime) -> String {
    let text = moment.to_utc().to_string();
    let digits: String = text.chars().take(19).filter(|character| !matches!(character, '-' | ':')).collect();
    format!("{}-{digits}Z", pair_of(spacecraft, node))
}

/// What an id says: the pair of spacecraft and node it is about, as [`pair_of`] names it, and the second in which the pass is
/// under way.
pub(crate) fn pass_of(id: &str) -> Option<(&str, Range<TaiTime>)> {
    let (pair, moment) = id.split_once('-').filter(|_| id.is_ascii() && id.len() == HASH_DIGITS + 17)?;
    let (date, time) = moment.split_at_checked(8)?;
    let time = time.strip_prefix('T').filter(|time| time.len() == 7)?;
    let ([year, month, day], [hour, minute, second]) =
        ([&date[..4], &date[4..6], &date[6..]], [&time[..2], &time[2..4], &time[4..]]);
    let start = UtcTime::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}")).ok()?.to_tai();
    Some((pair, start..start.plus_nanos(NANOS_PER_SECOND)))
}

/// Names a pair in ids.
pub(crate) fn pair_of(spacecraft: &str, node: &str) -> String {
    let hash = hash(&format!("pass {spacecraft}\0{node}"));
    data_encoding::HEXLOWER.encode(&hash[..HASH_DIGITS / 2])
}

#[cfg(test)]
mod tests {
    use super::super::spacecraft::tests::{at, stored};
    use super::*;

    const SVALBARD: SitePlace =
        SitePlace { latitude_deg: 78.23, longitude_deg: 15.39, height_m: 450.0, mask_deg: 5.0 };

    fn visibility(days: &[u32], span: Range<TaiTime>) -> Visibility {
        let stored = days.iter().map(|&day| stored("demo-1", day)).collect();
        let (spacecraft, _) = Spacecraft::of(stored);
        let listener = Listener::new("svalbard".to_owned(), "Svalbard".to_owned(), &SVALBARD);
        Visibility { spacecraft, listeners: vec![listener], span }
    }

    fn culminations(visibility: &Visibility) -> Vec<TaiTime> {
        let (heard, left_out) = visibility.search().expect("a search");
        assert_eq!(left_out, []);
        heard.iter().map(|heard| heard.pass.culmination).collect()
    }

    #[test]
    fn a_pass_under_way_when_a_newer_version_begins_to_count_is_told_once() {
        let day = at("2026-11-10T00:00:00Z")..at("2026-11-11T00:00:00Z");
        let before = culminations(&visibility(&[10], day.clone()));
        assert!((10..=15).contains(&before.len()), "{before:?}");
        // The same orbit with an epoch in the middle of each pass in turn.
        for &middle in &before {
            let mut visibility = visibility(&[10], day.clone());
            let mut again = stored("demo-1", 10);
            let place = format!("\"EPOCH\":\"{}\"", middle.to_utc().to_string().trim_end_matches('Z'));
            again.elements.text = again.elements.text.replace("\"EPOCH\":\"2026-11-10T00:00:00\"", &place);
            again.elements.epoch = middle;
            visibility.spacecraft = Spacecraft::of(vec![stored("demo-1", 10), again]).0;
            let (heard, _) = visibility.search().expect("a search");
            for pair in heard.windows(2) {
                assert!(!overlap(&pair[0].pass, &pair[1].pass));
            }
            assert!(heard.iter().any(|heard| heard.pass.culmination == middle), "the pass at {middle}");
        }
    }

    #[test]
    fn a_pass_keeps_its_name_and_is_found_by_it() {
        let visibility = visibility(&[10], at("2026-11-10T00:00:00Z")..at("2026-11-11T00:00:00Z"));
        let (heard, _) = visibility.search().expect("a search");
        for one in &heard {
            let described = one.describe(one.pass.culmination);
            assert_eq!(described.phase, PassPhase::UnderWay);
            let (pair, second) = pass_of(&described.id).expect("an id");
            assert_eq!(pair, pair_of("demo-1", "svalbard"));
            assert!(second.contains(&one.pass.culmination), "{}", described.id);
        }
        let (first, last) = (&heard[0], &heard[heard.len() - 1]);
        assert_eq!(first.describe(last.pass.culmination).phase, PassPhase::Past);
        assert_eq!(last.describe(first.pass.culmination).phase, PassPhase::ToCome);
        assert_ne!(pair_of("demo-1", "svalbard"), pair_of("demo-1", "troll"));
        for wrong in [
            "",
            "-",
            "00000000-",
            "00000000-20261310T000000Z",
            "0000000-20261110T0000000Z",
            "00000000-2026111\u{e9}T00000Z",
        ] {
            assert_eq!(pass_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_searched_is_told() {
        let far = visibility(&[10], at("2027-11-10T00:00:00Z")..at("2027-11-11T00:00:00Z"));
        let (heard, left_out) = far.search().expect("a search");
        assert!(heard.is_empty());
        assert_eq!(left_out.len(), 1);
        assert!(left_out[0].reason.contains("365 days from the epoch"), "{left_out:?}");
        let mut crowd = visibility(&[10], at("2026-11-10T00:00:00Z")..at("2026-12-10T00:00:00Z"));
        crowd.listeners = vec![crowd.listeners[0].clone(); 1_000];
        let problem = crowd.search().map(|_| ()).expect_err("too much");
        assert!(
            problem.detail().contains("1 spacecraft over 1000 stations in 30.0 days"),
            "{}",
            problem.detail()
        );
    }
}
