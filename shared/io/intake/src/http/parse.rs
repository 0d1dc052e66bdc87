//! What bodies and messages say: packets, samples and messages of the contract become records in pieces that the
//! pipeline takes. No sockets here: whatever the bytes, they give records or a refusal.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use delivery::SampleRecord;
use mission_database::MissionDatabase;
use processing::{
    BodyError, RefusedSample, SampleCause, SampleFormat, SampleLimits, SampleProblem, check_against,
    read_samples,
};
use proto::v1::IngestRequest;
use proto::v1::ingest_request::Content;
use proto::{IngestBody, MalformedBody, SampleErrorKind};
use space_packet::{HeaderError, PrimaryHeader};

use super::cause::{Cause, Refusal, RefusedRecord};
use crate::{Records, push_packet, sample_bytes};

/// Records, and their bytes, that are handed to the pipeline together: a batch's worth.
const PIECE_RECORDS: usize = 512;
const PIECE_BYTES: usize = 64 * 1_024;
/// Bytes shown of what is no packet.
const SHOWN_BYTES: usize = 16;

/// How a body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Space packets, whole, one after the other.
    Packets,
    /// A message of the gRPC contract.
    Protobuf,
    /// Samples.
    Samples(SampleFormat),
}

/// What a link takes.
pub struct Rules<'a> {
    /// The mission, for messages that name it.
    pub mission: &'a str,
    /// Longest packet.
    pub packet_bytes_max: usize,
    /// What samples are checked by.
    pub database: &'a MissionDatabase,
    /// Whether good records are taken when others are refused.
    pub is_partial: bool,
}

/// What a body holds.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Records to take, in order.
    pub pieces: Vec<Records>,
    /// How many.
    pub records: usize,
    /// Records that are not taken, or the first of them.
    pub refused: Vec<RefusedRecord>,
    /// How many are not taken.
    pub refused_count: usize,
    /// Bytes of what was refused, as far as that can be told.
    pub refused_bytes: usize,
    /// Key of a message that carries one.
    pub idempotency_key: Option<String>,
}

/// Reads a body.
pub fn read(format: Format, body: &Bytes, rules: &Rules<'_>) -> Result<Parsed, Refusal> {
    if body.is_empty() {
        return Err(Refusal::new(Cause::BodyEmpty, "there is nothing in the body"));
    }
    let (parsed, is_partial) = match format {
        Format::Packets => (packets(body, rules.packet_bytes_max), rules.is_partial),
        Format::Samples(format) => (samples(format, body, rules)?, rules.is_partial),
        Format::Protobuf => {
            let message = IngestRequest::read(body.clone()).map_err(|problem| malformed(&problem))?;
            return read_message(message, rules);
        }
    };
    judged(parsed, is_partial)
}

/// Reads a message of the contract.
pub fn read_message(message: IngestRequest, rules: &Rules<'_>) -> Result<Parsed, Refusal> {
    let IngestRequest { mission, content, partial, idempotency_key } = message;
    if !mission.is_empty() && mission != rules.mission {
        let text =
            format!("the message is of mission {mission:?}, and came by a link of {:?}", rules.mission);
        return Err(Refusal::new(Cause::ProtobufMalformed, text));
    }
    let parsed = match content {
        Some(Content::Packets(bytes)) if !bytes.is_empty() => packets(&bytes, rules.packet_bytes_max),
        Some(Content::Samples(list)) if !list.samples.is_empty() => messages(list.samples, rules.database),
        _ => return Err(Refusal::new(Cause::BodyEmpty, "the message holds neither packets nor samples")),
    };
    let mut parsed = judged(parsed, partial || rules.is_partial)?;
    parsed.idempotency_key = (!idempotency_key.is_empty()).then_some(idempotency_key);
    Ok(parsed)
}

fn malformed(problem: &MalformedBody) -> Refusal {
    let cause = match problem {
        MalformedBody::Protobuf(_) => Cause::ProtobufMalformed,
        MalformedBody::TooMany { .. } => Cause::Sample(SampleCause::TooManySamples),
    };
    Refusal::new(cause, problem.to_string())
}

