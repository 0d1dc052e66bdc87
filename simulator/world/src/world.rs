//! A world from its first moment to its last: what happens to whom, and whether everything arrives in the end.

mod trouble;

use std::time::Duration;

use delivery::{BatchSequence, Lane, LogHead, LogRole};

use crate::checks::{Counts, check_all};
use crate::context::{Context, Event};
use crate::database::{Answer, Database, Operation};
use crate::edge::Machine;
use crate::hub::{Bundle, Hub, Origin};
use crate::network::Side;
use crate::trace::Who;

/// After the troubles everything must have arrived within this.
const CALM_MAX: Duration = Duration::from_secs(120);
/// So long after the troubles every node has had time to come back, and an alarm is due at once.
const ALARM_AT: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// All of it.
pub(crate) struct World {
    pub context: Context,
    machines: Vec<Machine>,
    hubs: Vec<Hub>,
    database: Database,
    bundles: Vec<Bundle>,
    /// Since when there are no faults any more.
    calm_since: Option<Duration>,
    has_restored: bool,
    has_alarmed: bool,
}

impl World {
    pub(crate) fn new(seed: u64, is_told: bool) -> Self {
        let mut context = Context::new(seed, is_told);
        let plan = context.plan.clone();
        context.say(Who::World, format_args!("seed {seed}: {plan:?}"));
        context.nodes = (0..plan.nodes).collect();
        for machine in 0..plan.nodes {
            context.after(Duration::ZERO, Event::Start { machine });
            for lane in [Lane::Alarm, Lane::Telemetry] {
                context.after(Duration::from_millis(1), Event::Produce { machine, lane });
            }
        }
        for hub in 0..plan.hubs {
            context.after(Duration::ZERO, Event::HubStart { hub });
        }
        context.after(plan.fault_every, Event::Fault);
        context.after(LOOK_EVERY, Event::Look);
        Self {
            machines: (0..plan.nodes).map(|index| Machine::new(index, index)).collect(),
            hubs: (0..plan.hubs).map(Hub::new).collect(),
            database: Database::default(),
            bundles: Vec::new(),
            calm_since: None,
            has_restored: false,
            has_alarmed: false,
            context,
        }
    }

    /// Runs it to its end: all has arrived, something is wrong, or time is over.
    pub(crate) fn run(&mut self) -> Counts {
        let mut is_over = false;
        while !is_over
            && self.context.checks.failure.is_none()
            && let Some(event) = self.context.next_event()
        {
            is_over = self.happen(event);
            if !self.context.checks.removed.is_empty() {
                self.database.settle(self.context.now, &mut self.context.checks);
                self.context.checks.check_removed(&self.database);
            }
        }
        if self.context.checks.failure.is_some() {
            return Counts::default();
        }
        let is_converged = self.calm_since.is_some();
        let counts = check_all(&mut self.context.checks, &self.database, &self.machines, is_converged);
        self.context.say(Who::World, format_args!("ends: {counts:?}"));
        counts
    }

