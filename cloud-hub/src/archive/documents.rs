//! Versions of dictionaries and limits, as the database has them.

use service::documents::{Bounds, ContentHash, DOCUMENT_BYTES_MAX, DocumentKind, MissionDocument};
use space_packet::TaiTime;
use tokio_postgres::{GenericClient, Row};

use super::evidence::record_in;
use super::{ArchiveError, Database};

/// zstd's own default: documents are written once and read seldom.
const ZSTD_LEVEL: i32 = 3;
/// The most that a frame of zstd says before its content, the content's length among it.
const FRAME_HEADER_BYTES: i32 = 18;

/// The event that a document was imported.
const EVENT: &str = "STO-ADMIN-DOCUMENT";

/// The documents of all missions.
#[derive(Clone)]
pub struct Documents {
    database: Database,
}

/// A document that is not imported yet: it has no number.
pub type NewDocument = MissionDocument;

/// What became of an import.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Imported {
    /// It is there, with this number, in force from this generation time on; absent: from the beginning.
    As(u32, Option<TaiTime>),
    /// The newest of its kind, with this number, has the same text and times: nothing was changed.
    Known(u32),
}

/// A document without its text.
#[derive(Clone, Debug)]
pub struct DocumentRow {
    /// Everything but the text, which is empty.
    pub document: MissionDocument,
    /// When it was imported, TAI nanoseconds.
    pub imported_at: i64,
    /// Length of its text.
    pub bytes: u64,
    /// Hash of its text.
    pub hash: ContentHash,
}

impl Documents {
    /// The documents of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The number of a mission, which is given to it when it is named first.
    pub async fn mission_id(&self, mission: &str) -> Result<i32, ArchiveError> {
        let client = self.database.borrow().await?;
        mission_id(&**client, mission).await
    }

    /// How many documents there are: changes when something was imported.
    pub async fn count(&self) -> Result<i64, ArchiveError> {
        let client = self.database.borrow().await?;
        Ok(client.query_one("SELECT count(*) FROM mission_document", &[]).await?.get(0))
    }

    /// The documents of a mission, by kind and number.
    pub async fn of(&self, mission: &str) -> Result<Vec<MissionDocument>, ArchiveError> {
        let client = self.database.borrow().await?;
        read(&**client, mission).await
    }

    /// The documents of a kind without their texts, by number; empty when there is no such mission.
    pub async fn list(&self, mission: &str, kind: DocumentKind) -> Result<Vec<DocumentRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT kind, number, effective_from, effective_to, file_name, bounds, author, reason, imported_at,
                        hash, substr(content, 1, $3) AS frame
                 FROM mission_document JOIN mission USING (mission_id)
                 WHERE mission.name = $1 AND kind = $2 ORDER BY number",
                &[&mission, &kind.word(), &FRAME_HEADER_BYTES],
            )
            .await?;
        rows.iter().map(listed).collect()
    }

    /// The documents of a kind by number, and when each was imported; empty when there is no such mission.
    pub async fn versions(
        &self,
        mission: &str,
        kind: DocumentKind,
    ) -> Result<Vec<(MissionDocument, TaiTime)>, ArchiveError> {
        let client = self.database.borrow().await?;
        numbered(&**client, mission, kind, None).await
    }

    /// One document, and when it was imported; `None` when there is none of this number.
    pub async fn one(
        &self,
        mission: &str,
        kind: DocumentKind,
        number: u32,
    ) -> Result<Option<(MissionDocument, TaiTime)>, ArchiveError> {
        let Ok(number) = i32::try_from(number) else { return Ok(None) };
        let client = self.database.borrow().await?;
        Ok(numbered(&**client, mission, kind, Some(number)).await?.pop())
    }

    /// Adds a document under the next number of its kind, after `check` found that it fits those that are there.
    /// One that does not say from when on it counts does so from now on; the first dictionary, from the beginning.
    /// Two imports at once wait for each other.
    ///
    /// A dry run only says what would become of it.
    pub async fn import<E: From<ArchiveError> + Send + 'static>(
        &self,
        mission: &str,
        new: &NewDocument,
        is_dry_run: bool,
        check: impl FnOnce(&[MissionDocument], &MissionDocument) -> Result<(), E> + Send + 'static,
    ) -> Result<Imported, E> {
        let statement = ArchiveError::from;
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await.map_err(statement)?;
        let mission_id = mission_id(&*transaction, mission).await?;
        let known = read(&*transaction, mission).await?;
        let newest = known.iter().rfind(|document| document.kind == new.kind);
        if let Some(newest) = newest.filter(|newest| says_the_same(newest, new)) {
            return Ok(Imported::Known(newest.number));
        }
        let now = service::clock::now();
        let is_first_dictionary = new.kind == DocumentKind::Dictionary && newest.is_none();
        let number = newest.map_or(1, |newest| newest.number + 1);
        let effective_from = new.effective_from.or((!is_first_dictionary).then_some(now));
        let new = MissionDocument { number, effective_from, ..new.clone() };
        // Compiling all versions takes a core for seconds.
        let checked = tokio::task::spawn_blocking(move || check(&known, &new).map(|()| new)).await;
        let new = checked
            .map_err(|error| ArchiveError::Damaged { what: "document", source: Box::new(error) })??;
        if is_dry_run {
            return Ok(Imported::As(number, effective_from));
        }
        let content = zstd::bulk::compress(new.content.as_bytes(), ZSTD_LEVEL)
            .map_err(|error| ArchiveError::Damaged { what: "document", source: Box::new(error) })?;
        transaction
            .execute(
                "INSERT INTO mission_document (mission_id, kind, number, effective_from, effective_to, file_name, hash,
                                               bounds, author, reason, imported_at, content)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                &[
                    &mission_id,
                    &new.kind.word(),
                    &(number as i32),
                    &new.effective_from.map(|time| time.0),
                    &new.effective_to.map(|time| time.0),
                    &new.file_name,
                    &new.hash().0.as_slice(),
                    &new.bounds.map(word),
                    &new.author,
                    &new.reason,
                    &now.0,
                    &content,
                ],
            )
            .await
            .map_err(statement)?;
        record_in(&*transaction, None, EVENT, &told(mission, &new)).await?;
        transaction.commit().await.map_err(statement)?;
        Ok(Imported::As(number, effective_from))
    }
}

