//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand, value_parser};
use simulator::{
    connection::Target,
    faults::FaultProfile,
    flight::Antenna,
    load::PACKET_BYTES_MIN,
    passes::{self, STATIONS},
    replay::Replay,
    spacecraft::Fault,
};
use space_packet::Apid;

/// What stands in for the sky: a demo spacecraft, recorded flights, and load.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    // Boxed for its size: a profile is several times the others.
    Faults(Box<FaultsArguments>),
    Load(LoadArguments),
    Replay(ReplayArguments),
    Spacecraft(SpacecraftArguments),
}

/// Be a bad link: relay datagrams and connections, with delay, losses and worse
#[derive(Args, Debug)]
pub(crate) struct FaultsArguments {
    /// Relay datagrams (QUIC) that come to one address to another; may be given again
    #[arg(long, value_name = "LISTEN=UPSTREAM", value_parser = relay, required_unless_present = "tcp")]
    pub(crate) udp: Vec<Relay>,
    /// Relay connections that come to one address to another; may be given again
    #[arg(long, value_name = "LISTEN=UPSTREAM", value_parser = relay)]
    pub(crate) tcp: Vec<Relay>,
    /// How bad the link is: clean, satcom, lossy, dial-up or broken
    #[arg(long, value_name = "NAME", default_value = "satcom")]
    pub(crate) profile: FaultProfile,
    /// The same seed has the same faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

/// From where to where, like `127.0.0.1:9443=127.0.0.1:8443`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Relay {
    pub(crate) listen: SocketAddr,
    pub(crate) upstream: SocketAddr,
}

/// Send unique packets at a steady rate
#[derive(Args, Debug)]
pub(crate) struct LoadArguments {
    /// The node's intake
    #[arg(long, value_name = "tcp://HOST:PORT")]
    pub(crate) to: Target,
    /// Packets a second, over all connections
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) rate: f64,
    /// Stop after so many packets
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    pub(crate) packets: Option<u64>,
    /// Stop after a time, like 60s (a bare number means seconds)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) seconds: Option<Duration>,
    /// Length of each packet, header included
    #[arg(long, value_name = "N", default_value_t = 92, value_parser = packet_bytes)]
    pub(crate) packet_bytes: u16,
    /// APID of the first connection's packets; each further connection has the next one
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    apid: u16,
    /// How many connections share the rate
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Wait for the counts of a link with `acknowledgement = "count"`
    #[arg(long)]
    pub(crate) acknowledged: bool,
    /// Tells this run's packets apart [default: random]
    #[arg(long, value_name = "N")]
    pub(crate) run_id: Option<u32>,
    /// Print the report as JSON, with every range of serials
    #[arg(long)]
    pub(crate) json: bool,
}

/// Send the packets of a recording
#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    /// Space packets, one after the other
    file: PathBuf,
    /// The node's intake
    #[arg(long, value_name = "tcp://HOST:PORT")]
    to: Target,
    /// Packets a second [default: as fast as the node takes them]
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
    /// Bytes before each packet's header, which are not sent
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip_header_bytes: u16,
    /// Start again at the end, until stopped
    #[arg(long = "loop")]
    repeat: bool,
}

/// Fly the demo spacecraft in real time
#[derive(Args, Debug)]
pub(crate) struct SpacecraftArguments {
    /// A station (svalbard or awarua) and its node's intake; give one for each station
    #[arg(long = "station", value_name = "NAME=tcp://HOST:PORT", required = true, value_parser = station)]
    stations: Vec<(String, Target)>,
    /// Let every station, of any name, hear the spacecraft all the time
    #[arg(long)]
    always_visible: bool,
    /// What goes wrong: battery-cell, sensor-noise, stuck-thermistor, transponder-drop, wheel-friction
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Vec<Fault>,
    /// When it goes wrong, after the start
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration, requires = "fault")]
    pub(crate) at: Duration,
    /// The same seed has the same noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Seconds lived in a second; above 1 the spacecraft's clock runs ahead
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = positive)]
    pub(crate) speed: f64,
}

impl LoadArguments {
    /// The APID of one of the connections.
    pub(crate) fn apid_of(&self, connection: u64) -> Result<Apid> {
        let apid = u16::try_from(u64::from(self.apid) + connection)?;
        let apid = Apid::try_from(apid)?;
        if apid == Apid::IDLE {
            bail!("APID {} marks idle packets, which nodes count and forget", apid.value());
        }
        Ok(apid)
    }
}

impl ReplayArguments {
    pub(crate) fn replay(self) -> Replay {
        Replay {
            file: self.file,
            target: self.to,
            packets_per_second: self.rate,
            skip_header_bytes: usize::from(self.skip_header_bytes),
            repeat: self.repeat,
        }
    }
}

