//! A node with three lanes on a network that loses, doubles, reorders and goes away, and a hub that takes what comes
//! and says how far it is.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::network::Dice;
use super::*;

const LANES: usize = 3;
const PRIORITIES: [i32; LANES] = [90, 50, 10];
const HELLO: u8 = 1;
const POSITIONS: u8 = 2;
const ACKNOWLEDGED: u8 = 3;
const FRAME: u8 = 4;

#[derive(Debug)]
struct Scenario {
    seed: u64,
    path: Path,
    link: LinkOptions,
    frames: u64,
    /// Between two frames of a lane.
    pause: Duration,
    /// When one begins, and how long it lasts.
    blackouts: Vec<(Duration, Duration)>,
}

#[derive(Debug)]
struct Outcome {
    /// The numbers of each lane's frames, as the hub took them.
    taken: [Vec<u64>; LANES],
    /// How each connection ended for the node, `None` when it had no more to do.
    ends: Vec<Option<FrameError>>,
    trace: Vec<u8>,
}

impl Scenario {
    /// Any weather a seed may make.
    fn any(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut below = |bound| dice.below(bound);
        let delay = Duration::from_millis(5 + below(300));
        let path = Path {
            jitter: Duration::from_millis(below(delay.as_millis() as u64 / 2)),
            lost_per_mille: below(50),
            doubled_per_mille: below(20),
            ..Path::of(delay)
        };
        let blackouts = (0..below(3))
            .map(|_| (Duration::from_millis(below(20_000)), Duration::from_millis(1_000 + below(60_000))));
        let blackouts = blackouts.collect();
        let contracted = LinkOptions { contracted_bits_per_s: Some(2_000_000), ..Profile::Satcom.into() };
        let link = if seed.is_multiple_of(2) { Profile::Terrestrial.into() } else { contracted };
        let pause = Duration::from_millis(below(200));
        Self { seed, path, link, frames: 120, pause, blackouts }
    }

    fn run(&self, certificates: &Certificates) -> Outcome {
        on_virtual_time(async {
            let network = Network::new(self.seed, self.path);
            for (after, lasting) in &self.blackouts {
                network.black_out(*after, *lasting);
            }
            let taken = Arc::new(Mutex::new(Taken::default()));
            let hub = certificates.hub_on(&network, hub_place(), self.link);
            let serving = tokio::spawn(serve(hub, Arc::clone(&taken)));
            let client = certificates.client_on(&network, self.link);
            let forwarding = self.forward(client);
            let ends = tokio::time::timeout(Duration::from_secs(7_200), forwarding).await;
            let ends = ends.unwrap_or_else(|_| panic!("{self:?} never ends"));
            serving.abort();
            let taken = taken.lock().unwrap().lanes.clone();
            Outcome { taken, ends, trace: network.trace() }
        })
    }

    /// The node: comes back until the hub has everything.
    async fn forward(&self, mut client: Client) -> Vec<Option<FrameError>> {
        let mut ends = Vec::new();
        loop {
            match client.connect(&[hub_place()], Duration::from_secs(10)).await {
                Err(_) => sleep(Duration::from_secs(1)).await,
                Ok(connection) => {
                    let end = self.session(&connection).await.err();
                    let is_over = end.is_none();
                    ends.push(end);
                    if is_over {
                        connection.close(CLOSE_DONE, "all is there");
                        client.wait_idle().await;
                        return ends;
                    }
                }
            }
        }
    }

    async fn session(&self, connection: &Connection) -> Result<(), FrameError> {
        let (mut up, mut down) = connection.open_bi().await?;
        up.set_priority(100);
        up.send(HELLO, &[]).await?;
        let positions = down.next().await?.ok_or(FrameError::Truncated)?;
        assert_eq!(positions.kind, POSITIONS);
        let mut missing = 0;
        let mut lanes = JoinSet::new();
        for (lane, taken) in positions.body.chunks(8).enumerate() {
            let taken = number(taken);
            missing += self.frames - taken;
            let writer = connection.open_uni().await?;
            writer.set_priority(PRIORITIES[lane]);
            lanes.spawn(write_lane(writer, lane as u8, taken..self.frames, self.pause));
        }
        while missing > 0 {
            let acknowledged = down.next().await?.ok_or(FrameError::Truncated)?;
            assert_eq!(acknowledged.kind, ACKNOWLEDGED);
            missing -= 1;
        }
        Ok(())
    }
}

