//! Documents on their way to a node: a head, the text behind it, and lists about the node itself.
#![no_main]

use delivery::{DocumentHead, Frame, IncomingDocument};
use libfuzzer_sys::fuzz_target;
use provisioning::{Authorities, HubList, changed_trust};

/// Kind of a frame with a head.
const HEAD: u8 = 9;

fuzz_target!(|bytes: &[u8]| {
    let (&length, rest) = bytes.split_first().unwrap_or((&0, bytes));
    let (head, text) = rest.split_at(usize::from(length).min(rest.len()));
    if let Ok(Some(Frame::Document(head))) = Frame::decode(HEAD, head) {
        let other = DocumentHead { number: head.number ^ 1, ..head.clone() };
        assert_ne!(head.signed_bytes(), other.signed_bytes());
        let mut incoming = IncomingDocument::new(head);
        if text.chunks(61).try_for_each(|part| incoming.on_part(part)).is_ok() {
            let _ = incoming.finish();
        }
    }
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(hubs) = HubList::from_text(text) {
        assert_eq!(HubList::from_text(&hubs.to_text()), Ok(hubs));
    }
    if let Ok(authorities) = Authorities::from_pem(text) {
        assert_eq!(Authorities::from_pem(&authorities.to_pem()).as_ref(), Ok(&authorities));
        let _ = authorities.verify(head, [0; 32], text.as_bytes());
    }
    let _ = changed_trust(text, [0; 32]);
});
