//! What somebody does to nodes, tokens and people: the one way for command line and API alike.

use std::time::Duration;

use dashboard::access::{Grant, MissionScope, Principal, Role};
use provisioning::{Authority, NewToken, Token, TokenError, TokenId, TokenRecord};

use crate::archive::{
    AddTokenError, ArchiveError, Database, NewApiToken, NewCode, OwnStation, PostgresSessions, Registry,
    TokenEnd,
};

/// A name that a list on a terminal can show.
const NAME_CHARACTERS_MAX: usize = 64;

/// Why something is not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// PostgreSQL.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The hub's own station is no machine that could be enrolled or lose its right.
    #[error("{0:?} is the hub's own station, which takes what comes to the links of hub.toml")]
    BuiltIn(String),
    /// Somebody's name that is none.
    #[error(
        "{0:?} is no name: 1 to {NAME_CHARACTERS_MAX} characters, none of them a control character, no space at either end"
    )]
    PersonName(String),
    /// What an enrolment token would say.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A program's token of this name is in force.
    #[error("a token named {0:?} is in force")]
    TokenExists(String),
    /// A program's name that is none.
    #[error("{0:?} is no name: 1 to {NAME_CHARACTERS_MAX} characters without spaces")]
    TokenName(String),
    /// An enrolment token that was used, ended or is past its time.
    #[error("token {0} was used or ended, or is past its time")]
    TokenOver(TokenId),
    /// A mission that the hub is not configured for.
    #[error("there is no mission {mission:?}; configured are: {configured}")]
    UnknownMission {
        /// The one that was named.
        mission: String,
        /// Those there are.
        configured: String,
    },
    /// No node has the name.
    #[error("there is no node {0:?}")]
    UnknownNode(String),
    /// Nobody has the name.
    #[error("nobody named {0:?} is logged in or has a code")]
    UnknownPerson(String),
    /// No token in force has the name.
    #[error("no token named {0:?} is in force")]
    UnknownToken(String),
    /// No enrolment token has the name.
    #[error("there is no enrolment token {0}")]
    UnknownTokenId(TokenId),
}

/// What a token is called, made for, and good for.
pub struct TokenWish {
    /// The node's name.
    pub node: String,
    /// The node's site.
    pub site: String,
    /// How long it can be used.
    pub valid: Duration,
    /// Missions it may send for; absent: all, or those it may send for already.
    pub missions: Option<Vec<String>>,
}

/// What can be done, at a database and for some missions.
pub struct Acts {
    registry: Registry,
    own_station: OwnStation,
    sessions: PostgresSessions,
    missions: Vec<String>,
}

impl Acts {
    /// What can be done in a database whose hub is configured for some missions.
    pub fn new(database: &Database, missions: impl IntoIterator<Item = String>) -> Self {
        Self {
            registry: Registry::new(database.clone()),
            own_station: OwnStation::new(database.clone()),
            sessions: PostgresSessions::new(database.clone()),
            missions: missions.into_iter().collect(),
        }
    }

    /// The same, where sessions and tokens are remembered by somebody who has to know of their end.
    #[must_use]
    pub fn with_sessions(self, sessions: PostgresSessions) -> Self {
        Self { sessions, ..self }
    }

    /// Nodes and their tokens.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Login sessions and programs' tokens.
    pub fn sessions(&self) -> &PostgresSessions {
        &self.sessions
    }

    /// Takes a node's right to forward. The running hub closes its session within two seconds.
    pub async fn revoke(&self, node: &str, reason: &str, by: &str) -> Result<(), Refused> {
        self.check_not_own(node).await?;
        let is_done = self.registry.revoke(node, reason, by).await?;
        is_done.then_some(()).ok_or_else(|| Refused::UnknownNode(node.to_owned()))
    }

