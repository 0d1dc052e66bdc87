//! Pages of lists: which part is asked for, and cursors, which say where a page ended and which only the list they came
//! from takes back.

use std::ops::Range;

use space_packet::TaiTime;

use super::time;
use crate::ProblemResponse;
use crate::access::hash;
use crate::records::{Place, Slice};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;
const PLACE_BYTES: usize = 24;
const MARK_BYTES: usize = 8;

/// What a question says about the part of a list it wants.
pub(super) struct Asked<'a> {
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<&'a str>,
}

impl Asked<'_> {
    /// The part of a list; all of time where an end is not said.
    pub(super) fn of(self, list: &str) -> Result<Slice, ProblemResponse> {
        Ok(Slice {
            span: span(self.from, self.to)?,
            limit: self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX),
            after: self.cursor.map(|cursor| read(list, cursor)).transpose()?,
        })
    }
}

/// A span of time, all of it where an end is not said.
pub(super) fn span(from: Option<&str>, to: Option<&str>) -> Result<Range<TaiTime>, ProblemResponse> {
    let from = from.map_or(Ok(TaiTime(i64::MIN)), time)?;
    let to = to.map_or(Ok(TaiTime(i64::MAX)), time)?;
    if to <= from {
        return Err(ProblemResponse::bad_request("the range is empty: `to` is not after `from`"));
    }
    Ok(from..to)
}

/// A place in a list as text. It tells a mistake, not a lie: what may be read is decided elsewhere.
pub(super) fn write(list: &str, place: Place) -> String {
    let mut bytes = place.map(i64::to_be_bytes).concat();
    bytes.extend(mark(list, &bytes));
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

/// The place that a cursor of a list says.
pub(super) fn read(list: &str, text: &str) -> Result<Place, ProblemResponse> {
    let place = || {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (place, rest) = bytes.split_first_chunk::<PLACE_BYTES>()?;
        if rest != mark(list, place) {
            return None;
        }
        let (numbers, _) = place.as_chunks::<8>();
        Some([0, 1, 2].map(|index| i64::from_be_bytes(numbers[index])))
    };
    let detail =
        "the cursor is not one of this list; pass `next` of the page before as it is, or begin without";
    place().ok_or_else(|| ProblemResponse::bad_request(detail))
}

fn mark(list: &str, place: &[u8]) -> [u8; MARK_BYTES] {
    let hash = hash(&format!("cursor {list} {}", data_encoding::HEXLOWER.encode(place)));
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&hash[..MARK_BYTES]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_taken_back_by_its_own_list_only() {
        let place = [i64::MIN, -1, i64::MAX];
        let cursor = write("packets demo", place);
        assert_eq!(read("packets demo", &cursor).ok(), Some(place));
        assert!(read("packets apollo", &cursor).is_err(), "of another mission");
        assert!(read("events demo", &cursor).is_err(), "of another list");
        for wrong in
            ["", "2026-11-22T00:00:00Z", &cursor[1..], &format!("{cursor}AA"), &cursor.to_lowercase()]
        {
            assert!(read("packets demo", wrong).is_err(), "{wrong}");
        }
    }
}
