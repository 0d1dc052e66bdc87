//! What hostile nodes do, each one thing.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use delivery::{
    ChainHash, Frame, Hello, LOGS_MAX, Lane, LogHead, LogNumber, Position, StoreId, TEXT_BYTES_MAX, Way,
};
use link::FrameWriter;
use space_packet::TaiTime;
use testkit::node_client::{Greeting, NodeClient, OpenSession, new_store, send};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::forged::{Content, bomb};

/// On a busy machine, with programs that are not optimised.
const OVER_WITHIN: Duration = Duration::from_secs(180);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const VIOLATION: &str = "STO-SESSION-VIOLATION";
/// Times the hub grants.
const CREDITS: usize = 10;
const STREAMS: usize = 1_000_000;
const SPANS: u64 = 40;
const NOISES: u64 = 60;
const CONNECTIONS: usize = 100;
/// Of a session that does not read its answers: below what counts as a flood, also when a second of them comes at once.
const QUESTIONS_PER_TICK: usize = 15;
const QUESTIONS_TICK: Duration = Duration::from_millis(20);
/// More than the hub lets a node have behind what it has begun already, at 16 in a HELLO.
const HELLOS: usize = 20;

/// A kind of attack, and the node that does it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Attack {
    Bomb,
    Credit,
    Crowd,
    Deaf,
    Flood,
    ForeignMission,
    ForgedTime,
    Holes,
    Jumps,
    NewStores,
    Noise,
    Oversized,
    Report,
    Streams,
    TwiceNamed,
}

impl Attack {
    pub(super) const ALL: [Self; 15] = [
        Self::Bomb,
        Self::Credit,
        Self::Crowd,
        Self::Deaf,
        Self::Flood,
        Self::ForeignMission,
        Self::ForgedTime,
        Self::Holes,
        Self::Jumps,
        Self::NewStores,
        Self::Noise,
        Self::Oversized,
        Self::Report,
        Self::Streams,
        Self::TwiceNamed,
    ];

    /// The node's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bomb => "bomb",
            Self::Credit => "credit",
            Self::Crowd => "crowd",
            Self::Deaf => "deaf",
            Self::Flood => "flood",
            Self::ForeignMission => "foreign-mission",
            Self::ForgedTime => "forged-time",
            Self::Holes => "holes",
            Self::Jumps => "jumps",
            Self::NewStores => "new-stores",
            Self::Noise => "noise",
            Self::Oversized => "oversized",
            Self::Report => "report",
            Self::Streams => "streams",
            Self::TwiceNamed => "twice-named",
        }
    }

    /// Codes of the events about it, each with words of the text.
    pub(super) fn evidence(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Bomb => &[("STO-BATCH-UNREADABLE", "cannot be unpacked")],
            Self::Credit => &[(VIOLATION, "bytes where")],
            Self::Crowd => &[(VIOLATION, "connections at once")],
            Self::Deaf => &[(VIOLATION, "has not read")],
            Self::Flood => &[(VIOLATION, "things within a second")],
            Self::ForeignMission => &[("STO-BATCH-MISSION", "no right to send for mission \"load\"")],
            // A wrong clock is a fact, not an offence.
            Self::ForgedTime => &[],
            Self::Holes => &[(VIOLATION, "holes")],
            Self::Jumps => &[("STO-SESSION-DAMAGED", "out of range")],
            Self::NewStores => &[("STO-SESSION-DUPLICATE", "journals")],
            Self::Noise => &[(VIOLATION, "")],
            Self::Oversized => &[(VIOLATION, "the limit is")],
            Self::Report => &[("STO-NODE-REPORT", "was dropped")],
            Self::Streams => &[(VIOLATION, "streams of batches")],
            Self::TwiceNamed => &[(VIOLATION, "something else than was due")],
        }
    }

    /// For what its batches are kept apart.
    pub(super) fn kept_apart(self) -> &'static str {
        match self {
            Self::Bomb => "unreadable",
            Self::ForeignMission => "mission",
            _ => "",
        }
    }

    /// Attacks, and says what it did.
    pub(super) async fn run(self, mut node: NodeClient) -> anyhow::Result<String> {
        let began = Instant::now();
        let attack = async {
            match self {
                Self::Bomb => send_bomb(&mut node).await,
                Self::Credit => exceed_credit(&mut node).await,
                Self::Crowd => crowd(&mut node).await,
                Self::Deaf => ask_and_never_read(&mut node).await,
                Self::Flood => flood(&mut node).await,
                Self::ForeignMission => send_foreign_mission(&mut node).await,
                Self::ForgedTime => forge_times(&mut node).await,
                Self::Holes => leave_holes(&mut node).await,
                Self::Jumps => jump(&mut node).await,
                Self::NewStores => name_new_stores(&mut node).await,
                Self::Noise => make_noise(&mut node).await,
                Self::Oversized => send_oversized(&mut node).await,
                Self::Report => send_long_report(&mut node).await,
                Self::Streams => open_streams(&mut node).await,
                Self::TwiceNamed => name_a_log_twice(&mut node).await,
            }
        };
        let told = timeout(OVER_WITHIN, attack).await.context("it is not over")??;
        Ok(format!("{}: {told} in {:.1} s", self.name(), began.elapsed().as_secs_f64()))
    }
}

