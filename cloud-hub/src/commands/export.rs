//! `export`: everything of a span into a file, as the running hub gives it out.
//!
//! It asks the hub over its own address, logged in with a code that it makes in the database: what is committed and
//! only in the hub's memory is in the file too.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use clap::Args;
use dashboard::access::{Grant, MissionScope, Principal, Role};
use dashboard::contract::Problem;
use export::Format;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use space_packet::TaiTime;
use tokio::net::TcpStream;

use super::documents::{check_mission, moment};
use super::{BY, database, ready};
use crate::archive::PostgresSessions;
use crate::config::HubConfig;

/// Most bytes of an answer that says why there is no file.
const PROBLEM_BYTES_MAX: usize = 64 * 1_024;

/// What is exported.
#[derive(Args, Debug)]
pub struct ExportArguments {
    /// Mission, as `hub.toml` names it.
    mission: String,
    /// Full path of a parameter, once for each.
    #[arg(long = "parameter", value_name = "PATH", required_unless_present = "packets")]
    parameters: Vec<String>,
    /// The space packets themselves, as received, one behind the other.
    #[arg(long, conflicts_with_all = ["parameters", "format"])]
    packets: bool,
    /// Beginning of the span, as in 2026-11-22T17:31:02Z: of generation times, of packets of reception times.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    from: TaiTime,
    /// Its end, excluded.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    to: TaiTime,
    /// How samples are written: csv, jsonl or parquet.
    #[arg(long, default_value_t = Format::Csv)]
    format: Format,
    /// Packets of this APID only.
    #[arg(long, requires = "packets")]
    apid: Option<u16>,
    /// Packets of the node with this name only.
    #[arg(long, requires = "packets")]
    node: Option<String>,
    /// Packets that came in on this link only.
    #[arg(long, requires = "packets")]
    link: Option<String>,
    /// File to write, which must not exist; standard output when absent.
    #[arg(long)]
    output: Option<PathBuf>,
}

impl ExportArguments {
    /// The question as the API has it.
    fn path(&self) -> String {
        let mut path = format!(
            "/api/v1/missions/{}/export?from={}&to={}",
            self.mission,
            escaped(&dashboard::rfc3339(self.from)),
            escaped(&dashboard::rfc3339(self.to))
        );
        let mut add = |key: &str, value: &str| path.push_str(&format!("&{key}={}", escaped(value)));
        add("format", if self.packets { "packets" } else { self.format.word() });
        self.parameters.iter().for_each(|parameter| add("parameter", parameter));
        let apid = self.apid.map(|apid| apid.to_string());
        let filters = [("apid", &apid), ("node", &self.node), ("link", &self.link)];
        filters
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)))
            .for_each(|(key, value)| add(key, value));
        path
    }
}

/// Text within a question: everything but letters, digits and `-_.~` by its bytes.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Exports.
pub async fn run(config: &HubConfig, arguments: ExportArguments) -> anyhow::Result<()> {
    let (hub, answer) = ask(config, &arguments).await?;
    let written = match &arguments.output {
        None => receive(answer, &mut std::io::stdout().lock()).await.map(drop),
        Some(file) => receive_into(answer, file).await,
    };
    // The connection of an export that broke off is gone, and the session ends by itself.
    hub.log_out().await;
    written
}

/// The samples of one parameter as a CSV table of at most `bytes_max` bytes.
pub(super) async fn samples(
    config: &HubConfig,
    mission: &str,
    parameter: &str,
    (from, to): (TaiTime, TaiTime),
    bytes_max: usize,
) -> anyhow::Result<Vec<u8>> {
    let arguments = ExportArguments {
        mission: mission.to_owned(),
        parameters: vec![parameter.to_owned()],
        packets: false,
        from,
        to,
        format: Format::Csv,
        apid: None,
        node: None,
        link: None,
        output: None,
    };
    let (hub, answer) = ask(config, &arguments).await?;
    let table = axum::body::to_bytes(Body::new(answer.into_body()), bytes_max).await.with_context(|| {
        format!("error[STO-EXPORT-CUT]: {parameter}: the samples broke off, or are more than {bytes_max} bytes\n  Nothing was written.\n  → choose a shorter span, or try again")
    });
    hub.log_out().await;
    Ok(table?.into())
}

