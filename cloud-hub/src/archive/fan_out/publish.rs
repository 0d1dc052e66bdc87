//! The side of the hub that leads: what it committed goes out behind its back.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use service::logging::chain;
use service::metric::Metric;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::latest::LatestWriter;
use super::room::{Entrance, Exit, with_room};
use super::{FanOut, HandedOver, Lost, Standing};
use crate::archive::{Archive, Committed};

/// Sealed batches that wait to be published: four of the largest groups.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// Messages sent in one go: 4 MiB at most.
const MESSAGES_AT_ONCE: usize = 32;
const LATEST_INTERVAL: Duration = Duration::from_secs(1);

/// Where committed batches are handed over. Never waits.
pub struct Publisher {
    waiting: Entrance<HandedOver>,
}

/// What publishes them.
pub struct Publishing {
    fan_out: FanOut,
    waiting: Exit<HandedOver>,
    standing: Standing,
    latest: LatestWriter,
    is_latest_refused: bool,
}

impl FanOut {
    /// For the hub that leads: what it hands over, and the latest values of its archive, go to those that follow.
    pub fn publisher(&self, archive: Arc<Archive>) -> (Publisher, Publishing) {
        let (entrance, exit) = with_room(WAITING_BYTES_MAX);
        let publishing = Publishing {
            fan_out: self.clone(),
            waiting: exit,
            standing: Standing::new("to hand over what is committed"),
            latest: LatestWriter::new(self, archive),
            is_latest_refused: false,
        };
        (Publisher { waiting: entrance }, publishing)
    }
}

impl Publisher {
    /// Hands over rows that are committed, in the ledger's order, the first of them right behind `previous`. What finds no
    /// room is left out, and is read from the ledger.
    pub fn hand_over(&self, mut previous: i64, rows: &[Committed]) {
        for committed in rows {
            let handed_over = || HandedOver { previous, committed: committed.clone() };
            if !self.waiting.offer(HandedOver::bytes(committed), handed_over) {
                Metric::HubFanOutDropped.add(1);
            }
            previous = committed.ledger_id;
        }
    }
}

impl Publishing {
    /// Publishes until shutdown, whenever Redis is there.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            never = self.publish() => match never {},
        }
    }

    async fn publish(&mut self) -> Infallible {
        loop {
            let Err(lost) = self.publish_while_connected().await;
            let until = Instant::now() + self.standing.is_lost(&lost);
            // What waits now is old by the time Redis is back.
            while let Ok(dropped) = timeout_at(until, self.waiting.take(MESSAGES_AT_ONCE)).await {
                if dropped.is_empty() {
                    // The committer is gone, and nothing more will come.
                    std::future::pending::<()>().await;
                }
                Metric::HubFanOutDropped.add(dropped.len() as u64);
            }
        }
    }

    async fn publish_while_connected(&mut self) -> Result<Infallible, Lost> {
        let mut connection = self.fan_out.connect().await?;
        // Whether it may be done is known when it was done.
        let probe = self.fan_out.name("probe");
        redis::cmd("PUBLISH").arg(probe).arg("").query_async::<()>(&mut connection).await?;
        self.standing.is_back();
        self.latest.begin();
        let channel = self.fan_out.name("committed");
        let mut latest_due = interval(LATEST_INTERVAL);
        latest_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                handed_over = self.waiting.take(MESSAGES_AT_ONCE) => {
                    if handed_over.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    self.send(&mut connection, &channel, &handed_over).await?;
                }
                _ = latest_due.tick() => self.write_latest(&mut connection).await?,
            }
        }
    }

    async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        channel: &str,
        handed_over: &[HandedOver],
    ) -> Result<(), Lost> {
        let mut commands = redis::pipe();
        for one in handed_over {
            commands.cmd("PUBLISH").arg(channel).arg(one.write(&self.fan_out.seal)).ignore();
        }
        let sent = commands.query_async::<()>(connection).await;
        let outcome = if sent.is_ok() { Metric::HubFanOutPublished } else { Metric::HubFanOutDropped };
        outcome.add(handed_over.len() as u64);
        Ok(sent?)
    }

    /// A Redis that passes messages on and keeps nothing (its memory is full, say) is used for messages.
    async fn write_latest(&mut self, connection: &mut MultiplexedConnection) -> Result<(), Lost> {
        match self.latest.write(connection).await {
            Ok(()) => self.is_latest_refused = false,
            Err(error) if error.is_unrecoverable_error() || error.is_timeout() => return Err(error.into()),
            Err(error) => {
                self.latest.begin();
                if !std::mem::replace(&mut self.is_latest_refused, true) {
                    warn!(
                        error = chain(&error),
                        "STO-REDIS-REFUSED: Redis keeps no latest values, tried again every second; nothing else depends on them"
                    );
                }
            }
        }
        Ok(())
    }
}
