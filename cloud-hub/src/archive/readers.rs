//! People and programs that read a mission's rows in the database themselves: psql, Grafana.

use std::fmt;
use std::str::FromStr;

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::Client;

use super::ArchiveError;
use super::roles::{READER, exists};

/// Connections of one reader at once: it shares the server with what nodes wait for.
const CONNECTIONS_MAX: u32 = 10;
const STATEMENT_TIMEOUT: &str = "30s";
const NAME_BYTES_MAX: usize = 40;

/// What a reader's role is called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReaderName(String);

/// A text that is no reader's name.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "a reader's name is 1 to {NAME_BYTES_MAX} lower-case letters, digits, dashes and underscores, begins with a letter \
     and not with `sto`, `pg_` or `postgres`"
)]
pub struct NoReaderName;

impl FromStr for ReaderName {
    type Err = NoReaderName;

    fn from_str(text: &str) -> Result<Self, NoReaderName> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let is_taken = ["sto", "pg_", "postgres"].iter().any(|prefix| text.starts_with(prefix));
        let begins_well = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        if begins_well && !is_taken && text.len() <= NAME_BYTES_MAX && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoReaderName)
        }
    }
}

impl fmt::Display for ReaderName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A role that was not made a reader.
#[derive(Debug, thiserror::Error)]
pub enum ReaderRefused {
    /// PostgreSQL did not do it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The mission's name does not fit into the name of a role.
    #[error("mission {0:?} is not in the database: its name is wrong, or no hub has run with it yet")]
    Mission(String),
    /// A role of this name is there and reads nothing of ours.
    #[error("there is a database role {0} already, which was not made here")]
    Taken(ReaderName),
}

impl From<tokio_postgres::Error> for ReaderRefused {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Archive(error.into())
    }
}

/// Whether a role of this name is there already, and so has a password.
pub async fn has_reader(client: &Client, name: &ReaderName) -> Result<bool, ArchiveError> {
    Ok(exists(client, &name.0).await?)
}

/// Lets a reader see a mission's rows, and makes it where it is not there. A password replaces the one it had.
///
/// `client` must be allowed to make roles.
pub async fn admit_reader(
    client: &mut Client,
    name: &ReaderName,
    mission: &str,
    password: Option<&str>,
) -> Result<(), ReaderRefused> {
    // The name goes into the name of a role, so it must be one that a hub has accepted.
    if client.query_opt("SELECT FROM mission WHERE name = $1", &[&mission]).await?.is_none() {
        return Err(ReaderRefused::Mission(mission.to_owned()));
    }
    let group = format!("\"sto_read_{}\"", mission.replace('"', "\"\""));
    let transaction = client.transaction().await?;
    let sql = "SELECT pg_has_role(rolname, $2, 'MEMBER') FROM pg_roles WHERE rolname = $1";
    match transaction.query_opt(sql, &[&name.0, &READER]).await?.map(|row| row.get::<_, bool>(0)) {
        Some(true) => {}
        Some(false) => return Err(ReaderRefused::Taken(name.clone())),
        None => {
            let sql = format!(
                "CREATE ROLE \"{name}\" LOGIN CONNECTION LIMIT {CONNECTIONS_MAX};
                 ALTER ROLE \"{name}\" SET default_transaction_read_only = on;
                 ALTER ROLE \"{name}\" SET statement_timeout = '{STATEMENT_TIMEOUT}'"
            );
            transaction.batch_execute(&sql).await?;
        }
    }
    if let Some(password) = password {
        // The verifier and not the password: statements may be logged.
        let verifier = scram_sha_256(password.as_bytes());
        transaction.batch_execute(&format!("ALTER ROLE \"{name}\" PASSWORD '{verifier}'")).await?;
    }
    let group_name = format!("sto_read_{mission}");
    if transaction.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&group_name]).await?.is_none() {
        transaction.batch_execute(&format!("CREATE ROLE {group} NOLOGIN; GRANT {READER} TO {group}")).await?;
    }
    transaction.batch_execute(&format!("GRANT {group} TO \"{name}\"")).await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_readers_are_plain_and_not_the_hubs() {
        for name in ["grafana", "a", "anna-b_3"] {
            assert_eq!(name.parse::<ReaderName>().expect("is one").to_string(), name);
        }
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for text in
            ["", "1a", "-a", "Anna", "a b", "a\"", "sto", "sto_ingest", "pg_read_all_data", "postgres", &long]
        {
            assert!(text.parse::<ReaderName>().is_err(), "{text:?}");
        }
    }
}
