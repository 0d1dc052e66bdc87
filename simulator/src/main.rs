//! `simulator`: a spacecraft, a recording or a load, sent to the TCP intakes of edge nodes; or a bad link to the hub.

mod arguments;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Parser;
use simulator::{
    clock,
    faults::FaultProxy,
    flight::Flight,
    load::{Load, LoadReport},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::info;

use crate::arguments::{Arguments, Command, FaultsArguments, LoadArguments, Relay, SpacecraftArguments};

/// Serials of the connections of one load lie this far apart, so that they never meet.
const SERIALS_PER_CONNECTION: u64 = 1 << 40;
const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_secs(10);
const STATISTICS_INTERVAL: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> Result<()> {
    let stopped = stop_on_signals().context("failed to listen for signals")?;
    match command {
        Command::Faults(arguments) => be_a_bad_link(*arguments, stopped).await,
        Command::Load(arguments) => load(arguments, stopped).await,
        Command::Replay(arguments) => {
            let report = arguments.replay().run(wait(stopped)).await?;
            println!("{report}");
            Ok(())
        }
        Command::Spacecraft(arguments) => fly(arguments, stopped).await,
    }
}

async fn fly(arguments: SpacecraftArguments, stopped: watch::Receiver<bool>) -> Result<()> {
    let flight = Flight {
        seed: arguments.seed,
        epoch: clock::now(),
        speed: arguments.speed,
        faults: arguments.fault.iter().map(|&fault| (fault, arguments.at)).collect(),
        antennas: arguments.antennas()?,
    };
    for report in flight.run(wait(stopped)).await {
        info!(station = %report.name, sent = report.sent, dropped = report.dropped, "flight ended");
    }
    Ok(())
}

/// Relays until stopped; each proxy has the seed that follows the one before.
async fn be_a_bad_link(arguments: FaultsArguments, stopped: watch::Receiver<bool>) -> Result<()> {
    let FaultsArguments { udp, tcp, profile, seed } = arguments;
    let mut proxies = Vec::new();
    for (relay, is_udp) in udp.iter().map(|relay| (relay, true)).chain(tcp.iter().map(|relay| (relay, false)))
    {
        let Relay { listen, upstream } = *relay;
        let seed = seed.wrapping_add(proxies.len() as u64);
        let (kind, proxy) = if is_udp {
            ("udp", FaultProxy::udp(listen, upstream, seed, profile.clone()).await)
        } else {
            ("tcp", FaultProxy::tcp(listen, upstream, seed, profile.clone()).await)
        };
        let proxy = proxy.with_context(|| format!("failed to listen at {kind} {listen}"))?;
        let name = format!("{kind} {} -> {upstream}", proxy.address());
        println!("{name}: {profile}");
        proxies.push((name, proxy));
    }
    let report = || proxies.iter().for_each(|(name, proxy)| println!("{name}: {}", proxy.statistics()));
    let reporting = async {
        let mut ticks = interval(STATISTICS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first comes at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            report();
        }
    };
    tokio::select! {
        () = reporting => {}
        () = wait(stopped) => report(),
    }
    Ok(())
}

async fn load(arguments: LoadArguments, stopped: watch::Receiver<bool>) -> Result<()> {
    let run_id = arguments.run_id.unwrap_or_else(rand::random);
    let connections = u64::from(arguments.connections);
    let mut loads = tokio::task::JoinSet::new();
    for connection in 0..connections {
        let share = |packets: u64| packets / connections + u64::from(connection < packets % connections);
        let load = Load {
            target: arguments.to.clone(),
            run_id,
            first_serial: connection * SERIALS_PER_CONNECTION,
            packets_per_second: arguments.rate / connections as f64,
            packet_bytes: usize::from(arguments.packet_bytes),
            apid: arguments.apid_of(connection)?,
            packets_max: arguments.packets.map(share),
            acknowledgement_timeout: if arguments.acknowledged {
                ACKNOWLEDGEMENT_TIMEOUT
            } else {
                Duration::ZERO
            },
        };
        let (seconds, stopped) = (arguments.seconds, stopped.clone());
        loads.spawn(load.run(async move {
            match seconds {
                Some(seconds) => tokio::select! { () = sleep(seconds) => {}, () = wait(stopped) => {} },
                None => wait(stopped).await,
            }
        }));
    }
    let mut total = LoadReport { run_id, ..LoadReport::default() };
    for report in loads.join_all().await {
        total.sent.extend(report.sent);
        total.acknowledged.extend(report.acknowledged);
        total.bytes += report.bytes;
        total.seconds = total.seconds.max(report.seconds);
    }
    print_load(&total, &arguments)
}

fn print_load(report: &LoadReport, arguments: &LoadArguments) -> Result<()> {
    if arguments.json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    let sent = report.sent_packets();
    let rate = sent as f64 / report.seconds.max(1e-6);
    print!("run {}: {sent} packets, {} bytes, {:.3} s", report.run_id, report.bytes, report.seconds);
    print!(" ({rate:.0} packets/s)");
    if arguments.acknowledged {
        print!(", {} acknowledged", report.acknowledged_packets());
    }
    println!();
    Ok(())
}

/// Becomes true at the first SIGINT or SIGTERM.
fn stop_on_signals() -> std::io::Result<watch::Receiver<bool>> {
    let (stopping, stopped) = watch::channel(false);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stopping.send_replace(true);
        // Whoever waits later still finds the stop.
        stopping.closed().await;
    });
    Ok(stopped)
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // An error would mean that no signal can come any more; then there is nothing to wait for either.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
