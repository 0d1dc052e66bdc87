//! Limits over the API: what is in force, changes, whole documents, and what changes would have raised.

use std::sync::Arc;

use cloud_hub::archive::{Archive, Documents};
use cloud_hub::missions::import;
use delivery::Way;
use serde_json::{Value, json};
use service::documents::{self, Bounds, DocumentKind, MissionDocument};
use space_packet::{TaiTime, UtcTime};

use crate::archive::with_open_session;
use crate::served::Served;
use crate::world::{SECOND, World, XTCE, chain_since, take_in};

const LIMITS: &str = "/api/v1/missions/test/limits";
const NUMBER: &str = "/Test/number";

fn document(kind: DocumentKind, file_name: &str, content: &str) -> MissionDocument {
    MissionDocument {
        kind,
        number: 0,
        effective_from: None,
        effective_to: None,
        file_name: file_name.to_owned(),
        bounds: (kind == DocumentKind::Limits).then_some(Bounds::Good),
        author: Some("Ada".to_owned()),
        reason: Some("a new sensor".to_owned()),
        content: content.to_owned(),
    }
}

/// A hub whose mission has its dictionary in the database.
struct Site {
    world: World,
    archive: Arc<Archive>,
    served: Served,
    documents: Documents,
}

impl Site {
    async fn new(world: World) -> Self {
        let documents = Documents::new(world.database.clone());
        let dictionary = document(DocumentKind::Dictionary, "test.xml", XTCE);
        import(&documents, "test", &dictionary).await.expect("imported");
        let archive = world.archive().await;
        let served = Served::new(&world, &archive).await;
        Self { world, archive, served, documents }
    }

    /// The running hub takes what was imported.
    async fn look(&self) {
        let known = self.documents.of("test").await.expect("answers");
        let dictionaries = documents::database(&known).expect("reads");
        self.archive.replace(&self.world.database, 0, dictionaries, None).await.expect("replaced");
    }

    async fn put(&self, based_on: Option<u32>, content: Value) -> (u16, Value) {
        let body = json!({ "based_on": based_on, "note": "cold \"season\"", "content": content });
        let answer = self.served.change("PUT", LIMITS, &body).await;
        self.look().await;
        answer
    }

    async fn put_changes(&self, based_on: Option<u32>, changes: Value) -> (u16, Value) {
        self.put(based_on, json!({ "kind": "changes", "changes": changes })).await
    }
}

fn warning(parameter: &str, low: f64, high: f64) -> Value {
    let range = json!({ "severity": "warning", "low": low, "high": high });
    json!({ "kind": "overlay", "parameter": parameter, "contexts": [{ "ranges": [range] }] })
}

