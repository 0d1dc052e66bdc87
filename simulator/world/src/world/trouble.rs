//! What goes wrong, and what people do; and how it all ends.

use std::time::Duration;

use delivery::{BacklogPolicy, BootId, Lane, LogHead, LogRole, Order, StoreId};

use super::World;
use crate::context::Event;
use crate::database::Tables;
use crate::hub::{Bundle, HOSTILE, Origin};
use crate::network::Side;
use crate::plan::Fault;
use crate::trace::Who;

impl World {
    /// One of the seed's faults, and when the next one comes.
    pub(super) fn trouble(&mut self) {
        if self.calm_since.is_some() {
            return;
        }
        let every = self.context.plan.fault_every.as_millis() as u64;
        let delay = self.context.random.millis(1, 2 * every);
        self.context.after(delay, Event::Fault);
        let count = self.context.plan.faults.len();
        let Some(place) = self.context.random.index(count) else { return };
        let fault = self.context.plan.faults[place];
        let Some(machine) = self.context.random.index(self.machines.len()) else { return };
        if self.inject(fault, machine) {
            *self.context.injected.entry(fault).or_default() += 1;
            self.context.say(Who::World, format_args!("{} (machine {machine})", fault.word()));
        }
    }

    /// Says whether it could happen.
    fn inject(&mut self, fault: Fault, machine: usize) -> bool {
        match fault {
            Fault::Blackout | Fault::HalfOpen | Fault::LinkCut | Fault::Stall => {
                self.inject_at_link(fault, machine)
            }
            Fault::CommitLate
            | Fault::CommitUnknown
            | Fault::DatabaseFailover
            | Fault::DatabaseRefuses
            | Fault::DatabaseRestored
            | Fault::DatabaseSlow
            | Fault::Hostile
            | Fault::HubKilled
            | Fault::HubStopped
            | Fault::Import
            | Fault::Revocation => self.inject_at_hub(fault, machine),
            _ if self.machines[machine].is_removed => false,
            _ => self.inject_at_machine(fault, machine),
        }
    }

    fn inject_at_link(&mut self, fault: Fault, machine: usize) -> bool {
        let context = &mut self.context;
        let Some(hub) = context.random.index(self.hubs.len()) else { return false };
        let idle = context.plan.idle_timeout;
        let way = [Side::Edge, Side::Hub][context.random.below(2) as usize];
        match fault {
            Fault::Blackout => {
                let pause = context.random.millis(500, 12_000);
                (0..self.hubs.len())
                    .for_each(|hub| context.block(machine, hub, &[Side::Edge, Side::Hub], pause));
            }
            Fault::HalfOpen => {
                let pause = idle + context.random.millis(100, 3_000);
                context.block(machine, hub, &[way], pause);
            }
            Fault::Stall => {
                let pause = context.random.millis(50, 1_500);
                context.block(machine, hub, &[way], pause);
            }
            _ => {
                let open = context.network.open_between(machine, hub);
                let Some(connection) = open.last().copied() else { return false };
                let early = context.random.millis(0, 200);
                let late = context.random.millis(0, idle.as_millis() as u64);
                context.after(early, Event::Lost { connection, side: Side::Edge });
                context.after(late, Event::Lost { connection, side: Side::Hub });
            }
        }
        true
    }

    fn inject_at_hub(&mut self, fault: Fault, machine: usize) -> bool {
        let Some(index) = self.context.random.index(self.hubs.len()) else { return false };
        let now = self.context.now;
        let (context, database) = (&mut self.context, &mut self.database);
        database.settle(now, &mut context.checks);
        match fault {
            Fault::CommitLate => database.late += 1,
            Fault::CommitUnknown => database.unknown += context.random.between(1, 3) as u32,
            Fault::DatabaseFailover => {
                database.fail_over();
                database.refuses_until = now + context.random.millis(100, 3_000);
            }
            Fault::DatabaseRefuses => database.refuses_until = now + context.random.millis(100, 4_000),
            Fault::DatabaseRestored => {
                let before = database.tables.clone();
                if database.back_up_or_restore() {
                    self.has_restored = true;
                    self.excuse_lost_by_restore(&before);
                }
            }
            Fault::DatabaseSlow => database.slow_until = now + context.random.millis(200, 4_000),
            Fault::Hostile => {
                let log = LogHead {
                    lane: Lane::Telemetry,
                    store: StoreId([0xee; 16]),
                    head: Some(delivery::BatchSequence(u64::MAX)),
                    is_forked: context.random.percent(20),
                };
                let boot = Some(BootId(context.random.bytes()));
                let hub = &mut self.hubs[index];
                if !hub.is_up {
                    return false;
                }
                hub.open(context, database, Origin::Hostile, HOSTILE, boot, vec![log]);
            }
            Fault::HubKilled | Fault::HubStopped => {
                let hub = &mut self.hubs[index];
                if !hub.is_up {
                    return false;
                }
                if fault == Fault::HubKilled {
                    hub.kill(context);
                } else {
                    hub.stop_orderly(context);
                }
                let delay = context.random.millis(100, 4_000);
                context.after(delay, Event::HubStart { hub: index });
            }
            Fault::Revocation => {
                let node = context.nodes[machine];
                let is_revoked = database.tables.nodes.get(&node).is_some_and(|row| row.is_revoked);
                let due = now + Duration::from_millis(context.plan.replica_ms);
                database.set_revoked(node, !is_revoked, due);
            }
            _ => return self.export(machine),
        }
        true
    }

