//! Several addresses, some of which are dead, slow or not the hub's.

use tokio::time::Instant;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

fn place(number: u8) -> SocketAddr {
    ([10, 0, 1, number], 4433).into()
}

fn network() -> Network {
    Network::new(0, Path::of(Duration::from_millis(10)))
}

fn client_on(network: &Network, certificates: &Certificates) -> Client {
    certificates.client_on(network, Profile::Terrestrial.into())
}

#[test]
fn a_dead_address_costs_a_head_start_and_not_its_whole_patience() {
    on_virtual_time(async {
        let (network, certificates) = (network(), Certificates::new());
        let _hub = certificates.hub_on(&network, place(2), Profile::Terrestrial.into());
        let began = Instant::now();
        let addresses = [place(1), place(2)];
        let connection = client_on(&network, &certificates).connect(&addresses, PATIENCE).await.unwrap();
        assert_eq!(connection.remote_address(), place(2));
        // The head start and one round trip; timers have a grain of a millisecond.
        let took = began.elapsed().as_millis();
        assert!((270..280).contains(&took), "{took} ms");
    });
}

#[test]
fn an_address_that_fails_at_once_is_followed_at_once() {
    on_virtual_time(async {
        let (network, certificates) = (network(), Certificates::new());
        let _stranger = Certificates::new().hub_on(&network, place(1), Profile::Terrestrial.into());
        let _hub = certificates.hub_on(&network, place(2), Profile::Terrestrial.into());
        let began = Instant::now();
        let addresses = [place(1), place(2)];
        let connection = client_on(&network, &certificates).connect(&addresses, PATIENCE).await.unwrap();
        assert_eq!(connection.remote_address(), place(2));
        let took = began.elapsed().as_millis();
        assert!((40..60).contains(&took), "{took} ms");
    });
}

#[test]
fn the_first_to_finish_is_taken_and_the_other_hub_never_sees_a_session() {
    on_virtual_time(async {
        let (network, certificates) = (network(), Certificates::new());
        network.set_path(place(1), Path::of(Duration::from_millis(140)));
        let mut slow = certificates.hub_on(&network, place(1), Profile::Terrestrial.into());
        let _fast = certificates.hub_on(&network, place(2), Profile::Terrestrial.into());
        let addresses = [place(1), place(2)];
        let mut client = client_on(&network, &certificates);
        let connection = client.connect(&addresses, PATIENCE).await.unwrap();
        assert_eq!(connection.remote_address(), place(2));
        assert!(tokio::time::timeout(Duration::from_secs(60), slow.accept()).await.is_err());
        assert_eq!(slow.handshake_counts().failed, 1);
        assert_eq!(connection.close_reason(), None);
    });
}

#[test]
fn four_addresses_are_tried_at_once_and_the_next_when_one_gives_up() {
    on_virtual_time(async {
        let (network, certificates) = (network(), Certificates::new());
        let addresses: Vec<SocketAddr> = (1..=6).map(place).collect();
        let result = client_on(&network, &certificates).connect(&addresses, PATIENCE).await;
        assert_eq!(result.unwrap_err(), ConnectError::TimedOut { address: place(1), after: PATIENCE });
        let sent = network.sent();
        let began =
            |to: &SocketAddr| sent.iter().find(|sent| sent.to == *to).map(|sent| sent.after.as_millis());
        let began: Vec<_> = addresses.iter().map(|address| began(address).unwrap()).collect();
        // One millisecond is the grain of the timers.
        for (began, expected) in began.iter().zip([0, 250, 500, 750, 5_000, 5_250]) {
            assert!((expected..expected + 5).contains(began), "{began} ms, not {expected}");
        }
    });
}

#[test]
fn of_several_failures_the_most_telling_is_reported() {
    on_virtual_time(async {
        let (network, certificates) = (network(), Certificates::new());
        let _stranger = Certificates::new().hub_on(&network, place(2), Profile::Terrestrial.into());
        let addresses = [place(1), place(2), place(3)];
        let result = client_on(&network, &certificates).connect(&addresses, PATIENCE).await;
        let error = result.unwrap_err();
        assert!(
            matches!(error, ConnectError::HubCertificate { address, .. } if address == place(2)),
            "{error}"
        );
    });
}

#[test]
fn refusals_at_the_same_moment_are_told_apart() {
    on_virtual_time(async {
        let (network, mut certificates) = (network(), Certificates::new());
        // A head start of 250 ms and 20 ms there and back: both hubs answer after 270 ms.
        network.set_path(place(1), Path::of(Duration::from_millis(135)));
        let _stranger = Certificates::new().hub_on(&network, place(1), Profile::Terrestrial.into());
        let (certificate_chain, key_pkcs8) = certificates.authority.leaf(|params| {
            params.subject_alt_names = vec![SanType::DnsName(HUB_NAME.try_into().unwrap())];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.not_after = params.not_before;
        });
        certificates.hub = ServerIdentity { certificate_chain, key_pkcs8 };
        let _expired = certificates.hub_on(&network, place(2), Profile::Terrestrial.into());
        let result = client_on(&network, &certificates).connect(&[place(1), place(2)], PATIENCE).await;
        let error = result.unwrap_err();
        assert!(
            matches!(error, ConnectError::HubCertificateTime { address, .. } if address == place(2)),
            "{error}"
        );
    });
}

#[test]
fn over_a_satellite_the_next_address_waits_for_more_than_a_round_trip() {
    on_virtual_time(async {
        let (network, certificates) = (network(), Certificates::new());
        network.set_path(place(1), Path::of(Duration::from_millis(300)));
        let _hub = certificates.hub_on(&network, place(1), Profile::Satcom.into());
        let mut client = certificates.client_on(&network, Profile::Satcom.into());
        let connection = client.connect(&[place(1), place(2)], PATIENCE).await.unwrap();
        assert_eq!(connection.remote_address(), place(1));
        assert!(network.sent().iter().all(|sent| sent.to != place(2)));
    });
}
