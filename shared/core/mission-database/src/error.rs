//! What can go wrong when a dictionary is loaded and when a packet is decoded.

/// Why an XTCE document was refused, and where: `demo.xml:12:7: /SpaceSystem[DEMO]/…: found this; expected
/// that`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {path}{}{message}", if path.is_empty() { "" } else { ": " })]
pub struct XtceError {
    /// What the caller called the document, usually its file name.
    pub source_name: String,
    /// Line of the element, counted from 1.
    pub line: u32,
    /// Character within that line, counted from 1.
    pub column: u32,
    /// Elements from the root to the one at fault, with their names; empty when the XML does not parse.
    pub path: String,
    /// What was found, and what was expected instead.
    pub message: String,
}

/// Why a packet was not decoded to its end; what was decoded before stays in the `DecodedPacket`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// How often something repeats is negative, broken, not a number, or more than the packet has bits.
    #[error("{parameter} would repeat {count} times")]
    CountOutOfRange {
        /// Full name of the parameter at fault.
        parameter: String,
        /// The count that came out, NaN when the other parameter has no numeric value.
        count: f64,
    },
    /// The dictionary has no container without a base to start from.
    #[error("the dictionary has no container to start from")]
    NoContainer,
    /// An entry placed relative to one of variable size would start before the packet.
    #[error("{parameter} would start {before_start_bits} bits before the packet")]
    PositionOutOfRange {
        /// Full name of the parameter at fault.
        parameter: String,
        /// How far before the first bit it would start.
        before_start_bits: usize,
    },
    /// A size taken from another parameter is negative, broken, or not a number.
    #[error("{parameter} would be {size_bits} bits long")]
    SizeOutOfRange {
        /// Full name of the parameter at fault.
        parameter: String,
        /// The size that came out, NaN when the other parameter has no numeric value.
        size_bits: f64,
    },
    /// Repeated entries have more values than the packet has bits.
    #[error("{parameter} repeats more often than the packet has bits")]
    TooManyRepeats {
        /// Full name of the parameter at fault.
        parameter: String,
    },
    /// The packet ends before the parameter does.
    #[error("packet is too short for {parameter}: it needs {needed_bits} bits, there are {available_bits}")]
    TooShort {
        /// Full name of the first parameter that does not fit.
        parameter: String,
        /// How long the packet would have to be for it.
        needed_bits: usize,
        /// How long the packet is.
        available_bits: usize,
    },
    /// The container holds an entry of a kind that is not supported yet; what stands before it is decoded.
    #[error("decoding stopped at {element}, which is not supported yet")]
    Unsupported {
        /// The element, with its line in the dictionary.
        element: String,
    },
}
