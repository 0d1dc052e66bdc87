//! What is asked of the hub over HTTP, and how long answers take.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use space_packet::TaiTime;
use testkit::client::Client;

use super::telemetry::Kind;
use super::{BENCH, MISSION};
use crate::chance::Chance;
use crate::figures::print;

pub(super) const POINTS: u32 = 1_000;
const LATEST: usize = 200;
/// Longer than the hub lets a question run.
const PATIENCE: Duration = Duration::from_secs(60);
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
const NANOS_PER_S: i64 = 1_000_000_000;

/// A question whose answers are timed together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Question {
    /// Newest values of 200 parameters.
    Latest,
    /// An hour of one parameter.
    Hour,
    /// A day of one parameter.
    Day,
    /// All days of the parameters that come each second.
    Year,
}

impl Question {
    pub(super) const ALL: [Self; 4] = [Self::Latest, Self::Hour, Self::Day, Self::Year];

    /// In names of figures.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Latest => "latest_200",
            Self::Hour => "range_1h",
            Self::Day => "range_1d",
            Self::Year => "range_1y",
        }
    }
}

/// What there is to ask about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stock {
    /// Kinds of packets, all of which end at `end`.
    pub(super) kinds: u16,
    /// Where questions about the past end.
    pub(super) end: TaiTime,
    /// Days of the packet that comes each second.
    pub(super) year_days: u32,
}

/// One question with all that it asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) kind: Kind,
    /// Which parameter of the kind.
    pub(super) place: usize,
    pub(super) from: TaiTime,
    pub(super) to: TaiTime,
}

impl Stock {
    /// The `number`th question of its sort: each about another kind of packet, as far as there are some, so that none
    /// finds what the one before left in a cache.
    pub(super) fn ask(&self, question: Question, number: u64, to: TaiTime) -> Asked {
        let mut chance = Chance::new(number);
        let many = Kind::Many((number % u64::from(self.kinds)) as u16);
        let (kind, seconds) = match question {
            Question::Latest => (many, 0),
            Question::Hour => (many, HOUR_S),
            Question::Day => (many, DAY_S),
            Question::Year => (Kind::Yearly, i64::from(self.year_days) * DAY_S),
        };
        let place = chance.below(kind.parameters() as u64) as usize;
        Asked { question, kind, place, from: to.plus_nanos(-seconds * NANOS_PER_S), to }
    }

    /// Number of a kind's parameter in the peer's table.
    pub(super) fn plain_number(&self, kind: Kind, place: usize) -> i32 {
        let before = match kind {
            Kind::Many(number) => usize::from(number) * Kind::Many(0).parameters(),
            Kind::Yearly => usize::from(self.kinds) * Kind::Many(0).parameters(),
        };
        (before + place) as i32
    }

    fn latest_names(&self, first: Kind) -> Vec<String> {
        let first = match first {
            Kind::Many(number) => number,
            Kind::Yearly => 0,
        };
        let kinds = (0..self.kinds).map(|place| Kind::Many((first + place) % self.kinds));
        kinds
            .flat_map(|kind| (0..kind.parameters()).map(move |place| kind.parameter_name(place)))
            .take(LATEST)
            .collect()
    }
}

/// A browser, but for drawing.
pub(super) struct Asker {
    http: reqwest::Client,
    server: String,
    cookie: String,
    stock: Stock,
}

impl Asker {
    pub(super) fn new(client: &Client, stock: Stock) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let server = format!("http://{}/api/v1/missions/{MISSION}", client.server());
        Ok(Self { http, server, cookie: client.cookie().to_owned(), stock })
    }

    /// How long it takes until the whole answer is there, which must not be empty.
    pub(super) async fn ask(&self, asked: &Asked) -> anyhow::Result<Answer> {
        // Names and times need no escapes behind a question mark.
        let path = match asked.question {
            Question::Latest => {
                format!("latest?parameter={}", self.stock.latest_names(asked.kind).join("&parameter="))
            }
            Question::Hour | Question::Day | Question::Year => format!(
                "samples?parameter={}&from={}&to={}&points={POINTS}",
                asked.kind.parameter_name(asked.place),
                asked.from.to_utc(),
                asked.to.to_utc()
            ),
        };
        let request = self.http.get(format!("{}/{path}", self.server)).header(COOKIE, &self.cookie);
        let begun = Instant::now();
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        let took = begun.elapsed();
        let told = || String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
        ensure!(status.is_success(), "{asked:?} was answered {status}: {}", told());
        let answer: Value = serde_json::from_slice(&body)?;
        let found = match asked.question {
            Question::Latest => answer["values"].as_array().map_or(0, Vec::len) as u64,
            _ => answer["count"].as_u64().context("an answer in buckets counts samples")?,
        };
        ensure!(found > 0, "{asked:?} was answered with nothing: {}", told());
        Ok(Answer { took, found })
    }
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) took: Duration,
    /// Samples that it tells of, or buckets of them.
    pub(super) found: u64,
}

/// Times of answers, and how much was in the largest.
pub(super) struct Times {
    micros: Histogram<u64>,
    found_max: u64,
}

impl Times {
    pub(super) fn new() -> anyhow::Result<Self> {
        let micros = Histogram::new_with_max(PATIENCE.as_micros() as u64, 3)?;
        Ok(Self { micros, found_max: 0 })
    }

    pub(super) fn record(&mut self, answer: Answer) {
        self.micros.saturating_record(answer.took.as_micros() as u64);
        self.found_max = self.found_max.max(answer.found);
    }

    pub(super) fn median_ms(&self) -> f64 {
        self.micros.value_at_quantile(0.5) as f64 / 1e3
    }

    pub(super) fn print(&self, metric: &str, context: &Value) {
        let mut context = context.clone();
        context["answers"] = json!(self.micros.len());
        context["found_max"] = json!(self.found_max);
        context["max_ms"] = json!(self.micros.max() as f64 / 1e3);
        for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            let milliseconds = self.micros.value_at_quantile(quantile) as f64 / 1e3;
            print(BENCH, &format!("{metric}_{name}"), milliseconds, "ms", &context);
        }
    }
}