fn ranges(limits: &Value) -> Vec<(String, Value)> {
    let of = |one: &Value| {
        (
            one["parameter"].as_str().expect("a name").to_owned(),
            one["contexts"][0]["ranges"][0]["high"].clone(),
        )
    };
    limits["limits"].as_array().expect("a list").iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_make_the_next_version_and_leave_all_else_as_it_was() {
    let site = Site::new(World::new().await).await;
    let none = site.served.json(LIMITS).await;
    assert_eq!((&none["newest"], &none["limits"], &none["versions"]), (&Value::Null, &json!([]), &json!([])));
    let csv = "parameter,yellow_high,reason\nnumber,40,\"old, but good\"\n/Test/rest,7,\n";
    let text = json!({ "kind": "document", "text": csv, "format": "csv", "bounds": "violation" });
    let (status, first) = site.put(None, text).await;
    assert_eq!((status, &first["number"], &first["author"]), (200, &json!(1), &json!("operator")), "{first}");
    let (status, second) = site.put_changes(Some(1), json!([warning("/Test/rest2", 1.0, 9.0)])).await;
    assert_eq!(
        (status, &second["number"], &second["note"]),
        (200, &json!(2), &json!("cold \"season\"")),
        "{second}"
    );

    let now = site.served.json(LIMITS).await;
    let facts = ["in_force", "newest", "bounds"].map(|name| now[name].clone());
    assert_eq!(facts, [json!(2), json!(2), json!("violation")]);
    let all = [("/Test/number", 40.0), ("/Test/rest", 7.0), ("/Test/rest2", 9.0)];
    assert_eq!(ranges(&now), all.map(|(name, high)| (name.to_owned(), json!(high))));
    let kept = &now["limits"][0]["contexts"][0];
    assert_eq!((&kept["reason"], &kept["ranges"][0]["holds_high"]), (&json!("old, but good"), &json!(false)));
    assert_eq!(now["limits"][2]["contexts"][0]["author"], "operator");
    assert_eq!(now["versions"].as_array().expect("a list").len(), 2);

    let before = site.served.json(&format!("{LIMITS}/1")).await;
    assert_eq!((&before["text"], &before["bounds"]), (&json!(csv), &json!("violation")));
    assert_eq!(ranges(&before).len(), 2, "two versions can be compared");
    let made = site.served.json(&format!("{LIMITS}/2")).await;
    assert_eq!(made["file_name"], "limits.toml");
    assert_eq!(made["limits"], now["limits"]);
    site.served.refuses(&format!("{LIMITS}/3"), 404, "STO-LIMITS-UNKNOWN").await;

    let back = json!([{ "kind": "dictionary", "parameter": NUMBER }]);
    assert_eq!(site.put_changes(Some(2), back).await.0, 200);
    let names: Vec<_> = ranges(&site.served.json(LIMITS).await).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["/Test/rest", "/Test/rest2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_by_name_and_what_somebody_else_changed_is_told() {
    let site = Site::new(World::new().await).await;
    assert_eq!(site.put_changes(None, json!([warning(NUMBER, 1.0, 9.0)])).await.0, 200);
    let refused = async |content: Value, told: &str| {
        let (status, problem) = site.put(Some(1), content).await;
        assert_eq!((status, &problem["code"]), (400, &json!("STO-LIMITS")), "{problem}");
        assert!(problem["detail"].as_str().expect("text").contains(told), "{problem}");
    };
    let changes = |changes: Value| json!({ "kind": "changes", "changes": changes });
    refused(changes(json!([warning(NUMBER, 9.0, 1.0)])), "/Test/number: warning_low (9) lies above").await;
    refused(changes(json!([warning("/Test/nothing", 1.0, 2.0)])), "\"/Test/nothing\" is not a parameter")
        .await;
    let in_context = json!([{ "kind": "overlay", "parameter": NUMBER,
                              "contexts": [{ "context": "MODE~1", "ranges": [] }] }]);
    refused(changes(in_context), "/Test/number: context \"MODE~1\" does not compare").await;
    let text = json!({ "kind": "document", "text": "parameter,high\n", "format": "csv" });
    refused(text, "limits.csv:1:11: unknown column").await;

    let theirs = json!([warning("/Test/rest", 1.0, 3.0)]);
    assert_eq!(site.put_changes(Some(1), theirs).await.0, 200);
    for based_on in [Some(1), None, Some(7)] {
        let (status, problem) = site.put_changes(based_on, json!([warning(NUMBER, 1.0, 5.0)])).await;
        assert_eq!((status, &problem["code"]), (409, &json!("STO-LIMITS-CONFLICT")), "{problem}");
        let detail = problem["detail"].as_str().expect("text");
        assert!(detail.starts_with("version 2, by operator (cold \"season\"), changed "), "{detail}");
        assert!(detail.contains("/Test/rest"), "{detail}");
    }
    let contexts: Vec<Value> =
        (0..32).map(|rest| json!({ "context": format!("rest={rest}"), "ranges": [] })).collect();
    let change = |number: usize| json!({ "kind": "overlay", "parameter": format!("/Test/p{number}"), "contexts": contexts });
    let many = json!({ "kind": "changes", "changes": (0..40).map(change).collect::<Vec<_>>() });
    let said = json!({ "based_on": 1, "note": "n".repeat(4_000), "content": many });
    let (status, problem) = site.served.change("PUT", LIMITS, &said).await;
    let detail = problem["detail"].as_str().expect("text");
    assert!(status == 413 && detail.contains("in 1280 rows"), "{status} {problem}");
    let (_, problem) = site.put_changes(Some(1), json!([warning(NUMBER, 1.0, 5.0)])).await;
    assert!(!problem["detail"].as_str().expect("text").contains(NUMBER), "{problem}");
    assert_eq!(site.served.json(LIMITS).await["newest"], 2, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_ends_where_other_limits_were_planned() {
    let site = Site::new(World::new().await).await;
    let far = "2100-01-01T00:00:00Z";
    let planned = UtcTime::parse(far).expect("a time").to_tai();
    let limits = MissionDocument {
        effective_from: Some(planned),
        ..document(DocumentKind::Limits, "limits.csv", "parameter,red_high\nnumber,5\n")
    };
    import(&site.documents, "test", &limits).await.expect("imported");
    site.look().await;
    let (status, made) = site.put_changes(Some(1), json!([warning(NUMBER, 1.0, 9.0)])).await;
    assert_eq!((status, &made["effective_to"]), (200, &json!(far)), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_what_limits_would_have_raised_and_changes_nothing() {
    let (mut world, lane) = with_open_session().await;
    world.way = Way::Live;
    let archive = world.archive().await;
    let an_hour_ago = TaiTime((service::clock::now().0 / SECOND - 3_600) * SECOND);
    let batches = chain_since(an_hour_ago, "test", 0..20, &mut None);
    let committed = world.commit(lane.key, lane.session, &batches).await.expect("committed");
    take_in(&archive, &committed);
    drop(archive);
    let site = Site::new(world).await;
    let question = |change: Value| json!({ "changes": [change], "days": 1 });
    let trial = async |change: Value| {
        let (status, trial) = site.served.change("POST", &format!("{LIMITS}/trial"), &question(change)).await;
        assert_eq!(status, 200, "{trial}");
        assert_eq!(trial["is_cut"], false);
        trial["parameters"][0].clone()
    };
    let tried = trial(warning(NUMBER, 3.0, 15.0)).await;
    assert_eq!((&tried["samples"], &tried["in_force"]["raised"]), (&json!(20), &json!(0)), "{tried}");
    let at = |second: i64| TaiTime(an_hour_ago.0 + second * SECOND).to_utc().to_string();
    assert_eq!(
        tried["proposed"],
        json!({ "raised": 2, "excursions": [{
            "severity": "warning", "count": 2, "first": at(0), "last": at(16), "total_seconds": 6.0, "worst": 19.0,
        }] })
    );
    let in_context = json!({ "kind": "overlay", "parameter": NUMBER, "persistence": 2, "contexts": [
        { "context": "rest>=0", "ranges": [{ "severity": "critical", "high": 17 }] }, { "ranges": [] },
    ] });
    let tried = trial(in_context).await;
    let excursions = &tried["proposed"]["excursions"][0];
    assert_eq!(
        (&excursions["severity"], &excursions["first"]),
        (&json!("critical"), &json!(at(19))),
        "{tried}"
    );
    assert_eq!(site.served.json(LIMITS).await["newest"], Value::Null);
    for (change, code) in
        [(warning(NUMBER, 9.0, 1.0), "STO-LIMITS"), (warning("/Test/none", 1.0, 2.0), "STO-LIMITS")]
    {
        let (status, problem) =
            site.served.change("POST", &format!("{LIMITS}/trial"), &question(change)).await;
        assert_eq!((status, &problem["code"]), (400, &json!(code)), "{problem}");
    }
}
