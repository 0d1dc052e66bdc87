//! A database with the hub's schema, a mission, a node, and batches for it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloud_hub::archive::{
    ApartCause, Archive, ArchiveError, CommitGroup, Committed, Database, Follower, LaneKey, Lead, Lease,
    Ledger, OpenRefused, Place, Received, Registry, Stream,
};
use delivery::{
    BatchBuilder, BatchSequence, BootId, CommitVerdict, Lane, LogHead, OpenedLog, Position, Ranges,
    SealedBatch, SessionNumber, StoreId, Way, judge_group,
};
use mission_database::{Dictionary, MissionDatabase, ParameterIndex, VersionNumber};
use processing::{MissionDecoder, PacketConventions, PacketTime, RangeAnswer, RangeQuery, Wanted};
use provisioning::{EnrolmentBook, NewToken, Redeemed, Redemption, Token, TokenRecord};
use service::mission::LoadedMission;
use space_packet::{Apid, ReceptionTime, SequenceCount, TaiTime, build_packet, time::cds};
use testkit::postgres::TestDatabase;
use uuid::Uuid;

pub(crate) const STORE: StoreId = StoreId([4; 16]);
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// 2026-11-22T00:00:00Z; samples follow each other by a second.
pub(crate) const BEGINNING: i64 = 1_795_305_637_000_000_000;
pub(crate) const SECOND: i64 = 1_000_000_000;

pub(crate) const XTCE: &str = r#"<SpaceSystem name="Test"><TelemetryMetaData><ParameterTypeSet>
    <IntegerParameterType name="Wide"><IntegerDataEncoding sizeInBits="64"/></IntegerParameterType>
    <IntegerParameterType name="Number"><IntegerDataEncoding sizeInBits="32"/></IntegerParameterType>
    </ParameterTypeSet><ParameterSet>
    <Parameter name="header" parameterTypeRef="Wide"/><Parameter name="rest" parameterTypeRef="Number"/>
    <Parameter name="rest2" parameterTypeRef="Number"/><Parameter name="number" parameterTypeRef="Number"/>
    </ParameterSet><ContainerSet><SequenceContainer name="All"><EntryList>
    <ParameterRefEntry parameterRef="header"/><ParameterRefEntry parameterRef="rest"/>
    <ParameterRefEntry parameterRef="rest2"/>
    <ParameterRefEntry parameterRef="number"><LocationInContainerInBits referenceLocation="containerStart"><FixedValue>112</FixedValue></LocationInContainerInBits></ParameterRefEntry>
    </EntryList></SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

pub(crate) struct World {
    /// As the hub that leads has it.
    pub(crate) database: Database,
    pub(crate) registry: Registry,
    pub(crate) ledger: Ledger,
    pub(crate) missions: Vec<LoadedMission>,
    /// How what is committed came.
    pub(crate) way: Way,
    next_ledger_id: i64,
    standing: Mutex<HashMap<(LaneKey, SessionNumber), Ranges>>,
    postgres: TestDatabase,
}

impl World {
    pub(crate) fn connection_string(&self) -> String {
        self.postgres.connection_string()
    }

    pub(crate) async fn new() -> Self {
        let postgres = testkit::postgres::database().await;
        let database = Database::at_url(&postgres.connection_string()).expect("a connection string");
        database.migrate().await.expect("the schema");
        let lease = Lease::new(database.clone(), Uuid::new_v4(), "first".to_owned());
        let lead = lease.take().await.expect("answers").expect("nobody has it");
        let database = database.led(lead);
        let ledger = Ledger::open(&database, LOCK_WAIT).await.expect("the only writer");
        let packet_time = PacketTime::Cds {
            offset_bytes: 6,
            day_bits: 16,
            submilliseconds: cds::Submilliseconds::Microseconds,
            p_field: false,
            epoch: None,
        };
        let dictionary = Dictionary::from_xtce("test.xml", XTCE).expect("loads");
        let conventions = PacketConventions { time: packet_time, has_error_control: false };
        let mission = LoadedMission {
            name: "test".to_owned(),
            title: "Test".to_owned(),
            decoder: MissionDecoder::new(MissionDatabase::new(VersionNumber(1), dictionary), conventions),
            problem: None,
        };
        Self {
            registry: Registry::new(database.clone()),
            database,
            ledger,
            missions: vec![mission],
            way: Way::Live,
            next_ledger_id: 1,
            standing: Mutex::default(),
            postgres,
        }
    }

    /// Where the database is.
    pub(crate) fn postgres(&self) -> &TestDatabase {
        &self.postgres
    }

    pub(crate) async fn token(&self, name: &str) -> (Token, TokenRecord) {
        let (token, record) = Self::issue_token(name);
        self.registry.insert_token(&record, "a test").await.expect("kept");
        (token, record)
    }