/// All or nothing, unless the producer wants the good ones.
fn judged(parsed: Parsed, is_partial: bool) -> Result<Parsed, Refusal> {
    let Some(first) = parsed.refused.first() else { return Ok(parsed) };
    if is_partial && parsed.records > 0 {
        return Ok(parsed);
    }
    let good = parsed.records;
    let advice = if is_partial { "" } else { "; with partial=true the good ones are taken" };
    let message = format!(
        "{} refused, the first at index {}: {}; {good} before or between them are good, and nothing was taken{advice}",
        counted(parsed.refused_count),
        first.index,
        first.message
    );
    Err(Refusal {
        refused_count: parsed.refused_count,
        cause: first.cause,
        refused: parsed.refused,
        retry_after: None,
        message,
    })
}

fn counted(records: usize) -> String {
    if records == 1 { "1 record is".to_owned() } else { format!("{records} records are") }
}

/// Whole packets, one after the other. Behind the first bytes that are none nothing can be found any more.
fn packets(body: &[u8], packet_bytes_max: usize) -> Parsed {
    let mut pieces = Pieces::default();
    let mut rest = body;
    let mut parsed = Parsed::default();
    while !rest.is_empty() {
        match whole_packet(rest, packet_bytes_max) {
            Ok((packet, behind)) => {
                pieces.packet(packet);
                rest = behind;
            }
            Err((cause, message)) => {
                let offset = (body.len() - rest.len()) as u64;
                let shown = &rest[..rest.len().min(SHOWN_BYTES)];
                let message = format!("at byte {offset}, behind {} whole packets, {message}", pieces.records);
                parsed.refused.push(RefusedRecord {
                    index: pieces.records as u64,
                    offset: Some(offset),
                    first_bytes: Some(HEXLOWER.encode(shown)),
                    path: None,
                    line: None,
                    cause,
                    message,
                });
                (parsed.refused_count, parsed.refused_bytes) = (1, rest.len());
                break;
            }
        }
    }
    Parsed { records: pieces.records, pieces: pieces.done, ..parsed }
}

/// The first packet, and what stands behind it.
type Split<'a> = (&'a [u8], &'a [u8]);

fn whole_packet(bytes: &[u8], packet_bytes_max: usize) -> Result<Split<'_>, (Cause, String)> {
    let header = PrimaryHeader::parse(bytes).map_err(|problem| match problem {
        HeaderError::Truncated { .. } => (Cause::Truncated, problem.to_string()),
        HeaderError::Version { .. } => (Cause::NotAPacket, problem.to_string()),
    })?;
    let length = header.packet_bytes();
    if length > packet_bytes_max {
        let message = format!("a packet of {length} bytes begins; this link takes {packet_bytes_max}");
        return Err((Cause::Oversized, message));
    }
    bytes.split_at_checked(length).ok_or_else(|| {
        let message = format!("a packet of {length} bytes begins, of which {} are there", bytes.len());
        (Cause::Truncated, message)
    })
}

fn samples(format: SampleFormat, body: &[u8], rules: &Rules<'_>) -> Result<Parsed, Refusal> {
    let limits = SampleLimits::default();
    let read = read_samples(format, body, limits, |record| check_against(rules.database, record));
    let read = read.map_err(|error| unreadable(&error))?;
    if read.samples.is_empty() && read.refused_count == 0 {
        return Err(Refusal::new(Cause::BodyEmpty, "there is no sample in the body"));
    }
    let mut pieces = Pieces::default();
    read.samples.into_iter().for_each(|sample| pieces.sample(sample));
    Ok(Parsed {
        records: pieces.records,
        pieces: pieces.done,
        refused: read.refused.into_iter().map(refused_sample).collect(),
        refused_count: read.refused_count,
        ..Parsed::default()
    })
}

fn unreadable(error: &BodyError) -> Refusal {
    Refusal::new(Cause::Sample(error.cause), format!("{error}; there stands {:?}", error.excerpt))
}

fn refused_sample(refused: RefusedSample) -> RefusedRecord {
    RefusedRecord {
        index: refused.index as u64,
        offset: None,
        first_bytes: None,
        path: Some(refused.path),
        line: refused.line,
        cause: Cause::Sample(refused.cause),
        message: refused.message,
    }
}

