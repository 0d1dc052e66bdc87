//! Parameter types: kind, unit, and how a field of the type is read and converted.

use roxmltree::Node;

use super::declarations::{Declarations, Declared};
use super::document::{Source, elements, local};
use super::encodings::{self, Encoding};
use crate::plan::{Conversion, EnumerationTable, Field, Plan, Read};
use crate::{EnumerationLabel, ParameterKind, XtceError};

/// What all parameters of a type share.
pub(super) struct CompiledType {
    pub(super) kind: ParameterKind,
    pub(super) unit: Option<String>,
    pub(super) is_calibrated: bool,
    /// Absent when the type has no encoding: its parameters can stand in no packet.
    pub(super) field: Option<Field>,
}

/// Children of a type that say nothing about decoding.
const HARMLESS: [&str; 8] = [
    "AliasSet",
    "AncillaryDataSet",
    "ContextAlarmList",
    "DefaultAlarm",
    "SizeRangeInCharacters",
    "ToString",
    "ValidRange",
    "ValidRangeSet",
];

const SUPPORTED_TYPES: &str = "Binary-, Boolean-, Enumerated-, Float-, Integer- or StringParameterType";

pub(super) fn compile(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    plan: &mut Plan,
) -> Result<Vec<CompiledType>, XtceError> {
    let types = declarations.types.all.iter();
    types.map(|declared| compile_type(source, declarations, declared, plan)).collect()
}

fn compile_type(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    declared: &Declared<'_, '_>,
    plan: &mut Plan,
) -> Result<CompiledType, XtceError> {
    let node = declared.node;
    if let Some(base) = node.attribute("baseType") {
        let message = format!("baseType=\"{base}\" is not supported yet; expected a type that stands alone");
        return Err(source.error(node, message));
    }
    let kind = kind(source, node)?;
    let (mut unit, mut encoding) = (None, None);
    for child in elements(node) {
        match local(child) {
            "EnumerationList" if matches!(kind, ParameterKind::Enumeration(_)) => {}
            "UnitSet" => unit = unit_text(child),
            name if name.ends_with("DataEncoding") => {
                if encoding.is_some() {
                    return Err(source.error(child, "a second encoding was found; expected one"));
                }
                encoding = Some((child, encodings::compile(source, declarations, declared, child, plan)?));
            }
            _ => source.pass_over_if(child, &HARMLESS, "UnitSet or a data encoding")?,
        }
    }
    let Some((encoding_node, encoding)) = encoding else {
        return Ok(CompiledType { kind, unit, is_calibrated: false, field: None });
    };
    let conversion = conversion(&kind, &encoding, plan).ok_or_else(|| {
        let what = if encoding.polynomial.is_some() { "with a calibrator " } else { "" };
        let message = format!(
            "{} {what}in {} is not supported yet; expected {}",
            local(encoding_node),
            local(node),
            expected_encoding(&kind)
        );
        source.error(encoding_node, message)
    })?;
    // A calibrated integer has a fraction: rounding it away would lose what was measured.
    let kind = match (kind, conversion) {
        (ParameterKind::Integer, Conversion::Polynomial { .. }) => ParameterKind::Float,
        (kind, _) => kind,
    };
    let is_calibrated = matches!(conversion, Conversion::Float | Conversion::Polynomial { .. });
    Ok(CompiledType { kind, unit, is_calibrated, field: Some(Field { read: encoding.read, conversion }) })
}

fn kind(source: &Source<'_>, node: Node<'_, '_>) -> Result<ParameterKind, XtceError> {
    match local(node) {
        "BinaryParameterType" => Ok(ParameterKind::Binary),
        "BooleanParameterType" => Ok(ParameterKind::Boolean {
            zero: node.attribute("zeroStringValue").unwrap_or("False").to_owned(),
            one: node.attribute("oneStringValue").unwrap_or("True").to_owned(),
        }),
        "EnumeratedParameterType" => Ok(ParameterKind::Enumeration(labels(source, node)?)),
        "FloatParameterType" => Ok(ParameterKind::Float),
        "IntegerParameterType" => Ok(ParameterKind::Integer),
        "StringParameterType" => Ok(ParameterKind::String),
        _ => Err(source.unsupported(node, SUPPORTED_TYPES)),
    }
}

/// `None` when the type cannot have this encoding.
fn conversion(kind: &ParameterKind, encoding: &Encoding, plan: &mut Plan) -> Option<Conversion> {
    match (kind, encoding.read, encoding.polynomial) {
        (ParameterKind::Binary, Read::Binary { .. }, None) => Some(Conversion::Same),
        (ParameterKind::Boolean { .. }, Read::Integer { .. }, None) => Some(Conversion::Boolean),
        (ParameterKind::Enumeration(labels), Read::Integer { .. }, None) => {
            plan.enumerations.push(EnumerationTable::new(labels));
            Some(Conversion::Enumeration(plan.enumerations.len() - 1))
        }
        (ParameterKind::Float, Read::Integer { .. }, None) => Some(Conversion::Float),
        (ParameterKind::Float, Read::Float { .. }, None) => Some(Conversion::Same),
        (ParameterKind::Float, Read::Float { .. } | Read::Integer { .. }, Some(polynomial)) => {
            Some(polynomial)
        }
        (ParameterKind::Integer, Read::Integer { .. }, polynomial) => {
            Some(polynomial.unwrap_or(Conversion::Same))
        }
        (ParameterKind::String, Read::Text { .. }, None) => Some(Conversion::Same),
        _ => None,
    }
}

fn expected_encoding(kind: &ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Binary => "BinaryDataEncoding",
        ParameterKind::Boolean { .. } | ParameterKind::Enumeration(_) => {
            "IntegerDataEncoding without a calibrator"
        }
        ParameterKind::Float => "FloatDataEncoding or IntegerDataEncoding",
        ParameterKind::Integer => "IntegerDataEncoding",
        ParameterKind::String => "StringDataEncoding",
    }
}

fn labels(source: &Source<'_>, node: Node<'_, '_>) -> Result<Vec<EnumerationLabel>, XtceError> {
    let lists = elements(node).filter(|child| local(*child) == "EnumerationList");
    let mut labels = Vec::new();
    for child in lists.flat_map(elements) {
        if local(child) != "Enumeration" {
            source.pass_over_if(child, &[], "Enumeration")?;
            continue;
        }
        let first = source.required_attribute(child, "value", "a whole number")?;
        let last = source.attribute(child, "maxValue", "a whole number")?.unwrap_or(first);
        if last < first {
            let message = format!("maxValue=\"{last}\" was found; expected at least value=\"{first}\"");
            return Err(source.error(child, message));
        }
        let label = source.required(child, "label")?.to_owned();
        labels.push(EnumerationLabel { first, last, label });
    }
    Ok(labels)
}

/// Units as they are written, several with a space between, powers as in `s^2`.
fn unit_text(node: Node<'_, '_>) -> Option<String> {
    let unit = |unit: Node<'_, '_>| {
        let text = unit.text().map(str::trim).filter(|text| !text.is_empty())?;
        match unit.attribute("power") {
            None | Some("1" | "1.0") => Some(text.to_owned()),
            Some(power) => Some(format!("{text}^{power}")),
        }
    };
    let units: Vec<_> = elements(node).filter(|child| local(*child) == "Unit").filter_map(unit).collect();
    (!units.is_empty()).then(|| units.join(" "))
}
