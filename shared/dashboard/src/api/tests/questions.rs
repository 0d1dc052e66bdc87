//! Questions about samples: what is answered, what is refused, and how.

use mission_database::MonitoringResult;
use processing::{Raw, Sample, Series};
use serde_json::{Value, json};
use space_packet::{GenerationTime, ReceptionTime};

use super::routes::documents;
use super::*;
use crate::LiveBatch;

const COUNT: i64 = 100;
const STEP: i64 = 10_000_000_000;
/// 2026-01-01T00:00:00Z.
const BEGINNING: TaiTime = TaiTime(1_767_225_637_000_000_000);
const RANGE: &str = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z";

fn sample(number: i64) -> Sample {
    let time = BEGINNING.plus_nanos(number * STEP);
    Sample {
        parameter: ParameterIndex(0),
        generation: GenerationTime(time),
        reception: ReceptionTime(time),
        raw: Raw::Signed(number),
        converted: None,
        validity: Default::default(),
        monitoring: if number < 25 { MonitoringResult::Severe } else { MonitoringResult::Normal },
        version: VersionNumber(1),
        provenance: Default::default(),
    }
}

/// A hundred samples, one every 10 s, whose values are their numbers; the first 25 are outside their limits.
pub(super) fn series() -> Series {
    let mut series = Series::starting_with(sample(0));
    (1..COUNT).for_each(|number| assert!(series.push(sample(number))));
    series
}

struct Asker {
    router: Router,
    token: String,
}

impl Asker {
    fn new() -> Self {
        Self::of(&backend())
    }

    fn of(backend: &Arc<Fixture>) -> Self {
        let token = backend.store.token(somebody(Role::Operator, None));
        Self { router: router(Arc::clone(backend) as Arc<dyn Backend>, CancellationToken::new()), token }
    }

    fn request(&self, method: Method, uri: &str) -> axum::http::request::Builder {
        let bearer = format!("Bearer {}", self.token);
        Request::builder().method(method).uri(uri).header(header::AUTHORIZATION, bearer)
    }

