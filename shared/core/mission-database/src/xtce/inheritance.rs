//! Who derives from whom, and that it ends.

use super::DEPTH_MAX;
use super::containers::WrittenContainer;
use super::document::Source;
use crate::XtceError;

/// How many bases stand above each container.
pub(super) fn depths(
    source: &Source<'_>,
    written: &[WrittenContainer<'_, '_>],
) -> Result<Vec<usize>, XtceError> {
    let depth = |index: usize| {
        let mut chain = vec![index];
        let mut current = index;
        while let Some(base) = &written[current].base {
            current = base.container;
            if let Some(start) = chain.iter().position(|earlier| *earlier == current) {
                let names = cycle(written, &chain[start..]);
                let message =
                    format!("containers derive from each other: {names}; expected a base that ends");
                return Err(source.error(base.node, message));
            }
            chain.push(current);
            if chain.len() > DEPTH_MAX {
                let message = format!("containers derive too deep; expected at most {DEPTH_MAX} levels");
                return Err(source.error(base.node, message));
            }
        }
        Ok(chain.len() - 1)
    };
    (0..written.len()).map(depth).collect()
}

/// A container and its bases, the first base first.
pub(super) fn chain(written: &[WrittenContainer<'_, '_>], container: usize) -> Vec<usize> {
    let bases = std::iter::successors(Some(container), |current| {
        written[*current].base.as_ref().map(|base| base.container)
    });
    let mut chain: Vec<_> = bases.collect();
    chain.reverse();
    chain
}

/// The members of a cycle by name, the first one again at the end.
pub(super) fn cycle(written: &[WrittenContainer<'_, '_>], members: &[usize]) -> String {
    let names = members.iter().chain(members.first()).map(|index| written[*index].described.name.as_str());
    names.collect::<Vec<_>>().join(" -> ")
}
