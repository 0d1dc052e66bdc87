//! Filling the archive and its peer, and what both take on disk.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use space_packet::TaiTime;

use super::feed::Feed;
use super::plain::Plain;
use super::questions::Stock;
use super::stored::Stored;
use super::telemetry::{Kind, Source};
use super::{Archive, BENCH, Filled, NANOS_PER_S, Ours, PATIENCE, PERIOD_NANOS, SEALED_AT_ONCE, SEED};
use crate::database;
use crate::figures::print;
use crate::processes::Usage;

/// Sends the packet of each second before the end; returns when the hub has them in segments.
pub(crate) async fn send_year(
    feed: &mut Feed,
    stored: &Stored,
    end: TaiTime,
    packets: u64,
) -> anyhow::Result<()> {
    let mut source = Source::new(Kind::Yearly, SEED);
    let mut left = packets;
    while left > 0 {
        let after = left.saturating_sub(SEALED_AT_ONCE);
        tokio::task::block_in_place(|| {
            for before_end in (after + 1..=left).rev() {
                source.go_on();
                feed.push(&source, year_moment(end, before_end));
            }
            feed.seal();
        });
        left = after;
        feed.deliver().await?;
    }
    database::segmented(stored.database(), PATIENCE).await
}

fn year_moment(end: TaiTime, before_end: u64) -> TaiTime {
    end.plus_nanos(-(before_end as i64) * NANOS_PER_S)
}

impl Archive {
    /// Samples a second until they are durable at the hub, and until they are in segments.
    pub(super) async fn fill(&self, filled: &mut Filled) -> anyhow::Result<Ours> {
        let stored = Stored::of(&filled.directory).await?;
        let hub = filled.ground.hub_process()?.id();
        let parameters = Kind::Many(0).parameters() as u64;
        let packets = self.moments(filled.stock.kinds) * u64::from(filled.stock.kinds);
        let (mut durable, mut segmented, mut sessions, mut made) = (Duration::ZERO, Duration::ZERO, 0, 0);
        let mut cpu = [("", 0.0); 4];
        while made < packets {
            let upto = packets.min(made + SEALED_AT_ONCE);
            tokio::task::block_in_place(|| {
                for number in made..upto {
                    let (place, time) = self.moment(filled.stock, number);
                    let source = &mut filled.sources[place];
                    source.go_on();
                    filled.feed.push(source, time);
                }
                filled.feed.seal();
            });
            made = upto;
            let (begun, before) = (Instant::now(), Usage::of(hub, None)?);
            sessions += filled.feed.deliver().await?;
            durable += begun.elapsed();
            database::segmented(stored.database(), PATIENCE).await?;
            segmented += begun.elapsed();
            for (sum, (process, seconds)) in cpu.iter_mut().zip(Usage::of(hub, None)?.since(before)) {
                *sum = (process, sum.1 + seconds);
            }
        }
        filled.samples += packets * parameters;
        let samples = filled.samples as f64;
        let mut context = self.context("sealed batches of one node, over QUIC, to PostgreSQL's commit");
        context["sessions"] = json!(sessions);
        let durable_per_s = samples / durable.as_secs_f64();
        print(BENCH, "samples_per_second_durable", durable_per_s, "1/s", &context);
        context["path"] = json!("sealed batches of one node, over QUIC, to segments");
        let segmented_per_s = samples / segmented.as_secs_f64();
        print(BENCH, "samples_per_second_in_segments", segmented_per_s, "1/s", &context);
        // The node is us.
        for (process, seconds) in cpu.into_iter().skip(1) {
            context["process"] = json!(process);
            print(BENCH, "cpu_per_sample", seconds * 1e9 / samples, "ns", &context);
        }
        Ok(Ours { durable_per_s, segmented_per_s, bytes_per_sample: 0.0 })
    }

    /// How often each kind comes.
    fn moments(&self, kinds: u16) -> u64 {
        self.samples.div_ceil(u64::from(kinds) * Kind::Many(0).parameters() as u64)
    }

    /// Which source's packet is the `number`th, and when it is made: all kinds in turn, so that the last is made right
    /// before the end.
    fn moment(&self, stock: Stock, number: u64) -> (usize, TaiTime) {
        let kinds = u64::from(stock.kinds);
        let before_end = (self.moments(stock.kinds) * kinds - number) as i64;
        let time = stock.end.plus_nanos(-before_end * (PERIOD_NANOS / i64::from(stock.kinds)));
        ((number % kinds) as usize, time)
    }

