//! The peer: a partitioned table of one row a sample with a btree, in the hub's PostgreSQL.

use std::io::Cursor;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::SinkExt;
use space_packet::TaiTime;
use tokio_postgres::{Client, Statement};

use super::questions::Answer;

/// Rows made before each COPY, so that making them costs it nothing: 76 MB.
const ROWS_A_COPY: usize = 2_000_000;
const PIECE_BYTES: usize = 1 << 20;
/// Signature, flags and extension of PostgreSQL's binary COPY.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";
const COPY_TRAILER: [u8; 2] = [0xFF, 0xFF];
/// 2000-01-01 in Unix seconds.
const POSTGRESQL_EPOCH_S: i64 = 946_684_800;

/// Smallest and largest value of each bucket.
const BUCKETS: &str =
    "SELECT floor((extract(epoch FROM time)::float8 - $2) * $4::float8 / ($3 - $2))::int AS bucket,
                              min(value), max(value)
                       FROM plain.sample
                       WHERE parameter = $1 AND time >= to_timestamp($2::float8) AND time < to_timestamp($3::float8)
                       GROUP BY bucket ORDER BY bucket";

/// The table being filled, and what that takes.
pub(super) struct Plain {
    rows: Vec<u8>,
    waiting: usize,
    /// Rows that are committed.
    pub(super) copied: u64,
    /// What committing them took.
    pub(super) took: Duration,
}

impl Plain {
    /// Makes the table, with a partition for each month between two moments.
    pub(super) async fn create(database: &Client, from: TaiTime, to: TaiTime) -> anyhow::Result<Self> {
        database
            .batch_execute(
                "CREATE SCHEMA plain;
                 CREATE TABLE plain.sample (parameter integer, time timestamptz, value double precision)
                     PARTITION BY RANGE (time);
                 CREATE INDEX ON plain.sample (parameter, time)",
            )
            .await
            .context("the peer's table was not made")?;
        let months = database
            .query(
                "SELECT to_char(month, 'YYYY_MM'), month::text, (month + interval '1 month')::text
                 FROM generate_series(date_trunc('month', to_timestamp($1)), to_timestamp($2), interval '1 month')
                     AS month",
                &[&unix_seconds(from), &unix_seconds(to)],
            )
            .await?;
        for row in months {
            let (name, first, end): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
            let sql = format!(
                "CREATE TABLE plain.sample_{name} PARTITION OF plain.sample FOR VALUES FROM ('{first}') TO ('{end}')"
            );
            database.batch_execute(&sql).await.with_context(|| sql.clone())?;
        }
        Ok(Self { rows: COPY_HEADER.to_vec(), waiting: 0, copied: 0, took: Duration::ZERO })
    }

    /// Takes a row, and copies those that wait when there are many.
    pub(super) async fn push(
        &mut self,
        database: &Client,
        parameter: i32,
        time: TaiTime,
        value: f64,
    ) -> anyhow::Result<()> {
        let micros = time.to_unix_nanos() / 1_000 - POSTGRESQL_EPOCH_S * 1_000_000;
        let rows = &mut self.rows;
        rows.extend_from_slice(&3_u16.to_be_bytes());
        rows.extend_from_slice(&4_u32.to_be_bytes());
        rows.extend_from_slice(&parameter.to_be_bytes());
        rows.extend_from_slice(&8_u32.to_be_bytes());
        rows.extend_from_slice(&micros.to_be_bytes());
        rows.extend_from_slice(&8_u32.to_be_bytes());
        rows.extend_from_slice(&value.to_be_bytes());
        self.waiting += 1;
        if self.waiting == ROWS_A_COPY {
            self.copy(database).await?;
        }
        Ok(())
    }

    /// Commits the rows that wait.
    pub(super) async fn copy(&mut self, database: &Client) -> anyhow::Result<()> {
        self.rows.extend_from_slice(&COPY_TRAILER);
        let begun = Instant::now();
        let sink = database.copy_in("COPY plain.sample FROM STDIN (FORMAT binary)").await?;
        let mut sink = std::pin::pin!(sink);
        for piece in self.rows.chunks(PIECE_BYTES) {
            sink.send(Cursor::new(piece.to_vec())).await?;
        }
        self.copied += sink.finish().await?;
        self.took += begun.elapsed();
        self.rows.truncate(COPY_HEADER.len());
        self.waiting = 0;
        Ok(())
    }
}

/// Questions to the finished table.
pub(super) struct PlainQuestions {
    database: Client,
    buckets: Statement,
}

impl PlainQuestions {
    pub(super) async fn new(database: Client) -> anyhow::Result<Self> {
        let buckets = database.prepare(BUCKETS).await?;
        Ok(Self { database, buckets })
    }

    /// The extremes of each of so many buckets.
    pub(super) async fn range(
        &self,
        parameter: i32,
        (from, to): (TaiTime, TaiTime),
        points: u32,
    ) -> anyhow::Result<Answer> {
        let (from, to, points) = (unix_seconds(from), unix_seconds(to), f64::from(points));
        let begun = Instant::now();
        let rows = self.database.query(&self.buckets, &[&parameter, &from, &to, &points]).await?;
        Ok(Answer { took: begun.elapsed(), found: rows.len() as u64 })
    }
}

fn unix_seconds(time: TaiTime) -> f64 {
    time.to_unix_nanos() as f64 / 1e9
}
