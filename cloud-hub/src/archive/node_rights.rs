//! Who may become a node, and what a node may: tokens that enrol machines, revocation, missions. Each act goes into the
//! hub's events in its own transaction, so that none is done which nobody can read of.

use provisioning::{TokenId, TokenRecord};
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::evidence::record_in;
use super::{ArchiveError, OWN_STATION, Registry};

/// The event that a token was made or ended.
const ENROLMENT: &str = "STO-ADMIN-ENROLMENT";
/// The event that a node's rights were changed.
const NODE: &str = "STO-ADMIN-NODE";

/// A token that enrols a machine, without its secret.
#[derive(Clone, Debug)]
pub struct EnrolmentTokenRow {
    /// Its name.
    pub id: TokenId,
    /// What the node is called.
    pub node_name: String,
    /// Where it stands.
    pub site: String,
    /// Missions the node may send for; absent: all, or those it may send for already.
    pub missions: Option<Vec<String>>,
    /// When it was made, Unix seconds, if that was written down.
    pub made_unix: Option<i64>,
    /// Who made it, if that was written down.
    pub made_by: Option<String>,
    /// Until when it can be used, Unix seconds.
    pub expires_unix: i64,
    /// When it was used, Unix seconds.
    pub used_unix: Option<i64>,
    /// What the machine that used it calls itself.
    pub used_by_hostname: Option<String>,
    /// When somebody ended it, Unix seconds.
    pub ended_unix: Option<i64>,
}

/// What became of an attempt to end a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenEnd {
    /// It is ended.
    Ended,
    /// It was used, ended or past its time before.
    Over,
    /// There is none of this name.
    Unknown,
}

impl Registry {
    /// Revokes a node; false when there is none of that name, or it is the hub's own station.
    pub async fn revoke(&self, name: &str, reason: &str, by: &str) -> Result<bool, ArchiveError> {
        let text = format!("{by} revoked {name}: {reason}");
        let statement =
            "UPDATE node SET standing = 'revoked' WHERE name = $1 AND node_id <> $2 RETURNING node_id";
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        let Some(row) = transaction.query_opt(statement, &[&name, &OWN_STATION]).await? else {
            return Ok(false);
        };
        record_in(&*transaction, Some(row.get(0)), NODE, &text).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Says which missions a node may send for; absent: all. False when there is no node of that name, or
    /// it is the hub's own station.
    pub async fn set_missions(
        &self,
        name: &str,
        missions: Option<&[String]>,
        by: &str,
    ) -> Result<bool, ArchiveError> {
        let text = format!("{by} lets {name} send for {}", told(missions));
        let statement = "UPDATE node SET missions = $2 WHERE name = $1 AND node_id <> $3 RETURNING node_id";
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        let Some(row) = transaction.query_opt(statement, &[&name, &missions, &OWN_STATION]).await? else {
            return Ok(false);
        };
        record_in(&*transaction, Some(row.get(0)), NODE, &text).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Keeps a token that somebody made.
    pub async fn insert_token(&self, token: &TokenRecord, by: &str) -> Result<(), ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        transaction
            .execute(
                "INSERT INTO enrolment_token (token_id, secret_sha256, node_name, site, expires_unix, missions,
                                              made_unix, made_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    &token.id.0.as_slice(),
                    &token.secret_sha256.as_slice(),
                    &token.node_name,
                    &token.site,
                    &(token.expires_unix as i64),
                    &token.missions,
                    &now_unix(),
                    &by,
                ],
            )
            .await?;
        let text = format!(
            "{by} made the token {} that enrols {} of {}, for {}, good until {}",
            token.id,
            token.node_name,
            token.site,
            told(token.missions.as_deref()),
            dashboard::rfc3339(TaiTime::from_unix_nanos(token.expires_unix as i64 * 1_000_000_000))
        );
        record_in(&*transaction, None, ENROLMENT, &text).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a token that was not used: whoever comes with it is told that its time is over.
    pub async fn end_token(&self, id: TokenId, by: &str) -> Result<TokenEnd, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        let ended = transaction
            .query_opt(
                "UPDATE enrolment_token SET ended_unix = $2, expires_unix = $2
                 WHERE token_id = $1 AND used_unix IS NULL AND ended_unix IS NULL AND expires_unix > $2
                 RETURNING node_name",
                &[&id.0.as_slice(), &now_unix()],
            )
            .await?;
        let Some(ended) = ended else {
            let known = "SELECT FROM enrolment_token WHERE token_id = $1";
            let known = transaction.query_opt(known, &[&id.0.as_slice()]).await?;
            return Ok(if known.is_some() { TokenEnd::Over } else { TokenEnd::Unknown });
        };
        let text = format!("{by} ended the token {id} that would have enrolled {}", ended.get::<_, &str>(0));
        record_in(&*transaction, None, ENROLMENT, &text).await?;
        transaction.commit().await?;
        Ok(TokenEnd::Ended)
    }

    /// Tokens there ever were, at most so many: those that can be used first, then newest first.
    pub async fn tokens(&self, limit: i64) -> Result<Vec<EnrolmentTokenRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT token_id, node_name, site, missions, made_unix, made_by, expires_unix, used_unix,
                        used_by_hostname, ended_unix
                 FROM enrolment_token
                 ORDER BY used_unix IS NULL AND expires_unix > $1 DESC, coalesce(made_unix, expires_unix) DESC,
                          token_id
                 LIMIT $2",
                &[&now_unix(), &limit],
            )
            .await?;
        rows.iter().map(token_row).collect()
    }
}

fn token_row(row: &Row) -> Result<EnrolmentTokenRow, ArchiveError> {
    let id = row.get::<_, &[u8]>("token_id").try_into();
    let damaged = |_| ArchiveError::Damaged { what: "token", source: "its id has another length".into() };
    Ok(EnrolmentTokenRow {
        id: TokenId(id.map_err(damaged)?),
        node_name: row.get("node_name"),
        site: row.get("site"),
        missions: row.get("missions"),
        made_unix: row.get("made_unix"),
        made_by: row.get("made_by"),
        expires_unix: row.get("expires_unix"),
        used_unix: row.get("used_unix"),
        used_by_hostname: row.get("used_by_hostname"),
        ended_unix: row.get("ended_unix"),
    })
}

fn told(missions: Option<&[String]>) -> String {
    match missions {
        None => "all missions".to_owned(),
        Some([]) => "no mission".to_owned(),
        Some(missions) => missions.join(", "),
    }
}

fn now_unix() -> i64 {
    service::clock::now().to_unix_nanos() / 1_000_000_000
}