async fn write_lane(
    mut writer: FrameWriter,
    lane: u8,
    numbers: std::ops::Range<u64>,
    pause: Duration,
) -> Result<(), FrameError> {
    writer.write(HELLO, &[&[lane]]).await?;
    for number in numbers {
        let length = (number * 7_919 + u64::from(lane)) % 3_000;
        writer.send(FRAME, &[&number.to_le_bytes(), &vec![lane; length as usize]]).await?;
        sleep(pause).await;
    }
    writer.finish().await
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(*bytes.first_chunk().unwrap())
}

/// What the hub has, and which session may add to it.
#[derive(Default)]
struct Taken {
    session: u64,
    lanes: [Vec<u64>; LANES],
}

async fn serve(mut hub: HubEndpoint, taken: Arc<Mutex<Taken>>) {
    while let Some(accepted) = hub.accept().await {
        // How a session ends is for the node to say.
        tokio::spawn(serve_session(accepted.connection, Arc::clone(&taken)));
    }
}

async fn serve_session(connection: Connection, taken: Arc<Mutex<Taken>>) -> Result<(), FrameError> {
    let (mut down, mut up) = connection.accept_bi().await?;
    assert_eq!(up.next().await?.map(|frame| frame.kind), Some(HELLO));
    let (session, positions) = {
        let mut taken = taken.lock().unwrap();
        taken.session += 1;
        (taken.session, taken.lanes.each_ref().map(|lane| (lane.len() as u64).to_le_bytes()))
    };
    down.send(POSITIONS, &[&positions.concat()]).await?;
    let (on_taken, mut to_acknowledge) = mpsc::channel(64);
    let mut lanes = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = to_acknowledge.recv() => down.send(ACKNOWLEDGED, &[]).await?,
            reader = connection.accept_uni() => {
                lanes.spawn(read_lane(reader?, session, Arc::clone(&taken), on_taken.clone()));
            }
        }
    }
}

/// Takes whatever comes, as it comes: neither order nor repetition is put right here.
async fn read_lane(
    mut reader: FrameReader,
    session: u64,
    taken: Arc<Mutex<Taken>>,
    on_taken: mpsc::Sender<()>,
) -> Result<(), FrameError> {
    let first = reader.next().await?.ok_or(FrameError::Truncated)?;
    let lane = usize::from(first.body[0]);
    while let Some(frame) = reader.next().await? {
        {
            let mut taken = taken.lock().unwrap();
            if taken.session != session {
                return Ok(());
            }
            taken.lanes[lane].push(number(&frame.body));
        }
        if on_taken.send(()).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn assert_each_frame_came_once_and_in_order(scenario: &Scenario, outcome: &Outcome) {
    for lane in &outcome.taken {
        assert!(lane.iter().copied().eq(0..scenario.frames), "{scenario:?}: {lane:?}");
    }
}

#[test]
fn whatever_the_weather_each_frame_arrives_once_and_in_order_and_a_seed_tells_the_same_story_twice() {
    let certificates = Certificates::new();
    let mut traces = BTreeSet::new();
    let mut reconnected = 0;
    for seed in 0..50 {
        let scenario = Scenario::any(seed);
        let outcome = scenario.run(&certificates);
        assert_each_frame_came_once_and_in_order(&scenario, &outcome);
        assert_eq!(outcome.trace, scenario.run(&certificates).trace, "{scenario:?}");
        reconnected += usize::from(outcome.ends.len() > 1);
        traces.insert(outcome.trace);
    }
    assert_eq!(traces.len(), 50, "different seeds, different stories");
    assert!(reconnected > 0, "no seed lost a connection: the weather is too good");
}

/// 600 ms there and back, 2 % lost, and five minutes without a link, in the middle of everything.
fn satellite(link: LinkOptions) -> Scenario {
    let path = Path {
        jitter: Duration::from_millis(20),
        lost_per_mille: 20,
        ..Path::of(Duration::from_millis(290))
    };
    let blackouts = vec![(Duration::from_secs(20), Duration::from_secs(300))];
    Scenario { seed: 600, path, link, frames: 400, pause: Duration::from_millis(100), blackouts }
}

#[test]
fn five_minutes_without_a_link_end_the_connection_and_the_next_one_brings_the_rest() {
    let contracted = LinkOptions { contracted_bits_per_s: Some(2_000_000), ..Profile::Satcom.into() };
    for link in [contracted, Profile::Satcom.into()] {
        let scenario = satellite(link);
        let outcome = scenario.run(&Certificates::new());
        assert_each_frame_came_once_and_in_order(&scenario, &outcome);
        assert_eq!(outcome.ends, [Some(FrameError::Lost(Closed::Idle)), None]);
    }
}
