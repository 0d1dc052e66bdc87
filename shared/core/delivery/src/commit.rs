//! Which of the batches that wait at the hub may go into one transaction.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{SealedBatch, SessionNumber};

/// What to do with a batch of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommitVerdict {
    /// It does not continue the batch of its lane before it in the group: its session must end.
    Broken,
    /// It goes into the transaction.
    Commit,
    /// A newer session of its lane is in the group: its session must end.
    Superseded,
}

/// Judges a group: for each batch its lane, its session, and itself.
///
/// Of each lane only the newest session counts, and of that only an unbroken run: then one condition on the lane's
/// row, "the watermark is the first one's predecessor", speaks for all of them.
pub fn judge_group<K: Copy + Eq + Hash>(group: &[(K, SessionNumber, &SealedBatch)]) -> Vec<CommitVerdict> {
    let mut newest: HashMap<K, SessionNumber> = HashMap::new();
    for &(lane, session, _) in group {
        newest.entry(lane).and_modify(|known| *known = session.max(*known)).or_insert(session);
    }
    let mut ends: HashMap<K, Option<&SealedBatch>> = HashMap::new();
    group
        .iter()
        .map(|&(lane, session, batch)| {
            if newest.get(&lane) != Some(&session) {
                return CommitVerdict::Superseded;
            }
            let continues = match ends.get(&lane) {
                None => true,
                Some(None) => false,
                Some(Some(before)) => {
                    let end = before.position();
                    batch.header.first_sequence().0 == end.number() + 1 && batch.previous == end.hash
                }
            };
            // After a break nothing of the lane can be right: `None` marks it.
            ends.insert(lane, continues.then_some(batch));
            if continues { CommitVerdict::Commit } else { CommitVerdict::Broken }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use space_packet::{ReceptionTime, TaiTime};

    use super::*;
    use crate::{BatchBuilder, Lane, Position, StoreId};

    fn chain(count: u8) -> Vec<SealedBatch> {
        let mut position = Position::start(StoreId([1; 16]), Lane::Telemetry);
        (0..count)
            .map(|number| {
                let mut builder = BatchBuilder::new("demo", "antenna");
                builder.push(ReceptionTime(TaiTime(i64::from(number))), &[number; 8]);
                let batch = builder.pack().expect("one record").seal(Lane::Telemetry, &position);
                position = batch.position();
                batch
            })
            .collect()
    }

    #[test]
    fn an_old_session_gives_way_to_the_new_one_wherever_it_stands() {
        let batches = chain(2);
        let group = [
            ('a', SessionNumber(1), &batches[0]),
            ('a', SessionNumber(2), &batches[0]),
            ('a', SessionNumber(1), &batches[1]),
            ('b', SessionNumber(1), &batches[0]),
        ];
        use CommitVerdict::{Commit, Superseded};
        assert_eq!(judge_group(&group), [Superseded, Commit, Superseded, Commit]);
    }

    #[test]
    fn nothing_of_a_lane_is_committed_behind_a_hole() {
        let batches = chain(4);
        let group: Vec<_> = [0, 2, 3].map(|index| ('a', SessionNumber(1), &batches[index])).into();
        use CommitVerdict::{Broken, Commit};
        assert_eq!(judge_group(&group), [Commit, Broken, Broken]);
    }

    proptest! {
        /// The transaction's condition: a lane moves if its session is the open one and its watermark the expected one.
        #[test]
        fn whatever_waits_each_batch_is_committed_once_and_in_order(
            steps in proptest::collection::vec((0usize..3, 0usize..8, any::<bool>()), 0..60),
        ) {
            let batches = chain(40);
            let (mut open, mut watermark, mut ledger) = (SessionNumber(1), 0_usize, Vec::new());
            // Where each session stands, and what waits.
            let mut next = std::collections::HashMap::from([(open, 0_usize)]);
            let mut waiting: Vec<(SessionNumber, usize)> = Vec::new();
            for (kind, count, drops) in steps {
                match kind {
                    0 => {
                        open = SessionNumber(open.0 + 1);
                        next.insert(open, watermark);
                    }
                    1 => {
                        let sessions: Vec<_> = next.keys().copied().collect();
                        let session = sessions[count % sessions.len()];
                        let place = next.get_mut(&session).expect("is there");
                        // A queue that loses a batch now and then must not lose it from the ledger's order.
                        *place += usize::from(drops);
                        for _ in 0..count {
                            if *place < batches.len() {
                                waiting.push((session, *place));
                                *place += 1;
                            }
                        }
                    }
                    _ => {
                        let group: Vec<_> = waiting.iter().map(|&(session, index)| ((), session, &batches[index])).collect();
                        let run: Vec<usize> = judge_group(&group)
                            .into_iter()
                            .zip(&waiting)
                            .filter(|(verdict, _)| *verdict == CommitVerdict::Commit)
                            .map(|(_, &(_, index))| index)
                            .collect();
                        let newest = waiting.iter().map(|&(session, _)| session).max();
                        if newest == Some(open) && run.first() == Some(&watermark) {
                            watermark += run.len();
                            ledger.extend(run);
                        }
                        waiting.clear();
                    }
                }
            }
            prop_assert_eq!(ledger, (0..watermark).collect::<Vec<_>>());
        }
    }
}
