//! API tokens: what programs prove with who they are. The token itself is shown once, its hash is kept.

use std::time::Duration;

use dashboard::access::{Grant, KnownPrincipal, Principal, SecretHash, hash, new_token};
use space_packet::TaiTime;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::evidence::record_in;
use super::remembered::Remembered;
use super::sessions::grant;
use super::{ArchiveError, Database};

/// The event that a token was made or ended.
const EVENT: &str = "STO-ADMIN-API-TOKEN";

/// The tokens in PostgreSQL.
pub struct ApiTokens {
    database: Database,
    known: Remembered,
}

/// A token that was made.
pub struct NewApiToken {
    /// Its text, a secret.
    pub text: String,
    /// When it was made.
    pub made_at: TaiTime,
    /// Until when it is good.
    pub expires: TaiTime,
}

/// A token, without what it is.
#[derive(Clone, Debug)]
pub struct ApiTokenRow {
    /// Its name, once among those in force.
    pub name: String,
    /// What it lets its holder do.
    pub grant: Grant,
    /// When it was made.
    pub made_at: TaiTime,
    /// Who made it, if that was written down.
    pub made_by: Option<String>,
    /// Until when it is good.
    pub expires: TaiTime,
    /// When it was revoked, if it was.
    pub revoked_at: Option<TaiTime>,
}

/// Why a token is not made.
#[derive(Debug, thiserror::Error)]
pub enum AddTokenError {
    /// PostgreSQL.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// One of this name is in force.
    #[error("a token of this name is in force")]
    Exists,
}

impl ApiTokens {
    /// The tokens of a database.
    pub fn new(database: Database) -> Self {
        Self { database, known: Remembered::default() }
    }

    /// Makes a token and returns it: it cannot be shown again.
    pub async fn add(
        &self,
        holder: &Principal,
        lasts: Duration,
        by: &str,
    ) -> Result<NewApiToken, AddTokenError> {
        let (text, made_at) = (new_token(), service::clock::now());
        let expires = made_at.plus_nanos(i64::try_from(lasts.as_nanos()).unwrap_or(i64::MAX));
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await.map_err(ArchiveError::from)?;
        // The name of one that is over is free again.
        let freed = transaction
            .execute(
                "UPDATE api_token SET revoked_at = expires
                 WHERE name = $1 AND revoked_at IS NULL AND expires <= $2",
                &[&holder.name, &made_at.0],
            )
            .await;
        freed.map_err(ArchiveError::from)?;
        let (name, Grant { role, missions }) = (&holder.name, &holder.grant);
        let (hash, names) = (hash(&text), missions.names());
        transaction
            .execute(
                "INSERT INTO api_token (token_hash, name, role, missions, made_at, expires, made_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                &[&hash.as_slice(), name, &role.word(), &names, &made_at.0, &expires.0, &by],
            )
            .await
            .map_err(|error| match error.code() {
                Some(&SqlState::UNIQUE_VIOLATION) => AddTokenError::Exists,
                _ => AddTokenError::Archive(error.into()),
            })?;
        let told = format!(
            "{by} made the token {name:?}, {} of {missions}, good until {}",
            role.word(),
            dashboard::rfc3339(expires)
        );
        record_in(&*transaction, None, EVENT, &told).await?;
        transaction.commit().await.map_err(ArchiveError::from)?;
        Ok(NewApiToken { text, made_at, expires })
    }

    /// Tokens there ever were, at most so many: those in force first, then newest first.
    pub async fn list(&self, limit: i64) -> Result<Vec<ApiTokenRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT role, missions, name, made_at, made_by, expires, revoked_at FROM api_token
                 ORDER BY revoked_at IS NULL AND expires > $1 DESC, made_at DESC, name LIMIT $2",
                &[&service::clock::now().0, &limit],
            )
            .await?;
        rows.iter().map(described).collect()
    }

    /// Revokes the token of a name; false when none in force has it.
    pub async fn revoke(&self, name: &str, by: &str) -> Result<bool, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        let revoked = transaction
            .execute(
                "UPDATE api_token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL",
                &[&name, &service::clock::now().0],
            )
            .await?;
        if revoked > 0 {
            record_in(&*transaction, None, EVENT, &format!("{by} revoked the token {name:?}")).await?;
        }
        transaction.commit().await?;
        self.known.forget_all_of(name);
        Ok(revoked > 0)
    }

    /// Whom a token stands for. While the database is away, one found before stays good.
    pub(super) async fn find(&self, token: SecretHash) -> Result<Option<KnownPrincipal>, ArchiveError> {
        self.known.find(token, self.look_up(token)).await
    }

    async fn look_up(&self, token: SecretHash) -> Result<Option<KnownPrincipal>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client
            .query_opt(
                "SELECT role, missions, name, expires FROM api_token
                 WHERE token_hash = $1 AND revoked_at IS NULL",
                &[&token.as_slice()],
            )
            .await?;
        row.map(|row| {
            let principal = Principal { name: row.get("name"), grant: grant(&row)? };
            Ok(KnownPrincipal { principal, expires: TaiTime(row.get("expires")) })
        })
        .transpose()
    }
}

fn described(row: &Row) -> Result<ApiTokenRow, ArchiveError> {
    let revoked_at: Option<i64> = row.get("revoked_at");
    Ok(ApiTokenRow {
        name: row.get("name"),
        grant: grant(row)?,
        made_at: TaiTime(row.get("made_at")),
        made_by: row.get("made_by"),
        expires: TaiTime(row.get("expires")),
        revoked_at: revoked_at.map(TaiTime),
    })
}