    /// Says which missions a node may send for; `None`: all.
    pub async fn set_missions(
        &self,
        node: &str,
        missions: Option<&[String]>,
        by: &str,
    ) -> Result<(), Refused> {
        self.check_missions(missions.unwrap_or_default())?;
        self.check_not_own(node).await?;
        let is_done = self.registry.set_missions(node, missions, by).await?;
        is_done.then_some(()).ok_or_else(|| Refused::UnknownNode(node.to_owned()))
    }

    /// Makes a token that enrols a node at hubs with these addresses.
    pub async fn make_token(
        &self,
        wish: TokenWish,
        hub_addresses: Vec<String>,
        authority: &Authority,
        by: &str,
    ) -> Result<(Token, TokenRecord), Refused> {
        self.check_missions(wish.missions.as_deref().unwrap_or_default())?;
        self.check_not_own(&wish.node).await?;
        let wanted = NewToken {
            hub_addresses,
            node_name: wish.node,
            site: wish.site,
            expires_unix: link::Clock::system().now_unix() + wish.valid.as_secs(),
            missions: wish.missions,
        };
        let (token, record) = Token::issue(wanted, authority.spki_sha256())?;
        self.registry.insert_token(&record, by).await?;
        Ok((token, record))
    }

    /// Ends a token that was not used yet.
    pub async fn end_token(&self, id: TokenId, by: &str) -> Result<(), Refused> {
        match self.registry.end_token(id, by).await? {
            TokenEnd::Ended => Ok(()),
            TokenEnd::Over => Err(Refused::TokenOver(id)),
            TokenEnd::Unknown => Err(Refused::UnknownTokenId(id)),
        }
    }

    /// Makes a token for a program.
    pub async fn make_api_token(
        &self,
        holder: &Principal,
        lasts: Duration,
        by: &str,
    ) -> Result<NewApiToken, Refused> {
        let name = &holder.name;
        let has_space = name.chars().any(char::is_whitespace);
        if has_space || !is_name(name) {
            return Err(Refused::TokenName(name.clone()));
        }
        self.sessions.tokens().add(holder, lasts, by).await.map_err(|error| match error {
            AddTokenError::Archive(error) => error.into(),
            AddTokenError::Exists => Refused::TokenExists(name.clone()),
        })
    }

    /// Ends a program's token.
    pub async fn revoke_api_token(&self, name: &str, by: &str) -> Result<(), Refused> {
        let is_done = self.sessions.tokens().revoke(name, by).await?;
        is_done.then_some(()).ok_or_else(|| Refused::UnknownToken(name.to_owned()))
    }

    /// Makes a one-time code.
    pub async fn make_code(&self, holder: &Principal, by: &str) -> Result<NewCode, Refused> {
        if !is_name(&holder.name) {
            return Err(Refused::PersonName(holder.name.clone()));
        }
        Ok(self.sessions.make_code(holder, by).await?)
    }

    /// Ends all sessions and codes of somebody.
    pub async fn end_sessions(&self, name: &str, by: &str) -> Result<(), Refused> {
        let ended = self.sessions.end_all_of(name, by).await?;
        if ended == 0 { Err(Refused::UnknownPerson(name.to_owned())) } else { Ok(()) }
    }

    /// A role with some of the missions there are; `None`: all.
    pub fn grant(&self, role: Role, missions: Option<Vec<String>>) -> Result<Grant, Refused> {
        self.check_missions(missions.as_deref().unwrap_or_default())?;
        let missions = missions.map(|missions| missions.into_iter().collect());
        Ok(Grant { role, missions: MissionScope::from(missions) })
    }

    /// Refuses a mission that the hub is not configured for.
    pub fn check_missions(&self, missions: &[String]) -> Result<(), Refused> {
        let unknown = missions.iter().find(|mission| !self.missions.contains(mission));
        let Some(unknown) = unknown else { return Ok(()) };
        Err(Refused::UnknownMission { mission: unknown.clone(), configured: self.missions.join(", ") })
    }

    async fn check_not_own(&self, node: &str) -> Result<(), Refused> {
        if self.own_station.is_called(node).await? {
            return Err(Refused::BuiltIn(node.to_owned()));
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && name.trim() == name
}
