//! Administration as the hub's router asks for it. What command line and API do alike is in [`acts`]; the rest is what
//! the running hub knows besides: nodes, dictionaries, the hub itself.

mod acts;
mod dictionaries;
mod lists;
mod node;
mod standing;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dashboard::ProblemResponse;
use dashboard::access::Principal;
use dashboard::administration::{Administration, Answer, DictionaryText, NewDictionary};
use dashboard::contract::{
    ApiTokens, DictionaryDocument, DictionaryImport, EnrolmentTokens, HubStanding, MadeApiToken,
    MadeEnrolmentToken, MadeLoginCode, NewApiToken, NewEnrolmentToken, NewLoginCode, NodeKnowledge, People,
};
use dashboard::rfc3339;
use futures_util::FutureExt;
use provisioning::{Authority, TokenId};
use service::logging::chain;
use space_packet::TaiTime;
use tracing::warn;
use uuid::Uuid;

use crate::archive::problem;
use crate::archive::{Archive, ArchiveError, Database, Documents, Evidence};
use crate::config::HubConfig;
use crate::fleet::Fleet;
use crate::missions::Missions;
use crate::role::HubRole;
use crate::told::Told;

pub use acts::{Acts, Refused, TokenWish};

const HOUR_S: u64 = 3_600;
const DAY: Duration = Duration::from_secs(86_400);

/// What the running hub administers with.
pub struct HubAdministration {
    /// What somebody does.
    pub acts: Acts,
    /// What is received.
    pub archive: Arc<Archive>,
    /// Who signs.
    pub authority: Arc<Authority>,
    /// What the hub was told.
    pub config: Arc<HubConfig>,
    /// Where it is kept.
    pub database: Database,
    /// How nodes stand.
    pub fleet: Arc<Fleet>,
    /// Its number.
    pub hub: Uuid,
    /// Where it receives, once it leads.
    pub listening: Arc<OnceLock<SocketAddr>>,
    /// Its missions' documents.
    pub missions: Arc<Missions>,
    /// Whether it leads.
    pub role: HubRole,
    /// When this run of its process began.
    pub started: TaiTime,
    /// What nodes are told of hubs and authorities.
    pub told: Arc<Told>,
}

impl HubAdministration {
    fn documents(&self) -> Documents {
        Documents::new(self.database.clone())
    }

    fn evidence(&self) -> Evidence {
        Evidence::new(self.database.clone())
    }

    /// What tokens that are made now tell nodes to connect to.
    fn advertised(&self) -> Vec<String> {
        let listening = self.listening.get().copied().unwrap_or(self.config.reception.listen);
        self.config.advertised(listening)
    }

    /// What was changed counts here at once, and not after the next look at the database.
    async fn refresh_fleet(&self) -> Result<(), ProblemResponse> {
        self.fleet.refresh(self.acts.registry()).await.map_err(|error| not_answered(&error))
    }
}

fn not_answered(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "administration could not be carried out or told");
    problem(error)
}

fn refused(refused: &Refused) -> ProblemResponse {
    let detail = format!("{refused}; nothing was changed");
    match refused {
        Refused::Archive(error) => not_answered(error),
        Refused::BuiltIn(_) => ProblemResponse::node_built_in(detail),
        Refused::PersonName(_) | Refused::Token(_) => ProblemResponse::admin_text(detail),
        Refused::TokenExists(_) => ProblemResponse::api_token_exists(detail),
        Refused::TokenName(_) => ProblemResponse::api_token_name(detail),
        Refused::TokenOver(_) => ProblemResponse::enrolment_token_over(detail),
        Refused::UnknownMission { .. } => ProblemResponse::unknown_mission(detail),
        Refused::UnknownNode(_) => ProblemResponse::unknown_node(detail),
        Refused::UnknownPerson(_) => ProblemResponse::unknown_person(detail),
        Refused::UnknownToken(_) => ProblemResponse::api_token_unknown(detail),
        Refused::UnknownTokenId(_) => ProblemResponse::enrolment_token_unknown(detail),
    }
}

impl Administration for HubAdministration {
    fn node<'a>(&'a self, node: &'a str) -> Answer<'a, Option<NodeKnowledge>> {
        async move { self.knowledge(node).await.map_err(|error| not_answered(&error)) }.boxed()
    }

    fn revoke<'a>(&'a self, node: &'a str, reason: &'a str, by: &'a str) -> Answer<'a, ()> {
        async move {
            self.acts.revoke(node, reason, by).await.map_err(|error| refused(&error))?;
            self.refresh_fleet().await
        }
        .boxed()
    }

