//! How many datagrams the kernel threw away because a socket's buffer was full. Only Linux tells.

use std::fs;
use std::net::UdpSocket;

/// The kernel's tables of UDP sockets, one for each family.
const TABLES: [&str; 2] = ["/proc/net/udp6", "/proc/net/udp"];
/// Columns of a row, counted from 0.
const INODE: usize = 9;
const DROPS: usize = 12;

/// Finds one socket in the kernel's tables, by the number of its inode.
#[derive(Debug)]
pub(crate) struct DropCounter {
    inode: u64,
}

impl DropCounter {
    /// `None` where the system has no such tables.
    pub(crate) fn of(socket: &UdpSocket) -> Option<Self> {
        let counter = Self { inode: inode(socket)? };
        counter.read().map(|_| counter)
    }

    /// Datagrams dropped since the socket was made; reads two small files.
    pub(crate) fn read(&self) -> Option<u64> {
        let tables = TABLES.iter().filter_map(|path| fs::read_to_string(path).ok());
        tables.filter_map(|table| drops_of(&table, self.inode)).next()
    }
}

#[cfg(unix)]
fn inode(socket: &UdpSocket) -> Option<u64> {
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;

    let descriptor = OwnedFd::from(socket.try_clone().ok()?);
    Some(fs::File::from(descriptor).metadata().ok()?.ino())
}

#[cfg(not(unix))]
fn inode(_socket: &UdpSocket) -> Option<u64> {
    None
}

fn drops_of(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|row| {
        let mut columns = row.split_ascii_whitespace().skip(INODE);
        let is_ours = columns.next()?.parse() == Ok(inode);
        is_ours.then(|| columns.nth(DROPS - INODE - 1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
10316: 0100007F:D716 00000000:0000 07 00000000:00033C00 00:00000000 00000000     0        0 2551039 2 00000000dc97dbfe 2908
11164: 00000000:9A66 00000000:0000 07 00000000:00000000 00:00000000 00000000  2908        0 2551042 2 00000000e4b83344 0
 cut
";

    #[test]
    fn a_socket_is_found_by_its_inode() {
        for (inode, expected) in [(2_551_039, Some(2_908)), (2_551_042, Some(0)), (2_908, None), (7, None)] {
            assert_eq!(drops_of(TABLE, inode), expected, "{inode}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_does_not_fit_into_the_buffer_is_counted() {
        let full = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let empty = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (of_full, of_empty) = (DropCounter::of(&full).unwrap(), DropCounter::of(&empty).unwrap());
        assert_eq!(of_full.read(), Some(0));
        // 64 MiB that nobody reads: more than a socket that asked for nothing is ever given.
        for _ in 0..1_024 {
            empty.send_to(&[0; 65_000], full.local_addr().unwrap()).unwrap();
        }
        assert!(of_full.read().is_some_and(|dropped| dropped > 0));
        assert_eq!(of_empty.read(), Some(0));
    }
}