fn head(lane: Lane, store: StoreId, newest: u64) -> LogHead {
    let head = (newest > 0).then_some(delivery::BatchSequence(newest));
    LogHead { lane, store, head, is_forked: false }
}

async fn open(node: &mut NodeClient, lane: Lane, store: StoreId) -> anyhow::Result<OpenSession> {
    let hello = node.hello(vec![head(lane, store, 0)]);
    node.open(hello).await
}

async fn send_batch(stream: &mut FrameWriter, way: Way, sealed: &[u8]) -> anyhow::Result<()> {
    Ok(stream.send(Frame::BATCH, &[&Frame::batch_prefix(LogNumber(0), way), sealed]).await?)
}

/// The frame that is waited for.
async fn hear<T>(session: &mut OpenSession, wanted: impl Fn(Frame) -> Option<T>) -> anyhow::Result<T> {
    let heard = async {
        while let Some(frame) = session.next().await? {
            if let Some(found) = wanted(frame) {
                return Ok(found);
            }
        }
        bail!("the stream ended without it")
    };
    timeout(ANSWER_WITHIN, heard).await.context("the hub does not say it")?
}

/// Why the hub ended a session.
async fn ended(session: &mut OpenSession) -> anyhow::Result<String> {
    let goodbye = hear(session, |frame| match frame {
        Frame::Goodbye(goodbye) => Some(goodbye.reason),
        _ => None,
    });
    goodbye.await
}

async fn send_bomb(node: &mut NodeClient) -> anyhow::Result<String> {
    let store = new_store();
    let mut session = open(node, Lane::Telemetry, store).await?;
    let mut live = session.open_way(Way::Live).await?;
    let bytes = bomb(store)?;
    send_batch(&mut live, Way::Live, &bytes).await?;
    let aside = hear(&mut session, |frame| match frame {
        Frame::SetAside(aside) => Some(aside),
        _ => None,
    });
    ensure!(aside.await?.sequence.0 == 1, "another batch was set aside");
    let watermark = hear(&mut session, |frame| match frame {
        Frame::Ack(ack) => Some(ack.watermark),
        _ => None,
    });
    ensure!(watermark.await? == 1, "its number does not count");
    Ok(format!("a batch of {} bytes was set aside", bytes.len()))
}

