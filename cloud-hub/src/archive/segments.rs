//! Rows of the segment table, gathered into messages that PostgreSQL takes.

use std::ops::Range;

use bytes::{BufMut, BytesMut};
use futures_util::SinkExt;
use processing::Series;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::{ArchiveError, columns};

/// A question decodes whole segments, so they stay small enough to be decoded in a millisecond or so.
const SEGMENT_SAMPLES_MAX: usize = 64 * 1_024;
/// Far below what reading a column back allows.
const SEGMENT_BYTES_MAX: usize = 16 << 20;
/// Rows gathered into one message to PostgreSQL, which takes less than 1 GiB.
const MESSAGE_BYTES: usize = 4 << 20;

/// Where a series belongs.
pub(super) struct SegmentPlace {
    pub(super) mission_id: i32,
    pub(super) parameter_id: i32,
    pub(super) node: Uuid,
    pub(super) generation: i64,
    /// 0 for what was decoded as it came.
    pub(super) reading_id: i32,
}

/// Segments on their way to PostgreSQL, in its binary COPY format.
pub(super) struct SegmentRows {
    messages: Vec<BytesMut>,
    segments: u64,
}

impl SegmentRows {
    pub(super) fn new() -> Self {
        let mut first = BytesMut::new();
        first.put_slice(b"PGCOPY\n\xff\r\n\0");
        first.put_i64(0);
        Self { messages: vec![first], segments: 0 }
    }

    /// Adds a series, in as many segments as its length asks for.
    pub(super) fn add(&mut self, place: &SegmentPlace, series: &Series) {
        for part in parts(series) {
            if self.messages.last().is_none_or(|message| message.len() > MESSAGE_BYTES) {
                self.messages.push(BytesMut::new());
            }
            let part = if part.len() == series.len() { None } else { Some(series.part(part)) };
            if let Some(message) = self.messages.last_mut() {
                row(message, place, part.as_ref().unwrap_or(series));
            }
            self.segments += 1;
        }
    }

    /// Writes them; returns how many there are.
    pub(super) async fn copy(mut self, transaction: &Transaction<'_>) -> Result<u64, ArchiveError> {
        if let Some(last) = self.messages.last_mut() {
            last.put_i16(-1);
        }
        let sink = transaction.copy_in("COPY segment FROM STDIN BINARY").await?;
        tokio::pin!(sink);
        for message in self.messages {
            sink.send(message.freeze()).await?;
        }
        sink.finish().await?;
        Ok(self.segments)
    }
}

/// Cuts a series where a segment would hold too many samples or too many bytes.
fn parts(series: &Series) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for index in 0..series.len() {
        bytes += series.raw_bytes(index);
        if index + 1 - start >= SEGMENT_SAMPLES_MAX || bytes >= SEGMENT_BYTES_MAX {
            parts.push(start..index + 1);
            (start, bytes) = (index + 1, 0);
        }
    }
    if start < series.len() {
        parts.push(start..series.len());
    }
    parts
}

fn row(out: &mut BytesMut, place: &SegmentPlace, series: &Series) {
    let (first, last) = series
        .generation()
        .iter()
        .fold((i64::MAX, i64::MIN), |(first, last), &time| (first.min(time), last.max(time)));
    let extremes = (0..series.len())
        .filter_map(|index| series.number(index).filter(|number| number.is_finite()))
        .fold(None, |extremes: Option<(f64, f64)>, number| {
            let (least, most) = extremes.unwrap_or((number, number));
            Some((least.min(number), most.max(number)))
        });
    out.put_i16(11);
    let mut put = |field: Option<&[u8]>| match field {
        Some(field) => {
            out.put_i32(field.len() as i32);
            out.put_slice(field);
        }
        None => out.put_i32(-1),
    };
    put(Some(&place.mission_id.to_be_bytes()));
    put(Some(&place.parameter_id.to_be_bytes()));
    put(Some(place.node.as_bytes()));
    put(Some(&place.generation.to_be_bytes()));
    put(Some(&first.to_be_bytes()));
    put(Some(&last.to_be_bytes()));
    put(Some(&(series.len() as i32).to_be_bytes()));
    put(extremes.map(|(least, _)| least.to_be_bytes()).as_ref().map(<[u8; 8]>::as_slice));
    put(extremes.map(|(_, most)| most.to_be_bytes()).as_ref().map(<[u8; 8]>::as_slice));
    put(Some(&columns::encode(series)));
    put(Some(&place.reading_id.to_be_bytes()));
}