    fn set_missions<'a>(
        &'a self,
        node: &'a str,
        missions: Option<Vec<String>>,
        by: &'a str,
    ) -> Answer<'a, ()> {
        async move {
            let done = self.acts.set_missions(node, missions.as_deref(), by).await;
            done.map_err(|error| refused(&error))?;
            self.refresh_fleet().await
        }
        .boxed()
    }

    fn enrolment_tokens(&self) -> Answer<'_, EnrolmentTokens> {
        async move {
            let rows = self.acts.registry().tokens(lists::ROWS_MAX + 1).await;
            Ok(lists::enrolment_tokens(&rows.map_err(|error| not_answered(&error))?))
        }
        .boxed()
    }

    fn make_enrolment_token<'a>(
        &'a self,
        new: NewEnrolmentToken,
        by: &'a str,
    ) -> Answer<'a, MadeEnrolmentToken> {
        let NewEnrolmentToken { node, site, missions, hours } = new;
        let valid = Duration::from_secs(u64::from(hours) * HOUR_S);
        async move {
            let wish = TokenWish { node, site, valid, missions };
            let made = self.acts.make_token(wish, self.advertised(), &self.authority, by).await;
            let (token, record) = made.map_err(|error| refused(&error))?;
            Ok(MadeEnrolmentToken { token: lists::new_enrolment_token(&record, by), text: token.to_text() })
        }
        .boxed()
    }

    fn end_enrolment_token<'a>(&'a self, id: [u8; 16], by: &'a str) -> Answer<'a, ()> {
        async move { self.acts.end_token(TokenId(id), by).await.map_err(|error| refused(&error)) }.boxed()
    }

    fn api_tokens(&self) -> Answer<'_, ApiTokens> {
        async move {
            let rows = self.acts.sessions().tokens().list(lists::ROWS_MAX + 1).await;
            Ok(lists::api_tokens(&rows.map_err(|error| not_answered(&error))?))
        }
        .boxed()
    }

    fn make_api_token<'a>(&'a self, new: NewApiToken, by: &'a str) -> Answer<'a, MadeApiToken> {
        let NewApiToken { name, role, missions, days } = new;
        async move {
            let grant = self.acts.grant(role, missions).map_err(|error| refused(&error))?;
            let holder = Principal { name, grant };
            let made = self.acts.make_api_token(&holder, DAY * days, by).await;
            let made = made.map_err(|error| refused(&error))?;
            Ok(MadeApiToken { token: lists::new_api_token(holder, &made, by), text: made.text })
        }
        .boxed()
    }

    fn revoke_api_token<'a>(&'a self, name: &'a str, by: &'a str) -> Answer<'a, ()> {
        async move { self.acts.revoke_api_token(name, by).await.map_err(|error| refused(&error)) }.boxed()
    }

    fn people(&self) -> Answer<'_, People> {
        async move {
            let rows = self.acts.sessions().list(lists::ROWS_MAX + 1).await;
            Ok(lists::people(rows.map_err(|error| not_answered(&error))?))
        }
        .boxed()
    }

    fn make_login_code<'a>(&'a self, new: NewLoginCode, by: &'a str) -> Answer<'a, MadeLoginCode> {
        let NewLoginCode { name, role, missions } = new;
        async move {
            let grant = self.acts.grant(role, missions).map_err(|error| refused(&error))?;
            let holder = Principal { name, grant };
            let made = self.acts.make_code(&holder, by).await.map_err(|error| refused(&error))?;
            Ok(MadeLoginCode { name: holder.name, code: made.code, until: rfc3339(made.expires) })
        }
        .boxed()
    }

    fn end_sessions<'a>(&'a self, name: &'a str, by: &'a str) -> Answer<'a, ()> {
        async move { self.acts.end_sessions(name, by).await.map_err(|error| refused(&error)) }.boxed()
    }

    fn dictionaries<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<DictionaryDocument>> {
        self.dictionary_documents(mission).boxed()
    }

    fn dictionary<'a>(&'a self, mission: &'a str, number: u32) -> Answer<'a, Option<DictionaryText>> {
        self.dictionary_text(mission, number).boxed()
    }

    fn import_dictionary<'a>(&'a self, mission: &'a str, new: NewDictionary) -> Answer<'a, DictionaryImport> {
        self.import(mission, new).boxed()
    }

    fn hub(&self) -> Answer<'_, HubStanding> {
        async move { self.standing().await.map_err(|error| not_answered(&error)) }.boxed()
    }
}
