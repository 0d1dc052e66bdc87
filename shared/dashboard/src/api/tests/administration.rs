//! Who may administer, and what of a node is told to whom.

use super::*;
use crate::administration::{Administration, Answer};
use crate::contract::{
    ConfigurationState, DocumentKind, HubEvent, NodeDocumentStanding, NodeKnowledge, NodeSession,
};

/// Knows the same of every node.
pub(super) struct Desk;

impl Administration for Desk {
    fn node<'a>(&'a self, _: &'a str) -> Answer<'a, Option<NodeKnowledge>> {
        async { Ok(Some(knowledge())) }.boxed()
    }
}

fn knowledge() -> NodeKnowledge {
    let standing = |mission: Option<&str>| NodeDocumentStanding {
        mission: mission.map(str::to_owned),
        kind: if mission.is_some() { DocumentKind::Dictionary } else { DocumentKind::Trust },
        wanted: Some(2),
        held: Some(1),
        missing: vec![2],
        state: ConfigurationState::Behind,
        since: None,
    };
    let ended = NodeSession {
        number: 7,
        since: "2026-11-22T00:00:00Z".to_owned(),
        until: Some("2026-11-22T01:00:00Z".to_owned()),
        reason: Some("a batch of luna could not be read".to_owned()),
    };
    let event = HubEvent {
        at: "2026-11-22T00:00:00Z".to_owned(),
        node: None,
        code: "STO-BATCH-MISSION".to_owned(),
        text: "no right to send for mission luna".to_owned(),
    };
    NodeKnowledge {
        missions: Some(vec!["demo".to_owned(), "luna".to_owned()]),
        documents: vec![standing(None), standing(Some("demo")), standing(Some("luna"))],
        sessions: vec![ended],
        events: Some(vec![event]),
        ..NodeKnowledge::default()
    }
}

