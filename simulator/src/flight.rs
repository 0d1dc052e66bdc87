//! A flight in real time: the spacecraft lives, and each station that hears it sends the packets to its node.
//!
//! Nothing is kept for later. While a station hears nothing, or its node is not there, packets are gone.

use std::{future::Future, io, time::Duration};

use space_packet::TaiTime;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    connection::{Backoff, Target, close, drain},
    orbit::Orbit,
    passes::{Station, next_pass},
    spacecraft::{Fault, Spacecraft},
};

/// How often the spacecraft lives on: well below the 250 ms between its steps.
const ROUND: Duration = Duration::from_millis(50);
/// About twenty seconds of telemetry. When a node takes nothing for longer, packets are dropped, as the sky
/// does.
const QUEUE_PACKETS: usize = 256;
const RECONNECT_FIRST: Duration = Duration::from_millis(250);
const RECONNECT_LONGEST: Duration = Duration::from_secs(5);
/// How long the last packets may take after the flight.
const END_TIMEOUT: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_secs(86_400);

/// A station's antenna, and the node behind it.
#[derive(Clone, Debug)]
pub struct Antenna {
    /// As it is called in logs.
    pub name: String,
    /// Where it stands; `None` hears the spacecraft always.
    pub station: Option<Station>,
    /// The node's intake.
    pub target: Target,
}

/// A flight.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Of the spacecraft.
    pub seed: u64,
    /// When it begins, by the spacecraft's clock.
    pub epoch: TaiTime,
    /// Seconds lived in a second, above zero.
    pub speed: f64,
    /// Faults, and how long after the epoch they begin.
    pub faults: Vec<(Fault, Duration)>,
    /// Who listens.
    pub antennas: Vec<Antenna>,
}

/// What became of one antenna's packets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AntennaReport {
    /// As it is called.
    pub name: String,
    /// Written to the node's connection.
    pub sent: u64,
    /// Heard, but the node was not there or too slow.
    pub dropped: u64,
}

/// One antenna's side of the queue to its node.
struct Downlink {
    antenna: Antenna,
    heard: bool,
    queue: mpsc::Sender<Vec<u8>>,
    dropped: u64,
}

impl Flight {
    /// Flies until `stop` completes.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Vec<AntennaReport> {
        let mut spacecraft = Spacecraft::new(self.seed, self.epoch);
        for &(fault, after) in &self.faults {
            spacecraft.inject(fault, later(self.epoch, after));
        }
        let mut downlinks = Vec::new();
        let mut nodes = tokio::task::JoinSet::new();
        for (place, antenna) in self.antennas.into_iter().enumerate() {
            let (queue, queued) = mpsc::channel(QUEUE_PACKETS);
            let (name, target) = (antenna.name.clone(), antenna.target.clone());
            nodes.spawn(async move { (place, deliver(&name, &target, queued).await) });
            downlinks.push(Downlink { antenna, heard: false, queue, dropped: 0 });
        }
        tokio::select! {
            () = live(&mut spacecraft, self.epoch, self.speed, &mut downlinks) => {}
            () = stop => {}
        }
        let mut reports: Vec<AntennaReport> = downlinks
            .into_iter()
            .map(|downlink| AntennaReport { name: downlink.antenna.name, sent: 0, dropped: downlink.dropped })
            .collect();
        // The queues' senders are gone: each delivery writes what it still has and ends.
        let ending = async {
            while let Some(Ok((place, delivered))) = nodes.join_next().await {
                reports[place].sent += delivered.sent;
                reports[place].dropped += delivered.dropped;
            }
        };
        if timeout(END_TIMEOUT, ending).await.is_err() {
            warn!("a node took nothing any more, its last packets are gone");
        }
        reports
    }
}