fn messages(samples: Vec<proto::v1::Sample>, database: &MissionDatabase) -> Parsed {
    let listed_max = SampleLimits::default().refused_listed_max;
    let (mut pieces, mut parsed) = (Pieces::default(), Parsed::default());
    for (index, sample) in samples.into_iter().enumerate() {
        match checked(sample, database) {
            Ok(record) => pieces.sample(record),
            Err((field, cause, message)) => {
                parsed.refused_count += 1;
                if parsed.refused.len() < listed_max {
                    parsed.refused.push(RefusedRecord {
                        index: index as u64,
                        offset: None,
                        first_bytes: None,
                        path: Some(format!("/samples/{index}/{field}")),
                        line: None,
                        cause: Cause::Sample(cause),
                        message,
                    });
                }
            }
        }
    }
    Parsed { records: pieces.records, pieces: pieces.done, ..parsed }
}

fn checked(
    sample: proto::v1::Sample,
    database: &MissionDatabase,
) -> Result<SampleRecord, (&'static str, SampleCause, String)> {
    let record = proto::to_record(sample).map_err(|error| {
        let cause = match error.kind {
            SampleErrorKind::FieldMissing => SampleCause::FieldMissing,
            SampleErrorKind::NameLength => SampleCause::NameLength,
            SampleErrorKind::TextLength => SampleCause::TextLength,
            SampleErrorKind::TimeMalformed => SampleCause::TimeMalformed,
        };
        (error.field, cause, error.message)
    })?;
    match check_against(database, &record) {
        Ok(()) => Ok(record),
        Err(SampleProblem { field, cause, message }) => Err((field_name(&field), cause, message)),
    }
}

fn field_name(field: &processing::SampleField) -> &'static str {
    use processing::SampleField::{Other, Parameter, Raw, Time, Value, Whole};
    match field {
        Other(_) | Whole => "",
        Parameter => "parameter",
        Raw => "raw",
        Time => "time",
        Value => "value",
    }
}

/// Records gathered into pieces.
#[derive(Default)]
struct Pieces {
    done: Vec<Records>,
    records: usize,
    /// Of the last piece.
    piece_records: usize,
    piece_bytes: usize,
}

impl Pieces {
    /// Counts a record; whether it begins a piece.
    fn begins(&mut self, bytes: usize) -> bool {
        let is_full = self.piece_records >= PIECE_RECORDS || self.piece_bytes + bytes > PIECE_BYTES;
        let begins = self.done.is_empty() || is_full;
        if begins {
            (self.piece_records, self.piece_bytes) = (0, 0);
        }
        self.records += 1;
        self.piece_records += 1;
        self.piece_bytes += bytes;
        begins
    }

    fn packet(&mut self, packet: &[u8]) {
        if self.begins(packet.len()) {
            self.done.push(Records::Packets { bytes: Vec::new(), ends: Vec::new() });
        }
        push_packet(&mut self.done, packet);
    }

    fn sample(&mut self, sample: SampleRecord) {
        if self.begins(sample_bytes(&sample)) {
            self.done.push(Records::Samples(Vec::new()));
        }
        if let Some(Records::Samples(samples)) = self.done.last_mut() {
            samples.push(sample);
        }
    }
}

/// Leaves out the first records of pieces.
pub fn skip(pieces: Vec<Records>, mut records: usize) -> Vec<Records> {
    let mut left = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let count = piece.count();
        if records >= count {
            records -= count;
            continue;
        }
        left.push(match std::mem::take(&mut records) {
            0 => piece,
            skipped => without_first(piece, skipped),
        });
    }
    left
}

fn without_first(piece: Records, records: usize) -> Records {
    match piece {
        Records::Packets { bytes, ends } => {
            let start = ends[records - 1];
            let ends = ends[records..].iter().map(|end| end - start).collect();
            Records::Packets { bytes: bytes[start as usize..].to_vec(), ends }
        }
        Records::Samples(mut samples) => {
            samples.drain(..records);
            Records::Samples(samples)
        }
        other @ Records::Unframed { .. } => other,
    }
}

#[cfg(test)]
mod tests;
