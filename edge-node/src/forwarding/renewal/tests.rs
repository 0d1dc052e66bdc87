use std::sync::atomic::{AtomicU64, Ordering};

use delivery::{Lane, Position, StoreId};
use link::{KeyPkcs8, NodeCertificate, NodeIdentity};
use provisioning::{Authority, CertificateRequest, NotAllowed};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::status::HubLink;

const NOW: u64 = 1_795_000_000;
const DAY: u64 = 86_400;

/// A node that was enrolled at [`NOW`], and its hub's authority.
struct World {
    home: TempDir,
    authority: Authority,
    status: Arc<NodeStatus>,
    enrolled: Identity,
    now: Arc<AtomicU64>,
}

impl World {
    async fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let authority = Authority::open_or_create(&home.path().join("authority"), NOW).expect("made");
        let start = Position::start(StoreId([1; 16]), Lane::Telemetry);
        let status = NodeStatus::new("n", "s", None, HubLink::NotEnrolled, start, start);
        let now = Arc::new(AtomicU64::new(NOW));
        let enrolled = enrol(&home, &authority).await;
        Self { home, authority, status: Arc::new(status), enrolled, now }
    }

    fn credentials(&self, configured: &[&str]) -> Credentials {
        let (now, data) = (Arc::clone(&self.now), self.home.path().to_owned());
        let clock = Clock::new(move || now.load(Ordering::Relaxed), || 0);
        let trust = Arc::new(Trust::open(&data, Some(&self.enrolled)));
        let configured = configured.iter().map(|&address| address.to_owned()).collect();
        Credentials::new(data, self.enrolled.clone(), clock, trust, Arc::clone(&self.status), configured)
    }

    fn set_day(&self, day: u64) {
        self.now.store(NOW + day * DAY, Ordering::Relaxed);
    }

    fn on_disk(&self) -> Identity {
        Identity::load(self.home.path()).expect("reads").expect("is enrolled")
    }

    /// What a hub answers to a request, for some node.
    fn answer(&self, request: &Frame, node: Uuid) -> Renewed {
        let Frame::Renew(request) = request else { panic!("{request:?}") };
        let request = CertificateRequest::from_der(request).expect("a request");
        let now = self.now.load(Ordering::Relaxed);
        let issued = self.authority.issue_node(&request, node, now).expect("issued");
        Renewed { chain: issued.chain, hub_time_unix: now }
    }
}

/// An identity as enrolment leaves it.
async fn enrol(home: &TempDir, authority: &Authority) -> Identity {
    let node_id = Uuid::from_u128(7);
    let authority_id = authority.authority_id().to_owned();
    let nobody = Identity {
        node_id,
        name: "n".to_owned(),
        site: "s".to_owned(),
        hub_addresses: vec!["token.example:1".to_owned(), "hub-a.example:1".to_owned()],
        hub_time_unix: NOW,
        certificate: NodeCertificate { node_id, authority_id, not_before: 0, not_after: 0, serial: vec![] },
        node: NodeIdentity { certificate_chain: Vec::new(), key_pkcs8: KeyPkcs8::new(Vec::new()) },
        authorities: vec![authority.certificate_der().to_vec()],
        bundle_key: None,
    };
    let first = Renewal::begin(home.path(), nobody).await.expect("a key");
    let request = CertificateRequest::from_der(&first.csr_der).expect("a request");
    let issued = authority.issue_node(&request, node_id, NOW).expect("issued");
    first.finish(issued.chain, NOW).await.expect("fits")
}

