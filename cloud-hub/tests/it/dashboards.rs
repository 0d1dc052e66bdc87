//! Dashboards in the database, of one hub and of two.

use std::sync::{Arc, Barrier};

use cloud_hub::archive::{DashboardTable, Database};
use dashboard::ProblemResponse;
use dashboard::dashboards::{DashboardStore, Edit, Edited};
use operator_state::{
    Audience, Change, DashboardDocument, NewDashboard, RequestId, Signature, Widget, WidgetFields,
};
use serde_json::json;
use space_packet::TaiTime;

use crate::database::migrated;
use crate::served::Served;
use crate::world::World;

const ID: &str = "01JDASHBOARD0000000000000A";

fn by(author: &str, at: i64) -> Signature {
    Signature { author: author.to_owned(), at: TaiTime(at) }
}

fn widget(id: &str, shows: &str) -> Widget {
    let (id, kind) = (id.to_owned(), "gauge".to_owned());
    let opts = [("parameter".to_owned(), shows.into())].into();
    Widget::new(WidgetFields { id, kind, x: 0, y: 0, w: 4, h: 2, opts }, "widget").expect("fits")
}

fn made(title: &str) -> DashboardDocument {
    let new = NewDashboard::new(title.to_owned(), Audience::Operators, vec![widget("a", "/A")]);
    DashboardDocument::create(&new.expect("can be taken"), &by("kari", 1), RequestId([1; 16])).expect("fits")
}

fn keep(document: DashboardDocument) -> Edit {
    Box::new(|_, _| Ok(Edited::Keep(document)))
}

/// Puts a widget into what is kept then, as somebody who has seen no more than `base`.
fn put(base: &DashboardDocument, author: &str, request: u8, shows: &str) -> Edit {
    let (heads, by) = (base.heads(), by(author, i64::from(request)));
    let change = Change::new(vec![widget("a", shows)], vec![], None, None).expect("can be taken");
    Box::new(move |kept, _| {
        let document = DashboardDocument::load(kept.expect("is there")).expect("reads");
        let changed = document.changed(&change, &heads, &by, RequestId([request; 16])).expect("merges");
        Ok(changed.map_or(Edited::Leave(document), Edited::Keep))
    })
}

fn copies(document: &DashboardDocument) -> Vec<&str> {
    document.content().widgets["a"].iter().map(|copy| copy.by.author.as_str()).collect()
}

async fn found(table: &DashboardTable, mission: &str) -> Option<DashboardDocument> {
    let bytes = table.find(mission, ID).await.expect("answers")?;
    Some(DashboardDocument::load(bytes).expect("reads"))
}

fn hubs(database: &Database) -> [Arc<DashboardTable>; 2] {
    [(); 2].map(|()| Arc::new(DashboardTable::new(database.clone())))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_at_one_hub_is_there_at_the_other_and_in_no_other_mission() {
    let (_postgres, database) = migrated().await;
    let [one, other] = hubs(&database);
    one.edit("test", ID, keep(made("Power"))).await.expect("kept");
    one.edit("luna", ID, keep(made("Luna"))).await.expect("kept");
    let listed = other.list("test").await.expect("answers");
    assert_eq!(listed, [(ID.to_owned(), made("Power").content().facts())]);
    assert_eq!(found(&other, "test").await.expect("is there").bytes(), made("Power").bytes());
    assert!(found(&other, "apollo").await.is_none());
    let removed = other.edit(
        "test",
        ID,
        Box::new(|kept, _| {
            assert!(kept.is_some());
            Ok(Edited::Remove)
        }),
    );
    assert!(removed.await.expect("is removed").is_none());
    assert!(found(&one, "test").await.is_none());
    assert_eq!(found(&one, "luna").await.expect("is there").content().title, "Luna");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_at_two_hubs_at_the_same_time_lose_nothing() {
    let (_postgres, database) = migrated().await;
    let [one, other] = hubs(&database);
    let base = made("Power");
    one.edit("test", ID, keep(base.clone())).await.expect("kept");
    // The first has the row when the second begins.
    let begun = Arc::new(Barrier::new(2));
    let (first, at_first) = (put(&base, "kari", 2, "/K"), Arc::clone(&begun));
    let first = tokio::spawn(async move {
        let edit: Edit = Box::new(move |kept, count| {
            at_first.wait();
            first(kept, count)
        });
        one.edit("test", ID, edit).await.map(drop)
    });
    let wait = Arc::clone(&begun);
    tokio::task::spawn_blocking(move || wait.wait()).await.expect("the first has the row");
    let merged = other.edit("test", ID, put(&base, "ola", 3, "/O")).await.expect("kept").expect("is there");
    first.await.expect("runs").expect("kept");
    assert_eq!(copies(&merged), ["ola", "kari"]);
    assert_eq!(copies(&found(&other, "test").await.expect("is there")), ["ola", "kari"]);
    let (_, facts) = other.list("test").await.expect("answers").remove(0);
    assert_eq!((facts.conflicts, facts.changed), (1, by("ola", 3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_make_dashboards_at_once_each_counts_those_before_it() {
    let (_postgres, database) = migrated().await;
    let hubs = hubs(&database);
    let make = |number: usize| {
        let hub = Arc::clone(&hubs[number % 2]);
        tokio::spawn(async move {
            let edit: Edit = Box::new(|kept, count| {
                assert!(kept.is_none());
                if count >= 5 {
                    Err(ProblemResponse::dashboard_full("5"))
                } else {
                    Ok(Edited::Keep(made("T")))
                }
            });
            hub.edit("test", &format!("dashboard-{number:08}"), edit).await.is_ok()
        })
    };
    let mut kept = 0;
    for made in (0..12).map(make).collect::<Vec<_>>() {
        kept += usize::from(made.await.expect("runs"));
    }
    assert_eq!(kept, 5);
    assert_eq!(hubs[0].list("test").await.expect("answers").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_the_dashboard_and_the_connection_as_they_were() {
    let (_postgres, database) = migrated().await;
    let [table, _] = hubs(&database);
    table.edit("test", ID, keep(made("Power"))).await.expect("kept");
    // More often than there are connections.
    for _ in 0..20 {
        let refused = table.edit("test", ID, Box::new(|_, _| Err(ProblemResponse::dashboard_id("taken"))));
        assert_eq!(refused.await.expect_err("is refused").code(), "STO-DASHBOARD-ID");
    }
    assert_eq!(found(&table, "test").await.expect("is there").bytes(), made("Power").bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_keeps_dashboards_over_http() {
    let world = World::new().await;
    let archive = world.archive().await;
    let served = Served::new(&world, &archive).await;
    let path = "/api/v1/missions/test/dashboards";
    let new = json!({"id": ID, "title": "Power", "audience": "everyone", "widgets": []});
    let (status, made) = served.change("POST", path, &new).await;
    assert_eq!((status, &made["author"]), (200, &json!("operator")), "{made}");
    let widget = json!({"id": "a", "kind": "gauge", "x": 0, "y": 0, "w": 4, "h": 2, "opts": {}});
    let change = json!({"id": "0".repeat(32), "base": made["heads"], "put": [widget]});
    let (status, changed) = served.change("POST", &format!("{path}/{ID}/changes"), &change).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(served.json(&format!("{path}/{ID}")).await, changed);
    assert_eq!(served.json(path).await["dashboards"][0]["widgets"], 1);
    assert_eq!(served.json(&format!("{path}/{ID}/export")).await["widgets"], json!([widget]));
}
