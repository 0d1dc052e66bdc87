//! The gRPC door: the service `sto.v1.Intake` of the crate `proto`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use processing::SampleCause;
use prost::Message;
use proto::v1::intake_server::{Intake, IntakeServer};
use proto::v1::{IngestReply, IngestRequest};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};
use tower::ServiceExt;

use super::access::Shown;
use super::body::Held;
use super::cause::{Cause, Refusal, RefusedRecord};
use super::idempotency::KeyedRequest;
use super::ingest::{Answer, READ_AT_ONCE_BYTES, checked_key, finish, stopped};
use super::meter::metered;
use super::parse::{self, Parsed};
use super::session::Session;
use super::taking::{STOP_WAIT, unless_stopped};
use super::{Client, Front, HttpLink};
use crate::config::Door;

/// Replies that wait for the producer to read them.
const REPLIES_MAX: usize = 4;
/// How long they may wait.
const REPLY_TIME_MAX: Duration = Duration::from_secs(60);

pub(super) async fn call(State(front): State<Arc<Front>>, request: Request) -> Response {
    // Before any of the body is read.
    let shown = Shown::of(request.uri(), request.headers());
    let bytes_max = match front.message_bytes_max(Door::Grpc, &shown) {
        Ok(bytes_max) => bytes_max,
        Err(refusal) => return Status::from(refusal).into_http::<Body>().into_response(),
    };
    let service = Service { front: Arc::clone(&front), shown };
    let service = IntakeServer::new(service).max_decoding_message_size(bytes_max);
    let metering = Arc::clone(&front);
    let on_refused = move || metering.count_nameless(Some(Door::Grpc), Cause::Memory);
    let request = request.map(|body| metered(body, bytes_max, &front.calls, on_refused));
    let response = match service.oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    // What could not even be decoded never came to the service.
    if let Some(cause) = Status::from_header_map(response.headers()).and_then(|status| undecodable(&status)) {
        front.count_nameless(Some(Door::Grpc), cause);
    }
    response
}

/// Why a message was no message: the library's own refusals, and the codec's.
fn undecodable(status: &Status) -> Option<Cause> {
    let text = status.message();
    match status.code() {
        Code::OutOfRange => Some(Cause::BodyTooLarge),
        Code::InvalidArgument if text.starts_with("protobuf-malformed: the bytes") => {
            Some(Cause::ProtobufMalformed)
        }
        Code::InvalidArgument if text.starts_with("too-many-samples: ") => {
            Some(Cause::Sample(SampleCause::TooManySamples))
        }
        _ => None,
    }
}

#[derive(Clone)]
struct Service {
    front: Arc<Front>,
    shown: Shown,
}

impl Service {
    fn link(&self, mission: &str) -> Result<(Arc<HttpLink>, Client), Status> {
        let link = self.front.find(Door::Grpc, mission, &self.shown)?;
        let client = link.admit().inspect_err(|refusal| link.count(refusal, 0))?;
        Ok((link, client))
    }
}

/// Reads a message and counts what is wrong with it; a long one beside the tasks that drive sockets.
async fn read(link: &Arc<HttpLink>, message: IngestRequest) -> Result<Parsed, Refusal> {
    let bytes = message.encoded_len();
    let reader = Arc::clone(link);
    let read = move || {
        if bytes > reader.body_bytes_max() {
            let text = format!("the message has {bytes} bytes; this link takes {}", reader.body_bytes_max());
            return Err(Refusal::new(Cause::BodyTooLarge, text));
        }
        parse::read_message(message, &reader.rules(&reader.database(), false))
    };
    let parsed = if bytes <= READ_AT_ONCE_BYTES {
        read()
    } else {
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| stopped(link.wording()))
    };
    parsed.inspect_err(|refusal| link.count(refusal, bytes))
}

#[tonic::async_trait]
impl Intake for Service {
    type StreamStream = Pin<Box<dyn Stream<Item = Result<IngestReply, Status>> + Send>>;

    async fn ingest(
        &self,
        request: tonic::Request<IngestRequest>,
    ) -> Result<tonic::Response<IngestReply>, Status> {
        let message = request.into_inner();
        let (link, client) = self.link(&message.mission)?;
        let hash = blake3::hash(&message.encode_to_vec());
        let held = Held::of(&self.front.memory, message.encoded_len())
            .inspect_err(|refusal| link.count(refusal, 0))?;
        let mut parsed = read(&link, message).await?;
        let key = parsed.idempotency_key.take().map(checked_key).transpose();
        let key = key.inspect_err(|refusal| link.count(refusal, 0))?;
        // The link has not ended before its producers are told.
        let _task = link.tasks.token();
        // Whether the good records are wanted alone is part of the message, and so of its hash.
        let keyed = key.map(|key| KeyedRequest::new(&link.config().name, &key, &hash, false));
        let taken = finish(&link, parsed, keyed, (client, held));
        let answer = unless_stopped(&link.stop, taken).await.unwrap_or_else(|| stopped(link.wording()));
        let answer = answer.inspect_err(|refusal| link.count(refusal, 0))?;
        Ok(tonic::Response::new(reply(answer)))
    }

    async fn stream(
        &self,
        request: tonic::Request<Streaming<IngestRequest>>,
    ) -> Result<tonic::Response<Self::StreamStream>, Status> {
        let (tell, told) = mpsc::channel(REPLIES_MAX);
        tokio::spawn(serve_call(self.clone(), request.into_inner(), tell));
        let replies = unfold(told, |mut told| async move { told.recv().await.map(|reply| (reply, told)) });
        Ok(tonic::Response::new(Box::pin(replies)))
    }
}

