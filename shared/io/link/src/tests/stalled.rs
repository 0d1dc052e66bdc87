//! Peers that begin and never end.

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::*;

/// Carries a client's datagrams to the hub and none of the answers back, so that its handshake never finishes.
async fn one_way_to(hub: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let front = UdpSocket::bind(loopback()).await.unwrap();
    let back = UdpSocket::bind(loopback()).await.unwrap();
    let address = front.local_addr().unwrap();
    let carrying = tokio::spawn(async move {
        let mut datagram = vec![0; 65_536];
        loop {
            let (length, _) = front.recv_from(&mut datagram).await.unwrap();
            back.send_to(&datagram[..length], hub).await.unwrap();
        }
    });
    (address, carrying)
}

/// `count` clients whose handshakes hang at the hub.
async fn stall(count: usize, authority: &Arc<Authority>, hub: SocketAddr) {
    for _ in 0..count {
        let (address, _) = one_way_to(hub).await;
        let authority = Arc::clone(authority);
        tokio::spawn(async move { connect_as(Alpn::Enroll, None, &authority, &[address]).await });
    }
}

#[tokio::test]
async fn stalled_handshakes_do_not_hold_up_the_others() {
    let authority = Arc::new(Authority::new());
    let (mut hub, addresses) = bind(authority.options());
    stall(20, &authority, addresses[0]).await;
    let mut client = Client::new(authority.client_options(authority.node(Uuid::new_v4()))).unwrap();
    for _ in 0..5 {
        let _connection = within(client.connect(&addresses, Duration::from_secs(5))).await.unwrap();
        within(hub.accept()).await.unwrap();
    }
}

#[tokio::test]
async fn stalled_handshakes_give_their_slots_back() {
    let authority = Arc::new(Authority::new());
    let mut options = authority.options();
    options.handshakes_max = 2;
    options.handshake_timeout = Duration::from_secs(3);
    let (mut hub, addresses) = bind(options);
    stall(2, &authority, addresses[0]).await;
    within(async {
        while hub.handshake_counts().failed < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let mut client = Client::new(authority.client_options(authority.node(Uuid::new_v4()))).unwrap();
    let _connection = within(client.connect(&addresses, PATIENCE)).await.unwrap();
    within(hub.accept()).await.unwrap();
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_handshake_is_told_to_come_back() {
    let authority = Arc::new(Authority::new());
    let mut options = authority.options();
    options.handshakes_max = 1;
    options.handshake_timeout = Duration::from_secs(1);
    let (hub, addresses) = bind(options);
    stall(3, &authority, addresses[0]).await;
    let mut client = Client::new(authority.client_options(authority.node(Uuid::new_v4()))).unwrap();
    let busy = Err(ConnectError::Busy { address: addresses[0] });
    within(async { while client.connect(&addresses, PATIENCE).await.map(|_| ()) != busy {} }).await;
    assert!(hub.handshake_counts().refused_busy > 0);
}

#[tokio::test]
async fn peers_that_are_connected_and_silent_do_not_hold_up_the_others() {
    let authority = Authority::new();
    let (mut hub, addresses) = bind(authority.options());
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(connect_as(Alpn::Enroll, None, &authority, &addresses).await.unwrap());
        assert_eq!(within(hub.accept()).await.unwrap().alpn, Alpn::Enroll);
    }
    let _connection = connect_as(Alpn::Enroll, None, &authority, &addresses).await.unwrap();
    within(hub.accept()).await.unwrap();
}

#[tokio::test]
async fn garbage_on_the_port_is_ignored() {
    let authority = Authority::new();
    let (mut hub, addresses) = bind(authority.options());
    let socket = UdpSocket::bind(loopback()).await.unwrap();
    for length in [0, 1, 20, 1200, 1500] {
        socket.send_to(&vec![0xc3; length], addresses[0]).await.unwrap();
    }
    let mut client = Client::new(authority.client_options(authority.node(Uuid::new_v4()))).unwrap();
    let _connection = within(client.connect(&addresses, PATIENCE)).await.unwrap();
    within(hub.accept()).await.unwrap();
}
