//! What is carried by hand: from a journal into files that only the hub reads, and back to the journal.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use delivery::{
    BatchBuilder, BatchSequence, BundleReader, ChainHash, Epoch, HubReceipt, Lane, NodeId, ReceiptLog,
    SealedBatch, StoreId,
};
use edge_node::desk::client::{Reach, write_token};
use edge_node::desk::{Desk, Readers, routes};
use edge_node::export::{ExportArguments, Exported, export};
use edge_node::journal::{
    Batches, JournalError, JournalHandle, JournalLimits, LogOptions, Opened, SledJournal, start,
};
use link::{Clock, HubEndpoint, HubOptions, Profile};
use provisioning::{
    Authority, BookUnavailable, BundleFile, CertificateRecord, EnrollOptions, EnrolmentBook, EnrolmentDesk,
    Identity, NewToken, Redeemed, Redemption, Refusal, Token, enroll,
};
use space_packet::TaiTime;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::station::configuration;

const NODE: Uuid = Uuid::from_u128(7);
const STORE: StoreId = StoreId([7; 16]);

/// A book that takes any token.
struct Credulous;

impl EnrolmentBook for Credulous {
    async fn redeem(&self, _: Redemption) -> Result<Redeemed, Refusal> {
        Ok(Redeemed { node_id: NODE, name: "svalbard".to_owned(), site: "Svalbard".to_owned() })
    }

    async fn record_certificate(&self, _: CertificateRecord) -> Result<(), BookUnavailable> {
        Ok(())
    }
}

/// A station with a journal and an identity, and the authority of its hub.
struct Carrying {
    authority: Arc<Authority>,
    data: TempDir,
    stick: TempDir,
    journal: JournalHandle,
    alarms: JournalHandle,
}

fn journal(directory: &Path, lane: Lane, store: StoreId) -> JournalHandle {
    let log = LogOptions { lane, new_store: store, key: None };
    let name = format!("journal-{}", u8::from(lane));
    let journal = Box::new(SledJournal::open(&directory.join(name), log).expect("opens"));
    let opened = Opened { journal, salvaged: Vec::new(), events: Vec::new() };
    let opener = Box::new(|_| Err(JournalError::Closed));
    let (events, _) = mpsc::channel(1);
    start(opened, opener, JournalLimits::none(directory), events).expect("starts").0
}

