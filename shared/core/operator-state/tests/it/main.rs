//! Dashboards as people change them, and the bytes they are kept in.

mod bounds;
mod guard;
mod merging;
mod orders;

use std::collections::BTreeMap;

use operator_state::{
    Audience, Change, DashboardDocument, Heads, NewDashboard, RequestId, Signature, Widget, WidgetFields,
};
use space_packet::TaiTime;

/// A widget that shows a number, so that it can be told from others of its id.
fn widget(id: &str, shows: u32) -> Widget {
    Widget::new(fields(id, shows), "widget").expect("lies on the grid")
}

fn fields(id: &str, shows: u32) -> WidgetFields {
    let opts = BTreeMap::from([("shows".to_owned(), shows.into())]);
    WidgetFields { id: id.to_owned(), kind: "gauge".to_owned(), x: 0, y: 0, w: 4, h: 3, opts }
}

fn by(author: &str, at: i64) -> Signature {
    Signature { author: author.to_owned(), at: TaiTime(at) }
}

fn request(number: u8) -> RequestId {
    RequestId([number; 16])
}

fn put(widgets: &[Widget]) -> Change {
    Change::new(widgets.to_vec(), vec![], None, None).expect("can be taken")
}

fn remove(ids: &[&str]) -> Change {
    Change::new(vec![], ids.iter().map(|&id| id.to_owned()).collect(), None, None).expect("can be taken")
}

fn with(widgets: &[Widget]) -> DashboardDocument {
    let new = NewDashboard::new("Power".to_owned(), Audience::Operators, widgets.to_vec());
    DashboardDocument::create(&new.expect("can be taken"), &by("kari", 1), request(1)).expect("fits")
}

/// The document with a change that is merged now, and goes back to what `base` knew.
fn changed(
    document: &DashboardDocument,
    base: &Heads,
    who: &Signature,
    number: u8,
    change: &Change,
) -> DashboardDocument {
    document.changed(change, base, who, request(number)).expect("is merged").expect("is new")
}

/// Who put what into a widget, newest first.
fn copies(document: &DashboardDocument, id: &str) -> Vec<(String, u64)> {
    let copies = document.content().widgets.get(id).into_iter().flatten();
    let told = copies.map(|copy| {
        let shows = copy.widget.fields().opts["shows"].as_u64().expect("a number");
        (copy.by.author.clone(), shows)
    });
    told.collect()
}

fn of(author: &str, shows: u64) -> (String, u64) {
    (author.to_owned(), shows)
}
