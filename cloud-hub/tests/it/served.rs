//! The hub's pages, asked without a socket by somebody who is logged in.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use cloud_hub::archive::{Archive, PostgresSessions};
use cloud_hub::backend::HubBackend;
use cloud_hub::fleet::Fleet;
use cloud_hub::role::HubRole;
use dashboard::access::{Grant, MissionScope, Principal, Role};
use serde_json::Value;
use service::metric::MetricsPage;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::world::World;

pub(crate) struct Served {
    pub(crate) router: Router,
    cookie: String,
}

impl Served {
    pub(crate) async fn new(world: &World, archive: &Arc<Archive>) -> Self {
        let fleet = Arc::new(Fleet::new("none", Vec::new(), Default::default(), HubRole::default()));
        let answers = (Arc::new(AtomicBool::new(true)), HubRole::default());
        let database = world.database.clone();
        let backend = HubBackend::new(Arc::clone(archive), database, fleet, MetricsPage::start(), answers);
        let router = dashboard::router(Arc::new(backend), CancellationToken::new());
        let grant = Grant { role: Role::Operator, missions: MissionScope::All };
        let holder = Principal { name: "operator".to_owned(), grant };
        let code = PostgresSessions::new(world.database.clone())
            .make_code(&holder, "a test")
            .await
            .expect("a code")
            .code;
        let login = Request::post("/api/v1/session")
            .header("x-sto-request", "test")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(format!("{{\"code\":\"{code}\"}}")))
            .expect("a request");
        let answer = router.clone().oneshot(login).await.expect("answers");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { router, cookie }
    }

    /// The answer before its body is read.
    pub(crate) async fn begin(&self, path: &str) -> Response<Body> {
        self.ask(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn ask(&self, mut request: Request<Body>) -> Response<Body> {
        let cookie = self.cookie.parse().expect("text");
        request.headers_mut().insert(header::COOKIE, cookie);
        self.router.clone().oneshot(request).await.expect("answers")
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let (parts, body) = self.begin(path).await.into_parts();
        let body = to_bytes(body, 64 << 20).await.expect("a whole body");
        (parts.status, parts.headers, body.to_vec())
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, _, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Sends a body that changes something; the status and what is answered.
    pub(crate) async fn change(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-sto-request", "test")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .expect("a request");
        let (parts, body) = self.ask(request).await.into_parts();
        let body = to_bytes(body, 64 << 20).await.expect("a whole body");
        (parts.status.as_u16(), serde_json::from_slice(&body).expect("JSON"))
    }

    /// Checks that something is refused.
    pub(crate) async fn refuses(&self, path: &str, status: u16, code: &str) {
        let (found, _, body) = self.get(path).await;
        let body = String::from_utf8_lossy(&body);
        assert_eq!(found.as_u16(), status, "{path}: {body}");
        assert!(body.contains(code), "{path}: {body}");
    }

    /// All rows of a list, page by page.
    pub(crate) async fn pages(&self, path: &str, rows: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.json(&format!("{path}{cursor}")).await;
            all.append(page[rows].as_array_mut().expect("rows"));
            let Some(next) = page["next"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }
}
