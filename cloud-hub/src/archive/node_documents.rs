//! Versions of what nodes are told about their hubs, as the database has them.

use delivery::{DocumentHash, DocumentHead, DocumentKind, DocumentSignature};
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::{ArchiveError, Database};

/// A version of the list of hubs, or of the authorities to trust.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeDocument {
    /// Which of the two.
    pub kind: DocumentKind,
    /// Its number; the greatest of its kind counts.
    pub number: u32,
    /// When it was made, TAI.
    pub made_at: TaiTime,
    /// Its text.
    pub content: String,
    /// Who signed it.
    pub signature: DocumentSignature,
}

impl NodeDocument {
    /// What goes before its text to a node, which is not packed yet.
    pub fn head(&self) -> DocumentHead {
        DocumentHead {
            mission: None,
            kind: self.kind,
            number: self.number,
            effective_from: None,
            effective_to: None,
            file_name: self.kind.word().to_owned(),
            bounds: None,
            author: None,
            reason: None,
            hash: DocumentHash::of(&self.content),
            text_bytes: self.content.len() as u64,
            packed_bytes: 0,
            signature: self.signature.clone(),
        }
    }
}

/// The table of them.
#[derive(Clone)]
pub struct NodeDocuments {
    database: Database,
}

impl NodeDocuments {
    /// The documents of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The newest version of each kind.
    pub async fn newest(&self) -> Result<Vec<NodeDocument>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT DISTINCT ON (kind) kind, number, made_at, content, authority, signature
                 FROM node_document ORDER BY kind, number DESC",
                &[],
            )
            .await?;
        rows.iter().map(document).collect()
    }

    /// Adds a version, which `sign` signs once it has its number. Two that add at once wait for each other.
    pub async fn add<E: From<ArchiveError>>(
        &self,
        kind: DocumentKind,
        content: &str,
        sign: impl FnOnce(&DocumentHead) -> Result<DocumentSignature, E>,
    ) -> Result<NodeDocument, E> {
        let statement = ArchiveError::from;
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await.map_err(statement)?;
        transaction.batch_execute("LOCK TABLE node_document IN EXCLUSIVE MODE").await.map_err(statement)?;
        let newest = transaction
            .query_one("SELECT coalesce(max(number), 0) FROM node_document WHERE kind = $1", &[&kind.word()])
            .await
            .map_err(statement)?;
        let made_at = service::clock::now();
        let number = (newest.get::<_, i64>(0) + 1).max(made_at.to_unix_nanos() / 1_000_000_000);
        let mut new = NodeDocument {
            kind,
            number: u32::try_from(number).unwrap_or(u32::MAX),
            made_at,
            content: content.to_owned(),
            signature: DocumentSignature::default(),
        };
        new.signature = sign(&new.head())?;
        transaction
            .execute(
                "INSERT INTO node_document (kind, number, made_at, content, authority, signature)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                &[
                    &kind.word(),
                    &i64::from(new.number),
                    &made_at.0,
                    &content,
                    &new.signature.authority.as_slice(),
                    &new.signature.bytes,
                ],
            )
            .await
            .map_err(statement)?;
        transaction.commit().await.map_err(statement)?;
        Ok(new)
    }
}

fn document(row: &Row) -> Result<NodeDocument, ArchiveError> {
    let damaged = |reason: &str| ArchiveError::Damaged { what: "node document", source: reason.into() };
    let kind = match row.get::<_, &str>("kind") {
        "endpoints" => DocumentKind::Endpoints,
        "trust" => DocumentKind::Trust,
        _ => return Err(damaged("it is of an unknown kind")),
    };
    let authority = row.get::<_, &[u8]>("authority").try_into();
    Ok(NodeDocument {
        kind,
        number: u32::try_from(row.get::<_, i64>("number")).map_err(|_| damaged("its number is too large"))?,
        made_at: TaiTime(row.get("made_at")),
        content: row.get("content"),
        signature: DocumentSignature {
            authority: authority.map_err(|_| damaged("its authority is no hash"))?,
            bytes: row.get("signature"),
        },
    })
}
