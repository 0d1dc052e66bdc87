use std::path::Path;

use delivery::{
    BatchBuilder, BundleHash, BundleHeader, BundleId, BundleLog, BundleWriter, ChunkDamage, Lane, Position,
    ReceiptLog, SealedBatch, StoreId,
};

use super::*;
use crate::CertificateRequest;
use crate::identity::{NodeFile, Staged};

const NOW: u64 = 1_795_000_000;
const STORE: StoreId = StoreId([3; 16]);

fn authority(home: &Path) -> Authority {
    Authority::open_or_create(&home.join("authority"), NOW).unwrap()
}

/// A machine that was enrolled at `authority`.
fn node(home: &Path, authority: &Authority, node_id: u128) -> Identity {
    let staged = Staged::prepare(home).unwrap();
    let request = CertificateRequest::from_der(&staged.csr_der().unwrap()).unwrap();
    let issued = authority.issue_node(&request, Uuid::from_u128(node_id), NOW).unwrap();
    let node = NodeFile {
        node_id: Uuid::from_u128(node_id),
        name: "svalbard".to_owned(),
        site: "Svalbard".to_owned(),
        hub_addresses: vec!["hub:4433".to_owned()],
        hub_time_unix: NOW,
        bundle_key: None,
    };
    let mut identity = staged.commit(&node, &issued.chain, &[authority.certificate_der().to_vec()]).unwrap();
    identity.keep_bundle_key(home, authority.bundle_key().unwrap()).unwrap();
    identity
}

fn batches() -> Vec<SealedBatch> {
    let mut builder = BatchBuilder::new("demo", "antenna");
    builder.push(Default::default(), b"a packet nobody may read");
    let lane = Lane::Telemetry;
    vec![builder.pack().unwrap().seal(lane, &Position::start(STORE, lane))]
}

fn export(identity: &Identity, change: impl FnOnce(&mut BundleHeader)) -> (Vec<u8>, BundleHash) {
    let hub_key = identity.bundle_key.unwrap();
    let (cipher, file_key) = FileCipher::for_hub(&hub_key).unwrap();
    let batches = batches();
    let mut header = BundleHeader {
        version: BundleHeader::VERSION,
        bundle: BundleId([1; 16]),
        part: 1,
        authority: identity.authority_spki_sha256().unwrap(),
        hub_key,
        file_key,
        node: NodeId(identity.node_id.into_bytes()),
        certificates: identity.node.certificate_chain.clone(),
        logs: vec![BundleLog {
            store: STORE,
            lane: Lane::Telemetry,
            first: 1,
            last: 1,
            previous: batches[0].previous,
            hash: batches[0].hash,
        }],
        previous: None,
        created: Default::default(),
    };
    change(&mut header);
    let signer = identity.signer().unwrap();
    let (mut writer, mut file) = BundleWriter::begin(&header, cipher, &signer).unwrap();
    for batch in &batches {
        assert_eq!(writer.push(0, batch), Ok(None));
    }
    let (end, hash) = writer.finish(true, &signer).unwrap();
    file.extend_from_slice(&end);
    (file, hash)
}

fn import<'a>(authority: &Authority, file: &'a [u8]) -> Result<ImportedBundle<&'a [u8]>, NotForUs> {
    authority.open_bundle(BundleReader::open(file)?)
}

#[test]
fn what_a_node_seals_its_hub_opens_and_nobody_else() {
    let (home, machine, elsewhere) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (authority(home.path()), authority(elsewhere.path()));
    let identity = node(machine.path(), &ours, 1);
    let (file, hash) = export(&identity, |_| ());
    assert!(!file.windows(6).any(|window| window == b"packet"));
    let imported = import(&ours, &file).unwrap();
    assert_eq!(imported.certificate.node_id, identity.node_id);
    assert_eq!(imported.bundle.hash(), Some(hash));
    let found = imported.bundle.chunk(0, &imported.cipher).unwrap();
    assert_eq!(found.into_iter().map(|found| found.batch).collect::<Vec<_>>(), batches());
    assert_eq!(import(&theirs, &file).err(), Some(NotForUs::OtherHub));

    // The hub's key follows from its authority, and is the same after a restart.
    assert!(import(&authority(home.path()), &file).is_ok());
}

