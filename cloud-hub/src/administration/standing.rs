//! How the hub itself is: what `db status`, `trust ls` and `endpoints ls` say, and its missions.

use std::collections::BTreeSet;

use dashboard::contract::{
    DatabaseReplica, DatabaseStanding, DatabaseTable, EndpointsStanding, HubEndpoint, HubMission, HubReplica,
    HubStanding, Node, TrustStanding,
};
use dashboard::rfc3339;
use delivery::DocumentKind;
use provisioning::HubList;
use service::documents::Watching;
use service::logging::chain;
use tracing::warn;

use super::HubAdministration;
use crate::archive::{ArchiveError, ConnectedHub, Inventory, NodeDocument, connected_hubs, leader};
use crate::told;

impl HubAdministration {
    /// How the hub is.
    pub(super) async fn standing(&self) -> Result<HubStanding, ArchiveError> {
        let lists = self.told.newest();
        Ok(HubStanding {
            at: rfc3339(service::clock::now()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: rfc3339(self.started),
            role: self.role.described(),
            leader: leader(&self.database).await?,
            hubs: self.hubs().await?,
            sessions: self.fleet.sessions() as u64,
            database: self.inventory().await,
            trust: self.trust(&lists),
            endpoints: self.endpoints(&lists),
            missions: self.hub_missions(),
        })
    }

    async fn hubs(&self) -> Result<Vec<HubReplica>, ArchiveError> {
        let replica = |found: ConnectedHub| HubReplica {
            is_this: found.id == self.hub,
            id: found.id.to_string(),
            address: found.address,
            since: rfc3339(found.since),
            leads: found.leads,
        };
        Ok(connected_hubs(&self.database).await?.into_iter().map(replica).collect())
    }

    async fn inventory(&self) -> Option<DatabaseStanding> {
        let taken = async {
            let client = self.database.borrow().await?;
            Inventory::take(&client).await
        };
        match taken.await {
            Ok(inventory) => Some(self.database_standing(inventory)),
            Err(error) => {
                warn!(error = chain(&error), "the database did not say how it is");
                None
            }
        }
    }

    fn database_standing(&self, inventory: Inventory) -> DatabaseStanding {
        let table = |table: crate::archive::TableSize| DatabaseTable {
            name: table.name,
            partitions: table.partitions,
            bytes: table.bytes,
        };
        let replica = |replica: crate::archive::Replica| DatabaseReplica {
            name: replica.name,
            state: replica.state,
            behind_bytes: replica.behind_bytes,
        };
        DatabaseStanding {
            version: inventory.version,
            is_private: self.config.database.url.is_none(),
            bytes: inventory.bytes,
            oldest: inventory.oldest.map(rfc3339),
            newest: inventory.newest.map(rfc3339),
            has_checksums: inventory.has_checksums,
            checksum_failures: inventory.checksum_failures,
            is_standby: inventory.is_standby,
            tables: inventory.tables.into_iter().map(table).collect(),
            replicas: inventory.replicas.into_iter().map(replica).collect(),
            unprotected: inventory.unprotected,
        }
    }

    fn trust(&self, lists: &[NodeDocument]) -> TrustStanding {
        let (authorities, problem) = told::authorities_in(lists, &self.authority);
        let list = lists.iter().find(|list| list.kind == DocumentKind::Trust);
        let list = list.filter(|_| problem.is_none());
        TrustStanding {
            number: list.map(|list| list.number),
            made_at: list.map(|list| rfc3339(list.made_at)),
            own: self.authority.authority_id().to_owned(),
            authorities: authorities.ids(),
            problem,
        }
    }

    fn endpoints(&self, lists: &[NodeDocument]) -> EndpointsStanding {
        let list = lists.iter().find(|list| list.kind == DocumentKind::Endpoints);
        // Checked when it was made; one that does not read is given to nobody.
        let hubs = list.and_then(|list| HubList::from_text(&list.content).ok());
        let hub = |hub: provisioning::HubEndpointName| HubEndpoint { name: hub.name, address: hub.address };
        EndpointsStanding {
            number: list.map(|list| list.number),
            made_at: list.map(|list| rfc3339(list.made_at)),
            hubs: hubs.into_iter().flat_map(|list| list.hubs).map(hub).collect(),
            advertised: self.advertised(),
        }
    }

    fn hub_missions(&self) -> Vec<HubMission> {
        let (nodes, now) = (self.fleet.describe(), service::clock::now());
        let linked: Vec<BTreeSet<&str>> = nodes.iter().map(linked).collect();
        let described = self.archive.missions().iter().map(|mission| {
            let mission = mission.live.describe(now);
            let documents = self.missions.documents_of(&mission.name);
            let watching = Watching::of(documents.as_deref().unwrap_or_default());
            HubMission {
                nodes: linked.iter().filter(|links| links.contains(mission.name.as_str())).count(),
                nodes_allowed: self.fleet.allowed_for(&mission.name),
                alarm_rules_version: watching.alarm_rules.map(|document| document.number),
                detection_rules_version: watching.detection_rules.map(|document| document.number),
                models: watching.models.len(),
                name: mission.name,
                title: mission.title,
                parameter_count: mission.parameter_count,
                dictionary_version: mission.dictionary_version,
                dictionary_problem: mission.dictionary_problem,
                limits_version: mission.limits_version,
            }
        });
        described.collect()
    }
}

/// Missions that a node reported links for.
fn linked(node: &Node) -> BTreeSet<&str> {
    node.report.iter().flat_map(|report| &report.links).map(|link| link.mission.as_str()).collect()
}
