//! A record of the log of alarms.
//!
//! ```text
//! u32 LE  length of the body
//! u32 LE  CRC-32C of the body
//!         body: u8 kind, then
//!           'F'  u64 LE  number up to which what was written here is in the alarm lane
//!           'K'  u64 LE  the hub's number up to which its entries are here
//!           'P'  u64 LE  number of what was written here, rising; 0 of what was not, or is in the alarm lane
//!                i64 LE  when it was stored first, TAI nanoseconds
//!                        a piece of an alarm's history, to the end
//! ```

use processing::alarm::PIECE_BYTES_MAX;
use space_packet::TaiTime;

/// How the file begins.
pub(super) const FILE_HEAD: [u8; 8] = *b"STOALRM1";
pub(super) const HEAD_BYTES: usize = 8;
const BODY_BYTES_MAX: usize = 1 + 8 + 8 + PIECE_BYTES_MAX;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Record {
    Forwarded(u64),
    Kept(u64),
    Piece { number: u64, known: TaiTime, bytes: Vec<u8> },
}

/// What there is in the file.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// A record between two places.
    Record { at: u64, end: u64, record: Record },
    /// Something that is none, of a length that a record may have.
    Damaged { end: u64 },
}

impl Record {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        match self {
            Self::Forwarded(number) => {
                body.push(b'F');
                body.extend_from_slice(&number.to_le_bytes());
            }
            Self::Kept(number) => {
                body.push(b'K');
                body.extend_from_slice(&number.to_le_bytes());
            }
            Self::Piece { number, known, bytes } => {
                body.push(b'P');
                body.extend_from_slice(&number.to_le_bytes());
                body.extend_from_slice(&known.0.to_le_bytes());
                body.extend_from_slice(bytes);
            }
        }
        out.extend_from_slice(&(body.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        out.extend_from_slice(&body);
    }

    /// Reads a record; `None` when the check sum does not fit, or it says what cannot be.
    pub(super) fn decode(head: &[u8; HEAD_BYTES], body: &[u8]) -> Option<Self> {
        if crc32c::crc32c(body).to_le_bytes() != head[4..] {
            return None;
        }
        let (kind, rest) = body.split_first()?;
        let (number, rest) = rest.split_first_chunk()?;
        let number = u64::from_le_bytes(*number);
        match kind {
            b'F' => Some(Self::Forwarded(number)),
            b'K' => Some(Self::Kept(number)),
            b'P' => {
                let (known, piece) = rest.split_first_chunk()?;
                Some(Self::Piece {
                    number,
                    known: TaiTime(i64::from_le_bytes(*known)),
                    bytes: piece.to_vec(),
                })
            }
            _ => None,
        }
    }
}

/// Length of the body behind a head; `None` where no record has it.
pub(super) fn body_bytes(head: &[u8; HEAD_BYTES]) -> Option<usize> {
    let [a, b, c, d, ..] = *head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    (9..=BODY_BYTES_MAX).contains(&length).then_some(length)
}

/// What a file holds, up to its torn end.
pub(super) fn records(file: &[u8]) -> impl Iterator<Item = Found> {
    let mut at = FILE_HEAD.len();
    let is_ours = file.starts_with(&FILE_HEAD);
    std::iter::from_fn(move || {
        let head = file.get(at..)?.first_chunk::<HEAD_BYTES>().filter(|_| is_ours)?;
        let start = at + HEAD_BYTES;
        let end = start + body_bytes(head)?;
        let body = file.get(start..end)?;
        let found = match Record::decode(head, body) {
            Some(record) => Found::Record { at: at as u64, end: end as u64, record },
            None => Found::Damaged { end: end as u64 },
        };
        at = end;
        Some(found)
    })
}
