//! Asking the archive and its peer: cold, warm, and while samples come in.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use testkit::ground::GroundSegment;
use tokio_util::sync::CancellationToken;

use super::plain::PlainQuestions;
use super::questions::{Answer, Asked, Asker, POINTS, Question, Stock, Times};
use super::telemetry::Kind;
use super::{ASK_EVERY, Archive, BENCH, COLD_QUESTIONS, Filled, STOP_WITHIN};
use crate::figures::print;
use crate::processes::Usage;
use crate::scratch;

/// The plain table is asked for so long in one pass: a year of it takes 20 s each time.
const PLAIN_LONGEST: Duration = Duration::from_secs(60);

impl Archive {
    fn questions(&self) -> impl Iterator<Item = Question> {
        let has_year = self.year > 0;
        Question::ALL.into_iter().filter(move |question| has_year || *question != Question::Year)
    }

    /// After the hub and its PostgreSQL were started anew and none of their files is in memory.
    pub(super) async fn ask_cold(&self, filled: &mut Filled) -> anyhow::Result<()> {
        if self.cold == 0 {
            return Ok(());
        }
        let end = filled.stock.end;
        for question in self.questions() {
            let (mut ours, mut plain) = (Times::new()?, Times::new()?);
            for pass in 0..self.cold {
                restart_cold(&mut filled.ground, &filled.directory).await?;
                let asker = Asker::new(&filled.ground.hub_client().await?, filled.stock)?;
                let peer = self.peer(filled).await?;
                // Of the year there is one kind only: its second question would find what the first one read.
                let questions = if question == Question::Year { 1 } else { COLD_QUESTIONS };
                for number in 0..questions.min(u64::from(filled.stock.kinds)) {
                    let asked = filled.stock.ask(question, pass * questions + number, end);
                    ours.record(asker.ask(&asked).await?);
                    if let Some(answer) = ask_plain(peer.as_ref(), filled.stock, &asked).await? {
                        plain.record(answer);
                    }
                }
            }
            self.tell_times(question, "cold", &ours, peer_of(question, self.without_plain).then_some(&plain));
        }
        Ok(())
    }

    pub(super) async fn ask_warm(&self, filled: &Filled) -> anyhow::Result<()> {
        let end = filled.stock.end;
        let asker = Asker::new(&filled.ground.hub_client().await?, filled.stock)?;
        let peer = self.peer(filled).await?;
        for question in self.questions() {
            let (mut ours, mut plain) = (Times::new()?, Times::new()?);
            for is_measured in [false, true] {
                let mut plain_took = Duration::ZERO;
                for number in 0..self.questions {
                    let asked = filled.stock.ask(question, number, end);
                    let answer = asker.ask(&asked).await?;
                    let mut plain_answer = None;
                    if plain_took < PLAIN_LONGEST {
                        plain_answer = ask_plain(peer.as_ref(), filled.stock, &asked).await?;
                        plain_took += plain_answer.as_ref().map_or(Duration::ZERO, |answer| answer.took);
                    }
                    if is_measured {
                        ours.record(answer);
                        plain_answer.into_iter().for_each(|answer| plain.record(answer));
                    }
                }
            }
            self.tell_times(question, "warm", &ours, peer_of(question, self.without_plain).then_some(&plain));
        }
        Ok(())
    }

