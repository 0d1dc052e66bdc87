//! The trap: a resumed connection carries an identity nobody has verified again.

use std::collections::HashSet;

use quinn::crypto::rustls::QuicClientConfig;
use rustls::client::{ClientSessionMemoryCache, Resumption};

use super::*;

struct Reunion {
    hub: HubEndpoint,
    client: quinn::Endpoint,
    config: quinn::ClientConfig,
    address: SocketAddr,
}

impl Reunion {
    /// A hub that hands out `tickets`, and a node that keeps them, which ours never do.
    fn new(tickets: usize, node_id: Uuid) -> Self {
        let authority = Authority::new();
        let (hub, addresses) = bind(HubOptions { tickets, ..authority.options() });
        let verifier = Arc::new(HubVerifier::trusting(slice::from_ref(&authority.der)).unwrap());
        let (clock, identity) = (Clock::system(), authority.node(node_id));
        let tls = ClientTls { alpn: Alpn::Session, identity: Some(&identity), verifier, clock: &clock };
        let mut tls = tls::client(tls).unwrap();
        tls.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(16)));
        let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        Self { hub, client: client_endpoint(), config, address: addresses[0] }
    }

    async fn meet(&mut self) -> Accepted {
        let connecting = self.client.connect_with(self.config.clone(), self.address, HUB_NAME).unwrap();
        let connection = Connection::new(within(connecting).await.unwrap());
        let accepted = within(self.hub.accept()).await.unwrap();
        // One frame down the line, so that tickets sent before it have arrived too.
        let mut down = within(accepted.connection.open_uni()).await.unwrap();
        down.send(0, &[]).await.unwrap();
        within(within(connection.accept_uni()).await.unwrap().next()).await.unwrap();
        accepted
    }

    fn verified(&self) -> u64 {
        self.hub.handshake_counts().certificates_verified
    }
}

#[tokio::test]
async fn without_tickets_every_connection_meets_the_verifier() {
    let mut reunion = Reunion::new(0, Uuid::new_v4());
    for times in 1..=3 {
        reunion.meet().await;
        assert_eq!(reunion.verified(), times);
    }
}

#[tokio::test]
async fn with_tickets_a_resumed_connection_skips_the_verifier_and_the_allow_list_still_refuses_it() {
    let node_id = Uuid::new_v4();
    let mut reunion = Reunion::new(2, node_id);
    let mut allowed = HashSet::from([node_id]);
    let welcome = |allowed: &HashSet<Uuid>, accepted: &Accepted| {
        accepted.peer.as_ref().is_some_and(|peer| allowed.contains(&peer.node_id))
    };
    let first = reunion.meet().await;
    assert!(welcome(&allowed, &first));
    assert_eq!(reunion.verified(), 1);

    allowed.remove(&node_id);
    let second = reunion.meet().await;
    assert_eq!(reunion.verified(), 1, "resumed, so the verifier was never asked");
    assert_eq!(second.peer, first.peer, "and yet it has the full identity");
    assert!(!welcome(&allowed, &second), "only the look-up by the caller keeps it out");
}
