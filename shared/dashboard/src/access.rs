//! Who may do what, and how somebody proves who it is: a one-time code becomes a browser's session cookie, a program
//! sends a token.
//!
//! One decision stands in front of every route and socket: [`authorize`]. Secrets are kept as hashes only.

mod gate;
mod secret;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use gate::{
    CODE_DURATION, Credential, Gate, KnownPrincipal, LoginError, SESSION_DURATION, SessionStore,
    StoreUnavailable,
};
pub(crate) use secret::random_id;
pub use secret::{SecretHash, hash, new_code, new_token, normalise_code};

/// Who asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// Name, as in the audit.
    pub name: String,
    /// What it may do, and with which missions.
    pub grant: Grant,
}

/// What a code, a session or a token lets its holder do.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Grant {
    /// What it may do.
    pub role: Role,
    /// With which missions.
    pub missions: MissionScope,
}

/// What a principal may do.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything there is.
    #[default]
    Operator,
    /// Reads.
    Viewer,
}

impl Role {
    /// Its word on command lines, in tables and in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Operator, Self::Viewer]
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A word that is no role.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no role: `operator` does everything there is, `viewer` reads")]
pub struct UnknownRole(pub String);

/// Which missions a principal may know of. Any other is to it as if it were not there.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(from = "Option<BTreeSet<String>>", into = "Option<BTreeSet<String>>")]
pub enum MissionScope {
    /// All, also those to come.
    #[default]
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl MissionScope {
    /// Whether a mission is one of them.
    pub fn includes(&self, mission: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(mission),
        }
    }

    /// Their names; absent: all.
    pub fn names(&self) -> Option<Vec<String>> {
        Option::<BTreeSet<String>>::from(self.clone()).map(|names| names.into_iter().collect())
    }
}

impl From<Option<BTreeSet<String>>> for MissionScope {
    fn from(names: Option<BTreeSet<String>>) -> Self {
        names.map_or(Self::All, Self::Only)
    }
}

impl From<MissionScope> for Option<BTreeSet<String>> {
    fn from(scope: MissionScope) -> Self {
        match scope {
            MissionScope::All => None,
            MissionScope::Only(names) => Some(names),
        }
    }
}

/// As lists on a terminal show it.
impl fmt::Display for MissionScope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.names().map_or("all missions".to_owned(), |names| names.join(",")))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// See and change who may do what: nodes, tokens, people, dictionaries, the hub itself.
    Administer,
    /// Ask a mission's nodes to send something first.
    AskForBackfill,
    /// Make a new version of a mission's limits.
    ChangeLimits,
    /// Act on a mission's alarms, and change its rules of alarms and of detection.
    DealWithAlarms,
    /// End one's own session.
    EndSession,
    /// Say how a mission's spacecraft fly.
    ImportElements,
    /// Keep dashboards of a mission: make, change and forget them.
    KeepDashboards,
    /// Say where sites are, which counts for all missions.
    PlaceSites,
    /// Add an event to a mission's.
    PostEvents,
    /// Read what the hub refused, and which batches it keeps apart: they speak of all nodes and missions.
    ReadEvidence,
    /// Read the metrics page.
    ReadMetrics,
    /// Read the list of missions, of those one may know of.
    ReadMissions,
    /// Read how nodes stand, as far as they serve missions one may know of.
    ReadNodes,
    /// Read one's own session.
    ReadSession,
    /// Read a mission's parameters and samples.
    ReadTelemetry,
}

/// What it is asked of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource<'a> {
    /// One mission.
    Mission(&'a str),
    /// The server itself.
    Server,
}

/// The answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

/// Who may do something, and of what it is asked.
enum Need {
    /// Whoever is logged in, of the server.
    Anybody,
    /// Operators of a mission.
    Operator,
    /// Operators of all missions, of the server.
    OperatorOfAll,
    /// Whoever may know of a mission.
    Reader,
    /// Whoever may know of all missions, of the server: it speaks of all of them.
    ReaderOfAll,
}

impl Action {
    fn needs(self) -> Need {
        match self {
            Self::EndSession | Self::ReadMissions | Self::ReadNodes | Self::ReadSession => Need::Anybody,
            Self::AskForBackfill
            | Self::ChangeLimits
            | Self::DealWithAlarms
            | Self::ImportElements
            | Self::KeepDashboards
            | Self::PostEvents => Need::Operator,
            Self::Administer | Self::PlaceSites => Need::OperatorOfAll,
            Self::ReadTelemetry => Need::Reader,
            Self::ReadEvidence | Self::ReadMetrics => Need::ReaderOfAll,
        }
    }
}

