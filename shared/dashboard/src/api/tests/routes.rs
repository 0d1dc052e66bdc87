//! Every route, and what it answers to whom.

use std::collections::BTreeSet;

use super::*;

/// What is served outside the OpenAPI document.
const OUTSIDE: [(Method, &str); 7] = [
    (Method::GET, "/api/docs"),
    (Method::GET, "/api/docs/style.css"),
    (Method::GET, "/api/v1/openapi.json"),
    (Method::GET, "/assets/none.js"),
    (Method::GET, "/healthz"),
    (Method::GET, "/metrics"),
    (Method::GET, "/readyz"),
];

/// What a route answers to nobody, a viewer of `demo`, a viewer of `luna`, an operator. What it is asked concerns
/// `demo`; `?` and what follows is the query that makes it a good question.
type Row = (Method, &'static str, &'static str, [u16; 4]);

/// A route without a row fails the test: whoever adds one says here who may use it.
fn table() -> Vec<Row> {
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    vec![
        (get.clone(), "/api/docs", "", [200; 4]),
        (get.clone(), "/api/docs/style.css", "", [200; 4]),
        (get.clone(), "/api/v1/apart", "", [401, 403, 403, 404]),
        // Administration is at the hub, which the fixture tells administrators only.
        (get.clone(), "/api/v1/api-tokens", "", [401, 403, 403, 409]),
        (post.clone(), "/api/v1/api-tokens", "", [401, 403, 403, 409]),
        (delete.clone(), "/api/v1/api-tokens/{name}", "", [401, 403, 403, 409]),
        (get.clone(), "/api/v1/enrolment-tokens", "", [401, 403, 403, 409]),
        (post.clone(), "/api/v1/enrolment-tokens", "", [401, 403, 403, 409]),
        (delete.clone(), "/api/v1/enrolment-tokens/{id}", "", [401, 403, 403, 409]),
        (get.clone(), "/api/v1/hub", "", [401, 403, 403, 409]),
        (post.clone(), "/api/v1/login-codes", "", [401, 403, 403, 409]),
        (get.clone(), "/api/v1/people", "", [401, 403, 403, 409]),
        (delete.clone(), "/api/v1/people/{name}/sessions", "", [401, 403, 403, 409]),
        (get.clone(), "/api/v1/events", "", [401, 403, 403, 404]),
        (get.clone(), "/api/v1/live", "", [401, 400, 400, 400]),
        (get.clone(), "/api/v1/missions", "", [401, 200, 200, 200]),
        // Only the hub sends messages, which the fixture says of the missions that are there for the asker only.
        (get.clone(), "/api/v1/missions/{mission}/alarm-deliveries", "", [401, 409, 404, 409]),
        (get.clone(), "/api/v1/missions/{mission}/alarm-rules", "", [401, 200, 404, 200]),
        (put.clone(), "/api/v1/missions/{mission}/alarm-rules", "", [401, 403, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/alarm-rules/{number}", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/alarm-rules/check", "", [401, 200, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/detection-rules", "", [401, 200, 404, 200]),
        (put.clone(), "/api/v1/missions/{mission}/detection-rules", "", [401, 403, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/detection-rules/{number}", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/detection-rules/check", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/alarm-tests", "", [401, 403, 404, 409]),
        (get.clone(), "/api/v1/missions/{mission}/alarms", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/alarms/acknowledge", "", [401, 403, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/alarms/{alarm}", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/alarms/{alarm}/acts", "", [401, 403, 404, 200]),
        (
            get.clone(),
            "/api/v1/missions/{mission}/aligned",
            "?parameter=/Demo/P&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&points=2",
            [401, 200, 404, 200],
        ),
        (
            get.clone(),
            "/api/v1/missions/{mission}/buckets",
            "?parameter=/Demo/P&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&points=2",
            [401, 200, 404, 200],
        ),
        (get.clone(), "/api/v1/missions/{mission}/at", "?parameter=/Demo/P&time=now", [401, 200, 404, 200]),
        (
            get.clone(),
            "/api/v1/missions/{mission}/completeness",
            "?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z",
            // The fixture keeps no account, which it says of the missions that are there for the asker only.
            [401, 404, 404, 404],
        ),
        (get.clone(), "/api/v1/missions/{mission}/dashboards", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/dashboards", "", [401, 403, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/dashboards/{dashboard}", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/dashboards/{dashboard}/changes", "", [401, 403, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/dashboards/{dashboard}/export", "", [401, 200, 404, 200]),
        (delete.clone(), "/api/v1/missions/{mission}/dashboards/{dashboard}", "", [401, 403, 404, 204]),
        (get.clone(), "/api/v1/missions/{mission}/dictionary", "", [401, 409, 404, 409]),
        (put.clone(), "/api/v1/missions/{mission}/dictionary", "?dry_run=true", [401, 403, 404, 409]),
        (get.clone(), "/api/v1/missions/{mission}/dictionary/{number}", "", [401, 409, 404, 409]),
        (get.clone(), "/api/v1/missions/{mission}/backfill", "", [401, 404, 404, 404]),
        (post.clone(), "/api/v1/missions/{mission}/backfill", "", [401, 403, 404, 404]),
        (post.clone(), "/api/v1/missions/{mission}/events", "", [401, 403, 404, 404]),
        (get.clone(), "/api/v1/missions/{mission}/limits", "", [401, 200, 404, 200]),
        (put.clone(), "/api/v1/missions/{mission}/limits", "", [401, 403, 404, 404]),
        (post.clone(), "/api/v1/missions/{mission}/limits/trial", "", [401, 404, 404, 404]),
        (get.clone(), "/api/v1/missions/{mission}/limits/{number}", "", [401, 404, 404, 404]),
        // Records are at the hub, which is said of missions that are there for the asker only.
        (get.clone(), "/api/v1/missions/{mission}/elements", "", [401, 200, 404, 200]),
        (put.clone(), "/api/v1/missions/{mission}/elements", "", [401, 403, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/events", "", [401, 404, 404, 404]),
        (
            get.clone(),
            "/api/v1/missions/{mission}/export",
            // One that begins is a file; who may begin one is told before.
            "?format=csv",
            [401, 400, 404, 400],
        ),
        (get.clone(), "/api/v1/missions/{mission}/gaps", "", [401, 404, 404, 404]),
        (get.clone(), "/api/v1/missions/{mission}/latest", "", [401, 200, 404, 200]),
        (post.clone(), "/api/v1/missions/{mission}/latest", "", [401, 200, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/models", "", [401, 200, 404, 200]),
        (get.clone(), "/api/v1/missions/{mission}/packets", "", [401, 404, 404, 404]),
        (get.clone(), "/api/v1/missions/{mission}/packets/{id}", "", [401, 404, 404, 404]),
        (get.clone(), "/api/v1/missions/{mission}/parameters", "", [401, 200, 404, 200]),
        (
            get.clone(),
            "/api/v1/missions/{mission}/samples",
            "?parameter=/Demo/P&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z",
            [401, 200, 404, 200],
        ),
        (
            get.clone(),
            "/api/v1/missions/{mission}/statistics",
            "?parameter=/Demo/P&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z",
            [401, 200, 404, 200],
        ),
        (
            get.clone(),
            "/api/v1/missions/{mission}/passes",
            "?from=2026-11-10T00:00:00Z&to=2026-11-11T00:00:00Z",
            [401, 200, 404, 200],
        ),
        // There is no pass of this name.
        (get.clone(), "/api/v1/missions/{mission}/passes/{pass}/track", "", [401, 404, 404, 404]),
        (
            get.clone(),
            "/api/v1/missions/{mission}/track",
            "?from=2026-11-10T00:00:00Z&to=2026-11-10T01:00:00Z&step_s=60",
            [401, 200, 404, 200],
        ),
        (get.clone(), "/api/v1/nodes", "", [401, 200, 200, 200]),
        // This one receives `demo` alone.
        (get.clone(), "/api/v1/nodes/{node}", "", [401, 200, 404, 200]),
        (put.clone(), "/api/v1/nodes/{node}/missions", "", [401, 403, 403, 409]),
        (post.clone(), "/api/v1/nodes/{node}/revoke", "", [401, 403, 403, 409]),
        (get.clone(), "/api/v1/openapi.json", "", [200; 4]),
        (get.clone(), "/api/v1/places", "", [401, 200, 200, 200]),
        (put, "/api/v1/places/{site}", "", [401, 403, 403, 200]),
        (delete, "/api/v1/session", "", [401, 403, 403, 403]),
        (get.clone(), "/api/v1/session", "", [401, 200, 200, 200]),
        // Whoever asks: the code is wrong.
        (post, "/api/v1/session", "", [401; 4]),
        (get.clone(), "/assets/none.js", "", [404; 4]),
        (get.clone(), "/healthz", "", [200; 4]),
        (get.clone(), "/metrics", "", [401, 403, 403, 200]),
        (get, "/readyz", "", [503; 4]),
    ]
}

/// Whether the OpenAPI document says that a route may answer with this status. Routes outside it say nothing.
pub(super) fn documents(method: &Method, path: &str, status: StatusCode) -> bool {
    let Some(item) = openapi().paths.paths.remove(path) else { return true };
    let operation = match *method {
        Method::DELETE => item.delete,
        Method::POST => item.post,
        Method::PUT => item.put,
        _ => item.get,
    };
    operation.is_some_and(|operation| operation.responses.responses.contains_key(status.as_str()))
}

/// Body of a request that has one.
fn body(method: &Method, path: &str) -> &'static str {
    match (method.as_str(), path) {
        ("POST", "/api/v1/api-tokens") => r#"{"name":"grafana","role":"viewer","days":90}"#,
        ("POST", "/api/v1/enrolment-tokens") => r#"{"node":"gs-1","site":"here","hours":24}"#,
        ("POST", "/api/v1/login-codes") => r#"{"name":"kari","role":"viewer"}"#,
        ("POST", "/api/v1/nodes/{node}/revoke") => r#"{"reason":"it was stolen"}"#,
        ("PUT", "/api/v1/nodes/{node}/missions") => r#"{"missions":["demo"]}"#,
        ("PUT", "/api/v1/missions/{mission}/dictionary") => "<SpaceSystem/>",
        ("PUT", "/api/v1/missions/{mission}/alarm-rules") => {
            r#"{"based_on":1,"text":"version = 2","reason":"new limits"}"#
        }
        ("PUT", "/api/v1/missions/{mission}/detection-rules") => {
            r#"{"based_on":1,"text":"[[watch]]\nparameters = [\"/Demo/P\"]","reason":"first"}"#
        }
        (
            "POST",
            "/api/v1/missions/{mission}/alarm-rules/check"
            | "/api/v1/missions/{mission}/detection-rules/check",
        ) => r#"{"text":"version = 2"}"#,
        ("PUT", "/api/v1/missions/{mission}/elements") => orbits::IMPORT,
        ("PUT", "/api/v1/places/{site}") => {
            r#"{"latitude_deg":78.23,"longitude_deg":15.39,"height_m":450,"mask_deg":5}"#
        }
        ("PUT", "/api/v1/missions/{mission}/limits") => {
            r#"{"based_on":null,"note":"seasons","content":{"kind":"changes","changes":[
                {"kind":"dictionary","parameter":"/Demo/P"}]}}"#
        }
        ("POST", "/api/v1/missions/{mission}/limits/trial") => {
            r#"{"changes":[{"kind":"dictionary","parameter":"/Demo/P"}]}"#
        }
        ("POST", "/api/v1/missions/{mission}/backfill") => {
            r#"{"node":"north","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}"#
        }
        ("POST", "/api/v1/missions/{mission}/events") => {
            r#"{"id":"00112233445566778899aabbccddeeff","severity":"info","text":"antenna stowed"}"#
        }
        ("POST", "/api/v1/missions/{mission}/alarm-tests") => r#"{"contact":"kari"}"#,
        ("POST", "/api/v1/missions/{mission}/alarms/acknowledge") => {
            r#"{"alarms":[{"alarm":"00112233445566778899aabbccddeeff","notices":[]}]}"#
        }
        ("POST", "/api/v1/missions/{mission}/alarms/{alarm}/acts") => {
            r#"{"act":{"comment":{}},"note":"seen","id":"00112233445566778899aabbccddeeff"}"#
        }
        ("POST", "/api/v1/missions/{mission}/dashboards") => {
            r#"{"id":"01JDASHBOARD0000000000000A","title":"Power","audience":"everyone","widgets":[]}"#
        }
        ("POST", "/api/v1/missions/{mission}/dashboards/{dashboard}/changes") => {
            r#"{"id":"00112233445566778899aabbccddeeff","base":"","title":"Power and heat"}"#
        }
        ("POST", "/api/v1/session") => r#"{"code":"0000"}"#,
        ("POST", "/api/v1/missions/{mission}/latest") => r#"{"parameters":["/Demo/P"]}"#,
        _ => "",
    }
}

/// A path of something that is there, where the fixture has it.
fn filled(path: &str, mission: &str) -> String {
    path.replace("{mission}", mission)
        .replace("{alarm}", &alarms::first_alarm())
        .replace("{dashboard}", "01JDASHBOARD0000000000000A")
        .replace("{number}", "1")
        .replace("{pass}", "00000000-20260101T000000Z")
        .replace("{site}", "here")
        .replace("enrolment-tokens/{id}", "enrolment-tokens/00000000000000000000000000000000")
        .replace("{id}", "00000000000000000000000000000000.1.2.1.0")
        .replace("{name}", "kari")
        .replace("{node}", "gs-demo")
}

#[tokio::test]
async fn every_route_says_in_a_table_who_may_use_it() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let everybody = [
        None,
        Some(somebody(Role::Viewer, Some("demo"))),
        Some(somebody(Role::Viewer, Some("luna"))),
        Some(somebody(Role::Operator, None)),
    ];
    let tokens = everybody.map(|who| who.map(|who| backend.store.token(who)));
    let mut asked = BTreeSet::new();
    for (method, path, query, expected) in table() {
        for (token, expected) in tokens.iter().zip(expected) {
            let uri = format!("{}{query}", filled(path, "demo"));
            let mut request = Request::builder()
                .method(method.clone())
                .uri(&uri)
                .header(CSRF_HEADER, "test")
                .header(header::CONTENT_TYPE, "application/json");
            if let Some(token) = token {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let (status, _, answer) = ask(&router, request, body(&method, path)).await;
            assert_eq!(status, expected, "{method} {uri} by {token:?}: {answer}");
            assert!(documents(&method, path, status), "{method} {path} does not document {status}");
        }
        asked.insert((method.to_string(), path.to_owned()));
    }
    let mut routes: BTreeSet<_> =
        OUTSIDE.iter().map(|(method, path)| (method.to_string(), (*path).to_owned())).collect();
    for (path, item) in openapi().paths.paths {
        let operations = [
            ("DELETE", item.delete),
            ("GET", item.get),
            ("PATCH", item.patch),
            ("POST", item.post),
            ("PUT", item.put),
        ];
        let methods = operations.into_iter().filter_map(|(method, operation)| operation.map(|_| method));
        routes.extend(methods.map(|method| (method.to_owned(), path.clone())));
    }
    assert_eq!(asked, routes, "every route has a row, and every row is of a route");
}

#[tokio::test]
async fn a_mission_one_may_not_know_of_is_answered_as_one_that_is_not_there() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let token = backend.store.token(somebody(Role::Viewer, Some("demo")));
    let ask = async |uri: &str| {
        let request = Request::get(uri).header(header::AUTHORIZATION, format!("Bearer {token}"));
        ask(&router, request, "").await
    };
    for (_, path, query, _) in
        table().into_iter().filter(|(method, path, ..)| method == Method::GET && path.contains("{mission}"))
    {
        let of = |mission: &str| format!("{}{query}", filled(path, mission));
        let (there, absent) = (ask(&of("luna")).await, ask(&of("moon")).await);
        assert_eq!((there.0, &there.1), (absent.0, &absent.1), "{path}");
        assert_eq!(there.2, absent.2.replace("moon", "luna"), "{path}");
    }
    let listed = ask("/api/v1/missions").await.2;
    assert!(listed.contains("demo") && !listed.to_lowercase().contains("luna"), "{listed}");
    let nodes = ask("/api/v1/nodes").await.2;
    assert!(nodes.contains("gs-both") && nodes.contains("link of demo"), "{nodes}");
    assert!(!nodes.contains("luna") && !nodes.contains("gs-new"), "{nodes}");
}

#[tokio::test]
async fn a_token_needs_no_header_of_its_own_and_counts_alone() {
    let backend = backend();
    let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
    let cookie = log_in(&router).await;
    let token = backend.store.token(somebody(Role::Viewer, Some("demo")));
    let bearer = |token: &str| format!("bearer {token}");
    let leave = Request::delete("/api/v1/session").header(header::AUTHORIZATION, bearer(&token));
    let (status, _, body) = ask(&router, leave, "").await;
    assert!(status == StatusCode::FORBIDDEN && body.contains("STO-API-NOT-ALLOWED"), "{body}");
    let who = Request::get("/api/v1/session").header(header::AUTHORIZATION, bearer(&token));
    let (_, _, body) = ask(&router, who, "").await;
    assert!(body.contains(r#""role":"viewer","missions":["demo"]"#), "{body}");
    // A token that is not good is not made good by a browser's cookie beside it, with which another site could come.
    for wrong in [new_token(), "sto_short".to_owned(), String::new()] {
        let leave = Request::delete("/api/v1/session")
            .header(header::AUTHORIZATION, bearer(&wrong))
            .header(header::COOKIE, &cookie);
        assert_eq!(ask(&router, leave, "").await.0, StatusCode::UNAUTHORIZED, "{wrong:?}");
    }
    let still = Request::get("/api/v1/session").header(header::COOKIE, &cookie);
    assert_eq!(ask(&router, still, "").await.0, StatusCode::OK);
}
