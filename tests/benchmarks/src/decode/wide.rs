//! A large mission: 73,800 parameters in 200 kinds of packets, all with limits.

use std::hint::black_box;

use mission_database::{DecodedPacket, Dictionary, MissionDatabase, VersionNumber};
use processing::{MissionDecoder, PacketConventions, PacketTime};
use serde_json::{Value, json};
use space_packet::time::cds::Submilliseconds;
use space_packet::{ReceptionTime, TaiTime};

use super::missions::{Extent, Mission};
use super::{BENCH, document};
use crate::figures::{print, print_spread};
use crate::processes::memory_mib;
use crate::timing::{Spread, processor_seconds};

const EXTENT: Extent = Extent { kinds: 200, parameters: 369 };
/// Ten of each kind.
const PACKETS: usize = 2_000;
/// Enough for a median of how much memory grows from one to the next.
const DICTIONARIES: usize = 6;

/// Measures loading, decoding, and decoding into samples.
pub(super) fn run(repetitions: usize) -> anyhow::Result<()> {
    let mission = Mission::of_extent(EXTENT, PACKETS);
    let dictionary = load(&mission)?;
    mission.check(&dictionary)?;
    let context = json!({ "kinds": EXTENT.kinds, "parameters": EXTENT.all_parameters(),
        "parameters_per_packet": EXTENT.parameters, "header_values_not_counted": document::HEADER_PARAMETERS,
        "calibrated": "1/6", "with_limits": "all, five severities", "violations": "1/100", "packets": PACKETS });
    decode(&dictionary, &mission.packets, &context, repetitions);
    let one_kind: Vec<Vec<u8>> =
        mission.packets.iter().step_by(EXTENT.kinds.into()).cycle().take(PACKETS).cloned().collect();
    let mut one_kind_context = context.clone();
    one_kind_context["kinds_in_turn"] = json!(1);
    decode(&dictionary, &one_kind, &one_kind_context, repetitions);
    decode_to_samples(dictionary, &mission.packets, &context, repetitions);
    Ok(())
}

/// Several times, keeping all: what loading frees serves the next one, so that memory grows by what is kept.
fn load(mission: &Mission) -> anyhow::Result<Dictionary> {
    let (mut milliseconds, mut resident, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    let (_, before) = memory_mib(std::process::id())?;
    for _ in 0..DICTIONARIES {
        let (dictionary, seconds) = processor_seconds(|| mission.load());
        kept.push(dictionary?);
        milliseconds.push(seconds * 1e3);
        resident.push(memory_mib(std::process::id())?.1);
    }
    let context = json!({ "dictionary": "generated", "parameters": EXTENT.all_parameters(), "xtce_bytes": mission.xtce.len() });
    print_spread(BENCH, "load_time", Spread::of(milliseconds), "ms", &context);
    let grown = Spread::of(resident.windows(2).map(|pair| pair[1] - pair[0]));
    let bytes = grown.median * f64::from(1 << 20) / EXTENT.all_parameters() as f64;
    let mut of_one = context.clone();
    of_one["bytes_per_parameter"] = json!(bytes.round());
    print_spread(BENCH, "dictionary_memory", grown, "MiB", &of_one);
    let (peak, _) = memory_mib(std::process::id())?;
    print(BENCH, "load_memory_peak", peak - before, "MiB", &context);
    kept.truncate(1);
    kept.pop().ok_or_else(|| anyhow::anyhow!("nothing was loaded"))
}

fn decode(dictionary: &Dictionary, packets: &[Vec<u8>], context: &Value, repetitions: usize) {
    let mut decoded = DecodedPacket::default();
    let seconds = measure(repetitions, || {
        for packet in packets {
            // Checked before: all decode.
            let _ = black_box(dictionary.decode(packet, &mut decoded));
            black_box(&decoded);
        }
    });
    report("values_per_second", &seconds, packets.len(), context);
}

/// As edge node and hub do.
fn decode_to_samples(dictionary: Dictionary, packets: &[Vec<u8>], context: &Value, repetitions: usize) {
    let submilliseconds = Submilliseconds::Microseconds;
    let time =
        PacketTime::Cds { offset_bytes: 6, day_bits: 16, submilliseconds, p_field: false, epoch: None };
    let conventions = PacketConventions { time, has_error_control: false };
    let decoder = MissionDecoder::new(MissionDatabase::new(VersionNumber(1), dictionary), conventions);
    let reception = ReceptionTime(TaiTime(0));
    let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
    let seconds = measure(repetitions, || {
        for packet in packets {
            samples.clear();
            black_box(decoder.decode(reception, packet, &mut scratch, &mut samples));
            black_box(&samples);
        }
    });
    report("samples_per_second", &seconds, packets.len(), context);
}

fn measure(repetitions: usize, mut work: impl FnMut()) -> Vec<f64> {
    work();
    (0..repetitions).map(|_| processor_seconds(&mut work).1).collect()
}

fn report(metric: &str, seconds: &[f64], packets: usize, context: &Value) {
    let rate = Spread::of_rate(packets * EXTENT.parameters as usize, seconds);
    print_spread(BENCH, metric, rate, "1/s", context);
}
