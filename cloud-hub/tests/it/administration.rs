//! Each act of an administrator once, by HTTP at a hub that runs: what it changes, what it writes down, what it keeps to
//! itself.

use std::path::Path;

use provisioning::{EnrollOptions, Identity, enroll};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::direct_world::{DICTIONARY, HubWorld};

/// Somebody at a hub's API.
struct Asker {
    http: reqwest::Client,
    address: String,
    token: String,
}

impl Asker {
    async fn send(&self, method: Method, path: &str, body: Option<String>) -> (StatusCode, String) {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await.expect("answers");
        (answer.status(), answer.text().await.expect("a body"))
    }

    async fn get(&self, path: &str) -> Value {
        self.does(Method::GET, path, &Value::Null).await
    }

    /// Does something; its answer.
    async fn does(&self, method: Method, path: &str, body: &Value) -> Value {
        let sent = (!body.is_null()).then(|| body.to_string());
        let (status, answer) = self.send(method, path, sent).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }

    async fn is_refused(&self, method: Method, path: &str, body: &Value, status: u16, code: &str) {
        let sent = (!body.is_null()).then(|| body.to_string());
        let (found, answer) = self.send(method, path, sent).await;
        assert_eq!(found.as_u16(), status, "{path}: {answer}");
        assert!(answer.contains(code), "{path}: {answer}");
    }

    /// The same with another secret.
    fn with(&self, token: &str) -> Self {
        Self { http: self.http.clone(), address: self.address.clone(), token: token.to_owned() }
    }

    /// Texts of the hub's events with a code, newest first.
    async fn events(&self, code: &str) -> Vec<String> {
        let events = self.get(&format!("events?code={code}")).await;
        let events = events["events"].as_array().expect("a list");
        events.iter().map(|event| event["text"].as_str().expect("text").to_owned()).collect()
    }
}

/// A hub, and an administrator with a program's token that the command line made.
async fn hub() -> (HubWorld, Asker) {
    let world = HubWorld::start("").await;
    let made = world.command(&["api-token", "add", "kari", "--role", "operator"]).await.expect("a token");
    let asker = Asker {
        http: reqwest::Client::new(),
        address: world.http().to_owned(),
        token: made.trim().to_owned(),
    };
    (world, asker)
}

/// Tries to enrol a machine.
async fn enrol(token: &str, place: &Path) -> bool {
    let options = EnrollOptions::new(place.to_owned(), "rack 7".to_owned());
    enroll(token, &options).await.is_ok()
}

