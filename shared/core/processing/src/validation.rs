//! Judges what a link receives while it is decoded: is it a whole packet of ours, in sequence, of a believable time,
//! with values its types can say?

use std::time::Duration;

use delivery::{ReadingKind, SampleRecord, Scalar, Verdicts};
use mission_database::{
    DecodeError, DecodedPacket, DecodedValue, GivenValue, MissionDatabase, ParameterIndex, Reading,
    UnfitValue, Validity,
};
use space_packet::{
    Apid, Continuity, ContinuityCounts, ContinuityTracker, GenerationTime, PacketType, PrimaryHeader,
    ReceptionTime, TaiTime,
};

use crate::decoder::{DatedPacket, PacketClock, Validities};
use crate::rate::{RateLimit, TokenBuckets};
use crate::{MissionDecoder, PacketOutcome, Sample, Verdict};

/// 1990-01-01T00:00:00 UTC, when TAI was 25 s ahead. Clocks that were never set count from 1958, 1970, 1980 or their
/// own start.
const FIRST_FIX: TaiTime = TaiTime((631_152_000 + 25) * 1_000_000_000);

/// What a link expects of its packets and samples.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationSettings {
    /// APIDs that may come; `None`: all. Idle packets may always.
    pub apids: Option<Vec<Apid>>,
    /// Whether every packet ends in a CRC-16, whatever the mission's conventions and dictionary say.
    pub link_crc: bool,
    /// How far a generation time may lie after the reception.
    pub time_ahead_max: Duration,
    /// From which age on a packet or sample is stale; `None`: never, as for recordings.
    pub stale_after: Option<Duration>,
    /// Packets of one APID, and samples of one parameter, that may come in a second; `None`: any number.
    pub rate_max_per_s: Option<f64>,
}

impl Default for ValidationSettings {
    fn default() -> Self {
        Self {
            apids: None,
            link_crc: false,
            // Station and spacecraft clocks both drift, and ground tests run by hand-set clocks.
            time_ahead_max: Duration::from_secs(5 * 60),
            stale_after: None,
            rate_max_per_s: None,
        }
    }
}

/// Judges and decodes what one link receives. It takes no clock: reception times come with the packets.
///
/// A verdict that quarantines ([`QUARANTINED`](crate::QUARANTINED)) ends judging. Of packets that could only be decoded
/// in part, or to an abstract container, the samples there are are given all the same: whether they may be shown is for
/// the caller to say.
#[derive(Clone)]
pub struct Validator {
    decoder: MissionDecoder,
    expected: Expected,
    continuity: ContinuityTracker,
    apid_rates: TokenBuckets,
    parameter_rates: TokenBuckets,
    idle_packets: u64,
}

/// The settings, as they are asked for with every packet.
#[derive(Clone)]
struct Expected {
    /// One bit for each APID.
    apids: Option<Box<[u64; 32]>>,
    link_crc: bool,
    ahead_max_nanos: i64,
    stale_after_nanos: i64,
    rate: Option<RateLimit>,
}

impl Validator {
    /// A judge of one link that has received nothing yet.
    pub fn new(decoder: MissionDecoder, settings: &ValidationSettings) -> Self {
        Self {
            decoder,
            expected: Expected::new(settings),
            continuity: ContinuityTracker::default(),
            apid_rates: TokenBuckets::default(),
            parameter_rates: TokenBuckets::default(),
            idle_packets: 0,
        }
    }

    /// What decodes at present.
    pub fn decoder(&self) -> &MissionDecoder {
        &self.decoder
    }

    /// Decodes with other dictionaries or conventions from now on. Sequences and rates go on.
    pub fn set_decoder(&mut self, decoder: MissionDecoder) {
        let (before, after) = (self.decoder.database().parameters(), decoder.database().parameters());
        let is_same = before.len() <= after.len() && before.iter().zip(after).all(|(a, b)| a.name == b.name);
        // A mission reloaded from other files may number its parameters anew; a bucket is not worth more than to
        // be full again.
        if !is_same {
            self.parameter_rates.clear();
        }
        self.decoder = decoder;
    }