/// What the event of an import says.
fn told(mission: &str, new: &NewDocument) -> String {
    let (kind, number) = (new.kind.word(), new.number);
    let by = new.author.as_deref().unwrap_or("somebody who gave no name");
    let reason = new.reason.as_deref().unwrap_or("no reason given");
    format!("{by} imported {kind} {number} of {mission}: {reason}")
}

/// Times that were not given are no difference: an import says "from now on" anew each time.
fn says_the_same(newest: &MissionDocument, new: &NewDocument) -> bool {
    let same_from = new.effective_from.is_none() || new.effective_from == newest.effective_from;
    newest.content == new.content
        && same_from
        && newest.effective_to == new.effective_to
        && newest.bounds == new.bounds
}

/// The mission's row stays locked until the transaction around ends.
async fn mission_id(client: &impl GenericClient, mission: &str) -> Result<i32, ArchiveError> {
    let row = client
        .query_one(
            "INSERT INTO mission (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
             RETURNING mission_id",
            &[&mission],
        )
        .await?;
    Ok(row.get(0))
}

/// The documents of a kind by number, or the one of a number, and when each was imported.
async fn numbered(
    client: &impl GenericClient,
    mission: &str,
    kind: DocumentKind,
    number: Option<i32>,
) -> Result<Vec<(MissionDocument, TaiTime)>, ArchiveError> {
    let rows = client
        .query(
            "SELECT kind, number, effective_from, effective_to, file_name, hash, bounds, author, reason, content,
                    imported_at
             FROM mission_document JOIN mission USING (mission_id)
             WHERE mission.name = $1 AND kind = $2 AND ($3::integer IS NULL OR number = $3) ORDER BY number",
            &[&mission, &kind.word(), &number],
        )
        .await?;
    rows.iter().map(|row| Ok((whole(row)?, TaiTime(row.get("imported_at"))))).collect()
}

async fn read(client: &impl GenericClient, mission: &str) -> Result<Vec<MissionDocument>, ArchiveError> {
    let rows = client
        .query(
            "SELECT kind, number, effective_from, effective_to, file_name, hash, bounds, author, reason, content
             FROM mission_document JOIN mission USING (mission_id) WHERE mission.name = $1 ORDER BY kind, number",
            &[&mission],
        )
        .await?;
    rows.iter().map(whole).collect()
}

fn listed(row: &Row) -> Result<DocumentRow, ArchiveError> {
    let damaged = |source: &str| ArchiveError::Damaged { what: "mission document", source: source.into() };
    let bytes = zstd::zstd_safe::get_frame_content_size(row.get("frame")).ok().flatten();
    let hash = row.get::<_, &[u8]>("hash").try_into();
    Ok(DocumentRow {
        document: document(row, String::new())?,
        imported_at: row.get("imported_at"),
        bytes: bytes.ok_or_else(|| damaged("its length is not said"))?,
        hash: ContentHash(hash.map_err(|_| damaged("its hash has another length"))?),
    })
}

fn whole(row: &Row) -> Result<MissionDocument, ArchiveError> {
    let damaged = |source: Box<dyn std::error::Error + Send + Sync>| ArchiveError::Damaged {
        what: "mission document",
        source,
    };
    let bytes = zstd::bulk::decompress(row.get("content"), DOCUMENT_BYTES_MAX)
        .map_err(|error| damaged(Box::new(error)))?;
    let content = String::from_utf8(bytes).map_err(|error| damaged(Box::new(error)))?;
    if ContentHash::of(&content).0.as_slice() != row.get::<_, &[u8]>("hash") {
        return Err(damaged("its hash does not fit".into()));
    }
    document(row, content)
}

fn document(row: &Row, content: String) -> Result<MissionDocument, ArchiveError> {
    let kind = DocumentKind::from_word(row.get("kind"));
    let kind = kind.ok_or_else(|| ArchiveError::Damaged {
        what: "mission document",
        source: "it is of an unknown kind".into(),
    })?;
    let time = |column: &str| row.get::<_, Option<i64>>(column).map(TaiTime);
    Ok(MissionDocument {
        kind,
        number: row.get::<_, i32>("number") as u32,
        effective_from: time("effective_from"),
        effective_to: time("effective_to"),
        file_name: row.get("file_name"),
        bounds: row.get::<_, Option<&str>>("bounds").map(|word| match word {
            "good" => Bounds::Good,
            _ => Bounds::Violation,
        }),
        author: row.get("author"),
        reason: row.get("reason"),
        content,
    })
}

fn word(bounds: Bounds) -> &'static str {
    match bounds {
        Bounds::Good => "good",
        Bounds::Violation => "violation",
    }
}
