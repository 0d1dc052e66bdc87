use operator_state::{Audience, NewDashboard, RequestId, Signature, Widget, WidgetFields};
use space_packet::TaiTime;

use super::*;

const ID: &str = "01JDASHBOARD0000000000000A";

fn made(title: &str, text_bytes: usize) -> DashboardDocument {
    let widgets = (0..text_bytes.div_ceil(16_000)).map(|number| {
        let opts = [("text".to_owned(), "x".repeat(16_000).into())].into();
        let (id, kind) = (number.to_string(), "text".to_owned());
        let fields = WidgetFields { id, kind, x: 0, y: 0, w: 1, h: 1, opts };
        Widget::new(fields, "widget").expect("fits")
    });
    let new =
        NewDashboard::new(title.to_owned(), Audience::Everyone, widgets.collect()).expect("can be taken");
    let by = Signature { author: "kari".to_owned(), at: TaiTime(1) };
    DashboardDocument::create(&new, &by, RequestId([1; 16])).expect("fits")
}

async fn keep(
    store: &NodeDashboards,
    mission: &str,
    id: &str,
    document: DashboardDocument,
) -> Result<(), ProblemResponse> {
    store.edit(mission, id, Box::new(|_, _| Ok(Edited::Keep(document)))).await.map(drop)
}

async fn titles(store: &NodeDashboards, mission: &str) -> Vec<(String, String)> {
    let listed = store.list(mission).await.expect("answers");
    listed.into_iter().map(|(id, facts)| (id, facts.title)).collect()
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart_and_what_was_removed_is_not() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = NodeDashboards::open(folder.path());
    let other = "01JDASHBOARD0000000000000B";
    for (mission, id, title) in [("demo", ID, "Power"), ("demo", other, "Heat"), ("luna", ID, "Luna")] {
        keep(&store, mission, id, made(title, 0)).await.expect("kept");
    }
    let removed = store.edit(
        "demo",
        other,
        Box::new(|kept, count| {
            assert_eq!((kept.is_some(), count), (true, 2));
            Ok(Edited::Remove)
        }),
    );
    assert!(removed.await.expect("removed").is_none());
    let again = NodeDashboards::open(folder.path());
    for store in [&store, &again] {
        assert_eq!(titles(store, "demo").await, [(ID.to_owned(), "Power".to_owned())]);
        assert_eq!(titles(store, "luna").await, [(ID.to_owned(), "Luna".to_owned())]);
        let bytes = store.find("demo", ID).await.expect("answers").expect("is there");
        assert_eq!(bytes, made("Power", 0).bytes());
        assert_eq!(store.find("demo", other).await.expect("answers"), None);
        assert_eq!(store.find("apollo", ID).await.expect("answers"), None);
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(folder.path().join("dashboards/demo").join(format!("{ID}.dashboard")))
            .expect("is there")
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_is_damaged_or_not_finished_keeps_the_node_from_nothing() {
    let folder = tempfile::tempdir().expect("a directory");
    let missions = folder.path().join("dashboards/demo");
    std::fs::create_dir_all(&missions).expect("made");
    let file = missions.join(format!("{ID}.dashboard"));
    std::fs::write(&file, b"half a docu").expect("written");
    std::fs::write(missions.join("01JDASHBOARD0000000000000B.unfinished"), b"ha").expect("written");
    let folder_in_its_place = missions.join("01JDASHBOARD0000000000000D.dashboard");
    std::fs::create_dir(&folder_in_its_place).expect("made");
    let store = NodeDashboards::open(folder.path());
    assert_eq!(titles(&store, "demo").await, []);
    assert_eq!(store.find("demo", ID).await.expect("answers"), Some(b"half a docu".to_vec()));
    let counted = store.edit(
        "demo",
        "01JDASHBOARD0000000000000C",
        Box::new(|kept, count| {
            assert_eq!(
                (kept, count),
                (None, 2),
                "what cannot be read counts, what was not finished does not"
            );
            Ok(Edited::Keep(made("Heat", 0)))
        }),
    );
    counted.await.expect("kept");
    assert_eq!(std::fs::read(&file).expect("is there"), b"half a docu", "it is left as it is");
    assert!(folder_in_its_place.is_dir());
}

#[tokio::test]
async fn a_folder_that_cannot_be_one_keeps_the_node_from_nothing_but_keeping_dashboards() {
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join(DIRECTORY), b"no folder").expect("written");
    let store = NodeDashboards::open(folder.path());
    assert_eq!(titles(&store, "demo").await, []);
    let failed = keep(&store, "demo", ID, made("Heat", 0)).await.expect_err("cannot be written");
    assert_eq!(failed.code(), "STO-API-UNAVAILABLE");
}

#[tokio::test]
async fn what_is_refused_or_cannot_be_written_leaves_what_was_kept() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = NodeDashboards::open(folder.path());
    keep(&store, "demo", ID, made("Power", 0)).await.expect("kept");
    let refused = store.edit("demo", ID, Box::new(|_, _| Err(ProblemResponse::dashboard_id("taken"))));
    assert_eq!(refused.await.expect_err("is refused").code(), "STO-DASHBOARD-ID");
    // A folder stands where the file would be written first.
    let unfinished = folder.path().join("dashboards/demo").join(format!("{ID}.unfinished"));
    std::fs::create_dir(&unfinished).expect("made");
    let failed = keep(&store, "demo", ID, made("Heat", 0)).await.expect_err("cannot be written");
    assert_eq!(failed.code(), "STO-API-UNAVAILABLE");
    assert_eq!(titles(&store, "demo").await, [(ID.to_owned(), "Power".to_owned())]);
    let bytes = store.find("demo", ID).await.expect("answers").expect("is there");
    assert_eq!(bytes, made("Power", 0).bytes());
}

#[tokio::test]
async fn dashboards_leave_the_disk_to_telemetry() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = NodeDashboards::open(folder.path());
    let large = made("Large", 1_000_000);
    let fit = BYTES_MAX as usize / large.bytes().len();
    for number in 0..fit {
        keep(&store, "demo", &format!("dashboard-{number:08}"), large.clone()).await.expect("kept");
    }
    let full = keep(&store, "luna", ID, large.clone()).await.expect_err("there is no room");
    assert_eq!(full.code(), "STO-DASHBOARD-FULL");
    keep(&store, "demo", "dashboard-00000000", large).await.expect("its own place is free for it");
}
