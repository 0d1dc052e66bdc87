//! Bodies from anybody: read within bounds of time and memory, unpacked within bounds of size.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::cause::{Cause, Refusal};

/// A body may take so long, however much of it comes.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// How long it may take without bringing anything; then each byte brings a part of a second.
const BODY_TIME_FREE: Duration = Duration::from_secs(10);
const BODY_BYTES_PER_SECOND_MIN: u64 = 1_024;
/// All bodies of a listener that are in memory; beyond that, producers are told to come again.
const BUDGET_BYTES: usize = 64 << 20;
/// Memory is asked for in steps, so that a connection that sends nothing holds nothing.
const STEP_BYTES: usize = 16 * 1_024;
/// Bodies unpacked at once: each takes up to 8 MiB for what it refers back to.
const UNPACKED_AT_ONCE: usize = 2;
/// The farthest that zstd may refer back, as a power of two: 8 MiB, what every decoder must have.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// What is read of a refused body.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
const DISCARDED_TIME_MAX: Duration = Duration::from_secs(5);
/// When to come again when there is no memory.
const RETRY_MEMORY: Duration = Duration::from_secs(1);

/// How a body is packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// Not at all.
    None,
    /// RFC 8878.
    Zstd,
}

impl Packing {
    /// What the headers say.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::None) };
        match value.to_str().unwrap_or("?").trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "" | "identity" => Ok(Self::None),
            "zstd" => Ok(Self::Zstd),
            other => {
                let shown: String = other.chars().take(40).collect();
                let message =
                    format!("Content-Encoding {shown:?} is not known; gzip and zstd are, one of them");
                Err(Refusal::new(Cause::ContentEncoding, message))
            }
        }
    }
}

/// What all bodies of a listener may take together.
pub struct Memory {
    room: Arc<Semaphore>,
    unpacking: Arc<Semaphore>,
}

impl Default for Memory {
    fn default() -> Self {
        let room = Arc::new(Semaphore::new(BUDGET_BYTES));
        Self { room, unpacking: Arc::new(Semaphore::new(UNPACKED_AT_ONCE)) }
    }
}

/// What a body takes, until this is dropped.
pub struct Held {
    room: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Held {
    fn new(memory: &Memory) -> Self {
        Self { room: Arc::clone(&memory.room), permit: None, bytes: 0 }
    }

    /// Holds a body of so many bytes that is in memory already.
    pub(super) fn of(memory: &Memory, bytes: usize) -> Result<Self, Refusal> {
        let mut held = Self::new(memory);
        held.grow_to(bytes)?;
        Ok(held)
    }

    /// Takes what it needs to hold so many bytes, and a little ahead.
    fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let steps = (bytes - self.bytes).div_ceil(STEP_BYTES) * STEP_BYTES;
        let more = Arc::clone(&self.room).try_acquire_many_owned(steps as u32).map_err(|_| {
            let message = "too many bodies are under way at this moment; nothing was taken";
            Refusal::later(Cause::Memory, RETRY_MEMORY, message)
        })?;
        self.bytes += steps;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

fn too_large(bytes_max: usize, how: &str) -> Refusal {
    let message = format!("the body is longer than the {bytes_max} bytes this link takes{how}");
    Refusal::new(Cause::BodyTooLarge, message)
}

/// Reads a body of at most so many bytes, also unpacked.
pub async fn read(
    body: &mut Body,
    packing: Packing,
    announced: Option<u64>,
    bytes_max: usize,
    memory: &Memory,
) -> Result<(Bytes, Held), Refusal> {
    if announced.is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(too_large(bytes_max, ""));
    }
    let mut held = Held::new(memory);
    let read = receive(body, bytes_max, &mut held).await?;
    if packing == Packing::None {
        return Ok((read.into(), held));
    }
    let _turn = Arc::clone(&memory.unpacking).acquire_owned().await;
    let mut unpacked_held = Held::new(memory);
    let unpacking = tokio::task::spawn_blocking(move || {
        let unpacked = unpack(&read, packing, bytes_max, &mut |bytes| unpacked_held.grow_to(bytes));
        drop(held);
        unpacked.map(|unpacked| (unpacked.into(), unpacked_held))
    });
    unpacking.await.unwrap_or_else(|_| Err(Refusal::new(Cause::EncodingBroken, "it could not be unpacked")))
}

async fn receive(body: &mut Body, bytes_max: usize, held: &mut Held) -> Result<Vec<u8>, Refusal> {
    let begun = Instant::now();
    let mut read = Vec::new();
    loop {
        let earned = Duration::from_secs(read.len() as u64 / BODY_BYTES_PER_SECOND_MIN);
        let due = begun + BODY_TIME_MAX.min(BODY_TIME_FREE + earned);
        let frame = match timeout_at(due, body.frame()).await {
            Ok(None) => return Ok(read),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                let message = format!("the body broke off after {} bytes: {error}", read.len());
                return Err(Refusal::new(Cause::BodyTruncated, message));
            }
            Err(_) => {
                let message = format!("{} bytes of the body came in {:?}", read.len(), begun.elapsed());
                return Err(Refusal::new(Cause::BodySlow, message));
            }
        };
        let Ok(bytes) = frame.into_data() else { continue };
        if read.len() + bytes.len() > bytes_max {
            return Err(too_large(bytes_max, ""));
        }
        held.grow_to(read.len() + bytes.len())?;
        read.extend_from_slice(&bytes);
    }
}

/// Reads what is left of a refused body, within bounds, and forgets it: many clients read no answer before they have sent
/// everything, and a connection that closes under them takes the answer with it.
pub async fn discard(body: &mut Body) {
    let mut left = DISCARDED_BYTES_MAX;
    let due = Instant::now() + DISCARDED_TIME_MAX;
    while let Ok(Some(Ok(frame))) = timeout_at(due, body.frame()).await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(bytes) else { return };
        left = rest;
    }
}

/// Unpacks a body; stops at the first byte too many, so that a bomb costs no more than a body of the largest size.
/// `grow` is asked before more memory is taken.
pub fn unpack(
    packed: &[u8],
    packing: Packing,
    bytes_max: usize,
    grow: &mut dyn FnMut(usize) -> Result<(), Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let broken = |error: std::io::Error| {
        Refusal::new(Cause::EncodingBroken, format!("the body cannot be unpacked: {error}"))
    };
    match packing {
        Packing::Gzip => drain(flate2::read::MultiGzDecoder::new(packed), bytes_max, grow),
        Packing::None => drain(packed, bytes_max, grow),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
            drain(decoder, bytes_max, grow)
        }
    }
}

fn drain(
    mut source: impl Read,
    bytes_max: usize,
    grow: &mut dyn FnMut(usize) -> Result<(), Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let mut unpacked = Vec::new();
    let mut buffer = [0; STEP_BYTES];
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => return Ok(unpacked),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let message = format!("the body cannot be unpacked behind {} bytes: {error}", unpacked.len());
                return Err(Refusal::new(Cause::EncodingBroken, message));
            }
        };
        if unpacked.len() + read > bytes_max {
            return Err(too_large(bytes_max, " once unpacked"));
        }
        grow(unpacked.len() + read)?;
        unpacked.extend_from_slice(&buffer[..read]);
    }
}