    pub(crate) fn issue_token(name: &str) -> (Token, TokenRecord) {
        let wanted = NewToken {
            hub_addresses: vec!["127.0.0.1:1".to_owned()],
            node_name: name.to_owned(),
            site: "here".to_owned(),
            expires_unix: 2_000,
            missions: None,
        };
        Token::issue(wanted, [0; 32]).expect("a token")
    }

    pub(crate) async fn node(&self, name: &str) -> Redeemed {
        let (_, record) = self.token(name).await;
        self.registry.redeem(redemption(&record, 1, 1_000)).await.expect("redeemed")
    }

    /// Opens a session of the test's journal; each is another run of the node's process, unless `boot` says.
    pub(crate) async fn open(&self, node: Uuid, head: u64) -> Result<OpenedLane, OpenRefused> {
        self.open_as(node, BootId(*Uuid::new_v4().as_bytes()), head).await
    }

    pub(crate) async fn open_as(
        &self,
        node: Uuid,
        boot: BootId,
        head: u64,
    ) -> Result<OpenedLane, OpenRefused> {
        let head = (head > 0).then_some(BatchSequence(head));
        let head = LogHead { lane: Lane::Telemetry, store: STORE, head, is_forked: false };
        let mut opened = self.registry.open_session(node, boot, &[head]).await.expect("answers")?;
        let (key, log) = opened.logs.pop().expect("one was asked for");
        let session = opened.session;
        self.standing.lock().expect("sound").insert((key, session), log.committed.clone());
        Ok(OpenedLane { key, session, log })
    }

    /// Commits a lane's batches through a session; returns them as the archive takes them, or the fenced lanes.
    pub(crate) async fn commit(
        &mut self,
        lane: LaneKey,
        session: SessionNumber,
        batches: &[SealedBatch],
    ) -> Result<Vec<Committed>, Vec<LaneKey>> {
        self.try_commit(lane, session, batches, None).await.expect("PostgreSQL answers")
    }

    /// Commits a batch that is kept out of the archive.
    pub(crate) async fn commit_apart(&mut self, lane: &OpenedLane, batch: &SealedBatch, cause: ApartCause) {
        let batches = std::slice::from_ref(batch);
        let kept = self.try_commit(lane.key, lane.session, batches, Some(cause)).await;
        kept.expect("PostgreSQL answers").expect("committed");
    }

    pub(crate) async fn try_commit(
        &mut self,
        lane: LaneKey,
        session: SessionNumber,
        batches: &[SealedBatch],
        apart: Option<ApartCause>,
    ) -> Result<Result<Vec<Committed>, Vec<LaneKey>>, ArchiveError> {
        let numbered: Vec<(i64, Received)> = (self.next_ledger_id..)
            .zip(batches)
            .map(|(number, batch)| {
                let (way, batch) = (self.way, batch.clone());
                (number, Received { lane, session, way, batch, apart })
            })
            .collect();
        let standing = self.standing.lock().expect("sound").clone();
        let group: Vec<_> = batches.iter().map(|batch| (lane, session, batch)).collect();
        let judged = judge_group(&group, |lane, session| standing[&(lane, session)].clone());
        if judged.verdicts.iter().any(|verdict| *verdict != CommitVerdict::Commit) {
            return Ok(Err(vec![lane]));
        }
        let lanes = judged.lanes.into_iter().map(|(key, change)| {
            let safe = change.after.watermark();
            (key, (change, safe))
        });
        let lanes = lanes.collect();
        let committed_at = service::clock::now();
        let group = CommitGroup::new(&numbered, &lanes, committed_at);
        let fenced = self.ledger.commit(&group).await?;
        assert_eq!(self.ledger.holds(&group).await.expect("answers"), fenced.is_empty());
        if !fenced.is_empty() {
            return Ok(Err(fenced));
        }
        for (key, (change, _)) in lanes {
            self.standing.lock().expect("sound").insert((key, session), change.after);
        }
        self.next_ledger_id += batches.len() as i64;
        let committed = |(ledger_id, received): (i64, Received)| Committed {
            ledger_id,
            committed_at,
            node: received.lane.node,
            epoch: received.lane.epoch,
            way: received.way,
            batch: received.batch,
        };
        Ok(Ok(numbered.into_iter().map(committed).collect()))
    }

    /// Makes a session believe that a lane stands as it did.
    pub(crate) fn believe(&self, lane: &OpenedLane, committed: Ranges) {
        self.standing.lock().expect("sound").insert((lane.key, lane.session), committed);
    }

    pub(crate) async fn archive(&self) -> Arc<Archive> {
        let archive = Archive::open(&self.database, &self.missions, HashMap::new(), 1_000_000).await;
        archive.expect("the archive opens")
    }

