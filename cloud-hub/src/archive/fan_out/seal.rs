//! What hubs of one archive know each other's bytes by: whoever can only write to Redis cannot make them.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};

/// Bytes that a seal adds.
pub(super) const TAG_BYTES: usize = 32;

/// Seals and opens what is about one archive, with a secret that its hubs share.
#[derive(Clone)]
pub struct Seal {
    key: Key,
    archive: [u8; 8],
}

impl Seal {
    /// The seal of an archive ([`super::super::archive_id`]).
    pub fn new(secret: &[u8; 32], archive: [u8; 8]) -> Self {
        Self { key: Key::new(HMAC_SHA256, secret), archive }
    }

    /// The archive it is of.
    pub(super) fn archive(&self) -> [u8; 8] {
        self.archive
    }

    /// Appends the tag that says what `bytes` are about.
    pub fn close(&self, subject: &str, mut bytes: Vec<u8>) -> Vec<u8> {
        let tag = self.tag(subject, &bytes);
        bytes.extend_from_slice(&tag);
        bytes
    }

    /// What was sealed; `None` when it is anything else.
    pub fn open<'a>(&self, subject: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (bytes, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG_BYTES)?)?;
        verify_slices_are_equal(&self.tag(subject, bytes), tag).ok()?;
        Some(bytes)
    }

    fn tag(&self, subject: &str, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let mut context = Context::with_key(&self.key);
        context.update(&self.archive);
        // Where the subject ends is under the tag too.
        context.update(&(subject.len() as u64).to_be_bytes());
        context.update(subject.as_bytes());
        context.update(bytes);
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_its_subject_its_archive_and_its_secret_only() {
        let seal = Seal::new(&[1; 32], [2; 8]);
        let sealed = seal.close("a", b"bytes".to_vec());
        assert_eq!(seal.open("a", &sealed), Some(&b"bytes"[..]));
        assert_eq!(seal.open("ab", &sealed), None);
        assert_eq!(Seal::new(&[1; 32], [3; 8]).open("a", &sealed), None);
        assert_eq!(Seal::new(&[3; 32], [2; 8]).open("a", &sealed), None);
    }

    #[test]
    fn what_was_altered_or_cut_anywhere_does_not_open() {
        let seal = Seal::new(&[1; 32], [2; 8]);
        let sealed = seal.close("a", b"bytes".to_vec());
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert_eq!(seal.open("a", &altered), None, "byte {place}");
            assert_eq!(seal.open("a", &sealed[..place]), None, "the first {place} bytes");
        }
    }
}
