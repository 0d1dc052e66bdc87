//! `edge-node send`: packets into a link of this node, to see that the way in is open.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use intake::framing::{StreamFraming, not_a_packet};
use intake::{Door, LinkConfig};
use space_packet::{Apid, PACKET_BYTES_MAX, SequenceCount, build_packet};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};

use crate::config::EdgeConfig;

/// The last APID before the one of idle packets: no dictionary we know uses it.
const DEMO_APID: u16 = 2_046;
const DEMO_TEXT: &[u8] = b"edge-node send --demo: a test of the way in, not telemetry";
/// How long the node may take to have them on disk.
const DURABLE_WITHIN: Duration = Duration::from_secs(10);
/// A recording is read whole.
const RECORDING_BYTES_MAX: u64 = 256 << 20;

/// What to send, and where.
#[derive(Args, Debug)]
pub struct SendArguments {
    /// A recording of space packets, one after the other.
    #[arg(required_unless_present = "demo", conflicts_with = "demo")]
    pub recording: Option<PathBuf>,
    /// Send test packets in place of a recording. They carry APID 2046 and a text: they are kept in quarantine, are
    /// forwarded, and change no parameter.
    #[arg(long)]
    pub demo: bool,
    /// How many test packets.
    #[arg(long, default_value_t = 10)]
    pub count: u16,
    /// Name of the link, of door tcp or udp.
    #[arg(long)]
    pub link: String,
}

/// The link does not take a connection.
#[derive(Debug, thiserror::Error)]
#[error("link {link:?} at {address} cannot be reached; is the node running? edge-node status says so")]
pub(super) struct Unreachable {
    link: String,
    address: String,
    source: std::io::Error,
}

impl SendArguments {
    /// Sends, and waits until the node has them on disk.
    pub async fn run(self, config_file: &Path) -> anyhow::Result<()> {
        let config = EdgeConfig::read(config_file)?;
        let link = config.links.iter().find(|link| link.name == self.link);
        let link =
            link.with_context(|| format!("no link is named {:?} in {}", self.link, config_file.display()))?;
        let packets = match &self.recording {
            Some(recording) => read(recording)?,
            None => demo(self.count)?,
        };
        let address = address(&config.data_directory, link)?;
        let before = durable(&config.data_directory, &self.link).unwrap_or(0);
        send(link, &address, &packets).await?;
        println!("{} packets sent to link {} at {address}", packets.len(), self.link);
        let wanted = before + packets.len() as u64;
        let deadline = tokio::time::Instant::now() + DURABLE_WITHIN;
        while durable(&config.data_directory, &self.link).is_none_or(|durable| durable < wanted) {
            if tokio::time::Instant::now() > deadline {
                bail!(
                    "the node did not say within {} s that they are on its disk; edge-node status says what it took",
                    DURABLE_WITHIN.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("they are on the node's disk");
        if self.demo {
            println!("edge-node quarantine ls lists them");
        }
        Ok(())
    }
}

fn demo(count: u16) -> anyhow::Result<Vec<Vec<u8>>> {
    let apid = Apid::try_from(DEMO_APID)?;
    (0..count)
        .map(|number| Ok(build_packet(apid, SequenceCount::try_from(number % 0x4000)?, false, DEMO_TEXT)?))
        .collect()
}

fn read(recording: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let length = std::fs::metadata(recording).with_context(|| recording.display().to_string())?.len();
    if length > RECORDING_BYTES_MAX {
        bail!(
            "{}: {length} bytes are more than the {RECORDING_BYTES_MAX} that are sent at once",
            recording.display()
        );
    }
    let bytes = std::fs::read(recording).with_context(|| recording.display().to_string())?;
    let (mut packets, mut rest) = (Vec::new(), &bytes[..]);
    while !rest.is_empty() {
        let header = space_packet::PrimaryHeader::parse(rest).ok();
        let packet = header.and_then(|header| rest.split_at_checked(header.packet_bytes()));
        let Some((packet, behind)) = packet.filter(|(packet, _)| not_a_packet(packet).is_none()) else {
            let offset = bytes.len() - rest.len();
            bail!("{}: no whole packet begins at byte {offset}; nothing was sent", recording.display());
        };
        packets.push(packet.to_vec());
        rest = behind;
    }
    Ok(packets)
}

/// Where a link listens in truth: a configured port 0 became one that was free.
fn address(data: &Path, link: &LinkConfig) -> anyhow::Result<String> {
    #[derive(serde::Deserialize)]
    struct Ready {
        links: std::collections::BTreeMap<String, String>,
    }
    if link.listen.port() != 0 {
        return Ok(link.listen.to_string());
    }
    let ready = std::fs::read(data.join("ready.json")).context("the node does not run")?;
    let mut ready: Ready = serde_json::from_slice(&ready)?;
    ready.links.remove(&link.name).context("the running node has no such link")
}

/// Records of a link that are on disk, by the status that the node writes each second.
fn durable(data: &Path, link: &str) -> Option<u64> {
    let status = std::fs::read(data.join(crate::status::FILE)).ok()?;
    let node: dashboard::contract::Node = serde_json::from_slice(&status).ok()?;
    node.report?.links.into_iter().find(|report| report.name == link).map(|report| report.durable)
}

async fn send(link: &LinkConfig, address: &str, packets: &[Vec<u8>]) -> anyhow::Result<()> {
    let unreachable = |source| Unreachable { link: link.name.clone(), address: address.to_owned(), source };
    match link.door {
        Door::Tcp => {
            let mut stream = TcpStream::connect(address).await.map_err(unreachable)?;
            for packet in packets {
                if link.framing == StreamFraming::LengthPrefixed {
                    stream.write_all(&(packet.len() as u32).to_be_bytes()).await?;
                }
                stream.write_all(packet).await?;
            }
            stream.shutdown().await?;
        }
        Door::Udp => {
            let target: std::net::SocketAddr = address.parse()?;
            let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(any).await?;
            socket.connect(target).await.map_err(unreachable)?;
            for packet in packets.iter().filter(|packet| packet.len() <= PACKET_BYTES_MAX) {
                socket.send(packet).await.map_err(unreachable)?;
            }
        }
        Door::Grpc | Door::Http | Door::WebSocket => {
            bail!(
                "link {:?} has door {:?}; send goes to tcp and udp, docs/intake.md shows a request for the others",
                link.name,
                link.door.word()
            )
        }
    }
    Ok(())
}
