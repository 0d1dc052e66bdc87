//! Signatures of authorities over what hubs tell their nodes, and the authorities whose signatures count.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm,
};
use rcgen::SigningKey;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_SIG_ED25519};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::authority::{Authority, authority_id};
use crate::csr::IssueError;
use crate::pem;

/// Authorities of one fleet: those of its hubs, and while one is replaced the next beside it.
const AUTHORITIES_MAX: usize = 16;

/// Why a signature does not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// What was signed is not this, or it was signed with another key.
    #[error("the signature of authority {authority} does not fit: it was altered, or somebody else made it")]
    Forged {
        /// The authority's id.
        authority: String,
    },
    /// The authority's key is of a kind that is not known here.
    #[error("the key of authority {authority} is neither ECDSA (P-256, P-384) nor Ed25519")]
    Key {
        /// The authority's id.
        authority: String,
    },
    /// It is somebody's signature, but nobody's who counts.
    #[error("it is signed by authority {authority}, which is not trusted here")]
    Untrusted {
        /// The authority's id.
        authority: String,
    },
}

/// Why a list of authorities is of no use.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuthoritiesError {
    /// Not certificates in PEM, or not those of authorities.
    #[error("it is not a list of authorities' certificates in PEM")]
    Unreadable,
    /// More than a fleet has.
    #[error("it holds {found} authorities, {AUTHORITIES_MAX} are taken at most")]
    TooMany {
        /// How many.
        found: usize,
    },
}

/// Authorities that are trusted, each known by its public key. Never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authorities {
    /// SHA-256 of the public key, and the certificate.
    known: Vec<([u8; 32], Vec<u8>)>,
}

impl Authorities {
    /// Those of DER certificates; each once, in their order.
    pub fn from_der(certificates: &[Vec<u8>]) -> Result<Self, AuthoritiesError> {
        let mut known: Vec<([u8; 32], Vec<u8>)> = Vec::new();
        for der in certificates {
            let Ok(([], parsed)) = x509_parser::parse_x509_certificate(der) else {
                return Err(AuthoritiesError::Unreadable);
            };
            let spki_sha256 = link::spki_sha256(der).map_err(|_| AuthoritiesError::Unreadable)?;
            if !parsed.is_ca() {
                return Err(AuthoritiesError::Unreadable);
            }
            if known.iter().all(|(found, _)| *found != spki_sha256) {
                known.push((spki_sha256, der.clone()));
            }
        }
        match known.len() {
            0 => Err(AuthoritiesError::Unreadable),
            1..=AUTHORITIES_MAX => Ok(Self { known }),
            found => Err(AuthoritiesError::TooMany { found }),
        }
    }

    /// Those of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, AuthoritiesError> {
        let certificates =
            pem::decode(pem::CERTIFICATE, text.as_bytes()).ok_or(AuthoritiesError::Unreadable)?;
        Self::from_der(&certificates)
    }

    /// As PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::CERTIFICATE, self.known.iter().map(|(_, der)| der.as_slice()))
    }

    /// Their DER certificates.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.known.iter().map(|(_, der)| der.clone()).collect()
    }

    /// Their ids, in their order.
    pub fn ids(&self) -> Vec<String> {
        self.known.iter().map(|(spki_sha256, _)| authority_id(*spki_sha256)).collect()
    }

    /// Whether one with this SHA-256 of its public key is among them.
    pub fn contains(&self, spki_sha256: [u8; 32]) -> bool {
        self.known.iter().any(|(found, _)| *found == spki_sha256)
    }

    /// Checks a signature that one of them is said to have made. A certificate's dates are not looked at: a machine
    /// whose clock is wrong must still be able to tell what its hub says from what others say.
    pub fn verify(
        &self,
        message: &[u8],
        spki_sha256: [u8; 32],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let authority = authority_id(spki_sha256);
        let Some((_, der)) = self.known.iter().find(|(found, _)| *found == spki_sha256) else {
            return Err(SignatureError::Untrusted { authority });
        };
        let parsed = x509_parser::parse_x509_certificate(der).map(|(_, certificate)| certificate);
        let key = parsed.as_ref().map(|certificate| certificate.public_key());
        let Some((key, algorithm)) = key.ok().and_then(|key| Some((key, algorithm(key)?))) else {
            return Err(SignatureError::Key { authority });
        };
        UnparsedPublicKey::new(algorithm, key.subject_public_key.data.as_ref())
            .verify(message, signature)
            .map_err(|_| SignatureError::Forged { authority })
    }
}

