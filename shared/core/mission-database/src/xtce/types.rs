//! Parameter types as they are written: what kind of value, made up of what. Nothing that refers to a parameter is
//! read yet, because parameters get their kinds from here.

use std::collections::HashSet;

use roxmltree::Node;

use super::DEPTH_MAX;
use super::declarations::{Declarations, checked_name};
use super::document::{Source, elements, local};
use crate::{EnumerationLabel, ParameterKind, XtceError};

/// What all parameters of a type share.
pub(super) enum WrittenType<'a, 'i> {
    /// Names of members and their types, by index.
    Aggregate(Vec<(&'a str, usize)>),
    Array {
        element: usize,
        dimensions: Option<Node<'a, 'i>>,
    },
    Scalar(Box<Scalar<'a, 'i>>),
}

/// A type that one value has.
pub(super) struct Scalar<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    pub(super) system: String,
    pub(super) kind: ParameterKind,
    pub(super) unit: Option<String>,
    /// Absent when the type has no encoding: its parameters can stand in no packet.
    pub(super) encoding: Option<Node<'a, 'i>>,
    /// `Encoding` and `ReferenceTime` of an absolute time.
    pub(super) time: Option<WrittenTime<'a, 'i>>,
    pub(super) default_alarm: Option<Node<'a, 'i>>,
    pub(super) context_alarms: Option<Node<'a, 'i>>,
    pub(super) valid_range: Option<Node<'a, 'i>>,
}

pub(super) struct WrittenTime<'a, 'i> {
    pub(super) encoding: Option<Node<'a, 'i>>,
    pub(super) reference: Option<Node<'a, 'i>>,
}

/// Children of a type that say nothing about decoding.
const HARMLESS: [&str; 6] =
    ["AliasSet", "AncillaryDataSet", "SizeRangeInCharacters", "ToString", "ValidRangeSet", "BinaryAlarm"];
/// Children that are read elsewhere.
const READ: [&str; 8] = [
    "ContextAlarmList",
    "DefaultAlarm",
    "DimensionList",
    "Encoding",
    "EnumerationList",
    "MemberList",
    "ReferenceTime",
    "UnitSet",
];

const SUPPORTED: &str = "AbsoluteTime-, Aggregate-, Array-, Binary-, Boolean-, Enumerated-, Float-, Integer-, \
                         RelativeTime- or StringParameterType";

pub(super) fn read<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
) -> Result<Vec<WrittenType<'a, 'i>>, XtceError> {
    let types: Result<Vec<_>, _> =
        (0..declarations.types.all.len()).map(|index| read_one(source, declarations, index)).collect();
    let types = types?;
    refuse_cycles(source, declarations, &types)?;
    Ok(types)
}

fn read_one<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    index: usize,
) -> Result<WrittenType<'a, 'i>, XtceError> {
    let declared = &declarations.types.all[index];
    let (node, system) = (declared.node, declared.system.as_str());
    match local(node) {
        "AggregateParameterType" => {
            let lists = elements(node).filter(|child| local(*child) == "MemberList").flat_map(elements);
            let members = lists.filter(|child| local(*child) == "Member").map(|member| {
                let its_type = declarations.types.resolve(source, member, "typeRef", system)?;
                Ok((checked_name(source, member)?, its_type))
            });
            let members: Vec<_> = members.collect::<Result<_, XtceError>>()?;
            let mut names = HashSet::new();
            if let Some((name, _)) = members.iter().find(|(name, _)| !names.insert(*name)) {
                let message = format!("member \"{name}\" means two parameters; expected a name of its own");
                return Err(source.error(node, message));
            }
            Ok(WrittenType::Aggregate(members))
        }
        "ArrayParameterType" => {
            let element = declarations.types.resolve(source, node, "arrayTypeRef", system)?;
            let dimensions = elements(node).find(|child| local(*child) == "DimensionList");
            Ok(WrittenType::Array { element, dimensions })
        }
        _ => Ok(WrittenType::Scalar(Box::new(scalar(source, declarations, index)?))),
    }
}

/// A type and those it is based on, the most derived first: each gives what those before it leave out.
fn inherited<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    index: usize,
) -> Result<Vec<Node<'a, 'i>>, XtceError> {
    let mut chain = vec![index];
    loop {
        let current = &declarations.types.all[chain[chain.len() - 1]];
        if current.node.attribute("baseType").is_none() {
            return Ok(chain.iter().map(|index| declarations.types.all[*index].node).collect());
        }
        let base = declarations.types.resolve(source, current.node, "baseType", &current.system)?;
        if let Some(start) = chain.iter().position(|earlier| *earlier == base) {
            let names =
                chain[start..].iter().chain([&base]).map(|index| declarations.types.all[*index].path());
            let names = names.collect::<Vec<_>>().join(" -> ");
            let message = format!("types are based on each other: {names}; expected a base that ends");
            return Err(source.error(current.node, message));
        }
        if chain.len() >= DEPTH_MAX {
            let message =
                format!("types are based on each other too deep; expected at most {DEPTH_MAX} levels");
            return Err(source.error(current.node, message));
        }
        chain.push(base);
    }
}