impl Carrying {
    async fn start() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let authority = Self::enrol(data.path()).await;
        let journal = journal(data.path(), Lane::Telemetry, STORE);
        let alarms = self::journal(data.path(), Lane::Alarm, StoreId([8; 16]));
        Self { authority, data, stick: tempfile::tempdir().expect("a directory"), journal, alarms }
    }

    async fn enrol(data: &Path) -> Arc<Authority> {
        let clock = Clock::system();
        let authority = Authority::open_or_create(&data.join("hub"), clock.now_unix()).expect("opens");
        let authority = Arc::new(authority);
        let identity = authority.issue_hub(clock.now_unix()).expect("issues");
        let roots = vec![authority.certificate_der().to_vec()];
        let options = HubOptions::new(identity, roots, Profile::Terrestrial);
        let mut endpoint = HubEndpoint::bind((Ipv4Addr::LOCALHOST, 0).into(), options).expect("binds");
        let address = endpoint.local_addr().expect("is bound").to_string();
        let desk = EnrolmentDesk::new(Arc::clone(&authority), vec![address.clone()], clock.clone());
        let new = NewToken {
            hub_addresses: vec![address],
            node_name: "svalbard".to_owned(),
            site: "Svalbard".to_owned(),
            expires_unix: clock.now_unix() + 600,
            missions: None,
        };
        let (token, _) = Token::issue(new, authority.spki_sha256()).expect("a token");
        let serving = tokio::spawn(async move {
            let accepted = endpoint.accept().await.expect("somebody comes");
            desk.handle(&accepted.connection, &Credulous).await.expect("enrols");
            endpoint
        });
        let options = EnrollOptions::new(data.to_owned(), "rack-7".to_owned());
        enroll(&token.to_text(), &options).await.expect("enrols");
        serving.await.expect("serves");
        authority
    }

    /// Batches that are durable now, each with about so many bytes that do not pack.
    async fn record(&self, lane: Lane, batches: u64, bytes: usize) {
        let journal = if lane == Lane::Alarm { &self.alarms } else { &self.journal };
        let before = journal.state().borrow().head.number();
        for number in 0..batches {
            let mut builder = BatchBuilder::new("demo", "antenna");
            let mut noise = vec![0; bytes];
            let seed = (before + number).to_le_bytes();
            blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut noise);
            builder.push(Default::default(), &noise);
            journal.append(builder.pack().expect("one"), Vec::new(), Vec::new()).await.expect("is taken");
        }
        let mut state = journal.state();
        state.wait_for(|state| state.head.number() == before + batches).await.expect("becomes durable");
    }

    fn desk(&self) -> Desk {
        Desk {
            journal: self.journal.clone(),
            alarms: self.alarms.clone(),
            readers: Readers::Stopped(Vec::new()),
            events: None,
            steering: None,
            data: self.data.path().to_owned(),
        }
    }

    async fn export_to(&self, directory: &Path, desk: &Reach) -> anyhow::Result<Exported> {
        let arguments =
            ExportArguments { directory: directory.to_owned(), since_receipt: false, split: 8 << 20 };
        export(self.data.path(), desk, &arguments).await
    }

    async fn export(&self) -> Exported {
        let desk = Reach::Stopped(Box::new(self.desk()));
        self.export_to(self.stick.path(), &desk).await.expect("exports")
    }

    /// What the hub reads from all files, in the order of their names.
    fn imported(&self) -> Vec<(Lane, SealedBatch)> {
        let mut files: Vec<_> = std::fs::read_dir(self.stick.path())
            .expect("reads")
            .map(|file| file.expect("is").path())
            .collect();
        files.sort();
        let mut batches = Vec::new();
        for file in files {
            let reader = BundleReader::open(BundleFile::open(&file).expect("opens")).expect("is one");
            let imported = self.authority.open_bundle(reader).expect("is ours");
            for chunk in 0..imported.bundle.chunks() {
                let found = imported.bundle.chunk(chunk, &imported.cipher).expect("is sound");
                let logs = &imported.bundle.header().logs;
                batches
                    .extend(found.into_iter().map(|found| (logs[usize::from(found.log)].lane, found.batch)));
            }
        }
        batches
    }

    async fn recorded(&self, lane: Lane, from: u64) -> Vec<(Lane, SealedBatch)> {
        let journal = if lane == Lane::Alarm { &self.alarms } else { &self.journal };
        match journal.read(BatchSequence(from), usize::MAX).await.expect("reads") {
            Batches::Here(batches) => batches.into_iter().map(|batch| (lane, batch)).collect(),
            _ => Vec::new(),
        }
    }

    fn receipt(&self, created: i64, watermark: u64, hash: ChainHash) -> HubReceipt {
        let log = ReceiptLog {
            store: STORE,
            lane: Lane::Telemetry,
            epoch: Epoch(1),
            watermark,
            safe: watermark,
            hash,
        };
        HubReceipt {
            version: HubReceipt::VERSION,
            authority: self.authority.spki_sha256(),
            node: NodeId(NODE.into_bytes()),
            created: TaiTime(created),
            hub_key: self.authority.bundle_key().expect("a key"),
            logs: vec![log],
        }
    }
}

#[tokio::test]
async fn what_is_exported_is_what_was_recorded_and_nothing_is_exported_twice() {
    let station = Carrying::start().await;
    station.record(Lane::Telemetry, 3, 1_000).await;
    station.record(Lane::Alarm, 2, 100).await;
    let exported = station.export().await;
    assert_eq!((exported.files.len(), exported.batches), (1, 5));
    let mut expected = station.recorded(Lane::Alarm, 1).await;
    expected.extend(station.recorded(Lane::Telemetry, 1).await);
    assert_eq!(station.imported(), expected);

    let again = station.export().await;
    assert_eq!((again.files.len(), again.kept, again.batches), (0, 1, 0));
    station.record(Lane::Telemetry, 1, 1_000).await;
    assert_eq!(station.export().await.batches, 1);
    expected.extend(station.recorded(Lane::Telemetry, 4).await);
    assert_eq!(station.imported(), expected);
    let custody = std::fs::read_to_string(station.data.path().join("custody.jsonl")).expect("is written");
    assert_eq!(custody.lines().filter(|line| line.contains("STO-EXPORTED")).count(), 2);
}

