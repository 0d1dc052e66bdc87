//! Links: connections of ordered streams, as QUIC gives them. Streams overtake each other, frames of one do not.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use delivery::Frame;

pub(crate) type ConnectionId = usize;

/// The control stream; the others are ways.
pub(crate) const CONTROL: u8 = 0;

/// An end of a connection.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Side {
    Edge,
    Hub,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Edge => Self::Hub,
            Self::Hub => Self::Edge,
        }
    }
}

#[derive(Debug)]
struct Connection {
    machine: usize,
    hub: usize,
    open: [bool; 2],
    /// Under way, by where to and stream.
    streams: BTreeMap<(Side, u8), VecDeque<Frame>>,
}

/// All links.
#[derive(Debug, Default)]
pub(crate) struct Network {
    connections: Vec<Connection>,
    /// Until when nothing arrives, by machine, hub and side.
    blocked: BTreeMap<(usize, usize, Side), Duration>,
}

impl Network {
    pub(crate) fn connect(&mut self, machine: usize, hub: usize) -> ConnectionId {
        self.connections.push(Connection { machine, hub, open: [true; 2], streams: BTreeMap::new() });
        self.connections.len() - 1
    }

    pub(crate) fn machine(&self, connection: ConnectionId) -> usize {
        self.connections[connection].machine
    }

    pub(crate) fn hub(&self, connection: ConnectionId) -> usize {
        self.connections[connection].hub
    }

    pub(crate) fn is_open(&self, connection: ConnectionId, side: Side) -> bool {
        self.connections[connection].open[side as usize]
    }

    /// Ends one side; says whether it was open.
    pub(crate) fn close(&mut self, connection: ConnectionId, side: Side) -> bool {
        let connection = &mut self.connections[connection];
        connection.streams.retain(|(to, _), _| *to != side);
        std::mem::replace(&mut connection.open[side as usize], false)
    }

    /// Puts a frame on its way; false where the sender's side is closed already.
    pub(crate) fn push(&mut self, connection: ConnectionId, from: Side, stream: u8, frame: Frame) -> bool {
        let connection = &mut self.connections[connection];
        let is_open = connection.open[from as usize];
        if is_open {
            connection.streams.entry((from.other(), stream)).or_default().push_back(frame);
        }
        is_open
    }

    /// The next frame of a stream, if its receiver still listens.
    pub(crate) fn pop(&mut self, connection: ConnectionId, to: Side, stream: u8) -> Option<Frame> {
        let connection = &mut self.connections[connection];
        if !connection.open[to as usize] {
            return None;
        }
        connection.streams.get_mut(&(to, stream))?.pop_front()
    }

    /// Until when nothing arrives at a side.
    pub(crate) fn blocked_until(&self, machine: usize, hub: usize, to: Side) -> Duration {
        self.blocked.get(&(machine, hub, to)).copied().unwrap_or(Duration::ZERO)
    }

    pub(crate) fn block(&mut self, machine: usize, hub: usize, to: Side, until: Duration) {
        let known = self.blocked.entry((machine, hub, to)).or_default();
        *known = until.max(*known);
    }

    pub(crate) fn unblock_all(&mut self) {
        self.blocked.clear();
    }

    /// Connections with an open end.
    pub(crate) fn open_between(&self, machine: usize, hub: usize) -> Vec<ConnectionId> {
        let between = |connection: &&Connection| connection.machine == machine && connection.hub == hub;
        let all = self.connections.iter().enumerate();
        all.filter(|(_, connection)| between(connection) && connection.open.contains(&true))
            .map(|(id, _)| id)
            .collect()
    }

    /// Connections that are open at a hub.
    pub(crate) fn open_of_hub(&self, hub: usize) -> Vec<ConnectionId> {
        let all = self.connections.iter().enumerate();
        all.filter(|(_, connection)| connection.hub == hub && connection.open[Side::Hub as usize])
            .map(|(id, _)| id)
            .collect()
    }
}
