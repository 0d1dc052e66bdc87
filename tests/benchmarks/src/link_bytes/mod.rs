//! `link-bytes`: what crosses the link for each packet, as a share of the packet, and what sealing costs.
//!
//! Counted are sealed batches and the head of their frames; what QUIC, UDP and IP add depends on how full a datagram
//! is. Seconds are of the processor, for columns, packing, hash and check sum.

mod format_2;

use std::process::ExitCode;

use anyhow::Context;
use delivery::{BatchBuilder, BatchSequence, Codec, Lane, Packer, Position, SealedBatch, StoreId};
use serde_json::json;
use simulator::spacecraft::Spacecraft;
use space_packet::{ReceptionTime, TaiTime};

use crate::chance::Chance;
use crate::decode::{INCOMPLETE, jpss};
use crate::figures::{print, print_spread};
use crate::timing::{Spread, processor_seconds};

const BENCH: &str = "link-bytes";
/// An hour of the demo spacecraft, from 14 November 2023 on.
const FLIGHT_SECONDS: i64 = 3_600;
const FLIGHT_BEGIN: TaiTime = TaiTime(1_700_000_000_000_000_000);
const RECORDS: [usize; 5] = [1, 4, 16, 64, 512];
/// Length and type of a frame.
const FRAME_BYTES: usize = 5;
const REPETITIONS: usize = 5;
const MISSION: &str = "demo";
const LINK: &str = "antenna";

/// When a packet was received, and the packet.
type Arrival = (ReceptionTime, Vec<u8>);

/// How batches are made.
#[derive(Clone, Copy)]
enum Format {
    /// As they were before: zstd of columns without differences, whole times.
    Second,
    /// Today's, as long batches are packed.
    WithoutDictionary,
    /// Today's.
    Newest,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Second => "2",
            Self::WithoutDictionary => "3 without dictionary",
            Self::Newest => "3",
        }
    }
}

/// Runs it.
pub fn run() -> anyhow::Result<ExitCode> {
    let steps = demo();
    let flight: Vec<Arrival> = steps.iter().flatten().cloned().collect();
    measure("demo", "as they arrive", &steps.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    measure_by_records("demo", &flight)?;
    let Some(case) = jpss::shared_cases().as_deref().and_then(jpss::Case::find) else {
        eprintln!("no ccsds/{} in STO_SHARED_DATA, nor in shared/data beside a folder above", jpss::NAME);
        return Ok(ExitCode::from(INCOMPLETE));
    };
    let bytes = std::fs::read(case.packets).context("the packets cannot be read")?;
    let times = (0..).map(|second: i64| FLIGHT_BEGIN.plus_nanos(second * 1_000_000_000 + jitter(second)));
    let flight: Vec<Arrival> =
        times.map(ReceptionTime).zip(jpss::packets(&bytes).map(<[u8]>::to_vec)).collect();
    measure_by_records(jpss::NAME, &flight)?;
    Ok(ExitCode::SUCCESS)
}

/// What the node receives at a time: the packets of one step of the spacecraft.
fn demo() -> Vec<Vec<Arrival>> {
    let mut spacecraft = Spacecraft::new(1, FLIGHT_BEGIN);
    let steps = (1..=4 * FLIGHT_SECONDS).map(|step| {
        let now = FLIGHT_BEGIN.plus_nanos(step * 250_000_000);
        let reception = ReceptionTime(now.plus_nanos(jitter(step)));
        spacecraft.telemetry_due(now).into_iter().map(|packet| (reception, packet.bytes)).collect()
    });
    steps.filter(|packets: &Vec<Arrival>| !packets.is_empty()).collect()
}

/// Up to 8 ms of a network's delay, in nanoseconds.
fn jitter(place: i64) -> i64 {
    Chance::new(place as u64).below(8_000_000) as i64
}

fn measure_by_records(mission: &str, flight: &[Arrival]) -> anyhow::Result<()> {
    RECORDS.iter().try_for_each(|&records| {
        measure(mission, &records.to_string(), &flight.chunks(records).collect::<Vec<_>>())
    })
}

fn measure(mission: &str, records: &str, batches: &[&[Arrival]]) -> anyhow::Result<()> {
    let packets: usize = batches.iter().map(|batch| batch.len()).sum();
    let raw: usize = batches.iter().flat_map(|batch| batch.iter()).map(|(_, packet)| packet.len()).sum();
    for format in [Format::Second, Format::WithoutDictionary, Format::Newest] {
        let sealed = seal(format, batches)?;
        let bytes: usize = sealed.iter().map(|batch| batch.bytes().len() + FRAME_BYTES).sum();
        let bodies: usize = sealed.iter().map(|batch| batch.header.body_bytes as usize).sum();
        let share = |bytes: usize| bytes as f64 * 100.0 / raw as f64;
        let context = json!({ "mission": mission, "records_per_batch": records, "format": format.name(),
            "packets": packets, "raw_bytes_per_packet": raw as f64 / packets as f64,
            "around_each_body_bytes": (bytes - bodies) as f64 / batches.len() as f64 });
        print(BENCH, "link_bytes", share(bytes), "% of raw", &context);
        print(BENCH, "body_bytes", share(bodies), "% of raw", &context);
        // What writes version 2 here is made for reading, not for speed.
        if !matches!(format, Format::Second) {
            let seconds = (0..REPETITIONS).map(|_| processor_seconds(|| seal(format, batches)).1);
            let nanos = Spread::of(seconds.map(|seconds| seconds * 1e9 / packets as f64));
            print_spread(BENCH, "seal_time", nanos, "ns/packet", &context);
        }
    }
    Ok(())
}

/// One batch after the other, far enough into a lane that its numbers have a usual length.
fn seal(format: Format, batches: &[&[Arrival]]) -> anyhow::Result<Vec<SealedBatch>> {
    let mut position = Position {
        sequence: Some(BatchSequence(200_000)),
        records: 1_000_000,
        bytes: 100_000_000,
        ..Position::start(StoreId([7; 16]), Lane::Telemetry)
    };
    let mut packer = match format {
        Format::WithoutDictionary => Packer::only(Codec::Zstd),
        Format::Second | Format::Newest => Packer::default(),
    };
    let mut builder = BatchBuilder::new(MISSION, LINK);
    let mut sealed = Vec::with_capacity(batches.len());
    for batch in batches {
        let next = match format {
            Format::Second => format_2::seal(batch, &position)?,
            Format::WithoutDictionary | Format::Newest => {
                batch.iter().for_each(|(reception, packet)| builder.push(*reception, packet));
                let body = builder.pack_with(&mut packer).context("no batch is empty")?;
                body.seal(Lane::Telemetry, &position)
            }
        };
        position = next.position();
        sealed.push(next);
    }
    Ok(sealed)
}
