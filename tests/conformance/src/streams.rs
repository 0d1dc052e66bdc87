//! Cases of packet streams: framing, continuity and groups.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use space_packet::{
    Apid, Continuity, ContinuityTracker, Group, GroupLimits, PACKET_BYTES_MAX, PRIMARY_HEADER_BYTES,
    PacketFramer, PacketType, PrimaryHeader, Reassembler, Rejection, RejectionCause, SequenceCount,
};

use crate::{Counts, json, read, same, text};

const LIMITS: GroupLimits = GroupLimits { group_bytes_max: 1 << 20, open_groups_max: 64 };

/// Runs a case of kind `stream`: one recording of groups, or several streams each with its own expectation.
pub(crate) fn run(case_dir: &Path, case_json: &Value) -> Result<Counts, String> {
    let expected = json(case_dir, text(case_json, "expected")?)?;
    if case_json["packets"].is_string() {
        let bytes = read(case_dir, text(case_json, "packets")?)?;
        return recorded_groups(&cut(&bytes)?, &expected);
    }
    let streams = expected["cases"].as_array().filter(|streams| !streams.is_empty());
    let mut counts = Counts::default();
    for stream in streams.ok_or("there is no stream")? {
        let file = text(stream, "file")?;
        let bytes = read(case_dir, file)?;
        let run = stream_named(file, &bytes, stream).map_err(|reason| format!("{file}: {reason}"))?;
        counts.packets += run.packets;
        counts.comparisons += run.comparisons;
    }
    Ok(counts)
}

fn stream_named(file: &str, bytes: &[u8], expected: &Value) -> Result<Counts, String> {
    same("bytes", &json!(bytes.len()), &expected["bytes"])?;
    match file {
        "chunks.bin" => chunks(bytes, expected),
        "grouping.bin" => groups(&cut(bytes)?, expected),
        "idle-and-tc.bin" => idle_and_telecommands(&cut(bytes)?, expected),
        "lengths.bin" => lengths(bytes, expected),
        "noise.bin" => noise(bytes, expected),
        "prefixed.bin" => prefixed(bytes, expected),
        "sequence.bin" => sequence(&cut(bytes)?, expected),
        _ => Err("nothing here knows this stream".to_owned()),
    }
}

/// What a framer makes of chunks of a stream.
struct Framed {
    packets: Vec<Vec<u8>>,
    rejections: Vec<Rejection>,
    /// Bytes it still waited with when the stream had ended.
    pending_bytes: usize,
}

fn framed<'b>(chunks: impl IntoIterator<Item = &'b [u8]>) -> Framed {
    let mut framer = PacketFramer::new(PACKET_BYTES_MAX);
    let mut framed = Framed { packets: Vec::new(), rejections: Vec::new(), pending_bytes: 0 };
    let take = |framer: &mut PacketFramer, framed: &mut Framed| {
        while let Some(packet) = framer.next_packet(&mut |rejection, _| framed.rejections.push(rejection)) {
            framed.packets.push(packet.to_vec());
        }
    };
    for chunk in chunks {
        framer.push(chunk);
        take(&mut framer, &mut framed);
    }
    framed.pending_bytes = framer.pending_bytes();
    while framer.pending_bytes() > 0 {
        framer.give_up(&mut |rejection, _| framed.rejections.push(rejection));
        take(&mut framer, &mut framed);
    }
    framed
}

/// The packets of a stream in which nothing else stands, each with its header.
fn cut(bytes: &[u8]) -> Result<Vec<(PrimaryHeader, Vec<u8>)>, String> {
    let framed = framed([bytes]);
    same("what was rejected", &framed.rejections, &Vec::new())?;
    let with_header = |packet: Vec<u8>| {
        let header = PrimaryHeader::parse(&packet).map_err(|error| error.to_string())?;
        Ok((header, packet))
    };
    framed.packets.into_iter().map(with_header).collect()
}

/// Fails unless `figures` are what is expected under their names.
fn same_figures<const N: usize>(
    packets: usize,
    expected: &Value,
    figures: [(&str, Value); N],
) -> Result<Counts, String> {
    for (name, found) in figures {
        same(name, &found, &expected[name])?;
    }
    Ok(Counts { packets, comparisons: N })
}

