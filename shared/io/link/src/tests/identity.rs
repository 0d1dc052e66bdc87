//! Who is let in, who is believed.

use rcgen::string::Ia5String;

use super::*;

async fn connect(
    authority: &Authority,
    identity: NodeIdentity,
    to: &[SocketAddr],
) -> Result<Connection, ConnectError> {
    within(Client::new(authority.client_options(identity)).unwrap().connect(to, PATIENCE)).await
}

/// Connects as a machine that knows an authority from its token only.
async fn enroll_at(pinned: &Authority, to: &[SocketAddr], clock: Clock) -> Result<Connection, ConnectError> {
    connect_pinned(to, pinned.pin(), Profile::Terrestrial, &clock, PATIENCE).await
}

/// What a node sees that the hub does not want: the handshake passes on its side, the end comes right after.
async fn refusal(authority: &Authority, identity: NodeIdentity, to: &[SocketAddr]) -> Closed {
    match connect(authority, identity, to).await {
        Ok(connection) => within(connection.closed()).await,
        Err(ConnectError::Refused { closed, .. }) => closed,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_node_and_the_hub_know_each_other_and_exchange_frames() {
    let authority = Authority::new();
    let (mut hub, addresses) = bind(authority.options());
    let node_id = Uuid::new_v4();
    let connection = connect(&authority, authority.node(node_id), &addresses).await.unwrap();
    let (mut writer, mut reader) = within(connection.open_bi()).await.unwrap();
    writer.send(1, &[b"hel", b"lo"]).await.unwrap();

    let accepted = within(hub.accept()).await.unwrap();
    let peer = accepted.peer.unwrap();
    assert_eq!(accepted.alpn, Alpn::Session);
    assert_eq!((peer.node_id, peer.authority_id.as_str()), (node_id, "sto-test"));
    assert!(peer.not_after > now());
    assert!(accepted.remote.ip().is_loopback());
    let (mut answers, mut requests) = within(accepted.connection.accept_bi()).await.unwrap();
    let frame = within(requests.next()).await.unwrap().unwrap();
    assert_eq!((frame.kind, frame.body.as_ref()), (1, b"hello".as_slice()));
    answers.send(2, &[]).await.unwrap();
    answers.finish().await.unwrap();

    let answer = within(reader.next()).await.unwrap().unwrap();
    assert_eq!((answer.kind, answer.body.len()), (2, 0));
    assert_eq!(within(reader.next()).await, Ok(None));
    assert_eq!(hub.handshake_counts().certificates_verified, 1);
}

#[tokio::test]
async fn a_session_without_certificate_is_refused_and_enrolment_is_not() {
    let authority = Authority::new();
    let (mut hub, addresses) = bind(authority.options());
    let stranger = connect_as(Alpn::Session, None, &authority, &addresses).await.unwrap();
    let closed = within(stranger.closed()).await;
    assert!(
        matches!(closed, Closed::ByPeer { code, .. } if code == u64::from(CLOSE_CERTIFICATE_REQUIRED)),
        "{closed:?}"
    );

    let newcomer = connect_as(Alpn::Enroll, None, &authority, &addresses).await.unwrap();
    let accepted = within(hub.accept()).await.unwrap();
    assert_eq!((accepted.alpn, accepted.peer), (Alpn::Enroll, None));
    drop(newcomer);
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_is_refused() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (hub, addresses) = bind(ours.options());
    let closed = refusal(&ours, theirs.node(Uuid::new_v4()), &addresses).await;
    assert!(matches!(closed, Closed::ByPeerTls { .. }), "{closed:?}");
    assert_eq!(hub.handshake_counts().certificates_verified, 0);
}

#[tokio::test]
async fn a_certificate_that_is_not_exactly_a_nodes_is_refused() {
    let authority = Authority::new();
    let (_hub, addresses) = bind(authority.options());
    let id = Uuid::new_v4();
    let uri = |text: &str| SanType::URI(Ia5String::try_from(text).unwrap());
    let other = uri(&format!("spiffe://sto-test/node/{}", Uuid::new_v4()));
    let cases: Vec<(&str, NodeIdentity)> = vec![
        ("two URIs", authority.node_but(id, |params| params.subject_alt_names.push(other))),
        (
            "a name beside the URI",
            authority.node_but(id, |params| {
                params.subject_alt_names.push(SanType::DnsName("hub.sto.internal".try_into().unwrap()));
            }),
        ),
        ("no name", authority.node_but(id, |params| params.subject_alt_names.clear())),
        (
            "not a node",
            authority.node_but(id, |params| params.subject_alt_names = vec![uri("spiffe://sto-test/hub/1")]),
        ),
        ("no usage", authority.node_but(id, |params| params.extended_key_usages.clear())),
        (
            "a server's usage",
            authority.node_but(id, |params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
        ),
        (
            "both usages",
            authority
                .node_but(id, |params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth)),
        ),
        (
            "expired",
            authority.node_but(id, |params| {
                params.not_after = OffsetDateTime::from_unix_timestamp(now() as i64 - 60).unwrap();
            }),
        ),
    ];
    for (what, identity) in cases {
        let closed = refusal(&authority, identity, &addresses).await;
        assert!(matches!(closed, Closed::ByPeerTls { .. }), "{what}: {closed:?}");
    }
}

#[tokio::test]
async fn a_nodes_certificate_cannot_act_as_a_hub() {
    let authority = Authority::new();
    let NodeIdentity { certificate_chain, key_pkcs8 } = authority.node(Uuid::new_v4());
    let mut options = authority.options();
    options.identity = ServerIdentity { certificate_chain, key_pkcs8 };
    let (_impostor, addresses) = bind(options);
    let seen = connect(&authority, authority.node(Uuid::new_v4()), &addresses).await.unwrap_err();
    assert!(matches!(seen, ConnectError::HubCertificate { .. }), "{seen}");

    // Even with the hub's name, a certificate for clients is none for hubs; nor is one without any usage.
    for usages in [vec![ExtendedKeyUsagePurpose::ClientAuth], vec![]] {
        let (certificate_chain, key_pkcs8) = authority.leaf(|params| {
            params.subject_alt_names = vec![SanType::DnsName(HUB_NAME.try_into().unwrap())];
            params.extended_key_usages = usages;
        });
        let mut options = authority.options();
        options.identity = ServerIdentity { certificate_chain, key_pkcs8 };
        let (_impostor, addresses) = bind(options);
        let seen = connect(&authority, authority.node(Uuid::new_v4()), &addresses).await.unwrap_err();
        assert!(matches!(seen, ConnectError::HubCertificate { .. }), "{seen}");
        let pinned = enroll_at(&authority, &addresses, Clock::system());
        let seen = within(pinned).await.unwrap_err();
        assert!(matches!(seen, ConnectError::HubCertificate { .. }), "{seen}");
    }
}

#[tokio::test]
async fn a_hub_of_another_authority_is_not_believed() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (mut hub, addresses) = bind(theirs.options());
    let seen = connect(&ours, ours.node(Uuid::new_v4()), &addresses).await.unwrap_err();
    assert!(matches!(seen, ConnectError::HubCertificate { .. }), "{seen}");

    let pinned = enroll_at(&ours, &addresses, Clock::system());
    let address = addresses[0];
    assert_eq!(
        within(pinned).await.unwrap_err(),
        ConnectError::PinMismatch { address, expected: ours.pin(), seen: theirs.pin() }
    );
    // The hub's side of neither handshake ever finished, so nothing could have been sent over it.
    hub.close(CLOSE_DONE, "");
    assert!(within(hub.accept()).await.is_none());
}

#[tokio::test]
async fn showing_the_pinned_authority_without_its_signature_does_not_help() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let mut options = theirs.options();
    options.identity.certificate_chain.push(ours.der.clone());
    let (_impostor, addresses) = bind(options);
    let pinned = enroll_at(&ours, &addresses, Clock::system());
    let seen = within(pinned).await.unwrap_err();
    assert!(matches!(seen, ConnectError::HubCertificate { .. }), "{seen}");
}

