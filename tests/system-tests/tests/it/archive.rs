//! What the archive holds: the ledger batch by batch from PostgreSQL, and samples page by page from the API.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use delivery::{Gap, SealedBatch};
use futures_util::TryStreamExt;
use serde_json::Value;
use simulator::load::{is_intact, serial_of};
use space_packet::time::cds;
use space_packet::{PRIMARY_HEADER_BYTES, TaiTime, UtcTime};
use testkit::client::Client;
use tokio_postgres::{Config, NoTls};

use crate::world::World;

/// The most that one page holds.
const PAGE: usize = 10_000;

/// A packet of the load, as the ledger has it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Archived {
    /// The time in the packet.
    pub(crate) time: TaiTime,
    /// Its serial.
    pub(crate) serial: u64,
}

/// A client of the hub's database; it works while its `Connection` does.
pub(crate) async fn database(world: &World) -> anyhow::Result<tokio_postgres::Client> {
    if let Some(database) = &world.database {
        let (client, connection) = database.config().connect(NoTls).await?;
        tokio::spawn(connection);
        return Ok(client);
    }
    let ready = fs::read(world.folder().join("hub/data/ready.json")).context("the hub is ready")?;
    let ready: Value = serde_json::from_slice(&ready)?;
    let text = |key: &str| ready["database"][key].as_str().with_context(|| format!("no {key} in {ready}"));
    let port = ready["database"]["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let mut config = Config::new();
    config.host_path(Path::new(text("socket_directory")?)).user(text("user")?).dbname("sto");
    config.port(port.with_context(|| format!("no port in {ready}"))?);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Opens every batch of a mission in the ledger, and hands on its packets in the order of their journal.
/// Fails when a lane has a hole, begins late, or has a batch twice. Returns the number of batches.
pub(crate) async fn read_ledger(
    world: &World,
    mission: &str,
    mut on_packet: impl FnMut(&[u8]),
) -> anyhow::Result<u64> {
    let client = database(world).await?;
    let statement = "SELECT node_id::text || '/' || epoch || '/' || lane, sequence, mission, records, sealed
                     FROM ledger ORDER BY node_id, epoch, lane, sequence";
    let rows = client.query_raw(statement, std::iter::empty::<i32>()).await?;
    let mut rows = std::pin::pin!(rows);
    let (mut lanes, mut batches) = (BTreeMap::<String, i64>::new(), 0);
    while let Some(row) = rows.try_next().await? {
        let (lane, sequence): (String, i64) = (row.get(0), row.get(1));
        let newest = lanes.entry(lane.clone()).or_default();
        let batch = SealedBatch::parse(row.get(4)).with_context(|| format!("{lane}: batch {sequence}"))?;
        let first = batch.header.first_sequence().0.cast_signed();
        ensure!(first == *newest + 1, "lane {lane}: batch {first} comes behind {newest}");
        *newest = sequence;
        let open = batch.open().with_context(|| format!("{lane}: batch {sequence}"))?;
        ensure!(batch.header.sequence.0.cast_signed() == sequence, "{lane}: the row of {sequence} lies");
        ensure!(batch.header.mission == row.get::<_, &str>(2), "{lane}: the row of {sequence} lies");
        ensure!(i64::try_from(open.len())? == i64::from(row.get::<_, i32>(3)), "{lane}: {sequence} lies");
        if batch.header.mission == mission {
            batches += 1;
            open.packets().for_each(|(_, packet)| on_packet(packet));
        }
    }
    Ok(batches)
}

/// Serials of all load packets in the ledger by their runs; each as it was sent.
pub(crate) async fn loads_in_ledger(world: &World) -> anyhow::Result<BTreeMap<u32, Vec<u64>>> {
    let (mut runs, mut strange) = (BTreeMap::<u32, Vec<u64>>::new(), 0);
    read_ledger(world, "load", |packet| match serial_of(packet).filter(|_| is_intact(packet)) {
        Some((run, serial)) => runs.entry(run).or_default().push(serial),
        None => strange += 1,
    })
    .await?;
    ensure!(strange == 0, "{strange} packets in the ledger are not what was sent");
    Ok(runs)
}

/// Every gap in the ledger.
pub(crate) async fn gaps(world: &World) -> anyhow::Result<Vec<Gap>> {
    let client = database(world).await?;
    let rows = client.query(
        "SELECT sealed FROM ledger WHERE gap_first IS NOT NULL ORDER BY node_id, epoch, lane, sequence",
        &[],
    );
    let rows = rows.await?;
    rows.iter()
        .map(|row| SealedBatch::parse(row.get(0))?.header.gap.context("the row says that it is a gap"))
        .collect()
}

/// Records of the one lane there is, of whatever kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneRecords {
    /// In the ledger.
    pub(crate) archived: u64,
    /// That the node ever gave a place in the lane, as its newest batch says.
    pub(crate) issued: u64,
}

/// Counts the records of the only lane.
pub(crate) async fn records_in_ledger(world: &World) -> anyhow::Result<LaneRecords> {
    let client = database(world).await?;
    let sum = client.query_one(
        "SELECT sum(records)::bigint, count(DISTINCT node_id || '/' || epoch) FROM ledger WHERE lane = 2",
        &[],
    );
    let sum = sum.await?;
    ensure!(sum.get::<_, i64>(1) == 1, "there is more than one journal of telemetry");
    let newest = "SELECT sealed FROM ledger WHERE lane = 2 ORDER BY sequence DESC LIMIT 1";
    let newest = client.query_one(newest, &[]).await?;
    let issued = SealedBatch::parse(newest.get(0))?.position().records;
    Ok(LaneRecords { archived: u64::try_from(sum.get::<_, i64>(0))?, issued })
}

/// The load's packets in the ledger, in the order they were received; each of the run, and as it was sent.
pub(crate) async fn load_in_ledger(world: &World, run_id: u32) -> anyhow::Result<Vec<Archived>> {
    let (mut archived, mut strange, mut damaged) = (Vec::new(), 0, 0);
    let layout =
        cds::Layout { day: cds::DayField::Bits16, submilliseconds: cds::Submilliseconds::Microseconds };
    let batches = read_ledger(world, "load", |packet| {
        let time = packet.get(PRIMARY_HEADER_BYTES..).map(|bytes| layout.decode(bytes));
        match (serial_of(packet), time) {
            (Some((run, serial)), Some(Ok(time))) if run == run_id => {
                archived.push(Archived { time, serial });
            }
            _ => strange += 1,
        }
        damaged += u64::from(!is_intact(packet));
    })
    .await?;
    println!("ledger: {} packets of the load in {batches} batches", archived.len());
    ensure!(strange == 0, "{strange} packets in the ledger are not of this run");
    ensure!(damaged == 0, "{damaged} packets in the ledger are not what was sent");
    Ok(archived)
}

/// Every sample of a parameter in `from..to`, page by page, in order.
pub(crate) async fn samples(
    hub: &Client,
    mission: &str,
    parameter: &str,
    from: TaiTime,
    to: TaiTime,
) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let range = format!("parameter={parameter}&from={}&to={}", from.to_utc(), to.to_utc());
        let path = format!("/api/v1/missions/{mission}/samples?{range}&limit={PAGE}{cursor}");
        let mut page = hub.get(&path).await?;
        ensure!(page["kind"] == "page", "a page was asked for: {page}");
        match page["samples"].take() {
            Value::Array(samples) => all.extend(samples),
            other => anyhow::bail!("a page has samples: {other}"),
        }
        match &page["next"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return Ok(all),
        }
    }
}

/// How many samples of a parameter are in `from..to`, as a plot counts them.
pub(crate) async fn count(
    hub: &Client,
    mission: &str,
    parameter: &str,
    from: TaiTime,
    to: TaiTime,
) -> anyhow::Result<u64> {
    let range = format!("parameter={parameter}&from={}&to={}&points=100", from.to_utc(), to.to_utc());
    let answer = hub.get(&format!("/api/v1/missions/{mission}/samples?{range}")).await?;
    answer["count"].as_u64().with_context(|| format!("a plot counts its samples: {answer}"))
}

/// When a sample was made.
pub(crate) fn generation_time(sample: &Value) -> anyhow::Result<TaiTime> {
    let text = sample["generation_time"].as_str().with_context(|| format!("no time in {sample}"))?;
    Ok(UtcTime::parse(text)?.to_tai())
}