#[tokio::test]
async fn an_export_that_was_cut_off_keeps_what_was_finished() {
    let station = Carrying::start().await;
    station.record(Lane::Telemetry, 130, 90_000).await;
    let exported = station.export().await;
    assert_eq!(exported.files.len(), 2);
    assert!(exported.files.iter().all(|file| file.bytes <= 8 << 20));
    let (first, second) = (&exported.files[0].path, &exported.files[1].path);
    let kept = std::fs::read(first).expect("reads");
    // As it is when the power goes while the second one is written.
    std::fs::rename(second, second.with_extension("sto.part")).expect("renames");
    let again = station.export().await;
    assert_eq!((again.kept, again.files.len()), (1, 1));
    assert_eq!(&again.files[0].path, second);
    assert_eq!(std::fs::read(first).expect("reads"), kept);
    assert_eq!(std::fs::read_dir(station.stick.path()).expect("reads").count(), 2);
    assert_eq!(station.imported(), station.recorded(Lane::Telemetry, 1).await);
}

#[tokio::test]
async fn what_a_receipt_says_is_acknowledged_and_not_exported_again() {
    let station = Carrying::start().await;
    station.record(Lane::Telemetry, 5, 1_000).await;
    station.export().await;
    assert_eq!(station.journal.state().borrow().acknowledged, None, "an export acknowledges nothing");
    let third = station.recorded(Lane::Telemetry, 3).await.remove(0).1;
    let file = station.receipt(1_000, 3, third.hash).seal(&*station.authority).expect("signs");
    let taken = station.desk().take_receipt(&file, "operator").await.expect("is taken");
    assert_eq!((taken.logs[0].watermark, taken.logs[0].safe), (3, 3));
    let other = tempfile::tempdir().expect("a directory");
    let desk = Reach::Stopped(Box::new(station.desk()));
    // The journal's thread has it before it answers anything asked later.
    let exported = station.export_to(other.path(), &desk).await.expect("exports");
    assert_eq!(exported.batches, 2);
}

#[tokio::test]
async fn a_receipt_that_is_not_for_this_journal_changes_nothing() {
    let station = Carrying::start().await;
    station.record(Lane::Telemetry, 3, 1_000).await;
    let (desk, stranger) = (station.desk(), tempfile::tempdir().expect("a directory"));
    let hash = station.recorded(Lane::Telemetry, 2).await.remove(0).1.hash;
    let refused = async |file: Vec<u8>| {
        let error = desk.take_receipt(&file, "operator").await.expect_err("is refused").to_string();
        error.split_once(']').map(|(code, _)| code.trim_start_matches('[').to_owned()).expect("has a code")
    };
    let ours = &*station.authority;
    let stranger = Authority::open_or_create(stranger.path(), 1_795_000_000).expect("opens");
    let mut foreign = station.receipt(1_000, 2, hash);
    foreign.authority = stranger.spki_sha256();
    assert_eq!(refused(foreign.seal(&stranger).expect("signs")).await, "STO-RECEIPT-OTHER-HUB");
    let mut other = station.receipt(1_000, 2, hash);
    other.node = NodeId([1; 16]);
    assert_eq!(refused(other.seal(ours).expect("signs")).await, "STO-RECEIPT-OTHER-NODE");
    let forged = station.receipt(1_000, 2, hash).seal(&stranger).expect("signs");
    assert_eq!(refused(forged).await, "STO-RECEIPT-ALTERED");
    assert_eq!(refused(b"no receipt".to_vec()).await, "STO-RECEIPT-FILE");
    let fork = station.receipt(1_000, 2, ChainHash([9; 16])).seal(ours).expect("signs");
    assert_eq!(refused(fork).await, "STO-RECEIPT-FORK");
    let ahead = station.receipt(1_000, 99, hash).seal(ours).expect("signs");
    assert_eq!(refused(ahead).await, "STO-RECEIPT-FORK");
    assert_eq!(station.desk().logs()[1].acknowledged, 0);

    let later = station.receipt(2_000, 2, hash).seal(ours).expect("signs");
    desk.take_receipt(&later, "operator").await.expect("is taken");
    let earlier = station.receipt(1_000, 1, ChainHash([0; 16])).seal(ours).expect("signs");
    assert_eq!(refused(earlier).await, "STO-RECEIPT-OLDER");
    desk.take_receipt(&later, "operator").await.expect("the same one again does no harm");
}

