use proptest::prelude::*;
use space_packet::{PacketFramer, TaiTime};
use tokio::net::TcpListener;

use super::*;
use crate::spacecraft::Spacecraft;

fn recorded_packets() -> Vec<Vec<u8>> {
    let epoch = TaiTime::from_unix_nanos(1_795_000_000_000_000_000);
    let mut spacecraft = Spacecraft::new(3, epoch);
    let due = spacecraft.telemetry_due(epoch.plus_nanos(20_000_000_000));
    due.into_iter().map(|packet| packet.bytes).collect()
}

/// What a node gets from a recording with `prefix` before each packet.
async fn replayed(prefix: &[u8], packets: &[Vec<u8>]) -> (Result<ReplayReport, ReplayError>, Vec<u8>) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("recording.bin");
    let recording: Vec<u8> = packets.iter().flat_map(|packet| [prefix, packet].concat()).collect();
    std::fs::write(&file, recording).expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let replay = Replay {
        file,
        target: listener.local_addr().expect("an address").into(),
        packets_per_second: None,
        skip_header_bytes: prefix.len(),
        repeat: false,
    };
    let node = async {
        let mut received = Vec::new();
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.read_to_end(&mut received).await.expect("the stream ends");
        received
    };
    tokio::join!(replay.run(std::future::pending()), node)
}

fn split(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut framer = PacketFramer::new(65_542);
    let mut packets = Vec::new();
    for chunk in stream.chunks(97) {
        framer.push(chunk);
        while let Some(packet) = framer.next_packet(&mut |rejection, _| panic!("{rejection:?}")) {
            packets.push(packet.to_vec());
        }
    }
    packets
}

#[tokio::test]
async fn the_stream_of_a_replay_splits_back_into_the_packets_of_the_recording() {
    let packets = recorded_packets();
    for prefix in [&b""[..], &b"SYNC"[..]] {
        let (report, stream) = replayed(prefix, &packets).await;
        let report = report.expect("it is sent");
        assert_eq!(split(&stream), packets);
        assert_eq!(report.packets, packets.len() as u64);
        assert_eq!(report.bytes, stream.len() as u64);
    }
}

#[tokio::test]
async fn a_malformed_recording_names_the_offset_where_it_is_malformed() {
    let mut packets = recorded_packets();
    let good = packets[0].len();
    packets[1][0] = 0xE0;
    let (result, _) = replayed(b"", &packets[..2]).await;
    let message = result.expect_err("no packet").to_string();
    assert_eq!(message, format!("no packet begins at offset {good}"));

    let mut packets = recorded_packets();
    packets[1].truncate(9);
    let (result, stream) = replayed(b"", &packets[..2]).await;
    let message = result.expect_err("cut off").to_string();
    assert!(message.contains(&format!("the packet at offset {good} is cut off")), "{message}");
    assert_eq!(split(&stream), packets[..1]);
}

#[tokio::test]
async fn a_recording_without_packets_is_an_error() {
    let (result, _) = replayed(b"", &[]).await;
    assert!(matches!(result, Err(ReplayError::Empty { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300), skip in 0..10_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut reader = RecordingReader::new(bytes.as_slice(), skip);
            while let Ok(Some(packet)) = reader.next_packet().await {
                assert!(packet.len() > PRIMARY_HEADER_BYTES);
            }
        });
    }
}
