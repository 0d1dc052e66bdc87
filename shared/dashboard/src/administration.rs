//! Administration, as the router asks for it: nodes, tokens, people, dictionaries, the hub itself.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;

use crate::ProblemResponse;
use crate::contract::{
    ApiTokens, DictionaryDocument, DictionaryImport, EnrolmentTokens, HubStanding, MadeApiToken,
    MadeEnrolmentToken, MadeLoginCode, NewApiToken, NewEnrolmentToken, NewLoginCode, NodeKnowledge, People,
};

/// An answer that takes a look into a store.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

/// A dictionary that somebody sends.
#[derive(Clone, Debug)]
pub struct NewDictionary {
    /// What errors call it.
    pub file_name: String,
    /// The XTCE text, of at most [`service::documents::DOCUMENT_BYTES_MAX`] bytes.
    pub text: String,
    /// From which generation time on it is to be in force; absent: from now on, the first one from the beginning.
    pub effective_from: Option<TaiTime>,
    /// Who sends it.
    pub author: String,
    /// Why.
    pub reason: Option<String>,
    /// Only to say what it would change.
    pub is_dry_run: bool,
}

/// A version of a dictionary and its text.
#[derive(Clone, Debug)]
pub struct DictionaryText {
    /// What its file is called.
    pub file_name: String,
    /// The XTCE text.
    pub text: String,
}

fn only_the_hub<'a, T: Send + 'a>(what: &'static str) -> Answer<'a, T> {
    let detail = format!("only the hub {what}; ask it. Nothing was changed here");
    async move { Err(ProblemResponse::administered_elsewhere(detail)) }.boxed()
}

/// What a server administers. One that does not have something answers that the hub does. Each act is written into the
/// server's events together with who did it, `by`.
pub trait Administration: Send + Sync {
    /// What is known of a node beyond the list of nodes; `None` when there is none of this name.
    fn node<'a>(&'a self, _node: &'a str) -> Answer<'a, Option<NodeKnowledge>> {
        async { Ok(Some(NodeKnowledge::default())) }.boxed()
    }

    /// Takes a node's right to forward.
    fn revoke<'a>(&'a self, _node: &'a str, _reason: &'a str, _by: &'a str) -> Answer<'a, ()> {
        only_the_hub("revokes nodes")
    }

    /// Says which missions a node may send for; `None`: all.
    fn set_missions<'a>(
        &'a self,
        _node: &'a str,
        _missions: Option<Vec<String>>,
        _by: &'a str,
    ) -> Answer<'a, ()> {
        only_the_hub("says which missions nodes may send for")
    }

    /// Tokens that enrol nodes.
    fn enrolment_tokens(&self) -> Answer<'_, EnrolmentTokens> {
        only_the_hub("enrols nodes")
    }

    /// Makes a token that enrols a node.
    fn make_enrolment_token<'a>(
        &'a self,
        _new: NewEnrolmentToken,
        _by: &'a str,
    ) -> Answer<'a, MadeEnrolmentToken> {
        only_the_hub("enrols nodes")
    }

    /// Ends a token that was not used yet.
    fn end_enrolment_token<'a>(&'a self, _id: [u8; 16], _by: &'a str) -> Answer<'a, ()> {
        only_the_hub("enrols nodes")
    }

    /// Tokens of programs.
    fn api_tokens(&self) -> Answer<'_, ApiTokens> {
        only_the_hub("has tokens of programs")
    }

    /// Makes a token for a program.
    fn make_api_token<'a>(&'a self, _new: NewApiToken, _by: &'a str) -> Answer<'a, MadeApiToken> {
        only_the_hub("has tokens of programs")
    }

    /// Ends the token of a program.
    fn revoke_api_token<'a>(&'a self, _name: &'a str, _by: &'a str) -> Answer<'a, ()> {
        only_the_hub("has tokens of programs")
    }

    /// Who is logged in, or may log in.
    fn people(&self) -> Answer<'_, People> {
        only_the_hub("says who is logged in there, and `edge-node console` lets somebody in here")
    }

    /// Makes a one-time code.
    fn make_login_code<'a>(&'a self, _new: NewLoginCode, _by: &'a str) -> Answer<'a, MadeLoginCode> {
        only_the_hub("makes codes by this route; here `edge-node console` does")
    }

    /// Ends all login sessions of somebody, and the codes to begin others with.
    fn end_sessions<'a>(&'a self, _name: &'a str, _by: &'a str) -> Answer<'a, ()> {
        only_the_hub("ends login sessions by this route")
    }

    /// All versions of a mission's dictionary, newest first.
    fn dictionaries<'a>(&'a self, _mission: &'a str) -> Answer<'a, Vec<DictionaryDocument>> {
        only_the_hub("has the versions of dictionaries with their histories")
    }

    /// One version of a mission's dictionary; `None` when there is none of this number.
    fn dictionary<'a>(&'a self, _mission: &'a str, _number: u32) -> Answer<'a, Option<DictionaryText>> {
        only_the_hub("has the versions of dictionaries with their histories")
    }

    /// Imports a version of a mission's dictionary, or says what it would change.
    fn import_dictionary<'a>(
        &'a self,
        _mission: &'a str,
        _new: NewDictionary,
    ) -> Answer<'a, DictionaryImport> {
        only_the_hub("takes new dictionaries, and its nodes get them from it")
    }

    /// How the hub is.
    fn hub(&self) -> Answer<'_, HubStanding> {
        only_the_hub("answers this")
    }
}

/// Administers nothing.
pub struct NoAdministration;

impl Administration for NoAdministration {}
