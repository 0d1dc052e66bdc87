//! `endpoints` and `trust`: the hubs nodes may turn to, and the authorities they trust.

use std::path::Path;

use anyhow::{Context, bail};
use delivery::DocumentKind;
use provisioning::{Authorities, Authority, HubList};
use serde_json::json;

use super::{authority, database, print_json, ready};
use crate::archive::{NodeDocument, NodeDocuments};
use crate::config::HubConfig;
use crate::told;

async fn newest(config: &HubConfig) -> anyhow::Result<(NodeDocuments, Vec<NodeDocument>)> {
    let table = NodeDocuments::new(database(config, &ready(config)?)?);
    let documents = table.newest().await?;
    Ok((table, documents))
}

/// Makes a new list of the hubs nodes may turn to.
pub async fn set_endpoints(config: &HubConfig, hubs: &[String]) -> anyhow::Result<()> {
    let list = HubList::from_arguments(hubs).map_err(|error| {
        anyhow::anyhow!(
            "error[STO-ENDPOINTS]: {error}\n  Nothing was changed.\n  → cloud-hub endpoints set HOST:PORT NAME=HOST:PORT …"
        )
    })?;
    let (table, _) = newest(config).await?;
    let made = told::make(&table, &authority(config)?, DocumentKind::Endpoints, &list.to_text()).await?;
    println!("list {} of {} hubs is made and signed", made.number, list.hubs.len());
    println!(
        "Nodes get it within seconds, or with their next session, and use it from the next connection on."
    );
    Ok(())
}

/// Lists the hubs nodes may turn to.
pub async fn list_endpoints(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let (_, documents) = newest(config).await?;
    let found = documents.iter().find(|document| document.kind == DocumentKind::Endpoints);
    let list = found.map(|document| HubList::from_text(&document.content)).transpose()?;
    if is_json {
        let number = found.map(|document| document.number);
        return print_json(&json!({ "number": number, "hubs": list.map(|list| list.hubs) }));
    }
    let (Some(document), Some(list)) = (found, list) else {
        println!("there is no list: nodes use the addresses of their tokens");
        return Ok(());
    };
    println!("list {}, made {}", document.number, document.made_at);
    for hub in list.hubs {
        println!("{:<24} {}", hub.name, hub.address);
    }
    Ok(())
}

/// Lists the authorities nodes and this hub trust.
pub async fn list_trust(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let own = authority(config)?;
    let (_, documents) = newest(config).await?;
    let (authorities, problem) = told::authorities_in(&documents, &own);
    let number = documents.iter().find(|document| document.kind == DocumentKind::Trust);
    let number = number.filter(|_| problem.is_none()).map(|document| document.number);
    if is_json {
        return print_json(&json!({
            "number": number, "own": own.authority_id(), "authorities": authorities.ids(), "problem": problem,
        }));
    }
    match number {
        Some(number) => println!("list {number}"),
        None => println!("there is no list in force: nodes trust the authority they were enrolled with"),
    }
    for id in authorities.ids() {
        println!("{id}{}", if id == own.authority_id() { "  this hub's own" } else { "" });
    }
    if let Some(problem) = problem {
        println!("{problem}");
    }
    Ok(())
}

/// Adds the authorities of a PEM file to those that are trusted.
pub async fn add_trust(config: &HubConfig, file: &Path) -> anyhow::Result<()> {
    let problem = |reason: String| {
        anyhow::anyhow!(
            "error[STO-TRUST]: {}: {reason}\n  Nothing was changed.\n  → name the certificate.pem of another hub's authority, never its key",
            file.display()
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| problem(error.to_string()))?;
    let added = Authorities::from_pem(&text).map_err(|error| problem(error.to_string()))?;
    change_trust(config, |known| [known, added.certificates()].concat()).await
}

/// Takes an authority out of those that are trusted. Nodes under its certificates are refused from then on.
pub async fn remove_trust(config: &HubConfig, id: &str) -> anyhow::Result<()> {
    let own = authority(config)?;
    let (_, documents) = newest(config).await?;
    let (known, _) = told::authorities_in(&documents, &own);
    let place = known.ids().iter().position(|known| known == id);
    let Some(place) = place.filter(|_| own.authority_id() != id) else {
        bail!(
            "error[STO-TRUST]: {id} is not among the trusted authorities, or it is this hub's own\n  Nothing was changed.\n  → cloud-hub trust ls"
        );
    };
    change_trust(config, |mut known| {
        known.remove(place);
        known
    })
    .await
}

async fn change_trust(
    config: &HubConfig,
    change: impl FnOnce(Vec<Vec<u8>>) -> Vec<Vec<u8>>,
) -> anyhow::Result<()> {
    let own: Authority = authority(config)?;
    let (table, documents) = newest(config).await?;
    let (known, _) = told::authorities_in(&documents, &own);
    let next = Authorities::from_der(&change(known.certificates()))
        .context("error[STO-TRUST]: the new list is of no use\n  Nothing was changed.")?;
    let made = told::make(&table, &own, DocumentKind::Trust, &next.to_pem()).await?;
    println!("list {} of {} authorities is made and signed", made.number, next.ids().len());
    println!("This hub trusts them within a second, nodes from their next connection on.");
    Ok(())
}