    /// All questions in turn, up to now, while samples come in.
    pub(super) async fn ask_beside(&self, filled: &mut Filled) -> anyhow::Result<()> {
        let client = filled.ground.hub_client().await?;
        let asker = Asker::new(&client, filled.stock)?;
        let hub = filled.ground.hub_process()?.id();
        let packets_per_s = self.beside / Kind::Many(0).parameters() as f64;
        let stop = CancellationToken::new();
        let before = archived(&client).await?;
        let (begun, usage) = (Instant::now(), Usage::of(hub, None)?);
        let load = filled.feed.stream(&mut filled.sources, packets_per_s, &stop);
        let questions: Vec<Question> = self.questions().collect();
        let stock = filled.stock;
        let asking = async {
            let mut times = Vec::new();
            for _ in &questions {
                times.push(Times::new()?);
            }
            let mut ticks = tokio::time::interval(ASK_EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut number = 0;
            while begun.elapsed() < Duration::from_secs(self.seconds) {
                ticks.tick().await;
                let place = number as usize % questions.len();
                let asked = stock.ask(questions[place], number, simulator::clock::now());
                times[place].record(asker.ask(&asked).await?);
                number += 1;
            }
            stop.cancel();
            anyhow::Ok(times)
        };
        let ((), times) = tokio::try_join!(load, asking)?;
        let seconds = begun.elapsed().as_secs_f64();
        let samples = (archived(&client).await? - before) as f64 * Kind::Many(0).parameters() as f64;
        let mut context = self.context("HTTP at the hub, one client, ranges up to now");
        context["samples_offered_per_s"] = json!(self.beside);
        context["samples_committed_per_s"] = json!((samples / seconds).round());
        for (question, times) in questions.iter().zip(times) {
            context["points"] = json!((*question != Question::Latest).then_some(POINTS));
            times.print(&format!("{}_beside_ingest", question.word()), &context);
        }
        for (process, cpu_s) in Usage::of(hub, None)?.since(usage).into_iter().skip(1) {
            context["process"] = json!(process);
            print(BENCH, "cpu_beside_ingest", cpu_s / seconds, "core", &context);
        }
        Ok(())
    }

    async fn peer(&self, filled: &Filled) -> anyhow::Result<Option<PlainQuestions>> {
        if self.without_plain {
            return Ok(None);
        }
        Ok(Some(PlainQuestions::new(crate::database::connect(&filled.directory).await?).await?))
    }

    fn tell_times(&self, question: Question, how: &str, ours: &Times, plain: Option<&Times>) {
        let mut context = self.context(match how {
            "cold" => {
                "first questions after hub and PostgreSQL were restarted and the pages of the database's files were \
                 given up (fadvise), each about another kind of packet"
            }
            _ => "asked before",
        });
        context["points"] = json!((question != Question::Latest).then_some(POINTS));
        context["interface"] = json!("HTTP at the hub, one client");
        let metric = format!("{}_{how}", question.word());
        ours.print(&metric, &context);
        if let Some(plain) = plain {
            context["interface"] = json!("SQL, minimum and maximum of each of so many buckets");
            plain.print(&format!("plain_{metric}"), &context);
            let ratio = plain.median_ms() / ours.median_ms();
            print(BENCH, &format!("plain_{metric}_of_ours"), ratio, "ratio", &context);
        }
    }
}

/// Starts the hub and its PostgreSQL anew, with nothing of their files in memory.
pub(crate) async fn restart_cold(ground: &mut GroundSegment, directory: &Path) -> anyhow::Result<()> {
    ground.hub_process()?.stop(STOP_WITHIN).await?;
    let database = directory.join("hub/data/database");
    ensure!(scratch::forget_pages(&database)? > 0, "there is no database in {}", database.display());
    ground.start_hub().await
}

/// Whether the plain table can be asked the same.
fn peer_of(question: Question, without_plain: bool) -> bool {
    !without_plain && question != Question::Latest
}

async fn ask_plain(
    peer: Option<&PlainQuestions>,
    stock: Stock,
    asked: &Asked,
) -> anyhow::Result<Option<Answer>> {
    let Some(peer) = peer.filter(|_| asked.question != Question::Latest) else { return Ok(None) };
    // Of the year it has one parameter.
    let place = if asked.kind == Kind::Yearly { 0 } else { asked.place };
    let parameter = stock.plain_number(asked.kind, place);
    let answer = peer.range(parameter, (asked.from, asked.to), POINTS).await?;
    ensure!(answer.found > 0, "the peer answered {asked:?} with nothing");
    Ok(Some(answer))
}

async fn archived(client: &testkit::client::Client) -> anyhow::Result<u64> {
    let all = client.get("/api/v1/nodes").await?;
    let nodes = all["nodes"].as_array().context("the hub tells its nodes")?;
    Ok(nodes.iter().filter_map(|node| node["archived_packets"].as_u64()).sum())
}
