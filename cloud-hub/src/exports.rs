//! Exports: everything of a span, made part by part while somebody takes it.
//!
//! One part waits while the next one is made, and nobody makes more than that. Whoever takes nothing for a minute loses
//! the place; a file that is not finished then ends by an error, never as if it were whole.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dashboard::records::{ExportBody, ExportCut, SampleFormat};
use export::{Encoder, ExportError, Format, Row};
use futures_util::{StreamExt, stream as streams};
use mission_database::{ParameterIndex, ParameterKind};
use processing::{RangeAnswer, RangeQuery, Sample, Wanted};
use service::logging::chain;
use space_packet::TaiTime;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::archive::{Archive, ArchiveError, Database, RawPackets};

/// Exports at once: each holds a page of samples and up to three parts, of usual values less than 32 MiB.
pub(crate) const EXPORTS_MAX: usize = 4;
/// How long a client may take nothing.
const UNTAKEN: Duration = Duration::from_secs(60);
/// How long one part may take to be made.
const PART_TIMEOUT: Duration = Duration::from_secs(30);
/// Samples asked for in one go; of texts and bytes, which may be 64 KiB each, fewer.
const PAGE_SAMPLES: usize = 16_384;
const PAGE_TEXTS: usize = 256;
/// A page holds whole moments. One with so many times what was asked for may lack some of its last moment.
const MOMENT_FACTOR: usize = 10;
/// Samples are asked for by windows, which widen while they hold little.
const WINDOW_FIRST: i64 = 600_000_000_000;
const WINDOW_LEAST: i64 = 1_000_000_000;

/// Why an export does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportFailure {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What was read does not become a file.
    #[error(transparent)]
    Encode(#[from] ExportError),
    /// More samples of one moment than can be told apart.
    #[error("one moment has more than {samples} samples of one parameter")]
    Moment {
        /// As many as were read.
        samples: usize,
    },
    /// The thread that encoded is gone.
    #[error("encoding was interrupted")]
    Interrupted(#[source] tokio::task::JoinError),
    /// The archive is in trouble.
    #[error("the archive took longer than {} s for a part", PART_TIMEOUT.as_secs())]
    Late,
}

/// Makes an export, part by part.
pub(crate) trait Parts: Send + 'static {
    /// The next part, which may be empty; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, ExportFailure>> + Send;
}

async fn in_time<P: Parts>(parts: &mut P) -> Result<Option<Vec<u8>>, ExportFailure> {
    timeout(PART_TIMEOUT, parts.next()).await.map_err(|_| ExportFailure::Late)?
}

/// An export as it is sent. Its first part is made before this returns, so that an archive in trouble is an answer of
/// its own and not a file that breaks off.
pub(crate) async fn stream<P: Parts>(
    mut parts: P,
    place: OwnedSemaphorePermit,
) -> Result<ExportBody, ExportFailure> {
    let first = in_time(&mut parts).await?;
    let (to_client, taken) = mpsc::channel(1);
    // Ends by itself: when all is taken, when the client is gone, or when it takes nothing for too long.
    tokio::spawn(async move {
        make(parts, first, &to_client).await;
        drop(place);
    });
    Ok(body(taken))
}

/// Sends parts and, after the last one, that it was the last one.
async fn make<P: Parts>(mut parts: P, first: Option<Vec<u8>>, to_client: &mpsc::Sender<Option<Bytes>>) {
    let mut next = Ok(first);
    loop {
        let part = match next {
            Ok(part) => part.map(Bytes::from),
            Err(error) => {
                warn!(error = chain(&error), "STO-EXPORT-CUT: export was cut short");
                return;
            }
        };
        let is_last = part.is_none();
        if part.as_ref().is_none_or(|part| !part.is_empty()) {
            match timeout(UNTAKEN, to_client.send(part)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => {
                    info!(
                        untaken_s = UNTAKEN.as_secs(),
                        "STO-EXPORT-CUT: export was given up, nobody took it"
                    );
                    return;
                }
            }
        }
        if is_last {
            return;
        }
        next = in_time(&mut parts).await;
    }
}

fn body(taken: mpsc::Receiver<Option<Bytes>>) -> ExportBody {
    streams::unfold(Some(taken), |taken| async {
        let mut taken = taken?;
        match taken.recv().await {
            Some(Some(part)) => Some((Ok(part), Some(taken))),
            Some(None) => None,
            // Nobody said that this was the end.
            None => Some((Err(ExportCut), None)),
        }
    })
    .boxed()
}

/// Packets as received.
pub(crate) struct PacketParts {
    database: Database,
    packets: RawPackets,
}

impl PacketParts {
    pub(crate) fn new(database: Database, packets: RawPackets) -> Self {
        Self { database, packets }
    }
}

impl Parts for PacketParts {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ExportFailure> {
        Ok(self.packets.next(&self.database).await?)
    }
}

/// Which samples are exported, and as what.
pub(crate) struct SamplesWanted {
    pub(crate) mission: usize,
    pub(crate) format: SampleFormat,
    /// Generation times.
    pub(crate) span: Range<TaiTime>,
    pub(crate) parameters: Vec<ParameterIndex>,
    pub(crate) reading: Option<u32>,
}

/// Samples: one parameter after the other, each by generation time.
pub(crate) struct SampleParts {
    archive: Arc<Archive>,
    database: Database,
    mission: usize,
    span: Range<TaiTime>,
    reading: Option<u32>,
    parameters: VecDeque<ParameterIndex>,
    /// Up to where the first of them is exported.
    at: TaiTime,
    window: i64,
    /// Absent when the file is finished.
    encoder: Option<Encoder>,
}

