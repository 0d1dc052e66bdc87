//! What the product promises, from XTCE text to decoded values.

mod calibrating;
mod codings;
mod composites;
mod contexts;
mod decoding;
mod generator;
mod given;
mod hostile;
mod limits_judging;
mod limits_overlaid;
mod loading;
mod properties;
mod spans;
mod structure;
mod texts;
mod times;

use crate::{DecodedPacket, DecodedValue, Dictionary, EngineeringValue, ParameterKind};

/// A type that most dictionaries here have.
const U8: &str =
    "<IntegerParameterType name='U8'><IntegerDataEncoding sizeInBits='8'/></IntegerParameterType>";

/// A document with the types, parameters and containers given.
fn document(types: &str, parameters: &[(&str, &str)], containers: &str) -> String {
    let parameters: String = parameters
        .iter()
        .map(|(name, its_type)| format!("<Parameter name=\"{name}\" parameterTypeRef=\"{its_type}\"/>\n"))
        .collect();
    format!(
        "<SpaceSystem name=\"S\"><TelemetryMetaData>\n<ParameterTypeSet>\n{types}\n</ParameterTypeSet>\n\
         <ParameterSet>\n{parameters}</ParameterSet>\n<ContainerSet>\n{containers}\n</ContainerSet>\n\
         </TelemetryMetaData></SpaceSystem>"
    )
}

/// A dictionary whose only container has one field of `its_type`, some bits into the packet.
fn one_field(offset: usize, its_type: &str) -> Dictionary {
    let container = format!(
        "<SequenceContainer name=\"C\"><EntryList><ParameterRefEntry parameterRef=\"P\"><LocationInContainerInBits>\
         <FixedValue>{offset}</FixedValue></LocationInContainerInBits></ParameterRefEntry></EntryList>\
         </SequenceContainer>"
    );
    load(&document(its_type, &[("P", "T")], &container))
}

pub(crate) fn load(xml: &str) -> Dictionary {
    Dictionary::from_xtce("test.xml", xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
}

/// Why a document is refused.
fn refusal(xml: &str) -> String {
    match Dictionary::from_xtce("test.xml", xml) {
        Ok(_) => panic!("this was accepted:\n{xml}"),
        Err(error) => error.message,
    }
}

fn entry(parameter: &str) -> String {
    entry_with(parameter, "")
}

fn entry_with(parameter: &str, more: &str) -> String {
    format!("<ParameterRefEntry parameterRef='{parameter}'>{more}</ParameterRefEntry>")
}

fn container(name: &str, entries: &str) -> String {
    format!("<SequenceContainer name='{name}'><EntryList>{entries}</EntryList></SequenceContainer>")
}

fn derived(name: &str, base: &str, criteria: &str, entries: &str) -> String {
    let criteria = match criteria {
        "" => String::new(),
        some => format!("<RestrictionCriteria>{some}</RestrictionCriteria>"),
    };
    format!(
        "<SequenceContainer name='{name}'><EntryList>{entries}</EntryList><BaseContainer containerRef='{base}'>\
         {criteria}</BaseContainer></SequenceContainer>"
    )
}

/// What a packet decodes to: the container, `NAME=engineering` for each value, then the error if there is
/// one.
fn decoded(dictionary: &Dictionary, packet: &[u8]) -> String {
    let mut into = DecodedPacket::default();
    let outcome = dictionary.decode(packet, &mut into);
    let container = into.container.map_or("-", |index| dictionary.container(index).name.as_str());
    let mut parts = vec![container.to_owned()];
    parts.extend(into.unresolved.then(|| "unresolved".to_owned()));
    for value in &into.values {
        let parameter = dictionary.parameter(value.parameter);
        let engineering = shown(dictionary, value);
        parts.push(format!("{}={engineering}", parameter.short_name));
    }
    parts.extend(outcome.err().map(|error| format!("({error})")));
    parts.join(" ")
}

/// An engineering value as people read it.
fn shown(dictionary: &Dictionary, value: &DecodedValue<'_>) -> String {
    match (&value.engineering, &dictionary.parameter(value.parameter).kind) {
        (EngineeringValue::Binary(bytes), _) => format!("{bytes:02x?}"),
        (EngineeringValue::Boolean(true), ParameterKind::Boolean { one, .. }) => one.clone(),
        (EngineeringValue::Boolean(false), ParameterKind::Boolean { zero, .. }) => zero.clone(),
        (EngineeringValue::Float(value), _) => format!("{value:?}"),
        (EngineeringValue::Label(label), ParameterKind::Enumeration(labels)) => {
            labels[*label as usize].label.clone()
        }
        (EngineeringValue::None, _) => "?".to_owned(),
        (EngineeringValue::Signed(value), _) => value.to_string(),
        (EngineeringValue::Text(text), _) => format!("{text:?}"),
        (EngineeringValue::Time(time), _) => time.to_string(),
        (EngineeringValue::Unsigned(value), _) => value.to_string(),
        (other, kind) => panic!("{other:?} of {kind:?}"),
    }
}
