//! Tokens and certificates as the database keeps them.

use provisioning::{CertificateRecord, EnrolmentBook, Refusal};

use crate::world::{World, redemption};

#[tokio::test]
async fn a_used_token_says_by_whom_and_when_and_a_wrong_secret_learns_nothing() {
    let world = World::new().await;
    let (_, record) = world.token("station").await;
    world.registry.redeem(redemption(&record, 1, 1_000)).await.expect("redeemed");
    let refusal = world.registry.redeem(redemption(&record, 2, 1_500)).await.expect_err("used");
    let Refusal::Used { node_name, hostname, used_unix } = refusal else { panic!("{refusal:?}") };
    assert_eq!((node_name.as_str(), hostname.as_str(), used_unix), ("station", "host-1", 1_000));
    let mut guessed = redemption(&record, 2, 1_500);
    guessed.secret_sha256 = [0; 32];
    assert!(matches!(world.registry.redeem(guessed).await, Err(Refusal::Unknown)));
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let world = World::new().await;
    let (_, record) = world.token("station").await;
    let refusal = world.registry.redeem(redemption(&record, 1, 2_001)).await;
    assert!(matches!(refusal, Err(Refusal::Expired { expired_unix: 2_000 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_machines_with_one_token_exactly_one_gets_in() {
    let world = World::new().await;
    for round in 0..10 {
        let (_, record) = world.token(&format!("station-{round}")).await;
        let (one, other) = tokio::join!(
            world.registry.redeem(redemption(&record, 1, 1_000)),
            world.registry.redeem(redemption(&record, 2, 1_000)),
        );
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_can_be_asked_for_again_by_the_same_machine_but_not_after_a_revocation() {
    let world = World::new().await;
    let (_, record) = world.token("station").await;
    let first = world.registry.redeem(redemption(&record, 1, 1_000)).await.expect("redeemed");
    let again = world.registry.redeem(redemption(&record, 1, 1_100)).await.expect("the same machine");
    assert_eq!(first.node_id, again.node_id);
    assert!(world.registry.redeem(redemption(&record, 1, 1_000 + 16 * 60)).await.is_err(), "too late");
    assert!(world.registry.revoke("station", "it was stolen", "a test").await.expect("answers"));
    assert!(world.registry.redeem(redemption(&record, 1, 1_200)).await.is_err(), "revoked");
}

#[tokio::test]
async fn the_certificates_of_a_machine_that_was_replaced_are_superseded() {
    let world = World::new().await;
    let node = world.node("station").await;
    let certificate = |serial: u8, key: u8| CertificateRecord {
        node_id: node.node_id,
        serial: vec![serial],
        key_sha256: [key; 32],
        not_before: 0,
        not_after: 5_000,
    };
    world.registry.record_certificate(certificate(1, 1)).await.expect("recorded");
    let (_, record) = world.token("station").await;
    let replaced = world.registry.redeem(redemption(&record, 2, 1_000)).await.expect("redeemed");
    assert_eq!(replaced.node_id, node.node_id);
    world.registry.record_certificate(certificate(2, 2)).await.expect("recorded");
    assert_eq!(world.registry.superseded().await.expect("answers"), [vec![1]].into());

    // Nor does the token of the machine that was replaced by this one bring it back.
    let (_, third) = world.token("station").await;
    world.registry.redeem(redemption(&third, 3, 1_010)).await.expect("redeemed");
    assert!(world.registry.redeem(redemption(&record, 2, 1_020)).await.is_err());
}
