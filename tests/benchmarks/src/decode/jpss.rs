//! A real flight: JPSS-1, beside what the Python world decodes it with.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use mission_database::{DecodedPacket, Dictionary};
use serde_json::{Value, json};
use space_packet::PrimaryHeader;

use super::BENCH;
use super::rival::{Parsed, Rival};
use crate::figures::print_spread;
use crate::timing::{Spread, processor_seconds};

/// Name of the shared case.
pub(crate) const NAME: &str = "jpss1-geolocation";
/// Decoding the file once takes a few milliseconds, too short for a measurement.
const PASSES: usize = 20;

/// `$STO_SHARED_DATA/ccsds`, or `shared/data/ccsds` beside any folder above this crate.
pub(crate) fn shared_cases() -> Option<PathBuf> {
    if let Some(shared) = std::env::var_os("STO_SHARED_DATA") {
        let cases = Path::new(&shared).join("ccsds");
        return cases.is_dir().then_some(cases);
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/data/ccsds")).find(|cases| cases.is_dir())
}

/// The files of the case.
pub(crate) struct Case {
    xtce: PathBuf,
    pub(crate) packets: PathBuf,
}

impl Case {
    pub(crate) fn find(cases: &Path) -> Option<Self> {
        let folder = cases.join(NAME);
        let case = Case { xtce: folder.join("xtce.xml"), packets: folder.join("packets.DAT1") };
        (case.xtce.is_file() && case.packets.is_file()).then_some(case)
    }

    /// Measures ours and theirs in turn.
    pub(super) fn run(&self, repetitions: usize) -> anyhow::Result<()> {
        let xtce = std::fs::read_to_string(&self.xtce).context("the dictionary cannot be read")?;
        let dictionary = Dictionary::from_xtce("xtce.xml", &xtce)?;
        let bytes = std::fs::read(&self.packets).context("the packets cannot be read")?;
        let ours = checked(&dictionary, &bytes)?;
        let mut rival = Rival::start(&self.xtce, &self.packets)
            .inspect_err(|error| eprintln!("{} is left out: {error:#}", super::rival::PINNED))
            .ok();
        if let Some(rival) = &mut rival {
            let theirs = rival.parse()?;
            ensure!(
                ours.packets == theirs.packets && ours.values == theirs.values && ours.sum == theirs.sum,
                "decoded differently: {ours:?}, {theirs:?}"
            );
        }
        let (mut our_seconds, mut their_seconds) = (Vec::new(), Vec::new());
        for _ in 0..repetitions {
            let ((), seconds) = processor_seconds(|| (0..PASSES).for_each(|_| decode(&dictionary, &bytes)));
            our_seconds.push(seconds / PASSES as f64);
            if let Some(rival) = &mut rival {
                their_seconds.push(rival.parse()?.seconds);
            }
        }
        print(&ours, &our_seconds, "ours");
        if rival.is_some() {
            print(&ours, &their_seconds, super::rival::PINNED);
            let ratios = our_seconds.iter().zip(&their_seconds).map(|(ours, theirs)| theirs / ours);
            let context =
                json!({ "case": NAME, "of": "ours", "to": super::rival::PINNED, "alternating": true });
            print_spread(BENCH, "ratio", Spread::of(ratios), "1", &context);
        }
        Ok(())
    }
}

fn print(parsed: &Parsed, seconds: &[f64], decoder: &str) {
    let context: Value = json!({ "case": NAME, "decoder": decoder, "packets": parsed.packets,
        "values": parsed.values, "path": "file in memory to values, framing included" });
    for (metric, count) in [("packets_per_second", parsed.packets), ("values_per_second", parsed.values)] {
        print_spread(BENCH, metric, Spread::of_rate(count, seconds), "1/s", &context);
    }
}

/// The packets of a recording that holds nothing else.
pub(crate) fn packets(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let header = PrimaryHeader::parse(rest).ok()?;
        let (packet, after) = rest.split_at_checked(header.packet_bytes())?;
        rest = after;
        Some(packet)
    })
}

fn decode(dictionary: &Dictionary, bytes: &[u8]) {
    let mut decoded = DecodedPacket::default();
    for packet in packets(bytes) {
        // Checked before: all decode.
        let _ = black_box(dictionary.decode(packet, &mut decoded));
        black_box(&decoded);
    }
}

/// What there is to decode, for comparison with what the other one finds.
fn checked(dictionary: &Dictionary, bytes: &[u8]) -> anyhow::Result<Parsed> {
    let mut found = Parsed::default();
    let mut decoded = DecodedPacket::default();
    for packet in packets(bytes) {
        dictionary.decode(packet, &mut decoded)?;
        ensure!(!decoded.unresolved, "a packet is of no known kind");
        found.packets += 1;
        found.values += decoded.values.len();
        // Added in the same order on both sides, so that equal values have equal sums.
        found.sum =
            decoded.values.iter().filter_map(|value| value.raw.as_f64()).fold(found.sum, std::ops::Add::add);
    }
    ensure!(found.packets > 0, "there are no packets");
    Ok(found)
}
