//! All that the hub knows of one node.

use std::collections::{BTreeMap, BTreeSet};

use dashboard::contract::{
    ConfigurationState, DocumentKind, HubEvent, NodeDocumentStanding, NodeKnowledge, NodeLog, NodeSession,
};
use dashboard::records::{EventFilter, Slice};
use dashboard::rfc3339;
use delivery::HeldDocument;
use service::documents::Watching;
use space_packet::TaiTime;

use super::HubAdministration;
use super::lists::moment;
use crate::archive::{ArchiveError, LaneRecord, OWN_STATION, node_record};
use crate::fleet::FleetNode;

const EVENTS_MAX: usize = 50;
/// Numbers of versions that one row of a page can show.
const MISSING_MAX: usize = 100;
const DAY_S: i64 = 86_400;

/// A version that a node should hold.
struct Wanted {
    held: HeldDocument,
    since: TaiTime,
}

impl HubAdministration {
    /// What is known of a node; `None` when there is none of this name.
    pub(super) async fn knowledge(&self, name: &str) -> Result<Option<NodeKnowledge>, ArchiveError> {
        let Some(node) = self.fleet.look_up(name) else { return Ok(None) };
        let record = node_record(&self.database, node.id).await?;
        let now_unix = service::clock::now().to_unix_nanos() / 1_000_000_000;
        Ok(Some(NodeKnowledge {
            is_built_in: node.id == OWN_STATION,
            missions: node.missions.clone(),
            enrolled_at: record.enrolled_unix.map(moment),
            enrolled_host: record.enrolled_host,
            certificate_ends: record.certificate_ends_unix.map(moment),
            certificate_days: record.certificate_ends_unix.map(|ends| (ends - now_unix).div_euclid(DAY_S)),
            documents: self.documents_of(&node).await?,
            logs: record.lanes.into_iter().map(log).collect(),
            sessions: node.sessions.iter().map(session).collect(),
            events: Some(self.events_of(name).await?),
        }))
    }

    async fn events_of(&self, name: &str) -> Result<Vec<HubEvent>, ArchiveError> {
        let all = TaiTime(i64::MIN)..TaiTime(i64::MAX);
        let slice = Slice { span: all, limit: EVENTS_MAX, after: None };
        let filter = EventFilter { node: Some(name.to_owned()), code: None };
        Ok(self.evidence().event_page(&slice, &filter).await?.rows)
    }

    /// What it should hold and what it holds: of the missions it said it receives, or before it said so, of those it
    /// reported links for.
    async fn documents_of(&self, node: &FleetNode) -> Result<Vec<NodeDocumentStanding>, ArchiveError> {
        // The hub's own station has what the hub has.
        if node.id == OWN_STATION {
            return Ok(Vec::new());
        }
        let lists = self.told.signed();
        let wanted = lists.iter().map(|list| Wanted { held: list.head().held(), since: list.made_at });
        let held = node.holds.as_ref().map(|holds| holds.node.as_slice());
        let mut standings = standings(None, wanted.collect(), held);
        let said = node.holds.iter().flat_map(|holds| &holds.missions).map(|holds| holds.mission.as_str());
        let missions: BTreeSet<&str> = match &node.holds {
            Some(_) => said.collect(),
            None => node.linked.iter().map(String::as_str).collect(),
        };
        for mission in missions.into_iter().filter(|mission| self.fleet.may_send(node.id, mission)) {
            let held = node.holds.as_ref().and_then(|holds| {
                let found = holds.missions.iter().find(|holds| holds.mission == mission)?;
                Some(found.documents.as_slice())
            });
            let wanted = self.wanted_of(mission).await?;
            standings.extend(self::standings(Some(mission), wanted, held));
        }
        Ok(standings)
    }

    /// What nodes of a mission should hold: all that no newer one stands in for.
    async fn wanted_of(&self, mission: &str) -> Result<Vec<Wanted>, ArchiveError> {
        let Some(known) = self.missions.documents_of(mission) else { return Ok(Vec::new()) };
        let superseded = Watching::superseded(&known);
        let mut wanted = Vec::new();
        for kind in service::documents::DocumentKind::ALL {
            let rows = self.documents().list(mission, kind).await?;
            let is_needed = |number: u32| !superseded.contains(&(kind, number));
            wanted.extend(rows.into_iter().filter(|row| is_needed(row.document.number)).map(|row| {
                let hash = delivery::DocumentHash(row.hash.0);
                let held = HeldDocument { kind: kind.into(), number: row.document.number, hash };
                Wanted { held, since: TaiTime(row.imported_at) }
            }));
        }
        Ok(wanted)
    }
}