    /// The answer to a good question about the mission.
    async fn answer(&self, question: &str) -> Value {
        let uri = format!("/api/v1/missions/demo/{question}");
        let (status, _, body) = ask(&self.router, self.request(Method::GET, &uri), "").await;
        assert_eq!(status, StatusCode::OK, "{uri}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// A bad question is refused with a documented status, and told why.
    async fn refused(&self, question: &str, status: u16, told: &str) {
        let uri = format!("/api/v1/missions/demo/{question}");
        let (found, headers, body) = ask(&self.router, self.request(Method::GET, &uri), "").await;
        assert_eq!(found.as_u16(), status, "{uri}: {body}");
        assert!(body.contains(told), "{uri}: {body}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        let path = uri.split('?').next().expect("a path").replace("demo", "{mission}");
        assert!(documents(&Method::GET, &path, found), "{path} does not document {found}");
    }
}

fn raws(page: &Value) -> Vec<i64> {
    page["samples"]
        .as_array()
        .expect("samples")
        .iter()
        .map(|sample| sample["raw"].as_i64().expect("whole"))
        .collect()
}

#[tokio::test]
async fn pages_go_through_a_range_in_both_directions_and_hold_every_sample_once() {
    let asker = Asker::new();
    for (order, expected) in
        [("asc", (0..COUNT).collect::<Vec<_>>()), ("desc", (0..COUNT).rev().collect::<Vec<_>>())]
    {
        let question = format!("samples?parameter=/Demo/P&{RANGE}&order={order}");
        let mut page = asker.answer(&format!("{question}&limit=30")).await;
        let mut found = raws(&page);
        while let Some(next) = page["next"].as_str() {
            // The size of a page may change on the way.
            page = asker.answer(&format!("{question}&limit=20&cursor={next}")).await;
            found.extend(raws(&page));
        }
        assert_eq!(found, expected, "{order}");
    }
}

#[tokio::test]
async fn a_cursor_goes_on_with_its_own_question_only() {
    let asker = Asker::new();
    let question = format!("samples?parameter=/Demo/P&{RANGE}&limit=10");
    let page = asker.answer(&question).await;
    let cursor = page["next"].as_str().expect("there is more");
    for foreign in [
        format!(
            "samples?parameter=/Demo/P&from=2025-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&cursor={cursor}"
        ),
        format!("{question}&order=desc&cursor={cursor}"),
        format!("{question}&reading=0&cursor={cursor}"),
        format!("{question}&cursor={}A", &cursor[1..]),
        format!("{question}&cursor=2026-01-01T00:00:00Z"),
        format!("{question}&cursor="),
    ] {
        asker.refused(&foreign, 400, "the cursor is not one of this question").await;
    }
    // A range from now on stays where it was when its first page was read.
    let moving = "samples?parameter=/Demo/P&from=-520w&to=now&limit=99";
    let page = asker.answer(moving).await;
    let cursor = page["next"].as_str().expect("there is more");
    assert_eq!(raws(&asker.answer(&format!("{moving}&cursor={cursor}")).await), [99]);
}

#[tokio::test]
async fn the_latest_values_of_some_parameters_are_asked_for_by_name() {
    let backend = backend();
    let asker = Asker::of(&backend);
    let source = backend.mission.source("gs");
    backend.mission.publish(LiveBatch { source, position: None, samples: vec![sample(7)], records: None });
    let answer = asker.answer("latest?parameter=/Demo/P&parameter=/Demo/P").await;
    assert_eq!(answer["values"][0]["raw"], 7);
    assert_eq!(answer["values"].as_array().map(Vec::len), Some(1));
    asker.refused("latest?parameter=/Demo/P&parameter=/Demo/Q", 404, "STO-API-UNKNOWN-PARAMETER").await;
    asker.refused("latest?parameters=/Demo/P", 400, "unknown field").await;

    let post = async |content_type: &str, body: &str, status: u16, told: &str| {
        let uri = "/api/v1/missions/demo/latest";
        let request = asker.request(Method::POST, uri).header(header::CONTENT_TYPE, content_type);
        let (found, _, answer) = ask(&asker.router, request, body).await;
        assert_eq!(found.as_u16(), status, "{answer}");
        assert!(answer.contains(told), "{answer}");
        assert!(documents(&Method::POST, "/api/v1/missions/{mission}/latest", found), "{found}");
    };
    let many = |count: usize| json!({ "parameters": vec!["/Demo/P"; count] }).to_string();
    post("application/json; charset=utf-8", &many(10_000), 200, "\"raw\":7").await;
    post("application/json", r#"{"parameters":[]}"#, 200, "\"values\":[]").await;
    post("application/json", &many(10_001), 400, "10001 parameters are more than 10000").await;
    post("application/json", &many(200_000), 413, "STO-API-TOO-LARGE").await;
    post("application/json", "{\"parameters\":", 400, "the body cannot be read").await;
    post("application/json", "{}", 400, "missing field").await;
    post("text/plain", &many(1), 415, "STO-API-CONTENT-TYPE").await;
    post("application/json", r#"{"parameters":["/Demo/Q"]}"#, 404, "STO-API-UNKNOWN-PARAMETER").await;
}

#[tokio::test]
async fn a_value_at_a_moment_is_the_newest_that_is_not_after_it_and_not_too_old() {
    let asker = Asker::new();
    let at = async |time: &str, look_back: &str| {
        let answer = asker.answer(&format!("at?parameter=/Demo/P&time={time}{look_back}")).await;
        let value = answer["values"][0].clone();
        assert_eq!(value["parameter"], "/Demo/P");
        (value["sample"]["raw"].as_i64(), value["age_ms"].as_f64())
    };
    assert_eq!(at("2026-01-01T00:01:00Z", "").await, (Some(6), Some(0.0)));
    assert_eq!(at("2026-01-01T00:01:09.5Z", "").await, (Some(6), Some(9_500.0)));
    assert_eq!(at("2026-001T00:01:09.5Z", "&look_back=9s").await, (None, None));
    assert_eq!(at("2026-01-01T12:00:00Z", "").await, (Some(99), Some(42_210_000.0)));
    assert_eq!(at("2026-02-01T00:00:00Z", "").await, (None, None), "more than a day ago");
    assert_eq!(at("2026-02-01T00:00:00Z", "&look_back=31d").await.0, Some(99));
    assert_eq!(at("2025-12-31T23:59:59Z", "&look_back=3660d").await, (None, None));
    asker.refused("at?parameter=/Demo/P&time=soon", 400, "not a time").await;
    asker.refused("at?parameter=/Demo/P&time=now&look_back=3661d", 400, "look_back").await;
    asker.refused("at?parameter=/Demo/P&parameter=/Demo/Q&time=now", 404, "STO-API-UNKNOWN-PARAMETER").await;
    let many = "parameter=/Demo/P&".repeat(201);
    asker.refused(&format!("at?{many}time=now"), 400, "201 parameters are more than 200").await;
}

#[tokio::test]
async fn statistics_say_what_the_samples_say() {
    let asker = Asker::new();
    let question = format!("statistics?parameter=/Demo/P&{RANGE}");
    let whole = asker.answer(&question).await;
    assert_eq!((&whole["bucket_ms"], &whole["buckets"]), (&Value::Null, &json!([])));
    let total = &whole["total"];
    assert_eq!(
        (&total["count"], &total["numbers"], &total["min"], &total["max"], &total["mean"]),
        (&json!(100), &json!(100), &json!(0.0), &json!(99.0), &json!(49.5))
    );
    assert_eq!(total["last"], json!({ "generation_time": "2026-01-01T00:16:30Z", "value": 99.0 }));
    assert_eq!((&total["monitored"], &total["outside"]), (&json!(100), &json!(25)));
    let near = |name: &str, expected: f64, error: f64| {
        let found = total[name].as_f64().expect("a number");
        assert!((found - expected).abs() <= error, "{name}: {found}");
    };
    near("deviation", 28.866_07, 1e-5);
    near("monitored_s", 990.0, 2.0 * 86_400.0 / 4_096.0);
    near("outside_s", 250.0, 2.0 * 86_400.0 / 4_096.0);

    let parts = asker.answer(&format!("{question}&step=8m")).await;
    assert_eq!(parts["bucket_ms"], json!(480_000.0));
    let told: Vec<_> = parts["buckets"]
        .as_array()
        .expect("buckets")
        .iter()
        .map(|bucket| (bucket["from"].clone(), bucket["statistic"]["count"].clone()))
        .collect();
    let expected = [("2026-01-01T00:00:00Z", 48), ("2026-01-01T00:08:00Z", 48), ("2026-01-01T00:16:00Z", 4)];
    assert_eq!(told, expected.map(|(from, count)| (json!(from), json!(count))));
    let hundred = asker.answer(&format!("{question}&points=100")).await;
    assert_eq!(hundred["buckets"].as_array().map(Vec::len), Some(2), "only those that hold samples");
}

#[tokio::test]
async fn several_parameters_are_answered_on_one_grid() {
    let asker = Asker::new();
    let range = "from=2026-01-01T00:00:00Z&to=2026-01-01T00:20:00Z";
    let answer = asker.answer(&format!("aligned?parameter=/Demo/P&parameter=/Demo/P&{range}&step=5m")).await;
    assert_eq!(
        answer["times"][1].as_f64().expect("a time") - answer["times"][0].as_f64().expect("a time"),
        300_000.0
    );
    let column = json!({
        "parameter": "/Demo/P", "count": [30, 30, 30, 10],
        "min": [0.0, 30.0, 60.0, 90.0], "max": [29.0, 59.0, 89.0, 99.0],
        "mean": [14.5, 44.5, 74.5, 94.5], "last": [29.0, 59.0, 89.0, 99.0],
    });
    assert_eq!(answer["columns"], json!([column, column]));
    let later = asker
        .answer("aligned?parameter=/Demo/P&from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00Z&points=2")
        .await;
    assert_eq!(later["columns"][0]["last"], json!([null, null]));
    let none = asker.answer(&format!("aligned?{range}&points=10000")).await;
    assert_eq!(none["columns"], json!([]));
    asker.refused(&format!("aligned?parameter=/Demo/P&{range}"), 400, "how wide a cell is").await;
    asker.refused(&format!("aligned?parameter=/Demo/P&{range}&step=100ms"), 400, "wider `step`").await;
    let many = "parameter=/Demo/P&".repeat(51);
    asker.refused(&format!("aligned?{many}{range}&points=10000"), 400, "more than 500000").await;
}

#[tokio::test]
async fn a_range_says_where_it_has_no_samples_and_why_as_far_as_that_is_known() {
    let asker = Asker::new();
    let question = format!("samples?parameter=/Demo/P&{RANGE}&points=1000");
    assert_eq!(asker.answer(&question).await["gaps"], Value::Null);
    let gaps = asker.answer(&format!("{question}&gaps=true")).await["gaps"].clone();
    // The fixture keeps no account of what came from where.
    let expected = json!([{
        "from": "2026-01-01T00:16:30Z", "to": "2026-01-02T00:00:00Z", "causes": [{ "kind": "unknown" }],
    }]);
    assert_eq!(gaps, expected);
}

#[tokio::test]
async fn several_parameters_are_answered_each_as_alone_and_one_that_cannot_be_says_why() {
    let asker = Asker::new();
    let rest = format!("{RANGE}&points=10&gaps=true");
    let alone = asker.answer(&format!("samples?parameter=/Demo/P&{rest}")).await;
    let question = format!("buckets?parameter=/Demo/P&parameter=/Demo/Q&parameter=/Demo/P&{rest}");
    let answers = asker.answer(&question).await["answers"].clone();
    assert_eq!((&answers[0], &answers[2]), (&alone, &alone));
    let problem = ["kind", "code", "status"].map(|name| answers[1][name].clone());
    assert_eq!(problem, [json!("problem"), json!("STO-API-UNKNOWN-PARAMETER"), json!(404)]);
    assert_eq!(asker.answer(&format!("buckets?{rest}")).await["answers"], json!([]));
    let many = |count: usize| "parameter=/Demo/P&".repeat(count);
    let most = asker.answer(&format!("buckets?{}{RANGE}&points=10", many(64))).await;
    assert_eq!(most["answers"].as_array().map(Vec::len), Some(64));
    asker.refused(&format!("buckets?{}{RANGE}&points=10", many(65)), 400, "ask several times").await;
    asker.refused(&format!("buckets?{}{RANGE}&points=10000", many(51)), 400, "ask several times").await;
    asker.refused(&format!("buckets?{}{RANGE}&points=0", many(1)), 400, "can be 1 to 10000").await;
    asker.refused(&format!("buckets?{}{RANGE}", many(1)), 400, "missing field `points`").await;
}

#[tokio::test]
async fn what_is_too_much_or_no_question_is_refused() {
    let asker = Asker::new();
    let of = |rest: &str| format!("samples?parameter=/Demo/P&{rest}");
    asker
        .refused(&of("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"), 400, "`to` is not after `from`")
        .await;
    asker.refused(&of("from=now&to=now"), 400, "`to` is not after `from`").await;
    asker.refused(&of(&format!("{RANGE}&points=10000000")), 400, "can be 1 to 10000").await;
    asker.refused(&of(&format!("{RANGE}&points=0")), 400, "can be 1 to 10000").await;
    asker.refused(&of(&format!("{RANGE}&limit=10001")), 400, "can be 1 to 10000").await;
    asker.refused(&of(&format!("{RANGE}&limit=many")), 400, "`limit` cannot be").await;
    asker.refused(&of(&format!("{RANGE}&order=up")), 400, "unknown variant").await;
    asker.refused(&format!("{}&parameter=/Demo/P", of(RANGE)), 400, "given more than once").await;
    let century = asker.answer(&of("from=1926-01-01T00:00:00Z&to=2026-12-31T00:00:00Z&points=10")).await;
    assert_eq!(century["count"], COUNT);
    let ever =
        asker.answer("statistics?parameter=/Demo/P&from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z").await;
    assert_eq!(ever["total"]["count"], COUNT);
}

#[tokio::test]
async fn whatever_is_not_there_or_not_done_there_is_answered_with_a_problem() {
    let asker = Asker::new();
    let check = async |method: Method, uri: &str, status: u16, code: &str| {
        let (found, headers, body) = ask(&asker.router, asker.request(method.clone(), uri), "").await;
        assert_eq!(found.as_u16(), status, "{method} {uri}: {body}");
        assert!(body.contains(code), "{method} {uri}: {body}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{method} {uri}");
        headers
    };
    let headers = check(Method::PUT, "/api/v1/missions", 405, "STO-API-METHOD").await;
    assert_eq!(headers[header::ALLOW], "GET,HEAD");
    let headers = check(Method::DELETE, "/stations", 405, "STO-API-METHOD").await;
    assert_eq!(headers[header::ALLOW], "GET, HEAD");
    check(Method::POST, "/metrics", 405, "STO-API-METHOD").await;
    check(Method::GET, "/api", 404, "STO-API-UNKNOWN-PATH").await;
    check(Method::POST, "/api/v2/missions", 404, "STO-API-UNKNOWN-PATH").await;
    check(Method::GET, "/api/v1/missions/%FF/latest", 400, "STO-API-BAD-REQUEST").await;
    let login =
        asker.request(Method::POST, "/api/v1/session").header(header::CONTENT_TYPE, "application/json");
    let (status, _, body) = ask(&asker.router, login, &"x".repeat(100_000)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{body}");
    assert!(documents(&Method::POST, "/api/v1/session", status));
}

#[tokio::test]
async fn what_changes_seldom_is_sent_once() {
    let backend = backend();
    let asker = Asker::of(&backend);
    for uri in ["/api/v1/missions", "/api/v1/missions/demo/parameters", "/api/v1/openapi.json"] {
        let (status, headers, _) = ask(&asker.router, asker.request(Method::GET, uri), "").await;
        assert_eq!(status, StatusCode::OK);
        let again = || asker.request(Method::GET, uri).header(header::IF_NONE_MATCH, &headers[header::ETAG]);
        let (status, second, body) = ask(&asker.router, again(), "").await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{uri}");
        assert_eq!(second[header::ETAG], headers[header::ETAG]);
        assert_eq!(second[header::CACHE_CONTROL], "private, no-cache");
        if uri.contains("missions") {
            let database = backend.mission.database();
            backend.mission.replace(database, Some(format!("changed for {uri}")));
            let is_kept = uri.contains("parameters");
            let (status, _, _) = ask(&asker.router, again(), "").await;
            assert_eq!(status == StatusCode::NOT_MODIFIED, is_kept, "{uri}");
        }
    }
}

#[tokio::test]
async fn a_long_answer_is_packed_for_who_takes_it_and_a_short_one_is_not() {
    let asker = Asker::new();
    let packed = async |uri: &str, accepts: &str| {
        let request = asker.request(Method::GET, uri).header(header::ACCEPT_ENCODING, accepts);
        ask(&asker.router, request, "").await.1.get(header::CONTENT_ENCODING).cloned()
    };
    let long = format!("/api/v1/missions/demo/samples?parameter=/Demo/P&{RANGE}");
    assert_eq!(packed(&long, "gzip").await, Some(HeaderValue::from_static("gzip")));
    assert_eq!(packed(&long, "identity").await, None);
    assert_eq!(packed("/api/v1/session", "gzip").await, None);
}
