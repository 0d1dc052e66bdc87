//! The dictionary as its readers see it: parameters, containers, and decoding.

use serde::{Deserialize, Serialize};

use std::sync::Arc;

use crate::condition::{Register, Scope};
use crate::monitoring::Judging;
use crate::operand::RawKind;
use crate::plan::{LoneFields, Plan};
use crate::{
    AlarmRule, BitSpan, DecodeError, DecodedPacket, DecodedValue, LimitsError, MonitoringResult,
    ParameterLimits, Validity, XtceError, decode, overlay, xtce,
};

/// An XTCE document compiled for decoding. It never changes, and a clone shares everything with it.
#[derive(Clone, Debug)]
pub struct Dictionary {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) judging: Arc<Judging>,
}

/// What a document compiles to.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) composites: Vec<Composite>,
    /// Parameter indices in the order of their names.
    pub(crate) by_name: Vec<ParameterIndex>,
    /// Parameter indices in the order of their short names.
    pub(crate) by_short_name: Vec<ParameterIndex>,
    /// What the encoding of each parameter gives.
    pub(crate) raw_kinds: Vec<Option<RawKind>>,
    /// How each parameter is read and converted, wherever it stands.
    pub(crate) lone_fields: LoneFields,
    pub(crate) containers: Vec<Container>,
    pub(crate) unused: Vec<Unused>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) census: Census,
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
    /// A moment.
    Time,
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
    /// The container it derives from.
    pub base: Option<ContainerIndex>,
    /// Bits of its entries and those of its bases, where none of them varies.
    pub fixed_bits: Option<u32>,
    /// The short description, or the long one where there is no short one.
    pub description: Option<String>,
}

/// A parameter of a composite type: its place in `Dictionary::composites`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CompositeIndex(pub u32);

/// A parameter whose type is an aggregate or an array. Its leaves are parameters of their own, which is what is
/// decoded, kept and plotted: `/System/ATTITUDE/rate/x`. An array's elements are so many values of one leaf.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Composite {
    /// Full name: `/System/Subsystem/NAME`.
    pub name: String,
    /// Its last part.
    pub short_name: String,
    /// How its leaves make it up.
    pub shape: Shape,
}

/// How values make up a parameter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Shape {
    /// Members in their order, with their names.
    Aggregate(Vec<(String, Shape)>),
    /// Elements of one shape, as many as the packet says; a second dimension is an array in an array.
    Array(Box<Shape>),
    /// One value of a leaf.
    Leaf(ParameterIndex),
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

/// Something that loads and is probably not what its author meant.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Warning {
    /// What was found, and what follows from it.
    pub message: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Character within that line, counted from 1.
    pub column: u32,
}

/// What a document declares for telemetry, counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Census {
    /// `SpaceSystem` elements.
    pub space_systems: usize,
    /// Types of parameters.
    pub parameter_types: usize,
    /// Parameters, aggregates and arrays counted once.
    pub parameters: usize,
    /// Containers.
    pub containers: usize,
    /// Entries of all containers.
    pub entries: usize,
}

impl Dictionary {
    /// Compiles an XTCE document; `source_name` is what errors call it.
    pub fn from_xtce(source_name: &str, xml: &str) -> Result<Dictionary, XtceError> {
        xtce::load(source_name, xml)
    }

    /// Name of the root `SpaceSystem`.
    pub fn name(&self) -> &str {
        &self.compiled.name
    }

    /// Version in the root's `Header`.
    pub fn version(&self) -> Option<&str> {
        self.compiled.version.as_deref()
    }

