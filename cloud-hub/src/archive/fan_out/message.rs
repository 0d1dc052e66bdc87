//! A committed batch on its way from the hub that leads to those that follow.

use delivery::{BATCH_BYTES_MAX, SealedBatch, Way};
use space_packet::TaiTime;
use uuid::Uuid;

use super::seal::{Seal, TAG_BYTES};
use crate::archive::Committed;

/// What the tag says such a message is.
const SUBJECT: &str = "committed batch 1";
/// Two numbers of rows, a time, node, epoch, way.
const HEAD_BYTES: usize = 8 + 8 + 8 + 16 + 4 + 1;
/// Nothing longer is looked at.
const MESSAGE_BYTES_MAX: usize = HEAD_BYTES + BATCH_BYTES_MAX + TAG_BYTES;

/// A committed batch, and which row of the ledger it comes behind.
#[derive(Clone, Debug)]
pub struct HandedOver {
    /// Number of the row before: between the two there is none.
    pub previous: i64,
    /// The row.
    pub committed: Committed,
}

impl HandedOver {
    /// As it is published: numbers big-endian, the sealed batch as it came, the tag.
    pub fn write(&self, seal: &Seal) -> Vec<u8> {
        let Committed { ledger_id, committed_at, node, epoch, way, batch } = &self.committed;
        let mut out = Vec::with_capacity(HEAD_BYTES + batch.bytes().len() + TAG_BYTES);
        out.extend_from_slice(&self.previous.to_be_bytes());
        out.extend_from_slice(&ledger_id.to_be_bytes());
        out.extend_from_slice(&committed_at.0.to_be_bytes());
        out.extend_from_slice(node.as_bytes());
        out.extend_from_slice(&epoch.to_be_bytes());
        out.push(u8::from(*way));
        out.extend_from_slice(batch.bytes());
        seal.close(SUBJECT, out)
    }

    /// Reads what came from Redis; `None` for what no hub of this archive wrote.
    pub fn read(seal: &Seal, message: &[u8]) -> Option<Self> {
        if message.len() > MESSAGE_BYTES_MAX {
            return None;
        }
        let bytes = seal.open(SUBJECT, message)?;
        let (previous, rest) = bytes.split_first_chunk()?;
        let (ledger_id, rest) = rest.split_first_chunk()?;
        let (committed_at, rest) = rest.split_first_chunk()?;
        let (node, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (way, batch) = rest.split_first()?;
        let (previous, ledger_id) = (i64::from_be_bytes(*previous), i64::from_be_bytes(*ledger_id));
        let committed = Committed {
            ledger_id,
            committed_at: TaiTime(i64::from_be_bytes(*committed_at)),
            node: Uuid::from_bytes(*node),
            epoch: u32::from_be_bytes(*epoch),
            way: Way::try_from(*way).ok()?,
            batch: SealedBatch::parse(batch.to_vec()).ok()?,
        };
        (previous < ledger_id).then_some(Self { previous, committed })
    }

    /// About what it takes in memory.
    pub(super) fn bytes(committed: &Committed) -> usize {
        size_of::<Self>() + committed.batch.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use delivery::{BatchBuilder, Lane, Position, StoreId};
    use proptest::prelude::*;
    use space_packet::ReceptionTime;

    use super::*;

    fn seal() -> Seal {
        Seal::new(&[7; 32], [9; 8])
    }

    fn handed_over(previous: i64, ledger_id: i64, record: &[u8], way: Way) -> HandedOver {
        let mut builder = BatchBuilder::new("test", "link");
        builder.push(ReceptionTime(TaiTime(5)), record);
        let body = builder.pack().expect("one record");
        let batch = body.seal(Lane::Telemetry, &Position::start(StoreId([1; 16]), Lane::Telemetry));
        let node = Uuid::from_bytes([4; 16]);
        let committed = Committed { ledger_id, committed_at: TaiTime(77), node, epoch: 3, way, batch };
        HandedOver { previous, committed }
    }

    fn assert_same(one: &HandedOver, other: &HandedOver) {
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            previous in 0..i64::MAX - 1000,
            step in 1_i64..1000,
            record in proptest::collection::vec(any::<u8>(), 1..600),
            way in 1_u8..=5,
        ) {
            let way = Way::try_from(way).expect("a way");
            let written = handed_over(previous, previous + step, &record, way);
            let read = HandedOver::read(&seal(), &written.write(&seal())).expect("reads");
            assert_same(&read, &written);
        }

        #[test]
        fn bytes_of_nobody_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(HandedOver::read(&seal(), &bytes).is_none());
        }

        #[test]
        fn sealed_bytes_that_are_no_message_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(HandedOver::read(&seal(), &seal().close(SUBJECT, bytes)).is_none());
        }
    }

    #[test]
    fn a_message_that_was_altered_cut_or_is_of_another_archive_is_refused() {
        let message = handed_over(1, 2, b"record", Way::Live).write(&seal());
        for place in 0..message.len() {
            let mut altered = message.clone();
            altered[place] ^= 0x10;
            assert!(HandedOver::read(&seal(), &altered).is_none(), "byte {place}");
            assert!(HandedOver::read(&seal(), &message[..place]).is_none(), "the first {place} bytes");
        }
        let other = Seal::new(&[7; 32], [8; 8]);
        assert!(HandedOver::read(&other, &message).is_none(), "of another archive");
    }

    #[test]
    fn a_message_that_is_too_long_or_comes_before_itself_is_refused() {
        let long = seal().close(SUBJECT, vec![0; MESSAGE_BYTES_MAX]);
        assert!(HandedOver::read(&seal(), &long).is_none());
        let backwards = handed_over(2, 2, b"record", Way::Live).write(&seal());
        assert!(HandedOver::read(&seal(), &backwards).is_none());
    }
}
