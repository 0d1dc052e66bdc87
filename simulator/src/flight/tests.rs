use std::net::SocketAddr;

use space_packet::{PacketFramer, PrimaryHeader};
use tokio::{io::AsyncReadExt, net::TcpListener, sync::oneshot};

use super::*;
use crate::passes::SVALBARD;

const DEADLINE: Duration = Duration::from_secs(20);

fn epoch() -> TaiTime {
    TaiTime::from_unix_nanos(1_795_000_000_000_000_000)
}

fn antenna(address: SocketAddr, station: Option<Station>) -> Antenna {
    Antenna { name: "svalbard".to_owned(), station, target: address.into() }
}

fn flight(epoch: TaiTime, speed: f64, antennas: Vec<Antenna>) -> Flight {
    Flight { seed: 1, epoch, speed, faults: Vec::new(), antennas }
}

/// Reads until so many packets have come.
async fn receive(stream: &mut TcpStream, packets: usize) -> Vec<Vec<u8>> {
    let mut framer = PacketFramer::new(65_542);
    let mut received = Vec::new();
    let mut buffer = [0; 4_096];
    while received.len() < packets {
        let length = stream.read(&mut buffer).await.expect("readable");
        assert!(length > 0, "the stream ended after {} packets", received.len());
        framer.push(&buffer[..length]);
        while let Some(packet) = framer.next_packet(&mut |rejection, _| panic!("{rejection:?}")) {
            received.push(packet.to_vec());
        }
    }
    received
}

#[tokio::test]
async fn packets_reach_a_node_that_was_not_there_at_first_and_came_back_after_it_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let (stop, stopped) = oneshot::channel::<()>();
    let flying = flight(epoch(), 10.0, vec![antenna(address, None)]).run(async {
        let _ = stopped.await;
    });
    let node = async {
        sleep(Duration::from_millis(150)).await;
        let listener = TcpListener::bind(address).await.expect("the same port");
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().await.expect("it comes");
            receive(&mut stream, 50).await;
        }
        stop.send(()).expect("the flight goes on");
    };
    let (reports, ()) = timeout(DEADLINE, async { tokio::join!(flying, node) }).await.expect("in time");
    assert!(reports[0].sent >= 100);
    assert!(reports[0].dropped > 0, "packets of the time without a node are gone");
}

#[tokio::test]
async fn a_station_hears_packets_only_while_the_spacecraft_is_above_its_mask() {
    let orbit = Orbit::demo();
    let pass = next_pass(&orbit, &SVALBARD, epoch(), DAY).expect("a pass in a day");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let antennas = vec![antenna(address, Some(SVALBARD))];
    // A minute before the rise, sixty times as fast: a second of silence, then the pass.
    let begin = pass.rise.plus_nanos(-60_000_000_000);
    let (stop, stopped) = oneshot::channel::<()>();
    let flying = flight(begin, 60.0, antennas).run(async {
        let _ = stopped.await;
    });
    let node = async {
        let (mut stream, _) = listener.accept().await.expect("it connects");
        let received = receive(&mut stream, 200).await;
        stop.send(()).expect("the flight goes on");
        received
    };
    let (_, received) = timeout(DEADLINE, async { tokio::join!(flying, node) }).await.expect("in time");
    for packet in received {
        let header = PrimaryHeader::parse(&packet).expect("a header");
        let time = space_packet::time::cds::Layout {
            submilliseconds: space_packet::time::cds::Submilliseconds::Microseconds,
            ..Default::default()
        };
        let time = time.decode(&packet[6..]).expect("a time");
        // Packets of one round are judged by where the round ends.
        assert!(time.seconds_since(pass.rise) > -10.0, "{header:?} was made at {time}");
    }
}
