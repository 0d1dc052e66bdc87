//! A line of `expected.jsonl`, and of what the product prints: the same form.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::decoding::compare::{Tolerance, same_value};
use crate::same;

/// One packet.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) n: u64,
    pub(super) off: u64,
    pub(super) len: u64,
    container: Option<String>,
    pub(super) eng: Named,
    #[serde(default)]
    raw: Named,
    bits: Option<u64>,
    #[serde(default)]
    unresolved: bool,
    alarm: Option<Named>,
    raised: Option<Named>,
    error: Option<String>,
}

/// Members of a JSON object in the order in which they stand.
#[derive(Debug, Default)]
pub(super) struct Named(Vec<(String, Value)>);

impl Line {
    /// All lines of a file.
    pub(super) fn read_all(file: &[u8]) -> Result<Vec<Self>, String> {
        let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|error| error.to_string())).collect()
    }

    /// How many values were compared, all found as expected.
    pub(super) fn same_as(&self, expected: &Self) -> Result<usize, String> {
        same("error", &self.error, &expected.error)?;
        same("n, off, len", &(self.n, self.off, self.len), &(expected.n, expected.off, expected.len))?;
        same("container", &self.container, &expected.container)?;
        same("unresolved", &self.unresolved, &expected.unresolved)?;
        if expected.bits.is_some() {
            same("bits", &self.bits, &expected.bits)?;
        }
        let mut compared = self.eng.same_as(&expected.eng)? + self.raw.same_as(&expected.raw)?;
        for (what, found, expected) in
            [("alarm", &self.alarm, &expected.alarm), ("raised", &self.raised, &expected.raised)]
        {
            let Some(expected) = expected else { continue };
            let found = found.as_ref().ok_or_else(|| format!("there is no {what}"))?;
            compared += found.same_as(expected).map_err(|reason| format!("{what}: {reason}"))?;
        }
        Ok(compared)
    }

    /// What was sent: the same as the engineering value unless it stands apart.
    pub(super) fn raw(&self, name: &str) -> Option<&Value> {
        self.raw.get(name).or_else(|| self.eng.get(name))
    }
}

impl Named {
    /// The member with a name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The name that ends in `.suffix`, or is it: dictionaries put the container's name before it.
    pub(super) fn full_name(&self, suffix: &str) -> Option<&str> {
        let mut names = self.0.iter().map(|(name, _)| name.as_str());
        names.find(|name| *name == suffix || name.rsplit_once('.').is_some_and(|(_, last)| last == suffix))
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Same names in the same order, same values.
    fn same_as(&self, expected: &Self) -> Result<usize, String> {
        same("names", &self.names(), &expected.names())?;
        let mut compared = 0;
        for ((name, found), (_, expected)) in self.0.iter().zip(&expected.0) {
            compared += same_value(found, expected, Tolerance::of(name))
                .map_err(|reason| format!("{name}: {reason}"))?;
        }
        Ok(compared)
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Named;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Named, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Named(members))
    }
}
