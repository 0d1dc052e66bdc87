//! Bytes that are read from the front.

use super::ColumnsError;

/// What is left to read.
pub(in crate::archive) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'b [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, ColumnsError> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn array<const LENGTH: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; LENGTH], ColumnsError> {
        let (found, rest) = self.rest.split_first_chunk().ok_or(ColumnsError::Unreadable(what))?;
        self.rest = rest;
        Ok(*found)
    }

    pub(super) fn bytes(&mut self, length: u64, what: &'static str) -> Result<&'b [u8], ColumnsError> {
        let length = usize::try_from(length).map_err(|_| ColumnsError::Unreadable(what))?;
        let (found, rest) = self.rest.split_at_checked(length).ok_or(ColumnsError::Unreadable(what))?;
        self.rest = rest;
        Ok(found)
    }

    /// LEB128.
    pub(super) fn varint(&mut self, what: &'static str) -> Result<u64, ColumnsError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ColumnsError::Unreadable(what))
    }

    /// What stands behind its length.
    pub(super) fn block(&mut self, what: &'static str) -> Result<Self, ColumnsError> {
        let length = self.varint(what)?;
        Ok(Self { rest: self.bytes(length, what)? })
    }
}

/// LEB128.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a block behind its length, which is only known then.
pub(super) fn put_block(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut block = Vec::new();
    write(&mut block);
    put_varint(out, block.len() as u64);
    out.extend_from_slice(&block);
}