    /// An archive of a hub that follows, whose head holds so much, and what keeps it.
    pub(crate) async fn follower(&self, samples_max: usize) -> (Arc<Archive>, Follower) {
        let archive = Archive::of_segments(&self.database, &self.missions, HashMap::new()).await;
        let archive = archive.expect("the archive opens");
        let database = self.database.led(Lead::default());
        (Arc::clone(&archive), Follower::new(archive, database, samples_max))
    }

    /// The values of the test's parameter, in order, by pages and by count.
    pub(crate) async fn numbers(&self, archive: &Arc<Archive>) -> Vec<f64> {
        self.numbers_of(archive, None).await
    }

    /// The test's parameter.
    pub(crate) fn parameter(&self) -> ParameterIndex {
        self.missions[0].decoder.database().find("/Test/number").expect("is there")
    }

    /// As [`World::numbers`], as they were read up to a reading.
    pub(crate) async fn numbers_of(&self, archive: &Arc<Archive>, reading: Option<u32>) -> Vec<f64> {
        let numbers = self.page(archive, reading).await;
        let pixels = self.ask(archive, Wanted::Pixels { points: 10 }, reading).await;
        let RangeAnswer::Pixels(buckets) = pixels else { panic!("buckets") };
        assert_eq!(buckets.count, numbers.len() as u64);
        numbers
    }

    /// As [`World::numbers_of`], by one question: of an archive that changes meanwhile.
    pub(crate) async fn page(&self, archive: &Arc<Archive>, reading: Option<u32>) -> Vec<f64> {
        let page = self.ask(archive, Wanted::Page { limit: 10_000 }, reading).await;
        let RangeAnswer::Page { samples, next: None } = page else { panic!("one page holds all") };
        samples.iter().filter_map(|(_, sample)| sample.number()).collect()
    }

    async fn ask(&self, archive: &Arc<Archive>, wanted: Wanted, reading: Option<u32>) -> RangeAnswer {
        let (from, to) = (TaiTime(0), TaiTime(i64::MAX));
        let query = RangeQuery { parameter: self.parameter(), from, to, wanted, reading };
        archive.range(&self.database, 0, query).await.expect("answers")
    }
}

/// Hands committed batches to the archive as the committer does.
pub(crate) fn take_in(archive: &Archive, committed: &[Committed]) {
    let Some(last) = committed.last() else { return };
    let through = Place { ledger_id: last.ledger_id, committed_at: last.committed_at };
    for stream in [Stream::Live, Stream::Backlog] {
        let of_stream = committed.iter().filter(|committed| Stream::of(committed.way) == stream);
        archive.ingest(stream, &of_stream.cloned().collect::<Vec<_>>(), through);
    }
}

/// A lane in the hands of a session.
pub(crate) struct OpenedLane {
    pub(crate) key: LaneKey,
    pub(crate) session: SessionNumber,
    pub(crate) log: OpenedLog,
}

pub(crate) fn redemption(record: &TokenRecord, key: u8, now_unix: u64) -> Redemption {
    Redemption {
        token_id: record.id,
        secret_sha256: record.secret_sha256,
        key_sha256: [key; 32],
        hostname: format!("host-{key}"),
        now_unix,
    }
}

/// A packet that holds a number, and when it was made and received.
pub(crate) fn packet(number: u32) -> (ReceptionTime, Vec<u8>) {
    packet_since(TaiTime(BEGINNING), number)
}

fn packet_since(beginning: TaiTime, number: u32) -> (ReceptionTime, Vec<u8>) {
    let time = TaiTime(beginning.0 + i64::from(number) * SECOND);
    let mut data = cds::encode(time).to_vec();
    data.extend(number.to_be_bytes());
    let apid = Apid::try_from(7).expect("in range");
    let packet = build_packet(apid, SequenceCount::default(), true, &data).expect("fits");
    (ReceptionTime(time), packet)
}

/// Batches of one packet each, whose numbers count from `first`.
pub(crate) fn chain(
    mission: &str,
    first: u32,
    count: u32,
    position: &mut Option<Position>,
) -> Vec<SealedBatch> {
    chain_since(TaiTime(BEGINNING), mission, first..first + count, position)
}

/// As [`chain`], of packets that were made since a moment: for what asks about the last days.
pub(crate) fn chain_since(
    beginning: TaiTime,
    mission: &str,
    numbers: Range<u32>,
    position: &mut Option<Position>,
) -> Vec<SealedBatch> {
    numbers
        .map(|number| {
            let (time, packet) = packet_since(beginning, number);
            let mut builder = BatchBuilder::new(mission, "link");
            builder.push(time, &packet);
            let before = position.unwrap_or(Position::start(STORE, Lane::Telemetry));
            let batch = builder.pack().expect("one record").seal(Lane::Telemetry, &before);
            *position = Some(batch.position());
            batch
        })
        .collect()
}
