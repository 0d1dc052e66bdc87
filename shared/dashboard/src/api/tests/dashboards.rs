//! Dashboards that people keep, over HTTP.

use std::collections::BTreeMap;

use operator_state::{DashboardDocument, Facts};
use serde_json::{Value, json};

use super::*;
use crate::dashboards::{Answer, DashboardStore, Edit, Edited};

const ID: &str = "01JDASHBOARD0000000000000A";

/// Keeps documents in memory, by mission and id.
#[derive(Default)]
pub(super) struct Shelf(Mutex<BTreeMap<(String, String), Vec<u8>>>);

impl Shelf {
    fn place(mission: &str, id: &str) -> (String, String) {
        (mission.to_owned(), id.to_owned())
    }
}

impl DashboardStore for Shelf {
    fn list<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<(String, Facts)>> {
        let kept = self.0.lock().expect("not poisoned");
        let of_mission = kept.iter().filter(|((of, _), _)| of == mission);
        let facts = of_mission.filter_map(|((_, id), document)| {
            let document = DashboardDocument::load(document.clone()).ok()?;
            Some((id.clone(), document.content().facts()))
        });
        let facts = facts.collect();
        async { Ok(facts) }.boxed()
    }

    fn find<'a>(&'a self, mission: &'a str, id: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        let found = self.0.lock().expect("not poisoned").get(&Self::place(mission, id)).cloned();
        async { Ok(found) }.boxed()
    }

    fn edit<'a>(
        &'a self,
        mission: &'a str,
        id: &'a str,
        edit: Edit,
    ) -> Answer<'a, Option<DashboardDocument>> {
        let mut kept = self.0.lock().expect("not poisoned");
        let (place, count) = (Self::place(mission, id), kept.len());
        let edited = edit(kept.get(&place).cloned(), count).map(|edited| match edited {
            Edited::Keep(document) => {
                kept.insert(place, document.bytes().to_vec());
                Some(document)
            }
            Edited::Leave(document) => Some(document),
            Edited::Remove => {
                kept.remove(&place);
                None
            }
        });
        async { edited }.boxed()
    }
}

/// Somebody with a token, at a router of the fixture.
struct Person {
    router: Router,
    token: String,
}

impl Person {
    fn new(backend: &Arc<Fixture>, name: &str, role: Role, mission: Option<&str>) -> Self {
        let router = router(Arc::clone(backend) as Arc<dyn Backend>, CancellationToken::new());
        let principal = Principal { name: name.to_owned(), ..somebody(role, mission) };
        Self { router, token: backend.store.token(principal) }
    }

    /// An operator of the mission.
    fn operator(backend: &Arc<Fixture>, name: &str) -> Self {
        Self::new(backend, name, Role::Operator, Some("demo"))
    }

    async fn ask(&self, method: &str, path: &str, body: &Value, tag: &str) -> (u16, HeaderMap, String) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/missions/demo/dashboards{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_NONE_MATCH, tag)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        let (status, headers, answer) = ask(&self.router, request, &body.to_string()).await;
        (status.as_u16(), headers, answer)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (status, _, answer) = self.ask(method, path, &body, "").await;
        (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
    }

