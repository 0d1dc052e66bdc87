//! Following: a hub that does not lead keeps its head by reading the ledger behind what it has read of it.
//!
//! A notification with each commit and each cut says that there is something to read, and looking once a second makes up
//! for one that is lost: only the place in the ledger counts. When the leader has cut, a new head is read behind the new
//! segments, beside the old one, and takes its place ([`Archive::replace_head`]).

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use processing::Account;
use service::logging::chain;
use space_packet::TaiTime;
use tokio::sync::Notify;
use tokio_postgres::{Client, GenericClient, IsolationLevel};
use tracing::{debug, warn};

use super::head::{Head, Place, Reached, Stream};
use super::{Archive, ArchiveError, Committed, Database, Ledger, account};

const CHANNEL: &str = "sto_ledger";
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Batches read at once: 96 KiB each at most.
const BATCHES: i64 = 256;

/// Tells followers, once the transaction is committed, that the ledger or its segments go up to a row.
pub(super) async fn tell(client: &impl GenericClient, ledger_id: i64) -> Result<(), ArchiveError> {
    client.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &ledger_id.to_string()]).await?;
    Ok(())
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
    heard: Arc<Notify>,
}

impl Follower {
    /// Keeps `archive`, whose head shall hold no more than `samples_max`: while it does, the leader is waited for to cut.
    pub fn new(archive: Arc<Archive>, database: Database, samples_max: usize) -> Self {
        Self { archive, database, samples_max, client: None, heard: Arc::default() }
    }

    /// Follows for ever. Dropped half-way it loses nothing: what was read is in the head, or is read again.
    pub async fn run(&mut self) -> Infallible {
        loop {
            if let Err(error) = self.catch_up().await {
                warn!(
                    error = chain(&error),
                    "ledger could not be followed, trying again; what is here is shown"
                );
            }
            tokio::select! {
                () = self.heard.notified() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Reads what is committed by now.
    pub async fn catch_up(&mut self) -> Result<(), ArchiveError> {
        let mut client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => self.database.listen(CHANNEL, Arc::clone(&self.heard)).await?,
        };
        self.read_on(&client).await?;
        let row = client.query_one("SELECT generation FROM segmented", &[]).await?;
        if row.get::<_, i64>(0) != self.archive.generation() {
            self.renew_head(&mut client).await?;
            // There is room again.
            self.read_on(&client).await?;
        }
        self.client = Some(client);
        Ok(())
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
            let Some(last) = last else { return Ok(()) };
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
    async fn renew_head(&self, client: &mut Client) -> Result<(), ArchiveError> {
        let archive = &self.archive;
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
        }
        debug!(generation, "head goes with newer segments");
        Ok(())
    }
}

fn is_reached(reached: &Reached, committed: &Committed) -> bool {
    let place = match Stream::of(committed.way) {
        Stream::Backlog => reached.backlog,
        Stream::Live => reached.live,
    };
    committed.ledger_id <= place.ledger_id
}
