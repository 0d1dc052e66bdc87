//! A file of packets, read one at a time: memory for one packet, whatever the file's size.

use std::io::{self, BufReader, Read};
use std::path::Path;

use space_packet::PRIMARY_HEADER_BYTES;

use crate::InspectError;

/// Read from the system in one go.
const BUFFER_BYTES: usize = 256 * 1_024;
/// How a gzip file begins: its mark, and the only method there is. As a packet it would be the middle segment of a
/// telecommand.
const GZIP: [u8; 3] = [0x1F, 0x8B, 0x08];

/// What a recording holds next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// It ended behind a packet.
    End,
    /// A packet, whose primary header begins `offset` bytes into the file.
    Packet { offset: u64 },
    /// It ended inside a packet, or in what stands before one.
    Tail { offset: u64, bytes: u64 },
}

/// Packets that stand one after the other, each with the same number of foreign bytes before it.
pub(crate) struct Recording<R> {
    reader: R,
    skip_header_bytes: usize,
    position: u64,
}

impl<R: Read> Recording<BufReader<R>> {
    /// From its first byte; `path` is what errors call it.
    pub(crate) fn open(file: R, path: &Path, skip_header_bytes: usize) -> Result<Self, InspectError> {
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let failed = |reason| InspectError::Recording { path: path.to_owned(), reason };
        let begin = io::BufRead::fill_buf(&mut reader).map_err(failed)?;
        if begin.starts_with(&GZIP) {
            return Err(InspectError::RecordingGzip { path: path.to_owned() });
        }
        Ok(Self { reader, skip_header_bytes, position: 0 })
    }
}

impl<R: Read> Recording<R> {
    /// Reads the next packet into `packet`, whose memory is used again.
    ///
    /// Every header is believed: some missions count versions of their own in the packet version number.
    pub(crate) fn next(&mut self, packet: &mut Vec<u8>) -> io::Result<Next> {
        let begin = self.position;
        let head_bytes = self.skip_header_bytes + PRIMARY_HEADER_BYTES;
        packet.clear();
        if !self.read_up_to(packet, head_bytes)? {
            return Ok(self.ended(begin));
        }
        packet.drain(..self.skip_header_bytes);
        let data_bytes = usize::from(u16::from_be_bytes([packet[4], packet[5]])) + 1;
        if !self.read_up_to(packet, PRIMARY_HEADER_BYTES + data_bytes)? {
            return Ok(self.ended(begin));
        }
        Ok(Next::Packet { offset: begin + self.skip_header_bytes as u64 })
    }

    fn ended(&self, begin: u64) -> Next {
        match self.position - begin {
            0 => Next::End,
            bytes => Next::Tail { offset: begin, bytes },
        }
    }

    /// Fills `packet` up to so many bytes; false when the recording ends before.
    fn read_up_to(&mut self, packet: &mut Vec<u8>, bytes: usize) -> io::Result<bool> {
        let missing = bytes - packet.len();
        let read = self.reader.by_ref().take(missing as u64).read_to_end(packet)?;
        self.position += read as u64;
        Ok(read == missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &[u8], skip_header_bytes: usize, expected: &[Next]) {
        let mut recording = Recording::open(file, Path::new("a"), skip_header_bytes).expect("it opens");
        let mut packet = Vec::new();
        for next in expected {
            assert_eq!(recording.next(&mut packet).expect("memory is readable"), *next);
        }
    }

    const PACKET: [u8; 8] = [0x08, 0x01, 0xC0, 0x00, 0x00, 0x01, 0xAA, 0xBB];

    #[test]
    fn packets_follow_each_other_by_their_length_fields() {
        let two = [PACKET, PACKET].concat();
        check(&two, 0, &[Next::Packet { offset: 0 }, Next::Packet { offset: 8 }, Next::End]);
    }

    #[test]
    fn bytes_before_each_packet_are_passed_over() {
        let prefixed = [&[1, 2, 3, 4][..], &PACKET, &[5, 6, 7, 8], &PACKET].concat();
        check(&prefixed, 4, &[Next::Packet { offset: 4 }, Next::Packet { offset: 16 }, Next::End]);
    }

    #[test]
    fn a_recording_that_ends_inside_a_packet_has_a_tail() {
        for cut in 1..PACKET.len() {
            let file = [&PACKET[..], &PACKET[..cut]].concat();
            check(&file, 0, &[Next::Packet { offset: 0 }, Next::Tail { offset: 8, bytes: cut as u64 }]);
        }
        check(&[], 0, &[Next::End]);
    }

    #[test]
    fn a_compressed_recording_is_refused() {
        let refused = Recording::open(&[0x1F, 0x8B, 0x08, 0x00][..], Path::new("a.gz"), 0).err();
        assert!(matches!(refused, Some(InspectError::RecordingGzip { .. })));
    }
}