    /// Of what a restored database lost, nobody can send or declare again what no journal remembers.
    fn excuse_lost_by_restore(&mut self, before: &Tables) {
        let kept = &self.database.tables;
        let checks = &mut self.context.checks;
        let is_there = |store: &StoreId| {
            let journals = self.machines.iter().filter(|machine| !machine.is_removed);
            journals.flat_map(|machine| &machine.disk).any(|journal| journal.store == *store)
        };
        // Of copies the one that had a batch may be gone, while the other still has a journal of that name.
        let may_fork = checks.may_fork.clone();
        let is_gone = |node: &usize, store: &StoreId| !is_there(store) || may_fork.contains(node);
        let stores = before.stores.iter().filter(|((node, store), _)| is_gone(node, store));
        for ((node, store), epoch) in stores {
            let is_of = |key: &crate::database::LaneKey| key.node == *node && key.epoch == epoch.0;
            let lost = before
                .ledger
                .iter()
                .filter(|(key, _)| is_of(&key.0) && !kept.ledger.contains_key(key))
                .count()
                + before
                    .quarantine
                    .keys()
                    .filter(|key| is_of(&key.0) && !kept.quarantine.contains_key(key))
                    .count();
            if lost > 0 {
                checks.excuse_store(*store);
            }
        }
    }

    /// Carries a copy of a disk's batches to hubs: once, twice, or only some of them.
    fn export(&mut self, machine: usize) -> bool {
        let (context, machine) = (&mut self.context, &self.machines[machine]);
        let share = [100, 100, 70, 40][context.random.below(4) as usize];
        let mut logs = Vec::new();
        for journal in &machine.disk {
            let mut batches: Vec<_> = journal.sound().cloned().collect();
            batches.retain(|_| context.random.percent(share));
            let is_forked = journal.role == LogRole::Forked;
            let head = LogHead { lane: journal.lane, store: journal.store, head: None, is_forked };
            if !batches.is_empty() && logs.len() < delivery::LOGS_MAX {
                logs.push((head, batches));
            }
        }
        if logs.is_empty() {
            return false;
        }
        self.bundles.push(Bundle { node: machine.node, logs });
        for _ in 0..context.random.between(1, 2) {
            let delay = context.random.millis(10, 5_000);
            context.after(delay, Event::Import { bundle: self.bundles.len() - 1 });
        }
        true
    }

