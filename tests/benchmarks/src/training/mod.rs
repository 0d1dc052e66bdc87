//! `train-dictionary`: what zstd is to know before it sees a small batch, learned from generated batches.
//!
//! Nothing here is any real mission's: what is learned is how columns, primary headers, time codes, names and events
//! look. The same program and the same zstd give the same bytes.

mod missions;
mod records;

use std::path::PathBuf;

use anyhow::Context;
use delivery::{BatchBuilder, Codec, Content, Lane, Packer, Position, StoreId};
use space_packet::{ReceptionTime, TaiTime};

use crate::chance::Chance;
use missions::Mission;

/// Missions that are made up.
const MISSIONS: u64 = 300;
/// Batches of packets of each.
const BATCHES: usize = 40;
/// Most records of a batch.
const RECORDS_MAX: u64 = 32;
/// Longest body that the dictionary is for: what `delivery` packs with it.
const BODY_BYTES_MAX: usize = 2_048;

/// Where to, and how large.
#[derive(Clone, Debug, clap::Args)]
pub struct Training {
    /// The file to write. A dictionary that was shipped is never written again: take the next number.
    out: PathBuf,
    /// Longest dictionary. Measured: 16 KiB are no better.
    #[arg(long, default_value_t = 12 * 1_024)]
    bytes: usize,
}

impl Training {
    /// Trains and writes it.
    pub fn run(&self) -> anyhow::Result<()> {
        let bodies = bodies();
        let dictionary =
            zstd::dict::from_samples(&bodies, self.bytes).context("zstd could not be trained")?;
        std::fs::write(&self.out, &dictionary)
            .with_context(|| format!("{} cannot be written", self.out.display()))?;
        let learned: usize = bodies.iter().map(Vec::len).sum();
        println!("{} bytes, from {} bodies of {learned} bytes", dictionary.len(), bodies.len());
        Ok(())
    }
}

/// Received one after the other: packets, samples, events.
type Arrivals = Vec<(ReceptionTime, Vec<u8>)>;

/// The columns of many small batches.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for seed in 0..MISSIONS {
        let mut chance = Chance::new(seed);
        let mut mission = Mission::new(&mut chance);
        for _ in 0..BATCHES {
            let records = 1 + chance.below(RECORDS_MAX).min(chance.below(RECORDS_MAX));
            bodies.push(body(Content::Packets, &mission.arrivals(&mut chance, records as usize)));
        }
        for _ in 0..BATCHES / 5 {
            let at = mission.now();
            bodies.push(body(Content::Samples, &records::samples(&mut chance, at)));
            bodies.push(body(Content::Events, &records::events(&mut chance, at)));
        }
    }
    bodies.retain(|body| body.len() <= BODY_BYTES_MAX);
    bodies
}

/// What a batch of these would have as its body before it is packed.
fn body(content: Content, arrivals: &Arrivals) -> Vec<u8> {
    let mut builder = BatchBuilder::of(content, "training", "training");
    arrivals.iter().for_each(|(reception, record)| builder.push(*reception, record));
    let start = Position::start(StoreId([0; 16]), Lane::Telemetry);
    let packed = builder.pack_with(&mut Packer::only(Codec::Plain));
    packed.map_or_else(Vec::new, |body| body.seal(Lane::Telemetry, &start).body().to_vec())
}

/// A moment after another.
fn later(moment: ReceptionTime, nanos: u64) -> ReceptionTime {
    ReceptionTime(TaiTime(moment.0.0 + nanos as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_from_is_the_same_every_time() {
        assert_eq!(bodies(), bodies());
    }
}
