//! Decides which batch goes to the hub next, and which the journal may forget.

use std::collections::VecDeque;

use crate::{
    Ack, BatchHeader, BatchSequence, ChainHash, Hello, HelloOk, Lane, LaneHead, PROTOCOL_VERSION, Position,
    StoreId,
};

/// The forwarding state of one lane of one journal.
///
/// Holds no socket, disk or clock. Its positions have an order that always stands:
/// acknowledged ≤ sent ≤ appended.
#[derive(Debug)]
pub struct Outbox {
    store: StoreId,
    lane: Lane,
    /// Newest durable batch.
    appended: Position,
    /// Newest batch the hub has committed, as far as this node knows.
    acknowledged: u64,
    /// Newest batch the hub keeps safely.
    safe: u64,
    session: Option<OpenSession>,
}

#[derive(Debug)]
struct OpenSession {
    /// Newest batch handed to the session.
    sent: u64,
    credit_bytes: u64,
    in_flight: VecDeque<(u64, u64)>,
    in_flight_bytes: u64,
}

/// Why a session cannot continue from this journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResumeError {
    /// The hub holds batches this journal never wrote.
    #[error("the hub holds batches up to {watermark}, but this journal ends at {head}")]
    HubAhead {
        /// The hub's watermark.
        watermark: u64,
        /// This journal's newest batch.
        head: u64,
    },
    /// The hub's answer does not name this lane.
    #[error("the hub's answer does not name the lane")]
    LaneMissing,
}

impl Outbox {
    /// The state of a lane whose newest durable batch is `appended` and of which `acknowledged` is known.
    pub fn new(store: StoreId, lane: Lane, appended: Position, acknowledged: Option<BatchSequence>) -> Self {
        let acknowledged = acknowledged.map_or(0, |sequence| sequence.0).min(appended.number());
        Self { store, lane, appended, acknowledged, safe: acknowledged, session: None }
    }

    /// Which journal it forwards.
    pub fn store(&self) -> StoreId {
        self.store
    }

    /// A batch became durable.
    pub fn on_appended(&mut self, position: Position) {
        assert!(position.number() >= self.appended.number(), "batches only grow");
        self.appended = position;
    }

    /// What to say first on a new connection.
    pub fn hello(&self, node_time: space_packet::TaiTime, software: &str) -> Hello {
        Hello {
            protocol: PROTOCOL_VERSION,
            store: self.store,
            lanes: vec![LaneHead { lane: self.lane, sequence: self.appended.sequence }],
            node_time,
            software: software.to_owned(),
        }
    }

    /// The hub opened a session: sending resumes behind its watermark.
    ///
    /// Returns the watermark with the hash the journal must hold there; the caller compares them.
    pub fn on_hello_ok(&mut self, ok: &HelloOk) -> Result<(Option<BatchSequence>, ChainHash), ResumeError> {
        let position = ok.lanes.iter().find(|lane| lane.lane == self.lane).ok_or(ResumeError::LaneMissing)?;
        let watermark = position.watermark.map_or(0, |sequence| sequence.0);
        let head = self.appended.number();
        if watermark > head {
            return Err(ResumeError::HubAhead { watermark, head });
        }
        // After a failover to an older database the hub may stand behind what it acknowledged before.
        self.acknowledged = watermark;
        self.safe = position.safe.map_or(0, |sequence| sequence.0).min(watermark);
        self.session = Some(OpenSession {
            sent: watermark,
            credit_bytes: position.credit_bytes,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
        });
        Ok((position.watermark, position.hash))
    }

    /// The connection is gone; what was under way is sent again on the next one.
    pub fn on_session_lost(&mut self) {
        self.session = None;
    }

    /// The hub committed up to a batch.
    pub fn on_acknowledged(&mut self, ack: Ack) {
        if ack.lane != self.lane || ack.watermark.0 > self.appended.number() {
            return;
        }
        // Acknowledgements may overtake each other, so a lower one is old news, not an error.
        self.acknowledged = self.acknowledged.max(ack.watermark.0);
        self.safe = self.safe.max(ack.safe.0.min(self.acknowledged));
        if let Some(session) = &mut self.session {
            while session.in_flight.front().is_some_and(|&(sequence, _)| sequence <= self.acknowledged) {
                let (_, bytes) = session.in_flight.pop_front().expect("its front was there");
                session.in_flight_bytes -= bytes;
            }
            session.sent = session.sent.max(self.acknowledged);
        }
    }

    /// The batch to send now; nothing while there is no session, no credit or nothing new.
    pub fn next_batch(&self) -> Option<BatchSequence> {
        let session = self.session.as_ref()?;
        let next = session.sent + 1;
        (next <= self.appended.number() && session.in_flight_bytes < session.credit_bytes)
            .then_some(BatchSequence(next))
    }

    /// The batch `next_batch` named, or a gap that begins there, was handed to the session.
    pub fn on_sent(&mut self, batch: &BatchHeader, bytes: u64) {
        let Some(session) = &mut self.session else { return };
        assert!(
            batch.first_sequence().0 == session.sent + 1 && batch.sequence.0 <= self.appended.number(),
            "batches go in order"
        );
        session.sent = batch.sequence.0;
        session.in_flight.push_back((batch.sequence.0, bytes));
        session.in_flight_bytes += bytes;
    }

    /// Newest batch the hub has committed; 0 when none.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Newest batch the journal may forget; 0 when none.
    pub fn safe(&self) -> u64 {
        self.safe
    }

    /// Newest durable batch.
    pub fn appended(&self) -> Position {
        self.appended
    }

    /// Whether a session is open.
    pub fn is_connected(&self) -> bool {
        self.session.is_some()
    }
}
