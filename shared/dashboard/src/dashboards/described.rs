//! Dashboards as the contract has them, and back.

use operator_state::{
    Audience, Change, Content, DashboardDocument, Facts, FileError, Heads, RequestId, Widget as Kept,
    WidgetFields,
};

use crate::contract::{
    Dashboard, DashboardAudience, DashboardChange, DashboardFile, DashboardSummary, DashboardWidget,
    NewDashboard, Widget, WidgetCopy,
};
use crate::{ProblemResponse, rfc3339};

const FORMAT: &str = "sto-dashboard";
const VERSION: u32 = 1;
/// Characters of an id that people's browsers make: fewer could meet by chance.
const ID_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

impl From<Audience> for DashboardAudience {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::Author => Self::Author,
            Audience::Operators => Self::Operators,
            Audience::Everyone => Self::Everyone,
        }
    }
}

impl From<DashboardAudience> for Audience {
    fn from(audience: DashboardAudience) -> Self {
        match audience {
            DashboardAudience::Author => Self::Author,
            DashboardAudience::Operators => Self::Operators,
            DashboardAudience::Everyone => Self::Everyone,
        }
    }
}

impl From<Widget> for WidgetFields {
    fn from(Widget { id, kind, x, y, w, h, opts }: Widget) -> Self {
        Self { id, kind, x, y, w, h, opts }
    }
}

impl From<WidgetFields> for Widget {
    fn from(WidgetFields { id, kind, x, y, w, h, opts }: WidgetFields) -> Self {
        Self { id, kind, x, y, w, h, opts }
    }
}

impl From<FileError> for ProblemResponse {
    fn from(error: FileError) -> Self {
        Self::dashboard_file(format!("{error}; nothing was changed"))
    }
}

fn wrong(place: &str, found: &str, taken: impl Into<String>) -> ProblemResponse {
    let found: String = found.chars().take(80).collect();
    FileError { place: place.to_owned(), found: format!("{found:?}"), taken: taken.into() }.into()
}

fn widgets(place: &str, widgets: Vec<Widget>) -> Result<Vec<Kept>, FileError> {
    let read = |(number, widget): (usize, Widget)| Kept::new(widget.into(), &format!("{place}[{number}]"));
    widgets.into_iter().enumerate().map(read).collect()
}

/// Whether a text can be the id of a dashboard.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ID_CHARS.contains(&text.len()) && text.bytes().all(fits)
}

/// A new dashboard as somebody sent it, and its id.
pub(super) fn read_new(new: NewDashboard) -> Result<(String, operator_state::NewDashboard), ProblemResponse> {
    if !is_id(&new.id) {
        return Err(wrong("id", &new.id, "16 to 64 letters, digits, `-` and `_`"));
    }
    if let Some(format) = new.format.filter(|format| format != FORMAT) {
        return Err(wrong("format", &format, format!("{FORMAT:?}")));
    }
    if let Some(version) = new.version.filter(|version| *version != VERSION) {
        return Err(wrong("version", &version.to_string(), VERSION.to_string()));
    }
    let widgets = widgets("widgets", new.widgets)?;
    Ok((new.id, operator_state::NewDashboard::new(new.title, new.audience.into(), widgets)?))
}

/// A change as somebody sent it, what it was made on, and its id.
pub(super) fn read_change(change: DashboardChange) -> Result<(RequestId, Heads, Change), ProblemResponse> {
    let id = data_encoding::HEXLOWER.decode(change.id.as_bytes()).ok().and_then(|id| id.try_into().ok());
    let id = id.ok_or_else(|| wrong("id", &change.id, "32 hexadecimal digits in lower case"))?;
    let base = change.base.parse();
    let base = base.map_err(|_| wrong("base", &change.base, "the `heads` of the dashboard, as they came"))?;
    let put = widgets("put", change.put)?;
    let audience = change.audience.map(Audience::from);
    Ok((RequestId(id), base, Change::new(put, change.remove, change.title, audience)?))
}

fn copy(operator_state::WidgetCopy { widget, by }: &operator_state::WidgetCopy) -> WidgetCopy {
    WidgetCopy { widget: widget.clone().into_fields().into(), author: by.author.clone(), at: rfc3339(by.at) }
}

/// A dashboard for whoever may see it.
pub(super) fn described(id: &str, document: &DashboardDocument) -> Dashboard {
    let Content { title, author, audience, changed, widgets } = document.content();
    let widgets = widgets
        .iter()
        .map(|(id, copies)| DashboardWidget { id: id.clone(), copies: copies.iter().map(copy).collect() });
    Dashboard {
        id: id.to_owned(),
        heads: document.heads().to_string(),
        title: title.clone(),
        author: author.clone(),
        audience: (*audience).into(),
        changed_at: rfc3339(changed.at),
        changed_by: changed.author.clone(),
        widgets: widgets.collect(),
    }
}

/// The same in a list.
pub(super) fn summary(id: String, facts: Facts) -> DashboardSummary {
    DashboardSummary {
        id,
        title: facts.title,
        author: facts.author,
        audience: facts.audience.into(),
        changed_at: rfc3339(facts.changed.at),
        changed_by: facts.changed.author,
        widgets: facts.widgets,
        conflicts: facts.conflicts,
    }
}

/// The same as a file.
pub(super) fn file(content: &Content) -> DashboardFile {
    DashboardFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        title: content.title.clone(),
        widgets: content.newest().map(|widget| widget.clone().into_fields().into()).collect(),
    }
}
