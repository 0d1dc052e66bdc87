//! From XTCE text to a dictionary: collect what is declared, compile types, then parameters, then containers.
//!
//! Elements are told by their local name, whatever the namespace: 1.1, 1.2, a prefix and none are all in use.

mod containers;
mod criteria;
mod declarations;
mod document;
mod encodings;
mod layout;
mod parameters;
mod types;

use roxmltree::{Document, ParsingOptions};

use crate::{Dictionary, ParameterIndex, XtceError};
use declarations::Declarations;
use document::Source;

/// The largest dictionary seen has 3 MB; this one must still fit into memory as a tree.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// About 20 times what the largest dictionary seen has.
const NODES_MAX: u32 = 4_000_000;
/// A space packet has at most 65,542 bytes.
const PACKET_BITS_MAX: i64 = 65_542 * 8;
/// How deep systems may nest, containers derive and containers include each other.
const DEPTH_MAX: usize = 64;
/// Entries of all containers together, included ones counted each time.
const ENTRIES_MAX: usize = 1_000_000;

pub(crate) fn load(source_name: &str, xml: &str) -> Result<Dictionary, XtceError> {
    let source = Source::new(source_name, xml);
    if xml.len() > DOCUMENT_BYTES_MAX {
        let message = format!("the document has {} bytes; expected at most {DOCUMENT_BYTES_MAX}", xml.len());
        return Err(source.error_at_start(message));
    }
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, options).map_err(|error| source.parse_error(&error))?;
    let declarations = Declarations::collect(&source, document.root_element())?;
    let mut plan = crate::plan::Plan::default();
    let types = types::compile(&source, &declarations, &mut plan)?;
    let (parameters, fields) = parameters::compile(&source, &declarations, &types)?;
    let containers = layout::compile(&source, &declarations, &parameters, &fields, &mut plan)?;

    let mut by_name: Vec<_> = (0..parameters.len() as u32).map(ParameterIndex).collect();
    by_name.sort_by(|a, b| parameters[a.0 as usize].name.cmp(&parameters[b.0 as usize].name));
    Ok(Dictionary {
        name: declarations.root_name.to_owned(),
        version: declarations.version.map(str::to_owned),
        parameters,
        by_name,
        containers,
        unused: source.into_unused(),
        plan,
    })
}
