//! Tokens and people, as answers list them.

use std::collections::BTreeMap;

use dashboard::access::Principal;
use dashboard::contract::{
    ApiToken, ApiTokenState, ApiTokens, EnrolmentToken, EnrolmentTokenState, EnrolmentTokens, LoginCode,
    LoginSession, People, Person,
};
use dashboard::rfc3339;
use provisioning::TokenRecord;
use space_packet::TaiTime;

use crate::archive::{ApiTokenRow, EnrolmentTokenRow, LoginKind, LoginRow, NewApiToken};

/// Rows of a list.
pub(super) const ROWS_MAX: i64 = 1_000;

/// The rows that are shown, and whether one more was there.
fn shown<T>(rows: &[T]) -> (&[T], bool) {
    let most = ROWS_MAX as usize;
    (&rows[..rows.len().min(most)], rows.len() > most)
}

pub(super) fn moment(unix_s: i64) -> String {
    rfc3339(TaiTime::from_unix_nanos(unix_s.saturating_mul(1_000_000_000)))
}

pub(super) fn enrolment_tokens(rows: &[EnrolmentTokenRow]) -> EnrolmentTokens {
    let now_unix = service::clock::now().to_unix_nanos() / 1_000_000_000;
    let (rows, more) = shown(rows);
    let token = |row: &EnrolmentTokenRow| EnrolmentToken {
        id: row.id.to_string(),
        node: row.node_name.clone(),
        site: row.site.clone(),
        missions: row.missions.clone(),
        state: match row {
            EnrolmentTokenRow { used_unix: Some(_), .. } => EnrolmentTokenState::Used,
            EnrolmentTokenRow { ended_unix: Some(_), .. } => EnrolmentTokenState::Ended,
            row if row.expires_unix <= now_unix => EnrolmentTokenState::Expired,
            _ => EnrolmentTokenState::Unused,
        },
        made_at: row.made_unix.map(moment),
        made_by: row.made_by.clone(),
        expires: moment(row.expires_unix),
        used_at: row.used_unix.map(moment),
        used_host: row.used_by_hostname.clone(),
    };
    EnrolmentTokens { tokens: rows.iter().map(token).collect(), more }
}

/// A token that was made this second.
pub(super) fn new_enrolment_token(record: &TokenRecord, by: &str) -> EnrolmentToken {
    EnrolmentToken {
        id: record.id.to_string(),
        node: record.node_name.clone(),
        site: record.site.clone(),
        missions: record.missions.clone(),
        state: EnrolmentTokenState::Unused,
        made_at: Some(rfc3339(service::clock::now())),
        made_by: Some(by.to_owned()),
        expires: moment(record.expires_unix as i64),
        used_at: None,
        used_host: None,
    }
}

pub(super) fn api_tokens(rows: &[ApiTokenRow]) -> ApiTokens {
    let now = service::clock::now();
    let (rows, more) = shown(rows);
    let token = |row: &ApiTokenRow| ApiToken {
        name: row.name.clone(),
        role: row.grant.role,
        missions: row.grant.missions.names(),
        state: match row.revoked_at {
            // The name of one that was over was taken again: then it is written down as revoked when it ended.
            Some(at) if at < row.expires => ApiTokenState::Revoked,
            _ if row.expires <= now => ApiTokenState::Expired,
            Some(_) => ApiTokenState::Revoked,
            None => ApiTokenState::InForce,
        },
        made_at: rfc3339(row.made_at),
        made_by: row.made_by.clone(),
        expires: rfc3339(row.expires),
        revoked_at: row.revoked_at.map(rfc3339),
    };
    ApiTokens { tokens: rows.iter().map(token).collect(), more }
}

/// A token that was made now.
pub(super) fn new_api_token(holder: Principal, made: &NewApiToken, by: &str) -> ApiToken {
    ApiToken {
        name: holder.name,
        role: holder.grant.role,
        missions: holder.grant.missions.names(),
        state: ApiTokenState::InForce,
        made_at: rfc3339(made.made_at),
        made_by: Some(by.to_owned()),
        expires: rfc3339(made.expires),
        revoked_at: None,
    }
}

pub(super) fn people(mut rows: Vec<LoginRow>) -> People {
    let (_, more) = shown(&rows);
    rows.truncate(ROWS_MAX as usize);
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for LoginRow { principal: Principal { name, grant }, expires, kind } in rows {
        let nobody = || Person { name: name.clone(), sessions: Vec::new(), codes: Vec::new() };
        let person = people.entry(name.clone()).or_insert_with(nobody);
        let (role, missions, until) = (grant.role, grant.missions.names(), rfc3339(expires));
        match kind {
            LoginKind::Code => person.codes.push(LoginCode { role, missions, until }),
            LoginKind::Session { since, last_used } => person.sessions.push(LoginSession {
                role,
                missions,
                since: since.map(rfc3339),
                until,
                last_used: last_used.map(rfc3339),
            }),
        }
    }
    People { people: people.into_values().collect(), more }
}
