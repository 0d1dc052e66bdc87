//! What a seed decides beforehand: how large the world is, and which faults it has, how often (a swarm: each seed
//! another subset, so that rare faults are not drowned by frequent ones).

use std::time::Duration;

use crate::random::Random;

/// Something that goes wrong, or that somebody does.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Fault {
    BitFlip,
    Blackout,
    Clone,
    ClockJump,
    CommitLate,
    CommitUnknown,
    DatabaseFailover,
    DatabaseRefuses,
    DatabaseRestored,
    DatabaseSlow,
    DiskFull,
    EdgeKilled,
    Eviction,
    HalfOpen,
    Hostile,
    HubKilled,
    HubStopped,
    ImageRolledBack,
    Import,
    LinkCut,
    Policy,
    PowerCut,
    PowerCutLyingDisk,
    ReImage,
    Revocation,
    Salvage,
    SendFirst,
    Stall,
    SyncError,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 29] = [
        Self::BitFlip,
        Self::Blackout,
        Self::Clone,
        Self::ClockJump,
        Self::CommitLate,
        Self::CommitUnknown,
        Self::DatabaseFailover,
        Self::DatabaseRefuses,
        Self::DatabaseRestored,
        Self::DatabaseSlow,
        Self::DiskFull,
        Self::EdgeKilled,
        Self::Eviction,
        Self::HalfOpen,
        Self::Hostile,
        Self::HubKilled,
        Self::HubStopped,
        Self::ImageRolledBack,
        Self::Import,
        Self::LinkCut,
        Self::Policy,
        Self::PowerCut,
        Self::PowerCutLyingDisk,
        Self::ReImage,
        Self::Revocation,
        Self::Salvage,
        Self::SendFirst,
        Self::Stall,
        Self::SyncError,
    ];

    /// One word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::BitFlip => "bit-flip",
            Self::Blackout => "blackout",
            Self::Clone => "clone",
            Self::ClockJump => "clock-jump",
            Self::CommitLate => "commit-late",
            Self::CommitUnknown => "commit-unknown",
            Self::DatabaseFailover => "database-failover",
            Self::DatabaseRefuses => "database-refuses",
            Self::DatabaseRestored => "database-restored",
            Self::DatabaseSlow => "database-slow",
            Self::DiskFull => "disk-full",
            Self::EdgeKilled => "edge-killed",
            Self::Eviction => "eviction",
            Self::HalfOpen => "half-open",
            Self::Hostile => "hostile",
            Self::HubKilled => "hub-killed",
            Self::HubStopped => "hub-stopped",
            Self::ImageRolledBack => "image-rolled-back",
            Self::Import => "import",
            Self::LinkCut => "link-cut",
            Self::Policy => "policy",
            Self::PowerCut => "power-cut",
            Self::PowerCutLyingDisk => "power-cut-lying-disk",
            Self::ReImage => "re-image",
            Self::Revocation => "revocation",
            Self::Salvage => "salvage",
            Self::SendFirst => "send-first",
            Self::Stall => "stall",
            Self::SyncError => "sync-error",
        }
    }
}

/// The plan of a seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub nodes: usize,
    pub hubs: usize,
    /// How long faults last.
    pub troubled: Duration,
    /// All faults, and afterwards nothing has to converge.
    pub is_unrestricted: bool,
    pub faults: Vec<Fault>,
    /// From one fault to the next, on average.
    pub fault_every: Duration,
    pub latency: Duration,
    pub jitter_ms: u64,
    pub idle_timeout: Duration,
    pub produce_every_ms: u64,
    pub alarm_every_ms: u64,
    pub records_max: u64,
    pub sync_ms: u64,
    pub reserved_at_once: u64,
    /// Batches kept behind what is safe, for local history.
    pub kept: u64,
    pub credit_telemetry: u64,
    pub credit_alarm: u64,
    pub hub_memory: u64,
    pub backfill_after_ms: u32,
    pub database_ms: u64,
    pub replica_ms: u64,
}

/// The bytes a batch has at most in a world: a session's way may exceed its credit by one.
pub(crate) const BATCH_BYTES: u64 = 2_048;

impl Plan {
    /// What a seed decides.
    pub(crate) fn draw(random: &mut Random, seed: u64) -> Self {
        let is_unrestricted = seed % 10 == 9;
        let share = [15, 30, 60][random.below(3) as usize];
        let mut faults: Vec<Fault> = Fault::ALL.to_vec();
        if !is_unrestricted {
            faults.retain(|_| random.percent(share));
            if faults.is_empty() {
                faults.push(Fault::LinkCut);
            }
        }
        let nodes = random.between(1, 6);
        let credit_telemetry = random.between(2_000, 20_000);
        let credit_alarm = 4_096;
        let of_session = credit_telemetry + credit_alarm + 2 * BATCH_BYTES;
        let latency_max_ms = [10, 60, 300][random.below(3) as usize];
        // Sometimes there is not room for all at once.
        let places = nodes + random.between(0, nodes + 1);
        Self {
            nodes: nodes as usize,
            hubs: random.between(1, 2) as usize,
            troubled: random.millis(15_000, 45_000),
            is_unrestricted,
            faults,
            fault_every: random.millis(300, 4_000),
            latency: random.millis(1, latency_max_ms),
            jitter_ms: [0, 5, 80][random.below(3) as usize],
            idle_timeout: random.millis(2_000, 5_000),
            produce_every_ms: nodes * random.between(150, 500),
            alarm_every_ms: nodes * random.between(1_000, 4_000),
            records_max: random.between(1, 4),
            sync_ms: random.between(1, 40),
            reserved_at_once: random.between(2, 24),
            kept: [0, 0, 10][random.below(3) as usize],
            credit_telemetry,
            credit_alarm,
            hub_memory: places * of_session,
            backfill_after_ms: [0, 0, 500][random.below(3) as usize],
            database_ms: random.between(1, 30),
            replica_ms: [1, 100, 1_500][random.below(3) as usize],
        }
    }
}
