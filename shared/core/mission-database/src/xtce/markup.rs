//! A look at the text before it is parsed: what the parser would take much more time or memory for than the text
//! has bytes.
//!
//! The parser compares each attribute of an element with all others of it, and keeps for each element that declares
//! a namespace a list of all that are in scope.

use std::collections::HashSet;

use super::document::Source;
use crate::XtceError;

/// The schema has elements with 11.
const ATTRIBUTES_MAX: usize = 256;
/// Documents have one to three.
const NAMESPACES_MAX: usize = 32;

/// Passes over what is no well-formed markup: the parser refuses that.
pub(super) fn check(source: &Source<'_>, text: &str) -> Result<(), XtceError> {
    let mut namespaces = HashSet::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        let rest = &text[start..];
        let bracketed = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        if let Some((opening, closing)) = bracketed.iter().find(|(opening, _)| rest.starts_with(opening)) {
            let Some(end) = rest[opening.len()..].find(closing) else { return Ok(()) };
            at = start + opening.len() + end + closing.len();
            continue;
        }
        let tag = tag(rest);
        if tag.attributes > ATTRIBUTES_MAX {
            let message = format!("an element has too many attributes; expected at most {ATTRIBUTES_MAX}");
            return Err(source.error_at(start, message));
        }
        namespaces.extend(declared_namespaces(&rest[..tag.bytes]));
        if namespaces.len() > NAMESPACES_MAX {
            let message =
                format!("too many namespaces are declared; expected prefixes for at most {NAMESPACES_MAX}");
            return Err(source.error_at(start, message));
        }
        at = start + tag.bytes;
    }
    Ok(())
}

struct Tag {
    bytes: usize,
    attributes: usize,
}

/// The tag at the beginning of a text, up to its `>`; one within quotes does not count.
fn tag(text: &str) -> Tag {
    let mut quote = None;
    let mut attributes = 0;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Tag { bytes: at + 1, attributes },
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                attributes += 1;
            }
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    Tag { bytes: text.len(), attributes }
}

/// What stands between `xmlns` and `=`, wherever it does.
fn declared_namespaces(tag: &str) -> impl Iterator<Item = &str> {
    tag.split("xmlns").skip(1).map(|rest| rest.split('=').next().unwrap_or(rest).trim())
}