    /// What sequence counts say of each APID heard, telemetry first.
    pub fn counts(&self) -> impl Iterator<Item = (PacketType, Apid, ContinuityCounts)> {
        self.continuity.all_counts()
    }

    /// Idle packets received: they have no verdicts, no samples and no counts.
    pub fn idle_packets(&self) -> u64 {
        self.idle_packets
    }

    /// Judges a packet in the order of reception, and appends its samples. `scratch` only saves allocations; what it
    /// holds afterwards is of this packet only if the packet was decoded. Where samples go to [`Unseen`], none is
    /// made.
    ///
    /// A packet without a readable time is as old as its reception.
    pub fn judge_packet<'p>(
        &mut self,
        reception: ReceptionTime,
        packet: &'p [u8],
        scratch: &mut DecodedPacket<'p>,
        samples: &mut impl Extend<Sample>,
    ) -> Verdicts {
        let header = match PrimaryHeader::parse(packet) {
            Ok(header) if header.apid == Apid::IDLE => {
                self.idle_packets += 1;
                return Verdicts::NONE;
            }
            Ok(header) => header,
            Err(_) => return Verdict::NotAPacket.into(),
        };
        if packet.len() != header.packet_bytes() {
            return Verdict::LengthMismatch.into();
        }
        if !self.expected.holds(header.apid) {
            return Verdict::ApidUnknown.into();
        }
        let (generation, clock) = match self.decoder.packet_clock(&header, packet) {
            PacketClock::Absent => (GenerationTime(reception.0), Verdicts::NONE),
            PacketClock::Read(generation) => (generation, Verdicts::NONE),
            PacketClock::Unreadable => (GenerationTime(reception.0), Verdict::TimeUnreadable.into()),
        };
        let has_error_control = self.expected.link_crc;
        let dated = DatedPacket { bytes: packet, generation, reception, has_error_control };
        let (outcome, validities) = self.decoder.decode_dated(dated, scratch, samples);
        let decoding = match outcome {
            PacketOutcome::Decoded | PacketOutcome::Idle => Verdicts::NONE,
            // Its header may be wrong as well, so neither its time nor its count say anything.
            PacketOutcome::Damaged(_) => return Verdict::CrcMismatch.into(),
            PacketOutcome::NotAPacket(_) => return Verdict::NotAPacket.into(),
            PacketOutcome::Partial(DecodeError::NoContainer) | PacketOutcome::Unresolved => {
                Verdict::ContainerUnknown.into()
            }
            PacketOutcome::Partial(_) => Verdict::Undecodable.into(),
        };
        let place = usize::from(header.apid.value());
        decoding
            .with(clock)
            .with(self.expected.time(generation, reception))
            .with(of_values(validities))
            .with(of_sequence(&header, self.continuity.on_packet(&header)))
            .with(self.expected.pace(&mut self.apid_rates, place, reception))
    }

    /// Judges a sample that came without a packet, and appends what it becomes.
    pub fn judge_sample(
        &mut self,
        reception: ReceptionTime,
        record: &SampleRecord,
        samples: &mut Vec<Sample>,
    ) -> Verdicts {
        let generation = record.generation.unwrap_or(GenerationTime(reception.0));
        let time = self.expected.time(generation, reception);
        let database = self.decoder.database();
        let reading = database.at(generation.0);
        let Some(parameter) = named(database, reading, &record.parameter) else {
            return time.with(Verdict::ParameterUnknown.into());
        };
        let Ok(value) = converted(reading, parameter, record) else {
            return time.with(Verdict::ValueUnfit.into());
        };
        let mut validities = Validities::default();
        validities.add(value.validity);
        let sample = Sample::new(reading, &value, generation, reception);
        let place = sample.parameter.0 as usize;
        samples.push(sample);
        let pace = self.expected.pace(&mut self.parameter_rates, place, reception);
        time.with(of_values(validities)).with(pace)
    }
}

