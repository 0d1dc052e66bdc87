//! Places, elements, passes and tracks, kept in memory.

use serde_json::{Value, json};

use super::*;
use crate::contract::{PassReceived, SitePlace};
use crate::convert::rfc3339;
use crate::orbits::{NewElements, Orbits, PlacedSite, ReceptionWindow, StoredElements};

type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// A low orbit over the poles.
pub(super) const IMPORT: &str = r#"{"text":"1 99001U 26001A   26314.00000000  .00000000  00000-0  00000-0 0    18\n2 99001  97.8600 258.7000 0011000  90.0000 270.0000 14.84500000    16","spacecraft":"demo-1"}"#;
const SVALBARD: &str = r#"{"latitude_deg":78.23,"longitude_deg":15.39,"height_m":450,"mask_deg":5}"#;
const DAY: &str = "from=2026-11-10T00:00:00Z&to=2026-11-11T00:00:00Z";

#[derive(Default)]
pub(super) struct Memory {
    places: Mutex<Vec<PlacedSite>>,
    elements: Mutex<Vec<StoredElements>>,
    /// What was asked about.
    windows: Mutex<Vec<ReceptionWindow>>,
}

impl Orbits for Memory {
    fn places(&self) -> Answer<'_, Vec<PlacedSite>> {
        let places = self.places.lock().expect("not poisoned").clone();
        async { Ok(places) }.boxed()
    }

    fn put_place<'a>(&'a self, site: &'a str, place: SitePlace, by: &'a str) -> Answer<'a, ()> {
        let placed =
            PlacedSite { site: site.to_owned(), place, set_at: service::clock::now(), set_by: by.to_owned() };
        let mut places = self.places.lock().expect("not poisoned");
        places.retain(|known| known.site != site);
        places.push(placed);
        async { Ok(()) }.boxed()
    }

    fn elements<'a>(
        &'a self,
        mission: &'a str,
        _: std::ops::Range<TaiTime>,
    ) -> Answer<'a, Vec<StoredElements>> {
        let known = self.elements.lock().expect("not poisoned").clone();
        async move { Ok(if mission == "demo" { known } else { Vec::new() }) }.boxed()
    }

    fn put_elements<'a>(&'a self, _: &'a str, new: Vec<NewElements>, by: &'a str) -> Answer<'a, ()> {
        let stored = new.into_iter().map(|elements| StoredElements {
            elements,
            imported_at: service::clock::now(),
            imported_by: by.to_owned(),
            versions: 1,
        });
        self.elements.lock().expect("not poisoned").extend(stored);
        async { Ok(()) }.boxed()
    }

    fn received<'a>(&'a self, _: &'a str, windows: Vec<ReceptionWindow>) -> Answer<'a, Vec<PassReceived>> {
        let received =
            (1..=windows.len() as u64).map(|count| PassReceived { records: count, bytes: 100 * count });
        let received = received.collect();
        *self.windows.lock().expect("not poisoned") = windows;
        async { Ok(received) }.boxed()
    }
}

struct Asking {
    backend: Arc<Fixture>,
    router: Router,
}

impl Asking {
    fn new() -> Self {
        let backend = backend();
        let router = router(Arc::clone(&backend) as Arc<dyn Backend>, CancellationToken::new());
        Self { backend, router }
    }

    async fn ask(&self, who: Principal, method: Method, uri: &str, body: &str) -> (StatusCode, Value) {
        let token = self.backend.store.token(who);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (status, _, answer) = ask(&self.router, request, body).await;
        (status, serde_json::from_str(&answer).expect("JSON"))
    }

    async fn get(&self, uri: &str) -> Value {
        let (status, answer) = self.ask(somebody(Role::Operator, None), Method::GET, uri, "").await;
        assert_eq!(status, StatusCode::OK, "{uri}: {answer}");
        answer
    }

    async fn refused(&self, uri: &str) -> String {
        let (status, answer) = self.ask(somebody(Role::Operator, None), Method::GET, uri, "").await;
        assert!(status.is_client_error(), "{uri}: {status}");
        answer["detail"].as_str().expect("a detail").to_owned()
    }

    async fn put(&self, uri: &str, body: &str) -> (StatusCode, Value) {
        self.ask(somebody(Role::Operator, None), Method::PUT, uri, body).await
    }

    /// With a place for the site of all nodes, and a spacecraft.
    async fn furnished() -> Self {
        let asking = Self::new();
        assert_eq!(asking.put("/api/v1/places/here", SVALBARD).await.0, StatusCode::OK);
        assert_eq!(asking.put("/api/v1/missions/demo/elements", IMPORT).await.0, StatusCode::OK);
        asking
    }
}

