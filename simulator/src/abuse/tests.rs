use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
};

use super::*;

/// A node that takes everything; what each connection brought comes out of the channel.
async fn patient_node() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (brought, bringing) = channel(1_000);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let brought = brought.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes).await;
                let _ = brought.send(bytes).await;
            });
        }
    });
    (address, bringing)
}

#[tokio::test]
async fn a_truncated_packet_ends_before_its_length() {
    let (node, mut brought) = patient_node().await;
    truncated(node).await.expect("the node is there");
    let bytes = brought.recv().await.expect("a connection");
    assert!(bytes.len() < plain_packet(0).len());
    assert_eq!(bytes, plain_packet(0)[..bytes.len()]);
}

#[tokio::test]
async fn an_oversized_length_is_followed_by_silence() {
    let (node, mut brought) = patient_node().await;
    let outcome = oversized_then_silent(node, Duration::from_millis(50)).await.expect("the node is there");
    assert_eq!(outcome, Outcome { connections: 1, closed_by_node: 0, bytes: 6 });
    assert_eq!(brought.recv().await.expect("a connection")[4..], [0xFF, 0xFF]);
}

#[tokio::test]
async fn random_bytes_are_the_same_for_the_same_seed() {
    let (node, mut brought) = patient_node().await;
    let mut seen = Vec::new();
    for seed in [1, 1, 2] {
        random_bytes(node, seed).await.expect("the node is there");
        seen.push(brought.recv().await.expect("a connection"));
    }
    assert_eq!(seen[0].len(), RANDOM_BYTES);
    assert!(seen[0] == seen[1] && seen[0] != seen[2]);
}

#[tokio::test]
async fn many_connections_are_open_at_the_same_time_and_bring_a_packet_each() {
    let (node, mut brought) = patient_node().await;
    let outcome = many_connections(node, 300, Duration::from_millis(50)).await.expect("the node is there");
    assert_eq!(outcome.connections, 300);
    for _ in 0..300 {
        assert_eq!(brought.recv().await.expect("a connection").len(), plain_packet(0).len());
    }
}

#[tokio::test]
async fn every_wrong_version_is_sent_and_a_good_packet_last() {
    let (node, mut brought) = patient_node().await;
    wrong_versions(node).await.expect("the node is there");
    let bytes = brought.recv().await.expect("a connection");
    let versions: Vec<u8> = bytes.chunks(plain_packet(0).len()).map(|packet| packet[0] >> 5).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 0]);
}

#[tokio::test]
async fn a_node_that_closes_on_a_slow_sender_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let node = listener.local_addr().expect("an address");
    let closing = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.read_u8().await.expect("a byte");
    };
    let (outcome, ()) = tokio::join!(one_byte_a_second(node, Duration::from_secs(30)), closing);
    assert_eq!(outcome.expect("the node is there").closed_by_node, 1);
}