    /// All parameters, in document order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.compiled.parameters
    }

    /// One parameter; the index must come from this dictionary.
    pub fn parameter(&self, index: ParameterIndex) -> &Parameter {
        &self.compiled.parameters[index.0 as usize]
    }

    /// All parameters of composite types, in document order.
    pub fn composites(&self) -> &[Composite] {
        &self.compiled.composites
    }

    /// One composite; the index must come from this dictionary.
    pub fn composite(&self, index: CompositeIndex) -> &Composite {
        &self.compiled.composites[index.0 as usize]
    }

    /// The parameter with a full name: `/System/Subsystem/NAME`.
    pub fn find(&self, qualified_name: &str) -> Option<ParameterIndex> {
        let found = self
            .compiled
            .by_name
            .binary_search_by(|index| self.parameter(*index).name.as_str().cmp(qualified_name));
        found.ok().map(|place| self.compiled.by_name[place])
    }

    /// The parameters with a short name: the last part of their full names.
    pub fn find_short(&self, short_name: &str) -> &[ParameterIndex] {
        let all = &self.compiled.by_short_name;
        let name = |index: &ParameterIndex| self.parameter(*index).short_name.as_str();
        let first = all.partition_point(|index| name(index) < short_name);
        let after = all.partition_point(|index| name(index) <= short_name);
        &all[first..after]
    }

    /// Up to `count` parameters on both sides of the place that a full name has, or would have, in alphabetical order.
    pub fn around(&self, qualified_name: &str, count: usize) -> &[ParameterIndex] {
        let all = &self.compiled.by_name;
        let place = all.partition_point(|index| self.parameter(*index).name.as_str() < qualified_name);
        &all[place.saturating_sub(count)..all.len().min(place + count)]
    }

    /// The same of short names.
    pub fn around_short(&self, short_name: &str, count: usize) -> &[ParameterIndex] {
        let all = &self.compiled.by_short_name;
        let place = all.partition_point(|index| self.parameter(*index).short_name.as_str() < short_name);
        &all[place.saturating_sub(count)..all.len().min(place + count)]
    }

    /// Whether a full or a short name means a parameter here.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some() || !self.find_short(name).is_empty()
    }

    /// All containers, in document order.
    pub fn containers(&self) -> &[Container] {
        &self.compiled.containers
    }

    /// One container; the index must come from this dictionary.
    pub fn container(&self, index: ContainerIndex) -> &Container {
        &self.compiled.containers[index.0 as usize]
    }

    /// The label of an enumeration for a raw value.
    pub fn label(&self, p: ParameterIndex, raw: i64) -> Option<&str> {
        let ParameterKind::Enumeration(labels) = &self.parameter(p).kind else { return None };
        labels.iter().find(|label| label.first <= raw && raw <= label.last).map(|label| label.label.as_str())
    }

    /// Whether the first container without a base says that its packets end in a CRC-16 (`BinaryEncoding`,
    /// `ErrorDetectCorrect`). Decoding does not check it: who has the packet does, before.
    pub fn has_error_control(&self) -> bool {
        self.compiled.plan.has_error_control
    }

    /// What the document declares.
    pub fn census(&self) -> Census {
        self.compiled.census
    }

    /// What loads and is probably not what was meant, in document order.
    pub fn warnings(&self) -> &[Warning] {
        &self.compiled.warnings
    }

    /// What the document holds and decoding does not use, in document order.
    pub fn unused(&self) -> &[Unused] {
        &self.compiled.unused
    }

    /// The same dictionary, judging by these limits: a parameter that has a row keeps none of the limits that the
    /// document gives it. The rows of one parameter are tried in their order; the first whose context holds counts.
    /// Whether they are in force now is for the caller to know.
    pub fn with_limits(&self, limits: &[&ParameterLimits]) -> Result<Dictionary, LimitsError> {
        let judging = overlay::apply(self, limits)?;
        Ok(Dictionary { compiled: Arc::clone(&self.compiled), judging: Arc::new(judging) })
    }

    /// What must happen before a violation of this parameter's limits is raised; `None` when it has no limits.
    pub fn alarm_rule(&self, parameter: ParameterIndex) -> Option<AlarmRule> {
        let watch = self.judging.watches[parameter.0 as usize];
        self.judging.monitors.get(watch.monitor as usize).map(|monitor| monitor.rule)
    }

    /// How a value of a decoded packet would stand to its limits if every allowed range were narrower by `margin`
    /// on both sides: what a value must satisfy before a violation counts as over.
    pub fn monitoring_within(
        &self,
        values: &[DecodedValue<'_>],
        index: usize,
        margin: f64,
    ) -> MonitoringResult {
        let registers = self.registers(&values[..=index]);
        let scope = Scope { values, registers: &registers, own: None };
        self.monitoring(&values[index], margin, &scope)
    }

    /// The limit that a number of a parameter breaks, in its unit; `None` where it breaks none. `beside` are the values
    /// of its packet up to it, which may be a limit's context; empty for what came without a packet.
    pub fn broken_limit(
        &self,
        parameter: ParameterIndex,
        number: f64,
        beside: &[DecodedValue<'_>],
    ) -> Option<f64> {
        let registers = self.registers(beside);
        let scope = Scope { values: beside, registers: &registers, own: None };
        self.judging.broken(self.judging.watches[parameter.0 as usize], number, &scope)
    }

    /// Where the values are that contexts ask for.
    fn registers(&self, values: &[DecodedValue<'_>]) -> Vec<u32> {
        let mut registers = vec![Register::EMPTY; usize::from(self.judging.registers)];
        for (place, value) in values.iter().enumerate() {
            let register = self.judging.watches[value.parameter.0 as usize].register;
            if register != Register::NONE {
                registers[usize::from(register.0)] = place as u32;
            }
        }
        registers
    }

    pub(crate) fn monitoring(
        &self,
        value: &DecodedValue<'_>,
        margin: f64,
        scope: &Scope<'_, '_>,
    ) -> MonitoringResult {
        // What is no measurement is neither in nor out of limits.
        if value.validity != Validity::Valid {
            return MonitoringResult::NotMonitored;
        }
        let watch = self.judging.watches[value.parameter.0 as usize];
        self.judging.judge(watch, &value.engineering, margin, scope)
    }

    /// As [`Dictionary::decode`], beginning with another container than the first one without a base.
    pub fn decode_as<'p>(
        &self,
        container: ContainerIndex,
        packet: &'p [u8],
        into: &mut DecodedPacket<'p>,
    ) -> Result<(), DecodeError> {
        decode::decode(self, Some(container), packet, into)
    }

    /// Decodes a packet from its first byte, the primary header included. `into` is cleared first and its
    /// memory used again; after an error it holds what was decoded up to there.
    pub fn decode<'p>(&self, packet: &'p [u8], into: &mut DecodedPacket<'p>) -> Result<(), DecodeError> {
        decode::decode(self, None, packet, into)
    }

    /// Where the values of a packet stand: one place for each value that [`Dictionary::decode`] gives of it, in the
    /// same order. It decodes the packet once more, for somebody who looks at one.
    pub fn bit_spans(&self, packet: &[u8]) -> Vec<BitSpan> {
        decode::bit_spans(self, packet)
    }
}
