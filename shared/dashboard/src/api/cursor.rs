//! Cursors: where a page of samples ended, taken back with the question they came from only.

use space_packet::TaiTime;

use crate::ProblemResponse;
use crate::access::hash;

const PLACE_BYTES: usize = 16;
const MARK_BYTES: usize = 8;

/// What of a range is still to be read. Times that were given from now on are kept as they were read first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rest {
    pub(super) from: TaiTime,
    pub(super) to: TaiTime,
}

/// The rest as text. Its mark tells a mistake, not a lie: what may be read is decided elsewhere.
pub(super) fn write(question: &str, rest: Rest) -> String {
    let mut bytes = [rest.from, rest.to].map(|time| time.0.to_be_bytes()).concat();
    bytes.extend(mark(question, &bytes));
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

/// The rest that a cursor of a question says.
pub(super) fn read(question: &str, text: &str) -> Result<Rest, ProblemResponse> {
    let rest = || {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (place, rest) = bytes.split_first_chunk::<PLACE_BYTES>()?;
        if rest != mark(question, place) {
            return None;
        }
        let (numbers, _) = place.as_chunks::<8>();
        let [from, to] = [0, 1].map(|index| TaiTime(i64::from_be_bytes(numbers[index])));
        (from < to).then_some(Rest { from, to })
    };
    rest().ok_or_else(|| {
        ProblemResponse::bad_request(
            "the cursor is not one of this question; pass `next` of the page before with the other arguments unchanged, or begin without",
        )
    })
}

fn mark(question: &str, place: &[u8]) -> [u8; MARK_BYTES] {
    let hash = hash(&format!("samples {} {question}", data_encoding::HEXLOWER.encode(place)));
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&hash[..MARK_BYTES]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_taken_back_with_its_own_question_only() {
        let rest = Rest { from: TaiTime(i64::MIN), to: TaiTime(-1) };
        let cursor = write("demo /P", rest);
        assert_eq!(read("demo /P", &cursor).ok(), Some(rest));
        assert!(read("demo /Q", &cursor).is_err(), "of another parameter");
        for wrong in
            ["", "2026-11-22T00:00:00Z", &cursor[1..], &format!("{cursor}AA"), &cursor.to_lowercase()]
        {
            assert!(read("demo /P", wrong).is_err(), "{wrong}");
        }
        let backwards = Rest { from: TaiTime(1), to: TaiTime(0) };
        assert!(read("demo /P", &write("demo /P", backwards)).is_err(), "of no page");
    }
}
