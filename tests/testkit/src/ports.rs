//! Port numbers that stay ours while a program that listened on them is down.
//!
//! A program that is killed and started again must find its port free. One that the system chose for it comes from
//! the range of outgoing connections: any client may take it meanwhile, and one that keeps knocking at its own
//! computer ends up connected to itself.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use anyhow::bail;

/// Below what systems give to outgoing connections (32,768 and up on Linux), above what services use.
const FIRST: u16 = 20_000;
const BLOCKS: u16 = 1_200;
const BLOCK_PORTS: u16 = 10;

/// Nine addresses that nobody who asks here has as well, for as long as this value lives.
#[derive(Debug)]
pub struct Ports {
    // The first port of a block is the claim on the others.
    claim: TcpListener,
    given: u16,
}

impl Ports {
    /// Claims a block.
    pub fn claim() -> anyhow::Result<Self> {
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap_or(0);
        for offset in 0..BLOCKS {
            let first = FIRST + (start + offset) % BLOCKS * BLOCK_PORTS;
            if let Ok(claim) = TcpListener::bind((Ipv4Addr::LOCALHOST, first)) {
                let ports = Self { claim, given: 0 };
                if (1..BLOCK_PORTS).all(|place| is_free(local(first + place))) {
                    return Ok(ports);
                }
            }
        }
        bail!("no block of ports from {FIRST} on is free")
    }

    /// The next address of the block.
    pub fn next_address(&mut self) -> anyhow::Result<SocketAddr> {
        self.given += 1;
        if self.given >= BLOCK_PORTS {
            bail!("a block has {} ports", BLOCK_PORTS - 1);
        }
        Ok(local(self.claim.local_addr()?.port() + self.given))
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_claims_share_an_address() {
        let mut claims = [Ports::claim().expect("there is room"), Ports::claim().expect("there is room")];
        let mut seen = BTreeSet::new();
        for claim in &mut claims {
            for _ in 1..BLOCK_PORTS {
                assert!(seen.insert(claim.next_address().expect("it is one of nine")));
            }
            assert!(claim.next_address().is_err());
        }
        assert!(seen.iter().all(|address| (20_000..32_768).contains(&address.port())));
    }
}
