//! Alarms that belong together: related parameters, and floods. Whoever is told of a group is told once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use space_packet::{GenerationTime, TaiTime};

use super::entry::AlarmSeverity;
use super::identity::AlarmId;

/// When alarms belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GroupSettings {
    /// How long after the first of related alarms another one still belongs to them, in seconds of generation time.
    pub related_window_s: u32,
    /// More new alarms than this within the flood's window are a flood.
    pub flood_alarms: u32,
    /// The flood's window, in seconds.
    pub flood_window_s: u32,
}

impl Default for GroupSettings {
    /// A minute for what is related. Ten alarms in ten minutes is what ISA-18.2 holds one operator able to deal with.
    fn default() -> Self {
        Self { related_window_s: 60, flood_alarms: 10, flood_window_s: 600 }
    }
}

/// An alarm, as far as groups are concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Brief<'a> {
    /// Which.
    pub alarm: AlarmId,
    /// Generation time of the sample that raised it.
    pub generation: GenerationTime,
    /// When it became known here.
    pub known: TaiTime,
    /// How bad it is, or was.
    pub severity: AlarmSeverity,
    /// The name under which its rule relates it to others.
    pub related: Option<&'a str>,
}

/// What holds a group together.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// Nothing: it is one alarm.
    Alone,
    /// Many came at once, and rules relate them to nothing.
    Flood,
    /// Their rules name the same relation.
    Related(String),
}

/// Alarms that belong together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Group {
    /// What holds them together.
    pub kind: GroupKind,
    /// The one whose sample was made first: where to begin looking.
    pub first_out: AlarmId,
    /// The worst of them.
    pub severity: AlarmSeverity,
    /// All of them, the first one first.
    pub members: Vec<AlarmId>,
}

/// Puts alarms into groups, each into one; groups in the order of their first alarms.
pub fn groups(alarms: &[Brief<'_>], settings: GroupSettings) -> Vec<Group> {
    let mut alarms = alarms.to_vec();
    alarms.sort_by_key(|brief| (brief.generation, brief.alarm));
    let mut known = BTreeSet::new();
    alarms.retain(|brief| known.insert(brief.alarm));
    let (mut related, alone) = relate(&alarms, settings);
    let (floods, alone) = flood(&alarms, alone, settings);
    related.extend(floods.into_iter().map(|members| (GroupKind::Flood, members)));
    related.extend(alone.into_iter().map(|member| (GroupKind::Alone, vec![member])));
    related.sort_by_key(|(_, members)| members.first().map(|first| (first.generation, first.alarm)));
    related.into_iter().filter_map(|(kind, members)| group(kind, &members)).collect()
}

fn group(kind: GroupKind, members: &[Brief<'_>]) -> Option<Group> {
    Some(Group {
        kind,
        first_out: members.first()?.alarm,
        severity: members.iter().map(|member| member.severity).max()?,
        members: members.iter().map(|member| member.alarm).collect(),
    })
}

type Members<'a> = Vec<Brief<'a>>;

/// Groups of two or more by relation, and what is left; alarms come by generation time.
fn relate<'a>(alarms: &[Brief<'a>], settings: GroupSettings) -> (Vec<(GroupKind, Members<'a>)>, Members<'a>) {
    let window = i64::from(settings.related_window_s) * 1_000_000_000;
    let mut open: Vec<(&str, Members<'a>)> = Vec::new();
    let mut alone = Vec::new();
    for brief in alarms {
        let Some(name) = brief.related else {
            alone.push(*brief);
            continue;
        };
        let belongs = |first: &Brief<'_>| brief.generation.0.0.saturating_sub(first.generation.0.0) <= window;
        let known = open.iter_mut().rev().find(|(other, _)| *other == name);
        match known.filter(|(_, members)| members.first().is_some_and(belongs)) {
            Some((_, members)) => members.push(*brief),
            None => open.push((name, vec![*brief])),
        }
    }
    let (groups, single): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, members)| members.len() > 1);
    alone.extend(single.into_iter().flat_map(|(_, members)| members));
    let groups = groups.into_iter().map(|(name, members)| (GroupKind::Related(name.to_owned()), members));
    (groups.collect(), alone)
}

/// Floods among what is alone, and what is left. Whether there is a flood depends on all alarms.
fn flood<'a>(
    alarms: &[Brief<'a>],
    mut alone: Members<'a>,
    settings: GroupSettings,
) -> (Vec<Members<'a>>, Members<'a>) {
    let window = i64::from(settings.flood_window_s) * 1_000_000_000;
    let mut known: Vec<TaiTime> = alarms.iter().map(|brief| brief.known).collect();
    known.sort_unstable();
    let mut spans: Vec<(TaiTime, TaiTime)> = Vec::new();
    for (first, last) in known.iter().zip(known.iter().skip(settings.flood_alarms as usize)) {
        if last.0.saturating_sub(first.0) > window {
            continue;
        }
        match spans.last_mut().filter(|(_, end)| *first <= *end) {
            Some((_, end)) => *end = *last,
            None => spans.push((*first, *last)),
        }
    }
    alone.sort_by_key(|brief| (brief.generation, brief.alarm));
    let mut floods = Vec::new();
    for (from, to) in spans {
        let (flooded, left): (Vec<_>, Vec<_>) =
            alone.into_iter().partition(|brief| (from..=to).contains(&brief.known));
        alone = left;
        floods.push(flooded);
    }
    (floods, alone)
}
