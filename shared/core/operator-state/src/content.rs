//! What a dashboard holds, and what somebody may want of it: titles, audiences, widgets, changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::widget::{WIDGET_ID, is_widget_id, quoted};
use crate::{CONTENT_BYTES_MAX, COPIES_MAX, WIDGETS_MAX, Widget};

/// Characters of a title.
pub const TITLE_CHARS_MAX: usize = 200;

/// Who may see a dashboard, from few to many.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Who made it.
    #[default]
    Author,
    /// The mission's operators.
    Operators,
    /// Whoever may see the mission.
    Everyone,
}

impl Audience {
    /// Its word in documents and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Operators => "operators",
            Self::Everyone => "everyone",
        }
    }

    /// The audience of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Author, Self::Operators, Self::Everyone].into_iter().find(|audience| audience.word() == word)
    }
}

/// Who did something, and when by the clock of the server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Signature {
    /// Who.
    pub author: String,
    /// When.
    pub at: TaiTime,
}

/// The id of somebody's act: sent again, it is one act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestId(pub [u8; 16]);

impl RequestId {
    /// The id of the act that makes what has this name.
    pub fn of_name(name: &str) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..16]);
        Self(id)
    }
}

/// A dashboard that somebody wants kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewDashboard {
    title: String,
    audience: Audience,
    widgets: Vec<Widget>,
}

impl NewDashboard {
    /// A dashboard of this title and these widgets.
    pub fn new(title: String, audience: Audience, widgets: Vec<Widget>) -> Result<Self, FileError> {
        check_title(&title)?;
        check_widgets("widgets", &widgets)?;
        Ok(Self { title, audience, widgets })
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn audience(&self) -> Audience {
        self.audience
    }

    pub(crate) fn widgets(&self) -> &[Widget] {
        &self.widgets
    }
}

/// What somebody wants other than it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    put: Vec<Widget>,
    remove: Vec<String>,
    title: Option<String>,
    audience: Option<Audience>,
}

impl Change {
    /// A change that puts some widgets and removes others, of the title and of the audience if they are given.
    pub fn new(
        put: Vec<Widget>,
        remove: Vec<String>,
        title: Option<String>,
        audience: Option<Audience>,
    ) -> Result<Self, FileError> {
        check_widgets("put", &put)?;
        title.as_deref().map_or(Ok(()), check_title)?;
        if remove.len() > WIDGETS_MAX {
            let taken = format!("at most {WIDGETS_MAX} ids");
            return Err(FileError { place: "remove".to_owned(), found: remove.len().to_string(), taken });
        }
        for (place, id) in remove.iter().enumerate() {
            let wrong = |taken: &str| FileError {
                place: format!("remove[{place}]"),
                found: quoted(id),
                taken: taken.to_owned(),
            };
            if !is_widget_id(id) {
                return Err(wrong(WIDGET_ID));
            }
            if put.iter().any(|widget| widget.fields().id == *id) {
                return Err(wrong("the id of a widget that is not put as well"));
            }
        }
        Ok(Self { put, remove, title, audience })
    }

    /// The audience that it gives, if it gives one.
    pub fn audience(&self) -> Option<Audience> {
        self.audience
    }

    pub(crate) fn put(&self) -> &[Widget] {
        &self.put
    }

    pub(crate) fn remove(&self) -> &[String] {
        &self.remove
    }

    pub(crate) fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }
}

fn check_title(title: &str) -> Result<(), FileError> {
    let fits = title.chars().count() <= TITLE_CHARS_MAX && !title.trim().is_empty();
    if fits && !title.chars().any(char::is_control) {
        return Ok(());
    }
    let taken = format!("1 to {TITLE_CHARS_MAX} characters, none of them a control character");
    Err(FileError { place: "title".to_owned(), found: quoted(title), taken })
}

fn check_widgets(place: &str, widgets: &[Widget]) -> Result<(), FileError> {
    if widgets.len() > WIDGETS_MAX {
        let taken = format!("at most {WIDGETS_MAX} widgets");
        return Err(FileError { place: place.to_owned(), found: widgets.len().to_string(), taken });
    }
    let mut seen = BTreeMap::new();
    for (number, widget) in widgets.iter().enumerate() {
        let id = widget.fields().id.as_str();
        if let Some(before) = seen.insert(id, number) {
            let taken = format!("another id than that of {place}[{before}]");
            return Err(FileError { place: format!("{place}[{number}].id"), found: quoted(id), taken });
        }
    }
    Ok(())
}

/// Something that is not taken as it stands.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place} is {found}; taken is {taken}")]
pub struct FileError {
    /// Where it stands in what was sent, as in `widgets[3].w`.
    pub place: String,
    /// What stands there.
    pub found: String,
    /// What may stand there.
    pub taken: String,
}

/// Why a change was not merged.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The document does not answer as one of ours.
    #[error("the dashboard's document cannot be changed")]
    Document(#[from] automerge::AutomergeError),
    /// There would be more than is kept.
    #[error("the dashboard would have {0}; it is as it was")]
    Full(Excess),
    /// Another change has this id.
    #[error("another change of the dashboard has this id; send this one with a new one")]
    RequestId,
    /// The document does not hold what a dashboard is made of.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// What a dashboard would have too much of.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Excess {
    /// Bytes of all copies of all widgets.
    #[error("{0} bytes of widgets, and at most {CONTENT_BYTES_MAX} are kept")]
    Bytes(usize),
    /// Copies of one widget.
    #[error(
        "{count} copies of widget {id}, and at most {COPIES_MAX} are kept until somebody settles which is right"
    )]
    Copies {
        /// Which widget.
        id: String,
        /// How many.
        count: usize,
    },
    /// Widgets.
    #[error("{0} widgets, and at most {WIDGETS_MAX} are kept")]
    Widgets(usize),
}

/// A document that loads, and is no dashboard.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the document does not hold {0}, as every dashboard does")]
pub struct Damaged(pub &'static str);

/// What a dashboard holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// What people call it.
    pub title: String,
    /// Who made it.
    pub author: String,
    /// Who may see it.
    pub audience: Audience,
    /// Who changed it last, and when.
    pub changed: Signature,
    /// The copies of each widget, by its id, newest first. More than one: people put them without knowing of each other.
    pub widgets: BTreeMap<String, Vec<WidgetCopy>>,
}

/// A widget as somebody put it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct WidgetCopy {
    /// The widget.
    pub widget: Widget,
    /// Who put it, and when.
    #[serde(flatten)]
    pub by: Signature,
}

/// What a list says of a dashboard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// What people call it.
    pub title: String,
    /// Who made it.
    pub author: String,
    /// Who may see it.
    pub audience: Audience,
    /// Who changed it last, and when.
    pub changed: Signature,
    /// How many widgets it has.
    pub widgets: usize,
    /// How many of them have more than one copy.
    pub conflicts: usize,
}

impl Content {
    /// What a list says of it.
    pub fn facts(&self) -> Facts {
        Facts {
            title: self.title.clone(),
            author: self.author.clone(),
            audience: self.audience,
            changed: self.changed.clone(),
            widgets: self.widgets.len(),
            conflicts: self.widgets.values().filter(|copies| copies.len() > 1).count(),
        }
    }

    /// Of each widget the newest copy, by id: what a file has.
    pub fn newest(&self) -> impl Iterator<Item = &Widget> {
        self.widgets.values().filter_map(|copies| copies.first()).map(|copy| &copy.widget)
    }
}
