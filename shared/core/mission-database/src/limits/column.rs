//! What a row of limits can say, by the names people write.

use super::{LimitsError, Located, Source};

/// The severities from the least to the most severe, as `ParameterLimits::ranges` has them.
pub(super) const LEVELS: [&str; 5] = ["watch", "warning", "distress", "critical", "severe"];

/// What other systems call two of them.
const LEVEL_ALIASES: [(&str, usize); 2] = [("yellow", 1), ("red", 3)];

/// One thing that a row can say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Column {
    Author,
    Context,
    Deadband,
    EffectiveFrom,
    EffectiveTo,
    /// Upper end of the range of a level.
    High(usize),
    Hysteresis,
    /// Lower end of the range of a level.
    Low(usize),
    Parameter,
    Persistence,
    Reason,
}

/// The columns beside the bounds, by their names.
const NAMED: [(&str, Column); 9] = [
    ("parameter", Column::Parameter),
    ("context", Column::Context),
    ("persistence", Column::Persistence),
    ("hysteresis", Column::Hysteresis),
    ("deadband", Column::Deadband),
    ("effective_from", Column::EffectiveFrom),
    ("effective_to", Column::EffectiveTo),
    ("author", Column::Author),
    ("reason", Column::Reason),
];

impl Column {
    /// The column of a header cell or a key: letter case and underscores do not matter.
    pub(super) fn named(written: &str) -> Option<Self> {
        let name = plain(written);
        let bound = |end: &str| level(name.strip_suffix(end)?);
        let named = NAMED.iter().find(|(known, _)| plain(known) == name).map(|(_, column)| *column);
        named.or_else(|| bound("low").map(Self::Low)).or_else(|| bound("high").map(Self::High))
    }

    /// Its name, as errors and the handbook write it.
    pub(super) fn name(self) -> String {
        match self {
            Self::High(level) => format!("{}_high", LEVELS[level]),
            Self::Low(level) => format!("{}_low", LEVELS[level]),
            other => NAMED
                .iter()
                .find(|(_, column)| *column == other)
                .map_or_else(String::new, |(name, _)| (*name).to_owned()),
        }
    }
}

/// The level with a name or an alias: letter case and underscores do not matter.
pub(super) fn level(written: &str) -> Option<usize> {
    let name = plain(written);
    let alias = || LEVEL_ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, level)| *level);
    LEVELS.iter().position(|level| *level == name).or_else(alias)
}

/// An error at a column or key that nobody knows; `levels` is how the known ones write the bounds.
pub(super) fn unknown(source: &Source<'_>, found: Located<&str>, kind: &str, levels: &str) -> LimitsError {
    let known: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
    let shown: String = found.value.chars().take(64).collect();
    source
        .error(found.at, format!("unknown {kind} {shown:?}; expected one of {}, {levels}", known.join(", ")))
}

fn plain(name: &str) -> String {
    name.trim().chars().filter(|letter| *letter != '_').flat_map(char::to_lowercase).collect()
}
