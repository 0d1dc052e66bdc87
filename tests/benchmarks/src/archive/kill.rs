//! A hub that is killed while much is in its memory only, and how soon it tells all of it again.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use space_packet::TaiTime;

use super::questions::{Asker, Question};
use super::stored::Stored;
use super::telemetry::Kind;
use super::{Archive, BENCH, Filled, STOP_WITHIN};
use crate::figures::print;
use crate::processes::memory_mib;

/// Nothing is cut by age while it is filled and killed.
const HEAD_AGE_MAX_S: u64 = 86_400;
/// Decoding that has added nothing for so long is done.
const CALM: Duration = Duration::from_secs(1);
const HOUR_NANOS: i64 = 3_600_000_000_000;

impl Archive {
    /// Seconds from the start after kill -9 until the hub is ready, and until an hour of what was in memory is answered.
    pub(super) async fn ask_after_kill(&self, filled: &mut Filled) -> anyhow::Result<()> {
        filled.ground.hub_process()?.stop(STOP_WITHIN).await?;
        let file = filled.ground.hub_file();
        file.head_age_max_s = Some(HEAD_AGE_MAX_S);
        file.head_samples_max = Some(self.killed * 2);
        filled.ground.start_hub().await?;

        let parameters = Kind::Many(0).parameters() as u64;
        let packets = self.killed.div_ceil(parameters);
        let kinds = u64::from(filled.stock.kinds);
        let end = simulator::clock::now();
        let apart_nanos = HOUR_NANOS / packets as i64;
        tokio::task::block_in_place(|| {
            for number in 0..packets {
                let source = &mut filled.sources[(number % kinds) as usize];
                source.go_on();
                filled.feed.push(source, end.plus_nanos(-((packets - number) as i64) * apart_nanos));
            }
            filled.feed.seal();
        });
        filled.feed.deliver().await?;
        // Decoding follows committing.
        let mut before = self.ask_hour(filled, end).await?;
        loop {
            tokio::time::sleep(CALM).await;
            let now = self.ask_hour(filled, end).await?;
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        let stored = Stored::of(&filled.directory).await?;
        let in_memory = stored.not_in_segments().await?;
        ensure!(in_memory >= packets as i64, "{in_memory} of {packets} packets are in memory only");

        filled.ground.hub_process()?.kill()?;
        let begun = Instant::now();
        filled.ground.start_hub().await?;
        let ready = begun.elapsed();
        let after = self.ask_hour(filled, end).await?;
        let answered = begun.elapsed();
        ensure!(after == before, "an hour had {before} samples before the kill, and {after} behind it");

        let mut context =
            self.context("kill -9 and start of the hub, PostgreSQL runs on; then an hour over HTTP");
        context["samples_in_memory_only"] = json!(packets * parameters);
        print(BENCH, "ready_after_kill", ready.as_secs_f64(), "s", &context);
        print(BENCH, "answered_after_kill", answered.as_secs_f64(), "s", &context);
        let (_, resident) = memory_mib(filled.ground.hub_process()?.id())?;
        print(BENCH, "hub_memory_after_kill", resident, "MiB", &context);
        Ok(())
    }

    /// Samples in an hour of one parameter.
    async fn ask_hour(&self, filled: &Filled, end: TaiTime) -> anyhow::Result<u64> {
        let asker = Asker::new(&filled.ground.hub_client().await?, filled.stock)?;
        let asked = filled.stock.ask(Question::Hour, 0, end);
        Ok(asker.ask(&asked).await.context("an hour is not answered")?.found)
    }
}
