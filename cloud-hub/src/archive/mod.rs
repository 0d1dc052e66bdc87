//! The archive: everything that names PostgreSQL.
//!
//! The **ledger** holds sealed batches as they came; **segments** hold samples in columns, built from it; the
//! **head** is what is committed and not yet in a segment, in memory, rebuilt from the ledger at a start. A
//! question is answered from segments and head together, without a seam ([`Archive`]).

mod account;
mod certificates;
mod cluster;
mod columns;
mod cut;
mod database;
mod decode;
mod documents;
mod evidence;
mod head;
mod layouts;
mod ledger;
mod merge;
mod months;
mod node_documents;
mod query;
mod readings;
mod registry;
mod reprocess;
mod retention;
mod segments;
mod sessions;
mod sql;
mod verify;

pub use account::{AccountRows, StationRow, Width, rows as account_rows, stations};
pub use certificates::{Certificates, RenewalRefused};
pub use cluster::{ClusterConfig, ClusterError, Durability, PrivateCluster};
pub use columns::{
    ColumnsError, decode_axis, decode_column, decode_rolled_axis, decode_rolled_column,
    encode as encode_table, encode_rolled,
};
pub use cut::{cut_now, run as run_cutter};
pub use database::{Address, ConnectFailure, Database};
pub use decode::{CommittedGroup, Newest, decode_backlog, decode_live};
pub use documents::{DocumentRow, Documents, Imported, NewDocument};
pub use evidence::{Evidence, HubEvent, KeptApart};
pub use head::{Archive, ArchivedMission, Committed, Place, Reached, Stream};
pub use ledger::{ApartCause, CommitGroup, LaneKey, Ledger, Received};
pub use merge::{merge_due, run as run_merger};
pub use node_documents::{NodeDocument, NodeDocuments};
pub use readings::{Covers, ReadingRow, ReadingTable};
pub use registry::{NodeRow, OpenRefused, OpenedSession, Registry};
pub use reprocess::{ReprocessError, ReprocessProgress, ReprocessRequest, reprocess};
pub use retention::{Kept, Retention, drop_old, keep, retention_of, run as run_retention};
pub use sessions::PostgresSessions;
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
    /// Another hub has written what this one was about to write.
    #[error("another hub has written segments to this database")]
    Foreign,
    /// A statement failed.
    #[error("PostgreSQL did not carry out a statement")]
    Statement(#[from] tokio_postgres::Error),
}

impl ArchiveError {
    /// Whether PostgreSQL refuses the data themselves, so that trying again cannot help (SQLSTATE classes 22 and 23).
    pub fn refuses_data(&self) -> bool {
        let Self::Statement(error) = self else { return false };
        error.code().is_some_and(|state| matches!(state.code().get(..2), Some("22" | "23")))
    }
}
