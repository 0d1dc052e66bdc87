//! Alarms over HTTP.

use std::sync::MutexGuard;

use processing::alarm::{AlarmRules, AlarmSeverity, Piece, Place, Request as Act};
use processing::watch::DetectionRules;
use serde_json::{Value, json};

use super::*;
use crate::alarms::tests::{MemoryKeeper, at, raised};
use crate::alarms::{AlarmBook, Alarms, Answer, Keeper, RulesKind, RulesText, WantedRules};
use crate::contract::{AlarmAct, AlarmRung, AlarmSuppression, AlarmUsefulness, RulesVersion};

/// What the fixture has of alarms: a book for each mission, one alarm, one version of each sort of rules.
pub(super) struct Desk {
    pub(super) keeper: Arc<MemoryKeeper>,
    pub(super) books: [Arc<AlarmBook>; 2],
    /// Of alarms, and of detection.
    versions: [Mutex<Vec<RulesText>>; 2],
}

pub(super) fn first_piece() -> Piece {
    raised("/Demo/P", 0, AlarmSeverity::Warning, true)
}

/// The alarm that there is from the beginning.
pub(super) fn first_alarm() -> String {
    data_encoding::HEXLOWER.encode(&first_piece().alarm().0)
}

impl Default for Desk {
    fn default() -> Self {
        let keeper = Arc::new(MemoryKeeper::default());
        let book = |mission| AlarmBook::new(mission, Place::Hub, Arc::clone(&keeper) as Arc<dyn Keeper>);
        let desk = Self { books: ["demo", "luna"].map(book), keeper, versions: Default::default() };
        desk.put(&first_piece());
        for kind in [RulesKind::Alarms, RulesKind::Detection] {
            let (author, reason) = ("kari".to_owned(), "new".to_owned());
            let text = "version = 1".to_owned();
            desk.add_version(WantedRules { kind, based_on: None, text, author, reason });
        }
        desk
    }
}

impl Desk {
    pub(super) fn put(&self, piece: &Piece) {
        self.keeper.store(piece);
        self.books[0].take(piece, at(0));
    }

    fn versions(&self, kind: RulesKind) -> MutexGuard<'_, Vec<RulesText>> {
        let [alarms, detection] = &self.versions;
        let versions = match kind {
            RulesKind::Alarms => alarms,
            RulesKind::Detection => detection,
        };
        versions.lock().expect("not poisoned")
    }

    fn add_version(&self, wanted: WantedRules) -> RulesVersion {
        let WantedRules { kind, text, author, reason, .. } = wanted;
        let (document_version, problems) = kind.read(kind.file_name(), &text);
        let mut versions = self.versions(kind);
        let number = versions.len() as u32 + 1;
        let imported_at = rfc3339(at(0));
        let version = RulesVersion { number, document_version, author, reason, imported_at, problems };
        if kind == RulesKind::Alarms {
            self.books[0].set_rules(Arc::new(AlarmRules::parse(kind.file_name(), &text)));
        }
        versions.push(RulesText { version: version.clone(), text });
        version
    }
}

impl Alarms for Desk {
    fn book(&self, mission: &str) -> Option<Arc<AlarmBook>> {
        self.books.iter().find(|book| book.mission() == mission).cloned()
    }

    fn detection_rules(&self, _: &str) -> Arc<DetectionRules> {
        let versions = self.versions(RulesKind::Detection);
        versions
            .last()
            .map(|newest| DetectionRules::parse("detection.toml", &newest.text))
            .unwrap_or_default()
            .into()
    }

    fn rules<'a>(&'a self, _: &'a str, kind: RulesKind) -> Answer<'a, Vec<RulesVersion>> {
        let versions = self.versions(kind).iter().rev().map(|found| found.version.clone()).collect();
        async { Ok(versions) }.boxed()
    }

    fn rules_text<'a>(&'a self, _: &'a str, kind: RulesKind, number: u32) -> Answer<'a, Option<RulesText>> {
        let found = self.versions(kind).iter().find(|found| found.version.number == number).cloned();
        async { Ok(found) }.boxed()
    }

    fn put_rules<'a>(&'a self, _: &'a str, wanted: WantedRules) -> Answer<'a, RulesVersion> {
        let newest = self.versions(wanted.kind).last().map(|newest| newest.version.number);
        let put = if newest == wanted.based_on {
            Ok(self.add_version(wanted))
        } else {
            Err(ProblemResponse::rules_conflict("somebody was faster"))
        };
        async { put }.boxed()
    }
}