/// The one decision in front of everything.
pub fn authorize(principal: &Principal, action: Action, resource: Resource<'_>) -> Decision {
    let Grant { role, missions } = &principal.grant;
    let is_operator = *role == Role::Operator;
    let is_allowed = match (action.needs(), resource) {
        (Need::Anybody, Resource::Server) => true,
        (Need::Operator, Resource::Mission(mission)) => is_operator && missions.includes(mission),
        (Need::OperatorOfAll, Resource::Server) => is_operator && *missions == MissionScope::All,
        (Need::Reader, Resource::Mission(mission)) => missions.includes(mission),
        (Need::ReaderOfAll, Resource::Server) => *missions == MissionScope::All,
        _ => false,
    };
    if is_allowed { Decision::Allow } else { Decision::Deny }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, missions: Option<&[&str]>) -> Principal {
        let missions = missions.map(|names| names.iter().map(|&name| name.to_owned()).collect());
        Principal {
            name: "somebody".to_owned(),
            grant: Grant { role, missions: MissionScope::from(missions) },
        }
    }

    #[test]
    fn nobody_does_what_it_was_not_given() {
        let check = |who: &Principal, action, resource, expected| {
            assert_eq!(authorize(who, action, resource), expected, "{who:?} {action:?} {resource:?}");
        };
        let demo = Resource::Mission("demo");
        for role in [Role::Operator, Role::Viewer] {
            let (all, one, none) =
                (principal(role, None), principal(role, Some(&["demo"])), principal(role, Some(&[])));
            for who in [&all, &one, &none] {
                check(who, Action::ReadTelemetry, Resource::Server, Decision::Deny);
                check(who, Action::ReadNodes, demo, Decision::Deny);
                check(who, Action::ReadMissions, Resource::Server, Decision::Allow);
            }
            check(&all, Action::ReadTelemetry, demo, Decision::Allow);
            check(&one, Action::ReadTelemetry, demo, Decision::Allow);
            check(&one, Action::ReadTelemetry, Resource::Mission("apollo"), Decision::Deny);
            check(&none, Action::ReadTelemetry, demo, Decision::Deny);
            check(&all, Action::ReadMetrics, Resource::Server, Decision::Allow);
            check(&one, Action::ReadMetrics, Resource::Server, Decision::Deny);
            check(&one, Action::Administer, Resource::Server, Decision::Deny);
            check(&none, Action::Administer, Resource::Server, Decision::Deny);
            check(&all, Action::Administer, demo, Decision::Deny);
            let deals = if role == Role::Operator { Decision::Allow } else { Decision::Deny };
            for action in [
                Action::AskForBackfill,
                Action::ChangeLimits,
                Action::DealWithAlarms,
                Action::ImportElements,
                Action::KeepDashboards,
                Action::PostEvents,
            ] {
                check(&all, action, demo, deals);
                check(&one, action, demo, deals);
                check(&one, action, Resource::Mission("apollo"), Decision::Deny);
                check(&all, action, Resource::Server, Decision::Deny);
            }
            check(&all, Action::Administer, Resource::Server, deals);
            check(&all, Action::PlaceSites, Resource::Server, deals);
            check(&one, Action::PlaceSites, Resource::Server, Decision::Deny);
        }
    }

    #[test]
    fn a_grant_is_read_as_it_was_written() {
        for (missions, written) in [
            (None, r#"{"role":"viewer","missions":null}"#),
            (Some(&["demo", "apollo"][..]), r#"{"role":"viewer","missions":["apollo","demo"]}"#),
            (Some(&[]), r#"{"role":"viewer","missions":[]}"#),
        ] {
            let grant = principal(Role::Viewer, missions).grant;
            assert_eq!(serde_json::to_string(&grant).expect("serialises"), written);
            assert_eq!(serde_json::from_str::<Grant>(written).expect("reads"), grant);
        }
        assert_eq!("operator".parse::<Role>().expect("a role"), Role::default());
        assert!("root".parse::<Role>().is_err());
    }
}
