//! Bundles that somebody brings, against a real PostgreSQL and the hub's own committer.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cloud_hub::archive::{Database, Evidence, Registry};
use cloud_hub::carrying::requests::{self, ImportRequest};
use cloud_hub::carrying::{Carrying, FileReport};
use cloud_hub::commands::carrying::make_receipt;
use cloud_hub::fleet::Fleet;
use cloud_hub::reception::committer::Committer;
use cloud_hub::reception::import::{Imported, Importer};
use cloud_hub::role::HubRole;
use delivery::{
    BatchBuilder, BatchSequence, BootId, BundleHeader, BundleId, BundleLog, BundleWriter, CHUNK_BYTES,
    HEADER_BYTES, Lane, LogHead, NodeId, Position, SealedBatch,
};
use link::{Clock, HubEndpoint, HubOptions, Profile};
use provisioning::{Authority, EnrollOptions, EnrolmentDesk, FileCipher, Identity, NewToken, Token, enroll};
use tempfile::TempDir;
use testkit::postgres::TestDatabase;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::world::{STORE, chain};

/// A hub that commits, and a node that was enrolled there.
struct Hub {
    registry: Registry,
    fleet: Arc<Fleet>,
    carrying: Carrying,
    authority: Arc<Authority>,
    database: Database,
    home: TempDir,
    _postgres: TestDatabase,
}

impl Hub {
    async fn start() -> Self {
        let postgres = testkit::postgres::database().await;
        let database = Database::at_url(&postgres.connection_string()).expect("a connection string");
        database.migrate().await.expect("the schema");
        let home = tempfile::tempdir().expect("a directory");
        let now = Clock::system().now_unix();
        let authority = Authority::open_or_create(&home.path().join("authority"), now).expect("opens");
        let authority = Arc::new(authority);
        let registry = Registry::new(database.clone());
        let fleet = Arc::new(Fleet::new(
            authority.authority_id(),
            Vec::new(),
            Default::default(),
            HubRole::default(),
        ));
        let (decode, mut decoded) = mpsc::channel(16);
        tokio::spawn(async move { while decoded.recv().await.is_some() {} });
        let committer =
            Committer::open(database.clone(), Arc::clone(&fleet), decode).await.expect("the writer");
        let (to_committer, submissions) = mpsc::channel(1_024);
        tokio::spawn(committer.run(submissions));
        let importer = Importer {
            registry: registry.clone(),
            evidence: Evidence::new(database.clone()),
            fleet: Arc::clone(&fleet),
            committer: to_committer,
        };
        let carrying = Carrying { authority: Arc::clone(&authority), importer };
        Self { registry, fleet, carrying, authority, database, home, _postgres: postgres }
    }

    /// Makes a machine the node of a name; a second machine of that name replaces the first.
    async fn enrol(&self, name: &str, machine: &Path) -> Identity {
        let now = Clock::system().now_unix();
        let identity = self.authority.issue_hub(now).expect("issues");
        let roots = vec![self.authority.certificate_der().to_vec()];
        let options = HubOptions::new(identity, roots, Profile::Terrestrial);
        let mut endpoint = HubEndpoint::bind((Ipv4Addr::LOCALHOST, 0).into(), options).expect("binds");
        let address = endpoint.local_addr().expect("is bound").to_string();
        let new = NewToken {
            hub_addresses: vec![address.clone()],
            node_name: name.to_owned(),
            site: "here".to_owned(),
            expires_unix: now + 600,
            missions: None,
        };
        let (token, record) = Token::issue(new, self.authority.spki_sha256()).expect("a token");
        self.registry.insert_token(&record, "a test").await.expect("kept");
        let desk = EnrolmentDesk::new(Arc::clone(&self.authority), vec![address], Clock::system());
        let registry = self.registry.clone();
        let serving = tokio::spawn(async move {
            let accepted = endpoint.accept().await.expect("somebody comes");
            desk.handle(&accepted.connection, &registry).await.expect("enrols");
            endpoint
        });
        let options = EnrollOptions::new(machine.to_owned(), "rack".to_owned());
        let enrolled = enroll(&token.to_text(), &options).await.expect("enrols");
        serving.await.expect("serves");
        self.fleet.refresh(&self.registry).await.expect("reads");
        enrolled.identity
    }

    async fn import(&self, file: &[u8]) -> FileReport {
        let path = self.home.path().join("bundle.sto");
        std::fs::write(&path, file).expect("is written");
        self.carrying.import(&path, "operator").await
    }

    async fn ledger(&self) -> Vec<(i64, i16)> {
        let client = self.database.borrow().await.expect("connects");
        let rows =
            client.query("SELECT sequence, way FROM ledger ORDER BY sequence", &[]).await.expect("answers");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }
}