/// Somebody with a token, at a router of the fixture.
struct Person {
    router: Router,
    token: String,
}

impl Person {
    fn new(backend: &Arc<Fixture>, name: &str, role: Role) -> Self {
        let router = router(Arc::clone(backend) as Arc<dyn Backend>, CancellationToken::new());
        let principal = Principal { name: name.to_owned(), ..somebody(role, Some("demo")) };
        Self { router, token: backend.store.token(principal) }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/missions/demo/{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        let (status, _, answer) = ask(&self.router, request, &body.to_string()).await;
        (status.as_u16(), serde_json::from_str(&answer).expect("JSON"))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send("GET", path, &json!(null)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Acts on the first alarm.
    async fn act(&self, body: Value) -> (u16, Value) {
        self.send("POST", &format!("alarms/{}/acts", first_alarm()), &body).await
    }

    async fn first(&self) -> Value {
        self.get(&format!("alarms/{}", first_alarm())).await
    }
}

fn id(digit: char) -> String {
    digit.to_string().repeat(32)
}

#[tokio::test]
async fn an_operator_deals_with_an_alarm_and_a_viewer_sees_who_did_what() {
    let backend = backend();
    let (kari, guest) =
        (Person::new(&backend, "kari", Role::Operator), Person::new(&backend, "guest", Role::Viewer));
    let before = guest.first().await;
    assert_eq!(
        (&before["alarm"]["state"], &before["alarm"]["rings"]),
        (&json!("active-unacknowledged"), &json!(true))
    );
    assert_eq!(before["entries"][0]["fact"]["cause"]["seen"], 47.5);
    assert_eq!(before["entries"][0]["node"], "07".repeat(16));
    let notice = before["alarm"]["unacknowledged"][0]["entry"].clone();
    let acknowledge = json!({"act": {"acknowledge": {"notices": [notice]}}, "note": "on it", "id": id('1')});
    let (status, refused) = guest.act(acknowledge.clone()).await;
    assert_eq!((status, &refused["code"]), (403, &json!("STO-API-NOT-ALLOWED")));
    assert_eq!(guest.first().await, before);
    let (status, done) = kari.act(acknowledge.clone()).await;
    assert_eq!((status, &done["alarm"]["state"]), (200, &json!("active-acknowledged")), "{done}");
    let entry = &done["entries"][1];
    assert_eq!(entry["fact"], json!({"kind": "acknowledged", "notices": [notice]}));
    assert_eq!(
        (&entry["by"], &entry["note"], &entry["node"]),
        (&json!("kari"), &json!("on it"), &json!(null))
    );
    assert_eq!(kari.act(acknowledge.clone()).await, (200, done.clone()), "sent again, it is one act");
    assert_eq!(guest.first().await, done);
    let other = Person::new(&backend, "ola", Role::Operator);
    assert_eq!(other.act(acknowledge).await.1["code"], "STO-ALARM-ID");
}

#[tokio::test]
async fn what_an_alarm_does_not_take_is_refused_with_a_code_and_changes_nothing() {
    let backend = backend();
    let kari = Person::new(&backend, "kari", Role::Operator);
    let before = kari.first().await;
    for (act, status, code) in [
        (json!({"unshelve": {}}), 409, "STO-ALARM-ACT"),
        (json!({"reset": {}}), 409, "STO-ALARM-ACT"),
        (json!({"comment": {}}), 409, "STO-ALARM-NOTE"),
        (json!({"shelve": {"until": "2200-01-01T00:00:00Z"}}), 409, "STO-ALARM-SHELF"),
        (
            json!({"suppress": {"kind": "by-design", "order": "R1", "until": "2000-01-01T00:00:00Z"}}),
            409,
            "STO-ALARM-SUPPRESSION",
        ),
        (json!({"assign": {"to": ""}}), 409, "STO-ALARM-TEXT"),
        (json!({"assign": {"to": "x".repeat(257)}}), 409, "STO-ALARM-TEXT"),
        (json!({"shelve": {"until": "tomorrow"}}), 400, "STO-API-BAD-REQUEST"),
        (json!({"silence": {}}), 400, "STO-API-BAD-REQUEST"),
        (json!({"acknowledge": {"notice": []}}), 400, "STO-API-BAD-REQUEST"),
    ] {
        let (found, refused) = kari.act(json!({"act": act})).await;
        assert_eq!((found, &refused["code"]), (status, &json!(code)), "{act}: {refused}");
        let detail = refused["detail"].as_str().expect("text");
        assert!(!detail.contains("STO-"), "the code stands beside it: {detail}");
    }
    let (status, _) = kari.act(json!({"act": {"comment": {}}, "note": "n".repeat(40_000)})).await;
    assert_eq!(status, 413);
    for (alarm, code) in [(id('9'), "STO-ALARM-UNKNOWN"), ("nothing".to_owned(), "STO-ALARM-UNKNOWN")] {
        let path = format!("alarms/{alarm}/acts");
        let (status, refused) = kari.send("POST", &path, &json!({"act": {"comment": {}}, "note": "n"})).await;
        assert_eq!((status, &refused["code"]), (404, &json!(code)));
    }
    assert_eq!(kari.first().await, before);
}

#[tokio::test]
async fn while_the_store_does_not_answer_nothing_is_shown_as_done() {
    let backend = backend();
    let kari = Person::new(&backend, "kari", Role::Operator);
    let before = kari.first().await;
    backend.alarms.keeper.fails.store(true, Ordering::Relaxed);
    let (status, refused) = kari.act(json!({"act": {"acknowledge": {}}, "id": id('1')})).await;
    assert_eq!((status, &refused["code"]), (503, &json!("STO-API-UNAVAILABLE")));
    let several = json!({"alarms": [{"alarm": first_alarm(), "notices": [before["alarm"]["unacknowledged"][0]["entry"]]},
        {"alarm": first_alarm(), "notices": []}]});
    let (_, answer) = kari.send("POST", "alarms/acknowledge", &several).await;
    assert_eq!(answer["done"], json!([]));
    assert_eq!(answer["refused"][1]["code"], "STO-API-UNAVAILABLE", "the store is not asked again: {answer}");
    assert_eq!(kari.first().await, before);
    backend.alarms.keeper.fails.store(false, Ordering::Relaxed);
    let (status, _) = kari.act(json!({"act": {"acknowledge": {}}, "id": id('1')})).await;
    assert_eq!(status, 200, "the same act is taken later");
}

#[tokio::test]
async fn several_alarms_are_acknowledged_at_once_as_far_as_they_were_shown() {
    let backend = backend();
    let kari = Person::new(&backend, "kari", Role::Operator);
    backend.alarms.put(&raised("/Demo/Q", 5, AlarmSeverity::Critical, true));
    let listed = kari.get("alarms?open=true").await;
    let shown = listed["alarms"].as_array().expect("a list").iter().map(|alarm| {
        let notices: Vec<_> =
            alarm["unacknowledged"].as_array().expect("a list").iter().map(|found| &found["entry"]).collect();
        json!({"alarm": alarm["id"], "notices": notices})
    });
    let mut shown: Vec<_> = shown.collect();
    shown.push(json!({"alarm": id('9'), "notices": []}));
    let (status, answer) = kari.send("POST", "alarms/acknowledge", &json!({"alarms": shown})).await;
    assert_eq!((status, answer["done"].as_array().map(Vec::len)), (200, Some(2)), "{answer}");
    assert_eq!(answer["refused"][0]["code"], "STO-ALARM-UNKNOWN");
    let (_, again) = kari.send("POST", "alarms/acknowledge", &json!({"alarms": shown})).await;
    assert_eq!(again["refused"][0]["code"], "STO-ALARM-ACT", "{again}");
    assert_eq!(kari.get("alarms?state=active-unacknowledged").await["alarms"], json!([]));
    let (status, _) = kari.send("POST", "alarms/acknowledge", &json!({"alarms": []})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_list_has_what_was_asked_for_in_pages() {
    let backend = backend();
    let guest = Person::new(&backend, "guest", Role::Viewer);
    backend.alarms.put(&raised("/Demo/Hot/A", 10, AlarmSeverity::Severe, true));
    backend.alarms.put(&raised("/Demo/Hot/B", 20, AlarmSeverity::Watch, true));
    backend.alarms.put(&raised("/Demo/Hot/B", 5, AlarmSeverity::Distress, false));
    let names = |answer: &Value| {
        let alarms = answer["alarms"].as_array().expect("a list").iter();
        let name = |alarm: &Value| {
            format!(
                "{} {}",
                alarm["parameter"].as_str().expect("text"),
                alarm["worst"].as_str().expect("text")
            )
        };
        alarms.map(name).collect::<Vec<_>>()
    };
    let (late, p, a, b) =
        ("/Demo/Hot/B distress", "/Demo/P warning", "/Demo/Hot/A severe", "/Demo/Hot/B watch");
    for (query, expected) in [
        ("", vec![b, a, late, p]),
        ("?open=true", vec![b, a, p]),
        ("?open=false", vec![late]),
        ("?state=normal&state=latched", vec![late]),
        ("?at_least=distress", vec![a, late]),
        ("?parameter=/Demo/Hot", vec![b, a, late]),
        ("?detector=rate", vec![]),
        ("?limit=1&open=true", vec![b]),
    ] {
        assert_eq!(names(&guest.get(&format!("alarms{query}")).await), expected, "{query}");
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = guest.get(&format!("alarms?limit=2{cursor}")).await;
        assert_eq!((&page["open"], &page["left_out"]), (&json!(3), &json!(0)));
        seen.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [b, a, late, p]);
    for (query, told) in
        [("?state=loud", "loud"), ("?at_least=bad", "bad"), ("?cursor=AAAA", "cursor"), ("?opn=true", "opn")]
    {
        let (status, refused) = guest.send("GET", &format!("alarms{query}"), &json!(null)).await;
        assert!(status == 400 && refused.to_string().contains(told), "{query}: {refused}");
    }
}

#[tokio::test]
async fn alarms_that_belong_together_name_the_one_that_came_first() {
    let backend = backend();
    let guest = Person::new(&backend, "guest", Role::Viewer);
    let rules = "[[rule]]\nname = \"gauges\"\nparameters = [\"/Demo/Hot/*\"]\nrelated = \"heat\"\n";
    backend.alarms.books[0].set_rules(Arc::new(processing::alarm::AlarmRules::parse("alarms.toml", rules)));
    let first = raised("/Demo/Hot/A", 100, AlarmSeverity::Watch, true);
    backend.alarms.put(&first);
    backend.alarms.put(&raised("/Demo/Hot/B", 130, AlarmSeverity::Severe, true));
    let listed = guest.get("alarms").await;
    let first_out = data_encoding::HEXLOWER.encode(&first.alarm().0);
    let group = json!({"kind": "related", "relation": "heat", "first_out": first_out, "members": 2, "severity": "severe"});
    let groups: Vec<_> =
        listed["alarms"].as_array().expect("a list").iter().map(|alarm| &alarm["group"]).collect();
    assert_eq!(groups, [&group, &group, &json!(null)]);
    backend.alarms.put(&raised("/Demo/Hot/C", 140, AlarmSeverity::Watch, true));
    assert_eq!(guest.get("alarms").await["alarms"][1]["group"]["members"], 3);
    backend.alarms.books[0].set_rules(Arc::new(processing::alarm::AlarmRules::built_in()));
    assert_eq!(guest.get("alarms").await["alarms"][1]["group"], json!(null));
}

#[test]
fn acts_are_written_in_the_contract_as_the_core_reads_them() {
    let read = |act: AlarmAct| {
        let written = serde_json::to_value(act).expect("serialises");
        serde_json::from_value::<Act>(written.clone()).unwrap_or_else(|error| panic!("{written}: {error}"))
    };
    let until = || "2026-11-23T14:00:00Z".to_owned();
    let acts = [
        AlarmAct::Acknowledge { notices: Some(vec![id('a')]) },
        AlarmAct::Acknowledge { notices: None },
        AlarmAct::Assign { to: None },
        AlarmAct::Comment {},
        AlarmAct::Escalate { rung: None },
        AlarmAct::Escalate {
            rung: Some(AlarmRung { notice: id('a'), ladder: "usual".to_owned(), step: 2, round: 0 }),
        },
        AlarmAct::Judge { usefulness: AlarmUsefulness::Known },
        AlarmAct::Reset {},
        AlarmAct::Restore {},
        AlarmAct::Shelve { until: until() },
        AlarmAct::Suppress {
            kind: AlarmSuppression::OutOfService,
            until: Some(until()),
            order: "WO-12".to_owned(),
        },
        AlarmAct::Unshelve {},
    ];
    for act in acts {
        let written = serde_json::to_value(&act).expect("serialises");
        assert_eq!(serde_json::to_value(read(act)).expect("serialises"), written);
    }
}

#[tokio::test]
async fn new_rules_count_except_for_what_is_wrong_with_them_which_is_told_with_its_place() {
    let backend = backend();
    let kari = Person::new(&backend, "kari", Role::Operator);
    let text = "version = 2\n[[rule]]\nname = \"good\"\n[[rule]]\nname = \"bad\"\nat_least = \"terrible\"\n";
    let new = json!({"based_on": 1, "text": text, "reason": "summer"});
    let checked = kari.send("POST", "alarm-rules/check", &json!({"text": text})).await;
    let (status, version) = kari.send("PUT", "alarm-rules", &new).await;
    assert_eq!(
        (status, &version["number"], &version["author"]),
        (200, &json!(2), &json!("kari")),
        "{version}"
    );
    let problem = &version["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&json!(6), &json!(12)), "{version}");
    let rules = kari.get("alarm-rules").await;
    assert_eq!(rules["in_force"]["rules"], json!(["good"]));
    assert_eq!(checked, (200, rules["in_force"].clone()), "the same was told before");
    assert_eq!((rules["versions"].as_array().map(Vec::len), &rules["versions"][0]), (Some(2), &version));
    assert_eq!(kari.get("alarm-rules/2").await["text"], text);
    for number in ["3", "-1", "two"] {
        let (status, refused) = kari.send("GET", &format!("alarm-rules/{number}"), &json!(null)).await;
        assert_eq!((status, &refused["code"]), (404, &json!("STO-ALARM-RULES-UNKNOWN")));
    }
    for (body, status) in [
        (json!({"based_on": 2, "text": text, "reason": " "}), 400),
        (json!({"based_on": 2, "text": text, "reason": "a\0b"}), 400),
        (json!({"based_on": 2, "text": text}), 400),
        (json!({"based_on": 2, "text": "#".repeat(1_024 * 1_024 + 1), "reason": "large"}), 413),
        (json!({"based_on": 1, "text": "version = 3", "reason": "too late"}), 409),
        (json!({"text": "version = 3", "reason": "based on nothing"}), 409),
    ] {
        assert_eq!(kari.send("PUT", "alarm-rules", &body).await.0, status);
    }
    assert_eq!(kari.get("alarm-rules").await["versions"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn detection_rules_are_described_by_rule_and_detector_before_and_after_they_count() {
    let backend = backend();
    let kari = Person::new(&backend, "kari", Role::Operator);
    let viewer = Person::new(&backend, "vic", Role::Viewer);
    let before = kari.get("detection-rules").await;
    assert_eq!(before["in_force"], json!({"document_version": 1, "rules": [], "problems": []}));
    let text = "version = 2\n[[watch]]\nparameters = [\"/Demo/*\"]\n[[watch]]\nparameters = \"/Demo/P\"\n";
    let checked = viewer.send("POST", "detection-rules/check", &json!({"text": text})).await;
    assert_eq!(kari.get("detection-rules").await, before, "nothing was changed");
    let new = json!({"based_on": 1, "text": text, "reason": "summer"});
    assert_eq!(viewer.send("PUT", "detection-rules", &new).await.0, 403);
    let (status, version) = kari.send("PUT", "detection-rules", &new).await;
    assert_eq!((status, &version["number"], &version["problems"][0]["line"]), (200, &json!(2), &json!(5)));
    let rules = viewer.get("detection-rules").await;
    assert_eq!(checked, (200, rules["in_force"].clone()), "the same was told before");
    assert_eq!(rules["versions"], json!([version, before["versions"][0]]));
    let rule = &rules["in_force"]["rules"][0];
    assert_eq!((&rule["line"], &rule["parameters"]), (&json!(2), &json!(["/Demo/*"])));
    assert_eq!((&rule["severity"], &rule["mode"]), (&json!("warning"), &Value::Null));
    let range = json!({"detector": "range", "settings": {"margin": 0.1, "margin_min": 0.0},
        "persistence": 50, "hold": 100, "rearm": 1000});
    assert_eq!(rule["detectors"][1], range);
    assert_eq!(viewer.get("detection-rules/2").await["text"], text);
    let (status, refused) = viewer.send("GET", "detection-rules/3", &json!(null)).await;
    assert_eq!((status, &refused["code"]), (404, &json!("STO-DETECT-RULES-UNKNOWN")));
    assert_eq!(kari.send("PUT", "detection-rules", &new).await.0, 409, "there is a newer one by now");
    let large = json!({"text": "#".repeat(1_024 * 1_024 + 1)});
    assert_eq!(viewer.send("POST", "detection-rules/check", &large).await.0, 413);
}
