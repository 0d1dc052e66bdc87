//! Following: a hub that does not lead keeps its head by reading the ledger behind what it has read of it.
//!
//! A notification with each commit and each cut says that there is something to read, and looking once a second makes up
//! for one that is lost: only the place in the ledger counts. What the leader hands over by Redis spares the reading where
//! it comes right behind that place ([`super::fan_out`]). When the leader has cut, a new head is read behind the new
//! segments, beside the old one, and takes its place ([`Archive::replace_head`]).

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use processing::Account;
use service::logging::chain;
use service::metric::Metric;
use space_packet::TaiTime;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::{Client, GenericClient, IsolationLevel};
use tracing::{debug, warn};

use super::fan_out::{FanOut, HandedOver, LatestReader, Subscription};
use super::head::{Head, Place, Reached, Stream};
use super::{Archive, ArchiveError, Committed, Database, Ledger, account};

const CHANNEL: &str = "sto_ledger";
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Batches read at once: 96 KiB each at most.
const BATCHES: i64 = 256;

/// How long a row that is told of is waited for to be handed over before it is read: a fifth of what a follower may lag.
const HAND_OVER_WAIT: Duration = Duration::from_millis(10);

/// What followers are told of.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// The ledger goes up to a row.
    Rows(i64),
    /// There are newer segments.
    Segments,
}

/// Tells followers, once the transaction is committed.
pub(super) async fn tell(client: &impl GenericClient, told: Told) -> Result<(), ArchiveError> {
    let payload = match told {
        Told::Rows(ledger_id) => ledger_id.to_string(),
        Told::Segments => "segments".to_owned(),
    };
    client.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &payload]).await?;
    Ok(())
}

/// What a follower was told and has not looked at.
#[derive(Default)]
struct Heard {
    news: Notify,
    /// The ledger goes up to here.
    ledger_id: AtomicI64,
    /// Of newer segments.
    segments: AtomicBool,
}

impl Heard {
    fn hear(&self, payload: &str) {
        match payload.parse() {
            Ok(ledger_id) => self.ledger_id.store(ledger_id, Ordering::Release),
            // Whatever it is, looking is right.
            Err(_) => self.segments.store(true, Ordering::Release),
        }
        self.news.notify_one();
    }
}

/// How far the ledger is in segments, of which generation, and the account up to there: all of one moment.
pub(super) async fn segmented(client: &mut Client) -> Result<((Reached, i64), Account), ArchiveError> {
    let moment = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let moment = moment.start().await?;
    let sql = "SELECT live_ledger_id, backlog_ledger_id, committed_at, generation FROM segmented";
    let row = moment.query_one(sql, &[]).await?;
    let place = |column| Place { ledger_id: row.get(column), committed_at: TaiTime(row.get(2)) };
    let reached = Reached { live: place(0), backlog: place(1) };
    let account = account::restore(&moment).await?;
    moment.commit().await?;
    Ok(((reached, row.get(3)), account))
}

/// What keeps an archive up to date with what another hub commits.
pub struct Follower {
    archive: Arc<Archive>,
    database: Database,
    samples_max: usize,
    client: Option<Client>,
    heard: Arc<Heard>,
    by_redis: Option<ByRedis>,
}

/// What a follower has of a Redis.
struct ByRedis {
    subscription: Subscription,
    latest: LatestReader,
    /// What is told of is worth waiting for: the last row came in time, or late but it came.
    is_timely: bool,
}

impl Follower {
    /// Keeps `archive`, whose head shall hold no more than `samples_max`: while it does, the leader is waited for to cut.
    pub fn new(archive: Arc<Archive>, database: Database, samples_max: usize) -> Self {
        Self { archive, database, samples_max, client: None, heard: Arc::default(), by_redis: None }
    }

    /// From now on what the leader hands over is taken too.
    pub fn with_fan_out(mut self, fan_out: &FanOut) -> Self {
        let (subscription, latest) = (fan_out.subscribe(), LatestReader::new(fan_out));
        self.by_redis = Some(ByRedis { subscription, latest, is_timely: true });
        self
    }

