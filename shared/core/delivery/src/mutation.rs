//! Bugs built in on purpose, for `world mutate`: a simulation that does not find them would not find others either.

/// A bug of the protocol, asked for where it would sit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mutation {
    /// An outbox takes the end of the last range for the watermark.
    AckRangesAsWatermark,
    /// Alarms go when nothing else does.
    AlarmBehindBacklog,
    /// A lane's chain is not compared where spans join.
    ChainNotCompared,
    /// An outbox sends without credit.
    CreditIgnored,
    /// Batches of a forked journal count as committed where their numbers are.
    ForkedNumbersTrusted,
    /// The first batch behind the split is left out.
    LiveSkipsAtSplit,
    /// What was on its way when a session was lost is not sent again.
    ResendLost,
    /// What is committed counts as safe.
    SafeAboveCommitted,
    /// More spans than there may be.
    TooManyRanges,
}

#[cfg(not(feature = "mutations"))]
pub(crate) const fn mutated(_: Mutation) -> bool {
    false
}

#[cfg(feature = "mutations")]
pub use active::activate;
#[cfg(feature = "mutations")]
pub(crate) use active::mutated;

#[cfg(feature = "mutations")]
mod active {
    use std::cell::Cell;

    use super::Mutation;

    thread_local! {
        static ACTIVE: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// From now on this thread has this bug, or none.
    pub fn activate(mutation: Option<Mutation>) {
        ACTIVE.set(mutation);
    }

    pub(crate) fn mutated(mutation: Mutation) -> bool {
        ACTIVE.get() == Some(mutation)
    }

    impl Mutation {
        /// All of them.
        pub const ALL: [Self; 9] = [
            Self::AckRangesAsWatermark,
            Self::AlarmBehindBacklog,
            Self::ChainNotCompared,
            Self::CreditIgnored,
            Self::ForkedNumbersTrusted,
            Self::LiveSkipsAtSplit,
            Self::ResendLost,
            Self::SafeAboveCommitted,
            Self::TooManyRanges,
        ];
    }
}