#[tokio::test]
async fn a_running_node_exports_and_takes_receipts_through_its_desk() {
    let station = Carrying::start().await;
    station.record(Lane::Telemetry, 30, 90_000).await;
    let (data, stop) = (station.data.path(), CancellationToken::new());
    std::fs::create_dir_all(data.join("access")).expect("a directory");
    let router = routes::router(Arc::new(station.desk()), write_token(data).expect("is written"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("binds");
    let ready = serde_json::json!({ "http": listener.local_addr().expect("is bound").to_string() });
    std::fs::write(data.join("ready.json"), ready.to_string()).expect("is written");
    let router = axum::Router::new().nest(routes::PREFIX, router);
    tokio::spawn(service::http::serve(listener, router, stop.clone()));

    let file = data.join("edge.toml");
    std::fs::write(&file, configuration(data, "")).expect("is written");
    let config = edge_node::config::EdgeConfig::read(&file).expect("reads");
    let desk = Reach::of(&file, &config).await.expect("is found");
    assert!(matches!(desk, Reach::Running(_)));
    let exported = station.export_to(station.stick.path(), &desk).await.expect("exports");
    assert_eq!(exported.batches, 30);
    let recorded = station.recorded(Lane::Telemetry, 1).await;
    assert_eq!(station.imported(), recorded);
    let receipt = station.receipt(1_000, 30, recorded[29].1.hash).seal(&*station.authority).expect("signs");
    let taken = desk.take_receipt(receipt, "operator".to_owned()).await.expect("is taken");
    assert_eq!(taken.logs[0].watermark, 30);
    let refused = desk.take_receipt(b"no receipt".to_vec(), "operator".to_owned()).await;
    assert!(refused.expect_err("is refused").to_string().contains("STO-RECEIPT-FILE"));
    stop.cancel();
}

#[tokio::test]
async fn what_cannot_be_exported_says_why_and_writes_nothing() {
    let station = Carrying::start().await;
    station.record(Lane::Telemetry, 1, 1_000).await;
    let desk = Reach::Stopped(Box::new(station.desk()));
    // A file system without any room, everywhere.
    let full = station.export_to(Path::new("/proc/self/task"), &desk).await.expect_err("has no room");
    assert!(full.to_string().starts_with("[STO-EXPORT-NO-ROOM]"), "{full}");

    let path = station.data.path().join("identity/node.json");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).expect("reads")).expect("JSON");
    json.as_object_mut().expect("an object").remove("bundle_key").expect("it was there");
    std::fs::write(&path, json.to_string()).expect("is written");
    let unknown = station.export_to(station.stick.path(), &desk).await.expect_err("has no key");
    assert!(unknown.to_string().starts_with("[STO-EXPORT-NO-HUB-KEY]"), "{unknown}");
    let hash = station.recorded(Lane::Telemetry, 1).await.remove(0).1.hash;
    let receipt = station.receipt(1_000, 0, ChainHash::of_store(STORE, Lane::Telemetry));
    let receipt = HubReceipt { logs: Vec::new(), ..receipt };
    station
        .desk()
        .take_receipt(&receipt.seal(&*station.authority).expect("signs"), "x")
        .await
        .expect("taken");
    assert!(Identity::load(station.data.path()).expect("loads").expect("is there").bundle_key.is_some());
    assert_eq!(station.export().await.batches, 1);
    assert_eq!(station.imported()[0].1.hash, hash);
}
