//! Containers as they are written: entries and base. Nothing is placed or compared yet.

use roxmltree::Node;

use super::declarations::{Declarations, Declared};
use super::document::{Source, description, elements, local};
use super::symbols::{Symbol, Symbols};
use crate::{Container, XtceError};

pub(super) struct WrittenContainer<'a, 'i> {
    pub(super) described: Container,
    pub(super) system: &'a str,
    pub(super) entries: Vec<Entry<'a, 'i>>,
    pub(super) base: Option<Base<'a, 'i>>,
    /// Whether its packets end in a CRC-16.
    pub(super) error_control: bool,
}

pub(super) struct Entry<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    pub(super) of: EntryOf,
    pub(super) location: Option<Node<'a, 'i>>,
    pub(super) condition: Option<Node<'a, 'i>>,
    pub(super) repeat: Option<Node<'a, 'i>>,
    /// Elements it is written with, which are read again wherever its container is included.
    pub(super) elements: usize,
}

#[derive(Clone, Copy)]
pub(super) enum EntryOf {
    /// An index into the containers.
    Container(usize),
    Parameter(Symbol),
    /// Something that cannot be read yet.
    Unsupported,
}

pub(super) struct Base<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    /// An index into the containers.
    pub(super) container: usize,
    pub(super) criteria: Option<Node<'a, 'i>>,
}

const CONTAINER_HARMLESS: [&str; 4] =
    ["AliasSet", "AncillaryDataSet", "DefaultRateInStream", "RateInStreamSet"];
const ENTRY_HARMLESS: [&str; 2] = ["AncillaryDataSet", "TimeAssociation"];
/// Entries that are known and not read yet: decoding of a packet stops there, and says so.
const LATER: [&str; 6] = [
    "ArrayParameterRefEntry",
    "ContainerSegmentRefEntry",
    "IndirectParameterRefEntry",
    "ParameterSegmentRefEntry",
    "StreamSegmentEntry",
    "FixedValueEntry",
];

pub(super) fn read<'a, 'i>(
    source: &Source<'_>,
    declarations: &'a Declarations<'a, 'i>,
    symbols: &Symbols<'_, '_>,
    declared: &'a Declared<'a, 'i>,
) -> Result<WrittenContainer<'a, 'i>, XtceError> {
    let node = declared.node;
    let mut container = WrittenContainer {
        described: Container {
            name: declared.path(),
            is_abstract: source.flag(node, "abstract", false)?,
            base: None,
            fixed_bits: None,
            description: description(node),
        },
        system: &declared.system,
        entries: Vec::new(),
        base: None,
        error_control: false,
    };
    for child in elements(node) {
        match local(child) {
            "BaseContainer" => {
                if container.base.is_some() {
                    return Err(source.error(child, "a second BaseContainer was found; expected one"));
                }
                container.base = Some(base(source, declarations, declared, child)?);
            }
            "BinaryEncoding" => container.error_control = error_control(source, child)?,
            "EntryList" => {
                for written in elements(child) {
                    container.entries.push(entry(source, declarations, symbols, declared, written)?);
                }
            }
            _ => source.pass_over_if(child, &CONTAINER_HARMLESS, "EntryList or BaseContainer")?,
        }
    }
    Ok(container)
}

fn entry<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    symbols: &Symbols<'_, '_>,
    declared: &Declared<'a, 'i>,
    node: Node<'a, 'i>,
) -> Result<Entry<'a, 'i>, XtceError> {
    let system = &declared.system;
    let of = match local(node) {
        "ContainerRefEntry" => {
            EntryOf::Container(declarations.containers.resolve(source, node, "containerRef", system)?)
        }
        "ParameterRefEntry" => EntryOf::Parameter(symbols.resolve(source, node, "parameterRef", system)?),
        later if LATER.contains(&later) => {
            source.warn(node, format!("{later} is not supported yet: packets are decoded up to it only"));
            EntryOf::Unsupported
        }
        _ => return Err(source.unsupported(node, "ParameterRefEntry or ContainerRefEntry")),
    };
    let elements_within = node.descendants().filter(Node::is_element).count();
    let mut entry =
        Entry { node, of, location: None, condition: None, repeat: None, elements: elements_within };
    if matches!(of, EntryOf::Unsupported) {
        return Ok(entry);
    }
    for child in elements(node) {
        match local(child) {
            "IncludeCondition" => entry.condition = Some(child),
            "LocationInContainerInBits" => entry.location = Some(child),
            "RepeatEntry" => entry.repeat = Some(child),
            _ => source.pass_over_if(child, &ENTRY_HARMLESS, "LocationInContainerInBits")?,
        }
    }
    Ok(entry)
}

fn base<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    declared: &Declared<'a, 'i>,
    node: Node<'a, 'i>,
) -> Result<Base<'a, 'i>, XtceError> {
    let container = declarations.containers.resolve(source, node, "containerRef", &declared.system)?;
    let mut criteria = None;
    for child in elements(node) {
        match local(child) {
            "RestrictionCriteria" => criteria = Some(child),
            _ => source.pass_over_if(child, &[], "RestrictionCriteria")?,
        }
    }
    Ok(Base { node, container, criteria })
}

/// Whether an encoding asks for the one code that packets have (CCSDS 133.0-B-2 leaves it to missions; in use is that
/// of 132.0-B-3, 4.1.6): CRC-16, polynomial 0x1021, all ones at the start. Another one is reported as not used.
fn error_control(source: &Source<'_>, node: Node<'_, '_>) -> Result<bool, XtceError> {
    let codes = elements(node).filter(|child| local(*child) == "ErrorDetectCorrect").flat_map(elements);
    let mut is_checked = false;
    for code in codes {
        let text = |name: &str| {
            let found = elements(code).find(|child| local(*child) == name).and_then(|child| child.text());
            found.map(|text| text.trim().trim_start_matches("0x").to_ascii_uppercase())
        };
        let width = source.attribute(code, "width", "a number of bits")?.unwrap_or(16_u32);
        let is_known = local(code) == "CRC"
            && width == 16
            && text("Polynomial").is_none_or(|polynomial| polynomial == "1021" || polynomial == "11021")
            && text("InitRemainder").is_none_or(|initial| initial == "FFFF")
            && text("FinalXOR").is_none_or(|last| last.trim_matches('0').is_empty());
        if is_known {
            is_checked = true;
        } else {
            source.pass_over(code);
        }
    }
    Ok(is_checked)
}
