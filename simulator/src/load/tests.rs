use std::{collections::BTreeSet, net::SocketAddr};

use mission_database::{DecodedPacket, Dictionary};
use space_packet::PacketFramer;
use tokio::net::TcpListener;

use super::*;
use space_packet::TaiTime;

fn load(node: SocketAddr, packets_max: u64) -> Load {
    Load {
        first_serial: 1_000,
        packets_max: Some(packets_max),
        acknowledgement_timeout: Duration::from_secs(20),
        ..Load::new(node, 7, 50_000.0)
    }
}

/// A node that acknowledges each packet, and cuts the first `cuts` connections after 500 packets.
async fn node(listener: TcpListener, cuts: usize) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut received, mut acknowledged) = (BTreeSet::new(), BTreeSet::new());
    for connection in 0..=cuts {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut framer = PacketFramer::new(65_542);
        let mut buffer = vec![0; 10_000];
        let mut durable = 0_u64;
        'connection: loop {
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            if length == 0 {
                break;
            }
            framer.push(&buffer[..length]);
            while let Some(packet) = framer.next_packet(&mut |rejection, _| panic!("{rejection:?}")) {
                assert!(is_intact(packet));
                let (run_id, serial) = serial_of(packet).expect("a load packet");
                assert_eq!(run_id, 7);
                assert!(received.insert(serial), "serial {serial} came twice");
                acknowledged.insert(serial);
                durable += 1;
                if connection < cuts && durable == 500 {
                    stream.write_u64(durable).await.expect("the generator listens");
                    break 'connection;
                }
            }
            let _ = stream.write_u64(durable).await;
        }
    }
    (received, acknowledged)
}

fn set(ranges: &[Range<u64>]) -> BTreeSet<u64> {
    ranges.iter().cloned().flatten().collect()
}

#[tokio::test]
async fn everything_that_was_sent_is_acknowledged_when_the_node_lives() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let load = load(listener.local_addr().expect("an address"), 3_000);
    let (report, (received, _)) = tokio::join!(load.run(std::future::pending()), node(listener, 0));
    let all = 1_000..4_000;
    assert_eq!(report.sent, std::slice::from_ref(&all));
    assert_eq!(report.acknowledged, std::slice::from_ref(&all));
    assert_eq!(received, set(&report.sent));
    assert_eq!(report.bytes, 3_000 * 92);
}

#[tokio::test]
async fn a_broken_connection_is_opened_again_and_nothing_is_sent_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let load = load(listener.local_addr().expect("an address"), 10_000);
    let (report, (received, acknowledged)) =
        tokio::join!(load.run(std::future::pending()), node(listener, 2));
    assert_eq!(report.sent_packets(), 10_000);
    assert!(report.sent.len() >= 3, "{:?}", report.sent);
    assert!(received.is_subset(&set(&report.sent)));
    assert!(set(&report.acknowledged).is_subset(&acknowledged));
}

#[tokio::test]
async fn a_load_without_a_node_waits_for_one_and_stops_when_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = listener.local_addr().expect("an address");
    drop(listener);
    let report = load(nobody, 10).run(sleep(Duration::from_millis(60))).await;
    assert_eq!(report.sent_packets(), 0);
}

#[test]
fn a_load_packet_decodes_to_its_serial_and_its_run() {
    let dictionary = Dictionary::from_xtce("load.xml", DICTIONARY).expect("the dictionary loads");
    let packet = packet(77, 1 << 40 | 5, 92, TaiTime(0));
    let mut decoded = DecodedPacket::default();
    dictionary.decode(&packet, &mut decoded).expect("it decodes");
    let raw = |name: &str| {
        let index = dictionary.find(&format!("/Load/{name}")).expect("a parameter");
        decoded.latest(index).expect("it is in the packet").raw.clone()
    };
    assert!(!decoded.unresolved);
    assert_eq!(raw("serial"), mission_database::RawValue::Unsigned(1 << 40 | 5));
    assert_eq!(raw("run"), mission_database::RawValue::Unsigned(77));
    assert_eq!(decoded.values.len(), 20);
}
