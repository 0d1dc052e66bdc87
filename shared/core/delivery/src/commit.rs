//! Which of the batches that wait at the hub may go into one transaction, and how their lanes stand after it.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{Ranges, SealedBatch, SessionNumber, Span};

/// What to do with a batch of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommitVerdict {
    /// It does not fit what is committed of its lane and waits before it: its session must end.
    Broken,
    /// It goes into the transaction.
    Commit,
    /// A newer session of its lane is in the group: its session must end.
    Superseded,
}

/// How a lane changes by a transaction: only where session and `before` are still as the database has them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LaneChange {
    /// The session that has the lane.
    pub session: SessionNumber,
    /// What was committed.
    pub before: Ranges,
    /// What is committed after it.
    pub after: Ranges,
}

/// A group that was judged.
#[derive(Clone, Debug)]
pub struct JudgedGroup<K> {
    /// Of each batch, in the order of the group.
    pub verdicts: Vec<CommitVerdict>,
    /// The lanes that change.
    pub lanes: HashMap<K, LaneChange>,
}

/// Judges a group: for each batch its lane, its session, and itself. `standing` says what is committed of a lane as
/// that session knows it.
///
/// Of each lane only the newest session counts, and of that only what fits: then one condition on the lane's row
/// speaks for all of them.
pub fn judge_group<K: Copy + Eq + Hash>(
    group: &[(K, SessionNumber, &SealedBatch)],
    standing: impl Fn(K, SessionNumber) -> Ranges,
) -> JudgedGroup<K> {
    let mut newest: HashMap<K, SessionNumber> = HashMap::new();
    for &(lane, session, _) in group {
        newest.entry(lane).and_modify(|known| *known = session.max(*known)).or_insert(session);
    }
    let mut lanes: HashMap<K, (LaneChange, bool)> = HashMap::new();
    let verdicts = group
        .iter()
        .map(|&(lane, session, batch)| {
            if newest.get(&lane) != Some(&session) {
                return CommitVerdict::Superseded;
            }
            let (change, is_broken) = lanes.entry(lane).or_insert_with(|| {
                let before = standing(lane, session);
                (LaneChange { session, after: before.clone(), before }, false)
            });
            // After a break nothing of the lane can be right.
            *is_broken = *is_broken || change.after.insert(Span::of(batch)).is_err();
            if *is_broken { CommitVerdict::Broken } else { CommitVerdict::Commit }
        })
        .collect();
    let changed = lanes.into_iter().filter(|(_, (change, _))| change.after != change.before);
    JudgedGroup { verdicts, lanes: changed.map(|(lane, (change, _))| (lane, change)).collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use space_packet::{ReceptionTime, TaiTime};

    use super::*;
    use crate::{BatchBuilder, ChainHash, Lane, Position, StoreId};

    const STORE: StoreId = StoreId([1; 16]);

    fn chain(count: u8) -> Vec<SealedBatch> {
        let mut position = Position::start(STORE, Lane::Telemetry);
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

    fn empty() -> Ranges {
        Ranges::up_to(0, ChainHash::of_store(STORE, Lane::Telemetry))
    }

    use CommitVerdict::{Broken, Commit, Superseded};

    #[test]
    fn an_old_session_gives_way_to_the_new_one_wherever_it_stands() {
        let batches = chain(2);
        let group = [
            ('a', SessionNumber(1), &batches[0]),
            ('a', SessionNumber(2), &batches[0]),
            ('a', SessionNumber(1), &batches[1]),
            ('b', SessionNumber(1), &batches[0]),
        ];
        let judged = judge_group(&group, |_, _| empty());
        assert_eq!(judged.verdicts, [Superseded, Commit, Superseded, Commit]);
        assert_eq!(judged.lanes[&'a'].session, SessionNumber(2));
        assert_eq!(judged.lanes[&'b'].after.watermark(), 1);
    }

    #[test]
    fn live_data_and_backlog_of_a_lane_go_into_one_transaction() {
        let batches = chain(4);
        let group: Vec<_> = [0, 3, 1].map(|index| ('a', SessionNumber(1), &batches[index])).into();
        let judged = judge_group(&group, |_, _| empty());
        assert_eq!(judged.verdicts, [Commit, Commit, Commit]);
        let after = &judged.lanes[&'a'].after;
        assert_eq!((after.watermark(), after.end()), (2, 4));
    }

    #[test]
    fn nothing_of_a_lane_is_committed_behind_what_does_not_fit() {
        let batches = chain(4);
        let group: Vec<_> = [0, 0, 1].map(|index| ('a', SessionNumber(1), &batches[index])).into();
        let judged = judge_group(&group, |_, _| empty());
        assert_eq!(judged.verdicts, [Commit, Broken, Broken]);
        assert_eq!(judged.lanes[&'a'].after.watermark(), 1);
        let nothing = judge_group(&group[1..2], |_, _| judged.lanes[&'a'].after.clone());
        assert_eq!((nothing.verdicts, nothing.lanes.len()), (vec![Broken], 0));
    }

    proptest! {
        /// The transaction's condition: a lane moves if its session is the open one and it stands as was expected.
        #[test]
        fn whatever_waits_each_batch_is_committed_once(
            steps in proptest::collection::vec((0usize..3, 0usize..40, any::<bool>()), 0..80),
        ) {
            let batches = chain(40);
            let (mut open, mut committed, mut ledger) = (SessionNumber(1), empty(), Vec::new());
            // What each session believes to be committed, and what waits.
            let mut beliefs = HashMap::from([(open, committed.clone())]);
            let mut waiting: Vec<(SessionNumber, usize)> = Vec::new();
            for (kind, index, is_old) in steps {
                match kind {
                    0 => {
                        open = SessionNumber(open.0 + 1);
                        beliefs.insert(open, committed.clone());
                    }
                    1 => {
                        let session = if is_old { SessionNumber(1 + index as u64 % open.0) } else { open };
                        waiting.push((session, index));
                    }
                    _ => {
                        let group: Vec<_> =
                            waiting.iter().map(|&(session, index)| ((), session, &batches[index])).collect();
                        let judged = judge_group(&group, |(), session| beliefs[&session].clone());
                        if let Some(change) = judged.lanes.get(&())
                            && change.session == open
                            && change.before == committed
                        {
                            committed = change.after.clone();
                            beliefs.insert(open, committed.clone());
                            let fit = judged.verdicts.iter().zip(&waiting);
                            ledger.extend(fit.filter(|(verdict, _)| **verdict == Commit).map(|(_, &(_, index))| index));
                        }
                        waiting.clear();
                    }
                }
            }
            let mut held: Vec<usize> = (0..40).filter(|&index| committed.holds(index as u64 + 1)).collect();
            ledger.sort_unstable();
            held.sort_unstable();
            prop_assert_eq!(ledger, held);
        }
    }
}
