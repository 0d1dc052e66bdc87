//! Batches as version 2 of the format had them, written anew from its description; what is measured is opened too.

use anyhow::{Context, ensure};
use delivery::{BatchSequence, Content, Lane, Position, SealedBatch};

use super::{Arrival, LINK, MISSION};

const ZSTD_LEVEL: i32 = 1;

/// Seals packets behind `previous`.
pub(super) fn seal(packets: &[Arrival], previous: &Position) -> anyhow::Result<SealedBatch> {
    let plain = columns(packets);
    let packed = zstd::bulk::compress(&plain, ZSTD_LEVEL)?;
    let (codec, body) = if packed.len() < plain.len() { (1_u8, &packed) } else { (0, &plain) };
    let times = || packets.iter().map(|(reception, _)| *reception);
    let (first, last) = (times().min(), times().max());
    let sequence = previous.sequence.map_or(BatchSequence::FIRST, BatchSequence::next);
    let header = postcard::to_stdvec(&(
        (2_u8, Lane::Telemetry, sequence, MISSION, LINK),
        (Content::Packets, packets.len() as u32, 0_u32, false),
        (previous.records, previous.bytes, codec, plain.len() as u32, body.len() as u32),
        (first.context("no batch is empty")?, last.context("no batch is empty")?),
        None::<u8>,
    ))?;
    let mut bytes = (header.len() as u16).to_le_bytes().to_vec();
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&previous.hash.0);
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(&hash.as_bytes()[..16]);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    let batch = SealedBatch::parse(bytes)?;
    let open = batch.open()?;
    let sealed = packets.iter().map(|(reception, packet)| (*reception, &packet[..]));
    ensure!(open.packets().eq(sealed), "a batch of version 2 does not open to what went in");
    Ok(batch)
}

/// Records that begin alike and are of one length, turned; as `docs/delivery-protocol.md` has it.
fn columns(packets: &[Arrival]) -> Vec<u8> {
    let mut groups: Vec<Vec<&[u8]>> = Vec::new();
    let mut membership = Vec::new();
    for (_, packet) in packets {
        let is_alike = |group: &Vec<&[u8]>| group[0].len() == packet.len() && group[0][..2] == packet[..2];
        let place = groups.iter().position(is_alike).unwrap_or(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(packet);
        membership.push(place as u64);
    }
    let mut out = Vec::new();
    push_varint(&mut out, groups.len() as u64);
    for group in &groups {
        push_varint(&mut out, group[0].len() as u64);
        push_varint(&mut out, group.len() as u64);
    }
    if groups.len() > 1 {
        membership.iter().for_each(|&place| push_varint(&mut out, place));
    }
    let mut before = 0;
    for (reception, _) in packets {
        let delta = reception.0.0 - before;
        push_varint(&mut out, ((delta << 1) ^ (delta >> 63)) as u64);
        before = reception.0.0;
    }
    for group in &groups {
        for column in 0..group[0].len() {
            out.extend(group.iter().map(|packet| packet[column]));
        }
    }
    out
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
