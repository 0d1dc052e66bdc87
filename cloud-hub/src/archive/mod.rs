//! The archive: everything that names PostgreSQL.
//!
//! The **ledger** holds sealed batches as they came; **segments** hold samples in columns, built from it; the
//! **head** is what is committed and not yet in a segment, in memory, rebuilt from the ledger at a start. A
//! question is answered from segments and head together, without a seam ([`Archive`]).

mod account;
mod api_tokens;
mod certificates;
mod cluster;
mod columns;
mod cut;
mod database;
mod documents;
mod evidence;
mod head;
mod ledger;
mod node_documents;
mod query;
mod readings;
mod registry;
mod reprocess;
mod resume;
mod segments;
mod server_events;
mod sessions;

pub use account::{AccountRows, StationRow, Width, rows as account_rows, stations};
pub use api_tokens::{AddTokenError, ApiTokenRow, ApiTokens};
pub use certificates::{Certificates, RenewalRefused};
pub use cluster::{ClusterConfig, ClusterError, Durability, PrivateCluster};
pub use columns::{ColumnsError, decode as decode_columns, encode as encode_columns};
pub use cut::run as run_cutter;
pub use database::{Address, ConnectFailure, Database};
pub use documents::{DocumentRow, Documents, Imported, NewDocument};
pub use evidence::{Evidence, HubEvent, KeptApart};
pub use head::{Archive, ArchivedMission, Committed};
pub use ledger::{ApartCause, CommitGroup, LaneKey, Ledger, Received};
pub use node_documents::{NodeDocument, NodeDocuments};
pub use readings::{ReadingRow, ReadingTable};
pub use registry::{NodeRow, OpenRefused, OpenedSession, Registry};
pub use reprocess::{ReprocessError, ReprocessProgress, ReprocessRequest, reprocess};
pub use resume::archive_id;
pub use server_events::follow as follow_server_events;
pub use sessions::PostgresSessions;

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
