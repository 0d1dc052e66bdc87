//! Batches as no node that works seals them.

use anyhow::{Context, ensure};
use delivery::{BatchBuilder, BatchSequence, ChainHash, Codec, Lane, Packer, Position, SealedBatch, StoreId};
use simulator::load;
use space_packet::{ReceptionTime, TaiTime};

const HASH_BYTES: usize = 16;
const TRAILER_BYTES: usize = 2 * HASH_BYTES + 4;
/// Of zeros, zstd makes some ten thousand times less.
const BOMB_BYTES: usize = 256 << 20;

/// What is in a batch of the attackers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub(super) packets: u64,
    pub(super) packet_bytes: usize,
    pub(super) received: TaiTime,
}

impl Content {
    /// One small packet of now.
    pub(super) fn small() -> Self {
        Self { packets: 1, packet_bytes: 92, received: simulator::clock::now() }
    }

    /// A batch of it with any number, chained to anything.
    pub(super) fn sealed(self, lane: Lane, sequence: u64, previous: ChainHash) -> SealedBatch {
        let before = BatchSequence(sequence - 1);
        let sequence = (before.0 > 0).then_some(before);
        self.behind(lane, &Position { sequence, hash: previous, records: 0, bytes: 0 })
    }

    /// A batch of it behind another.
    pub(super) fn behind(self, lane: Lane, position: &Position) -> SealedBatch {
        let mut builder = BatchBuilder::new("load", "antenna");
        for serial in 0..self.packets {
            let packet = load::packet(1, serial, self.packet_bytes, self.received);
            builder.push(ReceptionTime(self.received), &packet);
        }
        let body = builder.pack_with(&mut Packer::default()).expect("there are packets");
        body.seal(lane, position)
    }
}

/// The first batch of a store, sound in every check, whose body unpacks to far more than its header says.
pub(super) fn bomb(store: StoreId) -> anyhow::Result<Vec<u8>> {
    // Hardly compressible: its body is long enough for the bomb to fit into.
    let content = Content { packets: 60, packet_bytes: 1_500, received: simulator::clock::now() };
    let batch = content.behind(Lane::Telemetry, &Position::start(store, Lane::Telemetry));
    ensure!(batch.header.codec == Codec::Zstd, "a large body is packed: {:?}", batch.header.codec);
    let room = batch.body().len();
    let mut body = zstd::bulk::compress(&vec![0; BOMB_BYTES], 1)?;
    let filler = room.checked_sub(body.len() + 8).context("the bomb fits into the body")?;
    // A frame that zstd skips.
    body.extend_from_slice(&0x184D_2A50_u32.to_le_bytes());
    body.extend_from_slice(&u32::try_from(filler)?.to_le_bytes());
    body.resize(room, 0);
    let mut bytes = batch.bytes().to_vec();
    let end = bytes.len() - TRAILER_BYTES;
    bytes[end - room..end].copy_from_slice(&body);
    let hashed = bytes.len() - HASH_BYTES - 4;
    let hash = blake3::hash(&bytes[..hashed]);
    bytes[hashed..hashed + HASH_BYTES].copy_from_slice(&hash.as_bytes()[..HASH_BYTES]);
    let checked = bytes.len() - 4;
    let crc = crc32c::crc32c(&bytes[..checked]);
    bytes[checked..].copy_from_slice(&crc.to_le_bytes());
    let parsed = SealedBatch::parse(bytes.clone())?;
    ensure!(parsed.open().is_err(), "it does not unpack");
    Ok(bytes)
}