#[test]
fn a_node_cannot_speak_for_another_one() {
    let (home, machine, other, elsewhere) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let (ours, theirs) = (authority(home.path()), authority(elsewhere.path()));
    let (identity, other) = (node(machine.path(), &ours, 1), node(other.path(), &ours, 2));
    let (file, _) = export(&identity, |header| header.node = NodeId(other.node_id.into_bytes()));
    let reason = "it names another node";
    assert_eq!(import(&ours, &file).err(), Some(NotForUs::Certificate { reason }));

    let (file, _) = export(&identity, |header| {
        header.node = NodeId(other.node_id.into_bytes());
        header.certificates = other.node.certificate_chain.clone();
    });
    assert!(matches!(import(&ours, &file), Err(NotForUs::File(BundleError::Altered { .. }))));

    let foreign = tempfile::tempdir().unwrap();
    let foreign = node(foreign.path(), &theirs, 1);
    let (file, _) = export(&identity, |header| {
        header.certificates = foreign.node.certificate_chain.clone();
    });
    let reason = "it is of another authority";
    assert_eq!(import(&ours, &file).err(), Some(NotForUs::Certificate { reason }));
}

#[test]
fn a_certificate_with_another_bit_is_not_the_authoritys() {
    let (home, machine) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = authority(home.path());
    let identity = node(machine.path(), &ours, 1);
    // Its last byte is of the authority's signature.
    let (file, _) = export(&identity, |header| *header.certificates[0].last_mut().unwrap() ^= 1);
    let reason = "the authority did not sign it";
    assert_eq!(import(&ours, &file).err(), Some(NotForUs::Certificate { reason }));
}

#[test]
fn a_chunk_of_another_file_does_not_open() {
    let (home, machine) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = authority(home.path());
    let identity = node(machine.path(), &ours, 1);
    let ((mut file, _), (other, _)) = (export(&identity, |_| ()), export(&identity, |_| ()));
    let chunk = delivery::HEADER_BYTES..delivery::HEADER_BYTES + delivery::CHUNK_BYTES;
    assert_ne!(file[chunk.clone()], other[chunk.clone()], "each file has a key of its own");
    file[chunk.clone()].copy_from_slice(&other[chunk]);
    let imported = import(&ours, &file).unwrap();
    let bad = imported.bundle.chunk(0, &imported.cipher).unwrap_err();
    assert_eq!(bad.damage, ChunkDamage::Altered);
}

#[test]
fn a_receipt_is_believed_of_the_nodes_own_hub_and_for_itself_only() {
    let (home, machine, elsewhere) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (authority(home.path()), authority(elsewhere.path()));
    let identity = node(machine.path(), &ours, 1);
    let receipt = |authority: &Authority, node: u128| HubReceipt {
        version: HubReceipt::VERSION,
        authority: authority.spki_sha256(),
        node: NodeId(Uuid::from_u128(node).into_bytes()),
        created: Default::default(),
        hub_key: authority.bundle_key().unwrap(),
        logs: vec![ReceiptLog {
            store: STORE,
            lane: Lane::Telemetry,
            epoch: delivery::Epoch(1),
            watermark: 1,
            safe: 1,
            hash: batches()[0].hash,
        }],
    };
    let file = receipt(&ours, 1).seal(&ours).unwrap();
    assert_eq!(identity.check_receipt(&file), Ok(receipt(&ours, 1)));
    let file = receipt(&theirs, 1).seal(&theirs).unwrap();
    assert_eq!(identity.check_receipt(&file), Err(NotForUs::OtherHub));
    let file = receipt(&ours, 1).seal(&theirs).unwrap();
    assert!(matches!(identity.check_receipt(&file), Err(NotForUs::File(BundleError::Altered { .. }))));
    let file = receipt(&ours, 2).seal(&ours).unwrap();
    let other = NotForUs::OtherNode { node: Uuid::from_u128(2), ours: identity.node_id };
    assert_eq!(identity.check_receipt(&file), Err(other));
}

#[test]
fn a_bundle_key_stays_over_restarts_and_an_identity_from_before_has_none() {
    let (home, machine) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = authority(home.path());
    let identity = node(machine.path(), &ours, 1);
    assert_eq!(Identity::load(machine.path()).unwrap(), Some(identity));
    let path = machine.path().join("identity/node.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("bundle_key").unwrap();
    std::fs::write(&path, json.to_string()).unwrap();
    assert_eq!(Identity::load(machine.path()).unwrap().unwrap().bundle_key, None);
}