impl SpacecraftArguments {
    /// Who listens, and where they stand.
    pub(crate) fn antennas(&self) -> Result<Vec<Antenna>> {
        self.stations
            .iter()
            .map(|(name, target)| {
                let known = passes::station(name);
                if known.is_none() && !self.always_visible {
                    let names = STATIONS.map(|station| station.name).join(" and ");
                    bail!("no station is called {name:?}; there are {names} (others need --always-visible)");
                }
                let station = if self.always_visible { None } else { known };
                Ok(Antenna { name: name.clone(), station, target: target.clone() })
            })
            .collect()
    }
}

fn station(text: &str) -> Result<(String, Target)> {
    match text.split_once('=') {
        Some((name, target)) if !name.is_empty() => Ok((name.to_owned(), target.parse()?)),
        _ => bail!("expected NAME=tcp://HOST:PORT"),
    }
}

fn relay(text: &str) -> Result<Relay> {
    let (listen, upstream) = text.split_once('=').unwrap_or(("", ""));
    match (listen.parse(), upstream.parse()) {
        (Ok(listen), Ok(upstream)) => Ok(Relay { listen, upstream }),
        _ => bail!("expected LISTEN=UPSTREAM, like 127.0.0.1:9443=127.0.0.1:8443"),
    }
}

fn positive(text: &str) -> Result<f64> {
    let number: f64 = text.parse()?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { bail!("must be above zero") }
}

fn packet_bytes(text: &str) -> Result<u16> {
    let bytes: u16 = text.parse()?;
    if usize::from(bytes) < PACKET_BYTES_MIN {
        bail!("a load packet has at least {PACKET_BYTES_MIN} bytes");
    }
    Ok(bytes)
}

/// Reads `500ms`, `120s`, `2m`, `1h`, or a bare number of seconds.
fn duration(text: &str) -> Result<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let seconds_per_unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        unit => bail!("{unit:?} is not a unit of time; use ms, s, m or h"),
    };
    let number: f64 = digits.parse()?;
    Ok(Duration::try_from_secs_f64(number * seconds_per_unit)?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn spacecraft(arguments: &[&str]) -> Result<SpacecraftArguments> {
        let arguments = ["simulator", "spacecraft"].iter().chain(arguments);
        match Arguments::try_parse_from(arguments)?.command {
            Command::Spacecraft(arguments) => Ok(arguments),
            other => bail!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        for (text, milliseconds) in
            [("500ms", 500), ("120s", 120_000), ("1.5m", 90_000), ("1h", 3_600_000), ("7", 7_000)]
        {
            assert_eq!(duration(text).expect("a time").as_millis(), milliseconds);
        }
        for text in ["", "s", "5 parsecs", "-3s", "5d", "1e300h", "NaN"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_unknown_station_needs_to_be_always_visible() {
        let station = ["--station", "atlantis=tcp://localhost:1"];
        let refused = spacecraft(&station).and_then(|arguments| arguments.antennas());
        assert!(refused.expect_err("unknown").to_string().contains("svalbard"));
        let heard = spacecraft(&[&station[..], &["--always-visible"]].concat());
        let antennas = heard.and_then(|arguments| arguments.antennas()).expect("heard always");
        assert_eq!(antennas[0].station, None);
    }

    #[test]
    fn faults_are_given_by_name_with_their_time() {
        let arguments = spacecraft(&[
            "--station",
            "svalbard=tcp://localhost:1",
            "--fault",
            "battery-cell",
            "--fault",
            "wheel-friction",
            "--at",
            "2m",
        ]);
        let arguments = arguments.expect("good arguments");
        assert_eq!(arguments.fault, [Fault::BatteryCell, Fault::WheelFriction]);
        assert_eq!(arguments.at, Duration::from_secs(120));
        assert!(spacecraft(&["--station", "svalbard=tcp://localhost:1", "--fault", "rust"]).is_err());
    }

    #[test]
    fn a_bad_link_needs_two_addresses_and_a_profile_that_exists() {
        let check = |line: &str, expected: Option<(usize, usize)>| {
            let arguments = ["simulator", "faults"].into_iter().chain(line.split_whitespace());
            let relays = match Arguments::try_parse_from(arguments).map(|arguments| arguments.command) {
                Ok(Command::Faults(arguments)) => Some((arguments.udp.len(), arguments.tcp.len())),
                _ => None,
            };
            assert_eq!(relays, expected, "{line}");
        };
        check("--udp 127.0.0.1:1=127.0.0.1:2", Some((1, 0)));
        check("--udp 127.0.0.1:1=[::1]:2 --tcp 127.0.0.1:3=127.0.0.1:4 --tcp [::]:5=[::1]:6", Some((1, 2)));
        check("--tcp 127.0.0.1:1=127.0.0.1:2 --profile dial-up --seed 7", Some((0, 1)));
        check("", None);
        check("--profile lossy", None);
        check("--udp 127.0.0.1:1", None);
        check("--udp 127.0.0.1=127.0.0.1:2", None);
        check("--udp 127.0.0.1:1=127.0.0.1:2 --profile sat-com", None);
    }
}
