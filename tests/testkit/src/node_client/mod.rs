//! A node without a disk, for load and for malice: it is enrolled and connects as real ones are and do, and what it
//! says is up to whoever drives it.

mod enrolment;
mod forwarding;
mod journal;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use delivery::{
    BootId, Frame, Hello, HelloOk, HelloReject, LogHead, LogNumber, PROTOCOL_VERSION, StoreId, Way,
};
use link::{Client, ClientOptions, Connection, FrameReader, FrameWriter, Profile};
use provisioning::Identity;
use tokio::time::timeout;

pub use enrolment::Enroller;
pub use forwarding::{Forwarding, NodeEvent, Pace};
pub use journal::MemoryJournal;

/// A real node gives up earlier, and comes again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const HELLO_TIMEOUT: Duration = Duration::from_secs(30);

/// A journal's name that nobody else has.
pub fn new_store() -> StoreId {
    StoreId(rand::random())
}

/// An enrolled machine: its identity and its socket.
#[derive(Debug)]
pub struct NodeClient {
    identity: Identity,
    boot: BootId,
    client: Client,
    hubs: Vec<SocketAddr>,
}

/// What a hub says to HELLO.
#[derive(Debug)]
pub enum Greeting {
    /// The session stands.
    Open(Box<OpenSession>),
    /// It does not.
    Rejected(HelloReject),
}

/// A session whose HELLO_OK was read.
#[derive(Debug)]
pub struct OpenSession {
    /// The connection, for streams of the caller's own.
    pub connection: Connection,
    /// The control stream, towards the hub.
    pub control: FrameWriter,
    /// The control stream, from the hub.
    pub answers: FrameReader,
    /// The hub's answer.
    pub ok: HelloOk,
    /// Streams that batches went on so far.
    ways: BTreeMap<Way, FrameWriter>,
}

impl NodeClient {
    /// Binds a socket for an identity. Needs a running tokio.
    pub fn new(identity: Identity) -> anyhow::Result<Self> {
        let options =
            ClientOptions::new(identity.authorities.clone(), identity.node.clone(), Profile::Terrestrial);
        let hubs = identity.hub_addresses.iter().map(|address| address.parse()).collect::<Result<_, _>>();
        let hubs = hubs.context("hubs of tests are named by number")?;
        Ok(Self { client: Client::new(options)?, boot: BootId(rand::random()), identity, hubs })
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// A connection on which nothing was said yet.
    pub async fn connect(&mut self) -> anyhow::Result<Connection> {
        Ok(self.client.connect(&self.hubs, CONNECT_TIMEOUT).await?)
    }

    /// What a node of this version says first about its logs.
    pub fn hello(&self, logs: Vec<LogHead>) -> Hello {
        Hello {
            protocol: PROTOCOL_VERSION,
            boot: self.boot,
            logs,
            node_time: simulator::clock::now(),
            software: "node-client".to_owned(),
        }
    }

    /// Connects and says HELLO; what was refused is an error.
    pub async fn open(&mut self, hello: Hello) -> anyhow::Result<OpenSession> {
        match self.greet(hello).await? {
            Greeting::Open(session) => Ok(*session),
            Greeting::Rejected(reject) => bail!("{}: {}", reject.code.code(), reject.detail),
        }
    }

    /// Connects and says HELLO.
    pub async fn greet(&mut self, hello: Hello) -> anyhow::Result<Greeting> {
        let connection = self.connect().await?;
        let (mut control, mut answers) = connection.open_bi().await?;
        control.set_priority(delivery::CONTROL_PRIORITY);
        send(&mut control, &Frame::Hello(hello)).await?;
        let answer = timeout(HELLO_TIMEOUT, next(&mut answers)).await.context("no answer to HELLO")??;
        match answer.context("the hub ended the stream")? {
            Frame::HelloOk(ok) => {
                let ways = BTreeMap::new();
                Ok(Greeting::Open(Box::new(OpenSession { connection, control, answers, ok, ways })))
            }
            Frame::HelloReject(reject) => Ok(Greeting::Rejected(reject)),
            other => bail!("the hub answered HELLO with {other:?}"),
        }
    }
}

impl OpenSession {
    /// Sends a frame on the control stream.
    pub async fn send(&mut self, frame: &Frame) -> anyhow::Result<()> {
        send(&mut self.control, frame).await
    }

    /// The next frame of the control stream that is known here; absent at its end.
    pub async fn next(&mut self) -> anyhow::Result<Option<Frame>> {
        next(&mut self.answers).await
    }

    /// Sends a sealed batch of a log on the stream of its way.
    pub async fn send_batch(&mut self, log: LogNumber, way: Way, sealed: &[u8]) -> anyhow::Result<()> {
        if !self.ways.contains_key(&way) {
            let stream = self.open_way(way).await?;
            self.ways.insert(way, stream);
        }
        let stream = self.ways.get_mut(&way).context("it was opened")?;
        Ok(stream.send(Frame::BATCH, &[&Frame::batch_prefix(log, way), sealed]).await?)
    }

    /// Ends the session as a node does that stops.
    pub fn close(&self) {
        self.connection.close(link::CLOSE_DONE, "the node stops");
    }

    /// A stream for batches.
    pub async fn open_way(&self, way: Way) -> anyhow::Result<FrameWriter> {
        let stream = self.connection.open_uni().await?;
        stream.set_priority(way.priority());
        Ok(stream)
    }
}

/// Sends a frame at once.
pub async fn send(stream: &mut FrameWriter, frame: &Frame) -> anyhow::Result<()> {
    let (kind, body) = frame.encode();
    Ok(stream.send(kind, &[&body]).await?)
}

async fn next(stream: &mut FrameReader) -> anyhow::Result<Option<Frame>> {
    while let Some(frame) = stream.next().await? {
        if let Some(frame) = Frame::decode(frame.kind, &frame.body)? {
            return Ok(Some(frame));
        }
    }
    Ok(None)
}
