//! Bytes with a signature and a check sum: the check sum tells damage, the signature tells another hand.

/// Longest signature; those of P-256 have at most 72 bytes.
const SIGNATURE_BYTES_MAX: usize = 1_024;
const MAGIC_BYTES: usize = 8;
/// All of it but body and signature.
pub(super) const OVERHEAD: usize = MAGIC_BYTES + 4 + 2 + 4;

/// ```text
/// 8 B   magic
/// u32   length of the body
///       body
/// u16   length of the signature
///       signature
/// u32   CRC-32C of everything before
/// ```
pub(super) fn wrap(magic: [u8; 8], body: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OVERHEAD + body.len() + signature.len());
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&(signature.len() as u16).to_le_bytes());
    bytes.extend_from_slice(signature);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// An envelope whose check sum is right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Envelope<'a> {
    pub(super) body: &'a [u8],
    pub(super) signature: &'a [u8],
    /// All of it.
    pub(super) bytes: &'a [u8],
}

/// The envelope that `bytes` begin with; nothing when there is none that is whole.
pub(super) fn unwrap(magic: [u8; 8], bytes: &[u8]) -> Option<Envelope<'_>> {
    let rest = bytes.strip_prefix(&magic)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (signature, rest) = rest.split_at_checked(length).filter(|_| length <= SIGNATURE_BYTES_MAX)?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let whole = &bytes[..bytes.len() - rest.len()];
    let is_sound = crc32c::crc32c(&whole[..whole.len() - 4]).to_le_bytes() == *crc;
    is_sound.then_some(Envelope { body, signature, bytes: whole })
}
