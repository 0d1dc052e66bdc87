//! What administrators see and do: tokens, people, the hub itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServerRole;
use crate::access::Role;

/// Answer of `GET /api/v1/enrolment-tokens`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct EnrolmentTokens {
    /// Tokens that can be used first, then newest first; at most 1,000.
    pub tokens: Vec<EnrolmentToken>,
    /// Whether there are more.
    pub more: bool,
}

/// What became of an enrolment token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolmentTokenState {
    /// Somebody ended it before it was used.
    Ended,
    /// Nobody used it in time.
    Expired,
    /// It can be used.
    Unused,
    /// A machine is enrolled with it.
    Used,
}

/// A token that makes, or made, one machine a node; without its text, which the hub does not keep.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct EnrolmentToken {
    /// Its id: 32 hexadecimal digits.
    pub id: String,
    /// The node's name.
    pub node: String,
    /// The node's site.
    pub site: String,
    /// Missions the node may send for; null: all, or those it may send for already.
    pub missions: Option<Vec<String>>,
    /// What became of it.
    pub state: EnrolmentTokenState,
    /// When it was made; null of one made by older software.
    pub made_at: Option<String>,
    /// Who made it; null of one made by older software.
    pub made_by: Option<String>,
    /// Until when it can be used.
    pub expires: String,
    /// When it was used.
    pub used_at: Option<String>,
    /// What the machine that used it calls itself.
    pub used_host: Option<String>,
}

/// Body of `POST /api/v1/enrolment-tokens`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolmentToken {
    /// The node's name, 1 to 64 bytes. One that is there gets another machine.
    pub node: String,
    /// The node's site, 1 to 64 bytes.
    pub site: String,
    /// Missions the node may send for; null or absent: all, or those it may send for already.
    #[serde(default)]
    pub missions: Option<Vec<String>>,
    /// Hours it can be used, 1 to 720.
    pub hours: u32,
}

/// Answer of `POST /api/v1/enrolment-tokens`.
#[derive(Clone, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct MadeEnrolmentToken {
    /// The token, as it is listed.
    pub token: EnrolmentToken,
    /// Its text, a secret, shown this once: `STO1-…`, for `edge-node enroll`.
    pub text: String,
}

/// Answer of `GET /api/v1/api-tokens`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ApiTokens {
    /// Tokens in force first, then newest first; at most 1,000.
    pub tokens: Vec<ApiToken>,
    /// Whether there are more.
    pub more: bool,
}

/// What became of a program's token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiTokenState {
    /// Its time is over.
    Expired,
    /// It is good.
    InForce,
    /// Somebody ended it.
    Revoked,
}

/// A program's token, without its text, which the hub does not keep.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ApiToken {
    /// What the program is called; once among those in force.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Missions it may know of; null: all.
    pub missions: Option<Vec<String>>,
    /// What became of it.
    pub state: ApiTokenState,
    /// When it was made.
    pub made_at: String,
    /// Who made it; null of one made by older software.
    pub made_by: Option<String>,
    /// Until when it is good.
    pub expires: String,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

/// Body of `POST /api/v1/api-tokens`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiToken {
    /// What the program is called: 1 to 64 characters without spaces.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Missions it may know of; null or absent: all.
    #[serde(default)]
    pub missions: Option<Vec<String>>,
    /// Days it is good for, 1 to 3,650.
    pub days: u32,
}

/// Answer of `POST /api/v1/api-tokens`.
#[derive(Clone, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct MadeApiToken {
    /// The token, as it is listed.
    pub token: ApiToken,
    /// Its text, a secret, shown this once: `sto_…`, for the header `authorization: Bearer …`.
    pub text: String,
}

/// Answer of `GET /api/v1/people`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct People {
    /// Who is logged in, or has a code to log in with, by name.
    pub people: Vec<Person>,
    /// Whether there are more than the 1,000 newest login sessions and codes, which are the ones told of.
    pub more: bool,
}

/// Somebody who is logged in, or may log in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Person {
    /// Name, as in the events of what was done.
    pub name: String,
    /// Login sessions, newest first.
    pub sessions: Vec<LoginSession>,
    /// One-time codes that were not used yet, newest first.
    pub codes: Vec<LoginCode>,
}

/// A login session.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LoginSession {
    /// What it may do.
    pub role: Role,
    /// Missions it may know of; null: all.
    pub missions: Option<Vec<String>>,
    /// Since when; null of one that began under older software.
    pub since: Option<String>,
    /// Until when.
    pub until: String,
    /// When it was last used, right within a minute; null before it is known.
    pub last_used: Option<String>,
}

/// A one-time code, without its text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LoginCode {
    /// What a session begun with it may do.
    pub role: Role,
    /// Missions it may know of; null: all.
    pub missions: Option<Vec<String>>,
    /// Until when it can be used.
    pub until: String,
}

/// Body of `POST /api/v1/login-codes`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLoginCode {
    /// Whose it is: 1 to 64 characters, none of them a control character, no space at either end.
    pub name: String,
    /// What the holder may do.
    pub role: Role,
    /// Missions the holder may know of; null or absent: all.
    #[serde(default)]
    pub missions: Option<Vec<String>>,
}

