//! From written containers to the plan: what stands where, and what leads from a container to the next.

use std::collections::HashSet;

use super::containers::{Entry, EntryOf, WrittenContainer};
use super::criteria::Place;
use super::document::Source;
use super::fields::TypeFields;
use super::inheritance;
use super::placing::{Cursor, Frame, Placing};
use super::symbols::Symbols;
use crate::condition::Condition;
use crate::plan::{Child, ContainerPlan, Plan};
use crate::{Container, ContainerIndex, ParameterIndex, XtceError};

/// A hundred times what a dictionary with as many entries as are allowed could need.
const INHERITED_MAX: usize = 16_000_000;

pub(super) fn compile(
    source: &Source<'_>,
    symbols: &Symbols<'_, '_>,
    fields: &[TypeFields],
    written: Vec<WrittenContainer<'_, '_>>,
    plan: &mut Plan,
) -> Result<Vec<Container>, XtceError> {
    let depths = inheritance::depths(source, &written)?;
    let mut children_of = vec![Vec::new(); written.len()];
    for (index, container) in written.iter().enumerate() {
        if let Some(base) = &container.base {
            children_of[base.container].push(index);
        }
    }
    let mut is_included = vec![false; written.len()];
    for entry in written.iter().flat_map(|container| &container.entries) {
        if let EntryOf::Container(included) = entry.of {
            is_included[included] = true;
        }
    }
    let root = written.iter().position(|container| container.base.is_none());
    plan.root = root.map(|index| ContainerIndex(index as u32));
    plan.containers = vec![ContainerPlan::default(); written.len()];
    let mut layout = Layout {
        source,
        symbols,
        fields,
        written: &written,
        ends: vec![Cursor::Absolute(0); written.len()],
        is_part: false,
        decoded: vec![HashSet::new(); written.len()],
        entries_seen: 0,
        inherited: 0,
        warned: HashSet::new(),
        block_may_start: 0,
        plan,
    };
    // A base stands before what derives from it, so that it is known where its entries end.
    let mut order: Vec<usize> = (0..written.len()).collect();
    order.sort_by_key(|index| depths[*index]);
    for index in order.iter().copied().filter(|index| written[*index].base.is_none()) {
        layout.is_part = Some(index) != root && children_of[index].is_empty() && is_included[index];
        layout.place_container(index, HashSet::new())?;
        layout.is_part = false;
    }
    for index in order {
        layout.place_children(index, &children_of[index])?;
    }
    let ends = layout.ends;
    let described = written.into_iter().zip(ends).map(|(container, end)| Container {
        base: container.base.map(|base| ContainerIndex(base.container as u32)),
        fixed_bits: end.fixed_bits(),
        ..container.described
    });
    Ok(described.collect())
}

pub(super) struct Layout<'l, 's, 'a, 'i> {
    pub(super) source: &'l Source<'s>,
    pub(super) symbols: &'l Symbols<'a, 'i>,
    pub(super) fields: &'l [TypeFields],
    pub(super) written: &'l [WrittenContainer<'a, 'i>],
    /// Where the entries of each container end.
    ends: Vec<Cursor>,
    /// Whether the container being placed is a part of others: what it refers to may stand in those.
    pub(super) is_part: bool,
    /// What is decoded when a container and its bases are.
    decoded: Vec<HashSet<ParameterIndex>>,
    pub(super) entries_seen: usize,
    /// What all containers together know to be decoded by their bases.
    inherited: usize,
    /// Parameters whose contexts were already found to look at nothing.
    pub(super) warned: HashSet<ParameterIndex>,
    /// A block is not gone on with when its step stands before this one.
    pub(super) block_may_start: usize,
    pub(super) plan: &'l mut Plan,
}

impl<'s, 'a, 'i> Layout<'_, 's, 'a, 'i> {
    fn place_children(&mut self, base: usize, children: &[usize]) -> Result<(), XtceError> {
        let first = self.plan.children.len();
        for index in children.iter().copied() {
            let condition = self.criteria(index, &self.decoded[base])?;
            self.inherited += self.decoded[base].len();
            if self.inherited > INHERITED_MAX {
                let message = "too many containers derive from ones with many entries; expected fewer";
                let node = self.written[index].base.as_ref().map(|base| base.node);
                return Err(node.map_or_else(
                    || self.source.error_at_start(message.to_owned()),
                    |node| self.source.error(node, message),
                ));
            }
            self.plan.children.push(Child { container: ContainerIndex(index as u32), condition });
            self.ends[index] = self.ends[base];
            self.place_container(index, self.decoded[base].clone())?;
        }
        self.plan.containers[base].children = first..self.plan.children.len();
        Ok(())
    }

    /// What must hold for a container to follow its base.
    fn criteria(&self, index: usize, decoded: &HashSet<ParameterIndex>) -> Result<Condition, XtceError> {
        let container = &self.written[index];
        let criteria = container.base.as_ref().and_then(|base| base.criteria);
        let place = self.place(container.system, decoded);
        criteria.map_or(Ok(Condition::All(Box::default())), |node| place.condition(node))
    }

    pub(super) fn place<'p>(
        &'p self,
        system: &'p str,
        decoded: &'p HashSet<ParameterIndex>,
    ) -> Place<'p, 's, 'a, 'i> {
        let decoded = (!self.is_part).then_some(decoded);
        Place { source: self.source, symbols: self.symbols, system, decoded }
    }

    /// Places a container's own entries behind those of its base, whose end stands in `ends`.
    fn place_container(&mut self, index: usize, decoded: HashSet<ParameterIndex>) -> Result<(), XtceError> {
        let first = self.plan.steps.len();
        self.block_may_start = first;
        let mut placing = Placing { cursor: self.ends[index], including: vec![index], decoded };
        let frame = Frame { container: index, start: Cursor::Absolute(0) };
        self.place_entries(frame, &mut placing)?;
        self.ends[index] = placing.cursor;
        self.decoded[index] = placing.decoded;
        let is_abstract = self.written[index].described.is_abstract;
        self.plan.containers[index] =
            ContainerPlan { steps: first..self.plan.steps.len(), children: 0..0, is_abstract };
        Ok(())
    }

    /// The entries of a container that is being placed, outliving the layout's own borrows.
    pub(super) fn entries_of(&self, container: usize) -> std::ops::Range<usize> {
        0..self.written[container].entries.len()
    }

    pub(super) fn entry(&self, frame: Frame, index: usize) -> &'_ Entry<'a, 'i> {
        &self.written[frame.container].entries[index]
    }
}
