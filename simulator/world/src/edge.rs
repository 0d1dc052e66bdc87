//! A node's machine: its disk, what comes in, and the process that drives [`delivery::Outbox`] as
//! `edge-node/src/forwarding` does.

mod forwarding;

use std::collections::BTreeMap;
use std::time::Duration;

use delivery::{
    BacklogPolicy, BatchBuilder, BatchSequence, BootId, LOGS_MAX, Lane, LogRole, Outbox, Packer, StoreId,
};
use space_packet::{ReceptionTime, TaiTime};

use crate::context::{Context, Event};
use crate::hub::MISSION;
use crate::journal::Journal;
use crate::mutation::{DriverMutation, mutated};
use crate::network::Side;
use crate::trace::Who;
use forwarding::Link;

/// A machine, perhaps a clone of another.
pub(crate) struct Machine {
    pub index: usize,
    pub node: usize,
    pub disk: Vec<Journal>,
    pub process: Option<Process>,
    pub run: u64,
    /// Switched off for ever.
    pub is_removed: bool,
    /// The hub says that another machine runs under its identity.
    pub(crate) is_called_duplicate: bool,
    /// A copy of the disk from before.
    pub image: Option<Vec<Journal>>,
    pub full_until: Duration,
    pub is_sync_failing: bool,
    /// How far its clock is off.
    pub clock_ns: i64,
    clock_set: Duration,
    pub policy: BacklogPolicy,
    packer: Packer,
    serials: u64,
}

/// A run of the node's process.
#[derive(Debug)]
pub(crate) struct Process {
    boot: BootId,
    pub outbox: Outbox,
    pub link: Link,
    /// Records in batches that are not durable.
    waiting: Vec<u64>,
    is_sync_due: bool,
}

impl Machine {
    pub(crate) fn new(index: usize, node: usize) -> Self {
        Self {
            index,
            node,
            disk: Vec::new(),
            process: None,
            run: 0,
            is_removed: false,
            is_called_duplicate: false,
            image: None,
            full_until: Duration::ZERO,
            is_sync_failing: false,
            clock_ns: 0,
            clock_set: Duration::ZERO,
            policy: BacklogPolicy::default(),
            packer: Packer::default(),
            serials: 0,
        }
    }

    pub(crate) fn who(&self) -> Who {
        Who::Machine(self.index)
    }

    /// Adds an empty journal for what comes in from now on.
    pub(crate) fn begin_journal(&mut self, context: &mut Context, lane: Lane) {
        let store = StoreId(context.random.bytes());
        self.disk.push(Journal::new(store, lane, context.plan.reserved_at_once));
    }

    /// Starts the process: the disk is as it is, and the process makes the best of it.
    pub(crate) fn start(&mut self, context: &mut Context) {
        if self.process.is_some() || self.is_removed {
            return;
        }
        for lane in [Lane::Alarm, Lane::Telemetry] {
            if !self.disk.iter().any(|journal| journal.lane == lane && journal.role == LogRole::Current) {
                self.begin_journal(context, lane);
            }
        }
        for journal in &mut self.disk {
            journal.recover();
            if !journal.is_whole() {
                context
                    .checks
                    .fail("I17", format_args!("a recovered journal has a hole: {:?}", journal.store));
            }
        }
        self.is_called_duplicate = false;
        self.run += 1;
        let boot = BootId(context.random.bytes());
        let outbox = self.outbox(context);
        let link = Link::new(context.random.below(context.plan.hubs as u64) as usize);
        self.process = Some(Process { boot, outbox, link, waiting: Vec::new(), is_sync_due: false });
        let heads: Vec<_> = self
            .disk
            .iter()
            .map(|journal| {
                (journal.store.0[0], journal.lane, journal.role, journal.pruned(), journal.durable())
            })
            .collect();
        context.say(self.who(), format_args!("starts with {heads:?}"));
        let delay = context.random.millis(0, 500);
        context.after(delay, Event::Connect { machine: self.index, run: self.run });
        context.after(delay * 2, Event::TimeAsk { machine: self.index, run: self.run });
    }

    /// The forwarding state of what lies on the disk. Where there are too many journals, some wait for their turn.
    fn outbox(&self, context: &Context) -> Outbox {
        let mut outbox = Outbox::default();
        let mut places =
            LOGS_MAX - self.disk.iter().filter(|journal| journal.role == LogRole::Current).count();
        for journal in &self.disk {
            if journal.role != LogRole::Current {
                if places == 0 {
                    continue;
                }
                places -= 1;
            }
            let (head, acknowledged) = (journal.durable_head(), journal.acknowledged());
            // Older journals first: so their epochs are older too.
            outbox.add_log(journal.store, journal.lane, journal.role, head, acknowledged);
        }
        outbox.set_policy(self.policy, context.now);
        outbox
    }