impl Expected {
    fn new(settings: &ValidationSettings) -> Self {
        let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        let apids = settings.apids.as_ref().map(|apids| {
            let mut bits = Box::new([0; 32]);
            for apid in apids {
                bits[usize::from(apid.value() / 64)] |= 1 << (apid.value() % 64);
            }
            bits
        });
        Self {
            apids,
            link_crc: settings.link_crc,
            ahead_max_nanos: nanos(settings.time_ahead_max),
            stale_after_nanos: settings.stale_after.map_or(i64::MAX, nanos),
            rate: settings.rate_max_per_s.map(RateLimit::per_second),
        }
    }

    fn holds(&self, apid: Apid) -> bool {
        let value = apid.value();
        self.apids.as_ref().is_none_or(|bits| bits[usize::from(value / 64)] & 1 << (value % 64) != 0)
    }

    fn time(&self, generation: GenerationTime, reception: ReceptionTime) -> Verdicts {
        if generation.0 < FIRST_FIX {
            return Verdict::TimeBeforeFix.into();
        }
        // The station's own clock was never set: nothing can be compared with it.
        if reception.0 < FIRST_FIX {
            return Verdicts::NONE;
        }
        let ahead_nanos = generation.0.0.saturating_sub(reception.0.0);
        match () {
            () if ahead_nanos > self.ahead_max_nanos => Verdict::TimeAhead.into(),
            () if ahead_nanos < -self.stale_after_nanos => Verdict::Stale.into(),
            () => Verdicts::NONE,
        }
    }

    #[inline]
    fn pace(&self, buckets: &mut TokenBuckets, place: usize, reception: ReceptionTime) -> Verdicts {
        match self.rate {
            Some(limit) if !buckets.take(place, limit, reception) => Verdict::Rate.into(),
            _ => Verdicts::NONE,
        }
    }
}

/// The parameter that a full name, or a short one that only one parameter has, means to a reading.
pub(crate) fn named(database: &MissionDatabase, reading: &Reading, name: &str) -> Option<ParameterIndex> {
    match database.find(name) {
        Some(parameter) => reading.dictionary_index(parameter),
        None => match reading.dictionary.find_short(name) {
            &[parameter] => Some(parameter),
            _ => None,
        },
    }
}

/// What a reading makes of a sample.
pub(crate) fn converted<'r>(
    reading: &Reading,
    parameter: ParameterIndex,
    record: &'r SampleRecord,
) -> Result<DecodedValue<'r>, UnfitValue> {
    let given = match &record.value {
        Scalar::Binary(bytes) => GivenValue::Binary(bytes),
        Scalar::Boolean(value) => GivenValue::Boolean(*value),
        Scalar::Float(number) => GivenValue::Float(*number),
        Scalar::Signed(number) => GivenValue::Signed(*number),
        Scalar::Text(text) => GivenValue::Text(text),
        Scalar::Unsigned(number) => GivenValue::Unsigned(*number),
    };
    match record.reading {
        ReadingKind::Engineering => reading.dictionary.read_engineering(parameter, given),
        ReadingKind::Raw => reading.dictionary.read_raw(parameter, given),
    }
}

#[inline]
fn of_values(validities: Validities) -> Verdicts {
    if validities.are_valid() {
        return Verdicts::NONE;
    }
    let unsaid = [Validity::NotANumber, Validity::OutsideCalibration, Validity::UnknownLabel];
    let mut verdicts = Verdicts::NONE;
    if unsaid.into_iter().any(|validity| validities.holds(validity)) {
        verdicts = verdicts.with(Verdict::TypeRange.into());
    }
    if validities.holds(Validity::OutsideValidRange) {
        verdicts = verdicts.with(Verdict::ValidRange.into());
    }
    verdicts
}

fn of_sequence(header: &PrimaryHeader, continuity: Continuity) -> Verdicts {
    // Telecommands may carry a name in place of the count.
    if header.packet_type == PacketType::Telecommand {
        return Verdicts::NONE;
    }
    match continuity {
        Continuity::Duplicate => Verdict::SequenceDuplicate.into(),
        Continuity::First | Continuity::InOrder => Verdicts::NONE,
        Continuity::Gap { .. } => Verdict::SequenceGap.into(),
        Continuity::Late { .. } => Verdict::SequenceLate.into(),
        Continuity::Reset { .. } => Verdict::SequenceReset.into(),
    }
}

#[cfg(test)]
mod tests;