fn scalar<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    index: usize,
) -> Result<Scalar<'a, 'i>, XtceError> {
    let declared = &declarations.types.all[index];
    let chain = inherited(source, declarations, index)?;
    let child =
        |wanted: &str| chain.iter().flat_map(|node| elements(*node)).find(|child| local(*child) == wanted);
    let encoding = {
        let own = |node: &Node<'a, 'i>| encoding_of(source, *node);
        let found: Result<Vec<_>, _> = chain.iter().map(own).collect();
        found?.into_iter().flatten().next()
    };
    for node in elements(declared.node) {
        let name = local(node);
        if !READ.contains(&name) && !name.ends_with("DataEncoding") && name != "ValidRange" {
            source.pass_over_if(node, &HARMLESS, "UnitSet or a data encoding")?;
        }
    }
    let is_time = local(declared.node) == "AbsoluteTimeParameterType";
    let is_duration = local(declared.node) == "RelativeTimeParameterType";
    let time = (is_time || is_duration)
        .then(|| WrittenTime { encoding: child("Encoding"), reference: child("ReferenceTime") });
    let encoding = match &time {
        Some(time) => time.encoding.map(|node| encoding_of(source, node)).transpose()?.flatten(),
        None => encoding,
    };
    let units = chain.iter().flat_map(|node| elements(*node)).filter(|child| local(*child) == "UnitSet");
    let unit = units.filter_map(unit_text).next().or_else(|| is_duration.then(|| "s".to_owned()));
    Ok(Scalar {
        node: declared.node,
        system: declared.system.clone(),
        kind: kind(source, &chain, encoding)?,
        unit,
        encoding,
        time,
        default_alarm: child("DefaultAlarm"),
        context_alarms: child("ContextAlarmList"),
        valid_range: child("ValidRange"),
    })
}

/// The one encoding among the children of a type.
fn encoding_of<'a, 'i>(source: &Source<'_>, node: Node<'a, 'i>) -> Result<Option<Node<'a, 'i>>, XtceError> {
    let mut encodings = elements(node).filter(|child| local(*child).ends_with("DataEncoding"));
    let found = encodings.next();
    match encodings.next() {
        Some(second) => Err(source.error(second, "a second encoding was found; expected one")),
        None => Ok(found),
    }
}

fn kind(
    source: &Source<'_>,
    chain: &[Node<'_, '_>],
    encoding: Option<Node<'_, '_>>,
) -> Result<ParameterKind, XtceError> {
    let attribute = |name| chain.iter().find_map(|node| node.attribute(name));
    Ok(match local(chain[0]) {
        "AbsoluteTimeParameterType" => ParameterKind::Time,
        "BinaryParameterType" => ParameterKind::Binary,
        "BooleanParameterType" => ParameterKind::Boolean {
            zero: attribute("zeroStringValue").unwrap_or("False").to_owned(),
            one: attribute("oneStringValue").unwrap_or("True").to_owned(),
        },
        "EnumeratedParameterType" => {
            let lists = chain.iter().flat_map(|node| elements(*node));
            let list = lists.into_iter().find(|child| local(*child) == "EnumerationList");
            ParameterKind::Enumeration(list.map_or(Ok(Vec::new()), |list| labels(source, list))?)
        }
        "FloatParameterType" | "RelativeTimeParameterType" => ParameterKind::Float,
        // A calibrated integer has a fraction: rounding it away would lose what was measured.
        "IntegerParameterType" if encoding.is_some_and(has_fraction) => ParameterKind::Float,
        "IntegerParameterType" => ParameterKind::Integer,
        "StringParameterType" => ParameterKind::String,
        _ => return Err(source.unsupported(chain[0], SUPPORTED)),
    })
}

fn has_fraction(encoding: Node<'_, '_>) -> bool {
    let calibrates = |child: Node<'_, '_>| match local(child) {
        "ContextCalibratorList" | "DefaultCalibrator" => elements(child).next().is_some(),
        _ => false,
    };
    local(encoding) == "FloatDataEncoding" || elements(encoding).any(calibrates)
}

fn labels(source: &Source<'_>, list: Node<'_, '_>) -> Result<Vec<EnumerationLabel>, XtceError> {
    let mut labels = Vec::new();
    for child in elements(list) {
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

/// Aggregates and arrays must end in types that one value has.
fn refuse_cycles(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    types: &[WrittenType<'_, '_>],
) -> Result<(), XtceError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Finished,
        Never,
        Open,
    }
    let mut seen = vec![Seen::Never; types.len()];
    for start in 0..types.len() {
        // A type and how many of its parts were visited.
        let mut path = vec![(start, 0)];
        while let Some((current, part)) = path.last_mut() {
            let (current, next) = (*current, part_of(&types[*current], *part));
            *part += 1;
            seen[current] = Seen::Open;
            match next {
                None => {
                    seen[current] = Seen::Finished;
                    path.pop();
                }
                Some(next) if seen[next] == Seen::Open => {
                    let first = path.iter().position(|(open, _)| *open == next).unwrap_or(0);
                    let members = path[first..].iter().map(|(index, _)| *index).chain([next]);
                    let names: Vec<_> = members.map(|index| declarations.types.all[index].path()).collect();
                    let names = names.join(" -> ");
                    let message = format!("types hold each other: {names}; expected an end");
                    return Err(source.error(declarations.types.all[current].node, message));
                }
                Some(next) if seen[next] == Seen::Never => path.push((next, 0)),
                Some(_) => {}
            }
        }
    }
    Ok(())
}

fn part_of(its_type: &WrittenType<'_, '_>, part: usize) -> Option<usize> {
    match its_type {
        WrittenType::Aggregate(members) => members.get(part).map(|(_, member)| *member),
        WrittenType::Array { element, .. } => (part == 0).then_some(*element),
        WrittenType::Scalar(_) => None,
    }
}
