//! `login-code` and `api-token`: who gets in, and with which rights.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use dashboard::access::{Grant, MissionScope, Principal, Role};
use dashboard::rfc3339;
use serde_json::json;

use super::{database, documents, print_json, ready};
use crate::archive::{AddTokenError, ApiTokenRow, ApiTokens, PostgresSessions};
use crate::config::HubConfig;

const DAY: Duration = Duration::from_secs(86_400);
/// A name that a list on a terminal can show.
const NAME_CHARACTERS_MAX: usize = 64;

/// What `login-code` takes.
#[derive(Args)]
pub struct LoginCodeArguments {
    /// What the holder may do: `operator` everything there is, `viewer` read.
    #[arg(long, default_value = "operator")]
    role: Role,
    /// Mission the holder may know of, once for each; all when absent.
    #[arg(long = "mission", value_name = "MISSION")]
    missions: Vec<String>,
}

/// What `api-token add` takes.
#[derive(Args)]
pub struct AddTokenArguments {
    /// Its name: what the program is called.
    name: String,
    /// What the holder may do: `operator` everything there is, `viewer` read.
    #[arg(long, default_value = "viewer")]
    role: Role,
    /// Mission the holder may know of, once for each; all when absent.
    #[arg(long = "mission", value_name = "MISSION")]
    missions: Vec<String>,
    /// Days it is good for.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
}

/// Prints a one-time code for the dashboard.
pub async fn login_code(config: &HubConfig, arguments: LoginCodeArguments) -> anyhow::Result<()> {
    let grant = grant(config, arguments.role, arguments.missions)?;
    let holder = Principal { name: grant.role.word().to_owned(), grant };
    let sessions = PostgresSessions::new(database(config, &ready(config)?)?);
    println!("{}", sessions.make_code(&holder).await?);
    Ok(())
}

/// Makes a token and prints it.
pub async fn add_token(config: &HubConfig, arguments: AddTokenArguments) -> anyhow::Result<()> {
    let AddTokenArguments { name, role, missions, days } = arguments;
    let is_name = (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count())
        && !name.chars().any(|character| character.is_control() || character.is_whitespace());
    if !is_name {
        bail!(
            "error[STO-API-TOKEN-NAME]: {name:?} is no name: 1 to {NAME_CHARACTERS_MAX} characters without spaces\n  Nothing was changed."
        );
    }
    let grant = grant(config, role, missions)?;
    let holder = Principal { name, grant };
    match tokens(config)?.add(&holder, DAY * days).await {
        Ok(token) => println!("{token}"),
        Err(AddTokenError::Exists) => bail!(
            "error[STO-API-TOKEN-EXISTS]: a token named {:?} is in force\n  Nothing was changed.\n  → take another name, or `cloud-hub api-token revoke` the old one first",
            holder.name
        ),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Lists tokens, newest first.
pub async fn list_tokens(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let rows = tokens(config)?.list().await?;
    if is_json {
        let described = rows.iter().map(|row| {
            json!({
                "name": row.name,
                "role": row.grant.role,
                "missions": row.grant.missions,
                "made_at": rfc3339(row.made_at),
                "expires": rfc3339(row.expires),
                "revoked_at": row.revoked_at.map(rfc3339),
            })
        });
        return print_json(&described.collect());
    }
    for row in rows {
        let (role, missions) = (row.grant.role.word(), &row.grant.missions);
        println!("{:<24} {role:<8} {missions:<24} {}", row.name, standing(&row));
    }
    Ok(())
}

/// Ends a token.
pub async fn revoke_token(config: &HubConfig, name: &str) -> anyhow::Result<()> {
    if !tokens(config)?.revoke(name).await? {
        bail!(
            "error[STO-API-TOKEN-UNKNOWN]: no token named {name:?} is in force\n  Nothing was changed.\n  → cloud-hub api-token ls"
        );
    }
    println!("{name} is revoked: within 5 seconds the hub refuses it.");
    Ok(())
}

fn standing(row: &ApiTokenRow) -> String {
    match row.revoked_at {
        Some(at) => format!("REVOKED {}", rfc3339(at)),
        None if row.expires <= service::clock::now() => format!("EXPIRED {}", rfc3339(row.expires)),
        None => format!("until {}", rfc3339(row.expires)),
    }
}

fn tokens(config: &HubConfig) -> anyhow::Result<ApiTokens> {
    Ok(ApiTokens::new(database(config, &ready(config)?)?))
}

fn grant(config: &HubConfig, role: Role, missions: Vec<String>) -> anyhow::Result<Grant> {
    missions.iter().try_for_each(|mission| documents::check_mission(config, mission))?;
    let missions = (!missions.is_empty()).then(|| missions.into_iter().collect());
    Ok(Grant { role, missions: MissionScope::from(missions) })
}
