//! UDP sockets with buffers large enough for a storm of reconnecting nodes, and what the kernel says about them.

mod drops;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::{AsyncUdpSocket, Endpoint, EndpointConfig, Runtime, ServerConfig, TokioRuntime};
use socket2::{Domain, Protocol, Socket, Type};

use crate::datagram::{DatagramSocket, QuinnSocket};
use drops::DropCounter;

/// A thousand handshakes at once: with the kernel's 208 KiB the slowest took 31 s, with this 0.8 s (measured).
const BUFFER_WANTED: usize = 8 * 1024 * 1024;

/// What was asked of the kernel for the socket's buffers and what it gave, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SocketBuffers {
    /// Asked for, for each direction.
    pub wanted: usize,
    /// Given for what arrives.
    pub receive: usize,
    /// Given for what leaves.
    pub send: usize,
}

impl SocketBuffers {
    /// Whether the kernel gave less than wanted.
    pub fn are_short(&self) -> bool {
        self.receive.min(self.send) < self.wanted
    }

    /// What that means and what an administrator does about it; `None` when all is well.
    pub fn advice(&self) -> Option<String> {
        let Self { wanted, receive, send } = self;
        self.are_short().then(|| {
            format!(
                "the kernel gives a UDP socket {receive} bytes to receive and {send} to send, not the {wanted} wanted. \
                 Packets that do not fit are dropped and sent again: no data is lost, but many nodes that come back at \
                 once take tens of seconds. On Linux: sysctl -w net.core.rmem_max={wanted} net.core.wmem_max={wanted}, \
                 and the same in /etc/sysctl.d/ for the next start; or give the program CAP_NET_ADMIN"
            )
        })
    }
}

/// Asks the kernel for a socket as the programs do and says what it gives: a check before anything is started.
pub fn check_socket_buffers() -> io::Result<SocketBuffers> {
    open((Ipv4Addr::LOCALHOST, 0).into()).map(|(_, buffers)| buffers)
}

/// A socket and what is to be known about it while quinn owns it.
pub(crate) struct LinkSocket {
    quinn: Arc<dyn AsyncUdpSocket>,
    pub(crate) watch: SocketWatch,
}

#[derive(Debug)]
pub(crate) struct SocketWatch {
    pub(crate) buffers: SocketBuffers,
    drops: Option<DropCounter>,
}

impl SocketWatch {
    pub(crate) fn dropped(&self) -> Option<u64> {
        self.drops.as_ref()?.read()
    }
}

impl LinkSocket {
    /// Needs a running tokio.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let (socket, buffers) = open(address)?;
        let drops = DropCounter::of(&socket);
        let quinn = TokioRuntime.wrap_udp_socket(socket)?;
        Ok(Self { quinn, watch: SocketWatch { buffers, drops } })
    }

    /// A socket on any port that reaches both address families, or IPv4 alone where there is no IPv6.
    pub(crate) fn bind_any() -> io::Result<Self> {
        Self::bind((Ipv6Addr::UNSPECIFIED, 0).into())
            .or_else(|_| Self::bind((Ipv4Addr::UNSPECIFIED, 0).into()))
    }

    /// A place on a simulated network, which has no kernel to be short of anything.
    pub(crate) fn simulated(socket: Arc<dyn DatagramSocket>) -> Self {
        let buffers = SocketBuffers { wanted: BUFFER_WANTED, receive: BUFFER_WANTED, send: BUFFER_WANTED };
        Self { quinn: Arc::new(QuinnSocket(socket)), watch: SocketWatch { buffers, drops: None } }
    }

    pub(crate) fn into_endpoint(
        self,
        config: EndpointConfig,
        server: Option<ServerConfig>,
    ) -> io::Result<(Endpoint, SocketWatch)> {
        let endpoint =
            Endpoint::new_with_abstract_socket(config, server, self.quinn, Arc::new(TokioRuntime))?;
        Ok((endpoint, self.watch))
    }
}

fn open(address: SocketAddr) -> io::Result<(UdpSocket, SocketBuffers)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // A few systems refuse to clear it; then the socket serves IPv6 only.
        let _ = socket.set_only_v6(false);
    }
    // Best effort: the caller is told what came of it.
    let _ = socket.set_recv_buffer_size(BUFFER_WANTED);
    let _ = socket.set_send_buffer_size(BUFFER_WANTED);
    let mut buffers = given(&socket)?;
    if buffers.are_short() {
        force(&socket);
        buffers = given(&socket)?;
    }
    socket.bind(&address.into())?;
    Ok((socket.into(), buffers))
}

/// Past the system's limits, which only CAP_NET_ADMIN allows.
fn force(socket: &Socket) {
    #[cfg(target_os = "linux")]
    {
        use rustix::net::sockopt;
        let _ = sockopt::set_socket_recv_buffer_size_force(socket, BUFFER_WANTED);
        let _ = sockopt::set_socket_send_buffer_size_force(socket, BUFFER_WANTED);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

fn given(socket: &Socket) -> io::Result<SocketBuffers> {
    // Linux reports twice the size, the other half being its own bookkeeping.
    let share = if cfg!(target_os = "linux") { 2 } else { 1 };
    Ok(SocketBuffers {
        wanted: BUFFER_WANTED,
        receive: socket.recv_buffer_size()? / share,
        send: socket.send_buffer_size()? / share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_that_are_large_enough_need_no_advice() {
        let buffers = SocketBuffers { wanted: 1_000, receive: 1_000, send: 2_000 };
        assert_eq!(buffers.advice(), None);
    }

    #[test]
    fn short_buffers_come_with_the_command_that_helps() {
        for (receive, send) in [(212_992, 8_388_608), (8_388_608, 212_992)] {
            let buffers = SocketBuffers { wanted: 8_388_608, receive, send };
            let advice = buffers.advice().unwrap();
            assert!(advice.contains("sysctl -w net.core.rmem_max=8388608 net.core.wmem_max=8388608"));
            assert!(advice.contains("212992"), "{advice}");
        }
    }

    #[test]
    fn the_check_reports_what_a_bound_socket_gets() {
        let checked = check_socket_buffers().unwrap();
        let (_socket, bound) = open((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        assert_eq!(checked, bound);
        assert!(checked.receive > 0 && checked.send > 0);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_bound_socket_knows_what_was_dropped() {
        assert_eq!(LinkSocket::bind_any().unwrap().watch.dropped(), Some(0));
    }
}