/// Lets the spacecraft live and hands its packets to whoever hears them. Never ends by itself.
async fn live(spacecraft: &mut Spacecraft, epoch: TaiTime, speed: f64, downlinks: &mut [Downlink]) {
    let orbit = Orbit::demo();
    let started = Instant::now();
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for downlink in downlinks.iter() {
        downlink.announce(&orbit, epoch);
    }
    loop {
        rounds.tick().await;
        let now = later(epoch, started.elapsed().mul_f64(speed));
        let packets = spacecraft.telemetry_due(now);
        let state = spacecraft.orbit_state();
        for downlink in downlinks.iter_mut() {
            let heard = downlink.antenna.station.is_none_or(|station| station.hears(&state));
            downlink.on_heard(heard, &orbit, now);
            if heard {
                packets.iter().for_each(|packet| downlink.send(&packet.bytes));
            }
        }
    }
}

impl Downlink {
    fn send(&mut self, packet: &[u8]) {
        if self.queue.try_send(packet.to_vec()).is_err() {
            self.dropped += 1;
        }
    }

    fn on_heard(&mut self, heard: bool, orbit: &Orbit, now: TaiTime) {
        if heard == self.heard {
            return;
        }
        self.heard = heard;
        let station = &self.antenna.name;
        if heard {
            info!(%station, at = %now, "signal acquired");
        } else {
            info!(%station, at = %now, "signal lost");
            self.announce(orbit, now);
        }
    }

    fn announce(&self, orbit: &Orbit, now: TaiTime) {
        let Some(station) = self.antenna.station else { return };
        match next_pass(orbit, &station, now, DAY) {
            Some(pass) => info!(
                station = %self.antenna.name,
                rise = %pass.rise,
                set = %pass.set,
                elevation_max_deg = format!("{:.1}", pass.elevation_max_deg),
                "next pass computed"
            ),
            None => info!(station = %self.antenna.name, "no pass within a day"),
        }
    }
}

#[derive(Default)]
struct Delivered {
    sent: u64,
    dropped: u64,
}

/// Writes an antenna's packets to its node, over as many connections as that takes, until the queue closes.
async fn deliver(name: &str, target: &Target, mut queued: mpsc::Receiver<Vec<u8>>) -> Delivered {
    let mut delivered = Delivered::default();
    let mut backoff = Backoff::new(RECONNECT_FIRST, RECONNECT_LONGEST);
    let mut was_there = true;
    while !queued.is_closed() || !queued.is_empty() {
        let attempt = drop_while(target.connect(), &mut queued, &mut delivered.dropped).await;
        let error = match attempt {
            None => break,
            Some(Ok(stream)) => {
                info!(station = %name, node = %target, "node connected");
                (was_there, backoff) = (true, Backoff::new(RECONNECT_FIRST, RECONNECT_LONGEST));
                match write_queue(stream, &mut queued, &mut delivered).await {
                    Ok(()) => break,
                    Err(error) => error,
                }
            }
            Some(Err(error)) => error,
        };
        if was_there {
            warn!(station = %name, node = %target, %error, "node is not there, packets are dropped");
            was_there = false;
        }
        drop_while(sleep(backoff.next_wait()), &mut queued, &mut delivered.dropped).await;
    }
    delivered
}

/// Writes until the queue is closed (`Ok`) or the connection is.
async fn write_queue(
    stream: TcpStream,
    queued: &mut mpsc::Receiver<Vec<u8>>,
    delivered: &mut Delivered,
) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    let writing = async {
        while let Some(packet) = queued.recv().await {
            if let Err(error) = write.write_all(&packet).await {
                delivered.dropped += 1;
                return Err(error);
            }
            delivered.sent += 1;
        }
        Ok(())
    };
    tokio::select! {
        written = writing => written?,
        () = drain(&mut read) => return Err(io::ErrorKind::ConnectionAborted.into()),
    }
    // The flight is over; a node that has just gone makes no difference.
    let _ = close(read, write).await;
    Ok(())
}

/// Waits for something while packets arrive that nobody takes; `None` when the queue is closed first.
async fn drop_while<T>(
    waited_for: impl Future<Output = T>,
    queued: &mut mpsc::Receiver<Vec<u8>>,
    dropped: &mut u64,
) -> Option<T> {
    tokio::pin!(waited_for);
    loop {
        tokio::select! {
            result = &mut waited_for => return Some(result),
            packet = queued.recv() => {
                packet?;
                *dropped += 1;
            }
        }
    }
}

fn later(time: TaiTime, by: Duration) -> TaiTime {
    time.plus_nanos(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
