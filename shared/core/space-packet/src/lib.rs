//! CCSDS space packets (133.0-B-2): primary header, framing of byte streams, continuity, groups of segments,
//! error control, and the time codes (301.0-B-4) that packets carry.
//!
//! Pure: no clock, socket or file. Sizes are bounded by the standard: a packet has 7 to 65,542 bytes.

mod continuity;
pub mod crc;
mod framing;
mod grouping;
mod header;
pub mod time;

pub use continuity::{Continuity, ContinuityCounts, ContinuityTracker, Withdrawn};
pub use framing::{PacketFramer, Rejection, RejectionCause};
pub use grouping::{Cut, Group, GroupLimits, Hole, Missing, Reassembler, Segment};
pub use header::{
    Apid, ApidOutOfRange, HeaderError, PacketBuildError, PacketType, PrimaryHeader, SequenceCount,
    SequenceCountOutOfRange, SequenceFlags, build_packet,
};
pub use time::{GenerationTime, MomentParseError, ReceptionTime, TaiTime, UtcTime, parse_moment};

/// Bytes of the primary header.
pub const PRIMARY_HEADER_BYTES: usize = 6;
/// Bytes of the smallest packet: the header and one byte of data (4.1.4.1.2).
pub const PACKET_BYTES_MIN: usize = PRIMARY_HEADER_BYTES + 1;
/// Bytes of the largest packet: the header and 65,536 bytes of data.
pub const PACKET_BYTES_MAX: usize = PRIMARY_HEADER_BYTES + 65_536;
