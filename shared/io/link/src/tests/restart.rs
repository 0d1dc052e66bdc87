//! A hub that died without a word.

use std::sync::Mutex;

use tokio::net::UdpSocket;

use super::*;

/// Stands where the hub's address is, and leads to whichever process is the hub now.
async fn switchboard(hub: Arc<Mutex<SocketAddr>>) -> SocketAddr {
    let front = UdpSocket::bind(loopback()).await.unwrap();
    let back = UdpSocket::bind(loopback()).await.unwrap();
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
        let mut node = None;
        loop {
            tokio::select! {
                received = front.recv_from(&mut up) => {
                    let (length, from) = received.unwrap();
                    node = Some(from);
                    let to = *hub.lock().unwrap();
                    back.send_to(&up[..length], to).await.unwrap();
                }
                received = back.recv_from(&mut down) => {
                    let (length, _) = received.unwrap();
                    front.send_to(&down[..length], node.unwrap()).await.unwrap();
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_restarted_hub_tells_nodes_at_once_that_it_forgot_them() {
    let authority = Authority::new();
    let options = HubOptions { restart_secret: Some([7; 32]), ..authority.options() };
    let (_before, first) = bind(options.clone());
    let (mut after, second) = bind(options);
    let hub = Arc::new(Mutex::new(first[0]));
    let addresses = [switchboard(Arc::clone(&hub)).await];
    let mut client = Client::new(authority.client_options(authority.node(Uuid::new_v4()))).unwrap();
    let session = within(client.connect(&addresses, PATIENCE)).await.unwrap();

    *hub.lock().unwrap() = second[0];
    let mut writer = session.open_uni().await.unwrap();
    writer.send(1, &[&[0; 100]]).await.unwrap();
    assert_eq!(within(session.closed()).await, Closed::Reset);
    let _session = within(client.connect(&addresses, PATIENCE)).await.unwrap();
    within(after.accept()).await.unwrap();
}