#[tokio::test]
async fn the_next_address_is_tried_and_the_most_telling_failure_reported() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (_other, foreign) = bind(theirs.options());
    let (_hub, own) = bind(ours.options());
    let silent = tokio::net::UdpSocket::bind(loopback()).await.unwrap();
    let silent = silent.local_addr().unwrap();
    let mut client = Client::new(ours.client_options(ours.node(Uuid::new_v4()))).unwrap();
    let connection = within(client.connect(&[silent, foreign[0], own[0]], PATIENCE)).await.unwrap();
    assert_eq!(connection.remote_address(), own[0]);

    // Long enough for the handshake with the one that answers.
    let a_while = Duration::from_secs(3);
    let failed = within(client.connect(&[foreign[0], silent], a_while)).await.unwrap_err();
    assert!(matches!(failed, ConnectError::HubCertificate { .. }), "{failed}");
    let short = Duration::from_millis(300);
    let failed = within(client.connect(&[silent], short)).await.unwrap_err();
    assert_eq!(failed, ConnectError::TimedOut { address: silent, after: short });
    assert_eq!(within(client.connect(&[], short)).await.unwrap_err(), ConnectError::NoAddress);
}

#[tokio::test]
async fn a_machine_that_thinks_it_is_1970_connects_with_a_floor_and_is_told_why_without() {
    let authority = Authority::new();
    let (_hub, addresses) = bind(authority.options());
    let mut options = authority.client_options(authority.node(Uuid::new_v4()));
    options.clock = Clock::new(|| 0, now);
    within(Client::new(options.clone()).unwrap().connect(&addresses, PATIENCE)).await.unwrap();

    options.clock = Clock::new(|| 0, || 0);
    let failed = within(Client::new(options).unwrap().connect(&addresses, PATIENCE)).await.unwrap_err();
    assert!(matches!(failed, ConnectError::HubCertificateTime { .. }), "{failed}");
}