    fn inject_at_machine(&mut self, fault: Fault, index: usize) -> bool {
        let (context, has_restored) = (&mut self.context, self.has_restored);
        let machine = &mut self.machines[index];
        let pause = context.random.millis(50, 4_000);
        match fault {
            Fault::BitFlip => {
                let count = machine.disk.len();
                let Some(place) = context.random.index(count) else { return false };
                let number = context.random.next();
                return machine.disk[place].damage(number);
            }
            Fault::Clone => {
                let copies = context.nodes.iter().filter(|node| **node == machine.node).count();
                if copies > 1 {
                    return false;
                }
                let clone = machine.copy_of(context.nodes.len());
                context.checks.may_fork.insert(machine.node);
                context.nodes.push(machine.node);
                let index = clone.index;
                self.machines.push(clone);
                context.after(pause, Event::Start { machine: index });
                for lane in [Lane::Alarm, Lane::Telemetry] {
                    context.after(pause, Event::Produce { machine: index, lane });
                }
            }
            Fault::ClockJump => {
                let second = 1_000_000_000;
                let offset = context.random.between(0, 20 * second) as i64 - 10 * second as i64;
                let offset = if context.random.percent(20) { -1_700_000_000 * second as i64 } else { offset };
                machine.set_clock(context, offset);
            }
            Fault::DiskFull => machine.full_until = context.now + pause,
            Fault::EdgeKilled | Fault::PowerCut => {
                machine.kill(context, fault == Fault::PowerCut);
                context.after(pause, Event::Start { machine: index });
            }
            Fault::Eviction => {
                let share = context.random.below(100);
                let current = |journal: &&mut crate::journal::Journal| {
                    journal.role == LogRole::Current && journal.lane == Lane::Telemetry
                };
                let Some(journal) = machine.disk.iter_mut().find(current) else { return false };
                let first = journal.pruned().max(journal.acknowledged().map_or(0, |number| number.0));
                return journal.evict(first + (journal.durable().saturating_sub(first)) * share / 100) > 0;
            }
            Fault::ImageRolledBack => {
                let Some(image) = machine.image.take() else {
                    machine.image = Some(machine.disk.clone());
                    return false;
                };
                machine.kill(context, false);
                context.checks.may_fork.insert(machine.node);
                let lost = std::mem::replace(&mut machine.disk, image);
                for journal in &lost {
                    context.checks.excuse_journal(journal, has_restored);
                }
                context.after(pause, Event::Start { machine: index });
            }
            Fault::Policy => {
                let policy = BacklogPolicy {
                    is_paused: context.random.percent(30),
                    limit_bytes_per_s: context
                        .random
                        .percent(30)
                        .then(|| context.random.between(500, 20_000)),
                    order: [Order::OldestFirst, Order::NewestFirst][context.random.below(2) as usize],
                };
                machine.set_policy(context, policy);
            }
            Fault::PowerCutLyingDisk => {
                machine.kill(context, true);
                context.checks.may_fork.insert(machine.node);
                for journal in &mut machine.disk {
                    let kept = journal.durable().saturating_sub(context.random.between(0, 6));
                    let lost = journal.appended().filter(|batch| batch.header.sequence.0 > kept);
                    context.checks.excuse(lost.map(|batch| &**batch));
                    if has_restored {
                        context.checks.excuse_store(journal.store);
                    }
                    journal.lose_after(kept, false);
                    if context.random.percent(50) {
                        journal.forget_acknowledged();
                    }
                }
                context.after(pause, Event::Start { machine: index });
            }
            Fault::ReImage => {
                machine.kill(context, false);
                for journal in std::mem::take(&mut machine.disk) {
                    context.checks.excuse_journal(&journal, has_restored);
                }
                context.after(pause, Event::Start { machine: index });
            }
            Fault::Salvage => {
                machine.kill(context, false);
                let current = |journal: &&mut crate::journal::Journal| journal.role == LogRole::Current;
                if let Some(journal) = machine.disk.iter_mut().find(current) {
                    journal.role = LogRole::Older;
                }
                context.after(pause, Event::Start { machine: index });
            }
            Fault::SendFirst => return machine.send_first(context),
            _ => machine.is_sync_failing = true,
        }
        true
    }

    /// No more faults: links and disks are sound, one of each pair of clones is switched off and the other started
    /// anew, operators let everything flow.
    pub(super) fn calm(&mut self) {
        let now = self.context.now;
        let context = &mut self.context;
        context.say(Who::World, format_args!("no more faults"));
        self.calm_since = Some(now);
        context.network.unblock_all();
        let database = &mut self.database;
        database.settle(now, &mut context.checks);
        (database.refuses_until, database.slow_until) = (now, now);
        (database.unknown, database.late) = (0, 0);
        let due = now + Duration::from_millis(context.plan.replica_ms);
        let nodes: Vec<usize> = database.tables.nodes.keys().copied().collect();
        for node in nodes {
            if database.tables.nodes[&node].is_revoked {
                database.set_revoked(node, false, due);
            }
        }
        for hub in 0..self.hubs.len() {
            context.after(Duration::ZERO, Event::HubStart { hub });
        }
        for clone in context.plan.nodes..self.machines.len() {
            let node = context.nodes[clone];
            let (stays, goes) = if context.random.percent(50) { (node, clone) } else { (clone, node) };
            self.machines[goes].kill(context, false);
            self.machines[goes].is_removed = true;
            if self.has_restored {
                self.machines[goes]
                    .disk
                    .iter()
                    .for_each(|journal| context.checks.excuse_journal(journal, true));
            }
            self.machines[stays].kill(context, false);
        }
        for machine in &mut self.machines {
            machine.full_until = now;
            machine.is_sync_failing = false;
            machine.set_policy(context, BacklogPolicy::default());
            context.after(Duration::from_millis(1), Event::Start { machine: machine.index });
        }
    }
}
