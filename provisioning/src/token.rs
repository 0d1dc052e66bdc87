//! The one thing carried to a machine by hand: where the hub is, how to recognise it, and a secret that works once.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::csr::sha256;
use crate::text::is_label;

const PREFIX: &str = "STO1-";
const VERSION: u8 = 1;
const TEXT_MAX: usize = 2048;
const ADDRESSES_MAX: usize = 3;
const ADDRESS_MAX: usize = 255;
const LABEL_MAX: usize = 64;
const CHECKSUM_BYTES: usize = 4;

/// Why a text is not a token.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// The text does not start as tokens do, or is far too long.
    #[error("this is not a token: tokens start with {PREFIX}")]
    NotAToken,
    /// The checksum, or a character, is wrong.
    #[error("the token's checksum does not fit: a character is missing or mistyped")]
    Typo,
    /// Made by a newer hub.
    #[error("the token has version {version}, this program knows {VERSION}")]
    Version {
        /// The version found.
        version: u8,
    },
    /// The checksum is right and the content is not.
    #[error("the token's {field} cannot be right")]
    Content {
        /// Which part.
        field: &'static str,
    },
    /// A new token needs randomness and there is none.
    #[error("failed to draw a secret")]
    Randomness,
}

/// Names a token; not secret.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct TokenId(pub [u8; 16]);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// What makes a token worth something; prints as `***`.
#[derive(Clone, Deserialize, Serialize)]
pub struct TokenSecret([u8; 16]);

impl TokenSecret {
    /// What the hub keeps instead of the secret.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A single-use invitation for one node.
#[derive(Clone, Debug)]
pub struct Token {
    /// Where the hub can be reached, one to three times `host:port`.
    pub hub_addresses: Vec<String>,
    /// SHA-256 of the public key of the hub's authority.
    pub authority_spki_sha256: [u8; 32],
    /// Its name in the hub's book.
    pub id: TokenId,
    /// Sent once the authority was recognised, not before.
    pub secret: TokenSecret,
    /// What the node will be called.
    pub node_name: String,
    /// Where it stands.
    pub site: String,
    /// Unix seconds; judged by the hub, whose clock is the better one.
    pub expires_unix: u64,
}

/// What somebody at the hub decides about a new token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Where the hub can be reached, one to three times `host:port`.
    pub hub_addresses: Vec<String>,
    /// What the node will be called.
    pub node_name: String,
    /// Where it stands.
    pub site: String,
    /// Unix seconds.
    pub expires_unix: u64,
    /// Missions the node may send for; absent: all, or those it may send for already.
    pub missions: Option<Vec<String>>,
}

/// What the hub keeps of a token: enough to recognise it, not enough to use it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenRecord {
    /// Its name.
    pub id: TokenId,
    /// Hash of the secret.
    pub secret_sha256: [u8; 32],
    /// What the node will be called.
    pub node_name: String,
    /// Where it stands.
    pub site: String,
    /// Unix seconds.
    pub expires_unix: u64,
    /// Missions the node may send for; absent: all, or those it may send for already. The token does not say it.
    pub missions: Option<Vec<String>>,
}

impl TokenRecord {
    /// Compares in a time that does not depend on where the difference is.
    pub fn secret_matches(&self, secret_sha256: &[u8; 32]) -> bool {
        verify_slices_are_equal(&self.secret_sha256, secret_sha256).is_ok()
    }
}

/// The token's content as written; the order of fields is the format.
#[derive(Deserialize, Serialize)]
struct Body {
    version: u8,
    hub_addresses: Vec<String>,
    authority_spki_sha256: [u8; 32],
    id: TokenId,
    secret: TokenSecret,
    node_name: String,
    site: String,
    expires_unix: u64,
}

impl Token {
    /// Makes a token and what the hub keeps of it. The token itself is shown once and stored nowhere.
    pub fn issue(new: NewToken, authority_spki_sha256: [u8; 32]) -> Result<(Self, TokenRecord), TokenError> {
        let (mut id, mut secret) = ([0; 16], [0; 16]);
        rand::fill(&mut id).map_err(|_| TokenError::Randomness)?;
        rand::fill(&mut secret).map_err(|_| TokenError::Randomness)?;
        let token = Self {
            hub_addresses: new.hub_addresses,
            authority_spki_sha256,
            id: TokenId(id),
            secret: TokenSecret(secret),
            node_name: new.node_name,
            site: new.site,
            expires_unix: new.expires_unix,
        }
        .checked()?;
        let record = TokenRecord {
            id: token.id,
            secret_sha256: token.secret.sha256(),
            node_name: token.node_name.clone(),
            site: token.site.clone(),
            expires_unix: token.expires_unix,
            missions: new.missions,
        };
        Ok((token, record))
    }

    /// Reads a token; capitals, spaces and line breaks do not matter.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.len() > TEXT_MAX {
            return Err(TokenError::NotAToken);
        }
        let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let text = text.to_ascii_uppercase();
        let encoded = text.strip_prefix(PREFIX).ok_or(TokenError::NotAToken)?;
        let bytes = BASE32_NOPAD.decode(encoded.as_bytes()).map_err(|_| TokenError::Typo)?;
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(TokenError::Typo)?;
        if crc32c::crc32c(body).to_le_bytes() != *checksum {
            return Err(TokenError::Typo);
        }
        match body.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(TokenError::Version { version }),
            None => return Err(TokenError::Typo),
        }
        let content = TokenError::Content { field: "content" };
        let (body, rest) = postcard::take_from_bytes::<Body>(body).map_err(|_| content.clone())?;
        if !rest.is_empty() {
            return Err(content);
        }
        Self {
            hub_addresses: body.hub_addresses,
            authority_spki_sha256: body.authority_spki_sha256,
            id: body.id,
            secret: body.secret,
            node_name: body.node_name,
            site: body.site,
            expires_unix: body.expires_unix,
        }
        .checked()
    }

    /// The token as it is carried: `STO1-` and capitals and digits, fit for QR codes and telephones. Secret.
    pub fn to_text(&self) -> String {
        let body = Body {
            version: VERSION,
            hub_addresses: self.hub_addresses.clone(),
            authority_spki_sha256: self.authority_spki_sha256,
            id: self.id,
            secret: self.secret.clone(),
            node_name: self.node_name.clone(),
            site: self.site.clone(),
            expires_unix: self.expires_unix,
        };
        let mut bytes = postcard::to_stdvec(&body).expect("strings and bytes always encode into memory");
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes))
    }

    fn checked(self) -> Result<Self, TokenError> {
        let field = |field| Err(TokenError::Content { field });
        let addresses = &self.hub_addresses;
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX || !addresses.iter().all(|a| is_address(a))
        {
            return field("hub addresses");
        }
        if !is_label(&self.node_name, LABEL_MAX) {
            return field("node name");
        }
        if !is_label(&self.site, LABEL_MAX) {
            return field("site");
        }
        Ok(self)
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::parse(text)
    }
}

/// `host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_right = match bracketed {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    };
    text.len() <= ADDRESS_MAX && host_is_right && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests;