#[tokio::test]
async fn only_operators_of_all_missions_administer_whatever_they_send() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let routes = [
        (Method::GET, "/api/v1/api-tokens"),
        (Method::POST, "/api/v1/api-tokens"),
        (Method::DELETE, "/api/v1/api-tokens/grafana"),
        (Method::GET, "/api/v1/enrolment-tokens"),
        (Method::POST, "/api/v1/enrolment-tokens"),
        (Method::DELETE, "/api/v1/enrolment-tokens/00"),
        (Method::GET, "/api/v1/hub"),
        (Method::POST, "/api/v1/login-codes"),
        (Method::PUT, "/api/v1/missions/demo/dictionary"),
        (Method::PUT, "/api/v1/nodes/gs-demo/missions"),
        (Method::POST, "/api/v1/nodes/gs-demo/revoke"),
        (Method::GET, "/api/v1/people"),
        (Method::DELETE, "/api/v1/people/kari/sessions"),
    ];
    for (role, mission, may) in [
        (Role::Viewer, None, false),
        (Role::Viewer, Some("demo"), false),
        (Role::Operator, Some("demo"), false),
        (Role::Operator, None, true),
    ] {
        let token = backend.store.token(somebody(role, mission));
        for (method, path) in &routes {
            let request = Request::builder()
                .method(method.clone())
                .uri(*path)
                .header(header::AUTHORIZATION, format!("Bearer {token}"));
            // Without a body: who may not is told so before anything is read.
            let (status, headers, body) = ask(&router, request, "").await;
            assert_eq!(status == StatusCode::FORBIDDEN, !may, "{method} {path} by {role:?}: {body}");
            assert_eq!(body.contains("STO-API-NOT-ALLOWED"), !may, "{method} {path}: {body}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_node_is_shown_without_a_word_of_missions_that_one_may_not_know_of() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let ask = async |who: Principal, node: &str| {
        let token = backend.store.token(who);
        let request = Request::get(format!("/api/v1/nodes/{node}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        ask(&router, request, "").await
    };
    let (status, _, all) = ask(somebody(Role::Viewer, None), "gs-both").await;
    assert_eq!(status, StatusCode::OK, "{all}");
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!(all["documents"].as_array().map(Vec::len), Some(3), "{all}");
    assert_eq!(all["events"][0]["code"], "STO-BATCH-MISSION");
    assert_eq!(all["missions"], serde_json::json!(["demo", "luna"]));
    let (_, _, some) = ask(somebody(Role::Operator, Some("demo")), "gs-both").await;
    assert!(!some.contains("luna"), "{some}");
    let some: serde_json::Value = serde_json::from_str(&some).expect("JSON");
    assert_eq!(some["documents"].as_array().map(Vec::len), Some(2), "{some}");
    assert_eq!((&some["events"], &some["sessions"][0]["number"]), (&serde_json::Value::Null, &7.into()));
    let (hidden, absent) = (
        ask(somebody(Role::Viewer, Some("demo")), "gs-luna").await,
        ask(somebody(Role::Viewer, Some("demo")), "gs-none").await,
    );
    assert_eq!(hidden.0, StatusCode::NOT_FOUND);
    assert_eq!(hidden.2, absent.2.replace("gs-none", "gs-luna"));
}

#[tokio::test]
async fn what_is_no_reason_no_number_of_hours_and_no_dictionary_is_refused_with_what_to_do() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let token = backend.store.token(somebody(Role::Operator, None));
    let check = async |method: Method, path: &str, body: &str, status: u16, told: &str| {
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (found, _, answer) = ask(&router, request, body).await;
        assert_eq!(found.as_u16(), status, "{method} {path}: {answer}");
        assert!(answer.contains(told), "{method} {path}: {answer}");
    };
    let revoke = "/api/v1/nodes/gs-demo/revoke";
    for unsayable in [r#"{"reason":" "}"#, r#"{"reason":"a\u0000b"}"#] {
        check(Method::POST, revoke, unsayable, 400, "STO-ADMIN-TEXT").await;
    }
    check(Method::POST, revoke, r#"{"why":"x"}"#, 400, "unknown field `why`").await;
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(1_025));
    check(Method::POST, revoke, &long, 400, "1 to 1024 bytes").await;
    let missions = "/api/v1/nodes/gs-demo/missions";
    check(Method::PUT, missions, "{}", 400, "missing field `missions`").await;
    check(Method::PUT, missions, r#"{"missions":null}"#, 409, "STO-ADMIN-ELSEWHERE").await;
    let tokens = "/api/v1/enrolment-tokens";
    check(Method::POST, tokens, r#"{"node":"a","site":"b","hours":0}"#, 400, "1 to 720").await;
    check(Method::POST, tokens, r#"{"node":"a","site":"b","hours":721}"#, 400, "No token was made").await;
    check(Method::DELETE, "/api/v1/enrolment-tokens/xyz", "", 404, "STO-ADMIN-TOKEN-UNKNOWN").await;
    let tokens = "/api/v1/api-tokens";
    check(Method::POST, tokens, r#"{"name":"a","role":"viewer","days":3651}"#, 400, "1 to 3650").await;
    check(Method::POST, tokens, r#"{"name":"a","role":"root","days":1}"#, 400, "unknown variant `root`")
        .await;
    let dictionary = "/api/v1/missions/demo/dictionary";
    for unsayable in ["file_name=", "reason=a%00b"] {
        check(Method::PUT, &format!("{dictionary}?{unsayable}"), "<x/>", 400, "STO-ADMIN-TEXT").await;
    }
    check(Method::PUT, &format!("{dictionary}?effective_from=then"), "<x/>", 400, "not a time").await;
    check(Method::PUT, &format!("{dictionary}?dry=true"), "<x/>", 400, "unknown field `dry`").await;
    check(Method::GET, &format!("{dictionary}/one"), "", 404, "STO-API-UNKNOWN-DICTIONARY").await;
}
