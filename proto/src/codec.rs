//! Encoding and decoding with bounds: a sample of two bytes would take a hundred once decoded.

use std::marker::PhantomData;

use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use crate::SAMPLES_MAX;
use crate::v1::{IngestReply, IngestRequest};

/// Number of the field `samples`, in a request and in its list.
const REQUEST_SAMPLES: u32 = 3;
const LIST_SAMPLES: u32 = 1;
/// Refusals that a reply may hold.
const REFUSALS_MAX: usize = 10_000;
const REPLY_REFUSED: u32 = 5;

/// Why bytes are no message of the contract.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MalformedBody {
    /// Not protobuf, or not of this message.
    #[error("the bytes are not a message of the contract: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// More samples than are taken at once.
    #[error("the body holds more than {limit} samples; send them in several requests")]
    TooMany {
        /// How many are taken.
        limit: usize,
    },
}

impl MalformedBody {
    /// Stable name of what is wrong.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Protobuf(_) => "protobuf-malformed",
            Self::TooMany { .. } => "too-many-samples",
        }
    }
}

/// A message that is counted before it is decoded.
pub trait IngestBody: Message + Default + 'static {
    /// Looks for more than the message may hold.
    fn check(body: &[u8]) -> Result<(), MalformedBody>;

    /// Decodes a body that holds no more than it may.
    fn read(body: Bytes) -> Result<Self, MalformedBody> {
        Self::check(&body)?;
        Ok(Self::decode(body)?)
    }
}

impl IngestBody for IngestRequest {
    fn check(body: &[u8]) -> Result<(), MalformedBody> {
        let mut samples = 0;
        each_field(body, REQUEST_SAMPLES, &mut |list| {
            each_field(list, LIST_SAMPLES, &mut |_| {
                samples += 1;
                if samples > SAMPLES_MAX {
                    return Err(MalformedBody::TooMany { limit: SAMPLES_MAX });
                }
                Ok(())
            })
        })
    }
}

impl IngestBody for IngestReply {
    fn check(body: &[u8]) -> Result<(), MalformedBody> {
        let mut refused = 0;
        each_field(body, REPLY_REFUSED, &mut |_| {
            refused += 1;
            if refused > REFUSALS_MAX {
                return Err(MalformedBody::TooMany { limit: REFUSALS_MAX });
            }
            Ok(())
        })
    }
}

/// Calls for each length-delimited field of a number.
fn each_field(
    mut body: &[u8],
    number: u32,
    found: &mut dyn FnMut(&[u8]) -> Result<(), MalformedBody>,
) -> Result<(), MalformedBody> {
    while body.has_remaining() {
        let (field, wire_type) = decode_key(&mut body)?;
        if field != number || wire_type != WireType::LengthDelimited {
            skip_field(wire_type, field, &mut body, DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut body)?).unwrap_or(usize::MAX);
        // What is cut off is for the decoder to tell, in its own words.
        let Some((inner, behind)) = body.split_at_checked(length) else { return Ok(()) };
        found(inner)?;
        body = behind;
    }
    Ok(())
}

/// Protobuf for tonic, each message counted before it is decoded.
#[derive(Clone, Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Message + Send + 'static, U: IngestBody + Send> Codec for BoundedCodec<T, U> {
    type Encode = T;
    type Decode = U;
    type Encoder = BoundedCodec<T, U>;
    type Decoder = BoundedCodec<T, U>;

    fn encoder(&mut self) -> Self::Encoder {
        Self::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Self::default()
    }
}

impl<T: Message, U> Encoder for BoundedCodec<T, U> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(item.encoded_len());
        item.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl<T, U: IngestBody> Decoder for BoundedCodec<T, U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let body = buffer.copy_to_bytes(buffer.remaining());
        U::read(body).map(Some).map_err(|error| {
            let text = format!("{}: {error}", error.code());
            Status::invalid_argument(text)
        })
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_of_more_samples_than_are_taken_is_refused_before_it_is_decoded() {
        // A field of an empty sample takes two bytes.
        for (samples, is_taken) in [(SAMPLES_MAX, true), (SAMPLES_MAX + 1, false)] {
            let list = [0x0A, 0x00].repeat(samples);
            let mut body = vec![0x1A];
            prost::encoding::encode_varint(list.len() as u64, &mut body);
            body.extend(list);
            assert_eq!(IngestRequest::read(body.into()).is_ok(), is_taken, "{samples}");
        }
    }

    #[test]
    fn samples_cannot_be_hidden_in_several_lists() {
        let list = [0x0A, 0x00].repeat(SAMPLES_MAX / 2 + 1);
        let mut half = vec![0x1A];
        prost::encoding::encode_varint(list.len() as u64, &mut half);
        half.extend(list);
        let refused = IngestRequest::read(half.repeat(2).into());
        assert_eq!(refused, Err(MalformedBody::TooMany { limit: SAMPLES_MAX }));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_nothing_panics(bytes in any::<Vec<u8>>()) {
            let _ = IngestRequest::read(bytes.clone().into());
            let _ = IngestReply::read(bytes.into());
        }
    }
}
