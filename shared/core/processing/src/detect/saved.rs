//! A suite's state as bytes: a format version, a checksum, and the state.

use serde::{Deserialize, Serialize};

use super::Suite;

const FORMAT: u16 = 1;
/// A suite of every detector in every mode, with the longest windows, is smaller.
const BYTES_MAX: usize = 64 << 20;
const HEADER_BYTES: usize = 6;

/// Why bytes are not a state of this version.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
pub enum SavedStateError {
    /// They are cut short or altered. What was learned is to be learned anew.
    #[error("the saved state of the detectors is damaged ({bytes} bytes): they learn anew")]
    Damaged {
        /// How many bytes there were.
        bytes: usize,
    },
    /// Another version of this program wrote them.
    #[error(
        "the saved state of the detectors has format {format}, this program reads {FORMAT}: they learn anew"
    )]
    Format {
        /// What they say.
        format: u16,
    },
}

impl Suite {
    /// The state as bytes, the same for the same state: 2 bytes of format, 4 of CRC-32C, big-endian, and postcard.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes = postcard::to_extend(self, bytes).unwrap_or_default();
        if let Some((header, body)) = bytes.split_at_mut_checked(HEADER_BYTES) {
            header[..2].copy_from_slice(&FORMAT.to_be_bytes());
            header[2..].copy_from_slice(&crc32c::crc32c(body).to_be_bytes());
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, SavedStateError> {
        let damaged = SavedStateError::Damaged { bytes: bytes.len() };
        let &[a, b, c, d, e, f, ref body @ ..] = bytes else { return Err(damaged) };
        let format = u16::from_be_bytes([a, b]);
        if format != FORMAT {
            return Err(SavedStateError::Format { format });
        }
        if body.len() > BYTES_MAX || crc32c::crc32c(body) != u32::from_be_bytes([c, d, e, f]) {
            return Err(damaged);
        }
        postcard::from_bytes(body).map_err(|_| damaged)
    }
}