    /// True when it was the last thing to happen.
    fn happen(&mut self, event: Event) -> bool {
        let context = &mut self.context;
        match event {
            Event::Fault => self.trouble(),
            Event::Look => return self.look(),
            Event::Start { machine } => self.machines[machine].start(context),
            Event::Alarm { machine } => self.alarm(machine),
            Event::Produce { machine, lane } => self.produce(machine, lane),
            Event::Sync { machine, run } => {
                if let Some(machine) = self.machines.get_mut(machine).filter(|machine| machine.run == run) {
                    machine.sync(context);
                }
            }
            Event::Wake { machine, run } => {
                if let Some(machine) = self.machines.get_mut(machine).filter(|machine| machine.run == run) {
                    machine.pump(context);
                }
            }
            Event::TimeAsk { machine, run } => {
                if let Some(machine) = self.machines.get_mut(machine).filter(|machine| machine.run == run) {
                    machine.ask_time(context);
                }
            }
            Event::Connect { machine, run } => {
                let delay = context.travel() + context.travel();
                context.after(delay, Event::Connected { machine, run });
            }
            Event::Connected { machine, run } => self.connect(machine, run),
            Event::Deliver { connection, to, stream } => self.deliver(connection, to, stream),
            Event::Lost { connection, side } => {
                if context.network.is_open(connection, side) {
                    match side {
                        Side::Edge => {
                            let machine = context.network.machine(connection);
                            self.machines[machine].on_lost(context, connection);
                        }
                        Side::Hub => {
                            let hub = context.network.hub(connection);
                            self.hubs[hub].on_lost(context, connection);
                        }
                    }
                }
            }
            Event::HubStart { hub } => {
                if !self.hubs[hub].is_up {
                    self.hubs[hub].start(context, &self.database);
                }
            }
            Event::HubTick { hub, run } => {
                if self.hubs[hub].run == run {
                    self.hubs[hub].on_tick(context, &mut self.database);
                }
            }
            Event::Group { hub, run } => {
                if self.hubs[hub].run == run {
                    self.hubs[hub].on_group(context, &self.database);
                }
            }
            Event::Retry { hub, run } => {
                if self.hubs[hub].run == run {
                    self.hubs[hub].on_retry(context, &self.database);
                }
            }
            Event::Apply { hub, run, timeline, operation, is_answered } => {
                self.apply(hub, run, timeline, *operation, is_answered);
            }
            Event::Answer { hub, run, timeline, answer } => {
                if self.hubs[hub].run == run {
                    self.hubs[hub].on_answer(context, &self.database, timeline, *answer);
                }
            }
            Event::Import { bundle } => self.import(bundle),
        }
        false
    }

    fn produce(&mut self, machine: usize, lane: Lane) {
        let context = &mut self.context;
        let is_over = self.calm_since.is_some_and(|since| context.now > since + Duration::from_secs(3));
        if is_over || self.machines[machine].is_removed {
            return;
        }
        let (every, records) = match lane {
            Lane::Alarm => (context.plan.alarm_every_ms, 1),
            Lane::Telemetry => {
                (context.plan.produce_every_ms, context.random.between(1, context.plan.records_max))
            }
        };
        self.machines[machine].produce(context, lane, records);
        let delay = context.random.millis(1, 2 * every);
        context.after(delay, Event::Produce { machine, lane });
    }

    /// An alarm on a link that is up.
    fn alarm(&mut self, machine: usize) {
        let context = &mut self.context;
        let (latency, jitter) = (context.plan.latency, Duration::from_millis(context.plan.jitter_ms));
        let due = context.now + Duration::from_secs(2) + (latency + jitter) * 4;
        let machine = &mut self.machines[machine];
        machine.produce(context, Lane::Alarm, 1);
        let current = |journal: &&crate::journal::Journal| {
            journal.lane == Lane::Alarm && journal.role == LogRole::Current
        };
        if let Some(journal) = machine.disk.iter().find(current) {
            let number = journal.durable() + journal.unsynced();
            context.checks.alarms_due.push((journal.store, number, due));
        }
    }

    fn connect(&mut self, machine: usize, run: u64) {
        let context = &mut self.context;
        let node = &mut self.machines[machine];
        if node.run != run {
            return;
        }
        let hub = node.hub();
        let blocked = [Side::Edge, Side::Hub].map(|side| context.network.blocked_until(machine, hub, side));
        let is_reachable = self.hubs[hub].is_up && blocked.iter().all(|until| *until <= context.now);
        let connection = is_reachable.then(|| context.network.connect(machine, hub));
        node.on_connected(context, connection);
    }

    fn deliver(&mut self, connection: usize, to: Side, stream: u8) {
        let context = &mut self.context;
        let (machine, hub) = (context.network.machine(connection), context.network.hub(connection));
        let blocked = context.network.blocked_until(machine, hub, to);
        if blocked > context.now {
            let delay = blocked - context.now + context.travel();
            return context.after(delay, Event::Deliver { connection, to, stream });
        }
        let Some(frame) = context.network.pop(connection, to, stream) else { return };
        match to {
            Side::Edge => self.machines[machine].on_frame(context, connection, frame),
            Side::Hub => self.hubs[hub].on_frame(context, &self.database, connection, frame),
        }
    }

