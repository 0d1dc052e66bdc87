//! A hub process: sessions that drive [`delivery::Inbox`], and a committer that makes groups over all of them. It
//! does what `cloud-hub/src/reception` does, without sockets.

mod committer;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use delivery::{
    Credit, Frame, Goodbye, Hello, HelloOk, HelloReject, LogHead, OpenedLog, PROTOCOL_VERSION, RejectCode,
    SealedBatch,
};
use space_packet::TaiTime;

use crate::context::{Context, Event};
use crate::database::{Answer, Database, OpenedLane, Operation};
use crate::mutation::{DriverMutation, mutated};
use crate::network::{CONTROL, ConnectionId, Side};
use crate::plan::BATCH_BYTES;
use crate::trace::Who;
use committer::{Group, Item};
pub(crate) use session::MISSION;
use session::Session;

/// Nodes from here on have a valid certificate and bad intentions.
pub(crate) const HOSTILE: usize = 1_000;
/// How often a hub looks after what became safe.
const TICK: Duration = Duration::from_millis(200);
const RETRY: Duration = Duration::from_millis(250);

/// Where a session comes from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Origin {
    Connection(ConnectionId),
    /// A hostile node, which says what it likes.
    Hostile,
    /// Something carried by hand, by its place in [`Hub::imports`].
    Import(usize),
}

/// What was carried by hand: of each log what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub node: usize,
    pub logs: Vec<(LogHead, Vec<Rc<SealedBatch>>)>,
}

/// A hub.
#[derive(Debug)]
pub(crate) struct Hub {
    pub index: usize,
    pub run: u64,
    pub is_up: bool,
    /// Which database it knows.
    timeline: u64,
    sessions: BTreeMap<u64, Session>,
    sessions_opened: u64,
    /// Nodes whose HELLO waits for the database.
    opening: Vec<(Origin, usize)>,
    queue: VecDeque<Item>,
    group: Option<Group>,
    is_group_due: bool,
    pub imports: Vec<Bundle>,
}

impl Hub {
    pub(crate) fn new(index: usize) -> Self {
        Self {
            index,
            run: 0,
            is_up: false,
            timeline: 0,
            sessions: BTreeMap::new(),
            sessions_opened: 0,
            opening: Vec::new(),
            queue: VecDeque::new(),
            group: None,
            is_group_due: false,
            imports: Vec::new(),
        }
    }

    fn who(&self) -> Who {
        Who::Hub(self.index)
    }

    pub(crate) fn start(&mut self, context: &mut Context, database: &Database) {
        let (index, run) = (self.index, self.run + 1);
        *self = Self { run, is_up: true, timeline: database.timeline, ..Self::new(index) };
        context.say(self.who(), format_args!("starts"));
        context.after(TICK, Event::HubTick { hub: index, run });
    }

    /// Killed: nothing is said to anybody.
    pub(crate) fn kill(&mut self, context: &mut Context) {
        context.say(self.who(), format_args!("is killed"));
        self.stop(context);
    }