fn algorithm(key: &SubjectPublicKeyInfo<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let kind = &key.algorithm;
    if kind.algorithm == OID_SIG_ED25519 {
        return Some(&ED25519);
    }
    let curve = kind.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let curve = curve.filter(|_| kind.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY)?;
    if curve == OID_EC_P256 {
        Some(&ECDSA_P256_SHA256_ASN1)
    } else if curve == OID_NIST_EC_P384 {
        Some(&ECDSA_P384_SHA384_ASN1)
    } else {
        None
    }
}

impl Authority {
    /// Signs a message with the authority's own key; [`Authorities::verify`] checks it. The message must begin with
    /// a prefix that no certificate begins with.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IssueError> {
        Ok(self.issuer().key().sign(message)?)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    const NOW: u64 = 1_795_000_000;

    fn authority() -> (tempfile::TempDir, Authority) {
        let home = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_create(&home.path().join("authority"), NOW).unwrap();
        (home, authority)
    }

    fn certificate(key: &KeyPair, is_ca: bool) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Constrained(0)) } else { IsCa::NoCa };
        params.self_signed(key).unwrap().der().to_vec()
    }

    #[test]
    fn what_an_authority_signed_counts_where_it_is_trusted_and_nothing_else_does() {
        let ((_home, ours), (_other_home, theirs)) = (authority(), authority());
        let trusted = Authorities::from_der(&[ours.certificate_der().to_vec()]).unwrap();
        let (message, pin) = (b"sto-document-1\0text", ours.spki_sha256());
        let signature = ours.sign(message).unwrap();
        assert_eq!(trusted.verify(message, pin, &signature), Ok(()));
        let forged = Err(SignatureError::Forged { authority: ours.authority_id().to_owned() });
        assert_eq!(trusted.verify(b"sto-document-1\0Text", pin, &signature), forged);
        assert_eq!(trusted.verify(message, pin, &theirs.sign(message).unwrap()), forged);
        for spoilt in 0..signature.len() {
            let mut altered = signature.clone();
            altered[spoilt] ^= 1;
            assert_eq!(trusted.verify(message, pin, &altered), forged);
        }
        assert_eq!(trusted.verify(message, pin, &[]), forged);
        let untrusted = SignatureError::Untrusted { authority: theirs.authority_id().to_owned() };
        let signature = theirs.sign(message).unwrap();
        assert_eq!(trusted.verify(message, theirs.spki_sha256(), &signature), Err(untrusted));
        let both =
            Authorities::from_der(&[ours.certificate_der().to_vec(), theirs.certificate_der().to_vec()]);
        assert_eq!(both.unwrap().verify(message, theirs.spki_sha256(), &signature), Ok(()));
    }

    #[test]
    fn every_kind_of_key_that_an_authority_may_have_is_verified() {
        for algorithm in
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
        {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let der = certificate(&key, true);
            let pin = link::spki_sha256(&der).unwrap();
            let trusted = Authorities::from_der(&[der]).unwrap();
            let signature = key.sign(b"message").unwrap();
            assert_eq!(trusted.verify(b"message", pin, &signature), Ok(()), "{algorithm:?}");
            assert!(trusted.verify(b"massage", pin, &signature).is_err(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_list_is_of_authorities_alone_each_once_and_comes_back_from_its_text() {
        let key = |_| certificate(&KeyPair::generate().unwrap(), true);
        let (first, second) = (key(0), key(1));
        let list = Authorities::from_der(&[first.clone(), second.clone(), first.clone()]).unwrap();
        assert_eq!(list.certificates(), [first, second]);
        assert_eq!(Authorities::from_pem(&list.to_pem()).as_ref(), Ok(&list));
        assert_eq!(Authorities::from_der(&[]), Err(AuthoritiesError::Unreadable));
        assert_eq!(Authorities::from_pem("garbage"), Err(AuthoritiesError::Unreadable));
        let leaf = certificate(&KeyPair::generate().unwrap(), false);
        assert_eq!(Authorities::from_der(&[leaf]), Err(AuthoritiesError::Unreadable));
        let many: Vec<_> = (0..=AUTHORITIES_MAX).map(key).collect();
        let too_many = AuthoritiesError::TooMany { found: AUTHORITIES_MAX + 1 };
        assert_eq!(Authorities::from_der(&many), Err(too_many));
    }
}
