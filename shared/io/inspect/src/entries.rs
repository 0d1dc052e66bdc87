//! The entries of a container, one line each.

use mission_database::{ContainerIndex, Dictionary, LayoutEntry, LayoutItem, LayoutStart, Shape};

use crate::check::kind_word;
use crate::wording::aligned;

/// What a container adds to its base, in the order of its entries; empty when that is nothing.
pub(crate) fn entries(dictionary: &Dictionary, container: ContainerIndex) -> String {
    let layout = dictionary.layout(container);
    if layout.is_empty() {
        return String::new();
    }
    let head = ["bit", "bits", "entry", "type"].map(str::to_owned).to_vec();
    let rows: Vec<_> = layout.iter().map(|entry| row(dictionary, entry)).collect();
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    format!("\n{}", aligned(&rows, &[true, true]))
}

fn row(dictionary: &Dictionary, entry: &LayoutEntry) -> Vec<String> {
    let margin = "  ".repeat(entry.depth as usize);
    let start = entry.start.map_or_else(String::new, |start| match start {
        LayoutStart::AfterPrevious(0) => "next".to_owned(),
        LayoutStart::AfterPrevious(distance) => format!("next {distance:+}"),
        LayoutStart::FromIncluded(distance) => format!("start {distance:+}"),
        LayoutStart::FromPacket(bit) => bit.to_string(),
    });
    let (name, kind) = match &entry.item {
        LayoutItem::Composite(index) => {
            let composite = dictionary.composite(*index);
            let kind = if matches!(composite.shape, Shape::Array(_)) { "array" } else { "aggregate" };
            (composite.short_name.clone(), format!("{kind}, of:"))
        }
        LayoutItem::Condition(condition) => (format!("when {condition}:"), String::new()),
        LayoutItem::Parameter(index) => {
            let parameter = dictionary.parameter(*index);
            let encoding = dictionary.encoding(*index).unwrap_or_default();
            (parameter.short_name.clone(), format!("{}: {encoding}", kind_word(&parameter.kind)))
        }
        LayoutItem::Repeat(count) => (format!("{count}:"), String::new()),
        LayoutItem::Unsupported(element) => (format!("decoding stops: {element}"), String::new()),
    };
    let bits = match (entry.bits, &entry.item) {
        (Some(bits), _) => bits.to_string(),
        (None, LayoutItem::Parameter(_)) => "varies".to_owned(),
        (None, _) => String::new(),
    };
    vec![format!("  {start}"), bits, format!("{margin}{name}"), kind]
}
