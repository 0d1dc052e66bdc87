//! From XTCE text to a dictionary: collect what is declared, read types, name parameters, compile
//! fields, then containers.
//!
//! Elements are told by their local name, whatever the namespace: 1.1, 1.2, a prefix and none are all in use.

mod alarms;
mod calibrators;
mod containers;
mod criteria;
mod declarations;
mod document;
mod encodings;
mod fields;
mod inheritance;
mod layout;
mod markup;
mod placing;
mod quantities;
mod symbols;
mod texts;
mod types;

use std::sync::Arc;

use roxmltree::{Document, ParsingOptions};

use crate::condition::Register;
use crate::dictionary::Compiled;
use crate::monitoring::Judging;
use crate::plan::{LoneFields, Plan};
use crate::{Census, Container, Dictionary, Parameter, ParameterIndex, XtceError};
use declarations::Declarations;
use document::Source;
use symbols::Symbols;

/// The largest dictionary seen has 3 MB; this one must still fit into memory as a tree.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// About 20 times what the largest dictionary seen has.
const NODES_MAX: u32 = 4_000_000;
/// A space packet has at most 65,542 bytes.
const PACKET_BITS_MAX: i64 = 65_542 * 8;
/// How deep systems may nest, containers derive and containers include each other.
const DEPTH_MAX: usize = 64;
/// Parts of all aggregates and arrays: about 20 times the parameters of the largest dictionary seen.
const PARTS_MAX: usize = 200_000;
/// A name is looked for in each system above, so a long one costs time with every reference.
const FULL_NAME_BYTES_MAX: usize = 1_024;
/// What parameters are called and described with, together: about 50 times what the largest dictionary seen needs.
const TEXT_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Elements of the entries of all containers together, included ones counted each time.
const ENTRIES_MAX: usize = 1_000_000;

pub(crate) fn load(source_name: &str, xml: &str) -> Result<Dictionary, XtceError> {
    let source = Source::new(source_name, xml);
    if xml.len() > DOCUMENT_BYTES_MAX {
        let message = format!("the document has {} bytes; expected at most {DOCUMENT_BYTES_MAX}", xml.len());
        return Err(source.error_at_start(message));
    }
    markup::check(&source, xml)?;
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, options).map_err(|error| source.parse_error(&error))?;
    let declarations = Declarations::collect(&source, document.root_element())?;
    let symbols = Symbols::collect(&source, &declarations, types::read(&source, &declarations)?)?;
    let (mut plan, mut judging) = (Plan::default(), Judging::default());
    let fields = fields::compile(&source, &symbols, &mut plan, &mut judging)?;
    let written = declarations.containers.all.iter();
    let written: Result<Vec<_>, _> =
        written.map(|declared| containers::read(&source, &declarations, &symbols, declared)).collect();
    let written = written?;
    let census = Census {
        space_systems: declarations.space_systems,
        parameter_types: declarations.types.all.len(),
        parameters: declarations.parameters.all.len(),
        containers: written.len(),
        entries: written.iter().map(|container| container.entries.len()).sum(),
    };
    let root = written.iter().find(|container| container.base.is_none());
    plan.has_error_control = root.is_some_and(|root| root.error_control);
    let containers = layout::compile(&source, &symbols, &fields, written, &mut plan)?;
    Ok(dictionary(&declarations, symbols, &fields, containers, (plan, judging, census), source))
}

/// Everything compiled, put together.
fn dictionary(
    declarations: &Declarations<'_, '_>,
    symbols: Symbols<'_, '_>,
    fields: &[fields::TypeFields],
    containers: Vec<Container>,
    (plan, mut judging, census): (Plan, Judging, Census),
    source: Source<'_>,
) -> Dictionary {
    let fields_of = || symbols.types.iter().map(|its_type| fields[*its_type]);
    judging.watches = fields_of().map(|field| field.watch).collect();
    let registered = symbols.registered();
    judging.registers = registered.len() as u16;
    for (register, parameter) in (0..).zip(registered) {
        judging.watches[parameter.0 as usize].register = Register(register);
    }
    let lone_fields = LoneFields {
        of_type: fields.iter().map(|its_type| its_type.field).collect(),
        type_of: symbols.types.iter().map(|its_type| *its_type as u32).collect(),
    };
    let raw_kinds = fields_of().map(|field| field.raw).collect();
    let calibrated: Vec<bool> = fields_of().map(|field| field.is_calibrated()).collect();
    let mut parameters = symbols.parameters;
    for (parameter, calibrated) in parameters.iter_mut().zip(calibrated) {
        parameter.calibrated = calibrated;
    }
    let sorted = |name: fn(&Parameter) -> &str| {
        let mut indices: Vec<_> = (0..parameters.len() as u32).map(ParameterIndex).collect();
        indices.sort_by(|a, b| name(&parameters[a.0 as usize]).cmp(name(&parameters[b.0 as usize])));
        indices
    };
    let (by_name, by_short_name) =
        (sorted(|parameter| &parameter.name), sorted(|parameter| &parameter.short_name));
    let (unused, warnings) = source.into_notes();
    let compiled = Compiled {
        name: declarations.root_name.to_owned(),
        version: declarations.version.map(str::to_owned),
        by_name,
        by_short_name,
        parameters,
        raw_kinds,
        lone_fields,
        composites: symbols.composites,
        containers,
        unused,
        warnings,
        census,
        plan,
    };
    Dictionary { compiled: Arc::new(compiled), judging: Arc::new(judging) }
}
