//! Signed lists for nodes, and certificates that are renewed, as the database keeps them.

use std::collections::HashSet;
use std::sync::Arc;

use cloud_hub::archive::{Certificates, Evidence, NodeDocuments, RenewalRefused};
use cloud_hub::fleet::Fleet;
use cloud_hub::reception::Renewals;
use cloud_hub::role::HubRole;
use cloud_hub::told::{self, Told};
use delivery::{DocumentKind, Frame, RenewRefused};
use link::{KeyPkcs8, NodeCertificate, NodeIdentity};
use provisioning::{
    Authorities, Authority, CertificateRecord, CertificateRequest, EnrolmentBook, HubList, Identity, Renewal,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::world::{World, redemption};

const NOW: u64 = 1_795_000_000;

fn authority() -> (TempDir, Authority) {
    let home = tempfile::tempdir().expect("a directory");
    let authority = Authority::open_or_create(&home.path().join("authority"), NOW).expect("made");
    (home, authority)
}

fn list_of(authorities: &[&Authority]) -> Authorities {
    let all: Vec<_> = authorities.iter().map(|one| one.certificate_der().to_vec()).collect();
    Authorities::from_der(&all).expect("authorities")
}

async fn told(world: &World, authority: Authority) -> Told {
    let fleet =
        Arc::new(Fleet::new(authority.authority_id(), Vec::new(), HashSet::new(), HubRole::default()));
    let table = NodeDocuments::new(world.database.clone());
    Told::open(table, Arc::new(authority), fleet).await.expect("answers")
}

#[tokio::test]
async fn a_list_is_signed_with_its_number_and_the_newest_of_each_kind_counts() {
    let world = World::new().await;
    let (home, hub) = authority();
    let table = NodeDocuments::new(world.database.clone());
    let hubs = |address: &str| HubList::from_arguments(&[address.to_owned()]).expect("a hub").to_text();
    let make = async |kind, text: &str| told::make(&table, &hub, kind, text).await.expect("made");
    let first = make(DocumentKind::Endpoints, &hubs("a.example:1")).await;
    let second = make(DocumentKind::Endpoints, &hubs("b.example:1")).await;
    let trust = make(DocumentKind::Trust, &list_of(&[&hub]).to_pem()).await;
    assert!(second.number > first.number, "also within a second");
    let unix = service::clock::now().to_unix_nanos() / 1_000_000_000;
    assert!((unix - i64::from(first.number)).abs() < 60, "it grows even where the database was set back");
    let signature = &second.signature;
    let own = list_of(&[&hub]);
    assert_eq!(own.verify(&second.head().signed_bytes(), signature.authority, &signature.bytes), Ok(()));
    assert_eq!(table.newest().await.expect("answers"), [second.clone(), trust.clone()]);
    let hub = Authority::open_or_create(&home.path().join("authority"), NOW).expect("opens");
    assert_eq!(*told(&world, hub).await.signed(), [second, trust]);
}

#[tokio::test]
async fn a_list_that_somebody_wrote_into_the_database_is_neither_given_out_nor_trusted() {
    let world = World::new().await;
    let ((_home, hub), (_other_home, stranger)) = (authority(), authority());
    let (hub_id, own) = (hub.authority_id().to_owned(), list_of(&[&hub]));
    let table = NodeDocuments::new(world.database.clone());
    let both = list_of(&[&hub, &stranger]);
    told::make(&table, &hub, DocumentKind::Trust, &both.to_pem()).await.expect("made");
    let documents = table.newest().await.expect("answers");
    assert_eq!(told::authorities_in(&documents, &hub), (both.clone(), None));
    told::make(&table, &stranger, DocumentKind::Trust, &both.to_pem()).await.expect("made");
    let documents = table.newest().await.expect("answers");
    let (authorities, problem) = told::authorities_in(&documents, &hub);
    assert_eq!(authorities, own);
    assert!(problem.is_some_and(|problem| problem.contains("STO-DOCUMENT-SIGNATURE")));
    let client = world.database.connect().await.expect("answers");
    let altered = client.execute("UPDATE node_document SET content = content || ' '", &[]).await;
    assert_eq!(altered.expect("answers"), 2);
    let told = told(&world, hub).await;
    assert_eq!(*told.signed(), []);
    let trusted = told.trusted().borrow().clone();
    assert_eq!(Authorities::from_der(&trusted).expect("its own").ids(), [hub_id]);
}

/// A node of the hub with a certificate, and what it asks with for the next.
struct Node {
    peer: NodeCertificate,
    _state: TempDir,
    request: Vec<u8>,
}

async fn node(world: &World, authority: &Authority) -> Node {
    let node_id = world.node("station").await.node_id;
    let state = tempfile::tempdir().expect("a directory");
    let peer = NodeCertificate {
        node_id,
        authority_id: authority.authority_id().to_owned(),
        not_before: NOW,
        not_after: NOW + 90 * 86_400,
        serial: vec![1],
    };
    let record = CertificateRecord {
        node_id,
        serial: vec![1],
        key_sha256: [1; 32],
        not_before: peer.not_before,
        not_after: peer.not_after,
    };
    world.registry.record_certificate(record).await.expect("recorded");
    let identity = Identity {
        node_id,
        name: "station".to_owned(),
        site: "here".to_owned(),
        hub_addresses: Vec::new(),
        hub_time_unix: NOW,
        certificate: peer.clone(),
        node: NodeIdentity { certificate_chain: Vec::new(), key_pkcs8: KeyPkcs8::new(Vec::new()) },
        authorities: Vec::new(),
        bundle_key: None,
    };
    let renewal = Renewal::begin(state.path(), identity).await.expect("a key");
    Node { peer, _state: state, request: renewal.csr_der }
}

async fn renewals(world: &World, authority: Authority) -> Renewals {
    let (nodes, superseded) = (world.registry.nodes().await, world.registry.superseded().await);
    let fleet = Fleet::new(
        authority.authority_id(),
        nodes.expect("answers"),
        superseded.expect("answers"),
        HubRole::default(),
    );
    Renewals {
        authority: Arc::new(authority),
        certificates: Certificates::new(world.database.clone()),
        fleet: Arc::new(fleet),
        evidence: Evidence::new(world.database.clone()),
    }
}

fn code(frame: &Frame) -> &str {
    let Frame::RenewRefused(RenewRefused { code, .. }) = frame else { panic!("{frame:?}") };
    code
}

#[tokio::test]
async fn a_node_gets_its_next_certificate_for_its_own_name_and_the_key_it_asks_with() {
    let world = World::new().await;
    let (_home, authority) = authority();
    let node = node(&world, &authority).await;
    let renewals = renewals(&world, authority).await;
    let Frame::Renewed(renewed) = renewals.answer(&node.peer, &node.request, NOW + 5).await else {
        panic!("it was refused")
    };
    let issued = NodeCertificate::from_der(&renewed.chain[0]).expect("a node's");
    assert_eq!((issued.node_id, &issued.authority_id), (node.peer.node_id, &node.peer.authority_id));
    assert_eq!((renewed.hub_time_unix, issued.not_after), (NOW + 5, NOW + 5 + 90 * 86_400));
    // It is on record under its own key: a machine that takes the node's place supersedes it, too.
    let (_, token) = world.token("station").await;
    world.registry.redeem(redemption(&token, 2, 1_000)).await.expect("redeemed");
    let superseded = world.registry.superseded().await.expect("answers");
    assert_eq!(superseded, [vec![1], issued.serial].into());
    let request = CertificateRequest::from_der(&node.request).expect("a request");
    let record = CertificateRecord {
        node_id: node.peer.node_id,
        serial: vec![9],
        key_sha256: request.key_sha256(),
        not_before: NOW,
        not_after: NOW,
    };
    // The allow-list may be a second old; the database is asked in any case.
    let late = renewals.certificates.renew(&record, &node.peer.serial, NOW).await.expect("answers");
    assert_eq!(late, Err(RenewalRefused::NotAllowed));
}

#[tokio::test]
async fn who_may_not_come_in_gets_no_certificate_and_that_is_an_event() {
    let world = World::new().await;
    let (_home, authority) = authority();
    let node = node(&world, &authority).await;
    let renewals = renewals(&world, authority).await;
    let refused = renewals.answer(&node.peer, b"no request", NOW).await;
    assert_eq!(code(&refused), "STO-REQUEST-REJECTED");
    let late = renewals.answer(&node.peer, &node.request, node.peer.not_after + 1).await;
    assert_eq!(code(&late), "STO-CERTIFICATE-EXPIRED");
    let stranger = NodeCertificate { node_id: Uuid::from_u128(1), ..node.peer.clone() };
    assert_eq!(code(&renewals.answer(&stranger, &node.request, NOW).await), "STO-NODE-UNKNOWN");
    let foreign = NodeCertificate { authority_id: "sto-other".to_owned(), ..node.peer.clone() };
    assert_eq!(code(&renewals.answer(&foreign, &node.request, NOW).await), "STO-NODE-FOREIGN");
    renewals.fleet.trust(vec![node.peer.authority_id.clone(), "sto-other".to_owned()]);
    renewals.fleet.refresh(&world.registry).await.expect("answers");
    assert!(matches!(renewals.answer(&foreign, &node.request, NOW).await, Frame::Renewed(_)));
    world.registry.revoke("station", "it was stolen", "a test").await.expect("answers");
    assert_eq!(code(&renewals.answer(&node.peer, &node.request, NOW).await), "STO-NODE-REVOKED");
    renewals.fleet.refresh(&world.registry).await.expect("answers");
    assert_eq!(code(&renewals.answer(&node.peer, &node.request, NOW).await), "STO-NODE-REVOKED");
    let events = renewals.evidence.events(10).await.expect("answers");
    let codes = events.iter().map(|event| event.code.as_str());
    let codes: Vec<_> = codes.filter(|code| !code.starts_with("STO-ADMIN-")).collect();
    let expected = [
        "STO-NODE-REVOKED",
        "STO-NODE-REVOKED",
        "STO-NODE-FOREIGN",
        "STO-CERTIFICATE-EXPIRED",
        "STO-REQUEST-REJECTED",
    ];
    assert_eq!(codes, expected);
}

#[tokio::test]
async fn certificates_of_a_node_are_bounded_and_those_that_ended_are_forgotten() {
    let world = World::new().await;
    let (_home, authority) = authority();
    let node = node(&world, &authority).await;
    let renewals = renewals(&world, authority).await;
    for _ in 0..31 {
        assert!(matches!(renewals.answer(&node.peer, &node.request, NOW).await, Frame::Renewed(_)));
    }
    assert_eq!(code(&renewals.answer(&node.peer, &node.request, NOW).await), "STO-RENEWAL-LIMIT");
    let later = NodeCertificate { not_after: NOW + 180 * 86_400, ..node.peer.clone() };
    let after_their_end = renewals.answer(&later, &node.request, NOW + 91 * 86_400).await;
    assert!(matches!(after_their_end, Frame::Renewed(_)));
}

#[tokio::test]
async fn a_node_may_send_for_what_its_token_and_mission_control_say() {
    let world = World::new().await;
    let missions = async |name: &str| {
        let nodes = world.registry.nodes().await.expect("answers");
        nodes.into_iter().find(|node| node.name == name).expect("is there").missions
    };
    let enrol = async |name: &str, key: u8, missions: Option<&[&str]>| {
        let (_, mut record) = World::issue_token(name);
        record.missions = missions.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        world.registry.insert_token(&record, "a test").await.expect("kept");
        world.registry.redeem(redemption(&record, key, 1_000)).await.expect("redeemed");
    };
    enrol("free", 1, None).await;
    assert_eq!(missions("free").await, None);
    enrol("bound", 2, Some(&["demo", "test"])).await;
    assert_eq!(missions("bound").await, Some(vec!["demo".to_owned(), "test".to_owned()]));
    enrol("bound", 3, None).await;
    assert_eq!(
        missions("bound").await.map(|all| all.len()),
        Some(2),
        "a new machine has the rights of the old"
    );
    enrol("bound", 4, Some(&["demo"])).await;
    assert_eq!(missions("bound").await, Some(vec!["demo".to_owned()]));
    assert!(world.registry.set_missions("bound", None, "a test").await.expect("answers"));
    assert_eq!(missions("bound").await, None);
    assert!(!world.registry.set_missions("nobody", None, "a test").await.expect("answers"));
}