/// Answer of `POST /api/v1/login-codes`.
#[derive(Clone, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct MadeLoginCode {
    /// Whose it is.
    pub name: String,
    /// The code, a secret, shown this once; it opens one session.
    pub code: String,
    /// Until when it can be used.
    pub until: String,
}

/// Answer of `GET /api/v1/hub`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HubStanding {
    /// The server's time.
    pub at: String,
    /// Version of its software.
    pub version: String,
    /// When this run of its process began.
    pub started_at: String,
    /// Whether it leads.
    pub role: ServerRole,
    /// The machine whose hub leads, or led last; null before the first.
    pub leader: Option<String>,
    /// Hubs that are connected to the database, this one among them; the leader first.
    pub hubs: Vec<HubReplica>,
    /// Sessions of nodes that are open here.
    pub sessions: u64,
    /// Its database; null while that does not answer.
    pub database: Option<DatabaseStanding>,
    /// Whom nodes and this hub trust.
    pub trust: TrustStanding,
    /// The hubs nodes may turn to.
    pub endpoints: EndpointsStanding,
    /// Missions it is configured for, in the order of its configuration.
    pub missions: Vec<HubMission>,
}

/// A hub at the same database.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HubReplica {
    /// Its identity, a UUID.
    pub id: String,
    /// Where it connects to the database from; null on the machine itself.
    pub address: Option<String>,
    /// Since when the oldest of its connections stands.
    pub since: String,
    /// Whether it leads.
    pub leads: bool,
    /// Whether it is the one that answers.
    pub is_this: bool,
}

/// How the hub's database is, as `cloud-hub db status` says it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DatabaseStanding {
    /// PostgreSQL's version.
    pub version: String,
    /// Whether the hub runs it itself; else it is one of yours.
    pub is_private: bool,
    /// Bytes of all of it.
    pub bytes: i64,
    /// When the first batch of the ledger was committed; null when there is none.
    pub oldest: Option<String>,
    /// When the last one was.
    pub newest: Option<String>,
    /// Whether pages carry check sums.
    pub has_checksums: bool,
    /// Pages whose check sum did not fit; null where pages carry none.
    pub checksum_failures: Option<i64>,
    /// Whether this is a standby.
    pub is_standby: bool,
    /// Tables, the largest first.
    pub tables: Vec<DatabaseTable>,
    /// Those who replicate it, as far as the hub's user may know of them.
    pub replicas: Vec<DatabaseReplica>,
    /// Tables with a mission whose rows are not protected by it. None, unless somebody changed the schema.
    pub unprotected: Vec<String>,
}

/// A table of the database.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DatabaseTable {
    /// Its name.
    pub name: String,
    /// Its partitions; 0 where it has none.
    pub partitions: i64,
    /// Bytes with indexes.
    pub bytes: i64,
}

/// Somebody who replicates the database.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DatabaseReplica {
    /// What it calls itself.
    pub name: String,
    /// `streaming` when it keeps up; null when the hub's user may not know.
    pub state: Option<String>,
    /// Bytes it has yet to replay.
    pub behind_bytes: Option<i64>,
}

/// The authorities that are trusted, as `cloud-hub trust ls` says it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TrustStanding {
    /// Number of the list in force; null when there is none, and the hub's own authority alone is trusted.
    pub number: Option<u32>,
    /// When that list was made.
    pub made_at: Option<String>,
    /// Id of this hub's own authority.
    pub own: String,
    /// Ids of all that are trusted.
    pub authorities: Vec<String>,
    /// Why the newest list does not count, if so.
    pub problem: Option<String>,
}

/// The hubs nodes may turn to, as `cloud-hub endpoints ls` says it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct EndpointsStanding {
    /// Number of the list in force; null when there is none, and nodes use the addresses of their tokens.
    pub number: Option<u32>,
    /// When that list was made.
    pub made_at: Option<String>,
    /// The hubs, in the order in which nodes try them.
    pub hubs: Vec<HubEndpoint>,
    /// What tokens that are made now say.
    pub advertised: Vec<String>,
}

/// A hub that nodes may turn to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HubEndpoint {
    /// Its name.
    pub name: String,
    /// `HOST:PORT`.
    pub address: String,
}

/// A mission as the hub is configured for it, and what is in force of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HubMission {
    /// Short name, as in paths.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Parameters that any version of its dictionary has.
    pub parameter_count: usize,
    /// Number of the version of its dictionary that is in force now.
    pub dictionary_version: u32,
    /// Why the configured dictionary is not the one in use, if so.
    pub dictionary_problem: Option<String>,
    /// Version of the limits that is in force now; null when those of the dictionary count.
    pub limits_version: Option<u32>,
    /// Newest version of its alarm rules; null when there are none.
    pub alarm_rules_version: Option<u32>,
    /// Newest version of its detection rules; null when there are none.
    pub detection_rules_version: Option<u32>,
    /// Models in force.
    pub models: usize,
    /// Nodes with a link for it, as they last reported.
    pub nodes: usize,
    /// Nodes that may send for it.
    pub nodes_allowed: usize,
}