    /// Follows for ever. Dropped half-way it loses nothing: what was read is in the head, or is read again.
    pub async fn run(&mut self) -> Infallible {
        loop {
            if let Err(error) = self.catch_up().await {
                warn!(
                    error = chain(&error),
                    "ledger could not be followed, trying again; what is here is shown"
                );
                // However much is handed over meanwhile.
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            self.take_handed_over().await;
        }
    }

    /// Takes what is handed over, until something must be read: a row that is told of and was not handed over, newer
    /// segments, or what nobody told of.
    async fn take_handed_over(&mut self) {
        let look_at = Instant::now() + LOOK_INTERVAL;
        let mut read_at = look_at;
        let mut awaited: Option<(i64, Instant)> = None;
        loop {
            tokio::select! {
                biased;
                handed_over = next_of(&mut self.by_redis) => {
                    if !self.take_next(handed_over) {
                        return;
                    }
                }
                () = self.heard.news.notified() => {}
                () = sleep_until(read_at) => {
                    if read_at < look_at && let Some(by_redis) = &mut self.by_redis {
                        by_redis.is_timely = false;
                    }
                    return;
                }
            }
            if self.heard.segments.load(Ordering::Acquire) || Instant::now() >= look_at {
                return;
            }
            let (told, reached) =
                (self.heard.ledger_id.load(Ordering::Acquire), self.archive.reached().both());
            let until = || Instant::now() + HAND_OVER_WAIT;
            awaited = awaited.filter(|(row, _)| *row > reached).or((told > reached).then(|| (told, until())));
            read_at = match awaited {
                None => look_at,
                Some((_, until)) if self.is_timely() => look_at.min(until),
                Some(_) => return,
            };
        }
    }

    fn is_timely(&self) -> bool {
        self.by_redis.as_ref().is_some_and(|by_redis| by_redis.is_timely)
    }

    /// Takes batches that come right behind what was read; false when there are others, which must be read.
    fn take_next(&self, handed_over: Vec<HandedOver>) -> bool {
        let (archive, mut next, mut is_whole) = (&self.archive, Vec::new(), true);
        let reached = archive.reached();
        let mut newest = reached.newest();
        for HandedOver { previous, committed } in handed_over {
            if committed.ledger_id <= newest {
                continue;
            }
            if previous != newest || reached.both() != reached.newest() {
                is_whole = false;
                break;
            }
            newest = committed.ledger_id;
            next.push(committed);
        }
        let Some(last) = next.last() else { return is_whole };
        // Live data go before a backlog when there is not room for both: so does who reads.
        if archive.is_over(self.samples_max / 2) {
            return false;
        }
        let last = Place { ledger_id: last.ledger_id, committed_at: last.committed_at };
        Metric::HubFollowHandedOver.add(next.len() as u64);
        let (live, backlog): (Vec<_>, Vec<_>) =
            next.into_iter().partition(|committed| Stream::of(committed.way) == Stream::Live);
        tokio::task::block_in_place(|| {
            self.take(Stream::Live, &live, last);
            self.take(Stream::Backlog, &backlog, last);
        });
        is_whole
    }

    /// Reads what is committed by now.
    pub async fn catch_up(&mut self) -> Result<(), ArchiveError> {
        let mut client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => {
                let heard = Arc::clone(&self.heard);
                self.database.listen(CHANNEL, move |payload| heard.hear(payload)).await?
            }
        };
        // Before looking at them: those that come meanwhile are looked at again.
        self.heard.segments.store(false, Ordering::Release);
        self.read_on(&client).await?;
        let row = client.query_one("SELECT generation FROM segmented", &[]).await?;
        if row.get::<_, i64>(0) != self.archive.generation() {
            self.renew_head(&mut client).await?;
            // There is room again.
            self.read_on(&client).await?;
        }
        self.client = Some(client);
        if self.archive.is_over(self.samples_max) {
            // What comes now is read when the leader has cut.
            self.show_latest().await;
        }
        Ok(())
    }

    async fn show_latest(&mut self) {
        if let Some(by_redis) = &mut self.by_redis {
            by_redis.latest.show(&self.archive).await;
        }
    }