/// The running hub's answer, and the session it is given in.
async fn ask(config: &HubConfig, arguments: &ExportArguments) -> anyhow::Result<(Hub, Response<Incoming>)> {
    check_mission(config, &arguments.mission)?;
    if arguments.from >= arguments.to {
        bail!(
            "error[STO-EXPORT-SPAN]: {} is not before {}\n  Nothing was written.\n  → exchange or mend them",
            arguments.from,
            arguments.to
        );
    }
    let ready = ready(config)?;
    let grant =
        Grant { role: Role::Viewer, missions: MissionScope::from(Some([arguments.mission.clone()].into())) };
    let holder = Principal { name: "export".to_owned(), grant };
    let code = PostgresSessions::new(database(config, &ready)?).make_code(&holder, BY).await?.code;
    let mut hub = Hub::log_in(ready.http, &code).await?;
    let answer = hub.get(&arguments.path()).await?;
    Ok((hub, answer))
}

/// Receives a file under another name, so that a short one is never taken for the whole.
async fn receive_into(answer: Response<Incoming>, file: &Path) -> anyhow::Result<()> {
    let part = PathBuf::from(format!("{}.part", file.display()));
    let taken = || format!("cannot write to {} (an existing file is never replaced)", file.display());
    if file.exists() {
        bail!("{}", taken());
    }
    // Telemetry, which perhaps only this file's owner may read.
    let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let mut created = created.with_context(|| format!("cannot write to {}", part.display()))?;
    let received = receive(answer, &mut created).await;
    let finished = received.and_then(|bytes| {
        created.sync_all()?;
        renameat_with(CWD, &part, CWD, file, RenameFlags::NOREPLACE).with_context(taken)?;
        Ok(bytes)
    });
    match finished {
        Ok(bytes) => {
            println!("{bytes} bytes written to {}", file.display());
            Ok(())
        }
        Err(error) => {
            // What was received is no file; without it the next attempt finds room.
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

/// Writes what the hub sends as it comes; returns how many bytes that were.
async fn receive(answer: Response<Incoming>, output: &mut impl Write) -> anyhow::Result<u64> {
    let (mut body, mut bytes) = (answer.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.context(
            "error[STO-EXPORT-CUT]: the hub broke the export off; its log says why\n  What was written is not the whole; a file was removed again.\n  → try again, or export a shorter span",
        )?;
        let Ok(part) = frame.into_data() else { continue };
        tokio::task::block_in_place(|| output.write_all(&part)).context("cannot write what the hub sends")?;
        bytes += part.len() as u64;
    }
    output.flush().context("cannot write what the hub sends")?;
    Ok(bytes)
}

/// The running hub, logged in.
struct Hub {
    address: String,
    sender: SendRequest<Body>,
    cookie: String,
}

impl Hub {
    async fn log_in(address: String, code: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&address).await.with_context(|| {
            format!("error[STO-HUB-NOT-RUNNING]: nobody answers at {address}: the hub is not running\n  → start it with `cloud-hub run`")
        })?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the sender.
        tokio::spawn(connection);
        let mut hub = Self { address, sender, cookie: String::new() };
        let login = Body::from(serde_json::json!({ "code": code }).to_string());
        let answer = hub.ask(Method::POST, "/api/v1/session", login).await?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        hub.cookie = cookie.context("the hub answered a login without a session")?;
        Ok(hub)
    }

    async fn get(&mut self, path: &str) -> anyhow::Result<Response<Incoming>> {
        self.ask(Method::GET, path, Body::empty()).await
    }

    async fn log_out(mut self) {
        let _ = self.ask(Method::DELETE, "/api/v1/session", Body::empty()).await;
    }

    async fn ask(&mut self, method: Method, path: &str, body: Body) -> anyhow::Result<Response<Incoming>> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, &self.cookie)
            .header("x-sto-request", "cloud-hub")
            .body(body)?;
        self.sender.ready().await.context("the hub does not answer")?;
        let answer = self.sender.send_request(request).await.context("the hub does not answer")?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(refusal(answer).await)
    }
}

/// What the hub says it cannot do.
async fn refusal(answer: Response<Incoming>) -> anyhow::Error {
    let status: StatusCode = answer.status();
    let body = axum::body::to_bytes(Body::new(answer.into_body()), PROBLEM_BYTES_MAX).await;
    let problem = body.ok().and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
    match problem {
        Some(Problem { code, title, detail, .. }) => {
            anyhow::anyhow!("error[{code}]: {title}: {detail}\n  Nothing was written.")
        }
        None => anyhow::anyhow!("the hub answered {status}\n  Nothing was written."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_questions() {
        assert_eq!(escaped("/Demo/Power a&b=ü~1"), "%2FDemo%2FPower%20a%26b%3D%C3%BC~1");
    }
}
