//! `./dev up`: a hub, two stations and a spacecraft on this machine, until Ctrl-C.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;
use simulator::faults::{FaultProfile, FaultProxy};
use simulator::spacecraft::Fault;
use testkit::client::Client;
use testkit::configuration::{Database, Mission};
use testkit::ground::{GroundPlan, GroundSegment, NodePlan};
use testkit::postgres::end_left_behind;
use testkit::process::{Group, until};
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
Usage: ./dev up [OPTIONS]

Runs a hub, two stations and a simulated spacecraft until Ctrl-C. What they recorded is kept for the next time.

  --fresh               forget what earlier runs recorded
  --var DIR             where everything is kept (default ./var)
  --http-port N         the hub's dashboard; the stations take the next two (default 8080)
  --reception-port N    where stations forward to, UDP (default 8443)
  --telemetry-port N    where the first station takes telemetry in, TCP; the second takes the next (default 10015)
  --real-passes         the spacecraft is in sight only when its orbit says so
  --fault NAME          what goes wrong aboard, from the start on: battery-cell (alarms within ten minutes), sensor-noise,
                        stuck-thermistor, transponder-drop or wheel-friction
  --bad-link [PROFILE]  the second station reaches the hub over a bad link: satcom (unless named otherwise), lossy,
                        dial-up or broken; the same faults each time
";
/// Only a folder with this file in it is ever removed.
const MARKER: &str = ".space-telemetry-operations";
const STATIONS: [(&str, &str); 2] = [("svalbard", "Svalbard, Norway"), ("awarua", "Awarua, New Zealand")];
/// The station that a bad link is for, and the profile that the link and the station's own transport have then.
const FAR_STATION: &str = STATIONS[1].0;
const SATCOM: &str = "satcom";
const BAD_LINK_SEED: u64 = 7;
const STATUS_EVERY: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Options {
    fresh: bool,
    var: PathBuf,
    http_port: u16,
    reception_port: u16,
    telemetry_port: u16,
    real_passes: bool,
    fault: Option<Fault>,
    bad_link: Option<String>,
}

impl Options {
    /// `None` asks for the help text.
    fn parse(arguments: impl IntoIterator<Item = String>) -> anyhow::Result<Option<Self>> {
        let mut options = Self {
            fresh: false,
            var: PathBuf::from("var"),
            http_port: 8080,
            reception_port: 8443,
            telemetry_port: 10015,
            real_passes: false,
            fault: None,
            bad_link: None,
        };
        let mut arguments = arguments.into_iter().peekable();
        while let Some(option) = arguments.next() {
            if option == "--bad-link" {
                let named = arguments.next_if(|next| !next.starts_with('-'));
                options.bad_link = Some(named.unwrap_or_else(|| SATCOM.to_owned()));
                continue;
            }
            let mut value = || arguments.next().with_context(|| format!("{option} needs a value"));
            match option.as_str() {
                "--fresh" => options.fresh = true,
                "--real-passes" => options.real_passes = true,
                "--fault" => options.fault = Some(value()?.parse().context("--fault")?),
                "--var" => options.var = PathBuf::from(value()?),
                "--http-port" => options.http_port = port(&option, &value()?)?,
                "--reception-port" => options.reception_port = port(&option, &value()?)?,
                "--telemetry-port" => options.telemetry_port = port(&option, &value()?)?,
                "-h" | "--help" => return Ok(None),
                _ => bail!("unknown option {option}\n\n{HELP}"),
            }
        }
        options.link()?;
        Ok(Some(options))
    }

    /// What the bad link does, if there is to be one.
    fn link(&self) -> anyhow::Result<Option<FaultProfile>> {
        let profile = self.bad_link.as_ref().map(|name| name.parse());
        profile.transpose().context("--bad-link")
    }

