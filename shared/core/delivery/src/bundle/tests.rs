use proptest::prelude::*;
use space_packet::ReceptionTime;

use super::*;
use crate::{BatchBuilder, Epoch, Position};

const STORE: StoreId = StoreId([3; 16]);

/// Stands in for real cryptography: a stream by the chunk's number, and a tag over everything.
struct Toy(u8);

impl Toy {
    fn tag(&self, chunk: u32, associated: &[u8], sealed: &[u8]) -> [u8; TAG_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[self.0]).update(&chunk.to_le_bytes()).update(associated).update(sealed);
        hasher.finalize().as_bytes()[..TAG_BYTES].try_into().expect("16 of 32")
    }
}

impl Cipher for Toy {
    fn seal(&self, chunk: u32, associated: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused> {
        bytes.iter_mut().for_each(|byte| *byte ^= 0x5A ^ self.0);
        let tag = self.tag(chunk, associated, bytes);
        bytes.extend_from_slice(&tag);
        Ok(())
    }

    fn open(&self, chunk: u32, associated: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused> {
        let tag = bytes.split_off(bytes.len().checked_sub(TAG_BYTES).ok_or(CryptoRefused)?);
        if tag != self.tag(chunk, associated, bytes) {
            return Err(CryptoRefused);
        }
        bytes.iter_mut().for_each(|byte| *byte ^= 0x5A ^ self.0);
        Ok(())
    }
}

impl Signer for Toy {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoRefused> {
        Ok(self.tag(0, b"signature", message).to_vec())
    }
}

impl Verifier for Toy {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.tag(0, b"signature", message) == signature
    }
}

/// A chain of batches of about `bytes` each, which zstd cannot make smaller.
fn chain(lane: Lane, count: u64, bytes: usize) -> Vec<SealedBatch> {
    let mut position = Position::start(STORE, lane);
    (0..count)
        .map(|number| {
            let mut builder = BatchBuilder::new("demo", "antenna");
            let mut noise = vec![0; bytes];
            blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(&mut noise);
            builder.push(ReceptionTime(TaiTime(number as i64)), &noise);
            let batch = builder.pack().expect("one record").seal(lane, &position);
            position = batch.position();
            batch
        })
        .collect()
}

fn header(batches: &[SealedBatch]) -> BundleHeader {
    let (first, last) = (&batches[0], &batches[batches.len() - 1]);
    BundleHeader {
        version: VERSION,
        bundle: BundleId([1; 16]),
        part: 1,
        authority: [2; 32],
        hub_key: [3; 32],
        file_key: [4; 32],
        node: NodeId([5; 16]),
        certificates: vec![vec![0x30, 0]],
        logs: vec![BundleLog {
            store: STORE,
            lane: Lane::Telemetry,
            first: first.header.sequence.0,
            last: last.header.sequence.0,
            previous: first.previous,
            hash: last.position().hash,
        }],
        previous: None,
        created: TaiTime(9),
    }
}

fn write(batches: &[SealedBatch]) -> Vec<u8> {
    let (mut writer, mut file) = BundleWriter::begin(&header(batches), Toy(1), &Toy(2)).expect("begins");
    for batch in batches {
        let room = writer.bytes_max();
        if let Some(chunk) = writer.push(0, batch).expect("is taken") {
            file.extend_from_slice(&chunk);
        }
        assert!(file.len() as u64 <= room);
    }
    let room = writer.bytes_max();
    file.extend_from_slice(&writer.finish(true, &Toy(2)).expect("ends").0);
    assert!(file.len() as u64 <= room);
    file
}

fn open(file: &[u8]) -> Result<Bundle<&[u8]>, BundleError> {
    BundleReader::open(file)?.verify(&Toy(2))
}

/// Everything that comes out, and what does not.
fn read(file: &[u8]) -> Result<(Vec<SealedBatch>, Vec<BadChunk>), BundleError> {
    let bundle = open(file)?;
    let (mut batches, mut bad) = (Vec::new(), Vec::new());
    for number in 0..bundle.chunks() {
        match bundle.chunk(number, &Toy(1)) {
            Ok(found) => batches.extend(found.into_iter().map(|found| found.batch)),
            Err(chunk) => bad.push(chunk),
        }
    }
    Ok((batches, bad))
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let batches = chain(Lane::Telemetry, 30, 90_000);
    let file = write(&batches);
    let bundle = open(&file).expect("opens");
    assert_eq!((bundle.chunks(), bundle.is_last()), (3, Some(true)));
    assert_eq!(bundle.runs(1), Some(&[ChunkRun { log: 0, first: 12, last: 22 }][..]));
    assert_eq!(bundle.header(), &header(&batches));
    assert_eq!(read(&file), Ok((batches, Vec::new())));
}

#[test]
fn needed_room_is_never_less_than_what_is_written() {
    for bytes in [10, 60_000, 98_000] {
        let batches = chain(Lane::Telemetry, 40, bytes);
        let sealed: u64 = batches.iter().map(|batch| batch.bytes().len() as u64).sum();
        let written = write(&batches).len() as u64;
        let needed = BundleWriter::bytes_needed(sealed, 40, 3_900_000_000);
        assert!((written..2 * written).contains(&needed), "{written} of {needed}");
    }
}

#[test]
fn a_file_without_its_end_gives_what_is_there() {
    let batches = chain(Lane::Telemetry, 30, 90_000);
    let mut file = write(&batches);
    file.truncate(HEADER_BYTES + 2 * CHUNK_BYTES + 77);
    assert_eq!(open(&file).expect("opens").hash(), None);
    let (found, bad) = read(&file).expect("opens");
    assert_eq!(found, batches[..22]);
    let from = (HEADER_BYTES + 2 * CHUNK_BYTES) as u64;
    let cut = BadChunk { number: 2, bytes: from..from + 77, damage: ChunkDamage::Unreadable, runs: None };
    assert_eq!(bad, [cut]);
}

#[test]
fn a_damaged_chunk_is_named_with_what_was_in_it() {
    let batches = chain(Lane::Telemetry, 30, 90_000);
    let mut file = write(&batches);
    let from = HEADER_BYTES + CHUNK_BYTES;
    file[from + 4_096..from + 8_192].fill(0);
    let (found, bad) = read(&file).expect("opens");
    assert_eq!(found, [&batches[..11], &batches[22..]].concat());
    let runs = Some(vec![ChunkRun { log: 0, first: 12, last: 22 }]);
    let bytes = from as u64..(from + CHUNK_BYTES) as u64;
    assert_eq!(bad, [BadChunk { number: 1, bytes, damage: ChunkDamage::Damaged, runs }]);
}

#[test]
fn a_file_that_lost_its_beginning_is_read_by_the_copy() {
    let batches = chain(Lane::Telemetry, 12, 90_000);
    let mut file = write(&batches);
    file[..HEADER_BYTES].fill(0xFF);
    assert_eq!(read(&file), Ok((batches, Vec::new())));
    let tail = file.len() - TAIL_BYTES;
    file[tail..].fill(0);
    assert_eq!(read(&file), Err(BundleError::Foreign));
}

#[test]
fn exchanged_chunks_are_altered_not_damaged() {
    let mut file = write(&chain(Lane::Telemetry, 30, 90_000));
    let (first, second) = file[HEADER_BYTES..].split_at_mut(CHUNK_BYTES);
    first.swap_with_slice(&mut second[..CHUNK_BYTES]);
    let (_, bad) = read(&file).expect("opens");
    assert_eq!(
        bad.iter().map(|chunk| chunk.damage).collect::<Vec<_>>(),
        [ChunkDamage::Altered, ChunkDamage::Altered]
    );
}

/// Signs and sums an envelope anew, with another hand.
fn forge(file: &mut [u8], at: usize, magic: [u8; 8], context: &[u8], change: impl Fn(&mut [u8])) {
    let found = envelope::unwrap(magic, &file[at..]).expect("an envelope");
    let mut body = found.body.to_vec();
    change(&mut body);
    let forged = envelope::wrap(magic, &body, &Toy(9).sign(&signed(context, &body)).expect("signs"));
    file[at..at + forged.len()].copy_from_slice(&forged);
}

#[test]
fn a_header_or_an_index_of_another_hand_is_altered() {
    let file = write(&chain(Lane::Telemetry, 3, 90_000));
    let mut other = file.clone();
    forge(&mut other, 0, HEADER_MAGIC, HEADER_CONTEXT, |body| body[17] = 2);
    let altered = BundleError::Altered { what: "its header is not what the node signed" };
    assert_eq!(open(&other).err(), Some(altered));

    let mut other = file;
    let index = 2 * HEADER_BYTES + CHUNK_BYTES;
    forge(&mut other, index, INDEX_MAGIC, INDEX_CONTEXT, |_| ());
    let (start, end) = (index, other.len() - TAIL_BYTES);
    let crc = crc32c::crc32c(&other[start..end]).to_le_bytes();
    other[end + 16..end + 20].copy_from_slice(&crc);
    let crc = crc32c::crc32c(&other[end..end + 20]).to_le_bytes();
    other[end + 20..].copy_from_slice(&crc);
    let altered = BundleError::Altered { what: "its index is not what the node signed" };
    assert_eq!(open(&other).err(), Some(altered));
}

#[test]
fn another_version_is_named() {
    let batches = chain(Lane::Telemetry, 1, 10);
    let later = BundleHeader { version: 9, ..header(&batches) };
    let (_, file) = BundleWriter::begin(&later, Toy(1), &Toy(2)).expect("begins");
    assert_eq!(open(&file).err(), Some(BundleError::Version { found: 9 }));
    assert_eq!(open(b"something else").err(), Some(BundleError::Foreign));
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_file_has_the_same_bytes_as_ever() {
    // Golden: a change here is a change of the format and needs a new version.
    let text = include_str!("../batch/golden-1.hex").trim();
    let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    let batch = SealedBatch::parse(bytes.collect::<Result<_, _>>().expect("hexadecimal")).expect("parses");
    let length = batch.bytes().len();
    let file = write(&[batch]);
    let header = envelope::unwrap(HEADER_MAGIC, &file).expect("an envelope").bytes;
    assert_eq!(hexadecimal(header), include_str!("golden-header.hex").trim());
    let plain: Vec<u8> = file[HEADER_BYTES..][..length + 9].iter().map(|byte| byte ^ 0x5B).collect();
    let framed = format!("{}00{text}00000000", hexadecimal(&(length as u32).to_le_bytes()));
    assert_eq!(hexadecimal(&plain), framed);
    let end = &file[2 * HEADER_BYTES + CHUNK_BYTES..];
    assert_eq!(hexadecimal(end), include_str!("golden-end.hex").trim());
}

fn receipt() -> HubReceipt {
    let log = ReceiptLog {
        store: STORE,
        lane: Lane::Telemetry,
        epoch: Epoch(2),
        watermark: 300,
        safe: 299,
        hash: ChainHash([7; 16]),
    };
    HubReceipt {
        version: VERSION,
        authority: [2; 32],
        node: NodeId([5; 16]),
        created: TaiTime(9),
        hub_key: [3; 32],
        logs: vec![log],
    }
}

#[test]
fn a_receipt_comes_back_as_it_was_signed() {
    let file = receipt().seal(&Toy(2)).expect("signs");
    let unchecked = UncheckedReceipt::parse(&file).expect("parses");
    assert_eq!(unchecked.clone().verify(&Toy(2)), Ok(receipt()));
    assert!(matches!(unchecked.verify(&Toy(3)), Err(BundleError::Altered { .. })));
    // Golden, as above.
    assert_eq!(hexadecimal(&file), include_str!("golden-receipt.hex").trim());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_byte_is_another_all_other_chunks_come_out_and_nothing_wrong(
        place in any::<prop::sample::Index>(),
        mask in 1u8..,
        region in 0usize..4,
    ) {
        let batches = chain(Lane::Telemetry, 25, 90_000);
        let mut file = write(&batches);
        // Most bytes are a chunk's; the others are the ones that hold it together.
        let (header, end) = (400, file.len() - 400);
        let at = match region {
            0 => place.index(header),
            1 => end + place.index(400),
            _ => place.index(file.len()),
        };
        file[at] ^= mask;
        let (found, bad) = read(&file).expect("one byte never hides a file");
        let is_in_chunk = (HEADER_BYTES..HEADER_BYTES + 3 * CHUNK_BYTES).contains(&at);
        let lost = match is_in_chunk.then(|| (at - HEADER_BYTES) / CHUNK_BYTES) {
            Some(_) if bad.is_empty() => 0..0,
            Some(0) => 0..11,
            Some(1) => 11..22,
            Some(_) => 22..25,
            None => 0..0,
        };
        let expected: Vec<_> = [&batches[..lost.start], &batches[lost.end..]].concat();
        prop_assert_eq!(found, expected);
        // Without an index what lies behind the chunks looks like one more that is damaged.
        prop_assert!(bad.iter().all(|chunk| chunk.damage != ChunkDamage::Altered));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
        let _ = UncheckedReceipt::parse(&bytes);
        let magic = [&HEADER_MAGIC[..], &bytes].concat();
        let _ = read(&magic);
    }

    #[test]
    fn a_receipt_with_another_bit_is_refused(place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut file = receipt().seal(&Toy(2)).expect("signs");
        let at = place.index(file.len());
        file[at] ^= 1 << bit;
        let read = UncheckedReceipt::parse(&file).and_then(|unchecked| unchecked.verify(&Toy(2)));
        prop_assert!(read.is_err());
    }
}
