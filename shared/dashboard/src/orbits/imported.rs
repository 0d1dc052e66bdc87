//! What somebody says of places and elements, checked before it is kept.

use std::ops::RangeInclusive;

use orbit::{ElementSet, Orbit};

use super::NewElements;
use crate::ProblemResponse;
use crate::contract::SitePlace;

/// A text of elements.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1_024;
/// Of one set of them: a message of all that Space-Track says has 1.5 KiB.
const SET_BYTES_MAX: usize = 8 * 1_024;
const NAME_CHARACTERS_MAX: usize = 100;

/// Checks a site's name and place.
pub fn check_place(site: &str, place: &SitePlace) -> Result<(), ProblemResponse> {
    let refused = |why: String| ProblemResponse::bad_request(format!("{why}; nothing was changed"));
    // As nodes have it, also with blanks around it.
    if !is_text(site) {
        return Err(refused(format!("a site has a name of 1 to {NAME_CHARACTERS_MAX} characters")));
    }
    let fields: [(&str, f64, RangeInclusive<f64>); 4] = [
        ("latitude_deg", place.latitude_deg, -90.0..=90.0),
        ("longitude_deg", place.longitude_deg, -180.0..=180.0),
        ("height_m", place.height_m, -500.0..=9_000.0),
        ("mask_deg", place.mask_deg, 0.0..=89.0),
    ];
    match fields.into_iter().find(|(_, value, range)| !range.contains(value)) {
        Some((name, value, range)) => {
            let (least, most) = (range.start(), range.end());
            Err(refused(format!("{name} is {value}; it lies from {least} to {most}")))
        }
        None => Ok(()),
    }
}

/// Reads elements that can be propagated: of the spacecraft with this name, or of those that the text names.
pub fn read_elements(text: &str, spacecraft: Option<&str>) -> Result<Vec<NewElements>, ProblemResponse> {
    let refused = |why: String| ProblemResponse::bad_elements(format!("{why}; nothing was imported"));
    if text.len() > TEXT_BYTES_MAX {
        return Err(ProblemResponse::too_large(format!(
            "a text of elements has at most {TEXT_BYTES_MAX} bytes"
        )));
    }
    let sets = ElementSet::parse(text).map_err(|error| refused(error.to_string()))?;
    if spacecraft.is_some() && sets.len() > 1 {
        let count = sets.len();
        return Err(refused(format!(
            "the text holds {count} sets of elements, and one spacecraft was named"
        )));
    }
    sets.into_iter().map(|set| new_elements(set, spacecraft).map_err(refused)).collect()
}

fn new_elements(set: ElementSet, spacecraft: Option<&str>) -> Result<NewElements, String> {
    let spacecraft = match (spacecraft, &set.name) {
        (Some(name), _) => name.to_owned(),
        (None, Some(name)) => name.clone(),
        (None, None) => set.catalog_number.to_string(),
    };
    if !is_name(&spacecraft) {
        return Err(format!(
            "a spacecraft has a name of 1 to {NAME_CHARACTERS_MAX} characters, not {spacecraft:?}"
        ));
    }
    if set.text.len() > SET_BYTES_MAX {
        return Err(format!(
            "a set of elements has at most {SET_BYTES_MAX} bytes; {spacecraft:?} has {}",
            set.text.len()
        ));
    }
    let at_epoch = Orbit::new(&set).map_err(|error| error.to_string())?;
    at_epoch.state_at(set.epoch).map_err(|error| format!("{spacecraft:?}: {error}"))?;
    Ok(NewElements { spacecraft, epoch: set.epoch, text: set.text })
}

fn is_name(text: &str) -> bool {
    is_text(text) && text.trim() == text
}

fn is_text(text: &str) -> bool {
    (1..=NAME_CHARACTERS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n\
        2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667\n";

    #[test]
    fn a_spacecraft_is_called_as_asked_or_as_its_elements_say() {
        let name =
            |text: &str, asked| read_elements(text, asked).expect("they can be read")[0].spacecraft.clone();
        assert_eq!(name(LINES, Some("demo-1")), "demo-1");
        assert_eq!(name(&format!("VANGUARD 1\n{LINES}"), None), "VANGUARD 1");
        assert_eq!(name(LINES, None), "5");
        let problem =
            |text: &str, asked| read_elements(text, asked).expect_err("refused").detail().to_owned();
        assert!(problem(&LINES.repeat(2), Some("demo-1")).contains("2 sets"));
        assert!(problem(LINES, Some(" ")).contains("1 to 100 characters"));
        assert!(problem(LINES, Some("a\u{7}")).contains("1 to 100 characters"));
        assert!(problem("1 2 3", None).contains("line 1, column 1"));
        assert!(problem(&"x".repeat(TEXT_BYTES_MAX + 1), None).contains("65536 bytes"));
    }

    #[test]
    fn a_place_is_on_the_earth() {
        let place = SitePlace { latitude_deg: 78.23, longitude_deg: 15.39, height_m: 450.0, mask_deg: 5.0 };
        assert!(check_place("Svalbard", &place).is_ok());
        for (wrong, told) in [
            (SitePlace { latitude_deg: 90.5, ..place }, "latitude_deg is 90.5; it lies from -90 to 90"),
            (SitePlace { longitude_deg: f64::NAN, ..place }, "longitude_deg is NaN"),
            (SitePlace { height_m: 1e300, ..place }, "height_m"),
            (SitePlace { mask_deg: 90.0, ..place }, "mask_deg is 90; it lies from 0 to 89"),
        ] {
            let problem = check_place("Svalbard", &wrong).expect_err(told);
            assert!(problem.detail().contains(told), "{}", problem.detail());
        }
        assert!(check_place("", &place).is_err() && check_place(&"s".repeat(101), &place).is_err());
    }
}