/// How fast the hub commits decides when it is too much, so it is tried again and again.
async fn exceed_credit(node: &mut NodeClient) -> anyhow::Result<String> {
    for session_number in 1.. {
        let store = new_store();
        let mut session = open(node, Lane::Alarm, store).await?;
        let mut alarms = session.open_way(Way::Alarm).await?;
        let content = Content { packets: 60, packet_bytes: 1_500, received: simulator::clock::now() };
        let (mut position, mut sent) = (Position::start(store, Lane::Alarm), 0);
        while sent < CREDITS * usize::try_from(session.ok.credit.alarm_bytes)? {
            let batch = content.behind(Lane::Alarm, &position);
            position = batch.position();
            sent += batch.bytes().len();
            if send_batch(&mut alarms, Way::Alarm, batch.bytes()).await.is_err() {
                break;
            }
        }
        // Where all of it was committed in time there was nothing to refuse.
        let answer = timeout(Duration::from_secs(2), ended(&mut session)).await;
        if let Ok(Ok(reason)) = answer
            && reason.contains("bytes where")
        {
            return Ok(format!("{sent} bytes in session {session_number}: {reason}"));
        }
    }
    bail!("sessions are without number")
}

/// Connections on which nothing is said, with as much data as their windows hold.
async fn crowd(node: &mut NodeClient) -> anyhow::Result<String> {
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..CONNECTIONS {
        let Ok(connection) = node.connect().await else { continue };
        let filler = vec![0; 1 << 20];
        let Ok(mut stream) = connection.open_uni().await else { continue };
        open.push(tokio::spawn(async move {
            let _ = timeout(Duration::from_secs(5), stream.send_unframed(&filler)).await;
            timeout(Duration::from_secs(20), connection.closed()).await.is_ok()
        }));
    }
    let count = open.len();
    for connection in open {
        refused += usize::from(connection.await?);
    }
    ensure!(refused == count, "{} of {count} connections stay open without HELLO", count - refused);
    Ok(format!("{refused} connections were closed"))
}

