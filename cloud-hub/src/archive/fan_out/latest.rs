//! Latest values in Redis: a hub that follows and is behind shows them until it has read the ledger.
//!
//! Each mission has a hash, with a field for each parameter by its number in the database. A value says up to where the
//! ledger was read when it was written: whoever has read further has something newer.

use std::sync::Arc;
use std::time::Duration;

use mission_database::{MonitoringResult, ParameterIndex, Validity, VersionNumber};
use processing::{Converted, LatestValue, Provenance, Raw, Sample};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use serde::{Deserialize, Serialize};
use service::logging::chain;
use service::metric::Metric;
use space_packet::{GenerationTime, ReceptionTime, TaiTime};
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::{ANSWER_TIMEOUT, BACKOFF_MAX, FanOut, Lost, Seal};
use crate::archive::{Archive, ArchivedMission};

/// A packet's longest value, and what goes with it. Longer ones are neither written nor read.
const VALUE_BYTES_MAX: usize = 80 << 10;
/// Written in one go, unless a single value is longer.
const WRITE_BYTES_MAX: usize = 1 << 20;
/// Parameters read in one go: 10 MiB at most.
const FIELDS_AT_ONCE: usize = 128;
/// Hashes go when nobody writes them. By then everything is in segments.
const EXPIRE_S: u64 = 3_600;
const READ_INTERVAL: Duration = Duration::from_secs(1);
/// What reading all of it may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Deserialize, Serialize)]
struct Value<'a> {
    ledger_id: i64,
    source: &'a str,
    generation: i64,
    reception: i64,
    #[serde(borrow)]
    raw: RawRef<'a>,
    converted: Option<ConvertedRef>,
    validity: Validity,
    monitoring: MonitoringResult,
    version: VersionNumber,
    provenance: u8,
}