    pub(super) async fn fill_year(&self, filled: &mut Filled) -> anyhow::Result<()> {
        let stored = Stored::of(&filled.directory).await?;
        let packets = self.year_packets();
        let begun = Instant::now();
        send_year(&mut filled.feed, &stored, filled.stock.end, packets).await?;
        let samples = packets * Kind::Yearly.parameters() as u64;
        filled.samples += samples;
        let mut context =
            self.context("sealed batches of one node, over QUIC, to segments; sealing included");
        context["parameters_per_packet"] = json!(Kind::Yearly.parameters());
        context["samples"] = json!(samples);
        let rate = samples as f64 / begun.elapsed().as_secs_f64();
        print(BENCH, "year_samples_per_second", rate, "1/s", &context);
        Ok(())
    }

    fn year_moment(&self, stock: Stock, number: u64) -> TaiTime {
        year_moment(stock.end, self.year_packets() - number)
    }

    /// Bytes of every table for each of the samples there are; returns those of segments and roll-ups together.
    pub(super) async fn tell_sizes(&self, filled: &Filled, stock: &str) -> anyhow::Result<f64> {
        let stored = Stored::of(&filled.directory).await?;
        let merging = stored.merged(PATIENCE).await?;
        let samples = filled.samples as f64;
        let mut context = self.context("tables with indexes, after merging and VACUUM");
        context["stock"] = json!(stock);
        context["samples"] = json!(filled.samples);
        context["merging_s_after_the_last_sample"] = json!(merging.as_secs_f64().round());
        let mut archived = 0.0;
        for (table, columns) in [("ledger", "sealed"), ("segment", "columns"), ("rollup", "columns")] {
            stored.vacuum(table).await?;
            let size = stored.size(table, Some(columns)).await?;
            context["table"] = json!(table);
            context["rows"] = json!(size.rows);
            let per_sample = size.relation_bytes as f64 / samples;
            print(BENCH, "bytes_per_sample", per_sample, "byte", &context);
            let encoded = size.columns_bytes as f64 / samples;
            print(BENCH, "encoded_bytes_per_sample", encoded, "byte", &context);
            archived += if table == "ledger" { 0.0 } else { per_sample };
        }
        context["table"] = json!("segment and rollup");
        context["rows"] = Value::Null;
        print(BENCH, "bytes_per_sample", archived, "byte", &context);
        Ok(archived)
    }

    pub(super) async fn fill_plain(&self, filled: &Filled, ours: Ours) -> anyhow::Result<()> {
        let stored = Stored::of(&filled.directory).await?;
        let (stock, database) = (filled.stock, stored.database());
        let kinds = u64::from(stock.kinds);
        let packets = self.moments(stock.kinds) * kinds;
        let first = self.moment(stock, 0).1.min(self.year_moment(stock, 0));
        let mut plain = Plain::create(database, first, stock.end).await?;
        let mut sources: Vec<Source> =
            (0..stock.kinds).map(|kind| Source::new(Kind::Many(kind), SEED)).collect();
        for number in 0..packets {
            let (place, time) = self.moment(stock, number);
            let source = &mut sources[place];
            source.go_on();
            let time = source.generation(time);
            for (value, parameter) in source.numbers().zip(0..) {
                let parameter = stock.plain_number(Kind::Many(place as u16), parameter);
                plain.push(database, parameter, time, value).await?;
            }
        }
        plain.copy(database).await?;
        let context =
            self.context("COPY of binary rows, as they came, into a partitioned table with a btree");
        let rows_per_s = plain.copied as f64 / plain.took.as_secs_f64();
        print(BENCH, "plain_rows_per_second", rows_per_s, "1/s", &context);
        print(BENCH, "durable_of_plain", ours.durable_per_s / rows_per_s, "ratio", &context);
        print(BENCH, "in_segments_of_plain", ours.segmented_per_s / rows_per_s, "ratio", &context);
        // One parameter of the year is enough for its question.
        let mut source = Source::new(Kind::Yearly, SEED);
        let parameter = stock.plain_number(Kind::Yearly, 0);
        for number in 0..self.year_packets() {
            source.go_on();
            let value = source.numbers().next().context("the yearly kind has parameters")?;
            let time = source.generation(self.year_moment(stock, number));
            plain.push(database, parameter, time, value).await?;
        }
        plain.copy(database).await?;
        stored.vacuum("plain.sample").await?;
        let size = stored.size("plain.sample", None).await?;
        ensure!(
            size.rows as u64 == plain.copied,
            "{} rows were copied, {} are there",
            plain.copied,
            size.rows
        );
        let mut context = self.context("table with index, after VACUUM");
        context["rows"] = json!(size.rows);
        let bytes_per_row = size.relation_bytes as f64 / size.rows as f64;
        print(BENCH, "plain_bytes_per_row", bytes_per_row, "byte", &context);
        print(BENCH, "plain_bytes_of_ours", bytes_per_row / ours.bytes_per_sample, "ratio", &context);
        Ok(())
    }
}
