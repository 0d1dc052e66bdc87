//! Alarms' histories in the database: entries come with nodes' batches, in the transaction that commits them, or are
//! kept one act at a time by whichever hub somebody acts at. The tables are their union, so that it makes no difference
//! in which order and how often they come.

mod reading;
mod telling;
mod watched;

use delivery::{Content, NodeId};
use futures_util::FutureExt;
use processing::alarm::{Piece, PieceError, Place, Subject};
use space_packet::TaiTime;
use tokio_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{ArchiveError, Database, Received};

pub(super) use reading::drop_closed;
pub use reading::{AlarmStart, KnownEntry};
pub use telling::ToTell;
pub use watched::WatchState;

/// What hubs are told on when there is a new entry.
const CHANNEL: &str = "sto_alarms";

/// Why a node's piece is refused, whole. Its batch is committed all the same.
#[derive(Debug, thiserror::Error)]
pub enum PieceRefused {
    /// It is about another node.
    #[error("STO-ALARM-PLACE: a piece is of an alarm about another node; nothing of it was taken")]
    About,
    /// It is of another mission than its batch.
    #[error("STO-ALARM-PLACE: a piece is of another mission than its batch; nothing of it was taken")]
    Mission,
    /// It cannot be read.
    #[error(transparent)]
    Piece(#[from] PieceError),
    /// Somebody else wrote it.
    #[error("STO-ALARM-PLACE: a piece has entries of another place; nothing of it was taken")]
    Place,
    /// PostgreSQL keeps no text with a zero byte.
    #[error("STO-ALARM-PIECE: a name has a zero byte; nothing of it was taken")]
    ZeroByte,
}

impl PieceRefused {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::About | Self::Mission | Self::Place => "STO-ALARM-PLACE",
            Self::Piece(_) | Self::ZeroByte => "STO-ALARM-PIECE",
        }
    }
}

/// An entry as the table has it.
#[derive(Clone, Debug)]
struct NewEntry {
    subject: Subject,
    alarm: [u8; 16],
    first: i64,
    entry: [u8; 16],
    /// The node where it was made; absent: a hub.
    place: Option<Uuid>,
    recorded: i64,
    /// The entry alone, encoded.
    piece: Vec<u8>,
}

/// Entries that are to be stored.
#[derive(Clone, Debug, Default)]
pub(super) struct NewEntries(Vec<NewEntry>);

/// What the alarms' batches of a group hold.
#[derive(Debug, Default)]
pub struct AlarmBatches {
    /// What counts.
    pub(super) entries: NewEntries,
    /// What does not, and of which node.
    pub refused: Vec<(Uuid, PieceRefused)>,
}

impl AlarmBatches {
    /// Reads the pieces of those batches that have any.
    pub(super) fn of(batches: &[(i64, Received)]) -> Self {
        let mut found = Self::default();
        let of_alarms = |received: &&Received| {
            received.apart.is_none() && received.batch.header.content == Content::Alarms
        };
        for received in batches.iter().map(|(_, received)| received).filter(of_alarms) {
            // What does not open is kept apart.
            let Ok(open) = received.batch.open() else { continue };
            let (node, mission) = (received.lane.node, received.batch.header.mission.as_str());
            for record in open.records() {
                match piece_of(node, mission, record.bytes).and_then(|piece| found.entries.add(&piece)) {
                    Ok(()) => {}
                    Err(refused) => found.refused.push((node, refused)),
                }
            }
        }
        found
    }
}

/// Reads a node's piece, as far as the node may have written it.
fn piece_of(node: Uuid, mission: &str, bytes: &[u8]) -> Result<Piece, PieceRefused> {
    let piece = Piece::decode(bytes)?;
    let own = NodeId(node.into_bytes());
    if piece.subject.mission != mission {
        return Err(PieceRefused::Mission);
    }
    if piece.subject.node.is_some_and(|about| about != own) {
        return Err(PieceRefused::About);
    }
    if piece.entries.iter().any(|entry| entry.place != Place::Node(own)) {
        return Err(PieceRefused::Place);
    }
    Ok(piece)
}

