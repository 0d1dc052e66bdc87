//! What the product promises, from XTCE text to decoded values.

mod decoding;
mod flight;
mod loading;
mod properties;

use crate::{DecodedPacket, Dictionary, EngineeringValue, ParameterKind};

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

fn load(xml: &str) -> Dictionary {
    Dictionary::from_xtce("test.xml", xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
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
        let engineering = match (&value.engineering, &parameter.kind) {
            (EngineeringValue::Binary(bytes), _) => format!("{bytes:02x?}"),
            (EngineeringValue::Boolean(value), ParameterKind::Boolean { zero, one }) => {
                if *value {
                    one.clone()
                } else {
                    zero.clone()
                }
            }
            (EngineeringValue::Float(value), _) => format!("{value:?}"),
            (EngineeringValue::Label(label), ParameterKind::Enumeration(labels)) => {
                labels[*label as usize].label.clone()
            }
            (EngineeringValue::None, _) => "?".to_owned(),
            (EngineeringValue::Signed(value), _) => value.to_string(),
            (EngineeringValue::Text(text), _) => format!("{text:?}"),
            (EngineeringValue::Unsigned(value), _) => value.to_string(),
            (other, kind) => panic!("{other:?} of {kind:?}"),
        };
        parts.push(format!("{}={engineering}", parameter.short_name));
    }
    parts.extend(outcome.err().map(|error| format!("({error})")));
    parts.join(" ")
}
