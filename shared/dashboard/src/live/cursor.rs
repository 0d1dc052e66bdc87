//! Where a client goes on after it lost its connection: a place in one archive's ledger, opaque to the client.

use data_encoding::BASE64URL_NOPAD;

use crate::access::hash;

const VERSION: u8 = 1;
/// Version, archive, stream, position.
const BYTES: usize = 1 + 8 + 4 + 8;

/// A place in a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cursor {
    /// The archive it is a place of ([`crate::Backend::archive_id`]).
    pub(crate) archive: [u8; 8],
    stream: [u8; 4],
    /// Everything up to here was sent.
    pub(crate) position: i64,
}

/// Why a cursor is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum CursorError {
    #[error("the cursor belongs to another server, or to a database that was restored since")]
    ElsewhereArchive,
    #[error("the cursor belongs to another mission or another kind of subscription")]
    ElsewhereStream,
    #[error("these are not the characters of a cursor")]
    Malformed,
}

impl Cursor {
    /// A place in the stream of a mission, or of the server's events when it is empty.
    pub(crate) fn new(archive: [u8; 8], mission: &str, position: i64) -> Self {
        Self { archive, stream: stream(mission), position }
    }

    pub(crate) fn encode(&self) -> String {
        let position = self.position.to_be_bytes();
        BASE64URL_NOPAD.encode(&[&[VERSION][..], &self.archive, &self.stream, &position].concat())
    }

    /// The position that a cursor of this archive and mission stands for.
    pub(crate) fn position_in(text: &str, archive: [u8; 8], mission: &str) -> Result<i64, CursorError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CursorError::Malformed)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| CursorError::Malformed)?;
        let (&[version], rest) = bytes.split_first_chunk().ok_or(CursorError::Malformed)?;
        let (of_archive, rest) = rest.split_first_chunk().ok_or(CursorError::Malformed)?;
        let (of_stream, rest) = rest.split_first_chunk().ok_or(CursorError::Malformed)?;
        let position = rest.first_chunk().ok_or(CursorError::Malformed)?;
        if version != VERSION {
            return Err(CursorError::Malformed);
        }
        if *of_archive != archive {
            return Err(CursorError::ElsewhereArchive);
        }
        if *of_stream != stream(mission) {
            return Err(CursorError::ElsewhereStream);
        }
        Ok(i64::from_be_bytes(*position))
    }
}

fn stream(mission: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = hash(mission);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_where_it_was_made_and_refused_elsewhere() {
        let text = Cursor::new([7; 8], "demo", 42).encode();
        let check = |text: &str, archive, mission, expected| {
            assert_eq!(Cursor::position_in(text, archive, mission), expected, "{text}");
        };
        check(&text, [7; 8], "demo", Ok(42));
        check(&text, [8; 8], "demo", Err(CursorError::ElsewhereArchive));
        check(&text, [7; 8], "apollo", Err(CursorError::ElsewhereStream));
        check(&text, [7; 8], "", Err(CursorError::ElsewhereStream));
        for malformed in ["", "42", "no cursor!", &text[1..], &format!("{text}AAAA")] {
            check(malformed, [7; 8], "demo", Err(CursorError::Malformed));
        }
    }
}