/// The file a node writes of these batches.
fn bundle(identity: &Identity, batches: &[SealedBatch]) -> Vec<u8> {
    let hub_key = identity.bundle_key.expect("came with the certificate");
    let (cipher, file_key) = FileCipher::for_hub(&hub_key).expect("a key");
    let (first, last) = (&batches[0], &batches[batches.len() - 1]);
    let header = BundleHeader {
        version: BundleHeader::VERSION,
        bundle: BundleId([1; 16]),
        part: 1,
        authority: identity.authority_spki_sha256().expect("known"),
        hub_key,
        file_key,
        node: NodeId(identity.node_id.into_bytes()),
        certificates: identity.node.certificate_chain.clone(),
        logs: vec![BundleLog {
            store: STORE,
            lane: Lane::Telemetry,
            first: first.header.sequence.0,
            last: last.header.sequence.0,
            previous: first.previous,
            hash: last.hash,
        }],
        previous: None,
        created: Default::default(),
    };
    let signer = identity.signer().expect("a key");
    let (mut writer, mut file) = BundleWriter::begin(&header, cipher, &signer).expect("begins");
    for batch in batches {
        file.extend(writer.push(0, batch).expect("is taken").unwrap_or_default());
    }
    file.extend(writer.finish(true, &signer).expect("ends").0);
    file
}

fn code(report: &FileReport) -> &str {
    report.refusal.as_ref().map_or("", |refusal| &refusal.code)
}

fn imported(new: u64, known: u64, apart: u64) -> Imported {
    Imported { new, known, apart }
}

/// So many that they fill more than two chunks.
fn many() -> Vec<SealedBatch> {
    let mut position = Position::start(STORE, Lane::Telemetry);
    (0..40u64)
        .map(|number| {
            let mut state = number + 1;
            let noise = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            });
            let mut builder = BatchBuilder::new("test", "link");
            builder.push(Default::default(), &noise.take(60_000).collect::<Vec<_>>());
            let batch = builder.pack().expect("one record").seal(Lane::Telemetry, &position);
            position = batch.position();
            batch
        })
        .collect()
}

#[tokio::test]
async fn importing_twice_writes_nothing_and_the_node_sends_only_the_rest_afterwards() {
    let (hub, machine) = (Hub::start().await, tempfile::tempdir().expect("a directory"));
    let identity = hub.enrol("svalbard", machine.path()).await;
    let mut position = None;
    let batches = chain("test", 1, 20, &mut position);
    let file = bundle(&identity, &batches[..12]);
    let report = hub.import(&file).await;
    assert_eq!((report.imported, report.refusal, report.is_last), (imported(12, 0, 0), None, Some(true)));
    assert_eq!(report.node.as_deref(), Some("svalbard"));
    assert_eq!(hub.ledger().await, (1..=12).map(|number| (number, 5)).collect::<Vec<_>>());
    let again = hub.import(&file).await;
    assert_eq!((again.imported, again.refusal), (imported(0, 12, 0), None));
    assert_eq!(hub.ledger().await.len(), 12);

    // What HELLO_OK will tell the node: it goes on behind what was carried.
    let head = Some(BatchSequence(20));
    let head = LogHead { lane: Lane::Telemetry, store: STORE, head, is_forked: false };
    let opened =
        hub.registry.open_session(identity.node_id, BootId([1; 16]), &[head]).await.expect("answers");
    let (_, log) = opened.expect("is opened").logs.remove(0);
    assert_eq!((log.is_fork, log.committed.watermark(), log.committed.hash()), (false, 12, batches[11].hash));

    // An import under the node's own run does not make the node look like a second machine.
    let report = hub.import(&bundle(&identity, &batches)).await;
    assert_eq!(report.imported, imported(8, 12, 0));
    let opened =
        hub.registry.open_session(identity.node_id, BootId([1; 16]), &[head]).await.expect("answers");
    assert_eq!(opened.expect("is opened").logs[0].1.committed.watermark(), 20);
}

#[tokio::test]
async fn a_damaged_file_gives_up_every_good_chunk_and_names_the_rest() {
    let (hub, machine) = (Hub::start().await, tempfile::tempdir().expect("a directory"));
    let identity = hub.enrol("svalbard", machine.path()).await;
    let batches = many();
    let mut file = bundle(&identity, &batches);
    let whole = file.clone();
    let from = HEADER_BYTES + CHUNK_BYTES;
    file[from + 500..from + 700].fill(0);
    let report = hub.import(&file).await;
    let [damaged] = &report.damaged[..] else { panic!("{:?}", report.damaged) };
    assert_eq!((damaged.from, damaged.to), (from as u64, (from + CHUNK_BYTES) as u64));
    let [(0, first, last)] = damaged.batches.as_deref().expect("the index names them") else { panic!() };
    let lost = last - first + 1;
    assert_eq!(report.imported, imported(40 - lost, 0, 0));
    assert!(hub.ledger().await.iter().all(|(number, _)| !(*first..=*last).contains(&(*number as u64))));
    let mended = hub.import(&whole).await;
    assert_eq!((mended.imported, mended.damaged), (imported(lost, 40 - lost, 0), Vec::new()));
}