#[derive(Deserialize, Serialize)]
enum RawRef<'a> {
    Binary(&'a [u8]),
    Float(f64),
    Signed(i64),
    Text(&'a str),
    Unsigned(u64),
}

#[derive(Deserialize, Serialize)]
enum ConvertedRef {
    Number(f64),
    Time(i64),
}

/// What the tag says a value is of.
fn subject(mission: &str, parameter_id: i32) -> String {
    format!("latest value 1 {parameter_id} {mission}")
}

/// A parameter's latest value as it lies in Redis: `None` when it is too long to. `ledger_id` is up to where the ledger
/// was read before the value was looked at.
pub fn write_value(
    seal: &Seal,
    (mission, parameter_id): (&str, i32),
    (ledger_id, source): (i64, &str),
    sample: &Sample,
) -> Option<Vec<u8>> {
    let value = Value {
        ledger_id,
        source,
        generation: sample.generation.0.0,
        reception: sample.reception.0.0,
        raw: match &sample.raw {
            Raw::Binary(bytes) => RawRef::Binary(bytes),
            Raw::Float(number) => RawRef::Float(*number),
            Raw::Signed(number) => RawRef::Signed(*number),
            Raw::Text(text) => RawRef::Text(text),
            Raw::Unsigned(number) => RawRef::Unsigned(*number),
        },
        converted: sample.converted.map(|converted| match converted {
            Converted::Number(number) => ConvertedRef::Number(number),
            Converted::Time(time) => ConvertedRef::Time(time.0),
        }),
        validity: sample.validity,
        monitoring: sample.monitoring,
        version: sample.version,
        provenance: sample.provenance as u8,
    };
    let bytes = postcard::to_stdvec(&value).ok()?;
    let sealed = seal.close(&subject(mission, parameter_id), bytes);
    (sealed.len() <= VALUE_BYTES_MAX).then_some(sealed)
}

/// Reads what lies in Redis for a parameter: up to where the ledger was read, the source, the sample. `None` for what no
/// hub of this archive wrote for this parameter.
pub fn read_value(
    seal: &Seal,
    (mission, parameter_id): (&str, i32),
    parameter: ParameterIndex,
    sealed: &[u8],
) -> Option<(i64, String, Sample)> {
    if sealed.len() > VALUE_BYTES_MAX {
        return None;
    }
    let bytes = seal.open(&subject(mission, parameter_id), sealed)?;
    let value: Value<'_> = postcard::from_bytes(bytes).ok()?;
    let sample = Sample {
        parameter,
        generation: GenerationTime(TaiTime(value.generation)),
        reception: ReceptionTime(TaiTime(value.reception)),
        raw: match value.raw {
            RawRef::Binary(bytes) => Raw::Binary(bytes.into()),
            RawRef::Float(number) => Raw::Float(number),
            RawRef::Signed(number) => Raw::Signed(number),
            RawRef::Text(text) => Raw::Text(text.into()),
            RawRef::Unsigned(number) => Raw::Unsigned(number),
        },
        converted: value.converted.map(|converted| match converted {
            ConvertedRef::Number(number) => Converted::Number(number),
            ConvertedRef::Time(time) => Converted::Time(TaiTime(time)),
        }),
        validity: value.validity,
        monitoring: value.monitoring,
        version: value.version,
        provenance: Provenance::from_number(value.provenance)?,
    };
    Some((value.ledger_id, value.source.to_owned(), sample))
}

fn hash_of(fan_out: &FanOut, mission: &ArchivedMission) -> String {
    fan_out.name(&format!("latest:{}", mission.live.name()))
}

/// Whose value it is and of when: another one is a change.
type Stamp = (u32, GenerationTime, ReceptionTime);

/// Writes what changed.
pub(super) struct LatestWriter {
    fan_out: FanOut,
    archive: Arc<Archive>,
    /// What lies in Redis, by mission and parameter; a mission that is not there is written from the beginning.
    written: Vec<Option<Vec<Option<Stamp>>>>,
}

impl LatestWriter {
    pub(super) fn new(fan_out: &FanOut, archive: Arc<Archive>) -> Self {
        Self { fan_out: fan_out.clone(), archive, written: Vec::new() }
    }

    /// What Redis has is not known, or not ours: the next time all is written.
    pub(super) fn begin(&mut self) {
        self.written = vec![None; self.archive.missions().len()];
    }

    /// Writes what changed since it was called last. After an error [`LatestWriter::begin`] again.
    pub(super) async fn write(&mut self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        let archive = Arc::clone(&self.archive);
        for (mission, written) in archive.missions().iter().zip(&mut self.written) {
            // Before the values: they are of this place or newer.
            let ledger_id = archive.reached().live.ledger_id;
            let hash = hash_of(&self.fan_out, mission);
            if written.is_none() {
                redis::cmd("DEL").arg(&hash).query_async::<()>(connection).await?;
            }
            let changed = changes(mission, written.get_or_insert_default());
            let (ids, sources) = (mission.reads().parameter_ids, mission.live.source_names());
            let sealed = changed.iter().filter_map(|(source, sample)| {
                let parameter_id = *ids.get(sample.parameter.0 as usize)?;
                let source = sources.get(*source as usize)?;
                let of = (mission.live.name(), parameter_id);
                Some((parameter_id, write_value(&self.fan_out.seal, of, (ledger_id, source), sample)?))
            });
            let sealed: Vec<(i32, Vec<u8>)> = sealed.collect();
            set(connection, &hash, sealed).await?;
        }
        Ok(())
    }
}

fn changes(mission: &ArchivedMission, written: &mut Vec<Option<Stamp>>) -> Vec<(u32, Sample)> {
    let mut changed = Vec::new();
    mission.live.each_newest(|LatestValue { sample, source, .. }| {
        let (place, stamp) = (sample.parameter.0 as usize, (*source, sample.generation, sample.reception));
        if written.len() <= place {
            written.resize(place + 1, None);
        }
        if written[place].replace(stamp) != Some(stamp) {
            changed.push((*source, sample.clone()));
        }
    });
    changed
}

async fn set(
    connection: &mut MultiplexedConnection,
    hash: &str,
    values: Vec<(i32, Vec<u8>)>,
) -> RedisResult<()> {
    let mut values = values.into_iter();
    while values.len() > 0 {
        let mut command = redis::cmd("HSET");
        command.arg(hash);
        let mut bytes = 0;
        while bytes < WRITE_BYTES_MAX
            && let Some((field, value)) = values.next()
        {
            bytes += value.len();
            command.arg(field).arg(value);
        }
        let mut commands = redis::pipe();
        commands.add_command(command).ignore().cmd("EXPIRE").arg(hash).arg(EXPIRE_S).ignore();
        commands.query_async::<()>(connection).await?;
    }
    Ok(())
}

/// Shows what lies in Redis.
pub(crate) struct LatestReader {
    fan_out: FanOut,
    connection: Option<MultiplexedConnection>,
    due: Instant,
}

impl LatestReader {
    pub(crate) fn new(fan_out: &FanOut) -> Self {
        Self { fan_out: fan_out.clone(), connection: None, due: Instant::now() }
    }

    /// Puts values in their place that go with a later row of the ledger than the archive has reached: once a second at
    /// most, and less often while Redis is away. Whoever looks at them sees no change.
    pub(crate) async fn show(&mut self, archive: &Archive) {
        if Instant::now() < self.due {
            return;
        }
        let shown = match timeout(READ_TIMEOUT, self.read(archive)).await {
            Ok(shown) => shown,
            Err(late) => Err(late.into()),
        };
        self.due = Instant::now() + READ_INTERVAL;
        if let Err(lost) = shown {
            // That Redis is away says the subscription. Whoever asks has the ledger to read meanwhile.
            debug!(error = chain(&lost), "latest values could not be read from Redis");
            self.connection = None;
            self.due += BACKOFF_MAX;
        }
    }

    async fn read(&mut self, archive: &Archive) -> Result<(), Lost> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(timeout(ANSWER_TIMEOUT, self.fan_out.connect()).await??),
        };
        let reached = archive.reached().live.ledger_id;
        for mission in archive.missions() {
            let (hash, ids) = (hash_of(&self.fan_out, mission), mission.reads().parameter_ids);
            let parameters: Vec<(i32, ParameterIndex)> =
                ids.iter().copied().zip((0..).map(ParameterIndex)).collect();
            for parameters in parameters.chunks(FIELDS_AT_ONCE) {
                for ((parameter_id, parameter), sealed) in fetch(connection, &hash, parameters).await? {
                    let of = (mission.live.name(), parameter_id);
                    match read_value(&self.fan_out.seal, of, parameter, &sealed) {
                        Some((ledger_id, source, sample)) if ledger_id > reached => {
                            mission.live.restore(mission.live.source(&source), &[sample]);
                        }
                        Some(_) => {}
                        None => Metric::HubFanOutRefused.add(1),
                    }
                }
            }
        }
        Ok(())
    }
}

