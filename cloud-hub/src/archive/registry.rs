//! Nodes, their journals, tokens, certificates: who is known and how far each one is committed.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use delivery::{
    BatchSequence, BootId, ChainHash, Epoch, Lane, LogHead, OpenedLog, Ranges, ReceiptLog, SealedBatch,
    SessionNumber, StoreId,
};
use provisioning::{
    BookUnavailable, CertificateRecord, EnrolmentBook, Redeemed, Redemption, Refusal, Standing,
};
use service::logging::chain;
use space_packet::TaiTime;
use tokio_postgres::Row;
use tracing::warn;
use uuid::Uuid;

use super::certificates::insert_certificate;
use super::ledger::ranges_of;
use super::{ArchiveError, Database, LaneKey, OWN_STATION};

/// How long a machine may come back with a token it has used, for an answer that was lost.
const REPEAT_WITHIN_S: i64 = 15 * 60;

/// A node as recorded.
#[derive(Clone, Debug)]
pub struct NodeRow {
    /// Its identity.
    pub node_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub site: String,
    /// Whether it may forward.
    pub standing: Standing,
    /// When the hub last heard of it, TAI nanoseconds.
    pub last_contact: Option<i64>,
    /// What it last reported, JSON.
    pub report: Option<String>,
    /// Packets in the ledger.
    pub records: i64,
    /// Missions it may send for; absent: all.
    pub missions: Option<Vec<String>>,
}

/// Most journals a node may have had: more is no node that works.
const EPOCHS_MAX: i32 = 10_000;

/// A session, and how its logs stand.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    /// Its number.
    pub session: SessionNumber,
    /// Its logs, in the order they were named.
    pub logs: Vec<(LaneKey, OpenedLog)>,
}

/// Why no session was opened. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OpenRefused {
    /// The run of its process that asks was followed by another one.
    #[error(
        "another machine runs under this node's identity since, or this one was left behind: stop the one that should not run, or enrol it anew"
    )]
    Duplicate,
    /// The node has begun too many journals.
    #[error("the node has begun {EPOCHS_MAX} journals, more than any node that works")]
    Journals,
}

/// The tables of nodes.
#[derive(Clone)]
pub struct Registry {
    pub(super) database: Database,
}