    /// Ends the process without a word. Of what was appended and not synced some may be there all the same.
    pub(crate) fn kill(&mut self, context: &mut Context, torn: bool) {
        let Some(process) = self.process.take() else { return };
        self.run += 1;
        if let Some(connection) = process.link.connection {
            context.vanish(connection, Side::Edge);
        }
        for journal in &mut self.disk {
            let kept = journal.durable() + context.random.between(0, journal.unsynced());
            journal.lose_after(kept, torn);
        }
        context.say(self.who(), format_args!("is down"));
    }

    /// Sets the clock.
    pub(crate) fn set_clock(&mut self, context: &mut Context, clock_ns: i64) {
        (self.clock_ns, self.clock_set) = (clock_ns, context.now);
        if let Some(process) = &mut self.process {
            process.link.clock = delivery::ClockComparison::default();
        }
        context.say(self.who(), format_args!("has its clock set {clock_ns} ns off"));
    }

    /// This machine's clock.
    pub(crate) fn time(&self, context: &Context) -> TaiTime {
        TaiTime(1_700_000_000_000_000_000 + context.now.as_nanos() as i64 + self.clock_ns)
    }

    /// Records come in. Who sent them is told only when they are durable.
    pub(crate) fn produce(&mut self, context: &mut Context, lane: Lane, records: u64) {
        let now = ReceptionTime(self.time(context));
        let Some(process) = &mut self.process else { return };
        if self.full_until > context.now {
            return;
        }
        let current = |journal: &&mut Journal| journal.lane == lane && journal.role == LogRole::Current;
        let Some(journal) = self.disk.iter_mut().find(current) else { return };
        let mut builder = BatchBuilder::new(MISSION, "antenna");
        let mut serials = Vec::new();
        for _ in 0..records {
            self.serials += 1;
            let serial = (self.index as u64) << 40 | u64::from(u8::from(lane)) << 36 | self.serials;
            let mut record = serial.to_be_bytes().to_vec();
            record.resize(8 + context.random.below(120) as usize, serial as u8);
            builder.push(now, &record);
            serials.push(serial);
        }
        let Some(body) = builder.pack_with(&mut self.packer) else { return };
        let batch = journal.append(body);
        context.checks.on_sealed(self.node, journal.store, &batch, &serials);
        if mutated(DriverMutation::UnsyncedSent) {
            process.outbox.on_appended(journal.store, Some(batch.header.sequence));
        }
        if mutated(DriverMutation::ProducerAckedBeforeSync) {
            context.checks.on_produced(&serials, context.now);
        }
        process.waiting.extend(serials);
        if !std::mem::replace(&mut process.is_sync_due, true) {
            let delay = context.random.millis(1, context.plan.sync_ms);
            context.after(delay, Event::Sync { machine: self.index, run: self.run });
        }
    }

    /// What was appended becomes durable, or the disk fails: then nobody knows what is there, and the node stops.
    pub(crate) fn sync(&mut self, context: &mut Context) {
        if std::mem::take(&mut self.is_sync_failing) {
            context.say(self.who(), format_args!("cannot sync its disk"));
            self.kill(context, true);
            let delay = context.random.millis(200, 2_000);
            return context.after(delay, Event::Start { machine: self.index });
        }
        let Some(process) = &mut self.process else { return };
        process.is_sync_due = false;
        for journal in &mut self.disk {
            journal.sync();
            process.outbox.on_appended(journal.store, journal.durable_head());
        }
        context.checks.on_produced(&std::mem::take(&mut process.waiting), context.now);
        self.pump(context);
    }

    /// Numbers that the hub does not safely have, of all journals.
    pub(crate) fn left(&self) -> BTreeMap<StoreId, u64> {
        let Some(process) = &self.process else { return BTreeMap::new() };
        let left = self.disk.iter().map(|journal| {
            let safe = process.outbox.safe(journal.store);
            (
                journal.store,
                journal.durable().saturating_sub(safe) + u64::from(journal.role != LogRole::Current),
            )
        });
        left.filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) fn set_policy(&mut self, context: &mut Context, policy: BacklogPolicy) {
        self.policy = policy;
        context.say(self.who(), format_args!("is told {policy:?}"));
        if let Some(process) = &mut self.process {
            process.outbox.set_policy(policy, context.now);
        }
        self.pump(context);
    }

    /// The hub wants some of the current telemetry first; false when there is nobody to ask.
    pub(crate) fn send_first(&mut self, context: &mut Context) -> bool {
        let is_current =
            |journal: &&Journal| journal.role == LogRole::Current && journal.lane == Lane::Telemetry;
        let (Some(process), Some(journal)) = (&mut self.process, self.disk.iter().find(is_current)) else {
            return false;
        };
        let first = context.random.between(1, journal.durable() + 1);
        let last = first + context.random.below(40);
        let is_kept = process.outbox.send_first(journal.store, BatchSequence(first), BatchSequence(last));
        context.say(Who::Machine(self.index), format_args!("is asked for {first} to {last} first"));
        self.pump(context);
        is_kept
    }

    /// What is on the disk of another begins a life of its own here.
    pub(crate) fn copy_of(&self, index: usize) -> Self {
        Self { disk: self.disk.clone(), policy: self.policy, ..Self::new(index, self.node) }
    }
}
