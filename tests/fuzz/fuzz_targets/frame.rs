//! Frames of a session: their lengths, then their bodies. What decodes is encoded and decoded to the same again.
#![no_main]

use delivery::Frame;
use libfuzzer_sys::fuzz_target;
use link::FrameDecoder;

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = FrameDecoder::default();
    for part in bytes.chunks(7) {
        decoder.push(part);
        while let Ok(Some(frame)) = decoder.next_frame() {
            let Ok(Some(decoded)) = Frame::decode(frame.kind, &frame.body) else { continue };
            let (kind, body) = decoded.encode();
            let again = Frame::decode(kind, &body).expect("what was encoded here decodes");
            // Of a HELLO of another version only the number is read, and that is all that is kept.
            assert_eq!((kind, again), (frame.kind, Some(decoded)));
        }
    }
});
