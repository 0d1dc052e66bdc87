//! API tokens: what programs prove with who they are. The token itself is shown once, its hash is kept.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashboard::access::{Grant, KnownPrincipal, Principal, SecretHash, hash, new_token};
use space_packet::TaiTime;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::sessions::grant;
use super::{ArchiveError, Database};

/// How long a token that was found counts without being looked for again: so long one works after it was revoked.
const REMEMBERED_FOR: Duration = Duration::from_secs(5);
/// Tokens remembered; beyond, they are looked for again.
const REMEMBERED_MAX: usize = 1_024;

/// The tokens in PostgreSQL.
pub struct ApiTokens {
    database: Database,
    known: Mutex<HashMap<SecretHash, (Instant, KnownPrincipal)>>,
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
        Self { database, known: Mutex::default() }
    }

    /// Makes a token and returns it: it cannot be shown again.
    pub async fn add(&self, holder: &Principal, lasts: Duration) -> Result<String, AddTokenError> {
        let (token, now) = (new_token(), service::clock::now());
        let expires = now.plus_nanos(i64::try_from(lasts.as_nanos()).unwrap_or(i64::MAX));
        let client = self.database.borrow().await?;
        // The name of one that is over is free again.
        let freed = client
            .execute(
                "UPDATE api_token SET revoked_at = expires
                 WHERE name = $1 AND revoked_at IS NULL AND expires <= $2",
                &[&holder.name, &now.0],
            )
            .await;
        freed.map_err(ArchiveError::from)?;
        let (role, missions) = (holder.grant.role.word(), holder.grant.missions.names());
        let inserted = client
            .execute(
                "INSERT INTO api_token (token_hash, name, role, missions, made_at, expires)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                &[&hash(&token).as_slice(), &holder.name, &role, &missions, &now.0, &expires.0],
            )
            .await;
        match inserted {
            Ok(_) => Ok(token),
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Err(AddTokenError::Exists),
            Err(error) => Err(ArchiveError::from(error).into()),
        }
    }

    /// All tokens there ever were, newest first.
    pub async fn list(&self) -> Result<Vec<ApiTokenRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT role, missions, name, made_at, expires, revoked_at FROM api_token
                 ORDER BY made_at DESC, name",
                &[],
            )
            .await?;
        rows.iter().map(described).collect()
    }

    /// Revokes the token of a name; false when none in force has it.
    pub async fn revoke(&self, name: &str) -> Result<bool, ArchiveError> {
        let client = self.database.borrow().await?;
        let revoked = client
            .execute(
                "UPDATE api_token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL",
                &[&name, &service::clock::now().0],
            )
            .await?;
        Ok(revoked > 0)
    }

    /// Whom a token stands for. While the database is away, one found before stays good.
    pub(super) async fn find(&self, token: SecretHash) -> Result<Option<KnownPrincipal>, ArchiveError> {
        let remembered = self.known().get(&token).cloned();
        if let Some((found_at, known)) = &remembered
            && found_at.elapsed() < REMEMBERED_FOR
        {
            return Ok(Some(known.clone()));
        }
        match (self.look_up(token).await, remembered) {
            (Ok(Some(found)), _) => {
                let mut known = self.known();
                if known.len() >= REMEMBERED_MAX {
                    known.clear();
                }
                known.insert(token, (Instant::now(), found.clone()));
                Ok(Some(found))
            }
            (Ok(None), _) => {
                self.known().remove(&token);
                Ok(None)
            }
            (Err(_), Some((_, known))) => Ok(Some(known)),
            (Err(error), None) => Err(error),
        }
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

    fn known(&self) -> MutexGuard<'_, HashMap<SecretHash, (Instant, KnownPrincipal)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn described(row: &Row) -> Result<ApiTokenRow, ArchiveError> {
    let revoked_at: Option<i64> = row.get("revoked_at");
    Ok(ApiTokenRow {
        name: row.get("name"),
        grant: grant(row)?,
        made_at: TaiTime(row.get("made_at")),
        expires: TaiTime(row.get("expires")),
        revoked_at: revoked_at.map(TaiTime),
    })
}