impl SampleParts {
    pub(crate) fn new(
        archive: Arc<Archive>,
        database: Database,
        wanted: SamplesWanted,
    ) -> Result<Self, ExportFailure> {
        let encoder = Some(Encoder::new(match wanted.format {
            SampleFormat::Csv => Format::Csv,
            SampleFormat::JsonLines => Format::JsonLines,
            SampleFormat::Parquet => Format::Parquet,
        })?);
        let SamplesWanted { mission, span, parameters, reading, .. } = wanted;
        let (at, window) = (span.start, WINDOW_FIRST);
        let parameters = parameters.into();
        Ok(Self { archive, database, mission, span, reading, parameters, at, window, encoder })
    }

    /// The next samples of a parameter with their nodes; what lies behind them is asked for next.
    async fn read(&mut self, parameter: ParameterIndex) -> Result<Vec<(u32, Sample)>, ExportFailure> {
        let database = self.archive.missions()[self.mission].live.database();
        let limit = match database.parameter(parameter).kind {
            ParameterKind::Binary | ParameterKind::String => PAGE_TEXTS,
            _ => PAGE_SAMPLES,
        };
        let to = TaiTime(self.at.0.saturating_add(self.window)).min(self.span.end);
        let query = RangeQuery {
            parameter,
            from: self.at,
            to,
            wanted: Wanted::Page { limit },
            reading: self.reading,
        };
        let answer = self.archive.range(&self.database, self.mission, query).await?;
        let RangeAnswer::Page { samples, next } = answer else { return Ok(Vec::new()) };
        if samples.len() >= limit * MOMENT_FACTOR {
            return Err(ExportFailure::Moment { samples: samples.len() });
        }
        self.window = match next {
            Some(_) => (self.window / 2).max(WINDOW_LEAST),
            None if samples.len() < limit / 4 => self.window.saturating_mul(2),
            None => self.window,
        };
        self.at = next.unwrap_or(to);
        Ok(samples)
    }
}

impl Parts for SampleParts {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, ExportFailure> {
        let Some(parameter) = self.parameters.front().copied() else {
            return match self.encoder.take() {
                Some(encoder) => Ok(Some(blocking(move || Ok(encoder.finish()?)).await?)),
                None => Ok(None),
            };
        };
        let samples = self.read(parameter).await?;
        if self.at >= self.span.end {
            self.parameters.pop_front();
            self.at = self.span.start;
        }
        let Some(encoder) = self.encoder.take() else { return Ok(None) };
        let live = Arc::clone(&self.archive.missions()[self.mission].live);
        let (encoder, part) = blocking(move || {
            let (mut encoder, database, nodes) = (encoder, live.database(), live.source_names());
            for (source, sample) in &samples {
                let node = nodes.get(*source as usize).map_or("", String::as_str);
                encoder.push(&Row { database: &database, sample, node })?;
            }
            let part = encoder.take()?;
            Ok((encoder, part))
        })
        .await?;
        self.encoder = Some(encoder);
        Ok(Some(part))
    }
}

/// Encoding takes a core for milliseconds; the tasks that answer nodes must not wait for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExportFailure> + Send + 'static,
) -> Result<T, ExportFailure> {
    tokio::task::spawn_blocking(work).await.map_err(ExportFailure::Interrupted)?
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    /// Parts of one byte: as many as there are, then an end or a failure.
    struct Given {
        left: usize,
        fails: bool,
        made: Arc<AtomicUsize>,
    }

    impl Parts for Given {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, ExportFailure> {
            match self.left.checked_sub(1) {
                Some(left) => {
                    self.left = left;
                    self.made.fetch_add(1, Ordering::Relaxed);
                    Ok(Some(vec![7]))
                }
                None if self.fails => Err(ExportFailure::Late),
                None => Ok(None),
            }
        }
    }

    async fn begin(left: usize, fails: bool) -> (ExportBody, Arc<AtomicUsize>, Arc<Semaphore>) {
        let (made, places) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(1)));
        let place = Arc::clone(&places).try_acquire_owned().expect("free");
        let given = Given { left, fails, made: Arc::clone(&made) };
        (stream(given, place).await.expect("begins"), made, places)
    }

    async fn taken(body: ExportBody) -> (usize, bool) {
        let parts: Vec<_> = body.collect().await;
        let whole = parts.iter().all(Result::is_ok);
        (parts.iter().filter(|part| part.is_ok()).count(), whole)
    }

    #[tokio::test]
    async fn an_export_that_fails_half_way_does_not_end_as_if_it_were_whole() {
        for (fails, whole) in [(false, true), (true, false)] {
            let (body, _, places) = begin(5, fails).await;
            assert_eq!(taken(body).await, (5, whole));
            let _free = places.acquire().await.expect("the place is free again");
        }
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("free");
        let given = Given { left: 0, fails: true, made: Arc::default() };
        assert!(stream(given, place).await.is_err(), "what fails at once is an answer of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_export_that_nobody_takes_makes_two_parts_and_is_given_up_after_a_minute() {
        let (body, made, places) = begin(usize::MAX, false).await;
        tokio::time::sleep(UNTAKEN - Duration::from_secs(1)).await;
        assert_eq!((made.load(Ordering::Relaxed), places.available_permits()), (2, 0));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!((made.load(Ordering::Relaxed), places.available_permits()), (2, 1));
        assert_eq!(
            taken(body).await,
            (1, false),
            "what waited is taken, and that it is not the whole is seen"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_export_that_is_taken_slowly_is_not_given_up() {
        let (body, ..) = begin(5, false).await;
        let slowly = body.then(|part| async {
            tokio::time::sleep(UNTAKEN - Duration::from_secs(1)).await;
            part
        });
        assert_eq!(taken(slowly.boxed()).await, (5, true));
    }
}
