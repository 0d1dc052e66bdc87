//! A byte stream at an intake link: every byte is in a packet, rejected or pending.
#![no_main]

use libfuzzer_sys::fuzz_target;
use space_packet::PacketFramer;

fuzz_target!(|bytes: &[u8]| {
    let mut framer = PacketFramer::new(2_000);
    let (mut taken, mut rejected) = (0, 0);
    for part in bytes.chunks(13) {
        framer.push(part);
        while let Some(packet) = framer.next_packet(&mut |rejection, _| rejected += rejection.bytes) {
            taken += packet.len() as u64;
        }
    }
    while framer.pending_bytes() > 0 {
        framer.give_up(&mut |rejection, _| rejected += rejection.bytes);
        while let Some(packet) = framer.next_packet(&mut |rejection, _| rejected += rejection.bytes) {
            taken += packet.len() as u64;
        }
    }
    assert_eq!(taken + rejected, bytes.len() as u64);
});
