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

/// How slowly a body may come.
#[derive(Clone, Copy)]
struct Pace {
    /// It may take so long, however much of it comes.
    whole: Duration,
    /// So long without bringing anything.
    free: Duration,
    /// Then each so many bytes bring a second more.
    bytes_per_second: u64,
}

const PACE: Pace =
    Pace { whole: Duration::from_secs(60), free: Duration::from_secs(10), bytes_per_second: 1_024 };
/// All bodies of a listener that are in memory; beyond that, producers are told to come again.
const BUDGET_BYTES: usize = 64 << 20;
/// Memory is asked for in steps, so that a connection that sends nothing holds nothing.
const STEP_BYTES: usize = 16 * 1_024;
/// Bodies unpacked at once, at most: each takes up to 8 MiB for what it refers back to.
const UNPACKED_AT_ONCE_MAX: usize = 2;
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
        Self { room, unpacking: Arc::new(Semaphore::new(unpacked_at_once())) }
    }
}

/// Never more than half of the processors: who sends nothing but bombs must leave the others to those who do not.
fn unpacked_at_once() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, UNPACKED_AT_ONCE_MAX)
}

/// What a body takes, until this is dropped.
pub struct Held {
    room: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Held {
    /// Holds nothing yet.
    pub(super) fn new(memory: &Memory) -> Self {
        Self { room: Arc::clone(&memory.room), permit: None, bytes: 0 }
    }

    /// Holds a body of so many bytes that is in memory already.
    pub(super) fn of(memory: &Memory, bytes: usize) -> Result<Self, Refusal> {
        let mut held = Self::new(memory);
        held.grow_to(bytes)?;
        Ok(held)
    }

    /// Takes what it needs to hold so many bytes, and a little ahead.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
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
    let read = receive(body, bytes_max, &mut held, PACE).await?;
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

async fn receive(body: &mut Body, bytes_max: usize, held: &mut Held, pace: Pace) -> Result<Vec<u8>, Refusal> {
    let begun = Instant::now();
    let mut read = Vec::new();
    loop {
        let earned = Duration::from_millis(read.len() as u64 * 1_000 / pace.bytes_per_second);
        let due = begun + pace.whole.min(pace.free + earned);
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io::Write;

    use futures_util::{StreamExt, stream};

    use super::*;

    const SHORT: Pace =
        Pace { whole: Duration::from_secs(2), free: Duration::from_millis(200), bytes_per_second: 1_000 };

    /// A body of pieces with a pause before each, which never ends.
    fn trickle(piece: usize, pause: Duration) -> Body {
        let pieces = stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(Bytes::from(vec![7; piece])), ()))
        });
        Body::from_stream(pieces.boxed())
    }

    async fn refused(mut body: Body, bytes_max: usize) -> (Cause, Duration) {
        let begun = Instant::now();
        let mut held = Held::new(&Memory::default());
        let refusal = receive(&mut body, bytes_max, &mut held, SHORT).await.expect_err("refused");
        (refusal.cause, begun.elapsed())
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_or_too_slowly_is_given_up() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let (cause, took) = refused(never, 1 << 20).await;
        assert!(cause == Cause::BodySlow && took < SHORT.whole, "{cause:?} {took:?}");
        let (cause, took) = refused(trickle(1, Duration::from_millis(20)), 1 << 20).await;
        assert!(cause == Cause::BodySlow && took < SHORT.whole, "{cause:?} {took:?}");
        let (cause, took) = refused(trickle(1_000, Duration::from_millis(20)), 1 << 20).await;
        assert!(cause == Cause::BodySlow && took >= SHORT.whole, "{cause:?} {took:?}");
    }

    #[tokio::test]
    async fn a_body_without_an_end_is_given_up_at_its_longest() {
        let (cause, _) = refused(trickle(10_000, Duration::ZERO), 1 << 20).await;
        assert_eq!(cause, Cause::BodyTooLarge);
    }

    #[test]
    fn all_bodies_together_hold_no_more_than_they_may() {
        let memory = Memory::default();
        let held: Vec<_> = std::iter::from_fn(|| Held::of(&memory, 8 << 20).ok()).take(100).collect();
        assert_eq!(held.len(), BUDGET_BYTES / (8 << 20));
        assert_eq!(Held::of(&memory, 1).err().map(|refusal| refusal.cause), Some(Cause::Memory));
        drop(held);
        assert!(Held::of(&memory, BUDGET_BYTES).is_ok());
    }

    #[test]
    fn unpacking_takes_no_more_memory_than_the_body_may_have() {
        let bytes_max = 1 << 20;
        let zeros = vec![0; 64 << 20];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&zeros).expect("packed");
        let bombs = [
            (Packing::Gzip, gzip.finish().expect("packed")),
            (Packing::Zstd, zstd::encode_all(&zeros[..], 1).expect("packed")),
        ];
        for (packing, bomb) in bombs {
            let mut most = 0;
            let refused = unpack(&bomb, packing, bytes_max, &mut |bytes| {
                most = bytes;
                Ok(())
            });
            assert_eq!(refused.err().map(|refusal| refusal.cause), Some(Cause::BodyTooLarge));
            assert!(most <= bytes_max, "{most}");
        }
    }
}
