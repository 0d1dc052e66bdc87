//! The UDP door: one or many whole packets in a datagram. It cannot answer, so what is lost is counted where it is
//! lost: what the kernel dropped because nobody read in time is asked of the kernel.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use space_packet::{HeaderError, PrimaryHeader, ReceptionTime};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Link, Owner, Records, Submission, push_packet};

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Datagrams taken together when they are there already.
const DATAGRAMS_AT_ONCE: usize = 64;
/// Bytes of datagrams taken together.
const BYTES_AT_ONCE: usize = 64 * 1_024;
/// What the kernel may hold while this door waits for room: 8 MB at 92 bytes are some 40 ms at a million packets
/// a second.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;
/// What a stopping program gives a full sink to take what was read already.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How often the kernel is asked what it dropped.
const OVERRUN_INTERVAL: Duration = Duration::from_secs(1);

/// A link's socket.
pub struct UdpIntake {
    socket: UdpSocket,
    link: Link,
    owner: Arc<dyn Owner>,
    inode: u64,
}

impl UdpIntake {
    /// Binds the link's address.
    pub fn bind(link: Link, owner: Arc<dyn Owner>) -> io::Result<Self> {
        let address = link.statistics().config.listen;
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, Some(socket2::Protocol::UDP))?;
        // The kernel gives what it may; less only means that it drops earlier, which is counted.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let inode = rustix::fs::fstat(socket.as_fd())?.st_ino;
        let socket = UdpSocket::from_std(socket.into())?;
        link.statistics().on_listening(&socket.local_addr()?.to_string());
        Ok(Self { socket, link, owner, inode })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Takes datagrams until shutdown.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut ask = tokio::time::interval(OVERRUN_INTERVAL);
        let mut dropped = 0;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => {
                    self.look_for_overruns(&mut dropped);
                    return Ok(());
                }
                _ = ask.tick() => self.look_for_overruns(&mut dropped),
                readable = self.socket.readable() => {
                    readable?;
                    let mut taken = Datagrams::default();
                    taken.receive(&self.socket, &mut buffer, &self.link);
                    for records in taken.records {
                        let reception = ReceptionTime(service::clock::now());
                        let submission = Submission { reception, records, producer: None, request: None };
                        // While this waits the kernel holds datagrams, and counts those it cannot hold. What
                        // stops gives a full sink a moment.
                        let is_taken = tokio::select! {
                            taken = self.link.submit(submission) => taken.is_ok(),
                            () = async { shutdown.cancelled().await; tokio::time::sleep(STOP_WAIT).await } => false,
                        };
                        if !is_taken {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    fn look_for_overruns(&self, known: &mut u64) {
        let Some(dropped) = dropped_by_kernel(self.inode) else { return };
        let new = dropped.saturating_sub(*known);
        if new == 0 {
            return;
        }
        *known = dropped;
        let config = &self.link.statistics().config;
        self.link.statistics().rejected_times("overrun", new, 0);
        warn!(link = config.name, datagrams = new, "datagrams were dropped, intake does not keep up");
        self.owner.on_overrun(config, new);
    }
}

/// Datagrams that were there at once, as records in order.
#[derive(Default)]
struct Datagrams {
    records: Vec<Records>,
    bytes: usize,
}

impl Datagrams {
    fn receive(&mut self, socket: &UdpSocket, buffer: &mut [u8], link: &Link) {
        for _ in 0..DATAGRAMS_AT_ONCE {
            // An error of the socket (an ICMP answer to nothing we sent) concerns no datagram.
            let Ok(length) = socket.try_recv(buffer) else { return };
            self.take(&buffer[..length], link);
            if self.bytes >= BYTES_AT_ONCE {
                return;
            }
        }
    }

    /// A datagram's packets, as long as they are whole; what stands behind them is kept apart.
    fn take(&mut self, datagram: &[u8], link: &Link) {
        self.bytes += datagram.len();
        let mut rest = datagram;
        while let Ok(header) = PrimaryHeader::parse(rest)
            && let Some((packet, behind)) = rest.split_at_checked(header.packet_bytes())
            && packet.len() <= link.statistics().config.packet_bytes_max
        {
            push_packet(&mut self.records, packet);
            rest = behind;
        }
        if !rest.is_empty() || datagram.is_empty() {
            // What begins like a packet and is cut off is told from what is none.
            let cause = match PrimaryHeader::parse(rest) {
                Ok(header) if header.packet_bytes() > rest.len() => "truncated",
                Ok(_) => "oversized",
                Err(HeaderError::Truncated { .. }) => "truncated",
                Err(HeaderError::Version { .. }) => "not-a-packet",
            };
            link.statistics().rejected(cause, rest.len() as u64);
            self.records.push(Records::Unframed { cause, bytes: rest.to_vec() });
        }
    }
}

/// Datagrams the kernel dropped at a socket since it was bound, from its own table.
fn dropped_by_kernel(inode: u64) -> Option<u64> {
    ["/proc/self/net/udp", "/proc/self/net/udp6"]
        .iter()
        .find_map(|file| dropped_in(&std::fs::read_to_string(file).ok()?, inode))
}

/// In each row the inode stands in the tenth column and the drops in the last.
fn dropped_in(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_ours = columns.get(9)?.parse() == Ok(inode);
        is_ours.then(|| columns.last()?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_says_what_a_socket_dropped() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
              17: 0100007F:2328 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 40312 2 0000000000000000 125\n\
              19: 0100007F:2329 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 40313 2 0000000000000000 7\n";
        assert_eq!(dropped_in(table, 40_313), Some(7));
        assert_eq!(dropped_in(table, 1), None);
    }
}
