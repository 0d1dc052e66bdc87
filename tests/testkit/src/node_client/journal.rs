//! What a journal is to an outbox, in memory.

use std::collections::VecDeque;

use delivery::{
    BatchBuilder, BatchSequence, ChainHash, Lane, LogHead, Packer, Position, SealedBatch, StoreId,
};
use space_packet::{ReceptionTime, TaiTime};

/// Batches of one lane, sealed once and kept until they are safe at the hub.
pub struct MemoryJournal {
    store: StoreId,
    lane: Lane,
    end: Position,
    /// Without holes, up to the end.
    batches: VecDeque<SealedBatch>,
    packer: Packer,
}

impl MemoryJournal {
    /// An empty one.
    pub fn new(store: StoreId, lane: Lane) -> Self {
        let end = Position::start(store, lane);
        Self { store, lane, end, batches: VecDeque::new(), packer: Packer::default() }
    }

    /// Which journal it is.
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// Its lane.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// What HELLO says of it.
    pub fn head(&self) -> LogHead {
        LogHead { lane: self.lane, store: self.store, head: self.end.sequence, is_forked: false }
    }

    /// Its newest batch; absent while nothing was ever appended.
    pub fn newest(&self) -> Option<BatchSequence> {
        self.end.sequence
    }

    /// Seals packets into the next batch, none of them at all being no batch. They fit into one.
    pub fn append<'p>(
        &mut self,
        mission: &str,
        link: &str,
        received: TaiTime,
        packets: impl IntoIterator<Item = &'p [u8]>,
    ) -> Option<&SealedBatch> {
        let mut builder = BatchBuilder::new(mission, link);
        for packet in packets {
            assert!(builder.has_room_for(packet.len()), "the packets fit into one batch");
            builder.push(ReceptionTime(received), packet);
        }
        self.seal(builder)
    }

    /// Seals what was built into the next batch; nothing is no batch.
    pub fn seal(&mut self, mut builder: BatchBuilder) -> Option<&SealedBatch> {
        let batch = builder.pack_with(&mut self.packer)?.seal(self.lane, &self.end);
        self.end = batch.position();
        self.batches.push_back(batch);
        self.batches.back()
    }

    /// A batch that is still held.
    pub fn batch(&self, sequence: BatchSequence) -> Option<&SealedBatch> {
        let first = self.batches.front()?.header.sequence.0;
        self.batches.get(usize::try_from(sequence.0.checked_sub(first)?).ok()?)
    }

    /// The chain behind a number, as far as it is held.
    pub fn chain_at(&self, number: u64) -> Option<ChainHash> {
        if number == 0 {
            return Some(ChainHash::of_store(self.store, self.lane));
        }
        self.batch(BatchSequence(number)).map(|batch| batch.position().hash)
    }

    /// Forgets everything up to a number.
    pub fn forget(&mut self, up_to: u64) {
        while self.batches.front().is_some_and(|batch| batch.header.sequence.0 <= up_to) {
            self.batches.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_chained_and_found_by_number_until_they_are_forgotten() {
        let mut journal = MemoryJournal::new(StoreId([1; 16]), Lane::Telemetry);
        let mut chain = journal.chain_at(0).expect("an empty lane has a chain");
        for number in 1..=5u8 {
            let packet = [number; 8];
            let batch = journal.append("load", "antenna", TaiTime(1), [packet.as_slice()]);
            let batch = batch.expect("a packet makes a batch");
            assert_eq!(batch.previous, chain);
            chain = batch.position().hash;
        }
        assert!(journal.append("load", "antenna", TaiTime(1), []).is_none());
        assert_eq!(journal.newest(), Some(BatchSequence(5)));
        journal.forget(3);
        assert!(journal.batch(BatchSequence(3)).is_none() && journal.batch(BatchSequence(6)).is_none());
        assert_eq!(journal.batch(BatchSequence(4)).map(|batch| batch.header.sequence.0), Some(4));
        assert_eq!(journal.chain_at(5), Some(chain));
    }
}