fn chunks(bytes: &[u8], expected: &Value) -> Result<Counts, String> {
    let mut rest = bytes;
    let mut chunks = Vec::new();
    for size in expected["chunks"].as_array().ok_or("there are no chunks")? {
        let size = size.as_u64().ok_or("a chunk has no size")? as usize;
        let (chunk, behind) = rest.split_at_checked(size).ok_or("the chunks are longer than the stream")?;
        chunks.push(chunk);
        rest = behind;
    }
    same("what the chunks leave", &rest.len(), &0)?;
    let whole: Vec<Vec<u8>> = cut(bytes)?.into_iter().map(|(_, packet)| packet).collect();
    let framed = framed(chunks);
    same("packets in chunks", &framed.packets, &whole)?;
    same_figures(whole.len(), expected, [("packets", json!(framed.packets.len()))])
}

fn lengths(bytes: &[u8], expected: &Value) -> Result<Counts, String> {
    let framed = framed([bytes]);
    let lengths: Vec<usize> = framed.packets.iter().map(Vec::len).collect();
    let is_truncated = |rejection: &Rejection| rejection.cause == RejectionCause::Truncated;
    same("the tail is told as truncated", &framed.rejections.iter().all(is_truncated), &true)?;
    let rejected: u64 = framed.rejections.iter().map(|rejection| rejection.bytes).sum();
    same("bytes rejected at the end", &rejected, &(framed.pending_bytes as u64))?;
    let figures = [
        ("packets", json!(lengths.len())),
        ("lengths", json!(lengths)),
        ("trailing_bytes", json!(framed.pending_bytes)),
    ];
    same_figures(framed.packets.len(), expected, figures)
}

fn noise(bytes: &[u8], expected: &Value) -> Result<Counts, String> {
    let framed = framed([bytes]);
    let is_good = |packet: &&Vec<u8>| {
        let apid = PrimaryHeader::parse(packet).map(|header| json!(header.apid.value()));
        let accepted = expected["accept_apids"].as_array().zip(apid.ok());
        accepted.is_some_and(|(accepted, apid)| accepted.contains(&apid))
            && json!(packet.len()) == expected["fixed_length"]
    };
    same("packets in all", &framed.packets.len(), &framed.packets.iter().filter(is_good).count())?;
    let noise: u64 = framed.rejections.iter().map(|rejection| rejection.bytes).sum();
    let is_garbage = |rejection: &Rejection| rejection.cause == RejectionCause::Garbage;
    let figures = [
        ("good_packets", json!(framed.packets.len())),
        ("noise_bytes", json!(noise)),
        ("version_error", json!(framed.rejections.iter().any(is_garbage))),
    ];
    same_figures(framed.packets.len(), expected, figures)
}

fn prefixed(bytes: &[u8], expected: &Value) -> Result<Counts, String> {
    let prefix = expected["skip_header_bytes"].as_u64().ok_or("the prefix has no length")? as usize;
    let (mut at, mut packets, mut markers) = (0, Vec::new(), Vec::new());
    while at < bytes.len() {
        let (marker, rest) = bytes[at..].split_at_checked(prefix).ok_or("the stream ends in a prefix")?;
        let header = PrimaryHeader::parse(rest).map_err(|error| error.to_string())?;
        packets.push(rest.get(..header.packet_bytes()).ok_or("the stream ends in a packet")?);
        markers.push(hex(marker));
        at += prefix + header.packet_bytes();
    }
    markers.dedup();
    same("packets without their prefixes", &framed(packets.clone()).packets.len(), &packets.len())?;
    let figures = [
        ("packets", json!(packets.len())),
        ("marker", json!(markers.first().filter(|_| markers.len() == 1))),
    ];
    same_figures(packets.len(), expected, figures)
}

fn idle_and_telecommands(packets: &[(PrimaryHeader, Vec<u8>)], expected: &Value) -> Result<Counts, String> {
    let count =
        |wanted: fn(&PrimaryHeader) -> bool| packets.iter().filter(|(header, _)| wanted(header)).count();
    let is_idle = |header: &PrimaryHeader| header.apid == Apid::IDLE;
    let figures = [
        ("packets", json!(packets.len())),
        ("idle", json!(count(is_idle))),
        ("telecommand", json!(count(|header| header.packet_type == PacketType::Telecommand))),
        (
            "telemetry",
            json!(count(|header| header.packet_type == PacketType::Telemetry && header.apid != Apid::IDLE)),
        ),
    ];
    same_figures(packets.len(), expected, figures)
}