impl NewEntries {
    /// Adds a piece's entries, or nothing.
    fn add(&mut self, piece: &Piece) -> Result<(), PieceRefused> {
        let Piece { subject, first, entries } = piece;
        if [&subject.mission, &subject.detector, &subject.parameter].iter().any(|name| name.contains('\0')) {
            return Err(PieceRefused::ZeroByte);
        }
        let alone = entries.iter().map(|entry| {
            let alone = Piece { subject: subject.clone(), first: *first, entries: vec![entry.clone()] };
            Ok(NewEntry {
                subject: subject.clone(),
                alarm: alone.alarm().0,
                first: first.0.0,
                entry: entry.id.0,
                place: match entry.place {
                    Place::Hub => None,
                    Place::Node(node) => Some(Uuid::from_bytes(node.0)),
                },
                recorded: entry.recorded.0,
                piece: alone.encode()?,
            })
        });
        self.0.extend(alone.collect::<Result<Vec<_>, PieceError>>()?);
        Ok(())
    }

    /// Stores them, in one statement; returns how many were new or replaced another one. Should the transaction of
    /// `client` go on behind it, other hubs' acts wait for its end.
    pub(super) async fn store(
        &self,
        client: &impl GenericClient,
        known: TaiTime,
    ) -> Result<u64, ArchiveError> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let subjects = || self.0.iter().map(|new| &new.subject);
        let missions: Vec<&str> = subjects().map(|subject| subject.mission.as_str()).collect();
        let alarms: Vec<&[u8]> = self.0.iter().map(|new| new.alarm.as_slice()).collect();
        let detectors: Vec<&str> = subjects().map(|subject| subject.detector.as_str()).collect();
        let parameters: Vec<&str> = subjects().map(|subject| subject.parameter.as_str()).collect();
        let about: Vec<Option<Uuid>> =
            subjects().map(|subject| subject.node.map(|node| Uuid::from_bytes(node.0))).collect();
        let firsts: Vec<i64> = self.0.iter().map(|new| new.first).collect();
        let entries: Vec<&[u8]> = self.0.iter().map(|new| new.entry.as_slice()).collect();
        let places: Vec<Option<Uuid>> = self.0.iter().map(|new| new.place).collect();
        let recorded: Vec<i64> = self.0.iter().map(|new| new.recorded).collect();
        let pieces: Vec<&[u8]> = self.0.iter().map(|new| new.piece.as_slice()).collect();
        let values: [&(dyn ToSql + Sync); 11] = [
            &known.0,
            &missions,
            &alarms,
            &detectors,
            &parameters,
            &about,
            &firsts,
            &entries,
            &places,
            &recorded,
            &pieces,
        ];
        let sql = "SELECT take_alarm_entries($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        // A large future: not every commit has to make room for it.
        let row = client.query_one(sql, &values).boxed().await?;
        Ok(row.get::<_, i64>(0).cast_unsigned())
    }
}

/// The tables of alarms.
#[derive(Clone)]
pub struct AlarmTable {
    database: Database,
}

impl AlarmTable {
    /// The tables of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Keeps what was written at this hub. It is durable when this returns, and whichever hub leads tells the nodes.
    pub async fn keep(&self, piece: &Piece, known: TaiTime) -> Result<(), ArchiveError> {
        let mut entries = NewEntries::default();
        let refused = |refused: PieceRefused| ArchiveError::Damaged { what: "alarm", source: refused.into() };
        entries.add(piece).map_err(refused)?;
        let client = self.database.borrow().await?;
        entries.store(&**client, known).await?;
        Ok(())
    }

    /// Calls `hear` whenever something was written, as long as the connection that comes back is open.
    pub async fn listen(
        &self,
        hear: impl Fn() + Send + 'static,
    ) -> Result<tokio_postgres::Client, ArchiveError> {
        self.database.listen(CHANNEL, move |_| hear()).await
    }
}
