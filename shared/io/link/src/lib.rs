//! The QUIC link between node and hub: the only crate that names quinn and rustls.
//!
//! A [`HubEndpoint`] accepts, a [`Client`] connects, and both get a [`Connection`] whose streams carry frames.
//! Who may connect is decided twice: TLS proves the identity here, the caller looks its rights up on *every*
//! accepted connection, because a resumed one never meets the certificate verifier.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod certificate;
mod client;
mod clock;
mod connection;
mod datagram;
mod dial;
mod error;
mod fixed_rate;
mod frame;
mod hub;
mod profile;
mod socket;
mod stream;
mod tls;
mod verify;

pub use certificate::{CertificateError, NodeCertificate, spki_sha256};
pub use client::{Client, ClientOptions, connect_pinned};
pub use clock::Clock;
pub use connection::{Connection, LinkStatistics};
pub use datagram::DatagramSocket;
pub use error::{BindError, Closed, ConnectError, FrameError};
pub use frame::{FRAME_LENGTH_MAX, Frame, FrameDecoder};
pub use hub::{Accepted, HandshakeCounts, HubEndpoint, HubOptions};
pub use profile::{LinkOptions, Profile};
pub use socket::{SocketBuffers, check_socket_buffers};
pub use stream::{FrameReader, FrameWriter};
pub use tls::{
    Alpn, CLOSE_CERTIFICATE_REQUIRED, CLOSE_CERTIFICATE_UNACCEPTABLE, CLOSE_DONE, HUB_NAME, KeyPkcs8,
    NodeIdentity, ServerIdentity, install_crypto_provider,
};

#[cfg(test)]
mod tests;