#[tokio::test]
async fn enrolment_holds_only_the_end_of_validity_against_a_pinned_hub() {
    let authority = Authority::new();
    let (_hub, addresses) = bind(authority.options());
    let clock = Clock::new(|| 0, || 0);
    let pinned = enroll_at(&authority, &addresses, clock);
    within(pinned).await.unwrap();

    let clock = Clock::new(|| now() + 2 * 86_400, || 0);
    let pinned = enroll_at(&authority, &addresses, clock);
    let failed = within(pinned).await.unwrap_err();
    assert!(matches!(failed, ConnectError::HubCertificateTime { .. }), "{failed}");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_the_next_connection_on() {
    let authority = Authority::new();
    let (mut hub, addresses) = bind(authority.options());
    let node_id = Uuid::new_v4();
    let mut client = Client::new(authority.client_options(authority.node(node_id))).unwrap();
    let _first = within(client.connect(&addresses, PATIENCE)).await.unwrap();
    client.replace_identity(authority.node(node_id)).unwrap();
    let _second = within(client.connect(&addresses, PATIENCE)).await.unwrap();
    let mut serials = Vec::new();
    for _ in 0..2 {
        serials.push(within(hub.accept()).await.unwrap().peer.unwrap().serial);
    }
    assert_ne!(serials[0], serials[1]);
}

#[tokio::test]
async fn an_endpoint_without_usable_trust_is_refused_at_start() {
    let authority = Authority::new();
    let mut options = authority.options();
    options.roots.clear();
    assert!(matches!(bind_error(options), Some(BindError::Authorities(_))));
    let mut options = authority.options();
    options.identity.key_pkcs8 = KeyPkcs8::new(vec![1, 2, 3]);
    assert!(matches!(bind_error(options), Some(BindError::Identity(_))));
    let mut options = authority.options();
    options.identity.key_pkcs8 = authority.hub().key_pkcs8;
    assert!(matches!(bind_error(options), Some(BindError::Identity(_))));
}

#[test]
fn keys_print_as_stars() {
    assert_eq!(format!("{:?}", KeyPkcs8::new(b"secret".to_vec())), "***");
}
