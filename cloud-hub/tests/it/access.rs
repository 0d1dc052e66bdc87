//! Codes, sessions and tokens, as the database keeps them.

use std::time::Duration;

use cloud_hub::archive::{AddTokenError, ApiTokens, PostgresSessions};
use dashboard::access::{Credential, Gate, Grant, MissionScope, Principal, Role};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3_600);

fn viewer(name: &str) -> Principal {
    let missions = MissionScope::from(Some(["apollo".to_owned(), "test".to_owned()].into()));
    Principal { name: name.to_owned(), grant: Grant { role: Role::Viewer, missions } }
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_code_also_after_the_hub_restarted() {
    let world = World::new().await;
    let now = service::clock::now();
    for holder in [viewer("viewer"), Principal { name: "operator".to_owned(), grant: Grant::default() }] {
        let sessions = PostgresSessions::new(world.database.clone());
        let code = sessions.make_code(&holder, "a test").await.expect("made").code;
        let cookie = Gate::new(sessions).log_in(&code, now).await.expect("logged in");
        let restarted = Gate::new(PostgresSessions::new(world.database.clone()));
        let known = restarted.principal(&Credential::Cookie(cookie), now).await.expect("answers");
        assert_eq!(known.expect("is known").principal, holder);
    }
}

#[tokio::test]
async fn a_token_counts_until_it_is_revoked_or_over_and_its_name_is_free_again() {
    let world = World::new().await;
    let now = service::clock::now();
    let tokens = ApiTokens::new(world.database.clone());
    let token = tokens.add(&viewer("grafana"), HOUR, "a test").await.expect("made").text;
    // Another gate each time: a hub that has just seen a token does not look for it again at once.
    let whose = async |token: &str, at| {
        let gate = Gate::new(PostgresSessions::new(world.database.clone()));
        let known = gate.principal(&Credential::Token(token.to_owned()), at).await.expect("answers");
        known.map(|known| known.principal)
    };
    assert_eq!(whose(&token, now).await, Some(viewer("grafana")));
    assert_eq!(whose(&token, now.plus_nanos(2 * HOUR.as_nanos() as i64)).await, None, "it is over");
    assert_eq!(whose(&dashboard::access::new_token(), now).await, None);
    let again = tokens.add(&viewer("grafana"), HOUR, "a test").await;
    assert!(matches!(again, Err(AddTokenError::Exists)));
    assert!(tokens.revoke("grafana", "a test").await.expect("answers"));
    assert!(!tokens.revoke("grafana", "a test").await.expect("answers"), "there is none any more");
    assert_eq!(whose(&token, now).await, None, "it is revoked");
    let over = tokens.add(&viewer("grafana"), Duration::ZERO, "a test").await;
    let over = over.expect("the name is free").text;
    assert_eq!(whose(&over, service::clock::now()).await, None);
    tokens.add(&viewer("grafana"), HOUR, "a test").await.expect("free again, because that one is over");
    let rows = tokens.list(10).await.expect("answers");
    let told: Vec<_> = rows.iter().map(|row| (&*row.name, row.revoked_at.is_some())).collect();
    assert_eq!(told, [("grafana", false), ("grafana", true), ("grafana", true)]);
    assert_eq!(rows[0].grant, viewer("grafana").grant);
    let client = world.database.borrow().await.expect("answers");
    let kept: i64 = client
        .query_one("SELECT count(*) FROM api_token WHERE api_token::text LIKE '%' || $1 || '%'", &[&token])
        .await
        .expect("answers")
        .get(0);
    assert_eq!(kept, 0, "the token itself is nowhere");
}

#[tokio::test]
async fn a_revoked_token_that_was_just_seen_counts_for_seconds_only() {
    let world = World::new().await;
    let tokens = ApiTokens::new(world.database.clone());
    let token = tokens.add(&viewer("grafana"), HOUR, "a test").await.expect("made").text;
    let gate = Gate::new(PostgresSessions::new(world.database.clone()));
    let credential = Credential::Token(token);
    let known = async || gate.principal(&credential, service::clock::now()).await.expect("answers");
    assert!(known().await.is_some());
    assert!(tokens.revoke("grafana", "a test").await.expect("answers"));
    testkit::process::until("the token is refused", Duration::from_secs(30), async || {
        Ok(known().await.is_none().then_some(()))
    })
    .await
    .expect("refused");
}

#[tokio::test]
async fn a_session_that_was_ended_at_another_hub_counts_for_seconds_only() {
    let world = World::new().await;
    let here = PostgresSessions::new(world.database.clone());
    let elsewhere = PostgresSessions::new(world.database.clone());
    let code = here.make_code(&viewer("kari"), "a test").await.expect("made").code;
    let gate = Gate::new(here);
    let cookie = Credential::Cookie(gate.log_in(&code, service::clock::now()).await.expect("logged in"));
    let known = async || gate.principal(&cookie, service::clock::now()).await.expect("answers");
    assert!(known().await.is_some());
    assert_eq!(elsewhere.end_all_of("kari", "a test").await.expect("answers"), 1);
    assert_eq!(elsewhere.end_all_of("kari", "a test").await.expect("answers"), 0, "there is none any more");
    testkit::process::until("the session is refused", Duration::from_secs(30), async || {
        Ok(known().await.is_none().then_some(()))
    })
    .await
    .expect("refused");
}
