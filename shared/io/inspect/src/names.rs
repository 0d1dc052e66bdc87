//! What parameters are called in an output.

use std::collections::{HashMap, HashSet};

use clap::ValueEnum;
use mission_database::{Dictionary, ParameterIndex, Shape};

/// How much of a parameter's name an output shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Names {
    /// All of it: `/System/Subsystem/NAME`.
    Qualified,
    /// Its last part; all of it where several parameters share that.
    #[default]
    Short,
}

/// Every name of a dictionary, as one output shows them.
pub(crate) struct DisplayNames {
    /// By `ParameterIndex`; a leaf of a composite is called by its place in it, as in `ATTITUDE/rate/x`.
    pub(crate) parameters: Vec<String>,
    /// By `CompositeIndex`.
    pub(crate) composites: Vec<String>,
}

impl DisplayNames {
    pub(crate) fn new(dictionary: &Dictionary, names: Names) -> Self {
        let leaves = leaf_names(dictionary);
        let whole = dictionary
            .composites()
            .iter()
            .map(|composite| Name { full: &composite.name, short: &composite.short_name });
        let plain = dictionary.parameters().iter().zip(0..).map(|(parameter, index)| Name {
            full: &parameter.name,
            short: leaves.get(&ParameterIndex(index)).copied().unwrap_or(&parameter.short_name),
        });
        // An array and its elements have one name; they are the same thing.
        let mut sharers: HashMap<&str, HashSet<&str>> = HashMap::new();
        for name in whole.clone().chain(plain.clone()) {
            sharers.entry(name.short).or_default().insert(name.full);
        }
        let shown = |name: Name<'_>| match names {
            Names::Short if sharers[name.short].len() == 1 => name.short.to_owned(),
            Names::Qualified | Names::Short => name.full.to_owned(),
        };
        Self { parameters: plain.map(shown).collect(), composites: whole.map(shown).collect() }
    }
}

struct Name<'d> {
    full: &'d str,
    short: &'d str,
}

/// Leaves of composites, with the part of their names that begins with the composite's own.
pub(crate) fn leaf_names(dictionary: &Dictionary) -> HashMap<ParameterIndex, &str> {
    let mut names = HashMap::new();
    for composite in dictionary.composites() {
        let system_bytes = composite.name.len() - composite.short_name.len();
        for leaf in leaves(&composite.shape) {
            let name = dictionary.parameter(leaf).name.as_str();
            names.insert(leaf, name.get(system_bytes..).unwrap_or(name));
        }
    }
    names
}

/// Parameters that make up a shape, in its order.
fn leaves(shape: &Shape) -> Vec<ParameterIndex> {
    match shape {
        Shape::Aggregate(members) => members.iter().flat_map(|(_, member)| leaves(member)).collect(),
        Shape::Array(element) => leaves(element),
        Shape::Leaf(parameter) => vec![*parameter],
    }
}