    /// Stopped as one stops it: nodes are told when to come back, and where else to go.
    pub(crate) fn stop_orderly(&mut self, context: &mut Context) {
        context.say(self.who(), format_args!("stops"));
        for key in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.end(context, key, "the hub stops", 500);
        }
        self.stop(context);
    }

    fn stop(&mut self, context: &mut Context) {
        for connection in context.network.open_of_hub(self.index) {
            context.vanish(connection, Side::Hub);
        }
        self.is_up = false;
        self.run += 1;
        self.sessions.clear();
        self.opening.clear();
        self.queue.clear();
        self.group = None;
    }

    fn ask(&self, context: &mut Context, database: &Database, operation: Operation) {
        let slow = if database.slow_until > context.now { 20 } else { 1 };
        let delay = context.random.millis(1, 1 + context.plan.database_ms) * slow;
        let (hub, run, timeline) = (self.index, self.run, self.timeline);
        let event = Event::Apply { hub, run, timeline, operation: Box::new(operation), is_answered: true };
        context.after(delay, event);
    }

    /// What a session may have under way, at most: its credit, and on each of two budgets a batch more.
    fn place(context: &Context) -> u64 {
        context.plan.credit_telemetry + context.plan.credit_alarm + 2 * BATCH_BYTES
    }

    /// Whether there is memory for a session of a node, whose older session would end.
    fn has_room(&self, context: &Context, node: usize) -> bool {
        let others = self.sessions.values().filter(|session| session.node != node).count() as u64;
        let left_over =
            self.bytes_of(|key| self.sessions.get(&key).is_none_or(|session| session.node == node));
        (others + 1) * Self::place(context) + left_over <= context.plan.hub_memory
    }

    pub(crate) fn on_hello(
        &mut self,
        context: &mut Context,
        database: &Database,
        origin: Origin,
        hello: &Hello,
    ) {
        let node = match origin {
            Origin::Connection(connection) => context.nodes[context.network.machine(connection)],
            Origin::Hostile | Origin::Import(_) => HOSTILE,
        };
        if hello.protocol != PROTOCOL_VERSION {
            return self.reject(context, origin, RejectCode::Version, 60_000);
        }
        self.open(context, database, origin, node, Some(hello.boot), hello.logs.clone());
    }

    /// Opens a session, if there is memory for it.
    pub(crate) fn open(
        &mut self,
        context: &mut Context,
        database: &Database,
        origin: Origin,
        node: usize,
        boot: Option<delivery::BootId>,
        logs: Vec<LogHead>,
    ) {
        if !self.has_room(context, node) {
            return self.reject(context, origin, RejectCode::Busy, 1_000);
        }
        self.opening.push((origin, node));
        self.ask(context, database, Operation::Hello { origin, node, boot, logs });
    }

    fn reject(&mut self, context: &mut Context, origin: Origin, code: RejectCode, retry_after_ms: u32) {
        context.say(self.who(), format_args!("rejects {origin:?}: {}", code.code()));
        if let Origin::Connection(connection) = origin {
            let reject = HelloReject { code, detail: String::new(), retry_after_ms };
            context.send(connection, Side::Hub, CONTROL, &Frame::HelloReject(reject));
            context.close(connection, Side::Hub);
        }
    }

    /// The database answered; `timeline` is which one was asked.
    pub(crate) fn on_answer(
        &mut self,
        context: &mut Context,
        database: &Database,
        timeline: u64,
        answer: Answer,
    ) {
        if timeline != self.timeline {
            return;
        }
        let opening = match &answer {
            Answer::Duplicate(origin)
            | Answer::HelloLost(origin)
            | Answer::Opened { origin, .. }
            | Answer::Revoked(origin) => Some(*origin),
            _ => None,
        };
        if let Some(origin) = opening {
            let Some(place) = self.opening.iter().position(|(known, _)| *known == origin) else { return };
            self.opening.remove(place);
        }
        match answer {
            Answer::Opened { origin, node, session, logs } => {
                self.on_opened(context, origin, node, session, &logs);
            }
            Answer::Duplicate(origin) => self.reject(context, origin, RejectCode::Duplicate, 5_000),
            Answer::HelloLost(origin) => self.reject(context, origin, RejectCode::Busy, 500),
            Answer::Revoked(origin) => {
                context.say(self.who(), format_args!("turns {origin:?} away, it is revoked"));
                if let Origin::Connection(connection) = origin {
                    context.close(connection, Side::Hub);
                }
            }
            Answer::Failover => self.on_failover(context, database),
            Answer::Committed { lanes, apart, lsn } => {
                self.on_committed(context, database, &lanes, &apart, lsn);
            }
            Answer::Read(rows) => self.on_read(context, database, &rows),
            Answer::Refused => context.after(RETRY, Event::Retry { hub: self.index, run: self.run }),
            Answer::Unknown => self.on_unknown(context, database),
        }
    }

    fn on_opened(
        &mut self,
        context: &mut Context,
        origin: Origin,
        node: usize,
        number: delivery::SessionNumber,
        lanes: &[OpenedLane],
    ) {
        // Only now: who is rejected throws nobody out.
        let older = self.sessions.iter().filter(|(_, session)| session.node == node);
        for key in older.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.end(context, key, "another session was opened", 0);
        }
        if !self.has_room(context, node) {
            return self.reject(context, origin, RejectCode::Busy, 1_000);
        }
        let plan = &context.plan;
        let credit =
            Credit { alarm_bytes: plan.credit_alarm, telemetry_bytes: plan.credit_telemetry, linger_ms: 2 };
        let backfill_after_ms = plan.backfill_after_ms;
        let opened: Vec<(LogHead, OpenedLog)> = lanes
            .iter()
            .map(|lane| (lane.head, OpenedLog::judge(&lane.head, lane.ranges.clone(), lane.safe)))
            .collect();
        let positions =
            opened.iter().zip(lanes).map(|((_, log), lane)| log.position(delivery::Epoch(lane.key.epoch)));
        let ok = HelloOk {
            session: number,
            logs: positions.collect(),
            credit,
            backfill_after_ms,
            hub_time: self.time(context),
        };
        let marks: Vec<_> =
            ok.logs.iter().map(|log| (log.epoch.0, log.watermark, log.spans.len(), log.is_fork)).collect();
        context.say(self.who(), format_args!("opens session {} of node {node}: {marks:?}", number.0));
        self.sessions_opened += 1;
        let key = self.sessions_opened;
        let session = Session::new(origin, node, number, lanes, opened, credit);
        self.sessions.insert(key, session);
        match origin {
            Origin::Connection(connection) if context.network.is_open(connection, Side::Hub) => {
                context.send(connection, Side::Hub, CONTROL, &Frame::HelloOk(ok));
            }
            Origin::Connection(_) => self.forget(key),
            Origin::Hostile => self.attack(context, key),
            Origin::Import(bundle) => {
                self.begin_import(context, key, bundle);
            }
        }
    }

    /// The hub's clock.
    pub(crate) fn time(&self, context: &Context) -> TaiTime {
        TaiTime(1_700_000_000_000_000_000 + context.now.as_nanos() as i64)
    }

    /// Ends a session and says why.
    fn end(&mut self, context: &mut Context, key: u64, reason: &str, retry_after_ms: u32) {
        let Some(session) = self.sessions.get(&key) else { return };
        context.say(
            self.who(),
            format_args!("ends session {} of node {}: {reason}", session.number.0, session.node),
        );
        if let Origin::Connection(connection) = session.origin {
            let hubs = (0..context.plan.hubs).filter(|other| *other != self.index).map(|hub| hub.to_string());
            let goodbye = Goodbye { reason: reason.to_owned(), retry_after_ms, hubs: hubs.collect() };
            context.send(connection, Side::Hub, CONTROL, &Frame::Goodbye(goodbye));
            context.close(connection, Side::Hub);
        }
        self.forget(key);
    }

    fn forget(&mut self, key: u64) {
        self.sessions.remove(&key);
        // What is in the group goes on: it is the database's to say whether it still may.
        self.queue.retain(|item| item.session != key);
    }

    pub(crate) fn on_lost(&mut self, context: &mut Context, connection: ConnectionId) {
        context.network.close(connection, Side::Hub);
        let lost = Origin::Connection(connection);
        self.opening.retain(|(origin, _)| *origin != lost);
        let found = self.sessions.iter().find(|(_, session)| session.origin == lost).map(|(key, _)| *key);
        if let Some(key) = found {
            context.say(self.who(), format_args!("lost the connection of node {}", self.sessions[&key].node));
            self.forget(key);
        }
    }

    /// Another database answers: what its predecessor said of lanes and sessions counts no more.
    fn on_failover(&mut self, context: &mut Context, database: &Database) {
        self.timeline = database.timeline;
        context.say(self.who(), format_args!("finds another database, ends all sessions"));
        for key in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.end(context, key, "the database was replaced", 100);
        }
        for (origin, _) in std::mem::take(&mut self.opening) {
            if let Origin::Connection(connection) = origin {
                context.close(connection, Side::Hub);
            }
        }
        self.queue.clear();
        self.group = None;
    }

    pub(crate) fn on_tick(&mut self, context: &mut Context, database: &mut Database) {
        context.after(TICK, Event::HubTick { hub: self.index, run: self.run });
        if database.timeline != self.timeline {
            return self.on_failover(context, database);
        }
        database.settle(context.now, &mut context.checks);
        for key in self.sessions.keys().copied().collect::<Vec<_>>() {
            let Some(session) = self.sessions.get_mut(&key) else { continue };
            for ack in session.what_became_safe(database) {
                self.tell(context, key, &Frame::Ack(ack));
            }
            self.feed_import(context, key);
            let is_hostile = self.sessions.get(&key).is_some_and(|session| session.origin == Origin::Hostile);
            if is_hostile && self.items_of(key) == 0 {
                self.end(context, key, "the hostile node leaves", 0);
            }
        }
    }

    /// Tells a session's node something, if it has one.
    fn tell(&self, context: &mut Context, key: u64, frame: &Frame) {
        let Some(session) = self.sessions.get(&key) else { return };
        if let Frame::Ack(ack) = frame {
            let log = &session.logs[usize::from(ack.log.0)];
            context.checks.on_ack(log.store, log.is_forked, ack);
        }
        if let Origin::Connection(connection) = session.origin {
            context.send(connection, Side::Hub, CONTROL, frame);
        }
    }

    fn early_ack(&self) -> bool {
        mutated(DriverMutation::AckBeforeCommit)
    }

    /// Which session a connection has.
    pub(crate) fn session_of(&self, connection: ConnectionId) -> Option<u64> {
        let origin = Origin::Connection(connection);
        self.sessions.iter().find(|(_, session)| session.origin == origin).map(|(key, _)| *key)
    }
}
