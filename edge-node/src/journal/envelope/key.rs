//! The key batches are encrypted with on disk, and where it comes from.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hmac;
use service::config::Secret;

const KEY_BYTES: usize = 32;
/// Longest key file: 64 digits and a line end, with room for blanks.
const FILE_BYTES_MAX: u64 = 256;

/// A key for batches on disk. Prints as `***`.
#[derive(Clone, Debug)]
pub struct JournalKey {
    key: Secret<Arc<RandomizedNonceKey>>,
    id: Secret<[u8; 8]>,
}

/// Why there is no key. Nothing was opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system passes no credentials.
    #[error(
        "the journal's key is to come from the credential {name:?}, but systemd passed none; add LoadCredential={name}:PATH to the unit"
    )]
    NoCredentials {
        /// Which credential.
        name: String,
    },
    /// Others may read the file.
    #[error("the journal's key {path} can be read by others (mode {mode:03o}); run chmod 600 on it")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file cannot be read.
    #[error("the journal's key {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The content is no key.
    #[error(
        "the journal's key {path} is not 64 hexadecimal digits or 32 bytes; make one with: openssl rand -hex 32"
    )]
    Shape {
        /// The file.
        path: PathBuf,
    },
}

impl JournalKey {
    /// A key of 32 bytes.
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("AES-256 takes any 32 bytes");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"sto-journal-key-1");
        let mut id = [0; 8];
        id.copy_from_slice(&tag.as_ref()[..8]);
        Self { key: Secret::new(Arc::new(key)), id: Secret::new(id) }
    }

    /// Reads a key file: 64 hexadecimal digits or 32 bytes, for its owner's eyes only.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Read { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode });
        }
        let mut content = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut content).map_err(failed)?;
        decode(&content)
            .map(|bytes| Self::new(&bytes))
            .ok_or_else(|| KeyError::Shape { path: path.to_owned() })
    }

    /// Reads a credential that systemd passed (`LoadCredential=` or `LoadCredentialEncrypted=`); `directory` is
    /// `$CREDENTIALS_DIRECTORY`.
    pub fn from_credential(directory: Option<&Path>, name: &str) -> Result<Self, KeyError> {
        let directory = directory.ok_or_else(|| KeyError::NoCredentials { name: name.to_owned() })?;
        Self::from_file(&directory.join(name))
    }

    pub(super) fn cipher(&self) -> &RandomizedNonceKey {
        self.key.reveal()
    }

    /// Tells keys apart without telling anything of them.
    pub(super) fn id(&self) -> [u8; 8] {
        *self.id.reveal()
    }
}

fn decode(content: &[u8]) -> Option<[u8; KEY_BYTES]> {
    if let Ok(bytes) = content.try_into() {
        return Some(bytes);
    }
    let digits = content.trim_ascii();
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    let mut bytes = [0; KEY_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let digit = |letter: u8| char::from(letter).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}