#[tokio::test]
async fn a_site_is_listed_with_its_nodes_whether_it_has_a_place_or_not() {
    let asking = Asking::new();
    let sites = asking.get("/api/v1/places").await["sites"].clone();
    let unplaced = json!([{"site": "here", "nodes": ["gs-both", "gs-demo", "gs-luna", "gs-new"], "place": null, "set_at": null, "set_by": null}]);
    assert_eq!(sites, unplaced);
    let (_, site) = asking.put("/api/v1/places/here", SVALBARD).await;
    assert_eq!((&site["place"]["latitude_deg"], &site["set_by"]), (&json!(78.23), &json!("operator")));
    let (_, empty) = asking.put("/api/v1/places/Ny%20%C3%85lesund", SVALBARD).await;
    assert_eq!((&empty["site"], &empty["nodes"]), (&json!("Ny Ålesund"), &json!([])));
    assert_eq!(asking.get("/api/v1/places").await["sites"].as_array().map(Vec::len), Some(2));
    // Who may know of one mission sees the sites of its nodes, and of those its nodes.
    let viewer = somebody(Role::Viewer, Some("demo"));
    let (_, seen) = asking.ask(viewer, Method::GET, "/api/v1/places", "").await;
    assert_eq!(seen["sites"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["sites"][0]["nodes"], json!(["gs-both", "gs-demo"]));
    let (status, problem) = asking.put("/api/v1/places/here", &SVALBARD.replace("78.23", "178.23")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        problem["detail"].as_str().is_some_and(|text| text.contains("latitude_deg is 178.23")),
        "{problem}"
    );
    let (status, _) = asking.put("/api/v1/places/here", &SVALBARD.replace("height_m", "height_km")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "an unknown field");
}

#[tokio::test]
async fn elements_are_imported_whole_or_refused_with_line_and_column() {
    let asking = Asking::furnished().await;
    let spacecraft = asking.get("/api/v1/missions/demo/elements").await["spacecraft"].clone();
    let one = &spacecraft[0];
    assert_eq!(spacecraft.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&one["spacecraft"], &one["catalog_number"], &one["format"]),
        (&json!("demo-1"), &json!(99001), &json!("tle"))
    );
    assert_eq!((&one["epoch"], &one["designator"]), (&json!("2026-11-10T00:00:00Z"), &json!("2026-001A")));
    let wrong = IMPORT.replace("97.8600", "97,8600");
    let (status, problem) = asking.put("/api/v1/missions/demo/elements", &wrong).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("STO-ORBIT-ELEMENTS")));
    assert!(
        problem["detail"].as_str().is_some_and(|text| text.starts_with("line 2, column 9: ")),
        "{problem}"
    );
    assert_eq!(asking.get("/api/v1/missions/luna/elements").await["spacecraft"], json!([]));
}

#[tokio::test]
async fn passes_are_told_with_what_was_received_in_them_and_by_whom_none_can_be_told() {
    let asking = Asking::furnished().await;
    let answer = asking.get(&format!("/api/v1/missions/demo/passes?{DAY}")).await;
    let passes = answer["passes"].as_array().expect("passes").clone();
    // Three nodes stand there: two with a link of this mission, and one that has not said yet what it has.
    assert!(passes.len() >= 30 && passes.len() % 3 == 0, "{}", passes.len());
    assert!(passes.iter().all(|pass| pass["station"] != "gs-luna"));
    assert_eq!(answer["left_out"], json!([]));
    for pass in &passes {
        let (aos, top, los) = (&pass["aos"]["at"], &pass["culmination"]["at"], &pass["los"]["at"]);
        assert!(aos.as_str() < top.as_str() && top.as_str() < los.as_str(), "{pass}");
        assert!(pass["elevation_max_deg"].as_f64() > Some(5.0), "{pass}");
        assert!((pass["aos"]["elevation_deg"].as_f64().expect("a number") - 5.0).abs() < 0.01, "{pass}");
        assert_eq!(pass["received"].is_null(), pass["phase"] == "to-come", "{pass}");
    }
    // Pages put together are the list.
    let mut paged = Vec::new();
    let mut next = String::new();
    loop {
        let page = asking.get(&format!("/api/v1/missions/demo/passes?{DAY}&limit=7{next}")).await;
        paged.extend(page["passes"].as_array().expect("passes").iter().map(|pass| pass["id"].clone()));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("&cursor={cursor}");
    }
    assert_eq!(paged, passes.iter().map(|pass| pass["id"].clone()).collect::<Vec<_>>());
    let of = |query: &str| format!("/api/v1/missions/demo/passes?{DAY}&{query}");
    let one = asking.get(&of("station=gs-both&spacecraft=demo-1")).await;
    assert_eq!(one["passes"].as_array().map(Vec::len), Some(passes.len() / 3));
    assert_eq!(asking.get(&of("spacecraft=demo-2")).await["passes"], json!([]));
    asking.backend.orbits.places.lock().expect("not poisoned").clear();
    let placeless = asking.get(&of("station=gs-both")).await;
    assert_eq!(placeless["passes"], json!([]));
    let reason = "nobody has said where its site \"here\" is";
    assert_eq!(placeless["left_out"], json!([{"station": "gs-both", "spacecraft": null, "reason": reason}]));
}