#[tokio::test]
async fn what_is_not_for_this_hub_is_refused_with_the_reason_and_writes_nothing() {
    let (hub, other) = (Hub::start().await, Hub::start().await);
    let (machine, foreign) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let identity = hub.enrol("svalbard", machine.path()).await;
    let batches = many();
    let stranger = other.enrol("svalbard", foreign.path()).await;
    assert_eq!(code(&hub.import(&bundle(&stranger, &batches[..3])).await), "STO-IMPORT-OTHER-HUB");
    assert_eq!(code(&hub.import(b"no bundle").await), "STO-IMPORT-BUNDLE");
    let file = bundle(&identity, &batches);
    let mut altered = file.clone();
    let (first, second) = altered[HEADER_BYTES..].split_at_mut(CHUNK_BYTES);
    first.swap_with_slice(&mut second[..CHUNK_BYTES]);
    assert_eq!(code(&hub.import(&altered).await), "STO-IMPORT-ALTERED");

    let replacement = tempfile::tempdir().expect("a directory");
    let newer = hub.enrol("svalbard", replacement.path()).await;
    assert_eq!(code(&hub.import(&file).await), "STO-IMPORT-OLDER");
    hub.registry.revoke("svalbard", "it was stolen", "a test").await.expect("answers");
    hub.fleet.refresh(&hub.registry).await.expect("reads");
    assert_eq!(code(&hub.import(&bundle(&newer, &batches[..3])).await), "STO-IMPORT-REVOKED");
    assert_eq!(hub.ledger().await, []);
    let events = Evidence::new(hub.database.clone()).events(10).await.expect("answers");
    assert_eq!(events.iter().filter(|event| event.text.starts_with("operator brought")).count(), 5);
}

#[tokio::test]
async fn another_history_under_known_numbers_is_kept_apart() {
    let (hub, machine) = (Hub::start().await, tempfile::tempdir().expect("a directory"));
    let identity = hub.enrol("svalbard", machine.path()).await;
    let (mut position, mut fork) = (None, None);
    hub.import(&bundle(&identity, &chain("test", 1, 5, &mut position))).await;
    let report = hub.import(&bundle(&identity, &chain("test", 100, 5, &mut fork))).await;
    assert_eq!(report.imported, imported(0, 0, 5));
    assert_eq!(hub.ledger().await.len(), 5);
    assert_eq!(Evidence::new(hub.database.clone()).kept_apart().await.expect("answers").len(), 5);
}

#[tokio::test]
async fn a_receipt_says_what_is_committed_and_its_node_believes_it() {
    let (hub, machine) = (Hub::start().await, tempfile::tempdir().expect("a directory"));
    let identity = hub.enrol("svalbard", machine.path()).await;
    let mut position = None;
    let batches = chain("test", 1, 4, &mut position);
    hub.import(&bundle(&identity, &batches)).await;
    let file =
        make_receipt(&hub.authority, &hub.registry, "svalbard", Duration::ZERO).await.expect("is written");
    let receipt = identity.check_receipt(&file).expect("is believed");
    let [log] = receipt.logs[..] else { panic!("{:?}", receipt.logs) };
    assert_eq!((log.store, log.watermark, log.safe, log.hash), (STORE, 4, 4, batches[3].hash));
    assert_eq!(Some(receipt.hub_key), identity.bundle_key);
    // What a replica may not have yet must not be forgotten.
    let hour = Duration::from_secs(3_600);
    let file = make_receipt(&hub.authority, &hub.registry, "svalbard", hour).await.expect("is written");
    let receipt = identity.check_receipt(&file).expect("is believed");
    assert_eq!((receipt.logs[0].watermark, receipt.logs[0].safe), (4, 0));
    assert!(make_receipt(&hub.authority, &hub.registry, "nobody", Duration::ZERO).await.is_err());
}

#[tokio::test]
async fn a_command_asks_through_a_directory_and_is_answered_there() {
    let (hub, machine) = (Hub::start().await, tempfile::tempdir().expect("a directory"));
    let identity = hub.enrol("svalbard", machine.path()).await;
    let file = hub.home.path().join("a.sto");
    let mut position = None;
    std::fs::write(&file, bundle(&identity, &chain("test", 1, 3, &mut position))).expect("is written");
    let stop = CancellationToken::new();
    let running = tokio::spawn(hub.carrying.clone().run(hub.home.path().to_owned(), stop.clone()));
    let request = ImportRequest { who: "operator".to_owned(), files: vec![file, PathBuf::from("/nowhere")] };
    let answer = requests::ask(hub.home.path(), "1", &request).expect("is asked");
    let reports = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if let Ok(bytes) = std::fs::read(&answer) {
                return serde_json::from_slice::<Vec<FileReport>>(&bytes).expect("is one");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let reports = reports.await.expect("is answered");
    assert_eq!((reports[0].imported, code(&reports[1])), (imported(3, 0, 0), "STO-IMPORT-BUNDLE"));
    assert!(!requests::directory(hub.home.path()).join("1.request").exists());
    stop.cancel();
    running.await.expect("ends").expect("well");
}
