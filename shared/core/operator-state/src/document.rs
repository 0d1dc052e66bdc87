//! A dashboard as an automerge document: a map of widgets by id, each put whole, so that what two people put into one
//! widget at the same time is both there. A change is made on the document as its author saw it, then merged.
//!
//! History only grows, so a document that has too much of it is written anew from what it holds. Whoever changed what
//! they saw before that is merged as somebody who saw nothing: their copies stand beside those that are there.

use std::collections::BTreeMap;

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{ActorId, Automerge, AutomergeError, ChangeHash, ObjId, ObjType, ROOT, ReadDoc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::content::{Damaged, Excess};
use crate::guard::{Refused, admit};
use crate::heads::HEADS_MAX;
use crate::{Audience, Change, ChangeError, Content, Heads, NewDashboard, RequestId, Signature, WidgetCopy};

/// Widgets of a dashboard.
pub const WIDGETS_MAX: usize = 200;
/// Bytes of all copies of all widgets, as JSON.
pub const CONTENT_BYTES_MAX: usize = 1_024 * 1_024;
/// Copies of one widget.
pub const COPIES_MAX: usize = 16;
/// Bytes of a document that is loaded.
pub const DOCUMENT_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// What a document may have before it is written anew: one more change fits into what is loaded.
const CHANGES_KEPT: usize = 250;
const OPERATIONS_KEPT: u64 = 50_000;
const BYTES_KEPT: usize = 2 * 1_024 * 1_024;

const AUTHOR: &str = "author";
const AUDIENCE: &str = "audience";
const CHANGED: &str = "changed";
const TITLE: &str = "title";
const WIDGETS: &str = "widgets";

/// A dashboard and its history.
#[derive(Clone, Debug)]
pub struct DashboardDocument {
    document: Automerge,
    content: Content,
    bytes: Vec<u8>,
}

/// Why bytes are no document.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is no dashboard.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// It cannot be read.
    #[error("the document cannot be read")]
    Document(#[from] AutomergeError),
    /// It is larger than documents are, or of another form.
    #[error(transparent)]
    Refused(#[from] Refused),
}

#[derive(Deserialize, Serialize)]
struct Title {
    title: String,
    #[serde(flatten)]
    by: Signature,
}

impl DashboardDocument {
    /// A new dashboard, by who asked for it.
    pub fn create(new: &NewDashboard, by: &Signature, request: RequestId) -> Result<Self, ChangeError> {
        let copy = |widget: &crate::Widget| vec![WidgetCopy { widget: widget.clone(), by: by.clone() }];
        let widgets = new.widgets().iter().map(|widget| (widget.fields().id.clone(), copy(widget)));
        let content = Content {
            title: new.title().to_owned(),
            author: by.author.clone(),
            audience: new.audience(),
            changed: by.clone(),
            widgets: widgets.collect(),
        };
        check(&content)?;
        let document = written(&content, request, &creation(new, by))?;
        Ok(Self { bytes: document.save_nocompress(), document, content })
    }

    /// A document as it was saved. Its declared sizes are checked before anything of it is loaded.
    pub fn load(bytes: Vec<u8>) -> Result<Self, LoadError> {
        admit(&bytes)?;
        let document = Automerge::load(&bytes)?;
        let content = read(&document)?;
        Ok(Self { document, content, bytes })
    }

    /// What it is saved as.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What of its history is here: all.
    pub fn heads(&self) -> Heads {
        Heads(self.document.get_heads())
    }

    /// Whether it came of this very request, whatever was changed since.
    pub fn was_created_by(&self, new: &NewDashboard, by: &Signature, request: RequestId) -> bool {
        self.message(request) == Some(Some(creation(new, by)))
    }

    /// The document with a change that was made on what `base` knows of it; absent when it has the change already.
    pub fn changed(
        &self,
        change: &Change,
        base: &Heads,
        by: &Signature,
        request: RequestId,
    ) -> Result<Option<Self>, ChangeError> {
        let digest = digest(&(change, base.to_string(), &by.author));
        match self.message(request) {
            Some(Some(known)) if known == digest => return Ok(None),
            Some(_) => return Err(ChangeError::RequestId),
            None => {}
        }
        let mut document = self.document.clone();
        document.merge(&mut self.fork(change, base, by, request, &digest)?)?;
        if document.get_heads().len() > HEADS_MAX {
            document.set_actor(ActorId::from(request.0));
            document.empty_commit(CommitOptions::default());
        }
        let content = read(&document)?;
        check(&content)?;
        let mut bytes = document.save_nocompress();
        if bytes.len() > BYTES_KEPT || has_long_history(&document) {
            document = written(&content, request, &digest)?;
            bytes = document.save_nocompress();
        }
        Ok(Some(Self { document, content, bytes }))
    }

    /// The document as its author saw it, with the change.
    fn fork(
        &self,
        change: &Change,
        base: &Heads,
        by: &Signature,
        request: RequestId,
        digest: &str,
    ) -> Result<Automerge, ChangeError> {
        let mut seen = base.0.clone();
        seen.retain(|hash| self.document.get_change_meta_by_hash(hash).is_some());
        if seen.is_empty() {
            seen.extend(self.beginning());
        }
        let mut fork = self.document.fork_at(&seen)?.with_actor(ActorId::from(request.0));
        let widgets = map_of_widgets(&fork)?;
        let mut act = fork.transaction();
        for widget in change.put() {
            put_copy(&mut act, &widgets, &WidgetCopy { widget: widget.clone(), by: by.clone() })?;
        }
        for id in change.remove() {
            if act.get(&widgets, id.as_str())?.is_some() {
                act.delete(&widgets, id.as_str())?;
            }
        }
        if let Some(title) = change.title() {
            act.put(ROOT, TITLE, json(&Title { title: title.to_owned(), by: by.clone() }))?;
        }
        if let Some(audience) = change.audience() {
            act.put(ROOT, AUDIENCE, audience.word())?;
        }
        act.put(ROOT, CHANGED, json(by))?;
        let options = || CommitOptions::default().with_message(digest).with_time(by.at.0 / 1_000_000_000);
        // Without any operation there would be no change, and nothing to know the request by.
        if act.commit_with(options()).0.is_none() {
            fork.empty_commit(options());
        }
        Ok(fork)
    }

    /// What the first change of an act says; absent: there is no such act; `None` within: it is none of a request's.
    fn message(&self, request: RequestId) -> Option<Option<String>> {
        let actor = ActorId::from(request.0);
        let changes = self.document.get_changes_meta(&[]);
        let first = changes.into_iter().find(|change| *change.actor == actor)?;
        Some(first.message.map(std::borrow::Cow::into_owned))
    }

    /// The first change, which has no widgets.
    fn beginning(&self) -> Option<ChangeHash> {
        let changes = self.document.get_changes_meta(&[]);
        changes.iter().find(|change| change.deps.is_empty()).map(|change| change.hash)
    }
}

fn digest(act: &impl Serialize) -> String {
    blake3::hash(json(act).as_bytes()).to_hex().to_string()
}

fn creation(new: &NewDashboard, by: &Signature) -> String {
    digest(&(new, &by.author))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is kept is text, numbers and JSON with keys of text")
}

/// A document that holds this and nothing of how it came about. It begins with a change that has no widgets; copies of
/// one widget are put without knowing of each other, and the last change, of the request, knows all.
fn written(content: &Content, request: RequestId, digest: &str) -> Result<Automerge, ChangeError> {
    let actor = |rank: usize| {
        let hash = blake3::hash(&[&request.0[..], &rank.to_le_bytes()].concat());
        ActorId::from(&hash.as_bytes()[..16])
    };
    let mut document = Automerge::new().with_actor(actor(COPIES_MAX));
    let mut act = document.transaction();
    act.put(ROOT, AUTHOR, content.author.as_str())?;
    let widgets = act.put_object(ROOT, WIDGETS, ObjType::Map)?;
    act.commit();
    let beginning = document.get_heads();
    let copies_max = content.widgets.values().map(Vec::len).max().unwrap_or_default();
    for rank in 0..copies_max.max(1) {
        let mut fork = document.fork_at(&beginning)?.with_actor(actor(rank));
        let mut act = fork.transaction();
        for copy in content.widgets.values().filter_map(|copies| copies.get(rank)) {
            put_copy(&mut act, &widgets, copy)?;
        }
        if rank == 0 {
            let title = Title { title: content.title.clone(), by: content.changed.clone() };
            act.put(ROOT, TITLE, json(&title))?;
            act.put(ROOT, AUDIENCE, content.audience.word())?;
            act.put(ROOT, CHANGED, json(&content.changed))?;
        }
        act.commit();
        document.merge(&mut fork)?;
    }
    document.set_actor(ActorId::from(request.0));
    document.empty_commit(CommitOptions::default().with_message(digest));
    Ok(document)
}

fn put_copy(act: &mut Transaction<'_>, widgets: &ObjId, copy: &WidgetCopy) -> Result<(), AutomergeError> {
    act.put(widgets, copy.widget.fields().id.as_str(), json(copy))
}

fn has_long_history(document: &Automerge) -> bool {
    let changes = document.get_changes_meta(&[]);
    let operations: u64 =
        changes.iter().map(|change| (change.max_op + 1).saturating_sub(change.start_op)).sum();
    changes.len() > CHANGES_KEPT || operations > OPERATIONS_KEPT
}

fn map_of_widgets(document: &Automerge) -> Result<ObjId, Damaged> {
    let found = document.get(ROOT, WIDGETS).ok().flatten();
    found.filter(|(value, _)| value.is_object()).map(|(_, id)| id).ok_or(Damaged("a map of widgets"))
}

/// All values of a key, which are texts; more than one where nobody has seen all.
fn texts(
    document: &Automerge,
    object: &ObjId,
    key: &str,
    what: &'static str,
) -> Result<Vec<String>, Damaged> {
    let values = document.get_all(object, key).map_err(|_| Damaged(what))?;
    let texts: Option<Vec<String>> =
        values.iter().map(|(value, _)| value.as_str().map(str::to_owned)).collect();
    texts.filter(|texts| !texts.is_empty()).ok_or(Damaged(what))
}

/// The same, of texts that are JSON.
fn values<T: DeserializeOwned>(
    document: &Automerge,
    object: &ObjId,
    key: &str,
    what: &'static str,
) -> Result<Vec<T>, Damaged> {
    let texts = texts(document, object, key, what)?;
    let read = texts.iter().map(|text| serde_json::from_str(text).map_err(|_| Damaged(what)));
    read.collect()
}

fn read(document: &Automerge) -> Result<Content, Damaged> {
    let latest = |by: &Signature| (by.at, by.author.clone());
    let titles: Vec<Title> = values(document, &ROOT, TITLE, "a title")?;
    let title = titles.into_iter().max_by_key(|title| (latest(&title.by), title.title.clone()));
    let changed: Vec<Signature> = values(document, &ROOT, CHANGED, "who changed it")?;
    // Of two audiences that people gave it without knowing of each other the smaller one counts.
    let words = texts(document, &ROOT, AUDIENCE, "an audience")?;
    let audience = words.iter().map(|word| Audience::of(word)).min().flatten();
    let widgets = map_of_widgets(document)?;
    let mut read = BTreeMap::new();
    for id in document.keys(&widgets) {
        let copies = values(document, &widgets, &id, "widgets that can be read")?;
        read.insert(id, told_apart(copies));
    }
    Ok(Content {
        title: title.map(|title| title.title).ok_or(Damaged("a title"))?,
        author: texts(document, &ROOT, AUTHOR, "an author")?.swap_remove(0),
        audience: audience.ok_or(Damaged("an audience"))?,
        changed: changed.into_iter().max_by_key(latest).ok_or(Damaged("who changed it"))?,
        widgets: read,
    })
}

/// Copies of a widget, newest first; of those that are equal the newest.
fn told_apart(mut copies: Vec<WidgetCopy>) -> Vec<WidgetCopy> {
    copies.sort_by_cached_key(|copy| (std::cmp::Reverse(copy.by.at), copy.by.author.clone(), json(copy)));
    let mut apart: Vec<WidgetCopy> = Vec::with_capacity(copies.len());
    for copy in copies {
        if !apart.iter().any(|other| other.widget == copy.widget) {
            apart.push(copy);
        }
    }
    apart
}

fn check(content: &Content) -> Result<(), ChangeError> {
    let full = |excess| Err(ChangeError::Full(excess));
    if content.widgets.len() > WIDGETS_MAX {
        return full(Excess::Widgets(content.widgets.len()));
    }
    if let Some((id, copies)) = content.widgets.iter().find(|(_, copies)| copies.len() > COPIES_MAX) {
        return full(Excess::Copies { id: id.clone(), count: copies.len() });
    }
    let bytes = content.widgets.values().flatten().map(|copy| copy.widget.bytes()).sum();
    if bytes > CONTENT_BYTES_MAX {
        return full(Excess::Bytes(bytes));
    }
    Ok(())
}
