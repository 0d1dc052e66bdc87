//! Versions of dictionaries and limits in the database.

use cloud_hub::archive::{Documents, Imported};
use cloud_hub::missions::{ImportError, Missions, import};
use mission_database::VersionNumber;
use service::documents::{Bounds, DocumentKind, MissionDocument, Watching};
use service::mission::MissionConfig;
use space_packet::TaiTime;

use crate::world::{World, XTCE};

fn dictionary(content: &str, from: Option<i64>) -> MissionDocument {
    MissionDocument {
        kind: DocumentKind::Dictionary,
        number: 0,
        effective_from: from.map(TaiTime),
        effective_to: None,
        file_name: "new.xml".to_owned(),
        bounds: None,
        author: Some("Ada".to_owned()),
        reason: Some("a new sensor".to_owned()),
        content: content.to_owned(),
    }
}

fn limits(content: &str) -> MissionDocument {
    MissionDocument {
        kind: DocumentKind::Limits,
        file_name: "limits.csv".to_owned(),
        bounds: Some(Bounds::Good),
        ..dictionary(content, None)
    }
}

fn rules(content: &str) -> MissionDocument {
    MissionDocument {
        kind: DocumentKind::AlarmRules,
        file_name: "alarms.toml".to_owned(),
        ..dictionary(content, None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_numbered_kept_and_found_again_and_the_same_text_is_no_new_version() {
    let world = World::new().await;
    let documents = Documents::new(world.database.clone());
    let newer = XTCE.replace("name=\"Test\"", "name=\"Test\" shortDescription=\"newer\"");
    let add = async |document: &MissionDocument| import(&documents, "test", document).await;
    assert_eq!(add(&dictionary(XTCE, None)).await.expect("imported"), Imported::As(1, None));
    assert_eq!(add(&dictionary(XTCE, None)).await.expect("answered"), Imported::Known(1));
    assert_eq!(add(&dictionary(&newer, Some(7))).await.expect("imported"), Imported::As(2, Some(TaiTime(7))));
    let limited = limits("parameter,red_high\nnumber,5\n");
    let from_now = add(&limited).await.expect("imported");
    assert!(matches!(from_now, Imported::As(1, Some(_))), "{from_now:?}");
    assert_eq!(add(&limited).await.expect("answered"), Imported::Known(1));
    let other_bounds = MissionDocument { bounds: Some(Bounds::Violation), ..limited };
    assert!(matches!(add(&other_bounds).await.expect("imported"), Imported::As(2, Some(_))));
    let found = documents.of("test").await.expect("answers");
    let numbers: Vec<_> = found.iter().map(|document| (document.kind, document.number)).collect();
    assert_eq!(
        numbers,
        [
            (DocumentKind::Dictionary, 1),
            (DocumentKind::Dictionary, 2),
            (DocumentKind::Limits, 1),
            (DocumentKind::Limits, 2)
        ]
    );
    assert_eq!(found[1], MissionDocument { number: 2, ..dictionary(&newer, Some(7)) });
    assert_eq!(documents.of("another").await.expect("answers"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_document_changes_nothing_and_says_where_it_breaks() {
    let world = World::new().await;
    let documents = Documents::new(world.database.clone());
    import(&documents, "test", &dictionary(XTCE, None)).await.expect("imported");
    for (broken, place) in [
        (dictionary("<SpaceSystem name='S'>\n</Other>", None), "new.xml:2:"),
        (limits("parameter,red_high\nnothing,5\n"), "limits.csv:2:"),
        (rules("version = 1\n[[rule]]\nname = 7\n"), "alarms.toml:3:"),
    ] {
        let refused = import(&documents, "test", &broken).await.expect_err("refused");
        assert!(matches!(refused, ImportError::Document(_)));
        assert!(refused.to_string().starts_with(place), "{refused}");
    }
    assert_eq!(documents.of("test").await.expect("answers").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configured_file_comes_in_once_and_a_broken_one_leaves_the_imported_ones_in_force() {
    let world = World::new().await;
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("test.xml");
    let config: MissionConfig =
        serde_json::from_str(r#"{"name": "test", "dictionary": "test.xml"}"#).expect("it reads");
    let config_file = folder.path().join("hub.toml");
    let open = async || {
        let configs = std::slice::from_ref(&config);
        let opened = Missions::open(&world.database, &config_file, configs).await;
        opened.map(|(_, mut loaded)| loaded.remove(0))
    };
    assert!(open().await.is_err(), "there is no dictionary at all");
    for _ in 0..2 {
        std::fs::write(&file, XTCE).expect("written");
        let mission = open().await.expect("opens");
        assert_eq!(mission.decoder.database().versions().len(), 1);
        assert_eq!(mission.decoder.database().at(TaiTime(0)).version, VersionNumber(1));
    }
    std::fs::write(&file, XTCE.replace("\"rest2\"", "\"third\"")).expect("written");
    let mission = open().await.expect("opens");
    let database = mission.decoder.database();
    assert_eq!(database.at(TaiTime(0)).version, VersionNumber(1), "what was made before is read as before");
    assert_eq!(database.newest().version, VersionNumber(2));
    std::fs::write(&file, "<SpaceSystem").expect("written");
    let mission = open().await.expect("opens");
    assert_eq!(mission.decoder.database().versions().len(), 2);
    assert!(mission.problem.is_some_and(|problem| problem.starts_with("test.xml:1:")));
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_rules_become_versions_and_broken_ones_leave_those_before() {
    let world = World::new().await;
    let folder = tempfile::tempdir().expect("a directory");
    std::fs::write(folder.path().join("test.xml"), XTCE).expect("written");
    let config: MissionConfig =
        serde_json::from_str(r#"{"name": "test", "dictionary": "test.xml", "alarms": "alarms.toml"}"#)
            .expect("it reads");
    let newest = async || {
        let configs = std::slice::from_ref(&config);
        let opened = Missions::open(&world.database, &folder.path().join("hub.toml"), configs).await;
        let documents = opened.expect("opens").0.documents_of("test").expect("configured");
        Watching::of(&documents).alarm_rules.map(|rules| (rules.number, rules.content))
    };
    assert_eq!(newest().await, None, "there is no file");
    for (content, number) in
        [("version = 1", 1), ("version = 1", 1), ("version = 2", 2), ("[[rule]]\nname = 7\n", 2)]
    {
        std::fs::write(folder.path().join("alarms.toml"), content).expect("written");
        let expected = (number, if number == 1 { "version = 1" } else { "version = 2" }.to_owned());
        assert_eq!(newest().await, Some(expected), "{content}");
    }
}
