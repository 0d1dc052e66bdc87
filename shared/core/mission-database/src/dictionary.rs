//! The dictionary as its readers see it: parameters, containers, and decoding.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::{DecodeError, DecodedPacket, XtceError, decode, xtce};

/// An XTCE document compiled for decoding. It never changes: share it in an `Arc`.
#[derive(Debug)]
pub struct Dictionary {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    /// Parameter indices in the order of their names.
    pub(crate) by_name: Vec<ParameterIndex>,
    pub(crate) containers: Vec<Container>,
    pub(crate) unused: Vec<Unused>,
    pub(crate) plan: Plan,
}

/// A parameter of one dictionary: its place in `Dictionary::parameters`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ParameterIndex(pub u32);

/// A container of one dictionary: its place in `Dictionary::containers`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ContainerIndex(pub u32);

/// What the dictionary says about a parameter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Parameter {
    /// Full name: `/System/Subsystem/NAME`.
    pub name: String,
    /// Its last part, as displays show it.
    pub short_name: String,
    /// The short description, or the long one where there is no short one.
    pub description: Option<String>,
    /// Unit of the engineering value, as the dictionary writes it.
    pub unit: Option<String>,
    /// What its engineering values are.
    pub kind: ParameterKind,
    /// Whether the engineering value is another number than the raw one, by a calibrator or by being a float.
    pub calibrated: bool,
}

/// What the engineering values of a parameter are.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ParameterKind {
    /// Bytes without meaning to us.
    Binary,
    /// True or false, with the mission's words for both.
    Boolean {
        /// The word for false.
        zero: String,
        /// The word for true.
        one: String,
    },
    /// One of some labels, in document order.
    Enumeration(Vec<EnumerationLabel>),
    /// A number with a fraction, or a calibrated integer.
    Float,
    /// A whole number, signed or unsigned by its encoding.
    Integer,
    /// Text.
    String,
}

/// A label and the raw values that have it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct EnumerationLabel {
    /// The lowest raw value with this label.
    pub first: i64,
    /// The highest raw value with this label, itself included.
    pub last: i64,
    /// What is shown.
    pub label: String,
}

/// A kind of packet, or a part that several kinds share.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Container {
    /// Full name: `/System/Subsystem/NAME`.
    pub name: String,
    /// Whether a packet that ends here is of no known kind.
    pub is_abstract: bool,
    /// The short description, or the long one where there is no short one.
    pub description: Option<String>,
}

/// An element that was passed over because decoding does not need it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unused {
    /// Its name without a namespace.
    pub element: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Character within that line, counted from 1.
    pub column: u32,
}

impl Dictionary {
    /// Compiles an XTCE document; `source_name` is what errors call it.
    pub fn from_xtce(source_name: &str, xml: &str) -> Result<Dictionary, XtceError> {
        xtce::load(source_name, xml)
    }

    /// Name of the root `SpaceSystem`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version in the root's `Header`.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// All parameters, in document order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// One parameter; the index must come from this dictionary.
    pub fn parameter(&self, index: ParameterIndex) -> &Parameter {
        &self.parameters[index.0 as usize]
    }

    /// The parameter with a full name: `/System/Subsystem/NAME`.
    pub fn find(&self, qualified_name: &str) -> Option<ParameterIndex> {
        let found =
            self.by_name.binary_search_by(|index| self.parameter(*index).name.as_str().cmp(qualified_name));
        found.ok().map(|place| self.by_name[place])
    }

    /// All containers, in document order.
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// One container; the index must come from this dictionary.
    pub fn container(&self, index: ContainerIndex) -> &Container {
        &self.containers[index.0 as usize]
    }

    /// The label of an enumeration for a raw value.
    pub fn label(&self, p: ParameterIndex, raw: i64) -> Option<&str> {
        let ParameterKind::Enumeration(labels) = &self.parameter(p).kind else { return None };
        labels.iter().find(|label| label.first <= raw && raw <= label.last).map(|label| label.label.as_str())
    }

    /// What the document holds and decoding does not use, in document order.
    pub fn unused(&self) -> &[Unused] {
        &self.unused
    }

    /// Decodes a packet from its first byte, the primary header included. `into` is cleared first and its
    /// memory used again; after an error it holds what was decoded up to there.
    pub fn decode<'p>(&self, packet: &'p [u8], into: &mut DecodedPacket<'p>) -> Result<(), DecodeError> {
        decode::decode(self, packet, into)
    }
}