    /// Reads both streams on, live data before a backlog when the head is nearly full.
    async fn read_on(&self, client: &Client) -> Result<(), ArchiveError> {
        let archive = &self.archive;
        while !archive.is_over(self.samples_max) {
            let mut from = archive.reached();
            let with_backlog = !archive.is_over(self.samples_max / 2);
            if !with_backlog {
                from.backlog = Place { ledger_id: i64::MAX, ..from.live };
            }
            let mut rows = Ledger::read_behind(client, &from, BATCHES).await?;
            let (mut live, mut backlog, mut last) = (Vec::new(), Vec::new(), None);
            let mut count = 0;
            while let Some(committed) = rows.next().await? {
                count += 1;
                last = Some(Place { ledger_id: committed.ledger_id, committed_at: committed.committed_at });
                match Stream::of(committed.way) {
                    Stream::Backlog => backlog.push(committed),
                    Stream::Live => live.push(committed),
                }
            }
            let Some(last) = last else {
                if with_backlog {
                    // Of neither stream there is anything between the two.
                    let newest =
                        if from.live.ledger_id > from.backlog.ledger_id { from.live } else { from.backlog };
                    archive.pass(Stream::Live, newest);
                    archive.pass(Stream::Backlog, newest);
                }
                return Ok(());
            };
            Metric::HubFollowRead.add(count as u64);
            tokio::task::block_in_place(|| {
                self.take(Stream::Live, &live, last);
                if with_backlog {
                    self.take(Stream::Backlog, &backlog, last);
                }
            });
            if count < BATCHES {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A stream that is ahead of the rows read stays there.
    fn take(&self, stream: Stream, committed: &[Committed], last: Place) {
        let reached = self.archive.reached();
        let reached = match stream {
            Stream::Backlog => reached.backlog,
            Stream::Live => reached.live,
        };
        let through = if last.ledger_id > reached.ledger_id { last } else { reached };
        self.archive.ingest(stream, committed, through);
    }

    /// Reads the head anew behind the newest segments, as far as it went.
    async fn renew_head(&mut self, client: &mut Client) -> Result<(), ArchiveError> {
        let archive = Arc::clone(&self.archive);
        let (newest, account) = segmented(client).await?;
        let ((behind, generation), went) = (newest, archive.reached());
        for mission in archive.missions() {
            let parameter_ids = mission.reads().parameter_ids;
            mission.layouts.load(client, mission.mission_id, &parameter_ids).await?;
        }
        let next = Mutex::new(Head::behind(newest, account));
        let mut rows = Ledger::read_behind(client, &behind, i64::MAX).await?;
        while let Some(committed) = rows.next().await? {
            if committed.ledger_id > went.newest() {
                break;
            }
            if is_reached(&went, &committed) {
                tokio::task::block_in_place(|| archive.read_again(&next, &committed));
            }
        }
        drop(rows);
        archive.replace_head(next);
        if behind.live.ledger_id > went.live.ledger_id || behind.backlog.ledger_id > went.backlog.ledger_id {
            // Cut before it was read here: the screens have not seen it.
            archive.refresh_latest(&self.database).await?;
            self.show_latest().await;
        }
        debug!(generation, "head goes with newer segments");
        Ok(())
    }
}

/// What is handed over next; never anything where there is no Redis.
async fn next_of(by_redis: &mut Option<ByRedis>) -> Vec<HandedOver> {
    let Some(by_redis) = by_redis else { return std::future::pending().await };
    let handed_over = by_redis.subscription.next(BATCHES as usize).await;
    if handed_over.is_empty() {
        // Nobody listens any more; what is told of is read.
        by_redis.is_timely = false;
        return std::future::pending().await;
    }
    by_redis.is_timely = true;
    handed_over
}

fn is_reached(reached: &Reached, committed: &Committed) -> bool {
    let place = match Stream::of(committed.way) {
        Stream::Backlog => reached.backlog,
        Stream::Live => reached.live,
    };
    committed.ledger_id <= place.ledger_id
}