impl Registry {
    /// The registry of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// All nodes, by name.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT node_id, name, site, standing, last_contact, report,
                        coalesce((SELECT sum(records) FROM lane WHERE lane.node_id = node.node_id), 0)::bigint,
                        missions
                 FROM node ORDER BY name",
                &[],
            )
            .await?;
        Ok(rows.iter().map(node_row).collect())
    }

    /// All nodes by name, without what was ever heard of them: asked every second.
    pub async fn standings(&self) -> Result<Vec<NodeRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let statement = client
            .prepare_cached(
                "SELECT node_id, name, site, standing, NULL::bigint, NULL::text, 0::bigint, missions
                 FROM node ORDER BY name",
            )
            .await?;
        let rows = client.query(&statement, &[]).await?;
        Ok(rows.iter().map(node_row).collect())
    }

    /// Opens a session: each journal gets its epoch, and earlier sessions of its lane are fenced off in the same
    /// transaction that reads how far it is committed.
    ///
    /// A journal that ends before what is committed of it, or is known to be another one, takes no lane over.
    pub async fn open_session(
        &self,
        node: Uuid,
        boot: BootId,
        heads: &[LogHead],
    ) -> Result<Result<OpenedSession, OpenRefused>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        // Prepared: after a restart of the hub all nodes come at once, and parsing cost more than carrying out.
        let open = transaction
            .prepare_cached(
                "UPDATE node SET session_number = session_number + 1, boot = $2,
                                 boot_before = CASE WHEN boot = $2 THEN boot_before ELSE boot END
                 WHERE node_id = $1 AND boot_before IS DISTINCT FROM $2 RETURNING session_number",
            )
            .await?;
        let opened = transaction.query_opt(&open, &[&node, &boot.0.as_slice()]).await?;
        let Some(opened) = opened else { return Ok(Err(OpenRefused::Duplicate)) };
        let session: i64 = opened.get(0);
        let mut logs = Vec::with_capacity(heads.len());
        for head in heads {
            match open_log(&transaction, node, session, head).await? {
                Some(log) => logs.push(log),
                None => return Ok(Err(OpenRefused::Journals)),
            }
        }
        transaction.commit().await?;
        Ok(Ok(OpenedSession { session: SessionNumber(session as u64), logs }))
    }

    /// Forgets which runs of a node's process were seen.
    pub async fn forget_boots(&self, node: Uuid) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        let statement = "UPDATE node SET boot = NULL, boot_before = NULL WHERE node_id = $1";
        client.execute(statement, &[&node]).await?;
        Ok(())
    }

    /// What of a lane is committed, and what its node may forget; absent when the journal is not known.
    pub async fn position(
        &self,
        node: Uuid,
        store: StoreId,
        lane: Lane,
    ) -> Result<Option<(Ranges, u64)>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT watermark, hash, spans, safe FROM lane JOIN node_epoch USING (node_id, epoch)
                 WHERE node_id = $1 AND store_id = $2 AND lane = $3",
                &[&node, &store.0.as_slice(), &i16::from(u8::from(lane))],
            )
            .await?;
        row.map(|row| lane_position(&row)).transpose()
    }

    /// The chain behind a batch that the ledger has under a number, or behind the gap that ends there.
    pub async fn chain_in_ledger(
        &self,
        lane: LaneKey,
        sequence: BatchSequence,
    ) -> Result<Option<ChainHash>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT sealed FROM ledger WHERE node_id = $1 AND epoch = $2 AND lane = $3 AND sequence = $4",
                &[&lane.node, &(lane.epoch as i32), &i16::from(lane.lane), &(sequence.0 as i64)],
            )
            .await?;
        let batch = row.map(|row| SealedBatch::parse(row.get(0))).transpose();
        let batch =
            batch.map_err(|error| ArchiveError::Damaged { what: "batch", source: Box::new(error) })?;
        Ok(batch.map(|batch| batch.position().hash))
    }

    /// The run of a node's process that opened its newest session.
    pub async fn boot(&self, node: Uuid) -> Result<Option<BootId>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client.query_opt("SELECT boot FROM node WHERE node_id = $1", &[&node]).await?;
        let boot = row.and_then(|row| row.get::<_, Option<Vec<u8>>>(0));
        Ok(boot.and_then(|boot| boot.try_into().ok()).map(BootId))
    }

    /// What is committed of all logs of a node, newest epochs first; safe is what was committed by `safe_at`.
    pub async fn logs(&self, node: Uuid, safe_at: TaiTime) -> Result<Vec<ReceiptLog>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT watermark, hash, spans, safe, store_id, epoch, lane,
                        (SELECT min(coalesce(gap_first, sequence)) FROM ledger
                         WHERE (ledger.node_id, ledger.epoch, ledger.lane) = (lane.node_id, lane.epoch, lane.lane)
                               AND committed_at > $2)
                 FROM lane JOIN node_epoch USING (node_id, epoch)
                 WHERE node_id = $1 ORDER BY epoch DESC, lane",
                &[&node, &safe_at.0],
            )
            .await?;
        let damaged = |what: &str| ArchiveError::Damaged { what: "lane", source: what.to_owned().into() };
        rows.iter()
            .map(|row| {
                let (committed, safe) = lane_position(row)?;
                let recent = row.get::<_, Option<i64>>(7);
                let settled = recent.map_or(committed.watermark(), |first| (first as u64).saturating_sub(1));
                let store: [u8; 16] =
                    row.get::<_, Vec<u8>>(4).try_into().map_err(|_| damaged("its store"))?;
                let lane = u8::try_from(row.get::<_, i16>(6)).ok().and_then(|lane| Lane::try_from(lane).ok());
                Ok(ReceiptLog {
                    store: StoreId(store),
                    lane: lane.ok_or_else(|| damaged("its number"))?,
                    epoch: Epoch(row.get::<_, i32>(5) as u32),
                    watermark: committed.watermark(),
                    safe: safe.max(settled).min(committed.watermark()),
                    hash: committed.hash(),
                })
            })
            .collect()
    }

    /// Remembers what was last heard of nodes, for the next start: of each when, and its report if there is one.
    pub async fn remember(&self, heard: &[(Uuid, i64, Option<String>)]) -> Result<(), ArchiveError> {
        let nodes: Vec<Uuid> = heard.iter().map(|(node, ..)| *node).collect();
        let contacts: Vec<i64> = heard.iter().map(|(_, contact, _)| *contact).collect();
        let reports: Vec<Option<&str>> = heard.iter().map(|(.., report)| report.as_deref()).collect();
        let client = self.database.borrow().await?;
        client
            .execute(
                "UPDATE node SET last_contact = heard.at, report = coalesce(heard.report, node.report)
                 FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS heard (node_id, at, report)
                 WHERE node.node_id = heard.node_id",
                &[&nodes, &contacts, &reports],
            )
            .await?;
        Ok(())
    }

    async fn redeem_token(&self, redemption: &Redemption) -> Result<Result<Redeemed, Refusal>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        let (id, secret, key) = (
            redemption.token_id.0.as_slice(),
            redemption.secret_sha256.as_slice(),
            redemption.key_sha256.as_slice(),
        );
        let now = redemption.now_unix as i64;
        // The one step of which two machines cannot both get through.
        let taken = transaction
            .query_opt(
                "UPDATE enrolment_token SET used_unix = $4, used_by_hostname = $5, used_key_sha256 = $3
                 WHERE token_id = $1 AND secret_sha256 = $2 AND used_unix IS NULL AND expires_unix > $4
                   AND ended_unix IS NULL
                 RETURNING node_name, site, missions",
                &[&id, &secret, &key, &now, &redemption.hostname],
            )
            .await?;
        let Some(taken) = taken else {
            return match self.repeated(redemption).await? {
                Some(redeemed) => Ok(Ok(redeemed)),
                None => self.why_refused(redemption).await.map(Err),
            };
        };
        let (name, site): (String, String) = (taken.get(0), taken.get(1));
        let missions: Option<Vec<String>> = taken.get(2);
        let node = transaction
            .query_opt(
                "INSERT INTO node (node_id, name, site, missions) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (name) DO UPDATE SET site = excluded.site, standing = 'active',
                                                  missions = coalesce(excluded.missions, node.missions)
                 WHERE node.node_id <> $5
                 RETURNING node_id",
                &[&Uuid::new_v4(), &name, &site, &missions, &OWN_STATION],
            )
            .await?;
        // The token is of a name that the hub's own station got since: no machine becomes that.
        let Some(node) = node else { return Ok(Err(Refusal::Unknown)) };
        let node_id: Uuid = node.get(0);
        transaction
            .execute("UPDATE enrolment_token SET node_id = $2 WHERE token_id = $1", &[&id, &node_id])
            .await?;
        // A machine that is replaced may have been stolen: its certificates are good for nothing from now on.
        transaction
            .execute(
                "UPDATE node_certificate SET superseded = true WHERE node_id = $1 AND key_sha256 <> $2",
                &[&node_id, &key],
            )
            .await?;
        transaction.commit().await?;
        Ok(Ok(Redeemed { node_id, name, site }))
    }

    /// The answer to a machine whose first answer was lost: the same token, the same key, a moment later.
    async fn repeated(&self, redemption: &Redemption) -> Result<Option<Redeemed>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT node.node_id, node.name, node.site FROM enrolment_token JOIN node USING (node_id)
                 WHERE token_id = $1 AND secret_sha256 = $2 AND used_key_sha256 = $3 AND used_unix > $4
                   AND standing = 'active'
                   AND used_unix = (SELECT max(used_unix) FROM enrolment_token AS any_token
                                    WHERE any_token.node_id = node.node_id)",
                &[
                    &redemption.token_id.0.as_slice(),
                    &redemption.secret_sha256.as_slice(),
                    &redemption.key_sha256.as_slice(),
                    &(redemption.now_unix as i64 - REPEAT_WITHIN_S),
                ],
            )
            .await?;
        Ok(row.map(|row| Redeemed { node_id: row.get(0), name: row.get(1), site: row.get(2) }))
    }

    /// Serial numbers of certificates whose machine was replaced.
    pub async fn superseded(&self) -> Result<HashSet<Vec<u8>>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client.query("SELECT serial FROM node_certificate WHERE superseded", &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn why_refused(&self, redemption: &Redemption) -> Result<Refusal, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT node_name, used_by_hostname, used_unix, expires_unix FROM enrolment_token
                 WHERE token_id = $1 AND secret_sha256 = $2",
                &[&redemption.token_id.0.as_slice(), &redemption.secret_sha256.as_slice()],
            )
            .await?;
        // A wrong secret learns nothing of the token.
        let Some(row) = row else { return Ok(Refusal::Unknown) };
        Ok(match row.get::<_, Option<i64>>(2) {
            Some(used_unix) => Refusal::Used {
                node_name: row.get(0),
                hostname: row.get::<_, Option<String>>(1).unwrap_or_default(),
                used_unix: used_unix as u64,
            },
            None => Refusal::Expired { expired_unix: row.get::<_, i64>(3) as u64 },
        })
    }

    async fn insert_certificate(&self, record: &CertificateRecord) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        insert_certificate(&**client, record).await
    }
}

