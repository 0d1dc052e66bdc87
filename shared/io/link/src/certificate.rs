//! The one parser of a node's certificate: what it accepts is the only form an identity can have.

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

const AUTHORITY_ID_MAX: usize = 64;

/// Who a node is, read from its certificate. What it may do is not in there: that is the hub's database.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct NodeCertificate {
    /// The node's identity.
    pub node_id: Uuid,
    /// The trust domain, which names the authority.
    pub authority_id: String,
    /// Unix seconds from which it holds.
    pub not_before: u64,
    /// Unix seconds up to which it holds.
    pub not_after: u64,
    /// Serial number, big-endian without leading zeros.
    pub serial: Vec<u8>,
}

/// Why a certificate is not a node's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// It is not one X.509 certificate, or holds an extension twice.
    #[error("not a well-formed certificate")]
    Malformed,
    /// It is an authority's.
    #[error("the certificate of an authority, not of a node")]
    Authority,
    /// Its extended key usage is not client authentication alone.
    #[error("not a certificate for client authentication alone")]
    Usage,
    /// It does not hold exactly one alternative name, a URI.
    #[error("not exactly one URI as alternative name")]
    Names,
    /// The URI is not `spiffe://<authority>/node/<uuid>`.
    #[error("the URI does not name a node")]
    Uri,
}

impl NodeCertificate {
    /// Reads a leaf certificate; whether anybody trusts its signer is another question.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = parse(der)?;
        if certificate.is_ca() {
            return Err(CertificateError::Authority);
        }
        require_client_auth_alone(&certificate)?;
        let (authority_id, node_id) = node_uri(&certificate)?;
        let validity = certificate.validity();
        Ok(Self {
            node_id,
            authority_id,
            not_before: unix(validity.not_before.timestamp())?,
            not_after: unix(validity.not_after.timestamp())?,
            serial: certificate.raw_serial().iter().copied().skip_while(|byte| *byte == 0).collect(),
        })
    }

    /// The URI that names this node.
    pub fn uri(&self) -> String {
        node_uri_text(&self.authority_id, self.node_id)
    }
}

/// SHA-256 of a certificate's public key (SubjectPublicKeyInfo), which stays when the certificate is renewed.
pub fn spki_sha256(certificate_der: &[u8]) -> Result<[u8; 32], CertificateError> {
    parse(certificate_der).map(|certificate| spki_hash(&certificate))
}

pub(crate) fn spki_hash(certificate: &X509Certificate<'_>) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, certificate.public_key().raw).as_ref());
    hash
}

pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    match parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateError::Malformed),
    }
}

pub(crate) fn unix(timestamp: i64) -> Result<u64, CertificateError> {
    u64::try_from(timestamp).map_err(|_| CertificateError::Malformed)
}

fn node_uri_text(authority_id: &str, node_id: Uuid) -> String {
    format!("spiffe://{authority_id}/node/{}", node_id.hyphenated())
}

/// Webpki lets a certificate without any usage pass for every purpose; ours always say.
fn require_client_auth_alone(certificate: &X509Certificate<'_>) -> Result<(), CertificateError> {
    let usage = certificate.extended_key_usage().map_err(|_| CertificateError::Malformed)?;
    let usage = usage.ok_or(CertificateError::Usage)?.value;
    let others = usage.any
        || usage.server_auth
        || usage.code_signing
        || usage.email_protection
        || usage.time_stamping
        || usage.ocsp_signing
        || !usage.other.is_empty();
    if usage.client_auth && !others { Ok(()) } else { Err(CertificateError::Usage) }
}

fn node_uri(certificate: &X509Certificate<'_>) -> Result<(String, Uuid), CertificateError> {
    let names = certificate.subject_alternative_name().map_err(|_| CertificateError::Malformed)?;
    let names = &names.ok_or(CertificateError::Names)?.value.general_names;
    let [GeneralName::URI(uri)] = names.as_slice() else {
        return Err(CertificateError::Names);
    };
    parse_node_uri(uri).ok_or(CertificateError::Uri)
}

fn parse_node_uri(uri: &str) -> Option<(String, Uuid)> {
    let (authority_id, uuid) = uri.strip_prefix("spiffe://")?.split_once("/node/")?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if authority_id.is_empty() || authority_id.len() > AUTHORITY_ID_MAX || !authority_id.bytes().all(plain) {
        return None;
    }
    let node_id = Uuid::try_parse(uuid).ok()?;
    // `try_parse` also takes braces, capitals and no hyphens; one node has one name.
    (node_uri_text(authority_id, node_id) == uri).then(|| (authority_id.to_owned(), node_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    #[test]
    fn one_form_of_uri_names_a_node() {
        let (authority_id, node_id) = parse_node_uri(&format!("spiffe://sto-00ff/node/{UUID}")).unwrap();
        assert_eq!((authority_id.as_str(), node_id.to_string().as_str()), ("sto-00ff", UUID));
    }

    #[test]
    fn every_other_uri_is_refused() {
        for uri in [
            String::new(),
            format!("spiffe:///node/{UUID}"),
            format!("spiffe://sto-00ff/node/{}", UUID.to_uppercase()),
            format!("spiffe://sto-00ff/node/{}", UUID.replace('-', "")),
            format!("spiffe://sto-00ff/node/{{{UUID}}}"),
            format!("spiffe://sto-00ff/node/{UUID}/"),
            format!("spiffe://sto-00ff/node/{UUID}?x"),
            format!("spiffe://sto-00ff/hub/{UUID}"),
            format!("spiffe://STO-00ff/node/{UUID}"),
            format!("spiffe://sto/x/node/{UUID}"),
            format!("spiffe://u@sto/node/{UUID}"),
            format!("https://sto-00ff/node/{UUID}"),
            format!("spiffe://{}/node/{UUID}", "a".repeat(AUTHORITY_ID_MAX + 1)),
        ] {
            assert_eq!(parse_node_uri(&uri), None, "{uri}");
        }
    }
}
