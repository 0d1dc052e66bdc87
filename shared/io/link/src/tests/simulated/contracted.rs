//! What is on the wire: rates that are kept, and windows that are not exceeded.

use tokio::time::{sleep, timeout};

use super::*;

const CONTRACT: u64 = 2_000_000;

/// Bits of UDP payload that left the node in each second, when it has always something to send on one stream, and the
/// round trip it saw at the end.
fn bits_by_second(path: Path, link: LinkOptions, seconds: usize) -> (Vec<u64>, Duration) {
    on_virtual_time(async {
        let (network, certificates) = (Network::new(9, path), Certificates::new());
        let mut hub = certificates.hub_on(&network, hub_place(), link);
        let mut client = certificates.client_on(&network, link);
        let connection = client.connect(&[hub_place()], PATIENCE).await.unwrap();
        let accepted = hub.accept().await.unwrap().connection;
        let reading = async {
            let mut reader = accepted.accept_uni().await.unwrap();
            while reader.next().await.unwrap().is_some() {}
        };
        let writing = async {
            let mut writer = connection.open_uni().await.unwrap();
            loop {
                writer.send(1, &[&[0; 10_000]]).await.unwrap();
            }
        };
        let over =
            timeout(Duration::from_secs(seconds as u64), async { tokio::join!(reading, writing) }).await;
        assert!(over.is_err(), "neither side may end");
        let mut bits = vec![0; seconds];
        for sent in network.sent().iter().filter(|sent| sent.from == node_place()) {
            if let Some(second) = bits.get_mut(sent.after.as_secs() as usize) {
                *second += sent.bytes as u64 * 8;
            }
        }
        (bits, connection.rtt())
    })
}

fn contracted(bits_per_s: u64) -> LinkOptions {
    LinkOptions { contracted_bits_per_s: Some(bits_per_s), ..Profile::Satcom.into() }
}

fn satellite() -> Path {
    Path { jitter: Duration::from_millis(20), lost_per_mille: 20, ..Path::of(Duration::from_millis(290)) }
}

#[test]
fn a_contracted_rate_is_used_through_losses_and_kept() {
    let (contracted, _) = bits_by_second(satellite(), contracted(CONTRACT), 30);
    let total: u64 = contracted.iter().sum();
    assert!(total > 30 * CONTRACT * 8 / 10, "{contracted:?}");
    // Datagrams are not cut where a second ends.
    assert!(contracted.iter().all(|bits| *bits < CONTRACT * 11 / 10), "{contracted:?}");

    let (cubic, _) = bits_by_second(satellite(), Profile::Terrestrial.into(), 30);
    assert!(cubic.iter().sum::<u64>() * 3 < total, "what takes losses for congestion: {cubic:?}");
}

#[test]
fn a_contract_that_promises_too_much_does_not_fill_the_queue_without_end() {
    let bottleneck = Some((CONTRACT / 2, Duration::from_secs(60)));
    let path = Path { bottleneck, ..Path::of(Duration::from_millis(290)) };
    let (_, round_trip) = bits_by_second(path, contracted(CONTRACT), 120);
    assert!(round_trip < Duration::from_secs(3), "{round_trip:?}");
}

#[test]
fn a_hub_that_does_not_read_is_sent_no_more_than_one_window() {
    on_virtual_time(async {
        let (network, certificates) =
            (Network::new(0, Path::of(Duration::from_millis(5))), Certificates::new());
        let link = Profile::Terrestrial.into();
        let mut hub = certificates.hub_on(&network, hub_place(), link);
        let mut client = certificates.client_on(&network, link);
        let connection = client.connect(&[hub_place()], PATIENCE).await.unwrap();
        let _unread = hub.accept().await.unwrap();
        let mut writers = Vec::new();
        for _ in 0..8 {
            let mut writer = connection.open_uni().await.unwrap();
            writers.push(tokio::spawn(async move { while writer.send(1, &[&[0; 10_000]]).await.is_ok() {} }));
        }
        assert!(timeout(Duration::from_secs(10), connection.open_uni()).await.is_err(), "a ninth stream");
        sleep(Duration::from_secs(60)).await;
        let sent: usize =
            network.sent().iter().filter(|sent| sent.from == node_place()).map(|sent| sent.bytes).sum();
        // One window of the connection, and headers; eight windows of streams would be 4 MiB.
        assert!((1_048_576..1_048_576 * 11 / 10).contains(&sent), "{sent}");
    });
}
