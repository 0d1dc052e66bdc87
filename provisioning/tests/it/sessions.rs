//! What an identity is worth afterwards: sessions, renewal, revocation, clocks.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use link::{Client, Clock, Closed, Connection, Profile};
use provisioning::*;
use tempfile::tempdir;

use crate::hub::{Hub, PATIENCE, options, within};

async fn connect(identity: &Identity, hub: &Hub, clock: Clock) -> Connection {
    let mut client = Client::new(identity.client_options(Profile::Terrestrial, clock)).unwrap();
    within(client.connect(&[hub.address], PATIENCE)).await.unwrap()
}

async fn enrolled(hub: &Hub, machine: &Path) -> Identity {
    within(enroll(&hub.token().to_text(), &options(machine, "rack-7"))).await.unwrap().identity
}

#[tokio::test]
async fn an_enrolled_node_opens_sessions_until_it_is_revoked() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let mut hub = Hub::start(home.path());
    let identity = enrolled(&hub, machine.path()).await;
    let list = |standing| {
        AllowList::new(
            vec![hub.authority.authority_id().to_owned()],
            HashMap::from([(identity.node_id, standing)]),
            HashSet::new(),
        )
    };
    let (before, after) = (list(Standing::Active), list(Standing::Revoked));
    let now = Clock::system().now_unix();

    let _session = connect(&identity, &hub, Clock::system()).await;
    let peer = within(hub.sessions.recv()).await.unwrap().peer.unwrap();
    assert_eq!(peer, identity.certificate);
    assert_eq!(before.judge(&peer, now), Ok(()));

    let session = connect(&identity, &hub, Clock::system()).await;
    let accepted = within(hub.sessions.recv()).await.unwrap();
    let refused = after.judge(&accepted.peer.unwrap(), now).unwrap_err();
    accepted.connection.close(refused.close_code(), &refused.to_string());
    match within(session.closed()).await {
        Closed::ByPeer { code, .. } => {
            assert_eq!(NotAllowed::from_close_code(code), Some(NotAllowed::Revoked));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_machine_that_thinks_it_is_1970_enrols_and_still_believes_a_hub_restarted_later() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let mut options = options(machine.path(), "rack-7");
    options.clock = Clock::new(|| 0, || 0);
    within(enroll(&hub.token().to_text(), &options)).await.unwrap();
    drop(hub);

    let mut restarted = Hub::start(home.path());
    let identity = Identity::load(machine.path()).unwrap().unwrap();
    let floor = identity.hub_time_unix;
    let _session = connect(&identity, &restarted, Clock::new(|| 0, move || floor)).await;
    within(restarted.sessions.recv()).await.unwrap();
}

#[tokio::test]
async fn a_renewed_node_has_another_key_and_is_the_same_node() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let mut hub = Hub::start(home.path());
    let before = enrolled(&hub, machine.path()).await;
    let now = Clock::system().now_unix();
    assert!(!before.renewal_is_due(now));
    assert!(before.renewal_is_due(now + 31 * 86_400));

    let cut_off = Renewal::begin(machine.path(), before.clone()).await.unwrap();
    let asked = CertificateRequest::from_der(&cut_off.csr_der).unwrap().key_sha256();
    drop(cut_off);
    assert_eq!(Identity::load(machine.path()).unwrap().as_ref(), Some(&before), "the old one stays in use");

    let renewal = Renewal::begin(machine.path(), before.clone()).await.unwrap();
    let request = CertificateRequest::from_der(&renewal.csr_der).unwrap();
    assert_eq!(request.key_sha256(), asked, "and the new key waits");
    let issued = hub.authority.issue_node(&request, before.node_id, now + 5).unwrap();
    let after = renewal.finish(issued.chain, now + 5).await.unwrap();
    assert_eq!((after.node_id, &after.name, after.hub_time_unix), (before.node_id, &before.name, now + 5));
    assert_ne!(after.node.key_pkcs8, before.node.key_pkcs8);
    assert_eq!(Identity::load(machine.path()).unwrap().as_ref(), Some(&after));
    let _session = connect(&after, &hub, Clock::system()).await;
    assert_eq!(within(hub.sessions.recv()).await.unwrap().peer.unwrap(), after.certificate);
}

#[tokio::test]
async fn a_renewal_takes_no_certificate_for_another_node_or_key() {
    let (home, machine) = (tempdir().unwrap(), tempdir().unwrap());
    let hub = Hub::start(home.path());
    let before = enrolled(&hub, machine.path()).await;
    let now = Clock::system().now_unix();
    let renewal = Renewal::begin(machine.path(), before.clone()).await.unwrap();
    let request = CertificateRequest::from_der(&renewal.csr_der).unwrap();
    let foreign = hub.authority.issue_node(&request, uuid::Uuid::new_v4(), now).unwrap();
    let error = renewal.finish(foreign.chain, now).await.unwrap_err();
    assert!(matches!(error, IdentityError::NotOurs { .. }), "{error}");

    let renewal = Renewal::begin(machine.path(), before.clone()).await.unwrap();
    let error = renewal.finish(before.node.certificate_chain.clone(), now).await.unwrap_err();
    assert!(matches!(error, IdentityError::NotOurs { .. }), "{error}");
    assert_eq!(Identity::load(machine.path()).unwrap(), Some(before));
}