    /// Every port that must be free, with what it is for and the option that moves it.
    fn ports(&self) -> Vec<Port> {
        let mut ports = vec![
            Port {
                number: self.http_port,
                use_for: "the hub's dashboard",
                option: "--http-port",
                udp: false,
            },
            Port {
                number: self.reception_port,
                use_for: "the hub's reception",
                option: "--reception-port",
                udp: true,
            },
        ];
        for (offset, (station, _)) in (0_u16..).zip(STATIONS) {
            let (http, telemetry) = (self.http_port + 1 + offset, self.telemetry_port + offset);
            ports.push(Port { number: http, use_for: station, option: "--http-port", udp: false });
            ports.push(Port { number: telemetry, use_for: station, option: "--telemetry-port", udp: false });
        }
        ports
    }
}

fn port(option: &str, text: &str) -> anyhow::Result<u16> {
    // Room for the stations' ports, which follow.
    match text.parse() {
        Ok(number @ 1..=65_500) => Ok(number),
        _ => bail!("{option} needs a port from 1 to 65500, not {text:?}"),
    }
}

struct Port {
    number: u16,
    use_for: &'static str,
    option: &'static str,
    udp: bool,
}

impl Port {
    fn check(&self) -> anyhow::Result<()> {
        let address = local(self.number);
        let bound =
            if self.udp { UdpSocket::bind(address).map(drop) } else { TcpListener::bind(address).map(drop) };
        bound.with_context(|| {
            let Self { number, use_for, option, .. } = self;
            format!(
                "port {number} ({use_for}) cannot be used: choose another with {option}, or stop what uses it"
            )
        })
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[tokio::main]
async fn main() -> ExitCode {
    up().await.unwrap_or_else(|failed| {
        eprintln!("{failed:#}");
        ExitCode::FAILURE
    })
}

async fn up() -> anyhow::Result<ExitCode> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let var = state_directory(&options.var)?;
    stop_left_behind(&var).await?;
    let plan = plan(&options, &var)?;
    // First, so that nothing is forgotten under a running hub.
    for port in options.ports() {
        port.check()?;
    }
    if options.fresh {
        forget(&plan, &var)?;
    }
    let mut ground = GroundSegment::prepare(plan)?;
    // Outlasts the stations, which still forward while they stop.
    let mut bad_link = None;
    let watched = tokio::select! {
        watched = run(&mut ground, &options, &var, &mut bad_link) => watched,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    if let Err(failed) = &watched {
        eprintln!("\n{failed:#}");
    }
    println!("\nstopping");
    tokio::select! {
        stopped = ground.stop() => stopped?,
        // A second Ctrl-C: whoever is impatient gets what they ask for, dropping the rest kills it.
        _ = interrupt.recv() => bail!("stopped the hard way"),
    }
    Ok(if watched.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Starts everything, tells how to get in, and reports until something ends.
async fn run(
    ground: &mut GroundSegment,
    options: &Options,
    var: &Path,
    bad_link: &mut Option<FaultProxy>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    ground.start_hub().await.context("the hub did not start")?;
    step(begun, "hub is ready");
    for (name, _) in STATIONS {
        ground.enrol(name).await.with_context(|| format!("{name} could not be enrolled"))?;
        if let Some(profile) = options.link()?.filter(|_| name == FAR_STATION) {
            *bad_link = Some(ground.bad_link(name, BAD_LINK_SEED, profile).await?);
        }
        ground.start_node(name).await.with_context(|| format!("{name} did not start"))?;
        step(begun, &format!("station {name} is ready"));
    }
    ground.tell_sky("demo").await.context("the hub did not take places and elements")?;
    step(begun, "the hub knows where the stations are, and how the spacecraft flies");
    ground.furnish_demo().await.context("the hub did not take the demo's limits and dashboard")?;
    ground.simulate_spacecraft(!options.real_passes, options.fault)?;
    let simulator = ground.simulators().last().context("it was just started")?.id();
    fs::write(var.join("simulator.pid"), simulator.to_string())?;
    println!("\n  dashboard  http://{}/#code={}", ground.hub_http(), ground.hub_code().await?);
    for (name, _) in STATIONS {
        println!("  {name:<9}  http://{}/#code={}", ground.node_http(name)?, ground.node_code(name).await?);
    }
    if let (Some(name), Some(profile), Some(proxy)) = (&options.bad_link, options.link()?, &*bad_link) {
        println!(
            "\n{FAR_STATION} reaches the hub over a bad link at UDP {}, {name}: {profile}",
            proxy.address()
        );
    }
    println!(
        "\nEach address logs in once. Logs are in {}. Ctrl-C stops everything.\n",
        var.join("logs").display()
    );
    report(ground).await
}

fn step(begun: Instant, what: &str) {
    println!("{:6.1} s  {what}", begun.elapsed().as_secs_f64());
}

/// Prints a line every few seconds; returns only when a process ended that should not have.
async fn report(ground: &mut GroundSegment) -> anyhow::Result<()> {
    let hub = ground.hub_client().await?;
    let mut stations = Vec::new();
    for (name, _) in STATIONS {
        stations.push(ground.node_client(name).await?);
    }
    let mut last: Option<(Instant, Counts)> = None;
    loop {
        match counts(&hub, &stations).await {
            Ok(now) => {
                println!("{}", now.line(last.as_ref().map(|(at, before)| (at.elapsed(), before))));
                last = Some((Instant::now(), now));
            }
            Err(failed) => println!("no figures at the moment: {failed:#}"),
        }
        let again = Instant::now() + STATUS_EVERY;
        while Instant::now() < again {
            if let Some((name, log)) = ground.ended().into_iter().next() {
                bail!("{name} ended by itself; its log ends:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Counts {
    received: u64,
    waiting: u64,
    archived: u64,
    states: Vec<(String, String)>,
}

impl Counts {
    fn line(&self, before: Option<(Duration, &Self)>) -> String {
        let rate = before.map_or(0.0, |(elapsed, before)| {
            let more = self.received.saturating_sub(before.received);
            more as f64 / elapsed.as_secs_f64().max(0.001)
        });
        let states: Vec<String> = self.states.iter().map(|(name, state)| format!("{name} {state}")).collect();
        format!(
            "packets in {} ({rate:.0}/s)   waiting {}   archived {}   {}",
            self.received,
            self.waiting,
            self.archived,
            states.join(", ")
        )
    }
}

/// What came in and waits is the stations' own word, what is archived the hub's.
async fn counts(hub: &Client, stations: &[Client]) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    for node in nodes(&hub.get("/api/v1/nodes").await?) {
        counts.archived += node["archived_packets"].as_u64().unwrap_or(0);
        let text = |key: &str| node[key].as_str().unwrap_or("?").to_owned();
        counts.states.push((text("name"), text("state")));
    }
    for station in stations {
        for node in nodes(&station.get("/api/v1/nodes").await?) {
            counts.received += node.pointer("/report/packets_received").and_then(Value::as_u64).unwrap_or(0);
            counts.waiting += node.pointer("/report/backlog/packets").and_then(Value::as_u64).unwrap_or(0);
        }
    }
    Ok(counts)
}

fn nodes(answer: &Value) -> &[Value] {
    answer["nodes"].as_array().map_or(&[], Vec::as_slice)
}

fn plan(options: &Options, var: &Path) -> anyhow::Result<GroundPlan> {
    let mut plan = GroundPlan::new(var);
    plan.hub_http = local(options.http_port);
    plan.reception = local(options.reception_port);
    plan.mission = Mission::demo_with_rules();
    plan.group = Group::Own;
    plan.database = database_for(var)?;
    for (offset, (name, site)) in (0_u16..).zip(STATIONS) {
        let mut node = NodePlan::new(name);
        node.site = site.to_owned();
        node.http = local(options.http_port + 1 + offset);
        node.link = local(options.telemetry_port + offset);
        if name == FAR_STATION && options.bad_link.as_deref() == Some(SATCOM) {
            node.forwarding_profile = Some(SATCOM.to_owned());
        }
        plan.nodes.push(node);
    }
    Ok(plan)
}

/// As root, PostgreSQL runs as another user, who may not enter a clone below `/root`: then it lives elsewhere.
fn database_for(var: &Path) -> anyhow::Result<Database> {
    if !geteuid().is_root() {
        return Ok(Database::Private);
    }
    for parent in var.ancestors().skip(1) {
        if fs::metadata(parent)?.mode() & 0o001 == 0 {
            let name = var.to_string_lossy().replace('/', "-");
            let elsewhere = PathBuf::from(format!("/var/tmp/space-telemetry-operations{name}"));
            println!(
                "the database is kept in {}, since its user cannot enter {}",
                elsewhere.display(),
                parent.display()
            );
            return Ok(Database::PrivateIn(elsewhere));
        }
    }
    Ok(Database::Private)
}

/// Makes the folder, or recognises it.
fn state_directory(wanted: &Path) -> anyhow::Result<PathBuf> {
    let empty = || fs::read_dir(wanted).map(|mut entries| entries.next().is_none());
    if !wanted.exists() || empty()? {
        fs::create_dir_all(wanted).with_context(|| format!("failed to make {}", wanted.display()))?;
        fs::write(wanted.join(MARKER), "Made by ./dev up, removed by ./dev up --fresh.\n")?;
    }
    let var = wanted.canonicalize()?;
    if !var.join(MARKER).is_file() {
        bail!("{} is not empty and was not made by ./dev up: choose another with --var", var.display());
    }
    Ok(var)
}

/// Empties the folder, and the database's if that is elsewhere.
fn forget(plan: &GroundPlan, var: &Path) -> anyhow::Result<()> {
    if let Some(database) = plan.private_database().filter(|path| path.exists()) {
        end_left_behind(&database)?;
        fs::remove_dir_all(database)?;
    }
    for entry in fs::read_dir(var)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if !path.ends_with(MARKER) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Stops what an earlier `./dev up` that was killed left running: known by its number and its command line.
async fn stop_left_behind(var: &Path) -> anyhow::Result<()> {
    let ready = |folder: &str| {
        let text = fs::read(var.join(folder).join("data/ready.json")).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?["pid"].as_u64()
    };
    let simulator =
        fs::read_to_string(var.join("simulator.pid")).ok().and_then(|text| text.trim().parse().ok());
    let mut left = vec![("simulator", simulator, PathBuf::from("spacecraft"))];
    for (name, _) in STATIONS {
        left.push(("edge-node", ready(name), var.join(name).join("edge.toml")));
    }
    left.push(("cloud-hub", ready("hub"), var.join("hub/hub.toml")));
    for (program, pid, argument) in left {
        let Some(pid) = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) else { continue };
        let runs = || runs(pid, program, &argument);
        if !runs() {
            continue;
        }
        println!("stopping {program} of an earlier run");
        kill_process(pid, Signal::TERM)?;
        let gone = async || Ok((!runs()).then_some(()));
        until(&format!("{program} (process {pid:?}) to stop"), Duration::from_secs(45), gone).await?;
    }
    Ok(())
}

fn runs(pid: Pid, program: &str, argument: &Path) -> bool {
    let command = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let has = |wanted: &[u8]| command.split(|byte| *byte == 0).any(|word| word.ends_with(wanted));
    has(format!("/{program}").as_bytes()) && has(argument.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Option<Options>> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_or_refused_by_name() {
        let options =
            parse("--fresh --var /tmp/x --http-port 9000 --real-passes").expect("valid").expect("no help");
        assert_eq!((options.fresh, options.real_passes, options.http_port), (true, true, 9000));
        assert_eq!((options.var, options.reception_port), (PathBuf::from("/tmp/x"), 8443));
        assert_eq!(parse("--fresh --help").expect("valid"), None);
        for (line, expected) in [
            ("--fresh", None),
            ("--bad-link", Some("satcom")),
            ("--bad-link --fresh", Some("satcom")),
            ("--bad-link dial-up --fresh", Some("dial-up")),
        ] {
            let options = parse(line).expect("valid").expect("no help");
            assert_eq!((options.bad_link.as_deref(), options.fresh), (expected, line.contains("--fresh")));
        }
        let faulty = parse("--fault battery-cell --fresh").expect("valid").expect("no help");
        assert_eq!((faulty.fault, faulty.fresh), (Some(Fault::BatteryCell), true));
        let refused = format!("{:#}", parse("--fault battery").expect_err("there is none"));
        assert!(refused.contains("--fault") && refused.contains("wheel-friction"), "{refused}");
        let refused = format!("{:#}", parse("--bad-link sat-com").expect_err("there is none"));
        assert!(refused.contains("--bad-link") && refused.contains("dial-up"), "{refused}");
        for line in ["--http-port", "--http-port x", "--http-port 0", "--http-port 65535", "--frech", "fresh"]
        {
            let named = line.split(' ').next().expect("there is one");
            assert!(parse(line).expect_err(line).to_string().contains(named), "{line}");
        }
    }

    #[test]
    fn a_taken_port_is_named_with_the_option_that_moves_it() {
        let taken = TcpListener::bind(local(0)).expect("a port is free");
        let number = taken.local_addr().expect("it is bound").port();
        let mut port = Port { number, use_for: "the hub's dashboard", option: "--http-port", udp: false };
        let failed = port.check().expect_err("it is taken").to_string();
        assert!(failed.contains(&number.to_string()) && failed.contains("--http-port"), "{failed}");
        port.udp = true;
        port.check().expect("the same number is free for UDP");
        drop(taken);
        port.udp = false;
        port.check().expect("it is free again");
    }

    #[test]
    fn every_program_has_a_port_of_its_own() {
        let options = parse("").expect("valid").expect("no help");
        let numbers: Vec<u16> = options.ports().iter().map(|port| port.number).collect();
        assert_eq!(numbers, [8080, 8443, 8081, 10015, 8082, 10016]);
        let plan = plan(&options, Path::new("/")).expect("it is a plan");
        assert_eq!(plan.nodes[1].http.port(), 8082);
        assert_eq!(plan.nodes[1].link.port(), 10016);
        assert!(plan.nodes.iter().all(|node| node.forwarding_profile.is_none()));
    }

    #[test]
    fn only_the_station_behind_a_satellite_is_tuned_for_one() {
        for (line, expected) in [("--bad-link", Some(SATCOM)), ("--bad-link lossy", None)] {
            let options = parse(line).expect("valid").expect("no help");
            let plan = plan(&options, Path::new("/")).expect("it is a plan");
            assert_eq!(plan.nodes[0].forwarding_profile, None);
            assert_eq!(plan.nodes[1].name, FAR_STATION);
            assert_eq!(plan.nodes[1].forwarding_profile.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn only_a_folder_of_our_own_is_used_and_emptied() {
        let folder = tempfile::tempdir().expect("the temporary directory is writable");
        let theirs = folder.path().join("theirs");
        fs::create_dir(&theirs).expect("it is writable");
        fs::write(theirs.join("thesis.tex"), "").expect("it is writable");
        let failed = state_directory(&theirs).expect_err("it is not ours").to_string();
        assert!(failed.contains("--var"), "{failed}");
        let ours = state_directory(&folder.path().join("ours")).expect("it is made");
        fs::create_dir_all(ours.join("hub/data/database")).expect("it is writable");
        fs::write(ours.join("simulator.pid"), "1").expect("it is writable");
        forget(&GroundPlan::new(&ours), &ours).expect("it is ours");
        assert_eq!(fs::read_dir(&ours).expect("it stays").count(), 1);
        assert_eq!(state_directory(&ours).expect("it is still ours"), ours);
    }

    #[tokio::test]
    async fn a_number_that_belongs_to_a_stranger_now_is_left_alone() {
        let folder = tempfile::tempdir().expect("the temporary directory is writable");
        fs::write(folder.path().join("simulator.pid"), std::process::id().to_string())
            .expect("it is writable");
        stop_left_behind(folder.path()).await.expect("nothing is ours");
        let me = Pid::from_raw(std::process::id().cast_signed()).expect("it is positive");
        assert!(!runs(me, "simulator", Path::new("spacecraft")));
    }

    #[test]
    fn the_status_line_has_a_rate_once_there_are_two() {
        let states = vec![("awarua".to_owned(), "connected".to_owned())];
        let before = Counts { received: 1000, ..Counts::default() };
        let now = Counts { received: 3000, waiting: 5, archived: 2995, states };
        assert!(now.line(None).starts_with("packets in 3000 (0/s)"));
        assert_eq!(
            now.line(Some((Duration::from_secs(5), &before))),
            "packets in 3000 (400/s)   waiting 5   archived 2995   awarua connected"
        );
    }
}