#[tokio::test]
async fn a_third_into_its_life_a_certificate_is_renewed_under_another_key_and_in_use_on_disk() {
    let world = World::new().await;
    let credentials = world.credentials(&[]);
    world.set_day(29);
    assert_eq!(credentials.request().await, None);
    world.set_day(31);
    let request = credentials.request().await.expect("it is time");
    assert_eq!(world.on_disk(), world.enrolled, "until the answer comes the old one is in use");
    assert_eq!(credentials.request().await, None, "it has just asked");
    credentials.on_renewed(world.answer(&request, world.enrolled.node_id)).await;
    let renewed = world.on_disk();
    assert_ne!(renewed.node.key_pkcs8, world.enrolled.node.key_pkcs8);
    assert_eq!(renewed.certificate.not_after, NOW + (31 + 90) * DAY);
    let told = world.status.certificate_ends().expect("people are told");
    assert_eq!(told.to_unix_nanos(), (NOW + (31 + 90) * DAY) as i64 * 1_000_000_000);
    assert_eq!(credentials.standing.lock().await.identity, renewed, "the next connection shows it");
    world.set_day(91);
    assert_eq!(credentials.expired().await, None);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_leaves_the_certificate_in_use_and_the_key_waiting() {
    let world = World::new().await;
    world.set_day(31);
    let credentials = world.credentials(&[]);
    let request = credentials.request().await.expect("it is time");
    credentials.on_renewed(world.answer(&request, Uuid::from_u128(8))).await;
    assert_eq!(world.on_disk(), world.enrolled);
    // One that comes unasked has no key to go with.
    credentials.on_renewed(world.answer(&request, world.enrolled.node_id)).await;
    assert_eq!(world.on_disk(), world.enrolled);
    let refused = RenewRefused { code: "STO-HUB-UNAVAILABLE".to_owned(), reason: "later".to_owned() };
    credentials.on_refused(&refused).await;
    assert_eq!(world.on_disk(), world.enrolled);
    // After a restart it asks at once, with the key that waits, so that an answer that was lost costs nothing.
    let key = |request: &Frame| match request {
        Frame::Renew(request) => CertificateRequest::from_der(request).expect("a request").key_sha256(),
        other => panic!("{other:?}"),
    };
    let again = world.credentials(&[]).request().await.expect("it is time");
    assert_eq!(key(&again), key(&request));
}

#[tokio::test]
async fn a_certificate_that_ended_while_the_hub_was_away_says_what_to_do() {
    let world = World::new().await;
    let credentials = world.credentials(&[]);
    world.set_day(89);
    assert_eq!(credentials.expired().await, None);
    world.set_day(91);
    let told = credentials.expired().await.expect("it has ended");
    assert!(told.starts_with(NotAllowed::Expired.code()), "{told}");
    assert!(told.contains("recording goes on") && told.contains("edge-node enroll --replace"), "{told}");
}

#[tokio::test]
async fn configured_addresses_come_before_every_list_and_those_of_the_token_behind_it() {
    let world = World::new().await;
    let from_token = ["token.example:1", "hub-a.example:1"];
    assert_eq!(world.credentials(&[]).addresses().await, from_token);
    assert_eq!(world.credentials(&["mine.example:1"]).addresses().await, ["mine.example:1"]);
    let credentials = world.credentials(&[]);
    let hubs = provisioning::HubList::from_arguments(
        &["hub-a.example:1", "hub-b.example:1", "hub-c.example:1"].map(str::to_owned),
    );
    let text = hubs.expect("hubs").to_text();
    let mut head = delivery::DocumentHead {
        mission: None,
        kind: delivery::DocumentKind::Endpoints,
        number: 1,
        effective_from: None,
        effective_to: None,
        file_name: String::new(),
        bounds: None,
        author: None,
        reason: None,
        hash: delivery::DocumentHash::of(&text),
        text_bytes: text.len() as u64,
        packed_bytes: 0,
        signature: delivery::DocumentSignature::default(),
    };
    let bytes = world.authority.sign(&head.signed_bytes()).expect("signs");
    head.signature = delivery::DocumentSignature { authority: world.authority.spki_sha256(), bytes };
    credentials.trust.take(&head, text).expect("signed");
    let addresses = credentials.addresses().await;
    let node = NodeId(world.enrolled.node_id.into_bytes());
    let hubs = ["hub-a.example:1", "hub-b.example:1", "hub-c.example:1"];
    assert_eq!(addresses[..3], preferred_order(node, &hubs)[..]);
    assert_eq!(addresses[3..], ["token.example:1"]);
}
