//! Dashboards from elsewhere: files, heads, and documents as they are kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use operator_state::{
    Audience, DashboardDocument, Heads, NewDashboard, RequestId, Signature, Widget, WidgetFields,
};
use space_packet::TaiTime;

fuzz_target!(|bytes: &[u8]| {
    // What is refused is refused before anything of its declared size is taken.
    let _ = DashboardDocument::load(bytes.to_vec());
    if let Ok(heads) = std::str::from_utf8(bytes).unwrap_or_default().parse::<Heads>() {
        assert_eq!(heads.to_string().parse(), Ok(heads));
    }
    let Ok((title, widgets)) = serde_json::from_slice::<(String, Vec<WidgetFields>)>(bytes) else { return };
    let widgets: Result<Vec<Widget>, _> = widgets.into_iter().map(|fields| Widget::new(fields, "widget")).collect();
    let Ok(new) = widgets.and_then(|widgets| NewDashboard::new(title, Audience::Everyone, widgets)) else { return };
    let by = Signature { author: "fuzz".to_owned(), at: TaiTime(0) };
    let Ok(made) = DashboardDocument::create(&new, &by, RequestId([0; 16])) else { return };
    let loaded = DashboardDocument::load(made.bytes().to_vec()).expect("what is kept loads");
    assert_eq!(loaded.heads(), made.heads());
});
