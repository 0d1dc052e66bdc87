//! Frames of a session: their lengths, then their bodies.
#![no_main]

use delivery::Frame;
use libfuzzer_sys::fuzz_target;
use link::FrameDecoder;

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = FrameDecoder::default();
    for part in bytes.chunks(7) {
        decoder.push(part);
        while let Ok(Some(frame)) = decoder.next_frame() {
            let _ = Frame::decode(frame.kind, &frame.body);
        }
    }
});
