//! What a hub that follows has from Redis, and that it needs none of it.

use std::sync::Arc;
use std::time::Duration;

use cloud_hub::archive::{Archive, FanOut, Follower, HandedOver, Publisher, Seal, archive_id};
use delivery::Position;
use processing::Raw;
use service::metric::MetricsPage;
use testkit::process::until;
use testkit::redis::TestRedis;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::archive::with_open_session;
use crate::leading::shows;
use crate::world::{OpenedLane, World, chain, take_in};

const SOON: Duration = Duration::from_secs(60);
const SECRET: [u8; 32] = [5; 32];

/// A hub that leads and one that follows, with a Redis between them.
struct Hubs {
    world: World,
    lane: OpenedLane,
    leader: Arc<Archive>,
    follower: Arc<Archive>,
    publisher: Publisher,
    seal: Seal,
    channel: String,
    position: Option<Position>,
    committed: u32,
    _tasks: JoinSet<()>,
}

impl Hubs {
    /// Begins to publish; the follower is given to whoever drives it.
    async fn start(url: &str, samples_max: usize) -> (Self, Follower) {
        let (world, lane) = with_open_session().await;
        let id = archive_id(&world.database).await.expect("answers");
        let seal = Seal::new(&SECRET, id);
        let fan_out = FanOut::at_url(url, seal.clone()).expect("a URL");
        let leader = world.archive().await;
        let (follower, following) = world.follower(samples_max).await;
        let (publisher, publishing) = fan_out.publisher(Arc::clone(&leader));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            publishing.run(CancellationToken::new()).await.expect("it never fails");
        });
        let channel = format!("sto:{:016x}:committed", u64::from_be_bytes(id));
        let hubs = Self {
            world,
            lane,
            leader,
            follower,
            publisher,
            seal,
            channel,
            position: None,
            committed: 0,
            _tasks: tasks,
        };
        (hubs, following.with_fan_out(&fan_out))
    }

    fn run(&mut self, mut following: Follower) {
        self._tasks.spawn(async move { match following.run().await {} });
    }

    /// Commits so many batches of a packet each, as the committer does it.
    async fn commit(&mut self, count: u32) {
        let batches = chain("test", self.committed, count, &mut self.position);
        let previous = self.leader.reached().newest();
        let committed = self.world.commit(self.lane.key, self.lane.session, &batches).await;
        let committed = committed.expect("committed");
        self.publisher.hand_over(previous, &committed);
        take_in(&self.leader, &committed);
        self.committed += count;
    }

    async fn all_is_shown(&self) {
        shows(&self.world, &self.follower, self.committed).await;
        assert_eq!(self.follower.reached(), self.leader.reached());
    }

    /// Commits until the follower has taken more than so many batches from Redis.
    async fn commit_until_taken(&mut self, metrics: &MetricsPage, taken: u64) {
        until("batches are taken from Redis", SOON, async || {
            self.commit(1).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok((count(metrics, "hub_follow_handed_over_batches_total") > taken).then_some(()))
        })
        .await
        .expect("taken");
    }
}