/// The fields that are there. How long they are is asked first: no memory for what somebody else put there.
async fn fetch(
    connection: &mut MultiplexedConnection,
    hash: &str,
    parameters: &[(i32, ParameterIndex)],
) -> RedisResult<Vec<((i32, ParameterIndex), Vec<u8>)>> {
    let mut lengths = redis::pipe();
    for (parameter_id, _) in parameters {
        lengths.cmd("HSTRLEN").arg(hash).arg(parameter_id);
    }
    let lengths: Vec<usize> = lengths.query_async(connection).await?;
    let is_wanted = |length: usize| (1..=VALUE_BYTES_MAX).contains(&length);
    let wanted: Vec<_> = parameters
        .iter()
        .zip(lengths)
        .filter(|(_, length)| is_wanted(*length))
        .map(|(one, _)| *one)
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = redis::cmd("HMGET");
    command.arg(hash);
    for (parameter_id, _) in &wanted {
        command.arg(parameter_id);
    }
    let values: Vec<Option<Vec<u8>>> = command.query_async(connection).await?;
    Ok(wanted.into_iter().zip(values).filter_map(|(one, value)| Some((one, value?))).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OF: (&str, i32) = ("test", 12);
    const PARAMETER: ParameterIndex = ParameterIndex(3);

    fn seal() -> Seal {
        Seal::new(&[7; 32], [9; 8])
    }

    fn sample(raw: Raw, converted: Option<Converted>) -> Sample {
        Sample {
            parameter: PARAMETER,
            generation: GenerationTime(TaiTime(5)),
            reception: ReceptionTime(TaiTime(7)),
            raw,
            converted,
            validity: Validity::OutsideCalibration,
            monitoring: MonitoringResult::Distress,
            version: VersionNumber(4),
            provenance: Provenance::Backfilled,
        }
    }

    #[test]
    fn a_value_that_is_written_is_read() {
        let check = |raw, converted| {
            let sample = sample(raw, converted);
            let sealed = write_value(&seal(), OF, (99, "station"), &sample).expect("fits");
            let read = read_value(&seal(), OF, PARAMETER, &sealed).expect("reads");
            assert_eq!(read, (99, "station".to_owned(), sample));
        };
        check(Raw::Binary([1, 2, 255].into()), None);
        check(Raw::Float(-0.5), Some(Converted::Number(1e300)));
        check(Raw::Signed(i64::MIN), Some(Converted::Time(TaiTime(-1))));
        check(Raw::Text("°C".into()), None);
        check(Raw::Unsigned(u64::MAX), None);
    }

    #[test]
    fn a_value_of_another_parameter_mission_or_archive_is_refused_and_so_is_one_that_was_altered_or_cut() {
        let sealed = write_value(&seal(), OF, (99, "s"), &sample(Raw::Signed(1), None)).expect("fits");
        let read = |seal: &Seal, of, sealed: &[u8]| read_value(seal, of, PARAMETER, sealed);
        assert!(read(&seal(), OF, &sealed).is_some());
        assert_eq!(read(&seal(), ("test", 13), &sealed), None);
        assert_eq!(read(&seal(), ("other", 12), &sealed), None);
        assert_eq!(read(&Seal::new(&[7; 32], [8; 8]), OF, &sealed), None);
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert_eq!(read(&seal(), OF, &altered), None, "byte {place}");
            assert_eq!(read(&seal(), OF, &sealed[..place]), None, "the first {place} bytes");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_neither_written_nor_read() {
        let long = Raw::Binary(vec![0; VALUE_BYTES_MAX].into());
        assert_eq!(write_value(&seal(), OF, (1, "s"), &sample(long, None)), None);
        let sealed = seal().close(&subject(OF.0, OF.1), vec![0; VALUE_BYTES_MAX]);
        assert_eq!(read_value(&seal(), OF, PARAMETER, &sealed), None);
    }

    proptest! {
        #[test]
        fn sealed_bytes_that_are_anything_make_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let sealed = seal().close(&subject(OF.0, OF.1), bytes);
            if let Some((ledger_id, source, sample)) = read_value(&seal(), OF, PARAMETER, &sealed) {
                prop_assert!(write_value(&seal(), OF, (ledger_id, &source), &sample).is_some());
            }
        }
    }
}
