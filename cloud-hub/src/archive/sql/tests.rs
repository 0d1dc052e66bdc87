//! What SQL reads of the archive, against what was written.

use std::ops::Range;
use std::sync::Arc;

use mission_database::{
    Dictionary, MissionDatabase, MonitoringResult, ParameterIndex, Validity, VersionNumber,
};
use processing::{
    Column, ConvertedColumn, ConvertedKind, Derivations, Layout, LayoutEntry, Provenance, Quality, RawColumn,
    RawKind, Resolution, RolledTable, Table,
};
use testkit::postgres::TestDatabase;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::super::{Database, columns};
use super::describe;

mod calibrated;
mod columns_in_sql;
mod rolled;
mod rows;
mod whose;

/// 2026-11-22T00:00:00Z, which is 23 seconds into a minute of TAI.
const BEGINNING: i64 = 1_795_305_637_000_000_000;
const SECOND: i64 = 1_000_000_000;
const NODE: Uuid = Uuid::from_u128(1);

/// One parameter of each kind, in the order of [`KINDS`].
const XTCE: &str = r#"<SpaceSystem name="T"><TelemetryMetaData><ParameterTypeSet>
    <IntegerParameterType name="Plain"><UnitSet><Unit>counts</Unit></UnitSet><IntegerDataEncoding sizeInBits="64"/>
    </IntegerParameterType>
    <IntegerParameterType name="Signed" signed="true"><IntegerDataEncoding sizeInBits="64" encoding="twosComplement"/>
    </IntegerParameterType>
    <FloatParameterType name="Float"><FloatDataEncoding sizeInBits="64"/></FloatParameterType>
    <FloatParameterType name="Curve"><IntegerDataEncoding sizeInBits="16"><DefaultCalibrator><PolynomialCalibrator>
    <Term coefficient="-3.5" exponent="0"/><Term coefficient="0.1" exponent="1"/><Term coefficient="1e-3" exponent="2"/>
    </PolynomialCalibrator></DefaultCalibrator></IntegerDataEncoding></FloatParameterType>
    <EnumeratedParameterType name="Mode"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>
    <Enumeration value="0" label="OFF"/><Enumeration value="1" maxValue="3" label="ON"/></EnumerationList>
    </EnumeratedParameterType>
    <BooleanParameterType name="Flag" oneStringValue="UP" zeroStringValue="DOWN"><IntegerDataEncoding sizeInBits="8"/>
    </BooleanParameterType>
    <StringParameterType name="Text"><StringDataEncoding><SizeInBits><Fixed><FixedValue>64</FixedValue></Fixed>
    </SizeInBits></StringDataEncoding></StringParameterType>
    <BinaryParameterType name="Bytes"><BinaryDataEncoding><SizeInBits><FixedValue>32</FixedValue></SizeInBits>
    </BinaryDataEncoding></BinaryParameterType>
    </ParameterTypeSet><ParameterSet>
    <Parameter name="plain" parameterTypeRef="Plain" shortDescription="What was counted"/>
    <Parameter name="signed" parameterTypeRef="Signed"/><Parameter name="float" parameterTypeRef="Float"/>
    <Parameter name="curve" parameterTypeRef="Curve"/><Parameter name="mode" parameterTypeRef="Mode"/>
    <Parameter name="flag" parameterTypeRef="Flag"/><Parameter name="text" parameterTypeRef="Text"/>
    <Parameter name="bytes" parameterTypeRef="Bytes"/><Parameter name="stored" parameterTypeRef="Float"/>
    <Parameter name="clock" parameterTypeRef="Plain"/>
    </ParameterSet></TelemetryMetaData></SpaceSystem>"#;

