//! The archive: everything that names PostgreSQL, and Redis beside it.
//!
//! The **ledger** holds sealed batches as they came; **segments** hold samples in columns, built from it; the
//! **head** is what is committed and not yet in a segment, in memory, rebuilt from the ledger at a start. A
//! question is answered from segments and head together, without a seam ([`Archive`]). Of several hubs on a database one
//! leads ([`Lease`]); the others keep their heads by reading the ledger ([`Follower`]).

mod account;
mod alarms;
mod api_tokens;
mod backfill;
mod certificates;
mod cluster;
mod columns;
mod cut;
mod dashboards;
mod database;
mod decode;
mod documents;
mod evidence;
mod fan_out;
mod follow;
mod head;
mod hubs;
mod inventory;
mod layouts;
mod lease;
mod ledger;
mod listed;
mod merge;
mod months;
mod node_detail;
mod node_documents;
mod node_rights;
mod notices;
mod orbits;
mod own_station;
mod packets;
mod posted;
mod problem;
mod query;
mod question;
mod readers;
mod readings;
mod registry;
mod remembered;
mod reprocess;
mod resume;
mod retention;
mod roles;
mod segments;
mod server_events;
mod sessions;
mod sql;
mod verify;

use tokio_postgres::error::SqlState;

pub use account::{AccountRows, StationRow, Width, rows as account_rows, stations};
pub use alarms::{AlarmStart, AlarmTable, KnownEntry, PieceRefused, ToTell, WatchState};
pub use api_tokens::{AddTokenError, ApiTokenRow, ApiTokens, NewApiToken};
pub use backfill::{Asked, BackfillRow, BackfillStanding, BackfillTable};
pub use certificates::{Certificates, RenewalRefused};
pub use cluster::{
    BackupError, ClusterConfig, ClusterError, Durability, Pages, PagesError, PrivateCluster, SUPERUSER,
    check_pages, enable_checksums, restore,
};
pub use columns::{
    ColumnsError, decode_axis, decode_column, decode_rolled_axis, decode_rolled_column,
    encode as encode_table, encode_rolled,
};
pub use cut::{cut_now, run as run_cutter};
pub use dashboards::DashboardTable;
pub use database::{Address, ConnectFailure, Database};
pub use decode::{CommittedGroup, Newest, decode_backlog, decode_live};
pub use documents::{DocumentRow, Documents, Imported, NewDocument};
pub use evidence::{Evidence, HubEvent, KeptApart};
pub use fan_out::{FanOut, HandedOver, Publisher, Publishing, RedisUrlError, Seal, read_value, write_value};
pub use follow::Follower;
pub use head::{Archive, ArchivedMission, Committed, Place, Reached, Stream};
pub use hubs::{ConnectedHub, connected_hubs};
pub use inventory::{Inventory, Replica, TableSize};
pub use lease::{Lead, Lease, leader};
pub use ledger::{ApartCause, CommitGroup, LaneKey, Ledger, Received};
pub use merge::{merge_due, run as run_merger};
pub use node_detail::{LaneRecord, NodeRecord, node_record};
pub use node_documents::{NodeDocument, NodeDocuments};
pub use node_rights::{EnrolmentTokenRow, TokenEnd};
pub use notices::{
    LastOutcome, NewNotice, NoticeTable, Outcome, RATE_MAX, ReadyNotice, WAITING_MAX, Waiting,
};
pub use orbits::OrbitTable;
pub use own_station::{OWN_STATION, OWN_STORE, OwnStation};
pub use packets::RawPackets;
pub use posted::Posting;
pub(crate) use problem::problem;
pub use question::Question;
pub use readers::{NoReaderName, ReaderName, ReaderRefused, admit_reader, has_reader};
pub use readings::{Covers, ReadingRow, ReadingTable};
pub use registry::{NodeRow, OpenRefused, OpenedSession, Registry};
pub use reprocess::{ReprocessError, ReprocessProgress, ReprocessRequest, reprocess};
pub use resume::archive_id;
pub use retention::{Kept, Retention, drop_old, keep, retention_of, run as run_retention};
pub use server_events::follow as follow_events;
pub use sessions::{LoginKind, LoginRow, NewCode, PostgresSessions};
/// A connection, for what takes one.
pub use tokio_postgres::Client;
pub use verify::{Verified, verify};

/// A statement that PostgreSQL did not carry out, or a connection it did not give.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No connection.
    #[error("no connection to PostgreSQL")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be read.
    #[error("a stored {what} is damaged")]
    Damaged {
        /// What.
        what: &'static str,
        /// How.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another hub leads. What this one was about to write is not written, and what it wrote stays.
    #[error("STO-HUB-FENCED: another hub leads; this one wrote nothing since")]
    Fenced,
    /// Another hub has written what this one was about to write.
    #[error("another hub has written segments to this database")]
    Foreign,
    /// A statement failed.
    #[error("PostgreSQL did not carry out a statement")]
    Statement(#[from] tokio_postgres::Error),
}

impl ArchiveError {
    /// Whether PostgreSQL ended a statement because it, or a lock it waited for, took too long.
    pub fn is_timeout(&self) -> bool {
        let ended = [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE];
        matches!(self, Self::Statement(error) if error.code().is_some_and(|state| ended.contains(state)))
    }

    /// Whether PostgreSQL refuses the data themselves, so that trying again cannot help (SQLSTATE classes 22 and 23).
    pub fn refuses_data(&self) -> bool {
        let Self::Statement(error) = self else { return false };
        error.code().is_some_and(|state| matches!(state.code().get(..2), Some("22" | "23")))
    }
}