    /// The database comes to something it was asked.
    fn apply(&mut self, hub: usize, run: u64, timeline: u64, operation: Operation, is_answered: bool) {
        let (context, database) = (&mut self.context, &mut self.database);
        database.settle(context.now, &mut context.checks);
        let due = context.now + Duration::from_millis(context.plan.replica_ms);
        let lost = match &operation {
            Operation::Hello { origin, .. } => Answer::HelloLost(*origin),
            Operation::Commit(_) => Answer::Unknown,
            Operation::Read(_) => Answer::Refused,
        };
        let answer = if timeline != database.timeline {
            Answer::Failover
        } else if database.refuses_until > context.now {
            if matches!(lost, Answer::HelloLost(_)) { lost } else { Answer::Refused }
        } else if is_answered && database.late > 0 && matches!(operation, Operation::Commit(_)) {
            database.late -= 1;
            let delay = context.random.millis(20, 800);
            let operation = Box::new(operation);
            context.say(Who::Database, format_args!("will commit hub {hub}'s transaction late"));
            context.after(delay, Event::Apply { hub, run, timeline, operation, is_answered: false });
            lost
        } else if is_answered && database.unknown > 0 {
            database.unknown -= 1;
            let happens = context.random.percent(50);
            context.say(Who::Database, format_args!("does not answer hub {hub}, it happened: {happens}"));
            if happens {
                database.execute(&operation, due, &mut context.checks);
            }
            lost
        } else {
            database.execute(&operation, due, &mut context.checks)
        };
        if let Answer::Committed { lanes, apart, lsn } = &answer {
            context.say(Who::Database, format_args!("commits {lsn} for hub {hub}: {lanes:?} {apart:?}"));
        }
        if is_answered {
            let delay = context.random.millis(0, 2);
            context.after(delay, Event::Answer { hub, run, timeline, answer: Box::new(answer) });
        }
    }

    /// Something carried by hand arrives at a hub.
    fn import(&mut self, bundle: usize) {
        if self.calm_since.is_some() {
            return;
        }
        let Some(hub) = self.context.random.index(self.hubs.len()).filter(|hub| self.hubs[*hub].is_up) else {
            return;
        };
        let (node, logs) = (self.bundles[bundle].node, self.bundles[bundle].logs.clone());
        // A bundle names what it holds, not where its journal ends.
        let heads = logs.iter().map(|(head, _)| LogHead { head: Some(BatchSequence(u64::MAX)), ..*head });
        let heads = heads.collect();
        let hub = &mut self.hubs[hub];
        self.context.say(Who::Hub(hub.index), format_args!("imports bundle {bundle} of node {node}"));
        hub.imports.push(Bundle { node, logs });
        let origin = Origin::Import(hub.imports.len() - 1);
        hub.open(&mut self.context, &self.database, origin, node, None, heads);
    }

    /// Looks how things stand; true when nothing is left to do.
    fn look(&mut self) -> bool {
        self.context.after(LOOK_EVERY, Event::Look);
        let now = self.context.now;
        let Some(since) = self.calm_since else {
            if now < self.context.plan.troubled {
                return false;
            }
            if self.context.plan.is_unrestricted {
                return true;
            }
            self.calm();
            return false;
        };
        // There are no two machines of one identity any more: operators look after what still is called one.
        for machine in
            self.machines.iter_mut().filter(|machine| machine.is_called_duplicate && !machine.is_removed)
        {
            machine.kill(&mut self.context, false);
            machine.start(&mut self.context);
        }
        if now >= since + ALARM_AT && !std::mem::replace(&mut self.has_alarmed, true) {
            for machine in self.machines.iter().filter(|machine| !machine.is_removed) {
                self.context.after(Duration::ZERO, Event::Alarm { machine: machine.index });
            }
            return false;
        }
        let mut lives = self.machines.iter().filter(|machine| !machine.is_removed);
        let left = lives.find(|machine| machine.process.is_none() || !machine.left().is_empty());
        let due = self.context.checks.alarms_due.iter().find(|(_, _, due)| *due < now);
        if let Some((store, number, due)) = due.copied() {
            self.context
                .checks
                .fail("I7", format_args!("alarm {number} of {store:?} was due at {due:?}, it is {now:?}"));
        }
        match left {
            None => self.has_alarmed && self.context.checks.alarms_due.is_empty(),
            Some(machine) if now > since + CALM_MAX => {
                let (index, left) = (machine.index, machine.left());
                self.context
                    .checks
                    .fail("I10", format_args!("machine {index} still has to deliver {left:?}"));
                true
            }
            Some(_) => false,
        }
    }
}