type Tell = mpsc::Sender<Result<IngestReply, Status>>;

/// How long the first message of a stream may take: only then it is known which link is meant.
const FIRST_MESSAGE: Duration = Duration::from_secs(60);

async fn serve_call(service: Service, mut messages: Streaming<IngestRequest>, tell: Tell) {
    let first = match timeout(FIRST_MESSAGE, messages.message()).await {
        Ok(Ok(Some(first))) => first,
        Ok(Ok(None)) => return,
        Ok(Err(status)) => return drop(tell.send(Err(status)).await),
        Err(_) => {
            let status = Status::deadline_exceeded("body-slow: no message came");
            return drop(tell.send(Err(status)).await);
        }
    };
    let (link, client) = match service.link(&first.mission) {
        Ok(found) => found,
        Err(status) => return drop(tell.send(Err(status)).await),
    };
    let tasks = link.tasks.clone();
    let call = Call { session: Session::new(Arc::clone(&link)), link, tell, _client: client };
    tasks.track_future(call.run(first, messages)).await;
}

struct Call {
    link: Arc<HttpLink>,
    session: Session,
    tell: Tell,
    _client: Client,
}

impl Call {
    async fn run(mut self, first: IngestRequest, messages: Streaming<IngestRequest>) {
        let result = self.serve(first, messages).await;
        if let Err(status) = result {
            let _ = timeout(REPLY_TIME_MAX, self.tell.send(Err(status))).await;
        }
    }

    async fn serve(
        &mut self,
        first: IngestRequest,
        mut messages: Streaming<IngestRequest>,
    ) -> Result<(), Status> {
        let stop = self.link.stop.clone();
        let producer = Arc::clone(&self.session.producer);
        self.on_message(first).await?;
        let mut is_ended = false;
        loop {
            if let Some(told) = self.session.acknowledged() {
                self.tell(IngestReply {
                    accepted: told.records,
                    quarantined: told.quarantined,
                    requests: told.messages,
                    ..IngestReply::default()
                })
                .await?;
            }
            if is_ended && self.session.is_idle() {
                return Ok(());
            }
            tokio::select! {
                () = producer.durable.changed() => {}
                () = async { stop.cancelled().await; sleep(STOP_WAIT).await } => {
                    return Err(Status::unavailable("stopping: the link closes; what was acknowledged is durable"));
                }
                () = stop.cancelled(), if !is_ended => is_ended = true,
                () = self.tell.closed() => return Ok(()),
                message = messages.message(), if !is_ended && self.session.has_room() => match message {
                    Ok(Some(message)) => self.on_message(message).await?,
                    Ok(None) => is_ended = true,
                    Err(status) => {
                        if let Some(cause) = undecodable(&status) {
                            self.link.statistics().rejected(cause.code(), 0);
                        }
                        return Err(status);
                    }
                },
            }
        }
    }

    async fn on_message(&mut self, message: IngestRequest) -> Result<(), Status> {
        let (bytes, request) = (message.encoded_len(), self.session.seen);
        let (refused, refused_count) = match read(&self.link, message).await {
            Ok(mut parsed) => {
                self.link.count_records(&parsed);
                let refused = (std::mem::take(&mut parsed.refused), parsed.refused_count);
                let handed = self.session.hand_over(parsed, bytes).await;
                let owner = self.link.wording().owner;
                handed.map_err(|_| Status::unavailable(format!("stopping: {owner} is stopping")))?;
                refused
            }
            Err(refusal) => {
                self.session.on_refused();
                whole(refusal)
            }
        };
        if refused.is_empty() {
            return Ok(());
        }
        self.tell(IngestReply {
            refused: refused.into_iter().map(|record| refusal(request, record)).collect(),
            refused_count: refused_count as u64,
            ..self.counts()
        })
        .await
    }

    /// The counts as they were told last: those of a reply never go back.
    fn counts(&self) -> IngestReply {
        let told = self.session.told();
        IngestReply {
            accepted: told.records,
            quarantined: told.quarantined,
            requests: told.messages,
            ..IngestReply::default()
        }
    }

    async fn tell(&self, reply: IngestReply) -> Result<(), Status> {
        match timeout(REPLY_TIME_MAX, self.tell.send(Ok(reply))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Status::deadline_exceeded("replies are not read")),
        }
    }
}

/// The records of a refusal; itself, as one, when it is not about single ones.
fn whole(refusal: Refusal) -> (Vec<RefusedRecord>, usize) {
    if !refusal.refused.is_empty() {
        return (refusal.refused, refusal.refused_count);
    }
    let (cause, message) = (refusal.cause, refusal.message);
    let record =
        RefusedRecord { index: 0, offset: None, first_bytes: None, path: None, line: None, cause, message };
    (vec![record], 0)
}

fn refusal(request: u64, record: RefusedRecord) -> proto::v1::Refusal {
    proto::v1::Refusal {
        request,
        index: record.index,
        cause: record.cause.code().to_owned(),
        text: record.message,
        path: record.path.unwrap_or_default(),
        offset: record.offset.unwrap_or_default(),
    }
}

fn reply(answer: Answer) -> IngestReply {
    IngestReply {
        accepted: answer.accepted,
        quarantined: answer.quarantined.unwrap_or_default(),
        requests: 1,
        repeated: answer.repeated,
        refused: answer.refused.into_iter().map(|record| refusal(0, record)).collect(),
        refused_count: answer.refused_count as u64,
    }
}
