//! Which of a mission's parameters are meant: one bit each.

use mission_database::ParameterIndex;

/// A set of parameters of one mission. Those of a later dictionary are not in it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ParameterSet(Vec<u64>);

impl ParameterSet {
    /// Adds a parameter.
    pub fn insert(&mut self, parameter: ParameterIndex) {
        let (word, bit) = place(parameter);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    /// Whether a parameter is in it.
    pub fn contains(&self, parameter: ParameterIndex) -> bool {
        let (word, bit) = place(parameter);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }
}

fn place(parameter: ParameterIndex) -> (usize, u64) {
    (parameter.0 as usize / 64, 1 << (parameter.0 % 64))
}

impl FromIterator<ParameterIndex> for ParameterSet {
    fn from_iter<I: IntoIterator<Item = ParameterIndex>>(parameters: I) -> Self {
        let mut set = Self::default();
        parameters.into_iter().for_each(|parameter| set.insert(parameter));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_in_it_and_nothing_else() {
        let set: ParameterSet = [0, 63, 64, 200, 200].into_iter().map(ParameterIndex).collect();
        let found: Vec<u32> = (0..500).filter(|&index| set.contains(ParameterIndex(index))).collect();
        assert_eq!((found, set.len()), (vec![0, 63, 64, 200], 4));
        assert!(ParameterSet::default().is_empty() && !set.is_empty());
    }
}
