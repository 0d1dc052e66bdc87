//! Containers as they are written: entries, base, criteria. Nothing is placed or compared yet.

use roxmltree::Node;

use super::PACKET_BITS_MAX;
use super::declarations::{Declarations, Declared};
use super::document::{Source, description, elements, local};
use crate::{Container, ParameterIndex, XtceError};

pub(super) struct WrittenContainer<'a, 'i> {
    pub(super) described: Container,
    pub(super) entries: Vec<Entry<'a, 'i>>,
    pub(super) base: Option<Base<'a, 'i>>,
}

pub(super) struct Entry<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    pub(super) of: EntryOf,
    pub(super) location: Location,
}

#[derive(Clone, Copy)]
pub(super) enum EntryOf {
    /// An index into the containers.
    Container(usize),
    Parameter(ParameterIndex),
}

#[derive(Clone, Copy)]
pub(super) enum Location {
    ContainerStart(i64),
    PreviousEntry(i64),
}

pub(super) struct Base<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    /// An index into the containers.
    pub(super) container: usize,
    /// `Comparison` elements, all of which must hold.
    pub(super) comparisons: Vec<Node<'a, 'i>>,
}

const CONTAINER_HARMLESS: [&str; 4] =
    ["AliasSet", "AncillaryDataSet", "DefaultRateInStream", "RateInStreamSet"];
const ENTRY_HARMLESS: [&str; 2] = ["AncillaryDataSet", "TimeAssociation"];

pub(super) fn read<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    declared: &Declared<'a, 'i>,
) -> Result<WrittenContainer<'a, 'i>, XtceError> {
    let node = declared.node;
    let mut container = WrittenContainer {
        described: Container {
            name: declared.path(),
            is_abstract: source.flag(node, "abstract", false)?,
            description: description(node),
        },
        entries: Vec::new(),
        base: None,
    };
    for child in elements(node) {
        match local(child) {
            "BaseContainer" => {
                if container.base.is_some() {
                    return Err(source.error(child, "a second BaseContainer was found; expected one"));
                }
                container.base = Some(base(source, declarations, declared, child)?);
            }
            "EntryList" => {
                for written in elements(child) {
                    container.entries.push(entry(source, declarations, declared, written)?);
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
    declared: &Declared<'a, 'i>,
    node: Node<'a, 'i>,
) -> Result<Entry<'a, 'i>, XtceError> {
    let of = match local(node) {
        "ContainerRefEntry" => EntryOf::Container(declarations.containers.resolve(
            source,
            node,
            "containerRef",
            &declared.system,
        )?),
        "ParameterRefEntry" => {
            let found = declarations.parameters.resolve(source, node, "parameterRef", &declared.system)?;
            EntryOf::Parameter(ParameterIndex(found as u32))
        }
        _ => return Err(source.unsupported(node, "ParameterRefEntry or ContainerRefEntry")),
    };
    let mut location = Location::PreviousEntry(0);
    for child in elements(node) {
        match local(child) {
            "LocationInContainerInBits" => location = read_location(source, child)?,
            _ => source.pass_over_if(child, &ENTRY_HARMLESS, "LocationInContainerInBits")?,
        }
    }
    Ok(Entry { node, of, location })
}

fn read_location(source: &Source<'_>, node: Node<'_, '_>) -> Result<Location, XtceError> {
    let mut bits = None;
    for child in elements(node) {
        match local(child) {
            "FixedValue" => {
                let bounds = (-PACKET_BITS_MAX, PACKET_BITS_MAX);
                bits = Some(source.bounded_text(child, bounds, "a number of bits")?);
            }
            _ => return Err(source.unsupported(child, "FixedValue")),
        }
    }
    let Some(bits) = bits else { return Err(source.error(node, "no FixedValue was found; expected one")) };
    match node.attribute("referenceLocation").unwrap_or("previousEntry") {
        "containerStart" => Ok(Location::ContainerStart(bits)),
        "previousEntry" => Ok(Location::PreviousEntry(bits)),
        other => {
            let message = format!(
                "referenceLocation=\"{other}\" is not supported yet; expected containerStart or previousEntry"
            );
            Err(source.error(node, message))
        }
    }
}

fn base<'a, 'i>(
    source: &Source<'_>,
    declarations: &Declarations<'a, 'i>,
    declared: &Declared<'a, 'i>,
    node: Node<'a, 'i>,
) -> Result<Base<'a, 'i>, XtceError> {
    let container = declarations.containers.resolve(source, node, "containerRef", &declared.system)?;
    let mut comparisons = Vec::new();
    for child in elements(node) {
        match local(child) {
            "RestrictionCriteria" => {
                for criterion in elements(child) {
                    match local(criterion) {
                        "Comparison" => comparisons.push(criterion),
                        "ComparisonList" => {
                            for comparison in elements(criterion) {
                                match local(comparison) {
                                    "Comparison" => comparisons.push(comparison),
                                    _ => return Err(source.unsupported(comparison, "Comparison")),
                                }
                            }
                        }
                        _ => return Err(source.unsupported(criterion, "Comparison or ComparisonList")),
                    }
                }
                if comparisons.is_empty() {
                    return Err(
                        source.error(child, "no Comparison was found; expected Comparison or ComparisonList")
                    );
                }
            }
            _ => source.pass_over_if(child, &[], "RestrictionCriteria")?,
        }
    }
    Ok(Base { node, container, comparisons })
}
