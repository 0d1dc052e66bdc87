//! Certificates and keys as text files.

use data_encoding::BASE64;

/// The label of a certificate's block.
pub(crate) const CERTIFICATE: &str = "CERTIFICATE";

const LINE: usize = 64;

pub(crate) fn encode<'a>(label: &str, blocks: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut text = String::new();
    for block in blocks {
        let mut rest = BASE64.encode(block);
        text.push_str(&format!("-----BEGIN {label}-----\n"));
        while !rest.is_empty() {
            let after = rest.split_off(rest.len().min(LINE));
            text.push_str(&rest);
            text.push('\n');
            rest = after;
        }
        text.push_str(&format!("-----END {label}-----\n"));
    }
    text
}

/// All blocks, which must be at least one and of that label, or `None`.
pub(crate) fn decode(label: &str, text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut blocks = Vec::new();
    for block in x509_parser::pem::Pem::iter_from_buffer(text) {
        let block = block.ok().filter(|block| block.label == label)?;
        blocks.push(block.contents);
    }
    (!blocks.is_empty()).then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_as_they_were() {
        let blocks = [vec![1u8; 1], vec![2; 48], vec![3; 500]];
        let text = encode(CERTIFICATE, blocks.iter().map(Vec::as_slice));
        assert_eq!(decode(CERTIFICATE, text.as_bytes()).unwrap(), blocks);
        assert!(text.lines().all(|line| line.len() <= LINE));
    }

    #[test]
    fn nothing_or_something_else_is_refused() {
        for text in ["", "garbage", &encode("PRIVATE KEY", [&[1u8, 2][..]])] {
            assert_eq!(decode(CERTIFICATE, text.as_bytes()), None, "{text:?}");
        }
    }
}
