//! A mission's dictionaries over time: which version, with which limits, reads a packet.
//!
//! A packet is read by the version in force when the spacecraft made it. Parameters are known by their full names
//! across versions; the mission numbers them once, and a number never changes when a version is added.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::{
    Derivation, Dictionary, EffectiveSpan, LimitsError, LimitsOverlay, Parameter, ParameterIndex,
    ParameterLimits,
};

/// Which version of a mission's dictionary, counted from 1.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct VersionNumber(pub u32);

/// Moments at which another dictionary or other limits begin to count. Each has its own table of limits.
const CHANGES_MAX: usize = 1_000;
/// Changes times parameters: what all of those tables together have.
const WATCHES_MAX: usize = 20_000_000;

/// All versions of a mission's dictionary and of its limits. It never changes; a clone shares everything with it.
#[derive(Clone, Debug)]
pub struct MissionDatabase {
    shared: Arc<Shared>,
}

#[derive(Clone, Debug)]
struct Shared {
    /// By the mission's numbers, as the newest version that has it describes it.
    parameters: Vec<Parameter>,
    by_name: HashMap<String, ParameterIndex>,
    versions: Vec<DictionaryVersion>,
    limits: Vec<LimitsVersion>,
    /// From when on each reading counts; the first from the beginning of time.
    timeline: Vec<(TaiTime, Reading)>,
}

/// A version of a dictionary.
#[derive(Clone, Debug)]
pub struct DictionaryVersion {
    /// Its number.
    pub number: VersionNumber,
    /// From which generation time on it is in force.
    pub effective_from: TaiTime,
    /// The dictionary, with the limits of its document.
    pub dictionary: Dictionary,
    /// The mission's number of each of its parameters.
    to_mission: Arc<[ParameterIndex]>,
    /// The dictionary's own number of each of the mission's parameters.
    from_mission: Arc<HashMap<ParameterIndex, ParameterIndex>>,
}

/// A version of the limits.
#[derive(Clone, Debug)]
pub struct LimitsVersion {
    /// Its number, counted from 1. Of several that are in force, the highest counts.
    pub number: u32,
    /// When it is in force, in generation time.
    pub effective: EffectiveSpan,
    /// The limits.
    pub overlay: LimitsOverlay,
}

/// What reads packets of some span of generation time.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Version of the dictionary.
    pub version: VersionNumber,
    /// Version of the limits, when there are some.
    pub limits: Option<u32>,
    /// The dictionary with these limits.
    pub dictionary: Dictionary,
    to_mission: Arc<[ParameterIndex]>,
    from_mission: Arc<HashMap<ParameterIndex, ParameterIndex>>,
}

impl Reading {
    /// This dictionary's own number of one of the mission's parameters; `None` where only another version has it.
    pub fn dictionary_index(&self, parameter: ParameterIndex) -> Option<ParameterIndex> {
        self.from_mission.get(&parameter).copied()
    }

    /// The mission's number of a parameter of this dictionary.
    pub fn mission_index(&self, parameter: ParameterIndex) -> ParameterIndex {
        self.to_mission[parameter.0 as usize]
    }
}

impl MissionDatabase {
    /// A mission with its first dictionary, in force from the beginning of time.
    pub fn new(number: VersionNumber, dictionary: Dictionary) -> Self {
        let empty = Shared {
            parameters: Vec::new(),
            by_name: HashMap::new(),
            versions: Vec::new(),
            limits: Vec::new(),
            timeline: Vec::new(),
        };
        let shared = empty.with_version(number, TaiTime(i64::MIN), dictionary);
        // Without an overlay there is nothing that could be refused.
        let timeline = vec![(TaiTime(i64::MIN), shared.reading(&shared.versions[0], None))];
        Self { shared: Arc::new(Shared { timeline, ..shared }) }
    }

    /// With one more version of the dictionary. One that has the number already is replaced.
    pub fn with_version(
        &self,
        number: VersionNumber,
        effective_from: TaiTime,
        dictionary: Dictionary,
    ) -> Result<Self, LimitsError> {
        (*self.shared).clone().with_version(number, effective_from, dictionary).into_database()
    }

    /// With one more version of the limits. One that has the number already is replaced.
    pub fn with_limits(&self, version: LimitsVersion) -> Result<Self, LimitsError> {
        let mut shared = (*self.shared).clone();
        shared.limits.retain(|other| other.number != version.number);
        shared.limits.push(version);
        shared.limits.sort_by_key(|version| version.number);
        shared.into_database()
    }

    /// What reads a packet that was made at a moment.
    pub fn at(&self, generation: TaiTime) -> &Reading {
        let timeline = &self.shared.timeline;
        let after = timeline.partition_point(|(from, _)| *from <= generation);
        &timeline[after.saturating_sub(1)].1
    }

    /// What reads packets made from now on, as long as nothing is added.
    pub fn newest(&self) -> &Reading {
        self.at(TaiTime(i64::MAX))
    }

    /// All versions of the dictionary, by number.
    pub fn versions(&self) -> &[DictionaryVersion] {
        &self.shared.versions
    }

    /// All versions of the limits, by number.
    pub fn limits(&self) -> &[LimitsVersion] {
        &self.shared.limits
    }

    /// All parameters that any version has, by the mission's numbers.
    pub fn parameters(&self) -> &[Parameter] {
        &self.shared.parameters
    }

    /// A parameter by the mission's number, as the newest version that has it describes it.
    pub fn parameter(&self, index: ParameterIndex) -> &Parameter {
        &self.shared.parameters[index.0 as usize]
    }

    /// The parameter with a full name: `/System/Subsystem/NAME`.
    pub fn find(&self, qualified_name: &str) -> Option<ParameterIndex> {
        self.shared.by_name.get(qualified_name).copied()
    }