/// Nothing that was shown once is in an event or in the log.
async fn check_secrets(world: &HubWorld, kari: &Asker, secrets: &[&str]) {
    let events = kari.get("events?limit=1000").await.to_string();
    let log = world.log();
    for secret in secrets {
        assert!(secret.len() > 8, "{secret:?} would be found by chance");
        assert!(!events.contains(secret) && !log.contains(secret), "{secret} was told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_enrolled_given_missions_and_revoked_with_the_name_of_who_did_it() {
    let (world, kari) = hub().await;
    let folder = tempfile::tempdir().expect("a directory");
    let wanted = json!({"node": "gs-7", "site": "Troll", "hours": 24, "missions": ["demo"]});
    let made = kari.does(Method::POST, "enrolment-tokens", &wanted).await;
    let text = made["text"].as_str().expect("a token");
    assert_eq!((&made["token"]["state"], &made["token"]["made_by"]), (&json!("unused"), &json!("kari")));
    assert!(enrol(text, folder.path()).await, "the token says where the hub is, and enrols");
    let listed = kari.get("enrolment-tokens").await;
    assert_eq!((&listed["tokens"][0]["state"], &listed["more"]), (&json!("used"), &json!(false)), "{listed}");
    assert_eq!(listed["tokens"][0]["used_host"], "rack 7");
    assert!(!listed.to_string().contains("STO1-"), "{listed}");

    let node = kari.get("nodes/gs-7").await;
    let identity = Identity::load(folder.path()).expect("reads").expect("is enrolled");
    assert_eq!(node["node"]["id"], identity.node_id.to_string());
    assert_eq!((&node["node"]["site"], &node["node"]["state"]), (&json!("Troll"), &json!("never-connected")));
    assert_eq!((&node["missions"], &node["enrolled_host"]), (&json!(["demo"]), &json!("rack 7")), "{node}");
    assert!((88..=90).contains(&node["certificate_days"].as_i64().expect("days")), "{node}");
    assert_eq!((&node["is_built_in"], &node["logs"]), (&json!(false), &json!([])), "{node}");
    let missions = "nodes/gs-7/missions";
    let node = kari.does(Method::PUT, missions, &json!({"missions": null})).await;
    assert_eq!(node["missions"], Value::Null);
    let moon = json!({"missions": ["moon"]});
    kari.is_refused(Method::PUT, missions, &moon, 404, "STO-API-UNKNOWN-MISSION").await;
    let node = kari.does(Method::PUT, missions, &json!({"missions": []})).await;
    assert_eq!(node["missions"], json!([]), "none at all");

    let reason = json!({"reason": "stolen from the rack"});
    let node = kari.does(Method::POST, "nodes/gs-7/revoke", &reason).await;
    assert_eq!(node["node"]["state"], "revoked");
    let told: Vec<_> =
        node["events"].as_array().expect("a list").iter().map(|event| &event["text"]).collect();
    assert_eq!(
        told,
        [
            "kari revoked gs-7: stolen from the rack",
            "kari lets gs-7 send for no mission",
            "kari lets gs-7 send for all missions",
        ]
    );
    kari.is_refused(Method::POST, "nodes/gs-8/revoke", &reason, 404, "STO-API-UNKNOWN-NODE").await;
    kari.is_refused(Method::GET, "nodes/gs-8", &Value::Null, 404, "STO-API-UNKNOWN-NODE").await;
    world.command(&["node", "missions", "gs-7", "--all"]).await.expect("done by the command line");
    let newest = kari.events("STO-ADMIN-NODE").await.swap_remove(0);
    assert_eq!(newest, "the hub's command line lets gs-7 send for all missions");
    check_secrets(&world, &kari, &[text, &kari.token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_token_that_was_ended_enrols_nothing() {
    let (world, kari) = hub().await;
    let folder = tempfile::tempdir().expect("a directory");
    let wanted = json!({"node": "gs-8", "site": "here", "hours": 1});
    let made = kari.does(Method::POST, "enrolment-tokens", &wanted).await;
    let text = made["text"].as_str().expect("a token");
    let id = made["token"]["id"].as_str().expect("an id");
    let path = format!("enrolment-tokens/{id}");
    kari.does(Method::DELETE, &path, &Value::Null).await;
    assert!(!enrol(text, folder.path()).await);
    kari.is_refused(Method::DELETE, &path, &Value::Null, 409, "STO-ADMIN-TOKEN-OVER").await;
    let other = format!("enrolment-tokens/{}", "0".repeat(32));
    kari.is_refused(Method::DELETE, &other, &Value::Null, 404, "STO-ADMIN-TOKEN-UNKNOWN").await;
    assert_eq!(kari.get("enrolment-tokens").await["tokens"][0]["state"], "ended");
    for (field, wrong) in [("node", ""), ("node", "a\nb"), ("site", ""), ("site", &"x".repeat(65))] {
        let mut wanted = wanted.clone();
        wanted[field] = json!(wrong);
        kari.is_refused(Method::POST, "enrolment-tokens", &wanted, 400, "STO-ADMIN-TEXT").await;
    }
    assert_eq!(kari.get("enrolment-tokens").await["tokens"].as_array().map(Vec::len), Some(1));
    let events = kari.events("STO-ADMIN-ENROLMENT").await;
    assert_eq!(events[0], format!("kari ended the token {id} that would have enrolled gs-8"));
    let made = format!("kari made the token {id} that enrols gs-8 of here, for all missions, good until ");
    assert!(events[1].starts_with(&made), "{}", events[1]);
    check_secrets(&world, &kari, &[text]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_programs_token_is_shown_once_works_and_is_refused_as_soon_as_it_is_revoked() {
    let (world, kari) = hub().await;
    let wanted = json!({"name": "grafana", "role": "viewer", "missions": ["demo"], "days": 90});
    let made = kari.does(Method::POST, "api-tokens", &wanted).await;
    let grafana = kari.with(made["text"].as_str().expect("a token"));
    assert_eq!(grafana.get("session").await["principal"], "grafana");
    grafana.is_refused(Method::GET, "api-tokens", &Value::Null, 403, "STO-API-NOT-ALLOWED").await;
    grafana.is_refused(Method::POST, "api-tokens", &wanted, 403, "STO-API-NOT-ALLOWED").await;
    kari.is_refused(Method::POST, "api-tokens", &wanted, 409, "STO-API-TOKEN-EXISTS").await;
    let spaced = json!({"name": "two words", "role": "viewer", "days": 1});
    kari.is_refused(Method::POST, "api-tokens", &spaced, 400, "STO-API-TOKEN-NAME").await;
    let moon = json!({"name": "moon", "role": "viewer", "missions": ["moon"], "days": 1});
    kari.is_refused(Method::POST, "api-tokens", &moon, 404, "STO-API-UNKNOWN-MISSION").await;
    kari.does(Method::DELETE, "api-tokens/grafana", &Value::Null).await;
    grafana.is_refused(Method::GET, "session", &Value::Null, 401, "STO-API-NOT-LOGGED-IN").await;
    kari.is_refused(Method::DELETE, "api-tokens/grafana", &Value::Null, 404, "STO-API-TOKEN-UNKNOWN").await;
    let listed = kari.get("api-tokens").await;
    let states: Vec<_> =
        listed["tokens"].as_array().expect("a list").iter().map(|token| &token["state"]).collect();
    assert_eq!(states, ["in-force", "revoked"], "{listed}");
    assert_eq!(listed["tokens"][1]["made_by"], "kari");
    assert_eq!(listed["tokens"][0]["made_by"], "the hub's command line");
    let events = kari.events("STO-ADMIN-API-TOKEN").await;
    assert_eq!(events[0], "kari revoked the token \"grafana\"");
    assert!(
        events[1].starts_with("kari made the token \"grafana\", viewer of demo, good until "),
        "{}",
        events[1]
    );
    check_secrets(&world, &kari, &[&grafana.token, &kari.token]).await;
}

/// Logs in with a code; the cookie, or `None` when the code is not taken.
async fn log_in(kari: &Asker, code: &str) -> Option<String> {
    let url = format!("http://{}/api/v1/session", kari.address);
    let request = kari.http.post(url).header("x-sto-request", "test").json(&json!({ "code": code }));
    let answer = request.send().await.expect("answers");
    let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().expect("text");
    Some(cookie.split(';').next()?.to_owned())
}

async fn session_of(kari: &Asker, cookie: &str) -> StatusCode {
    let url = format!("http://{}/api/v1/session", kari.address);
    kari.http.get(url).header(header::COOKIE, cookie).send().await.expect("answers").status()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_codes_are_listed_and_are_out_as_soon_as_their_sessions_are_ended() {
    let (world, kari) = hub().await;
    let wanted = json!({"name": "Ola Nordmann", "role": "viewer", "missions": ["demo"]});
    let code = async || {
        let made = kari.does(Method::POST, "login-codes", &wanted).await;
        made["code"].as_str().expect("a code").to_owned()
    };
    let (first, second) = (code().await, code().await);
    let cookie = log_in(&kari, &first).await.expect("logged in");
    let people = kari.get("people").await;
    let ola = &people["people"][0];
    assert_eq!((&ola["name"], &people["more"]), (&json!("Ola Nordmann"), &json!(false)), "{people}");
    assert_eq!(ola["codes"].as_array().map(Vec::len), Some(1), "the one that was not used: {people}");
    let session = &ola["sessions"][0];
    assert_eq!((&session["role"], &session["missions"]), (&json!("viewer"), &json!(["demo"])));
    assert!(session["since"].is_string() && session["last_used"].is_string(), "{session}");
    assert_eq!(session_of(&kari, &cookie).await, StatusCode::OK);
    let path = "people/Ola%20Nordmann/sessions";
    kari.does(Method::DELETE, path, &Value::Null).await;
    assert_eq!(session_of(&kari, &cookie).await, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&kari, &second).await, None, "the code went with the sessions");
    kari.is_refused(Method::DELETE, path, &Value::Null, 404, "STO-API-UNKNOWN-PERSON").await;
    assert_eq!(kari.get("people").await["people"], json!([]));
    for wrong in ["", " ola", "o\u{7}la", &"x".repeat(65)] {
        let wanted = json!({"name": wrong, "role": "viewer"});
        kari.is_refused(Method::POST, "login-codes", &wanted, 400, "STO-ADMIN-TEXT").await;
    }
    let events = kari.events("STO-ADMIN-LOGIN").await;
    assert_eq!(
        events[..2],
        [
            "kari ended 1 sessions and 1 codes of \"Ola Nordmann\"",
            "kari made a one-time code for \"Ola Nordmann\", viewer of demo"
        ]
    );
    let key = cookie.split_once('=').expect("a pair").1;
    check_secrets(&world, &kari, &[&first, &second, key]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dictionary_is_tried_imported_and_given_out_again_as_it_came() {
    let (_world, kari) = hub().await;
    let path = "missions/demo/dictionary";
    let put = async |query: &str, text: &str| {
        kari.send(Method::PUT, &format!("{path}{query}"), Some(text.to_owned())).await
    };
    let versions = async || kari.get(path).await["versions"].as_array().expect("a list").clone();
    let first = versions().await;
    assert_eq!(first.len(), 1);
    let told =
        |version: &Value| (version["number"].clone(), version["bytes"].clone(), version["in_force"].clone());
    assert_eq!(told(&first[0]), (json!(1), json!(DICTIONARY.len()), json!(true)));
    assert_eq!((&first[0]["name"], &first[0]["parameter_count"]), (&json!("D"), &json!(1)));
    let newer = DICTIONARY.replace(
        r#"<Parameter name="volts" parameterTypeRef="T"/>"#,
        r#"<Parameter name="volts" parameterTypeRef="T"/><Parameter name="amperes" parameterTypeRef="T"/>"#,
    );
    let (status, tried) = put("?dry_run=true&file_name=d2.xml", &newer).await;
    let tried: Value = serde_json::from_str(&tried).expect("JSON");
    assert_eq!(
        (status, &tried["outcome"], &tried["number"]),
        (StatusCode::OK, &json!("would-import"), &json!(2))
    );
    assert_eq!(tried["changes"]["added"], json!(["/D/amperes"]));
    assert_eq!(versions().await.len(), 1, "nothing was changed");
    let (status, broken) = put("?dry_run=true&file_name=d2.xml", "<SpaceSystem name='D'>\n</Other>").await;
    assert!(status == StatusCode::BAD_REQUEST && broken.contains("STO-DICTIONARY"), "{broken}");
    assert!(broken.contains("d2.xml:2:"), "it says where: {broken}");
    let (status, imported) = put("?file_name=d2.xml&reason=a%20new%20sensor", &newer).await;
    let imported: Value = serde_json::from_str(&imported).expect("JSON");
    assert_eq!((status, &imported["outcome"]), (StatusCode::OK, &json!("imported")), "{imported}");
    assert_eq!(imported["changes"], tried["changes"]);
    let both = versions().await;
    assert_eq!((&both[0]["number"], &both[1]["number"]), (&json!(2), &json!(1)), "newest first");
    assert_eq!((&both[0]["author"], &both[0]["reason"]), (&json!("kari"), &json!("a new sensor")));
    assert_eq!(both[0]["parameter_count"], 2, "this hub uses it: {both:?}");
    let (_, again) = put("?file_name=d2.xml", &newer).await;
    assert!(again.contains(r#""outcome":"known","number":2"#), "{again}");
    let (status, text) = kari.send(Method::GET, &format!("{path}/2"), None).await;
    assert_eq!((status, text), (StatusCode::OK, newer));
    kari.is_refused(Method::GET, &format!("{path}/9"), &Value::Null, 404, "STO-API-UNKNOWN-DICTIONARY").await;
    let events = kari.events("STO-ADMIN-DOCUMENT").await;
    assert_eq!(events[0], "kari imported dictionary 2 of demo: a new sensor");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hub_says_who_leads_how_its_database_is_and_what_is_in_force_of_its_missions() {
    let (_world, kari) = hub().await;
    let hub = kari.get("hub").await;
    assert_eq!((&hub["role"], &hub["sessions"]), (&json!("leader"), &json!(0)), "{hub}");
    let replicas = hub["hubs"].as_array().expect("a list");
    assert_eq!(replicas.len(), 1, "{hub}");
    assert_eq!((&replicas[0]["leads"], &replicas[0]["is_this"]), (&json!(true), &json!(true)), "{hub}");
    let database = &hub["database"];
    assert_eq!(
        (&database["is_private"], &database["unprotected"]),
        (&json!(false), &json!([])),
        "{database}"
    );
    assert!(database["bytes"].as_i64().is_some_and(|bytes| bytes > 0), "{database}");
    let tables = database["tables"].as_array().expect("a list");
    assert!(tables.iter().any(|table| table["name"] == "ledger"), "{database}");
    assert_eq!(hub["trust"]["authorities"], json!([hub["trust"]["own"]]));
    assert_eq!(hub["endpoints"]["advertised"].as_array().map(Vec::len), Some(1), "{hub}");
    let mission = &hub["missions"][0];
    assert_eq!((&mission["name"], &mission["dictionary_version"]), (&json!("demo"), &json!(1)), "{mission}");
    assert_eq!((&mission["nodes"], &mission["nodes_allowed"]), (&json!(0), &json!(0)), "{mission}");
}
