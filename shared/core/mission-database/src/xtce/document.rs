//! Places in the document, errors that name them, and attributes read with a reason to complain.

use std::cell::{OnceCell, RefCell};
use std::str::FromStr;

use roxmltree::Node;

use crate::{Unused, Warning, XtceError};

/// The document as errors see it, and the list of what was passed over.
pub(super) struct Source<'a> {
    name: &'a str,
    text: &'a str,
    passed_over: RefCell<Vec<(usize, String)>>,
    warnings: RefCell<Vec<(usize, String)>>,
    line_ends: OnceCell<Vec<usize>>,
}

/// Names of elements that only tell people something; nobody needs a note about them.
const DESCRIPTIONS: [&str; 2] = ["LongDescription", "ShortDescription"];

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Source {
            name,
            text,
            passed_over: RefCell::default(),
            warnings: RefCell::default(),
            line_ends: OnceCell::new(),
        }
    }

    /// An error at an element.
    pub(super) fn error(&self, node: Node<'_, '_>, message: impl Into<String>) -> XtceError {
        XtceError { path: path(node), ..self.error_at(node.range().start, message.into()) }
    }

    /// An error at a byte of the text.
    pub(super) fn error_at(&self, offset: usize, message: String) -> XtceError {
        let mut position = Position::default();
        position.advance(self.text, offset);
        XtceError {
            source_name: self.name.to_owned(),
            line: position.line,
            column: position.column,
            path: String::new(),
            message,
        }
    }

    pub(super) fn error_at_start(&self, message: String) -> XtceError {
        self.error_at(0, message)
    }

    pub(super) fn parse_error(&self, error: &roxmltree::Error) -> XtceError {
        let (place, text) = (error.pos(), error.to_string());
        // The place is told in front of the message already.
        let message = text.strip_suffix(&format!(" at {place}")).unwrap_or(&text);
        XtceError {
            source_name: self.name.to_owned(),
            line: place.row,
            column: place.col,
            path: String::new(),
            message: format!("{message}; expected well-formed XML"),
        }
    }

    /// Notes an element that decoding does not need.
    pub(super) fn pass_over(&self, node: Node<'_, '_>) {
        if !DESCRIPTIONS.contains(&local(node)) {
            self.passed_over.borrow_mut().push((node.range().start, local(node).to_owned()));
        }
    }

    /// Passes over a child when it is one of `harmless`; any other could change decoding.
    pub(super) fn pass_over_if(
        &self,
        node: Node<'_, '_>,
        harmless: &[&str],
        expected: &str,
    ) -> Result<(), XtceError> {
        if harmless.contains(&local(node)) || DESCRIPTIONS.contains(&local(node)) {
            self.pass_over(node);
            return Ok(());
        }
        Err(self.unsupported(node, expected))
    }

    pub(super) fn unsupported(&self, node: Node<'_, '_>, expected: &str) -> XtceError {
        self.error(node, format!("{} is not supported here yet; expected {expected}", local(node)))
    }

    /// Notes what loads and is probably not what was meant.
    pub(super) fn warn(&self, node: Node<'_, '_>, message: impl Into<String>) {
        self.warnings.borrow_mut().push((node.range().start, message.into()));
    }

    /// What was passed over and what was warned of, in document order; one walk over the text finds all lines.
    pub(super) fn into_notes(self) -> (Vec<Unused>, Vec<Warning>) {
        let placed = |mut notes: Vec<(usize, String)>| {
            notes.sort();
            notes.dedup();
            let mut position = Position::default();
            let place = move |(offset, text)| {
                position.advance(self.text, offset);
                (text, position.line, position.column)
            };
            notes.into_iter().map(place).collect::<Vec<_>>()
        };
        let unused = placed(self.passed_over.into_inner()).into_iter();
        let warnings = placed(self.warnings.into_inner()).into_iter();
        (
            unused.map(|(element, line, column)| Unused { element, line, column }).collect(),
            warnings.map(|(message, line, column)| Warning { message, line, column }).collect(),
        )
    }

    /// Line of an element, for messages that come later.
    pub(super) fn line(&self, node: Node<'_, '_>) -> u32 {
        let ends =
            || self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let ends: &Vec<usize> = self.line_ends.get_or_init(ends);
        ends.partition_point(|end| *end < node.range().start) as u32 + 1
    }

    pub(super) fn required<'n>(&self, node: Node<'n, '_>, attribute: &str) -> Result<&'n str, XtceError> {
        let missing =
            || self.error(node, format!("attribute {attribute} is missing; expected a value for it"));
        node.attribute(attribute).ok_or_else(missing)
    }

    pub(super) fn attribute<T: FromStr>(
        &self,
        node: Node<'_, '_>,
        attribute: &str,
        expected: &str,
    ) -> Result<Option<T>, XtceError> {
        let Some(text) = node.attribute(attribute) else { return Ok(None) };
        let bad = |_| self.error(node, format!("{attribute}=\"{text}\" was found; expected {expected}"));
        text.trim().parse().map(Some).map_err(bad)
    }

    pub(super) fn required_attribute<T: FromStr>(
        &self,
        node: Node<'_, '_>,
        attribute: &str,
        expected: &str,
    ) -> Result<T, XtceError> {
        let missing = || self.error(node, format!("attribute {attribute} is missing; expected {expected}"));
        self.attribute(node, attribute, expected)?.ok_or_else(missing)
    }

    /// An `xs:boolean`.
    pub(super) fn flag(&self, node: Node<'_, '_>, attribute: &str, default: bool) -> Result<bool, XtceError> {
        match node.attribute(attribute).map(str::trim) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => {
                Err(self.error(node, format!("{attribute}=\"{other}\" was found; expected true or false")))
            }
        }
    }

    /// The text of an element as a number within bounds.
    pub(super) fn bounded_text(
        &self,
        node: Node<'_, '_>,
        (least, most): (i64, i64),
        what: &str,
    ) -> Result<i64, XtceError> {
        let text = node.text().unwrap_or("").trim();
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            self.error(node, format!("\"{text}\" was found; expected {what} between {least} and {most}"))
        })
    }
}

/// Children that are elements.
pub(super) fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// Name of an element without its namespace.
pub(super) fn local<'i>(node: Node<'_, 'i>) -> &'i str {
    node.tag_name().name()
}

/// The short description, or the long one.
pub(super) fn description(node: Node<'_, '_>) -> Option<String> {
    let child = |name| elements(node).find(|child| local(*child) == name).and_then(|child| child.text());
    let texts = [node.attribute("shortDescription"), child("ShortDescription"), child("LongDescription")];
    texts.into_iter().flatten().map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

fn path(node: Node<'_, '_>) -> String {
    let mut parts: Vec<_> = node.ancestors().filter(Node::is_element).collect();
    parts.reverse();
    let part = |node: Node<'_, '_>| match node.attribute("name") {
        Some(name) => format!("/{}[{name}]", local(node)),
        None => format!("/{}", local(node)),
    };
    parts.into_iter().map(part).collect()
}

/// A place in a text, moved forward only.
struct Position {
    offset: usize,
    line: u32,
    column: u32,
}

impl Default for Position {
    fn default() -> Self {
        Position { offset: 0, line: 1, column: 1 }
    }
}

impl Position {
    fn advance(&mut self, text: &str, to: usize) {
        for character in text[self.offset..to].chars() {
            match character {
                '\n' => (self.line, self.column) = (self.line + 1, 1),
                _ => self.column += 1,
            }
        }
        self.offset = to;
    }
}