/// One row for each kind that is wanted or held; `held` is absent when the node has not said.
fn standings(
    mission: Option<&str>,
    wanted: Vec<Wanted>,
    held: Option<&[HeldDocument]>,
) -> Vec<NodeDocumentStanding> {
    let mut by_kind: BTreeMap<DocumentKind, (Vec<Wanted>, Vec<HeldDocument>)> = BTreeMap::new();
    for one in wanted {
        by_kind.entry(one.held.kind.into()).or_default().0.push(one);
    }
    for &one in held.unwrap_or_default() {
        by_kind.entry(one.kind.into()).or_default().1.push(one);
    }
    let standing = |(kind, (wanted, has)): (DocumentKind, (Vec<Wanted>, Vec<HeldDocument>))| {
        let missing: Vec<&Wanted> = match held {
            Some(_) => wanted.iter().filter(|one| !has.contains(&one.held)).collect(),
            None => Vec::new(),
        };
        NodeDocumentStanding {
            mission: mission.map(str::to_owned),
            kind,
            wanted: wanted.iter().map(|one| one.held.number).max(),
            held: has.iter().map(|one| one.number).max(),
            missing: missing.iter().map(|one| one.held.number).take(MISSING_MAX).collect(),
            state: match held {
                None => ConfigurationState::Unknown,
                Some(_) if missing.is_empty() => ConfigurationState::Current,
                Some(_) => ConfigurationState::Behind,
            },
            since: missing.iter().map(|one| one.since).min().map(rfc3339),
        }
    };
    by_kind.into_iter().map(standing).collect()
}

fn log(lane: LaneRecord) -> NodeLog {
    let named_beyond = lane.head.saturating_sub(lane.watermark);
    NodeLog {
        epoch: lane.epoch,
        lane: lane.lane,
        watermark: lane.watermark,
        committed_beyond: lane.committed_beyond,
        head: lane.head,
        waiting: named_beyond.saturating_sub(lane.committed_beyond),
        records: lane.records,
        gaps: lane.gaps,
        forks: lane.forks,
        apart: lane.apart,
    }
}

fn session(session: &crate::fleet::PastSession) -> NodeSession {
    NodeSession {
        number: session.number.0,
        since: rfc3339(session.since),
        until: session.until.map(rfc3339),
        reason: session.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use delivery::DocumentHash;

    use super::*;

    fn held(kind: delivery::DocumentKind, number: u32, hash: u8) -> HeldDocument {
        HeldDocument { kind, number, hash: DocumentHash([hash; 32]) }
    }

    fn wanted(kind: delivery::DocumentKind, number: u32) -> Wanted {
        Wanted { held: held(kind, number, number as u8), since: TaiTime(i64::from(number)) }
    }

    #[test]
    fn a_node_is_behind_where_it_lacks_a_version_or_holds_another_text_under_its_number() {
        use delivery::DocumentKind::{Dictionary, Limits};
        let check = |has: Option<&[HeldDocument]>, expected: &[(Option<u32>, &[u32], ConfigurationState)]| {
            let all = vec![wanted(Dictionary, 1), wanted(Dictionary, 2), wanted(Limits, 1)];
            let found = standings(Some("demo"), all, has);
            let told: Vec<_> =
                found.iter().map(|row| (row.held, row.missing.as_slice(), row.state)).collect();
            assert_eq!(told, expected);
            assert_eq!(found[0].wanted, Some(2));
        };
        use ConfigurationState::{Behind, Current, Unknown};
        check(None, &[(None, &[], Unknown), (None, &[], Unknown)]);
        check(Some(&[]), &[(None, &[1, 2], Behind), (None, &[1], Behind)]);
        let all = [held(Dictionary, 1, 1), held(Dictionary, 2, 2), held(Limits, 1, 1)];
        check(Some(&all), &[(Some(2), &[], Current), (Some(1), &[], Current)]);
        let altered = [held(Dictionary, 1, 1), held(Dictionary, 2, 9), held(Limits, 1, 1)];
        check(Some(&altered), &[(Some(2), &[2], Behind), (Some(1), &[], Current)]);
        let since = standings(Some("demo"), vec![wanted(Dictionary, 1), wanted(Dictionary, 2)], Some(&[]));
        assert_eq!(since[0].since, Some(rfc3339(TaiTime(1))), "the first that is missing");
    }

    #[test]
    fn what_a_node_holds_of_a_kind_that_the_hub_has_none_of_is_told_and_not_missing() {
        let has = [held(delivery::DocumentKind::Trust, 7, 7)];
        let found = standings(None, Vec::new(), Some(&has));
        assert_eq!(
            (found[0].kind, found[0].wanted, found[0].held, found[0].state),
            (DocumentKind::Trust, None, Some(7), ConfigurationState::Current)
        );
    }

    #[test]
    fn what_waits_of_a_lane_is_what_was_named_and_is_not_committed() {
        let lane = |watermark, committed_beyond, head| LaneRecord {
            epoch: 1,
            lane: "telemetry".to_owned(),
            watermark,
            committed_beyond,
            head,
            records: 0,
            gaps: 0,
            forks: 0,
            apart: 0,
        };
        let check = |watermark, beyond, head, expected| {
            assert_eq!(log(lane(watermark, beyond, head)).waiting, expected, "{watermark} {beyond} {head}");
        };
        check(10, 0, 10, 0);
        check(10, 5, 25, 10);
        // What came since the session began is committed and was not named.
        check(30, 0, 25, 0);
    }
}