fn sequence(packets: &[(PrimaryHeader, Vec<u8>)], expected: &Value) -> Result<Counts, String> {
    same("packets", &json!(packets.len()), &expected["packets"])?;
    let (mut tracker, mut gaps) = (ContinuityTracker::default(), BTreeMap::<Apid, Vec<Value>>::new());
    for (header, _) in packets {
        if let Continuity::Gap { missing, .. } = tracker.on_packet(header) {
            let before = header.sequence_count.value();
            let after = (before + SequenceCount::MODULUS - missing - 1) % SequenceCount::MODULUS;
            let gap = json!({ "after": after, "before": before, "missing": missing });
            gaps.entry(header.apid).or_default().push(gap);
        }
    }
    let apids = expected["apids"].as_object().ok_or("there are no APIDs")?;
    same("APIDs", &tracker.all_counts().count(), &apids.len())?;
    let mut comparisons = 1;
    for (_, apid, counted) in tracker.all_counts() {
        let expected = &apids[&apid.value().to_string()];
        let figures = [
            ("received", json!(counted.received)),
            ("missing", json!(counted.missing)),
            ("gaps", json!(gaps.remove(&apid).unwrap_or_default())),
            ("duplicates", json!(counted.duplicates)),
            ("late", json!(counted.late)),
        ];
        comparisons += same_figures(0, expected, figures)?.comparisons + 2;
        same("gaps counted", &json!(counted.gaps), &json!(expected["gaps"].as_array().map(Vec::len)))?;
        same("resets", &counted.resets, &0)?;
    }
    Ok(Counts { packets: packets.len(), comparisons })
}

fn grouped(packets: &[(PrimaryHeader, Vec<u8>)]) -> Vec<Group> {
    let (mut reassembler, mut groups) = (Reassembler::new(LIMITS), Vec::new());
    for (header, packet) in packets {
        reassembler.on_packet(header, &packet[PRIMARY_HEADER_BYTES..], &mut |group| groups.push(group));
    }
    reassembler.finish(&mut |group| groups.push(group));
    groups
}

fn groups(packets: &[(PrimaryHeader, Vec<u8>)], expected: &Value) -> Result<Counts, String> {
    let groups = grouped(packets);
    let found: Vec<Value> = groups
        .iter()
        .map(|group| json!({ "complete": group.missing().is_none(), "data": group.joined().map(hex) }))
        .collect();
    same("groups", &json!(found), &expected["groups"])?;
    let kept: usize = groups.iter().map(|group| group.segments().len()).sum();
    same("packets in groups", &kept, &packets.len())?;
    Ok(Counts { packets: packets.len(), comparisons: found.len() + 1 })
}

/// A recording of one APID that begins and ends inside a group.
fn recorded_groups(packets: &[(PrimaryHeader, Vec<u8>)], expected: &Value) -> Result<Counts, String> {
    let (mut complete, mut without_start, mut without_end, mut first_packet) = (Vec::new(), 0, Vec::new(), 0);
    for group in grouped(packets) {
        same("APID", &json!(group.apid().value()), &expected["apid"])?;
        let segments = group.segments().len();
        match (group.joined(), group.missing()) {
            (Some(joined), _) => complete.push(json!({
                "first_packet": first_packet, "packets": segments, "bytes": joined.len(),
                "sha256": hex(&Sha256::digest(joined)),
            })),
            (None, Some(missing)) if missing.start => without_start += segments,
            _ => without_end.push(json!({ "first_packet": first_packet, "packets": segments })),
        }
        first_packet += segments;
    }
    let figures = [
        ("packets", json!(packets.len())),
        ("orphan_packets_at_start", json!(without_start)),
        ("unfinished_group_at_end", json!(without_end.first().filter(|_| without_end.len() == 1))),
    ];
    let counts = same_figures(packets.len(), expected, figures)?;
    let wanted = expected["complete_groups"].as_array().ok_or("there are no groups")?;
    same("complete groups", &complete.len(), &wanted.len())?;
    for (found, wanted) in complete.iter().zip(wanted) {
        same("a group", found, wanted)?;
    }
    Ok(Counts { comparisons: counts.comparisons + complete.len(), ..counts })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