impl EnrolmentBook for Registry {
    async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Refusal> {
        self.redeem_token(&redemption).await.unwrap_or_else(|error| {
            warn!(error = chain(&error), "token could not be redeemed");
            Err(Refusal::Unavailable)
        })
    }

    async fn record_certificate(&self, record: CertificateRecord) -> Result<(), BookUnavailable> {
        self.insert_certificate(&record).await.map_err(|error| {
            warn!(error = chain(&error), "certificate could not be recorded");
            BookUnavailable
        })
    }
}

fn node_row(row: &Row) -> NodeRow {
    let is_revoked = row.get::<_, &str>(3) == "revoked";
    NodeRow {
        node_id: row.get(0),
        name: row.get(1),
        site: row.get(2),
        standing: if is_revoked { Standing::Revoked } else { Standing::Active },
        last_contact: row.get(4),
        report: row.get(5),
        records: row.get(6),
        missions: row.get(7),
    }
}

/// Takes a log over for a session; `None` when there is no number for another journal.
async fn open_log(
    transaction: &Transaction<'_>,
    node: Uuid,
    session: i64,
    head: &LogHead,
) -> Result<Option<(LaneKey, OpenedLog)>, ArchiveError> {
    // The node's row is locked, so the next epoch is nobody else's. They count from 1 without holes.
    let find = transaction
        .prepare_cached(
            "WITH known AS (SELECT epoch FROM node_epoch WHERE node_id = $1 AND store_id = $2),
                  newest AS (SELECT coalesce((SELECT max(epoch) FROM node_epoch WHERE node_id = $1), 0) AS epoch),
                  added AS (INSERT INTO node_epoch (node_id, epoch, store_id)
                            SELECT $1, newest.epoch + 1, $2 FROM newest
                            WHERE newest.epoch < $3 AND NOT EXISTS (SELECT FROM known) RETURNING epoch)
             SELECT epoch FROM known UNION ALL SELECT epoch FROM added",
        )
        .await?;
    let epoch = transaction.query_opt(&find, &[&node, &head.store.0.as_slice(), &EPOCHS_MAX]).await?;
    let Some(epoch) = epoch.map(|row| row.get::<_, i32>(0)) else { return Ok(None) };
    let lane = u8::from(head.lane);
    let (number, empty) = (i16::from(lane), ChainHash::of_store(head.store, head.lane));
    // Waits for a commit of the session before: what it brought is read here. That nothing changes locks the row.
    let read = transaction
        .prepare_cached(
            "INSERT INTO lane (node_id, epoch, lane, session_number, hash) VALUES ($1, $2, $3, 0, $4)
             ON CONFLICT (node_id, epoch, lane) DO UPDATE SET session_number = lane.session_number
             RETURNING watermark, hash, spans, safe",
        )
        .await?;
    let row = transaction.query_one(&read, &[&node, &epoch, &number, &empty.0.as_slice()]).await?;
    let (committed, safe) = lane_position(&row)?;
    let opened = OpenedLog::judge(head, committed, safe);
    if !opened.is_fork && !head.is_forked {
        let take = transaction
            .prepare_cached(
                "UPDATE lane SET session_number = $4, head = greatest(head, $5)
                 WHERE node_id = $1 AND epoch = $2 AND lane = $3",
            )
            .await?;
        let newest = head.head.map_or(0, |head| head.0) as i64;
        transaction.execute(&take, &[&node, &epoch, &number, &session, &newest]).await?;
    }
    Ok(Some((LaneKey { node, epoch: epoch as u32, lane }, opened)))
}

fn lane_position(row: &Row) -> Result<(Ranges, u64), ArchiveError> {
    let committed = ranges_of(row.get(0), row.get(1), row.get(2))
        .ok_or_else(|| ArchiveError::Damaged { what: "lane", source: "its spans cannot be".into() })?;
    Ok((committed, row.get::<_, i64>(3) as u64))
}
