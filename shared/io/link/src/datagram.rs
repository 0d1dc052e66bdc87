//! Anything that carries datagrams, for networks that are simulated.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

/// What stands in for a UDP socket: one place on a simulated network.
///
/// Sending never waits and never fails; what the network cannot carry it drops, as networks do.
pub trait DatagramSocket: fmt::Debug + Send + Sync + 'static {
    /// Where answers come to.
    fn local_addr(&self) -> SocketAddr;

    /// Takes one datagram.
    fn send(&self, destination: SocketAddr, datagram: &[u8]);

    /// The next datagram that has arrived, with its sender, or a promise to wake the task when one does.
    fn poll_receive(&self, context: &mut Context<'_>) -> Poll<(SocketAddr, Bytes)>;
}

/// A [`DatagramSocket`] as quinn wants to have it.
#[derive(Debug)]
pub(crate) struct QuinnSocket(pub(crate) Arc<dyn DatagramSocket>);

impl AsyncUdpSocket for QuinnSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        for datagram in transmit.contents.chunks(segment) {
            self.0.send(transmit.destination, datagram);
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut received = 0;
        for (buffer, meta) in buffers.iter_mut().zip(metas) {
            let Poll::Ready((sender, datagram)) = self.0.poll_receive(context) else { break };
            // Longer than the buffer is cut, as the kernel does it.
            let length = datagram.len().min(buffer.len());
            buffer[..length].copy_from_slice(&datagram[..length]);
            *meta = RecvMeta { addr: sender, len: length, stride: length, ecn: None, dst_ip: None };
            received += 1;
        }
        if received == 0 { Poll::Pending } else { Poll::Ready(Ok(received)) }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_addr())
    }

    /// The network drops what is too long, so quinn looks for the path's limit as it does on a real one.
    fn may_fragment(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
