//! Codes people type and tokens programs send. Only their hashes are kept.

use aws_lc_rs::{digest, rand};

/// What an API token begins with, so that people and scanners of repositories know one when they see it.
const TOKEN_PREFIX: &str = "sto_";
/// 32 random bytes in base64 without padding.
const TOKEN_LETTERS: usize = 43;

/// SHA-256 of a secret: all that is kept of it.
pub type SecretHash = [u8; 32];

/// Hashes a secret.
pub fn hash(secret: &str) -> SecretHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    hash
}

/// A new one-time code: 12 letters and digits in groups, easy to read over a telephone.
pub fn new_code() -> String {
    // Crockford's alphabet: no I, L, O or U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters: Vec<u8> = random::<12>().iter().map(|byte| ALPHABET[usize::from(byte & 31)]).collect();
    letters.chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// A code as people may type it: any case, with or without dashes.
pub fn normalise_code(text: &str) -> String {
    let letters: Vec<char> = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .take(64)
        .collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// A new API token: `sto_` and 32 random bytes as base64url.
pub fn new_token() -> String {
    format!("{TOKEN_PREFIX}{}", new_session_id())
}

/// Whether a text can be an API token: what cannot is not looked for.
pub(super) fn looks_like_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX).is_some_and(|letters| {
        letters.len() == TOKEN_LETTERS
            && letters.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// A new session's name: 32 random bytes as base64url.
pub(super) fn new_session_id() -> String {
    data_encoding::BASE64URL_NOPAD.encode(&random::<32>())
}

/// A new id for an act, when whoever acts gave none.
pub(crate) fn random_id() -> [u8; 16] {
    random()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random source works, or nothing here is safe");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = new_code();
        assert_eq!(code.len(), 14);
        assert_eq!(normalise_code(&code.to_lowercase().replace('-', " ")), code);
        assert_ne!(new_code(), code);
    }

    #[test]
    fn a_token_is_known_by_its_shape_and_no_two_are_alike() {
        let token = new_token();
        assert!(looks_like_token(&token), "{token}");
        assert_ne!(new_token(), token);
        let (short, foreign) = (&token[..46], token.replace("sto_", "ghp_"));
        let spaced = format!("{} {}", &token[..20], &token[21..]);
        for other in ["", "sto_", short, &foreign, &spaced, &format!("{token}A")] {
            assert!(!looks_like_token(other), "{other}");
        }
    }
}