    async fn create(&self, audience: &str, widgets: Value) -> Value {
        let body = json!({"id": ID, "title": "Power", "audience": audience, "widgets": widgets});
        let (status, answer) = self.send("POST", "", body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn change(&self, digit: char, base: &Value, mut change: Value) -> (u16, Value) {
        change["id"] = digit.to_string().repeat(32).into();
        change["base"] = base["heads"].clone();
        self.send("POST", &format!("/{ID}/changes"), change).await
    }

    /// What a request is refused with.
    async fn refusal(&self, method: &str, path: &str, body: Value) -> (u16, String, String) {
        let (status, answer) = self.send(method, path, body).await;
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        (status, text("code"), text("detail"))
    }
}

fn widget(id: &str, shows: &str) -> Value {
    json!({"id": id, "kind": "value-tile", "x": 0, "y": 0, "w": 4, "h": 2, "opts": {"parameter": shows}})
}

/// Who put what into a widget of an answer.
fn copies(dashboard: &Value, id: &str) -> Vec<(String, String)> {
    let widgets = dashboard["widgets"].as_array().expect("a list");
    let found = widgets.iter().find(|widget| widget["id"] == id).expect("is there");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let copies = found["copies"].as_array().expect("a list").iter();
    copies.map(|copy| (text(&copy["author"]), text(&copy["widget"]["opts"]["parameter"]))).collect()
}

fn of(author: &str, shows: &str) -> (String, String) {
    (author.to_owned(), shows.to_owned())
}

#[tokio::test]
async fn what_two_people_change_at_the_same_time_is_all_there_and_a_conflict_is_shown_until_it_is_settled() {
    let backend = backend();
    let (kari, ola) = (Person::operator(&backend, "kari"), Person::operator(&backend, "ola"));
    let base = kari.create("operators", json!([widget("a", "/A"), widget("b", "/B")])).await;
    assert_eq!(ola.send("GET", &format!("/{ID}"), Value::Null).await, (200, base.clone()));
    let (status, first) = kari.change('1', &base, json!({"put": [widget("a", "/K")], "title": "Heat"})).await;
    assert_eq!((status, &first["title"], &first["changed_by"]), (200, &json!("Heat"), &json!("kari")));
    let put = json!({"put": [widget("a", "/O"), widget("c", "/C")], "remove": ["b"]});
    let (status, merged) = ola.change('2', &base, put.clone()).await;
    assert_eq!(status, 200, "{merged}");
    assert_eq!(copies(&merged, "a"), [of("ola", "/O"), of("kari", "/K")]);
    assert_eq!((copies(&merged, "c"), &merged["title"]), (vec![of("ola", "/C")], &json!("Heat")));
    assert_eq!(ola.change('2', &base, put).await, (200, merged.clone()), "sent again, it is one change");
    let (status, refused) = ola.change('2', &base, json!({"remove": ["a"]})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("STO-DASHBOARD-ID")));
    let (_, listed) = ola.send("GET", "", Value::Null).await;
    let expected = json!({"dashboards": [{
        "id": ID, "title": "Heat", "author": "kari", "audience": "operators", "changed_by": "ola",
        "changed_at": merged["changed_at"], "widgets": 2, "conflicts": 1,
    }]});
    assert_eq!(listed, expected);
    let (_, settled) = kari.change('3', &merged, json!({"put": [widget("a", "/K")]})).await;
    assert_eq!(copies(&settled, "a"), [of("kari", "/K")]);
}

#[tokio::test]
async fn whoever_may_not_see_a_dashboard_is_answered_as_if_there_were_none() {
    let backend = backend();
    let kari = Person::operator(&backend, "kari");
    let others = [
        (Person::operator(&backend, "ola"), ["operators", "everyone"].as_slice()),
        (Person::new(&backend, "root", Role::Operator, None), &["operators", "everyone"]),
        (Person::new(&backend, "guest", Role::Viewer, Some("demo")), &["everyone"]),
    ];
    let (path, absent) = (format!("/{ID}"), "/01JNOTHING00000000000000ZZ");
    let mut base = kari.create("author", json!([widget("a", "/A")])).await;
    for (number, audience) in ["author", "operators", "everyone"].into_iter().enumerate() {
        let digit = char::from(b'1' + number as u8);
        (_, base) = kari.change(digit, &base, json!({"audience": audience})).await;
        assert_eq!(base["audience"], audience);
        for (person, seen) in &others {
            let sees = seen.contains(&audience);
            for leaf in ["", "/export"] {
                let there = person.ask("GET", &format!("{path}{leaf}"), &Value::Null, "").await;
                let nothing = person.ask("GET", &format!("{absent}{leaf}"), &Value::Null, "").await;
                if sees {
                    assert_eq!(there.0, 200, "{audience}");
                } else {
                    assert_eq!((there.0, there.2), (404, nothing.2.replace(&absent[1..], ID)), "{audience}");
                }
            }
            let listed = person.send("GET", "", Value::Null).await.1;
            assert_eq!(listed["dashboards"].as_array().map(Vec::len), Some(usize::from(sees)), "{audience}");
        }
        let ola = &others[0].0;
        let (status, _) = ola.change(char::from(b'a' + number as u8), &base, json!({})).await;
        assert_eq!(status, if audience == "author" { 404 } else { 200 });
        let (status, _) = ola.send("DELETE", &path, Value::Null).await;
        assert_eq!(status, if audience == "author" { 404 } else { 403 }, "it is Kari's");
    }
    let guest = &others[2].0;
    let base = kari.send("GET", &path, Value::Null).await.1;
    for (method, path, body) in [
        ("POST", String::new(), json!({"id": ID, "title": "Mine", "widgets": []})),
        ("POST", format!("{path}/changes"), json!({"id": "0".repeat(32), "base": base["heads"]})),
        ("DELETE", path.clone(), Value::Null),
    ] {
        assert_eq!(guest.refusal(method, &path, body).await.1, "STO-API-NOT-ALLOWED");
    }
}

#[tokio::test]
async fn who_sees_a_dashboard_and_whether_there_is_one_its_author_decides_or_who_looks_after_all_missions() {
    let backend = backend();
    let (kari, ola) = (Person::operator(&backend, "kari"), Person::operator(&backend, "ola"));
    let root = Person::new(&backend, "root", Role::Operator, None);
    let base = kari.create("operators", json!([])).await;
    let (status, refused) = ola.change('1', &base, json!({"audience": "everyone"})).await;
    assert_eq!((status, &refused["code"]), (403, &json!("STO-API-NOT-ALLOWED")));
    // Whoever sends what is there already wants nothing else.
    assert_eq!(ola.change('2', &base, json!({"audience": "operators"})).await.0, 200);
    assert_eq!(root.change('3', &base, json!({"audience": "everyone"})).await.0, 200);
    for person in [&kari, &root] {
        assert_eq!(person.send("DELETE", &format!("/{ID}"), Value::Null).await.0, 204);
        assert_eq!(person.refusal("DELETE", &format!("/{ID}"), Value::Null).await.1, "STO-DASHBOARD-UNKNOWN");
        kari.create("operators", json!([])).await;
    }
}

#[tokio::test]
async fn a_dashboard_goes_out_as_a_file_and_comes_in_again() {
    let backend = backend();
    let kari = Person::operator(&backend, "kari");
    kari.create("author", json!([widget("a", "</script>\u{202e}"), widget("b", "/B")])).await;
    let (status, headers, text) = kari.ask("GET", &format!("/{ID}/export"), &Value::Null, "").await;
    assert_eq!(status, 200);
    let disposition = format!("attachment; filename=\"demo_{ID}.dashboard.json\"");
    assert_eq!(headers[header::CONTENT_DISPOSITION], disposition.as_str());
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    let widgets = json!([widget("a", "</script>\u{202e}"), widget("b", "/B")]);
    assert_eq!(file, json!({"format": "sto-dashboard", "version": 1, "title": "Power", "widgets": widgets}));
    file["id"] = "01JDASHBOARD0000000000000B".into();
    let ola = Person::operator(&backend, "ola");
    let (status, copy) = ola.send("POST", "", file.clone()).await;
    assert_eq!((status, &copy["author"], &copy["audience"]), (200, &json!("ola"), &json!("author")));
    assert_eq!(
        ola.send("POST", "", file.clone()).await,
        (200, copy.clone()),
        "sent again, it is one dashboard"
    );
    file["title"] = "Heat".into();
    assert_eq!(ola.refusal("POST", "", file.clone()).await.1, "STO-DASHBOARD-ID");
    assert_eq!(kari.refusal("POST", "", file).await.1, "STO-DASHBOARD-ID");
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_by_its_place() {
    let backend = backend();
    let kari = Person::operator(&backend, "kari");
    let good = json!({"id": ID, "title": "Power", "widgets": [widget("a", "/A"), widget("b", "/B")]});
    let check = async |change: fn(&mut Value), status: u16, code: &str, told: &str| {
        let mut file = good.clone();
        change(&mut file);
        let refused = kari.refusal("POST", "", file).await;
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{}", refused.2);
        assert!(refused.2.contains(told), "{told}: {}", refused.2);
    };
    let (file, body) = ("STO-DASHBOARD-FILE", "STO-API-BAD-REQUEST");
    check(|new| new["widgets"][1]["w"] = 30.into(), 400, file, "widgets[1].w is 30; taken is 1 to 24").await;
    check(|new| new["widgets"][1]["id"] = "a".into(), 400, file, "widgets[1].id is \"a\"").await;
    check(|new| new["widgets"][0]["kind"] = "<b>".into(), 400, file, "widgets[0].kind is \"<b>\"").await;
    check(|new| new["title"] = "".into(), 400, file, "title is \"\"").await;
    check(|new| new["id"] = "../../etc/passwd".into(), 400, file, "id is \"../../etc/passwd\"").await;
    check(
        |new| new["format"] = "grafana".into(),
        400,
        file,
        "format is \"grafana\"; taken is \"sto-dashboard\"",
    )
    .await;
    check(|new| new["version"] = 2.into(), 400, file, "version is \"2\"; taken is 1").await;
    check(|new| new["widgets"][1]["x"] = (-1).into(), 400, body, "widgets[1].x: invalid value").await;
    check(|new| new["widgets"][1]["z"] = 1.into(), 400, body, "widgets[1].z: unknown field `z`").await;
    check(|new| new["widgets"][0]["opts"] = json!([]), 400, body, "widgets[0].opts: invalid type").await;
    check(|new| new["audience"] = "all".into(), 400, body, "audience: unknown variant `all`").await;
    let opts = json!({"text": "x".repeat(2 * 1_024 * 1_024)});
    let mut large = good.clone();
    large["widgets"][0]["opts"] = opts;
    assert_eq!(kari.refusal("POST", "", large).await.1, "STO-API-TOO-LARGE");
    let many: Vec<Value> = (0..201).map(|number| widget(&number.to_string(), "/A")).collect();
    let many = json!({"id": ID, "title": "Power", "widgets": many});
    let told = kari.refusal("POST", "", many).await.2;
    assert!(told.starts_with("widgets is 201; taken is at most 200 widgets"), "{told}");
    assert_eq!(kari.send("GET", "", Value::Null).await.1, json!({"dashboards": []}));
    kari.create("author", json!([])).await;
    for (change, told) in [
        (json!({"id": "1", "base": ""}), "id is \"1\""),
        (json!({"id": "0".repeat(32), "base": "latest"}), "base is \"latest\""),
        (json!({"id": "0".repeat(32), "base": "", "put": [widget("<", "/A")]}), "put[0].id is \"<\""),
        (json!({"id": "0".repeat(32), "base": "", "remove": ["a b"]}), "remove[0] is \"a b\""),
    ] {
        let refused = kari.refusal("POST", &format!("/{ID}/changes"), change).await;
        assert!(refused.1 == file && refused.2.contains(told), "{refused:?}");
    }
}

#[tokio::test]
async fn an_open_page_learns_of_a_change_by_its_tag() {
    let backend = backend();
    let kari = Person::operator(&backend, "kari");
    let base = kari.create("author", json!([])).await;
    for path in [String::new(), format!("/{ID}")] {
        let (_, headers, _) = kari.ask("GET", &path, &Value::Null, "").await;
        let tag = headers[header::ETAG].to_str().expect("text").to_owned();
        assert_eq!(kari.ask("GET", &path, &Value::Null, &tag).await.0, 304);
        let digit = if path.is_empty() { '1' } else { '2' };
        assert_eq!(kari.change(digit, &base, json!({"title": format!("Heat {digit}")})).await.0, 200);
        assert_eq!(kari.ask("GET", &path, &Value::Null, &tag).await.0, 200);
    }
}

#[tokio::test]
async fn a_mission_keeps_so_many_dashboards_and_says_when_it_has_them() {
    let backend = backend();
    let kari = Person::operator(&backend, "kari");
    let new = |number: usize| json!({"id": format!("dashboard-{number:08}"), "title": "T", "widgets": []});
    for number in 0..200 {
        assert_eq!(kari.send("POST", "", new(number)).await.0, 200, "{number}");
    }
    let (status, code, detail) = kari.refusal("POST", "", new(200)).await;
    assert_eq!((status, code.as_str()), (409, "STO-DASHBOARD-FULL"), "{detail}");
    assert_eq!(kari.send("POST", "", new(7)).await.0, 200, "one that is there is no further one");
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_told_and_only_removed_by_who_looks_after_all_missions() {
    let backend = backend();
    let kari = Person::operator(&backend, "kari");
    kari.create("everyone", json!([])).await;
    let place = Shelf::place("demo", ID);
    backend.dashboards.0.lock().expect("not poisoned").insert(place, b"nothing of ours".to_vec());
    let (path, root) = (format!("/{ID}"), Person::new(&backend, "root", Role::Operator, None));
    let (status, code, detail) = kari.refusal("GET", &path, Value::Null).await;
    assert_eq!((status, code.as_str()), (500, "STO-DASHBOARD-DAMAGED"), "{detail}");
    assert_eq!(kari.refusal("DELETE", &path, Value::Null).await.1, "STO-DASHBOARD-DAMAGED");
    assert_eq!(root.send("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(root.refusal("GET", &path, Value::Null).await.0, 404);
}
