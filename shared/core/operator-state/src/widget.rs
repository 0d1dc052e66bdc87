//! A widget of a dashboard: where it lies is checked, what it shows is the web app's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::FileError;

/// Columns of the grid.
pub const COLUMNS: u32 = 24;
/// Rows that a widget may begin in.
pub const ROWS_MAX: u32 = 10_000;
/// Rows that a widget may have.
pub const HEIGHT_MAX: u32 = 100;
/// Bytes of a widget as JSON.
pub const WIDGET_BYTES_MAX: usize = 16 * 1_024;

const ID_CHARS_MAX: usize = 64;

/// The fields of a widget, whatever they hold.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct WidgetFields {
    /// Its name in its dashboard.
    pub id: String,
    /// What it is, in a word of the web app.
    pub kind: String,
    /// Its first column, from 0.
    pub x: u32,
    /// Its first row, from 0.
    pub y: u32,
    /// How many columns it has.
    pub w: u32,
    /// How many rows it has.
    pub h: u32,
    /// What it shows and how.
    pub opts: BTreeMap<String, Value>,
}

/// A widget that lies on the grid.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Widget(WidgetFields);

impl Widget {
    /// A widget of these fields. `place` is where they stand in what somebody sent, as in `widgets[3]`.
    pub fn new(fields: WidgetFields, place: &str) -> Result<Self, FileError> {
        let wrong = |field: &str, found: String, taken: String| {
            Err(FileError { place: format!("{place}.{field}"), found, taken })
        };
        if !is_widget_id(&fields.id) {
            return wrong("id", quoted(&fields.id), WIDGET_ID.to_owned());
        }
        if !is_word(&fields.kind) {
            let taken = format!("1 to {ID_CHARS_MAX} lower-case letters, digits and `-`");
            return wrong("kind", quoted(&fields.kind), taken);
        }
        if fields.x >= COLUMNS {
            return wrong("x", fields.x.to_string(), format!("0 to {}", COLUMNS - 1));
        }
        if fields.y >= ROWS_MAX {
            return wrong("y", fields.y.to_string(), format!("0 to {}", ROWS_MAX - 1));
        }
        let columns = COLUMNS - fields.x;
        if !(1..=columns).contains(&fields.w) {
            return wrong("w", fields.w.to_string(), format!("1 to {columns} behind column {}", fields.x));
        }
        if !(1..=HEIGHT_MAX).contains(&fields.h) {
            return wrong("h", fields.h.to_string(), format!("1 to {HEIGHT_MAX}"));
        }
        let widget = Self(fields);
        let bytes = widget.bytes();
        if bytes > WIDGET_BYTES_MAX {
            let taken = format!("a widget of at most {WIDGET_BYTES_MAX} bytes as JSON");
            return Err(FileError { place: place.to_owned(), found: format!("{bytes} bytes"), taken });
        }
        Ok(widget)
    }

    /// Its fields.
    pub fn fields(&self) -> &WidgetFields {
        &self.0
    }

    /// Its fields, taken out.
    pub fn into_fields(self) -> WidgetFields {
        self.0
    }

    /// Its length as JSON.
    pub(crate) fn bytes(&self) -> usize {
        serde_json::to_string(&self.0).map_or(usize::MAX, |text| text.len())
    }
}

pub(crate) const WIDGET_ID: &str = "1 to 64 letters, digits, `-` and `_`";

pub(crate) fn is_widget_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(fits)
}

fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(fits)
}

/// The beginning of a text from outside, as an error may repeat it.
pub(crate) fn quoted(text: &str) -> String {
    let beginning: String = text.chars().take(80).collect();
    format!("{beginning:?}")
}
