//! Hubs at the database, as PostgreSQL knows their connections.

use space_packet::TaiTime;
use uuid::Uuid;

use super::{ArchiveError, Database};

/// A hub that is connected.
#[derive(Clone, Debug)]
pub struct ConnectedHub {
    /// Its identity.
    pub id: Uuid,
    /// Where it connects from; absent on the database's own machine.
    pub address: Option<String>,
    /// Since when the oldest of its connections stands.
    pub since: TaiTime,
    /// Whether it leads.
    pub leads: bool,
}

/// Hubs that are connected, the leader first. A hub has a name of its own there since it began to share its database.
pub async fn connected_hubs(database: &Database) -> Result<Vec<ConnectedHub>, ArchiveError> {
    let prefix = Database::name_of(Uuid::nil()).replace(&Uuid::nil().to_string(), "");
    // As the owner: whoever works for the hub day by day is not told since when and where from others are connected.
    let client = database.connect().await?;
    let rows = client
        .query(
            "SELECT id, min(address), min(since), bool_or(leads) AS leads
             FROM (SELECT substr(application_name, length($1) + 1) AS id, host(client_addr) AS address,
                          (extract(epoch FROM backend_start) * 1000000)::bigint AS since,
                          EXISTS (SELECT FROM lease WHERE until > clock_timestamp()
                                                      AND $1 || holder::text = application_name) AS leads
                   FROM pg_stat_activity
                   WHERE starts_with(application_name, $1) AND datname = current_database()) AS connection
             GROUP BY id ORDER BY leads DESC, id",
            &[&prefix],
        )
        .await?;
    let hub = |row: &tokio_postgres::Row| {
        // What another program calls itself is no hub.
        let id = Uuid::parse_str(row.get(0)).ok()?;
        let since = TaiTime::from_unix_nanos(row.get::<_, i64>(2).saturating_mul(1_000));
        Some(ConnectedHub { id, address: row.get(1), since, leads: row.get(3) })
    };
    Ok(rows.iter().filter_map(hub).collect())
}
