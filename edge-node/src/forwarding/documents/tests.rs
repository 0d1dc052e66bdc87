use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use delivery::{DocumentHead, DocumentSignature, pack_text};
use link::{Clock, FrameWriter, HubEndpoint, HubOptions, Profile, connect_pinned};
use service::documents::DocumentKind;

use super::*;
use crate::documents::tests::{Started, document, sign, start, xtce};

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection as a hub has it, whose other end takes documents for a node.
struct Hub {
    connection: Connection,
    _endpoint: HubEndpoint,
}

impl Hub {
    async fn of(node: &Started) -> Self {
        link::install_crypto_provider();
        let clock = Clock::system();
        let authority = &node.authority;
        let identity = authority.issue_hub(clock.now_unix()).expect("a certificate");
        let roots = vec![authority.certificate_der().to_vec()];
        let options = HubOptions::new(identity, roots, Profile::Terrestrial);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut endpoint = HubEndpoint::bind(any, options).expect("a free port");
        let address = [endpoint.local_addr().expect("bound")];
        // What the connection is for does not matter to streams; this kind needs no certificate of the node.
        let connecting =
            connect_pinned(&address, authority.spki_sha256(), Profile::Terrestrial, &clock, PATIENCE);
        let (connection, accepted) = tokio::join!(connecting, endpoint.accept());
        tokio::spawn(receive(connection.expect("connects"), Arc::clone(&node.documents)));
        Self { connection: accepted.expect("accepts").connection, _endpoint: endpoint }
    }

    /// Sends frames on a stream of their own. The node may have enough before the end.
    async fn send(&self, frames: &[(u8, Vec<u8>)]) {
        let mut stream: FrameWriter = self.connection.open_uni().await.expect("connected");
        for (kind, body) in frames {
            let _ = stream.send(*kind, &[body]).await;
        }
        let _ = stream.finish().await;
        let _ = stream.delivered().await;
    }
}

/// The hub's first dictionary, in parts of a few bytes.
fn first_dictionary(node: &Started) -> (DocumentHead, Vec<(u8, Vec<u8>)>) {
    let first = document(DocumentKind::Dictionary, 1, None, &xtce(&["P"]));
    let packed = pack_text(&first.content).expect("short");
    let mut head = first.head("demo", first.held().hash, DocumentSignature::default());
    head.packed_bytes = packed.len() as u64;
    let head = sign(head, &node.authority);
    let parts = packed.chunks(50).map(|part| Frame::DocumentPart(part.to_vec()).encode());
    (head, parts.collect())
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("waited in vain for: {what}"));
}

#[tokio::test]
async fn streams_of_no_use_are_left_and_the_next_document_is_taken() {
    let directory = tempfile::tempdir().expect("a directory");
    let node = start(directory.path());
    let hub = Hub::of(&node).await;
    let (head, parts) = first_dictionary(&node);
    let with = |head: &DocumentHead| [&[Frame::Document(head.clone()).encode()], parts.as_slice()].concat();
    hub.send(&parts).await;
    hub.send(&[(9, b"?".to_vec())]).await;
    hub.send(&[(200, b"of a later version".to_vec())]).await;
    hub.send(&with(&DocumentHead { mission: Some("other".to_owned()), ..head.clone() })).await;
    hub.send(&[Frame::Document(head.clone()).encode(), Frame::Document(head.clone()).encode()]).await;
    hub.send(&with(&DocumentHead { packed_bytes: 60, ..head.clone() })).await;
    let is_shown = || node.problem().is_some_and(|problem| problem.contains("goes on after its 60 bytes"));
    until("the document that is too long to be shown", is_shown).await;
    assert_eq!(node.held(), []);
    hub.send(&with(&head)).await;
    until("the dictionary", || node.held() == [(DocumentKind::Dictionary, 1)] && node.problem().is_none())
        .await;
}