const KINDS: [(RawKind, ConvertedKind); 10] = [
    (RawKind::Unsigned, ConvertedKind::None),
    (RawKind::Signed, ConvertedKind::None),
    (RawKind::Float, ConvertedKind::None),
    (RawKind::Unsigned, ConvertedKind::None),
    (RawKind::Unsigned, ConvertedKind::None),
    (RawKind::Unsigned, ConvertedKind::None),
    (RawKind::Text, ConvertedKind::None),
    (RawKind::Binary, ConvertedKind::None),
    (RawKind::Unsigned, ConvertedKind::Number),
    (RawKind::Unsigned, ConvertedKind::Time),
];

struct World {
    client: Client,
    postgres: TestDatabase,
}

/// A mission that the hub has registered.
struct Mission {
    mission_id: i32,
    parameter_ids: Vec<i32>,
    database: MissionDatabase,
    derivations: Derivations,
}

impl World {
    async fn new() -> Self {
        let postgres = testkit::postgres::database().await;
        let database = Database::at_url(&postgres.connection_string()).expect("a connection string");
        database.migrate().await.expect("the schema");
        let client = database.connect().await.expect("connects");
        let node = "INSERT INTO node (node_id, name, site) VALUES ($1, 'alpha', 'here')";
        client.execute(node, &[&NODE]).await.expect("enrolled");
        Self { client, postgres }
    }

    async fn mission(&self, name: &str, xtce: &str) -> Mission {
        let dictionary = Dictionary::from_xtce("test.xml", xtce).expect("loads");
        let database = MissionDatabase::new(VersionNumber(1), dictionary);
        let mission = "INSERT INTO mission (name) VALUES ($1) RETURNING mission_id";
        let mission_id: i32 = self.client.query_one(mission, &[&name]).await.expect("inserted").get(0);
        let mut parameter_ids = Vec::new();
        for parameter in database.parameters() {
            let sql = "INSERT INTO parameter (mission_id, name) VALUES ($1, $2) RETURNING parameter_id";
            let row = self.client.query_one(sql, &[&mission_id, &parameter.name]).await.expect("inserted");
            parameter_ids.push(row.get(0));
        }
        describe(&self.client, mission_id, &database, &parameter_ids).await.expect("described");
        let derivations = Derivations::of(&database);
        Mission { mission_id, parameter_ids, database, derivations }
    }

    /// The number of a table's layout.
    async fn layout(&self, mission: &Mission, table: &Table) -> i32 {
        let entries = table.layout.entries();
        let parameters: Vec<i32> =
            entries.iter().map(|entry| mission.parameter_ids[entry.parameter.0 as usize]).collect();
        let kinds: Vec<u8> = entries.iter().map(|entry| entry.kinds()).collect();
        let sql = "INSERT INTO layout (mission_id, parameters, kinds, hash)
            VALUES ($1, $2, $3, sha256(convert_to($2::integer[]::text, 'UTF8') || $3))
            ON CONFLICT (mission_id, hash) DO UPDATE SET hash = excluded.hash RETURNING layout_id";
        let row = self.client.query_one(sql, &[&mission.mission_id, &parameters, &kinds]).await;
        row.expect("inserted").get(0)
    }

