//! The real quinn on a simulated network and virtual time: nothing here waits, and a seed decides everything.

mod contracted;
mod eyeballs;
mod lanes;
mod network;

use rcgen::PKCS_ED25519;

use super::*;
use network::{Network, Path};

fn node_place() -> SocketAddr {
    ([10, 0, 0, 1], 4433).into()
}

fn hub_place() -> SocketAddr {
    ([10, 0, 0, 2], 4433).into()
}

/// What both runs of a seed have in common. Ed25519, because signatures with P-256 differ in length.
struct Certificates {
    authority: Authority,
    hub: ServerIdentity,
    node: NodeIdentity,
}

impl Certificates {
    fn new() -> Self {
        let authority = Authority::with_keys(&PKCS_ED25519);
        let (hub, node) = (authority.hub(), authority.node(Uuid::from_u128(1)));
        Self { authority, hub, node }
    }

    fn hub_on(&self, network: &Network, place: SocketAddr, link: LinkOptions) -> HubEndpoint {
        let options = HubOptions::new(self.hub.clone(), vec![self.authority.der.clone()], link);
        HubEndpoint::on_socket(network.socket(place), options, [2; 32]).unwrap()
    }

    fn client_on(&self, network: &Network, link: LinkOptions) -> Client {
        let options = ClientOptions::new(vec![self.authority.der.clone()], self.node.clone(), link);
        Client::on_socket(network.socket(node_place()), options, [1; 32]).unwrap()
    }
}

/// Runs on a clock of its own, which jumps to the next timer whenever there is nothing to do.
fn on_virtual_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}
