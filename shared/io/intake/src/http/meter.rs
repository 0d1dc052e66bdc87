//! The memory of gRPC calls: what a message will take is asked for when its length is known, before it is kept.

use axum::BoxError;
use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use tonic::Status;

use super::body::{Held, Memory};

/// Before each message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// A body that holds room for the longest of its messages until it is dropped, as its reader's buffer does; it breaks off
/// with `RESOURCE_EXHAUSTED` where there is none. Longer ones than are taken are left to the reader, who refuses them.
pub(super) fn metered(
    body: Body,
    bytes_max: usize,
    memory: &Memory,
    on_refused: impl Fn() + Send + 'static,
) -> Body {
    let (mut lengths, mut held) = (Lengths::default(), Held::new(memory));
    Body::from_stream(body.into_data_stream().map(move |bytes| -> Result<Bytes, BoxError> {
        let bytes = bytes?;
        let announced = lengths.on_bytes(&bytes).filter(|length| *length <= bytes_max);
        held.grow_to(announced.unwrap_or_default()).map_err(|refusal| {
            on_refused();
            Status::from(refusal)
        })?;
        Ok(bytes)
    }))
}

/// Follows the messages of a body.
#[derive(Default)]
struct Lengths {
    prefix: [u8; PREFIX_BYTES],
    prefix_bytes: usize,
    /// Bytes of the message that are still to come.
    message_left: usize,
}

impl Lengths {
    /// The longest message that begins in the next bytes.
    fn on_bytes(&mut self, mut bytes: &[u8]) -> Option<usize> {
        let mut longest = None;
        while !bytes.is_empty() {
            let of_message = self.message_left.min(bytes.len());
            bytes = &bytes[of_message..];
            self.message_left -= of_message;
            let of_prefix = (PREFIX_BYTES - self.prefix_bytes).min(bytes.len());
            self.prefix[self.prefix_bytes..][..of_prefix].copy_from_slice(&bytes[..of_prefix]);
            self.prefix_bytes += of_prefix;
            bytes = &bytes[of_prefix..];
            if self.prefix_bytes == PREFIX_BYTES {
                let [_, length @ ..] = self.prefix;
                self.message_left = u32::from_be_bytes(length) as usize;
                self.prefix_bytes = 0;
                longest = longest.max(Some(self.message_left));
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_found_however_the_bytes_are_cut() {
        let lengths = [3_usize, 0, 700, 1];
        let message = |length: &usize| {
            let prefix = (*length as u32).to_be_bytes();
            [&[0], &prefix[..], &vec![0xFF; *length]].concat()
        };
        let body = lengths.iter().flat_map(message).collect::<Vec<_>>();
        for cut in 1..body.len() {
            let mut found = Lengths::default();
            let longest = body.chunks(cut).filter_map(|bytes| found.on_bytes(bytes)).max();
            assert_eq!((longest, found.message_left, found.prefix_bytes), (Some(700), 0, 0), "{cut}");
        }
        let mut found = Lengths::default();
        let each = body.chunks(1).filter_map(|bytes| found.on_bytes(bytes));
        assert_eq!(each.collect::<Vec<_>>(), lengths);
    }
}