async fn ask_and_never_read(node: &mut NodeClient) -> anyhow::Result<String> {
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    let mut ticks = interval(QUESTIONS_TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked = 0;
    let (connection, control) = (&session.connection, &mut session.control);
    let asking = async {
        loop {
            ticks.tick().await;
            for _ in 0..QUESTIONS_PER_TICK {
                let question = Frame::TimeAsk(TaiTime(i64::MIN));
                if send(control, &question).await.is_err() {
                    return;
                }
                asked += 1;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        _ = connection.closed() => {}
    }
    connection.closed().await;
    Ok(format!("{asked} questions, no answer read, the hub closed"))
}

async fn flood(node: &mut NodeClient) -> anyhow::Result<String> {
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    let question = Frame::TimeAsk(TaiTime(0)).encode();
    let mut asked = 0;
    while asked < 1_000_000 && session.control.write(question.0, &[&question.1]).await.is_ok() {
        asked += 1;
    }
    let _ = session.control.flush().await;
    let reason = ended(&mut session).await?;
    Ok(format!("{asked} questions: {reason}"))
}

async fn send_foreign_mission(node: &mut NodeClient) -> anyhow::Result<String> {
    let store = new_store();
    let mut session = open(node, Lane::Telemetry, store).await?;
    let mut live = session.open_way(Way::Live).await?;
    let mut position = Position::start(store, Lane::Telemetry);
    for _ in 0..100 {
        let batch = Content::small().behind(Lane::Telemetry, &position);
        position = batch.position();
        send_batch(&mut live, Way::Live, batch.bytes()).await?;
    }
    let mut set_aside = 0;
    let watermark = hear(&mut session, |frame| match frame {
        Frame::Ack(ack) if ack.watermark == 100 => Some(ack.watermark),
        _ => None,
    });
    set_aside += watermark.await?;
    Ok(format!("{set_aside} batches were acknowledged, and are kept apart"))
}

/// The hub takes times as they are, and whatever reads them later must bear them.
async fn forge_times(node: &mut NodeClient) -> anyhow::Result<String> {
    let year_2262 = TaiTime(i64::MAX);
    for node_time in [TaiTime(i64::MIN), TaiTime(0), year_2262] {
        let store = new_store();
        let hello = Hello { node_time, ..node.hello(vec![head(Lane::Telemetry, store, 0)]) };
        let mut session = node.open(hello).await?;
        session.send(&Frame::TimeAsk(node_time)).await?;
        let answer = hear(&mut session, |frame| match frame {
            Frame::TimeAnswer(answer) => Some(answer),
            _ => None,
        });
        ensure!(answer.await?.asked == node_time, "the hub answers another question");
        let mut live = session.open_way(Way::Live).await?;
        let mut position = Position::start(store, Lane::Telemetry);
        for received in [i64::MIN, -1, 0, i64::MAX].map(TaiTime) {
            let content = Content { packets: 3, packet_bytes: 92, received };
            let batch = content.behind(Lane::Telemetry, &position);
            position = batch.position();
            send_batch(&mut live, Way::Live, batch.bytes()).await?;
        }
        let all = hear(&mut session, |frame| match frame {
            Frame::Ack(ack) if ack.watermark == 4 => Some(()),
            _ => None,
        });
        all.await?;
    }
    Ok("12 batches of other centuries were taken".to_owned())
}

async fn leave_holes(node: &mut NodeClient) -> anyhow::Result<String> {
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    let mut live = session.open_way(Way::Live).await?;
    for span in 1..=SPANS {
        let batch = Content::small().sealed(Lane::Telemetry, span * 1_000_000, ChainHash([7; 16]));
        if send_batch(&mut live, Way::Live, batch.bytes()).await.is_err() {
            break;
        }
    }
    ended(&mut session).await
}

async fn jump(node: &mut NodeClient) -> anyhow::Result<String> {
    let mut reasons = Vec::new();
    for sequence in [i64::MAX as u64 - 1, i64::MAX as u64, u64::MAX] {
        let store = new_store();
        let mut session = open(node, Lane::Telemetry, store).await?;
        let mut live = session.open_way(Way::Live).await?;
        let batch = Content::small().sealed(Lane::Telemetry, sequence, ChainHash([7; 16]));
        send_batch(&mut live, Way::Live, batch.bytes()).await?;
        if sequence < i64::MAX as u64 {
            let range = hear(&mut session, |frame| match frame {
                Frame::Ack(ack) => Some((ack.watermark, ack.ranges)),
                _ => None,
            });
            ensure!(range.await? == (0, vec![(sequence, sequence)]), "the highest number is taken");
        } else {
            reasons.push(ended(&mut session).await?);
        }
    }
    Ok(reasons.join("; "))
}

async fn name_new_stores(node: &mut NodeClient) -> anyhow::Result<String> {
    for hello_number in 1..=HELLOS {
        let hello = node.hello((0..LOGS_MAX).map(|_| head(Lane::Telemetry, new_store(), 0)).collect());
        match node.greet(hello).await? {
            Greeting::Open(session) => session.connection.close(link::CLOSE_DONE, "another one"),
            Greeting::Rejected(reject) => return Ok(format!("HELLO {hello_number}: {}", reject.detail)),
        }
    }
    bail!("{HELLOS} HELLOs were accepted")
}

/// Bytes of no meaning, behind a sound HELLO and in its place, framed and not.
async fn make_noise(node: &mut NodeClient) -> anyhow::Result<String> {
    for number in 0..NOISES {
        let noise: Vec<u8> = (0..2_048).map(|_| rand::random()).collect();
        let kind = u8::try_from(number % 20)?;
        let attempt = async {
            match number % 4 {
                0 => {
                    let mut session = open(node, Lane::Telemetry, new_store()).await?;
                    session.control.send_unframed(&noise).await?;
                    session.connection.closed().await;
                }
                1 => {
                    let mut session = open(node, Lane::Telemetry, new_store()).await?;
                    session.control.send(kind, &[&noise]).await?;
                    let _ = timeout(Duration::from_millis(200), session.connection.closed()).await;
                }
                2 => {
                    let session = open(node, Lane::Telemetry, new_store()).await?;
                    let mut live = session.open_way(Way::Live).await?;
                    live.send(Frame::BATCH, &[&noise]).await?;
                    session.connection.closed().await;
                }
                _ => {
                    let connection = node.connect().await?;
                    let (mut control, _answers) = connection.open_bi().await?;
                    control.send(1, &[&noise]).await?;
                    connection.closed().await;
                }
            }
            anyhow::Ok(())
        };
        // The hub may end it while it is still being written to.
        let _ = timeout(ANSWER_WITHIN, attempt).await.context("the hub bears it")?;
    }
    Ok(format!("{NOISES} sessions of noise"))
}

async fn send_oversized(node: &mut NodeClient) -> anyhow::Result<String> {
    let report = vec![b' '; 10_000_000];
    let mut framed = u32::try_from(report.len() + 1)?.to_le_bytes().to_vec();
    framed.push(6);
    framed.extend_from_slice(&report);
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    let _ = timeout(ANSWER_WITHIN, session.control.send_unframed(&framed)).await;
    let reason = ended(&mut session).await?;
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    let mut live = session.open_way(Way::Live).await?;
    let _ = timeout(Duration::from_secs(2), live.send_unframed(&framed)).await;
    ensure!(ended(&mut session).await? == reason, "on a stream of batches it is something else");
    Ok(reason)
}

async fn send_long_report(node: &mut NodeClient) -> anyhow::Result<String> {
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    session.send(&Frame::Report(vec![b'['; 200_000])).await?;
    session.send(&Frame::Report(b"{\"version\":1}".to_vec())).await?;
    session.send(&Frame::TimeAsk(TaiTime(1))).await?;
    let answer = hear(&mut session, |frame| match frame {
        Frame::TimeAnswer(answer) => Some(answer),
        _ => None,
    });
    answer.await?;
    let text = "x".repeat(TEXT_BYTES_MAX + 1);
    let mut hello = node.hello(vec![head(Lane::Telemetry, new_store(), 0)]);
    hello.software = text;
    ensure!(node.greet(hello).await.is_err(), "a software's name without end is let in");
    Ok("two reports were dropped, the session went on".to_owned())
}

async fn open_streams(node: &mut NodeClient) -> anyhow::Result<String> {
    let mut session = open(node, Lane::Telemetry, new_store()).await?;
    let mut opened = 0;
    while opened < STREAMS {
        let Ok(mut stream) = session.open_way(Way::Live).await else { break };
        if stream.send(200, &[&[]]).await.is_err() || stream.finish().await.is_err() {
            break;
        }
        opened += 1;
    }
    let reason = ended(&mut session).await?;
    // Where nobody has said HELLO, none is taken.
    let connection = node.connect().await?;
    let mut before = 0;
    let opening = async {
        while before < STREAMS {
            let Ok(mut stream) = connection.open_uni().await else { break };
            if stream.send(200, &[&[]]).await.is_err() || stream.finish().await.is_err() {
                break;
            }
            before += 1;
        }
    };
    let _ = timeout(ANSWER_WITHIN, opening).await;
    ensure!(opened < 100 && before < 100, "{opened} streams behind HELLO, {before} before it");
    Ok(format!("{opened} streams behind HELLO, {before} before it: {reason}"))
}

async fn name_a_log_twice(node: &mut NodeClient) -> anyhow::Result<String> {
    let twice = head(Lane::Telemetry, new_store(), 0);
    let hello = node.hello(vec![twice, twice]);
    ensure!(node.greet(hello).await.is_err(), "a log named twice is let in");
    sleep(Duration::from_millis(100)).await;
    Ok("was not let in".to_owned())
}
