//! `dictionary check`: whether a dictionary loads, what is in it, and what of it is not used.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use mission_database::{Dictionary, ParameterKind, Unused, Warning};

use crate::InspectError;
use crate::wording::{aligned, counted, grouped};

/// Places of an unused element that are named.
const PLACES_MAX: usize = 3;

/// Reads and compiles a dictionary.
pub fn read_dictionary(file: &Path) -> Result<Dictionary, InspectError> {
    let text = fs::read_to_string(file)
        .map_err(|reason| InspectError::DictionaryFile { path: file.to_owned(), reason })?;
    let name = file.file_name().map_or_else(|| "dictionary".into(), |name| name.to_string_lossy());
    Dictionary::from_xtce(&name, &text)
        .map_err(|error| InspectError::Dictionary { reason: error.to_string() })
}

/// Says what is in a dictionary that loads.
pub fn check(file: &Path, dictionary: &Dictionary, output: &mut dyn Write) -> Result<(), InspectError> {
    let name = file.file_name().map_or_else(|| "dictionary".into(), |name| name.to_string_lossy());
    let text = format!(
        "{name} loads\n{}\n{}{}",
        summary(dictionary),
        warnings(&name, dictionary.warnings()),
        unused(&name, dictionary.unused())
    );
    output.write_all(text.as_bytes()).map_err(InspectError::output)
}

fn summary(dictionary: &Dictionary) -> String {
    let census = dictionary.census();
    let abstract_containers =
        dictionary.containers().iter().filter(|container| container.is_abstract).count();
    let mut rows = vec![
        ("name", dictionary.name().to_owned()),
        ("version", dictionary.version().unwrap_or("none given").to_owned()),
        ("systems", grouped(census.space_systems)),
        ("parameters", parameters(dictionary)),
        ("containers", format!("{}, {abstract_containers} of them abstract", grouped(census.containers))),
        ("entries", grouped(census.entries)),
    ];
    let sizes = dictionary.containers().iter().filter_map(|it| Some((it.fixed_bits?, &it.name)));
    if let Some((bits, name)) = sizes.max_by_key(|(bits, _)| *bits) {
        rows.push(("largest", format!("{name}, {} (of those with a fixed size)", bits_text(bits.into()))));
    }
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, value)| vec![format!("  {name}"), value]).collect();
    aligned(&rows, &[])
}

/// `568 bits = 71 bytes`.
pub(crate) fn bits_text(bits: u64) -> String {
    let text = counted(bits, "bit");
    if bits.is_multiple_of(8) { format!("{text} = {}", counted(bits / 8, "byte")) } else { text }
}

/// How many, and how many of each kind.
fn parameters(dictionary: &Dictionary) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for parameter in dictionary.parameters() {
        *kinds.entry(kind_word(&parameter.kind)).or_default() += 1;
    }
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{} {kind}", grouped(count))).collect();
    let (total, values) = (dictionary.census().parameters, dictionary.parameters().len());
    // Aggregates and arrays are one parameter each, and what is in them is decoded as parameters of its own.
    let parts = if total == values { String::new() } else { format!(", with members {}", grouped(values)) };
    if kinds.is_empty() { grouped(total) } else { format!("{}{parts}: {}", grouped(total), kinds.join(", ")) }
}

/// What is probably not what was meant, one line each.
fn warnings(file: &str, warnings: &[Warning]) -> String {
    let line = |warning: &Warning| {
        format!("warning: {file}:{}:{}: {}\n", warning.line, warning.column, warning.message)
    };
    warnings.iter().map(line).collect()
}

/// Elements that decoding does not use, one line an element's name.
fn unused(file: &str, unused: &[Unused]) -> String {
    if unused.is_empty() {
        return "Everything in it is used.\n".to_owned();
    }
    let mut places: BTreeMap<&str, Vec<&Unused>> = BTreeMap::new();
    for element in unused {
        places.entry(&element.element).or_default().push(element);
    }
    let rows = places.iter().map(|(element, places)| {
        let named =
            places.iter().take(PLACES_MAX).map(|place| format!("{file}:{}:{}", place.line, place.column));
        let named: Vec<String> = named.collect();
        let more = if places.len() > PLACES_MAX { ", …" } else { "" };
        vec![
            format!("  {element}"),
            format!("{}×", grouped(places.len())),
            format!("{}{more}", named.join(", ")),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let elements = counted(unused.len() as u64, "element");
    format!("Passed over, since decoding does not need it: {elements}\n{}", aligned(&rows, &[false, true]))
}

/// What engineering values are called.
pub(crate) fn kind_word(kind: &ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Binary => "binary",
        ParameterKind::Boolean { .. } => "boolean",
        ParameterKind::Enumeration(_) => "enumeration",
        ParameterKind::Float => "float",
        ParameterKind::Integer => "integer",
        ParameterKind::String => "text",
        ParameterKind::Time => "time",
    }
}