    /// A parameter as one version describes it, the newest one where that version does not have it.
    pub fn described(&self, version: VersionNumber, index: ParameterIndex) -> &Parameter {
        let found = self.shared.version(version);
        let local = found.and_then(|found| Some((found, *found.from_mission.get(&index)?)));
        local.map_or_else(|| self.parameter(index), |(found, local)| found.dictionary.parameter(local))
    }

    /// How a parameter's engineering values follow from its raw ones alone, as one version has it; `None` where they do
    /// not, or are the same.
    pub fn derivation(&self, version: VersionNumber, index: ParameterIndex) -> Option<Derivation> {
        let found = self.shared.version(version)?;
        found.dictionary.derivation(*found.from_mission.get(&index)?)
    }

    /// The label of an enumeration for a raw value, as one version has it.
    pub fn label(&self, version: VersionNumber, index: ParameterIndex, raw: i64) -> Option<&str> {
        let found = self.shared.version(version)?;
        found.dictionary.label(*found.from_mission.get(&index)?, raw)
    }
}

impl Shared {
    fn version(&self, number: VersionNumber) -> Option<&DictionaryVersion> {
        let place = self.versions.binary_search_by_key(&number, |version| version.number).ok()?;
        self.versions.get(place)
    }

    fn with_version(
        mut self,
        number: VersionNumber,
        effective_from: TaiTime,
        dictionary: Dictionary,
    ) -> Self {
        let is_newest = self.versions.last().is_none_or(|last| last.number <= number);
        let mut to_mission = Vec::with_capacity(dictionary.parameters().len());
        for parameter in dictionary.parameters() {
            let index = match self.by_name.get(&parameter.name) {
                Some(known) => *known,
                None => {
                    let index = ParameterIndex(self.parameters.len() as u32);
                    self.by_name.insert(parameter.name.clone(), index);
                    self.parameters.push(parameter.clone());
                    index
                }
            };
            if is_newest {
                self.parameters[index.0 as usize] = parameter.clone();
            }
            to_mission.push(index);
        }
        let pairs = to_mission.iter().zip(0..).map(|(mission, local)| (*mission, ParameterIndex(local)));
        let from_mission = Arc::new(pairs.collect());
        self.versions.retain(|other| other.number != number);
        let to_mission = to_mission.into();
        self.versions.push(DictionaryVersion {
            number,
            effective_from,
            dictionary,
            to_mission,
            from_mission,
        });
        self.versions.sort_by_key(|version| version.number);
        self
    }

    /// Works out what counts when.
    fn into_database(mut self) -> Result<MissionDatabase, LimitsError> {
        let mut changes = vec![TaiTime(i64::MIN)];
        changes.extend(self.versions.iter().map(|version| version.effective_from));
        let spans = self
            .limits
            .iter()
            .flat_map(|limits| limits.overlay.rows.iter().map(|row| row.effective).chain([limits.effective]));
        changes.extend(spans.flat_map(|span| [span.from, span.to]).flatten());
        changes.sort_unstable();
        changes.dedup();
        if changes.len() > CHANGES_MAX || changes.len() * self.parameters.len() > WATCHES_MAX {
            let source_name = self.limits.last().map_or_else(String::new, |l| l.overlay.source_name.clone());
            let message = format!(
                "dictionaries and limits begin or end at {} moments in all; expected at most {CHANGES_MAX}, and {WATCHES_MAX} \
                 moments times parameters",
                changes.len()
            );
            return Err(LimitsError { source_name, line: 1, column: 1, message });
        }
        let readings: Result<Vec<_>, _> =
            changes.into_iter().map(|from| Ok((from, self.reading_at(from)?))).collect();
        self.timeline = readings?;
        Ok(MissionDatabase { shared: Arc::new(self) })
    }

    /// Of several versions that begin at one moment the highest number counts, and the first one before them all.
    fn reading_at(&self, time: TaiTime) -> Result<Reading, LimitsError> {
        let in_force = self.versions.iter().filter(|version| version.effective_from <= time);
        let version = in_force.max_by_key(|version| (version.effective_from, version.number));
        let version = version.unwrap_or(&self.versions[0]);
        let limits = self.limits.iter().rev().find(|limits| limits.effective.holds(time));
        let Some(limits) = limits else { return Ok(self.reading(version, None)) };
        let rows: Vec<&ParameterLimits> = limits
            .overlay
            .rows
            .iter()
            .filter(|row| row.effective.holds(time))
            .filter(|row| !self.is_for_another(version, row))
            .collect();
        let dictionary = version
            .dictionary
            .with_limits(&rows)
            .map_err(|error| LimitsError { source_name: limits.overlay.source_name.clone(), ..error })?;
        Ok(Reading { limits: Some(limits.number), dictionary, ..self.reading(version, None) })
    }

    /// Limits may speak of parameters that only another version has. What no version has is a mistake, and is left to
    /// be refused.
    fn is_for_another(&self, version: &DictionaryVersion, row: &ParameterLimits) -> bool {
        let names = || row.context.iter().map(|term| &term.parameter).chain([&row.parameter]);
        let others_have = |name: &String| self.versions.iter().any(|other| other.dictionary.has(name));
        names().any(|name| !version.dictionary.has(name)) && names().all(others_have)
    }

    fn reading(&self, version: &DictionaryVersion, limits: Option<u32>) -> Reading {
        Reading {
            version: version.number,
            limits,
            dictionary: version.dictionary.clone(),
            to_mission: Arc::clone(&version.to_mission),
            from_mission: Arc::clone(&version.from_mission),
        }
    }
}

#[cfg(test)]
mod tests;
