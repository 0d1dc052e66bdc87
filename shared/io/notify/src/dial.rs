//! Connections: looking a host up once, and connecting to the addresses that were found and checked.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::TcpStream;

/// Addresses of a host that are tried, one after the other.
const ADDRESSES_MAX: usize = 4;
/// An address that does not answer must leave time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Addresses of a host, as the system finds them. What the C library takes for an address (`0x7f.1`) becomes one here,
/// before it is checked.
pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

/// Connects to the first address that lets us.
pub(crate) async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no address");
    for address in addresses.iter().take(ADDRESSES_MAX) {
        match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(failed)) => last = failed,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// A connection of which lettre can read no more than it should.
///
/// It takes in so many bytes at most, then fails, because lettre reads lines of any length. And it hands out one line
/// at a time: what somebody on the way has put behind the answer to STARTTLS stays here and is given to TLS, which takes
/// it for damage. In lettre's buffer it would pass for what the server said through TLS.
#[derive(Debug)]
pub(crate) struct Bounded<S> {
    inner: BufReader<S>,
    left: usize,
    peer: SocketAddr,
}

/// The other side said more than it has to say.
#[derive(Debug, thiserror::Error)]
#[error("the answers do not come to an end")]
pub(crate) struct TooMuchSaid;

impl<S: AsyncRead> Bounded<S> {
    pub(crate) fn new(inner: S, peer: SocketAddr, bytes_max: usize) -> Self {
        Self { inner: BufReader::new(inner), left: bytes_max, peer }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(TooMuchSaid)));
        }
        let found = ready!(Pin::new(&mut self.inner).poll_fill_buf(cx))?;
        let line = found.iter().position(|byte| *byte == b'\n').map_or(found.len(), |end| end + 1);
        let taken = line.min(buffer.remaining());
        buffer.put_slice(&found[..taken]);
        Pin::new(&mut self.inner).consume(taken);
        self.left = self.left.saturating_sub(taken);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + std::fmt::Debug + Send + Sync + Unpin> AsyncTokioStream for Bounded<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
