//! `login-code` and `api-token`: who gets in, and with which rights.

use std::time::Duration;

use clap::Args;
use dashboard::access::{Principal, Role};
use dashboard::rfc3339;
use serde_json::json;

use super::{BY, acts, print_json, ready, refused};
use crate::archive::ApiTokenRow;
use crate::config::HubConfig;

const DAY: Duration = Duration::from_secs(86_400);

/// What `login-code` takes.
#[derive(Args)]
pub struct LoginCodeArguments {
    /// Whose it is, as events say it; the role's word when absent.
    #[arg(long)]
    name: Option<String>,
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
    let LoginCodeArguments { name, role, missions } = arguments;
    let acts = acts(config, &ready(config)?)?;
    let grant = acts.grant(role, named(missions)).map_err(refused)?;
    let holder = Principal { name: name.unwrap_or_else(|| role.word().to_owned()), grant };
    println!("{}", acts.make_code(&holder, BY).await.map_err(refused)?.code);
    Ok(())
}

/// Makes a token and prints it.
pub async fn add_token(config: &HubConfig, arguments: AddTokenArguments) -> anyhow::Result<()> {
    let AddTokenArguments { name, role, missions, days } = arguments;
    let acts = acts(config, &ready(config)?)?;
    let grant = acts.grant(role, named(missions)).map_err(refused)?;
    let made = acts.make_api_token(&Principal { name, grant }, DAY * days, BY).await;
    println!("{}", made.map_err(refused)?.text);
    Ok(())
}

/// Lists tokens, those in force first, then newest first.
pub async fn list_tokens(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let rows = acts(config, &ready(config)?)?.sessions().tokens().list(i64::MAX).await?;
    if is_json {
        let described = rows.iter().map(|row| {
            json!({
                "name": row.name,
                "role": row.grant.role,
                "missions": row.grant.missions,
                "made_at": rfc3339(row.made_at),
                "made_by": row.made_by,
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
    let acts = acts(config, &ready(config)?)?;
    acts.revoke_api_token(name, BY).await.map_err(refused)?;
    println!("{name} is revoked: within 5 seconds the hub refuses it.");
    Ok(())
}

/// None named: all.
fn named(missions: Vec<String>) -> Option<Vec<String>> {
    (!missions.is_empty()).then_some(missions)
}

fn standing(row: &ApiTokenRow) -> String {
    match row.revoked_at {
        Some(at) => format!("REVOKED {}", rfc3339(at)),
        None if row.expires <= service::clock::now() => format!("EXPIRED {}", rfc3339(row.expires)),
        None => format!("until {}", rfc3339(row.expires)),
    }
}
