//! TLS: the one file here that names rustls. That of STARTTLS is lettre's, with the same provider.

use std::error::Error;
use std::io;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::attempt::is_caused_by;

/// The system's authorities: some hundred certificates, read once for all channels.
static SYSTEM: LazyLock<Arc<RootCertStore>> =
    LazyLock::new(|| trusting(rustls_native_certs::load_native_certs().certs));

/// What makes a connection to one host secret, and the host the right one.
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// For a host's name or address, with authorities in PEM or else the system's.
    pub(crate) fn new(host: &str, authorities: Option<&str>) -> Result<Self, String> {
        let roots = match authorities {
            Some(pem) => trusting(CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok)),
            None => Arc::clone(&SYSTEM),
        };
        if roots.is_empty() {
            return Err("no certificate of an authority was found; expected PEM".to_owned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|failed| failed.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| format!("{host:?} is no name of a host"))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Shakes hands; fails when the other side cannot, or is not who it should be.
    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        wire: S,
    ) -> io::Result<TlsStream<S>> {
        self.connector.connect(self.name.clone(), wire).await
    }
}

/// A system's list may hold certificates that rustls cannot read; the others count.
fn trusting(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    Arc::new(roots)
}

/// Whether an error or one of its causes is one of TLS.
pub(crate) fn is_tls_error(error: &(dyn Error + 'static)) -> bool {
    is_caused_by::<rustls::Error>(error)
}