fn count(metrics: &MetricsPage, name: &str) -> u64 {
    let page = metrics.render();
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_over_is_taken_and_nothing_is_lost_or_doubled_while_redis_is_killed_and_started() {
    let (mut redis, metrics) = (TestRedis::start().await.expect("starts"), MetricsPage::start());
    let (mut hubs, following) = Hubs::start(&redis.url(), 1_000_000).await;
    hubs.run(following);
    hubs.commit_until_taken(&metrics, 5).await;
    hubs.commit(10).await;
    redis.kill().expect("it ran");
    hubs.commit(30).await;
    hubs.all_is_shown().await;
    let taken = count(&metrics, "hub_follow_handed_over_batches_total");
    assert!(count(&metrics, "hub_follow_read_batches_total") > 0, "the ledger was read");

    redis.start_again().await.expect("starts");
    hubs.commit_until_taken(&metrics, taken + 5).await;
    hubs.all_is_shown().await;
    assert!(count(&metrics, "hub_fan_out_published_batches_total") > taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_publish_changes_nothing() {
    let (redis, metrics) = (TestRedis::start().await.expect("starts"), MetricsPage::start());
    let (mut hubs, following) = Hubs::start(&redis.url(), 1_000_000).await;
    hubs.run(following);
    hubs.commit_until_taken(&metrics, 0).await;
    hubs.all_is_shown().await;

    // The row that would come next, which nobody committed.
    let mut position = hubs.position;
    let batch = chain("test", 5_000, 1, &mut position).pop().expect("one");
    let next = hubs.leader.reached().newest() + 1;
    let batches = chain("test", hubs.committed, 1, &mut hubs.position);
    hubs.committed += 1;
    let real = hubs.world.commit(hubs.lane.key, hubs.lane.session, &batches).await.expect("committed");
    take_in(&hubs.leader, &real);
    hubs.all_is_shown().await;
    let mut forged = real[0].clone();
    (forged.ledger_id, forged.batch) = (next + 1, batch);
    let forged = HandedOver { previous: next, committed: forged };
    let mut altered = forged.write(&hubs.seal);
    altered[20] ^= 1;
    let rubbish = [
        Vec::new(),
        vec![0xff; 200],
        vec![0; 300_000],
        altered,
        forged.write(&Seal::new(&[6; 32], archive_id(&hubs.world.database).await.expect("answers"))),
        forged.write(&Seal::new(&SECRET, [1; 8])),
    ];
    let refused = count(&metrics, "hub_fan_out_refused_total");
    for message in &rubbish {
        assert_eq!(
            redis.publish(&hubs.channel, message).await.expect("published"),
            1,
            "the follower listens"
        );
    }
    // What a hub wrote once, again; and a row whose predecessor the follower does not have.
    let again = HandedOver { previous: next - 1, committed: real[0].clone() };
    let mut ahead = HandedOver { previous: next + 5, committed: real[0].clone() };
    ahead.committed.ledger_id = next + 6;
    for message in [&again, &again, &ahead] {
        redis.publish(&hubs.channel, &message.write(&hubs.seal)).await.expect("published");
    }
    until("all of it was refused", SOON, async || {
        let now = count(&metrics, "hub_fan_out_refused_total");
        Ok((now == refused + rubbish.len() as u64).then_some(()))
    })
    .await
    .expect("refused");
    hubs.commit(10).await;
    hubs.all_is_shown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_accepts_and_never_answers_holds_up_nobody() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("redis://{}", silent.local_addr().expect("bound"));
    let (mut hubs, following) = Hubs::start(&url, 1_000_000).await;
    hubs.run(following);
    for _ in 0..5 {
        hubs.commit(100).await;
        hubs.all_is_shown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_must_wait_for_the_leader_to_cut_shows_the_newest_values_from_redis() {
    let redis = TestRedis::start().await.expect("starts");
    let (mut hubs, mut following) = Hubs::start(&redis.url(), 0).await;
    hubs.commit(300).await;
    until("the latest values are in Redis", SOON, async || {
        following.catch_up().await?;
        let hashes = redis.hashes().await?;
        let parameters = hubs.world.missions[0].decoder.database().parameters().len() as u64;
        let are_there =
            hashes.iter().any(|(key, fields)| key.ends_with(":latest:test") && *fields == parameters);
        Ok((are_there && newest(&hubs) == Some(299)).then_some(()))
    })
    .await
    .expect("shown");
    assert_eq!(
        hubs.world.numbers(&hubs.follower).await.len(),
        256,
        "of the ledger as much as there is room for"
    );
}

/// The latest value of the test's parameter, as the follower shows it.
fn newest(hubs: &Hubs) -> Option<u64> {
    let (mut newest, wanted) = (None, hubs.world.parameter());
    hubs.follower.missions()[0].live.each_newest(|latest| {
        if latest.sample.parameter == wanted
            && let Raw::Unsigned(number) = latest.sample.raw
        {
            newest = Some(number);
        }
    });
    newest
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_and_not_shown() {
    for url in ["", "redis//host", "http://user:secret@host", "redis://user:secret@host:port"] {
        let error = FanOut::at_url(url, Seal::new(&SECRET, [0; 8])).err().expect("refused").to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
