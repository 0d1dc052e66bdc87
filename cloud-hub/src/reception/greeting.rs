//! How a session begins: HELLO, the database's answer, HELLO_OK or HELLO_REJECT.

use std::sync::Arc;
use std::time::Duration;

use delivery::{
    Credit, Epoch, Frame, Goodbye, Hello, HelloOk, HelloReject, Inbox, LogHead, PROTOCOL_VERSION, RejectCode,
    SessionNumber,
};
use link::{FrameReader, FrameWriter};
use service::logging::chain;
use tokio::sync::Notify;
use tracing::warn;

use super::committer::SessionLane;
use super::session::{LOOK_AFTER_MS, Session, SessionEnd, send};
use crate::archive::{LaneKey, OpenRefused, OpenedSession};

/// A credit is this at least, whatever the number of sessions, and this at most.
const CREDIT_BYTES: std::ops::RangeInclusive<u64> = (256 << 10)..=(4 << 20);
/// Sessions that are reckoned with before they are there, so that the first do not take all.
const SESSIONS_EXPECTED: u64 = 64;
/// Reserve for alarms.
const ALARM_BYTES: u64 = 128 << 10;
/// After the hub's start live data go first: backlogs begin somewhere within this time for each thousand nodes.
const STORM: Duration = Duration::from_secs(10);
const BACKFILL_SPREAD_MS: u32 = 5_000;

/// A log of an open session.
pub(super) struct OpenLog {
    pub(super) key: LaneKey,
    pub(super) lane: Arc<SessionLane>,
}

/// An open session.
pub(super) struct Opened {
    pub(super) control: FrameWriter,
    pub(super) requests: FrameReader,
    pub(super) session: SessionNumber,
    pub(super) logs: Vec<OpenLog>,
    pub(super) inbox: Inbox,
    /// Told when the committer got further with one of the logs.
    pub(super) news: Arc<Notify>,
}

impl Session {
    pub(super) async fn greet(&self) -> Result<Opened, SessionEnd> {
        let (mut control, mut requests) = self.connection.accept_bi().await?;
        let hello = loop {
            let frame = requests.next().await?.ok_or(SessionEnd::Unexpected)?;
            match Frame::decode(frame.kind, &frame.body)? {
                Some(Frame::Hello(hello)) => break hello,
                Some(_) => return Err(SessionEnd::Unexpected),
                None => {}
            }
        };
        if hello.protocol != PROTOCOL_VERSION {
            let detail = format!("the hub speaks version {PROTOCOL_VERSION}, the node {}", hello.protocol);
            return reject(&mut control, RejectCode::Version, detail, LOOK_AFTER_MS).await;
        }
        if names_a_log_twice(&hello) {
            return Err(SessionEnd::Unexpected);
        }
        let opened = match self.registry.open_session(self.peer.node_id, hello.boot, &hello.logs).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(OpenRefused::Duplicate)) if !self.fleet.has_session(self.peer.node_id) => {
                // Nobody else is here any more: a HELLO that was long on its way must not shut the true node out.
                match self.registry.forget_boots(self.peer.node_id).await {
                    Ok(()) => {
                        warn!(node = %self.peer.node_id, "another run of this node was seen, it is gone");
                    }
                    Err(error) => warn!(error = chain(&error), "what ran before could not be forgotten"),
                }
                let detail = "another run of this node was seen and is gone; come again".to_owned();
                return reject(&mut control, RejectCode::Busy, detail, 1_000).await;
            }
            Ok(Err(refused)) => {
                return reject(&mut control, RejectCode::Duplicate, refused.to_string(), LOOK_AFTER_MS).await;
            }
            Err(error) => {
                warn!(error = chain(&error), "session could not be opened in the database");
                let detail = "the hub's database does not answer at the moment".to_owned();
                return reject(&mut control, RejectCode::Busy, detail, 1_000).await;
            }
        };
        let credit = self.credit();
        let ok = HelloOk {
            session: opened.session,
            logs: opened.logs.iter().map(|(key, log)| log.position(Epoch(key.epoch))).collect(),
            credit,
            backfill_after_ms: self.backfill_after_ms(),
            hub_time: service::clock::now(),
        };
        send(&mut control, &Frame::HelloOk(ok)).await?;
        Ok(self.open(control, requests, &hello, opened, credit))
    }

    fn open(
        &self,
        control: FrameWriter,
        requests: FrameReader,
        hello: &Hello,
        opened: OpenedSession,
        credit: Credit,
    ) -> Opened {
        let news = Arc::new(Notify::new());
        let logs = opened.logs.iter().map(|(key, log)| OpenLog {
            key: *key,
            lane: Arc::new(SessionLane::new(log, self.settings.safe_delay, Arc::clone(&news))),
        });
        let logs = logs.collect();
        let inbox =
            Inbox::new(hello.logs.iter().copied().zip(opened.logs.into_iter().map(|(_, log)| log)), credit);
        Opened { control, requests, session: opened.session, logs, inbox, news }
    }

    /// The hub's memory for batches under way is shared among sessions.
    fn credit(&self) -> Credit {
        let sessions = (self.fleet.sessions() as u64).max(SESSIONS_EXPECTED);
        let share = self.settings.memory_bytes / sessions;
        Credit {
            alarm_bytes: ALARM_BYTES,
            telemetry_bytes: share.clamp(*CREDIT_BYTES.start(), *CREDIT_BYTES.end()),
            linger_ms: self.load.linger_ms(),
        }
    }

    fn backfill_after_ms(&self) -> u32 {
        if self.settings.started.elapsed() > STORM {
            return 0;
        }
        // Each node has its own moment, the same after every restart.
        let spread =
            u32::from_be_bytes(self.peer.node_id.as_bytes()[..4].try_into().expect("16 bytes hold 4"));
        spread % BACKFILL_SPREAD_MS
    }
}

fn names_a_log_twice(hello: &Hello) -> bool {
    let log = |head: &LogHead| (head.store, head.lane);
    hello
        .logs
        .iter()
        .enumerate()
        .any(|(index, head)| hello.logs[..index].iter().any(|other| log(other) == log(head)))
}

/// What a node is told that must not be let in.
async fn reject<T>(
    control: &mut FrameWriter,
    code: RejectCode,
    detail: String,
    retry_after_ms: u32,
) -> Result<T, SessionEnd> {
    let end = SessionEnd::Rejected { code: code.code(), detail: detail.clone() };
    send(control, &Frame::HelloReject(HelloReject { code, detail, retry_after_ms })).await?;
    control.finish().await?;
    Err(end)
}

/// What a node is told at the end.
pub(super) fn goodbye(reason: String, retry_after_ms: u32, hubs: &[String]) -> Frame {
    Frame::Goodbye(Goodbye { reason, retry_after_ms, hubs: hubs.to_vec() })
}
