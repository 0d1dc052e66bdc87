//! What every sender needs of a TCP connection: where to, when to try again, and how to end without losing
//! the last bytes.

use std::{fmt, io, str::FromStr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the other side may take to close after we have said that nothing more comes.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The address of a node's TCP intake, `tcp://HOST:PORT`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    host_and_port: String,
}

/// Text that is not the address of an intake.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not an address; expected tcp://HOST:PORT, like tcp://127.0.0.1:7001")]
pub struct TargetError {
    /// The text.
    pub found: String,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let refused = || TargetError { found: text.to_owned() };
        let host_and_port = text.strip_prefix("tcp://").ok_or_else(refused)?.trim_end_matches('/');
        let (host, port) = host_and_port.rsplit_once(':').ok_or_else(refused)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(refused());
        }
        Ok(Self { host_and_port: host_and_port.to_owned() })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tcp://{}", self.host_and_port)
    }
}

impl From<std::net::SocketAddr> for Target {
    fn from(address: std::net::SocketAddr) -> Self {
        Self { host_and_port: address.to_string() }
    }
}

impl Target {
    /// Opens a connection, or says within five seconds why not.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.host_and_port))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Doubling waits between attempts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    pub(crate) fn on_connected(&mut self) {
        self.next = self.first;
    }

    pub(crate) fn next_wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.longest);
        wait
    }
}

/// Reads and forgets until the other side closes. Never stop reading: unread bytes turn a close into a reset,
/// and a reset takes our last packets with it.
pub(crate) async fn drain(mut from: impl AsyncRead + Unpin) {
    let mut buffer = [0; 4_096];
    while matches!(from.read(&mut buffer).await, Ok(1..)) {}
}

/// Says that nothing more comes, and waits for the other side to close too.
pub(crate) async fn close(read: OwnedReadHalf, mut write: OwnedWriteHalf) -> io::Result<()> {
    write.shutdown().await?;
    let _ = timeout(CLOSE_TIMEOUT, drain(read)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tcp_addresses_with_a_port_are_targets() {
        for good in ["tcp://127.0.0.1:7001", "tcp://edge.example:1", "tcp://[::1]:7001"] {
            assert_eq!(good.parse::<Target>().expect("a target").to_string(), good);
        }
        for bad in ["127.0.0.1:7001", "udp://127.0.0.1:7001", "tcp://host", "tcp://:1", "tcp://host:70000"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_start_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(300));
        let waits: Vec<_> = (0..4).map(|_| backoff.next_wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 300, 300]);
        backoff.on_connected();
        assert_eq!(backoff.next_wait().as_millis(), 100);
    }
}
