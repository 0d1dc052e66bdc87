//! Places of sites and elements of spacecraft in the database, and what the ledger says was received when.

use std::ops::Range;

use dashboard::contract::{PassReceived, SitePlace};
use dashboard::orbits::{NewElements, PlacedSite, ReceptionWindow, StoredElements};
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::{ArchiveError, Database};

/// Places and elements of a database.
#[derive(Clone)]
pub struct OrbitTable {
    database: Database,
}

impl OrbitTable {
    /// Versions of elements that one question is answered from, each of 8 KiB at most.
    pub const VERSIONS_MAX: i64 = 4_000;

    /// Those of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Sites that have a place, by name.
    pub async fn places(&self) -> Result<Vec<PlacedSite>, ArchiveError> {
        let question = self.database.borrow_for_server().await?;
        let sql =
            "SELECT site, latitude_deg, longitude_deg, height_m, mask_deg, set_at, set_by FROM site_place
                   ORDER BY site COLLATE \"C\"";
        let rows = question.query(sql, &[]).await?;
        question.finish().await?;
        Ok(rows.iter().map(placed_site).collect())
    }

    /// Says where a site is, in place of what was said before.
    pub async fn put_place(&self, placed: &PlacedSite) -> Result<(), ArchiveError> {
        let SitePlace { latitude_deg, longitude_deg, height_m, mask_deg } = placed.place;
        let client = self.database.borrow().await?;
        let sql =
            "INSERT INTO site_place (site, latitude_deg, longitude_deg, height_m, mask_deg, set_at, set_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (site) DO UPDATE SET latitude_deg = excluded.latitude_deg,
                 longitude_deg = excluded.longitude_deg, height_m = excluded.height_m,
                 mask_deg = excluded.mask_deg, set_at = excluded.set_at, set_by = excluded.set_by";
        let (at, by) = (placed.set_at.0, &placed.set_by);
        client
            .execute(sql, &[&placed.site, &latitude_deg, &longitude_deg, &height_m, &mask_deg, &at, by])
            .await?;
        Ok(())
    }

    /// Versions of elements of a mission that count at some moment of a span, by spacecraft, epoch and import; one more than
    /// [`Self::VERSIONS_MAX`] at most.
    pub async fn elements(
        &self,
        mission: &str,
        span: Range<TaiTime>,
    ) -> Result<Vec<StoredElements>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let sql = "SELECT spacecraft, epoch, text, imported_at, imported_by, versions FROM (
                       SELECT *, count(*) OVER (PARTITION BY spacecraft) AS versions, row_number() OVER one AS number,
                              lead(epoch) OVER one AS next_epoch
                       FROM orbit_elements WHERE mission = $1
                       WINDOW one AS (PARTITION BY spacecraft ORDER BY epoch, elements_id)) AS known
                   WHERE (number = 1 OR epoch < $3) AND (next_epoch IS NULL OR next_epoch > $2)
                   ORDER BY spacecraft COLLATE \"C\", epoch, elements_id LIMIT $4";
        let (from, to, limit) = (span.start.0, span.end.0, Self::VERSIONS_MAX + 1);
        let rows = question.query(sql, &[&mission, &from, &to, &limit]).await?;
        question.finish().await?;
        Ok(rows.iter().map(stored_elements).collect())
    }

    /// Keeps versions of elements, all or none; tells how many were new.
    pub async fn put_elements(
        &self,
        mission: &str,
        new: &[NewElements],
        by: &str,
    ) -> Result<u64, ArchiveError> {
        let names: Vec<&str> = new.iter().map(|one| one.spacecraft.as_str()).collect();
        let epochs: Vec<i64> = new.iter().map(|one| one.epoch.0).collect();
        let texts: Vec<&str> = new.iter().map(|one| one.text.as_str()).collect();
        let client = self.database.borrow().await?;
        let sql = "INSERT INTO orbit_elements (mission, spacecraft, epoch, text, imported_at, imported_by)
                   SELECT $1, spacecraft, epoch, text, $5, $6
                   FROM unnest($2::text[], $3::bigint[], $4::text[]) AS new (spacecraft, epoch, text)
                   ON CONFLICT DO NOTHING";
        let now = service::clock::now().0;
        Ok(client.execute(sql, &[&mission, &names, &epochs, &texts, &now, &by]).await?)
    }

    /// What nodes received of a mission in each of some windows: batches of packets and samples by their last reception.
    pub async fn received(
        &self,
        mission: &str,
        windows: &[ReceptionWindow],
    ) -> Result<Vec<PassReceived>, ArchiveError> {
        let names: Vec<&str> = windows.iter().map(|window| window.node.as_str()).collect();
        let begins: Vec<i64> = windows.iter().map(|window| window.span.start.0).collect();
        let ends: Vec<i64> = windows.iter().map(|window| window.span.end.0).collect();
        let question = self.database.borrow_for_question(mission).await?;
        let sql = "SELECT coalesce(received.records, 0), coalesce(received.bytes, 0)
                   FROM unnest($2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS asked (name, begins, ends, place)
                   LEFT JOIN node USING (name)
                   LEFT JOIN LATERAL (
                       SELECT sum(records)::bigint AS records, sum(octet_length(sealed))::bigint AS bytes FROM ledger
                       WHERE mission = $1 AND ledger.node_id = node.node_id AND content IN (1, 2) AND gap_first IS NULL
                         AND last_reception >= asked.begins AND last_reception < asked.ends) AS received ON true
                   ORDER BY place";
        let rows = question.query(sql, &[&mission, &names, &begins, &ends]).await?;
        question.finish().await?;
        let received = |row: &Row| PassReceived {
            records: row.get::<_, i64>(0).unsigned_abs(),
            bytes: row.get::<_, i64>(1).unsigned_abs(),
        };
        Ok(rows.iter().map(received).collect())
    }
}

fn placed_site(row: &Row) -> PlacedSite {
    PlacedSite {
        site: row.get("site"),
        place: SitePlace {
            latitude_deg: row.get("latitude_deg"),
            longitude_deg: row.get("longitude_deg"),
            height_m: row.get("height_m"),
            mask_deg: row.get("mask_deg"),
        },
        set_at: TaiTime(row.get("set_at")),
        set_by: row.get("set_by"),
    }
}

fn stored_elements(row: &Row) -> StoredElements {
    StoredElements {
        elements: NewElements {
            spacecraft: row.get("spacecraft"),
            epoch: TaiTime(row.get("epoch")),
            text: row.get("text"),
        },
        imported_at: TaiTime(row.get("imported_at")),
        imported_by: row.get("imported_by"),
        versions: row.get::<_, i64>("versions").unsigned_abs(),
    }
}
