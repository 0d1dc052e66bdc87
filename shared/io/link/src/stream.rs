//! Frames on QUIC streams, one writer or reader for each direction.

use std::slice;

use bytes::{Bytes, BytesMut};
use quinn::{RecvStream, SendStream, VarInt};

use crate::error::FrameError;
use crate::frame::{self, Frame, FrameDecoder};

/// From here on `write` sends what has gathered before it takes more.
const GATHER: usize = 64 * 1024;
/// How much one read takes from quinn at most.
const READ: usize = 64 * 1024;

/// Writes frames to a stream, many small ones at a time.
///
/// Dropping any of its futures loses nothing: a frame is taken whole or not at all, and what was taken but not yet
/// sent goes with the next call. Dropping the writer itself does lose it.
#[derive(Debug)]
pub struct FrameWriter {
    stream: SendStream,
    gathered: BytesMut,
    leaving: Bytes,
}

impl FrameWriter {
    pub(crate) fn new(stream: SendStream) -> Self {
        Self { stream, gathered: BytesMut::new(), leaving: Bytes::new() }
    }

    /// Takes a frame; it leaves with the next [`flush`](Self::flush), or by itself when much has gathered.
    pub async fn write(&mut self, kind: u8, body: &[&[u8]]) -> Result<(), FrameError> {
        if self.gathered.len() >= GATHER {
            self.flush().await?;
        }
        frame::encode(kind, body, &mut self.gathered)
    }

    /// Hands everything taken so far to QUIC; waits while the peer's window is full.
    pub async fn flush(&mut self) -> Result<(), FrameError> {
        loop {
            if self.leaving.is_empty() {
                if self.gathered.is_empty() {
                    return Ok(());
                }
                self.leaving = self.gathered.split().freeze();
            }
            // Takes what was sent off the front of `leaving`, so a dropped future leaves the rest in place.
            self.stream.write_chunks(slice::from_mut(&mut self.leaving)).await?;
        }
    }

    /// Takes one frame and sends it at once.
    pub async fn send(&mut self, kind: u8, body: &[&[u8]]) -> Result<(), FrameError> {
        self.write(kind, body).await?;
        self.flush().await
    }

    /// Sends bytes that need not be frames: for tests of whoever reads them.
    pub async fn send_unframed(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.flush().await?;
        self.leaving = Bytes::copy_from_slice(bytes);
        self.flush().await
    }

    /// Sends the rest and marks the end of the stream.
    pub async fn finish(&mut self) -> Result<(), FrameError> {
        self.flush().await?;
        self.stream.finish().map_err(|_| FrameError::StreamClosed)
    }

    /// Waits until the peer's QUIC has everything up to [`finish`](Self::finish), or has stopped the stream.
    pub async fn delivered(&mut self) -> Result<(), FrameError> {
        match self.stream.stopped().await {
            Ok(None) => Ok(()),
            Ok(Some(code)) => Err(FrameError::Stopped { code: code.into_inner() }),
            Err(quinn::StoppedError::ConnectionLost(lost)) => Err(FrameError::Lost(lost.into())),
            Err(quinn::StoppedError::ZeroRttRejected) => Err(FrameError::StreamClosed),
        }
    }

    /// Sets how urgent this stream is: higher goes first, strictly; 0 is what streams start with.
    pub fn set_priority(&self, priority: i32) {
        // Fails only on a closed stream, which has nothing left to order.
        let _ = self.stream.set_priority(priority);
    }

    /// Gives the stream up, whatever is unsent.
    pub fn reset(&mut self, code: u32) {
        // Fails only on a stream that is closed already.
        let _ = self.stream.reset(VarInt::from_u32(code));
    }
}

/// Reads frames from a stream.
#[derive(Debug)]
pub struct FrameReader {
    stream: RecvStream,
    decoder: FrameDecoder,
}

impl FrameReader {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, decoder: FrameDecoder::default() }
    }

    /// Allows less than the protocol's limit, for peers nobody knows yet.
    pub fn with_limit(mut self, length_max: usize) -> Self {
        self.decoder = FrameDecoder::with_limit(length_max);
        self
    }

    /// The next frame, or `None` at the end of the stream. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            match self.stream.read_chunk(READ, true).await? {
                Some(chunk) => self.decoder.push(&chunk.bytes),
                None if self.decoder.is_at_boundary() => return Ok(None),
                None => return Err(FrameError::Truncated),
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// Tells the peer that no more is wanted.
    pub fn stop(&mut self, code: u32) {
        // Fails only on a stream that is closed already.
        let _ = self.stream.stop(VarInt::from_u32(code));
    }
}