    /// Keeps a table as a segment of a reading and a generation, and rolled up.
    async fn insert(&self, mission: &Mission, table: &Table, (reading, generation): (i32, i64)) {
        let partition =
            "SELECT mission_partition(whole, $1, NULL) FROM unnest(ARRAY['segment', 'rollup']) AS whole";
        self.client.execute(partition, &[&mission.mission_id.to_string()]).await.expect("made");
        let layout = self.layout(mission, table).await;
        let (first, last) = (table.generation.iter().min(), table.generation.iter().max());
        let (bytes, ends) = columns::encode(table);
        let sql = "INSERT INTO segment VALUES ($1, $2, $3, $4, $5, 0, 1, $6, $7, $8, $9, $10, 682)";
        let rows = table.rows() as i32;
        self.client
            .execute(
                sql,
                &[
                    &mission.mission_id,
                    &layout,
                    &NODE,
                    &reading,
                    &generation,
                    &first,
                    &last,
                    &rows,
                    &ends,
                    &bytes,
                ],
            )
            .await
            .expect("kept");
        self.insert_latest(mission, table, layout, (reading, generation)).await;
        for resolution in [Resolution::Minute, Resolution::Hour] {
            let rolled: RolledTable = table.rolled_up(resolution, &mission.derivations).expect("it has rows");
            let (bytes, ends) = columns::encode_rolled(&rolled);
            let sql = "INSERT INTO rollup VALUES ($1, $11, $2, $3, $4, $5, 0, 1, $6, $7, $8, $9, $10, 682)";
            let (rows, width) = (rolled.rows() as i32, (resolution.width_nanos() / SECOND) as i16);
            self.client
                .execute(
                    sql,
                    &[
                        &mission.mission_id,
                        &layout,
                        &NODE,
                        &reading,
                        &generation,
                        &first,
                        &last,
                        &rows,
                        &ends,
                        &bytes,
                        &width,
                    ],
                )
                .await
                .expect("kept");
        }
    }

    /// As the hub keeps the newest moments of a layout by themselves.
    async fn insert_latest(
        &self,
        mission: &Mission,
        table: &Table,
        layout: i32,
        (reading, generation): (i32, i64),
    ) {
        let newest = table.clone().sorted();
        let newest = newest.part(newest.rows().saturating_sub(3)..newest.rows());
        let (bytes, ends) = columns::encode(&newest);
        let sql = "INSERT INTO latest VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9)
            ON CONFLICT (mission_id, layout_id, node_id, reading_id, dictionary_version) DO UPDATE
            SET generation = excluded.generation, last_time = excluded.last_time, moments = excluded.moments,
                ends = excluded.ends, columns = excluded.columns
            WHERE latest.last_time <= excluded.last_time";
        let (last, rows) = (newest.generation.last(), newest.rows() as i32);
        let values: [&(dyn ToSql + Sync); 9] =
            [&mission.mission_id, &layout, &NODE, &reading, &generation, &last, &rows, &ends, &bytes];
        self.client.execute(sql, &values).await.expect("kept");
    }

    /// A reading of a span that covers segments up to a generation, and was switched to or not.
    async fn reading(
        &self,
        mission: &Mission,
        number: i32,
        span: Range<i64>,
        generation: i64,
        is_switched: bool,
    ) {
        let sql = "INSERT INTO reading (mission_id, reading_id, from_time, to_time, requested_at, generation, switched_at)
            VALUES ($1, $2, $3, $4, 0, $5, $6)";
        let switched_at = is_switched.then_some(1_i64);
        let values: [&(dyn ToSql + Sync); 6] =
            [&mission.mission_id, &number, &span.start, &span.end, &generation, &switched_at];
        self.client.execute(sql, &values).await.expect("inserted");
    }
}

/// A table of the parameter `/T/plain`: a number at each second given.
fn plain(numbers: impl IntoIterator<Item = (i64, u64)>) -> Table {
    let (seconds, numbers): (Vec<i64>, Vec<u64>) = numbers.into_iter().unzip();
    let generation: Vec<i64> = seconds.iter().map(|second| BEGINNING + second * SECOND).collect();
    let quality = vec![Quality::new(Validity::Valid, MonitoringResult::Normal); numbers.len()];
    let entry =
        LayoutEntry { parameter: ParameterIndex(0), raw: RawKind::Unsigned, converted: ConvertedKind::None };
    let provenance = vec![Provenance::Live; numbers.len()];
    let column = Column { raw: RawColumn::Unsigned(numbers), converted: ConvertedColumn::None, quality };
    let layout = Arc::new(Layout::new(vec![entry]));
    let times = (generation.clone(), generation, provenance);
    Table::from_columns(layout, VersionNumber(1), times, vec![column]).expect("equal lengths")
}
