//! A producer that sends one message after the other, and is told how far they are durable.

use std::collections::VecDeque;
use std::sync::Arc;

use space_packet::ReceptionTime;

use super::HttpLink;
use super::parse::Parsed;
use super::taking::unless_stopped;
use crate::queue::Stopped;
use crate::{Producer, Submission};

/// Messages and bytes that are taken before they are durable. Then the socket is not read, and the producer waits.
const MESSAGES_WAITING_MAX: usize = 64;
pub(super) const BYTES_WAITING_MAX: usize = 1 << 20;

/// Messages of one connection or call.
pub(super) struct Session {
    link: Arc<HttpLink>,
    pub(super) producer: Arc<Producer>,
    /// Messages that came.
    pub(super) seen: u64,
    /// What was told last; messages dealt with are durable or refused, and never more than came.
    told: Acknowledged,
    /// Records handed over.
    handed: u64,
    /// For each message not dealt with: the last of its records, and its bytes.
    waiting: VecDeque<(u64, usize)>,
    waiting_bytes: usize,
}

/// How far a producer's messages are dealt with, since its session began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Acknowledged {
    pub(super) messages: u64,
    pub(super) records: u64,
    pub(super) quarantined: u64,
}

impl Session {
    pub(super) fn new(link: Arc<HttpLink>) -> Self {
        Self {
            link,
            producer: Arc::default(),
            seen: 0,
            told: Acknowledged::default(),
            handed: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    /// Whether one more message may be read.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MESSAGES_WAITING_MAX && self.waiting_bytes < BYTES_WAITING_MAX
    }

    /// Whether everything that came is dealt with.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A message came that is refused as a whole.
    pub(super) fn on_refused(&mut self) {
        self.seen += 1;
        self.waiting.push_back((self.handed, 0));
    }

    /// Hands a message's records to the pipeline, in order; waits for room.
    pub(super) async fn hand_over(&mut self, parsed: Parsed, bytes: usize) -> Result<(), Stopped> {
        let reception = ReceptionTime(service::clock::now());
        for records in parsed.pieces {
            let count = records.count() as u64;
            let producer = Some(Arc::clone(&self.producer));
            let submission = Submission { reception, records, producer, request: None };
            unless_stopped(&self.link.stop, self.link.link.submit(submission))
                .await
                .unwrap_or(Err(Stopped))?;
            self.handed += count;
        }
        self.seen += 1;
        self.waiting.push_back((self.handed, bytes));
        self.waiting_bytes += bytes;
        Ok(())
    }

    /// What was told last.
    pub(super) fn told(&self) -> Acknowledged {
        self.told
    }

    /// What is dealt with now, if more than was told before.
    pub(super) fn acknowledged(&mut self) -> Option<Acknowledged> {
        let records = self.producer.durable.packets();
        let mut messages = self.told.messages;
        while let Some(&(end, bytes)) = self.waiting.front()
            && end <= records
        {
            self.waiting.pop_front();
            self.waiting_bytes -= bytes;
            messages += 1;
        }
        if messages == self.told.messages {
            return None;
        }
        self.told = Acknowledged { messages, records, quarantined: self.producer.quarantined() };
        Some(self.told)
    }
}