#[tokio::test]
async fn the_track_of_a_pass_goes_from_acquisition_to_loss() {
    let asking = Asking::furnished().await;
    let answer = asking.get(&format!("/api/v1/missions/demo/passes?{DAY}&station=gs-both")).await;
    for pass in answer["passes"].as_array().expect("passes") {
        let id = pass["id"].as_str().expect("an id");
        let track = asking.get(&format!("/api/v1/missions/demo/passes/{id}/track")).await;
        let samples = track["samples"].as_array().expect("samples");
        assert_eq!((samples.len(), &track["pass"]["id"]), (181, &pass["id"]));
        assert_eq!(samples[0]["azimuth_deg"], track["pass"]["aos"]["azimuth_deg"]);
        let lowest =
            samples.iter().filter_map(|sample| sample["elevation_deg"].as_f64()).fold(90.0, f64::min);
        assert!(lowest > 4.99, "{lowest}");
        let nearing = samples[0]["range_rate_km_s"].as_f64().expect("a number");
        assert!(nearing < 0.0, "it comes nearer at first: {nearing} km/s");
        let windows = asking.backend.orbits.windows.lock().expect("not poisoned").clone();
        let said = |edge: &str| json!(track["pass"][edge]["at"]);
        let [window] = &windows[..] else { panic!("one pass was asked about: {windows:?}") };
        assert_eq!(window.node, "gs-both");
        assert_eq!(json!(rfc3339(window.span.start)), said("aos"));
        assert_eq!(json!(rfc3339(window.span.end)), said("los"));
    }
    for unknown in ["00000000-20261110T000000Z", "x", "%00"] {
        let detail = asking.refused(&format!("/api/v1/missions/demo/passes/{unknown}/track")).await;
        assert!(detail.contains("is no pass of mission demo"), "{detail}");
    }
    // A node whose missions somebody does not know of has no passes for them.
    let hidden = asking.get(&format!("/api/v1/missions/demo/passes?{DAY}&station=gs-new")).await;
    let id = hidden["passes"][0]["id"].as_str().expect("an id").to_owned();
    let viewer = somebody(Role::Viewer, Some("demo"));
    let uri = format!("/api/v1/missions/demo/passes/{id}/track");
    assert_eq!(asking.ask(viewer, Method::GET, &uri, "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn tracks_have_points_at_equal_steps_and_the_sun() {
    let asking = Asking::furnished().await;
    let hours = "from=2026-11-10T00:00:00Z&to=2026-11-10T03:14:00Z";
    let track = asking.get(&format!("/api/v1/missions/demo/track?{hours}&step_s=60")).await;
    let points = track["spacecraft"][0]["points"].as_array().expect("points");
    assert_eq!((points.len(), track["sun"].as_array().map(Vec::len)), (195, Some(195)));
    let north = points.iter().filter_map(|point| point["latitude_deg"].as_f64()).fold(0.0, f64::max);
    assert!((80.0..83.0).contains(&north), "{north}: the inclination is 97.9 degrees");
    let sunlit = points.iter().filter(|point| point["sunlit"] == true).count();
    assert!(
        (110..150).contains(&sunlit),
        "{sunlit} of 195 points: a third of two revolutions is in the shadow"
    );
    let sun = track["sun"][0]["latitude_deg"].as_f64().expect("a number");
    assert!((-17.5..-16.5).contains(&sun), "{sun} in November");
    let of = |query: &str| format!("/api/v1/missions/demo/track?{query}");
    for (query, told) in [
        (format!("{hours}&step_s=0"), "`step_s` is 0"),
        (format!("{hours}&step_s=1"), "11641 points of each of 1 spacecraft"),
        ("from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z&step_s=86400".to_owned(), "59.0 days"),
        ("from=now&to=now-1h&step_s=60".to_owned(), "empty"),
    ] {
        let detail = asking.refused(&of(&query)).await;
        assert!(detail.contains(told), "{detail}");
    }
    let far = asking.get(&of("from=2028-01-01T00:00:00Z&to=2028-01-02T00:00:00Z&step_s=3600")).await;
    assert_eq!(far["spacecraft"][0]["points"], json!([]));
    assert!(
        far["spacecraft"][0]["warning"].as_str().is_some_and(|text| text.contains("days from the epoch")),
        "{far}"
    );
}
