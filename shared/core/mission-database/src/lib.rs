//! XTCE dictionaries compiled to an immutable plan, and the decoder that runs it.
//!
//! The way is XTCE text → [`Dictionary`] → [`Dictionary::decode`]. Loading does everything that can be done
//! once: names are resolved, included containers are unfolded, bit positions that never move are computed,
//! comparison values are turned into numbers. What is left for each packet is a walk over flat tables,
//! without recursion and without allocating for numbers.
//!
//! Loading refuses what it would get wrong: an element that changes decoding and is not supported yet is an
//! [`XtceError`] with its place. What only describes is passed over and listed by [`Dictionary::unused`].
//!
//! Where the XTCE text leaves room we read it so:
//! - Decoding starts at the first container without a base. Of several children that match, the first in
//!   document order is taken, and there is no way back from it.
//! - A packet whose last matching container is abstract is *unresolved*; its values are kept.
//! - `containerStart` is the start of the packet, also in a derived container. Inside an included container
//!   (`ContainerRefEntry`) it is where that one starts. An included container has neither a base nor
//!   children.
//! - A name is looked for in its own system, then in each system above.
//! - A calibrated integer is a float: the polynomial is evaluated in `f64` and not rounded.
//! - An enumeration value without a label has no engineering value; it differs from every label.
//! - A comparison with an enumeration may name a label or, when no label fits, a raw number.
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
mod decode;
mod dictionary;
mod error;
mod plan;
mod text;
mod value;
mod xtce;

pub use dictionary::{
    Container, ContainerIndex, Dictionary, EnumerationLabel, Parameter, ParameterIndex, ParameterKind, Unused,
};
pub use error::{DecodeError, XtceError};
pub use value::{DecodedPacket, DecodedValue, EngineeringValue, RawValue};

#[cfg(test)]
mod tests;
