//! Bugs built in on purpose: where a driver or a model asks whether it is to be wrong.

/// A bug of a driver or of the database's rules; those of the machines themselves are [`delivery::Mutation`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DriverMutation {
    AckBeforeCommit,
    BeforeNotCompared,
    BootCheckOff,
    ChainAtGapGuessed,
    CommitUnknownGuessed,
    EpochReused,
    FenceSkipped,
    GapBeyondWanted,
    KeptBeforeReplicated,
    NumberReusedAfterRestart,
    OtherHashDropped,
    ProducerAckedBeforeSync,
    ProofIgnored,
    PruneAtAck,
    RevokedAdmitted,
    SafeIgnoresReplica,
    UnsyncedSent,
}

#[cfg(not(feature = "mutations"))]
pub(crate) const fn mutated(_: DriverMutation) -> bool {
    false
}

#[cfg(feature = "mutations")]
pub(crate) use active::mutated;

#[cfg(feature = "mutations")]
pub use active::Bug;

#[cfg(feature = "mutations")]
mod active {
    use std::cell::Cell;

    use super::DriverMutation;

    thread_local! {
        static ACTIVE: Cell<Option<DriverMutation>> = const { Cell::new(None) };
    }

    pub(crate) fn mutated(mutation: DriverMutation) -> bool {
        ACTIVE.get() == Some(mutation)
    }

    /// Any bug there is.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum Bug {
        /// Of the machines.
        Core(delivery::Mutation),
        /// Of what drives them.
        Driver(DriverMutation),
    }

    impl Bug {
        /// All of them.
        pub fn all() -> Vec<Self> {
            use DriverMutation as Driver;
            let drivers = [
                Driver::AckBeforeCommit,
                Driver::BeforeNotCompared,
                Driver::BootCheckOff,
                Driver::ChainAtGapGuessed,
                Driver::CommitUnknownGuessed,
                Driver::EpochReused,
                Driver::FenceSkipped,
                Driver::GapBeyondWanted,
                Driver::KeptBeforeReplicated,
                Driver::NumberReusedAfterRestart,
                Driver::OtherHashDropped,
                Driver::ProducerAckedBeforeSync,
                Driver::ProofIgnored,
                Driver::PruneAtAck,
                Driver::RevokedAdmitted,
                Driver::SafeIgnoresReplica,
                Driver::UnsyncedSent,
            ];
            let core = delivery::Mutation::ALL.into_iter().map(Self::Core);
            core.chain(drivers.into_iter().map(Self::Driver)).collect()
        }

        /// Its name.
        pub fn name(self) -> String {
            match self {
                Self::Core(mutation) => format!("{mutation:?}"),
                Self::Driver(mutation) => format!("{mutation:?}"),
            }
        }

        /// From now on this thread has this bug, or none.
        pub fn activate(bug: Option<Self>) {
            let (core, driver) = match bug {
                Some(Self::Core(mutation)) => (Some(mutation), None),
                Some(Self::Driver(mutation)) => (None, Some(mutation)),
                None => (None, None),
            };
            delivery::activate(core);
            ACTIVE.set(driver);
        }
    }
}
