//! What people keep together and change at the same time, in documents that merge: dashboards, each widget a register.
//!
//! Pure: no clock, file or chance of its own. Times and ids are arguments, and the same acts give the same document.
//! `docs/dashboards.md` says what comes of two people who change one thing.

mod content;
mod document;
mod guard;
mod heads;
mod widget;

pub use content::{
    Audience, Change, ChangeError, Content, Damaged, Excess, Facts, FileError, NewDashboard, RequestId,
    Signature, TITLE_CHARS_MAX, WidgetCopy,
};
pub use document::{
    CONTENT_BYTES_MAX, COPIES_MAX, DOCUMENT_BYTES_MAX, DashboardDocument, LoadError, WIDGETS_MAX,
};
pub use guard::Refused;
pub use heads::{Heads, HeadsError};
pub use widget::{COLUMNS, HEIGHT_MAX, ROWS_MAX, WIDGET_BYTES_MAX, Widget, WidgetFields};
