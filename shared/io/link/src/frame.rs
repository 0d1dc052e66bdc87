//! Frames as bytes: `u32` little-endian length of type and body, `u8` type, body.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::error::FrameError;

/// The most a frame's type and body may take together.
pub const FRAME_LENGTH_MAX: usize = 256 * 1024;

const LENGTH_BYTES: usize = 4;

/// One message on a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// What the body is; a type the reader does not know can be skipped.
    pub kind: u8,
    /// The body, sharing memory with what was read.
    pub body: Bytes,
}

/// Cuts a stream of bytes, arriving in any pieces, into frames.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: BytesMut,
    length_max: usize,
}

impl Default for FrameDecoder {
    fn default() -> Self {
        Self::with_limit(FRAME_LENGTH_MAX)
    }
}

impl FrameDecoder {
    /// A decoder that allows frames of type and body up to `length_max`, and never above [`FRAME_LENGTH_MAX`].
    pub fn with_limit(length_max: usize) -> Self {
        Self { buffer: BytesMut::new(), length_max: length_max.min(FRAME_LENGTH_MAX) }
    }

    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes came; after an error the stream is of no more use.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((header, rest)) = self.buffer.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*header) as usize;
        if length == 0 {
            return Err(FrameError::Empty);
        }
        if length > self.length_max {
            return Err(FrameError::TooLong { length, limit: self.length_max });
        }
        if rest.len() < length {
            // Known to be within the limit, so one allocation holds the whole frame.
            self.buffer.reserve(LENGTH_BYTES + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(LENGTH_BYTES);
        let kind = self.buffer.get_u8();
        Ok(Some(Frame { kind, body: self.buffer.split_to(length - 1).freeze() }))
    }

    /// Whether the bytes so far end between two frames.
    pub fn is_at_boundary(&self) -> bool {
        self.buffer.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    #[cfg(test)]
    fn allocated(&self) -> usize {
        self.buffer.capacity()
    }
}

/// Appends one frame; the body may come in parts, so that a header need not be copied in front of a batch.
pub(crate) fn encode(kind: u8, body: &[&[u8]], into: &mut BytesMut) -> Result<(), FrameError> {
    let length = body.iter().map(|part| part.len()).fold(1usize, usize::saturating_add);
    if length > FRAME_LENGTH_MAX {
        return Err(FrameError::too_long(length));
    }
    let header = u32::try_from(length).map_err(|_| FrameError::too_long(length))?;
    into.reserve(LENGTH_BYTES + length);
    into.put_u32_le(header);
    into.put_u8(kind);
    for part in body {
        into.put_slice(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_all(decoder: &mut FrameDecoder) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = decoder.next_frame() {
            frames.push(frame);
        }
        frames
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_memory_is_taken() {
        for length in [FRAME_LENGTH_MAX as u32 + 1, u32::MAX] {
            let mut decoder = FrameDecoder::default();
            decoder.push(&length.to_le_bytes());
            assert_eq!(
                decoder.next_frame(),
                Err(FrameError::TooLong { length: length as usize, limit: FRAME_LENGTH_MAX })
            );
            assert!(decoder.allocated() < 1024);
        }
    }

    #[test]
    fn a_stream_may_allow_less_than_the_protocol() {
        let mut decoder = FrameDecoder::with_limit(16);
        decoder.push(&17u32.to_le_bytes());
        assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { length: 17, limit: 16 }));
        assert_eq!(FrameDecoder::with_limit(usize::MAX).length_max, FRAME_LENGTH_MAX);
    }

    #[test]
    fn a_frame_without_type_is_refused() {
        let mut decoder = FrameDecoder::default();
        decoder.push(&[0; 8]);
        assert_eq!(decoder.next_frame(), Err(FrameError::Empty));
    }

    #[test]
    fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let body = vec![7; FRAME_LENGTH_MAX];
        let mut bytes = BytesMut::new();
        assert_eq!(encode(1, &[&body], &mut bytes), Err(FrameError::too_long(FRAME_LENGTH_MAX + 1)));
        assert!(bytes.is_empty());
        encode(1, &[&body[1..]], &mut bytes).unwrap();
        let mut decoder = FrameDecoder::default();
        decoder.push(&bytes);
        assert_eq!(decode_all(&mut decoder).len(), 1);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_whatever_the_pieces(
            frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 0..12),
            piece in 1usize..64,
        ) {
            let mut bytes = BytesMut::new();
            for (kind, body) in &frames {
                let (left, right) = body.split_at(body.len() / 2);
                encode(*kind, &[left, right], &mut bytes).unwrap();
            }
            let mut decoder = FrameDecoder::default();
            let mut decoded = Vec::new();
            for piece in bytes.chunks(piece) {
                decoder.push(piece);
                decoded.extend(decode_all(&mut decoder));
            }
            prop_assert!(decoder.is_at_boundary());
            let decoded: Vec<_> = decoded.into_iter().map(|frame| (frame.kind, frame.body.to_vec())).collect();
            prop_assert_eq!(decoded, frames);
        }

        #[test]
        fn arbitrary_bytes_neither_panic_nor_take_more_memory_than_a_frame(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..32),
        ) {
            let mut decoder = FrameDecoder::default();
            for piece in pieces {
                decoder.push(&piece);
                while let Ok(Some(frame)) = decoder.next_frame() {
                    prop_assert!(frame.body.len() < FRAME_LENGTH_MAX);
                }
            }
            prop_assert!(decoder.allocated() <= 2 * FRAME_LENGTH_MAX);
        }
    }
}
