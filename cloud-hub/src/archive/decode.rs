//! Decoding of what is committed. What came live is handed over by the committer and decoded at once; what came late is
//! read from the ledger again, as fast as there is time for it, so that a backlog of days holds up neither commits nor
//! screens.

use std::sync::Arc;
use std::time::Duration;

use service::logging::chain;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::head::{Place, Reached, Stream};
use super::{Archive, ArchiveError, Committed, Database, Ledger};

const RETRY_WAIT: Duration = Duration::from_millis(250);
const FULL_WAIT: Duration = Duration::from_millis(5);
/// Batches of a backlog decoded before looking whether there is more to it.
const BACKLOG_BATCHES: i64 = 256;
/// How much later than others the thread of the backlog runs: live data are decoded on the same cores.
const BACKLOG_NICE: i32 = 5;

/// A group that was committed.
#[derive(Debug)]
pub struct CommittedGroup {
    /// Of its batches those that came live.
    pub live: Vec<Committed>,
    /// Its last row.
    pub through: Place,
}

/// How far the ledger is committed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Newest {
    /// Its newest row.
    pub any: Place,
    /// The newest row that came late, as far as is known; 0 when none is.
    pub backlog_id: i64,
}

/// Decodes what came live until the committer is gone. Blocks: run it on its own thread, apart from the QUIC driver,
/// whose acknowledgements it would delay (measured).
///
/// While the head holds more than `samples_max` it waits for the cutter, and commits and nodes wait with it.
pub fn decode_live(archive: &Archive, mut groups: mpsc::Receiver<CommittedGroup>, samples_max: usize) {
    while let Some(group) = groups.blocking_recv() {
        if archive.is_over(samples_max) {
            warn!("segments are written too slowly, commits wait and nodes keep their data");
        }
        while archive.is_over(samples_max) && !groups.is_closed() {
            std::thread::sleep(FULL_WAIT);
        }
        archive.ingest(Stream::Live, &group.live, group.through);
    }
}

/// Decodes what came late until the committer is gone. Blocks.
///
/// While the head holds more than `samples_max` it waits; nothing waits for it.
pub fn decode_backlog(
    archive: &Archive,
    database: &Database,
    (runtime, mut newest): (&Handle, watch::Receiver<Newest>),
    samples_max: usize,
) {
    // Where the system does not allow it, it runs like the others.
    let _ = rustix::process::nice(BACKLOG_NICE);
    let mut reader = BacklogReader { client: None };
    loop {
        loop {
            let wanted = *newest.borrow_and_update();
            let reached = archive.reached();
            if reached.backlog.ledger_id >= wanted.any.ledger_id {
                break;
            }
            if wanted.backlog_id <= reached.backlog.ledger_id {
                archive.ingest(Stream::Backlog, &[], wanted.any);
                break;
            }
            while archive.is_over(samples_max) && newest.has_changed().is_ok() {
                std::thread::sleep(FULL_WAIT);
            }
            match runtime.block_on(reader.read(database, reached, wanted)) {
                Ok((batches, through)) => archive.ingest(Stream::Backlog, &batches, through),
                Err(error) => {
                    warn!(error = chain(&error), "backlog could not be read from the ledger, trying again");
                    reader.client = None;
                    std::thread::sleep(RETRY_WAIT);
                }
            }
            if newest.has_changed().is_err() {
                return;
            }
        }
        if runtime.block_on(newest.changed()).is_err() {
            return;
        }
    }
}

/// Reads the ledger behind what is decoded of it.
struct BacklogReader {
    client: Option<tokio_postgres::Client>,
}

impl BacklogReader {
    /// The next batches, and up to where these are all.
    async fn read(
        &mut self,
        database: &Database,
        reached: Reached,
        newest: Newest,
    ) -> Result<(Vec<Committed>, Place), ArchiveError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => database.connect().await?,
        };
        // Of what came live nothing is wanted.
        let only_backlog =
            Reached { live: Place { ledger_id: i64::MAX, ..reached.backlog }, backlog: reached.backlog };
        let mut rows = Ledger::read_behind(&client, &only_backlog, BACKLOG_BATCHES).await?;
        let mut batches = Vec::new();
        while let Some(committed) = rows.next().await? {
            batches.push(committed);
        }
        self.client = Some(client);
        let through = match batches.last() {
            Some(last) if batches.len() as i64 == BACKLOG_BATCHES => {
                Place { ledger_id: last.ledger_id, committed_at: last.committed_at }
            }
            // What was read may go beyond what was known.
            Some(last) if last.ledger_id > newest.any.ledger_id => {
                Place { ledger_id: last.ledger_id, committed_at: last.committed_at }
            }
            _ => newest.any,
        };
        Ok((batches, through))
    }
}

impl Archive {
    /// Reads back what is committed and neither in segments nor in the head, for whoever leads: what is more than the head
    /// may hold is cut. Of a backlog only as much as that is read: the rest is decoded beside what comes.
    pub async fn rebuild(
        self: &Arc<Self>,
        database: &Database,
        samples_max: usize,
    ) -> Result<(), ArchiveError> {
        let client = database.connect().await?;
        let mut batches = 0_u64;
        let reached = self.reached();
        let newest = Ledger::newest_of(&client).await?;
        let nothing = Place { ledger_id: i64::MAX, ..reached.live };
        let mut live =
            Ledger::read_behind(&client, &Reached { backlog: nothing, ..reached }, i64::MAX).await?;
        while let Some(committed) = live.next().await? {
            tokio::task::block_in_place(|| self.restore(&committed));
            batches += 1;
            if self.is_over(samples_max) {
                super::cut::cut_now(self, database).await?;
            }
        }
        drop(live);
        self.pass(Stream::Live, newest);
        let mut backlog =
            Ledger::read_behind(&client, &Reached { live: nothing, ..reached }, i64::MAX).await?;
        while !self.is_over(samples_max) {
            let Some(committed) = backlog.next().await? else {
                self.pass(Stream::Backlog, newest);
                break;
            };
            tokio::task::block_in_place(|| self.restore(&committed));
            batches += 1;
        }
        info!(batches, "head was rebuilt from the ledger");
        Ok(())
    }
}
