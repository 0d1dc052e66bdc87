//! XTCE dictionaries compiled to an immutable plan, and the decoder that runs it.
//!
//! The way is XTCE text → [`Dictionary`] → [`Dictionary::decode`]. Loading does everything that can be done
//! once: names are resolved, included containers are unfolded, bit positions that never move are computed,
//! comparison values are turned into numbers. What is left for each packet is a walk over flat tables,
//! without recursion and without allocating for numbers.
//!
//! Loading refuses what it would get wrong: an element that changes decoding and is not supported is an
//! [`XtceError`] with its place. What only describes is passed over and listed by [`Dictionary::unused`]; what
//! loads and is probably not meant so is listed by [`Dictionary::warnings`]. An entry of a kind that is not
//! supported yet does not keep a dictionary from loading: packets are decoded up to it, and say so.
//!
//! Every value has its raw and its engineering reading, a [`Validity`] and a [`MonitoringResult`]. An invalid value
//! is kept and never judged against limits. Limits come from the document or, in their place, from an overlay
//! ([`LimitsOverlay`], [`Dictionary::with_limits`]).
//!
//! An aggregate or an array is a [`Composite`]: its leaves are parameters (`/SYSTEM/ATTITUDE/rate/x`), and an
//! array's elements are so many values of one leaf. [`DecodedPacket::composites`] says which values belong together.
//!
//! Where the XTCE text leaves room we read it so:
//! - Decoding starts at the first container without a base. Of several children that match, the first in
//!   document order is taken, and there is no way back from it.
//! - A packet whose last matching container is abstract is *unresolved*; its values are kept.
//! - `containerStart` is the start of the packet, also in a derived container. Inside an included container
//!   (`ContainerRefEntry`) it is where that one starts. An included container brings what its bases hold; what
//!   derives from it is not looked for.
//! - A name is looked for in its own system, then in each system above.
//! - A calibrated integer is a float: calibrators are evaluated in `f64` and not rounded.
//! - Of context calibrators and context alarms the first that matches counts, the default one when none does. A
//!   context alarm replaces the default as a whole. Contexts look at the same packet; a value that is not in it
//!   matches nothing. In its own calibrator a parameter is compared by its raw value.
//! - A raw value outside the points of a spline that is not extrapolated has no engineering value.
//! - An enumeration value without a label has no engineering value; it differs from every label.
//! - A comparison with an enumeration may name a label or, when no label fits, a raw number.
//! - A length in front of a text (`LeadingSize`) counts bytes.
//! - TAI, GPS and J2000 counters run through leap seconds; those from UNIX or a calendar date do not.
//! - Bits left over at the end of a packet are no error.
//!
//! ```
//! use mission_database::{DecodedPacket, Dictionary, EngineeringValue};
//!
//! let dictionary = Dictionary::from_xtce("demo.xml", r#"
//!   <SpaceSystem name="DEMO"><TelemetryMetaData>
//!     <ParameterTypeSet>
//!       <IntegerParameterType name="Volts_Type"><IntegerDataEncoding sizeInBits="12"/></IntegerParameterType>
//!     </ParameterTypeSet>
//!     <ParameterSet><Parameter name="VOLTS" parameterTypeRef="Volts_Type"/></ParameterSet>
//!     <ContainerSet>
//!       <SequenceContainer name="HK"><EntryList><ParameterRefEntry parameterRef="VOLTS"/></EntryList></SequenceContainer>
//!     </ContainerSet>
//!   </TelemetryMetaData></SpaceSystem>"#)?;
//! let mut packet = DecodedPacket::default();
//! dictionary.decode(&[0x12, 0x34], &mut packet)?;
//! assert_eq!(packet.values[0].engineering, EngineeringValue::Unsigned(0x123));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod calibration;
mod condition;
mod decode;
mod described;
mod dictionary;
mod engineering;
mod error;
mod given;
mod history;
mod layout;
mod limits;
mod monitoring;
mod operand;
mod overlay;
mod plan;
mod text;
mod times;
mod value;
mod xtce;

pub use calibration::{Derivation, DerivationPoints};
pub use described::{DescribedContext, DescribedLevels, DescribedLimits};
pub use dictionary::{
    Census, Composite, CompositeIndex, Container, ContainerIndex, Dictionary, EnumerationLabel, Parameter,
    ParameterIndex, ParameterKind, Shape, Unused, Warning,
};
pub use error::{DecodeError, XtceError};
pub use given::{GivenValue, UnfitValue};
pub use history::{DictionaryVersion, LimitsVersion, MissionDatabase, Reading, VersionNumber};
pub use layout::{LayoutEntry, LayoutItem, LayoutStart};
pub use limits::{
    AlarmRule, AllowedRange, Bound, BoundMeaning, ContextTerm, EffectiveSpan, LimitsError, LimitsOverlay,
    ParameterLimits, TermOperator,
};
pub use value::{
    BitSpan, DecodedComposite, DecodedPacket, DecodedValue, EngineeringValue, MonitoringResult, RawValue,
    Validity,
};

#[cfg(test)]
mod tests;
