//! The public contract by which producers hand telemetry in with gRPC or as protobuf bodies, and by which programs read
//! it; and the conversions of the former.
//!
//! Bodies come from anybody: [`BoundedCodec`] counts what a body would become before anything is made of it.

mod codec;
mod convert;
mod telemetry;

pub use codec::{BoundedCodec, IngestBody, MalformedBody};
pub use convert::{SampleError, SampleErrorKind, from_record, to_record};

/// Version 1 of the contract: `sto.v1`.
pub mod v1 {
    #![allow(clippy::all, missing_docs, unreachable_pub)]
    tonic::include_proto!("sto.v1");
}

/// Samples of one request at most; no more is allocated for.
pub const SAMPLES_MAX: usize = 100_000;

/// Descriptors of all files of the contract, as `FileDescriptorSet`: what a server answers that is asked for them.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
