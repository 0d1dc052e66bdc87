//! From written containers to the plan: who derives from whom, what stands where, and what is compared.

use std::collections::{HashMap, HashSet};

use roxmltree::Node;

use super::containers::{self, Entry, EntryOf, Location, WrittenContainer};
use super::criteria::{self, Compared};
use super::declarations::Declarations;
use super::document::Source;
use super::{DEPTH_MAX, ENTRIES_MAX, PACKET_BITS_MAX};
use crate::plan::{Child, ContainerPlan, Field, Plan, Position, Read, Size, Step};
use crate::{Container, ContainerIndex, Parameter, ParameterIndex, XtceError};

pub(super) fn compile(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    parameters: &[Parameter],
    fields: &[Option<Field>],
    plan: &mut Plan,
) -> Result<Vec<Container>, XtceError> {
    let declared = declarations.containers.all.iter();
    let written: Result<Vec<_>, _> =
        declared.map(|declared| containers::read(source, declarations, declared)).collect();
    let written = written?;
    let depths = inheritance_depths(source, &written)?;
    let mut children_of = vec![Vec::new(); written.len()];
    for (index, container) in written.iter().enumerate() {
        if let Some(base) = &container.base {
            children_of[base.container].push(index);
        }
    }
    let mut layout = Layout {
        source,
        declarations,
        parameters,
        fields,
        written: &written,
        children_of: &children_of,
        ends: vec![Cursor::Absolute(0); written.len()],
        entries_seen: 0,
        plan,
    };
    layout.plan.containers = vec![ContainerPlan::default(); written.len()];
    // A base stands before what derives from it, so that it is known where its entries end.
    let mut order: Vec<usize> = (0..written.len()).collect();
    order.sort_by_key(|index| depths[*index]);
    for index in order.iter().copied().filter(|index| written[*index].base.is_none()) {
        layout.place_container(index, &HashMap::new())?;
    }
    for index in order {
        layout.place_children(index)?;
    }
    let root = written.iter().position(|container| container.base.is_none());
    plan.root = root.map(|index| ContainerIndex(index as u32));
    Ok(written.into_iter().map(|container| container.described).collect())
}

/// How many bases stand above each container.
fn inheritance_depths(
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

fn cycle(written: &[WrittenContainer<'_, '_>], members: &[usize]) -> String {
    let names = members.iter().chain(members.first()).map(|index| written[*index].described.name.as_str());
    names.collect::<Vec<_>>().join(" -> ")
}

/// Where the next entry would start, in bits.
#[derive(Clone, Copy)]
enum Cursor {
    /// From the start of the packet.
    Absolute(i64),
    /// From the end of the step before, which no one knows before decoding.
    Relative(i64),
}

impl Cursor {
    fn moved(self, bits: i64) -> Self {
        match self {
            Cursor::Absolute(at) => Cursor::Absolute(at.saturating_add(bits)),
            Cursor::Relative(at) => Cursor::Relative(at.saturating_add(bits)),
        }
    }
}

/// For each parameter decoded so far, where its latest value stands.
type ValueIndices = HashMap<ParameterIndex, usize>;

struct Layout<'l, 's, 'a, 'i> {
    source: &'l Source<'s>,
    declarations: &'l Declarations<'a, 'i>,
    parameters: &'l [Parameter],
    fields: &'l [Option<Field>],
    written: &'l [WrittenContainer<'a, 'i>],
    children_of: &'l [Vec<usize>],
    /// Where the entries of each container end.
    ends: Vec<Cursor>,
    entries_seen: usize,
    plan: &'l mut Plan,
}

/// Entries being placed: of a container itself, or of one it includes.
#[derive(Clone, Copy)]
struct Frame {
    container: usize,
    /// Start of the packet, or of the included container.
    start: Cursor,
}

/// How far the placing of one container has come.
struct Placing<'v> {
    cursor: Cursor,
    /// The container itself and the included ones that are open.
    including: Vec<usize>,
    base_values: &'v ValueIndices,
    own_values: HashSet<ParameterIndex>,
}

impl Layout<'_, '_, '_, '_> {
    fn place_children(&mut self, base: usize) -> Result<(), XtceError> {
        if self.children_of[base].is_empty() {
            return Ok(());
        }
        let values = self.values_of_chain(base);
        let children_of = self.children_of;
        let first = self.plan.children.len();
        for index in children_of[base].iter().copied() {
            let comparisons = self.compile_comparisons(index, &values)?;
            self.plan.children.push(Child { container: ContainerIndex(index as u32), comparisons });
            self.ends[index] = self.ends[base];
            self.place_container(index, &values)?;
        }
        self.plan.containers[base].children = first..self.plan.children.len();
        Ok(())
    }

    /// The values that stand when a container and its bases are decoded.
    fn values_of_chain(&self, container: usize) -> ValueIndices {
        let mut chain = vec![container];
        let mut current = container;
        while let Some(base) = &self.written[current].base {
            current = base.container;
            chain.push(current);
        }
        let plans = chain.iter().rev().map(|index| &self.plan.containers[*index]);
        let steps = plans.flat_map(|plan| &self.plan.steps[plan.steps.clone()]);
        steps.enumerate().map(|(value_index, step)| (step.parameter, value_index)).collect()
    }

    fn compile_comparisons(
        &mut self,
        container: usize,
        values: &ValueIndices,
    ) -> Result<std::ops::Range<usize>, XtceError> {
        let first = self.plan.comparisons.len();
        let declared = &self.declarations.containers.all[container];
        let base = self.written[container].base.iter();
        for node in base.flat_map(|base| base.comparisons.iter().copied()) {
            let names = &self.declarations.parameters;
            let found = names.resolve(self.source, node, "parameterRef", &declared.system)?;
            let index = ParameterIndex(found as u32);
            let value_index = values.get(&index).copied().zip(self.fields[found]);
            let Some((value_index, field)) = value_index else {
                return Err(self.not_decoded_yet(node, index, "one that the base container decodes"));
            };
            let compared = Compared { index, value_index, parameter: &self.parameters[found], field };
            self.plan.comparisons.push(criteria::compile(self.source, node, &compared)?);
        }
        Ok(first..self.plan.comparisons.len())
    }

    /// Places a container's own entries behind those of its base, whose end stands in `ends`.
    fn place_container(&mut self, index: usize, base_values: &ValueIndices) -> Result<(), XtceError> {
        let first = self.plan.steps.len();
        let mut placing = Placing {
            cursor: self.ends[index],
            including: vec![index],
            base_values,
            own_values: HashSet::new(),
        };
        self.place_entries(Frame { container: index, start: Cursor::Absolute(0) }, &mut placing)?;
        self.ends[index] = placing.cursor;
        let is_abstract = self.written[index].described.is_abstract;
        self.plan.containers[index] =
            ContainerPlan { steps: first..self.plan.steps.len(), children: 0..0, is_abstract };
        Ok(())
    }

    /// Recursion ends at `DEPTH_MAX`, and all of it at `ENTRIES_MAX`.
    fn place_entries(&mut self, frame: Frame, placing: &mut Placing<'_>) -> Result<(), XtceError> {
        let written = self.written;
        for entry in &written[frame.container].entries {
            self.entries_seen += 1;
            if self.entries_seen > ENTRIES_MAX {
                let message =
                    format!("containers have too many entries; expected at most {ENTRIES_MAX} in all");
                return Err(self.source.error(entry.node, message));
            }
            placing.cursor = self.located(frame, entry, placing.cursor)?;
            match entry.of {
                EntryOf::Container(included) => {
                    self.check_included(entry, included, &placing.including)?;
                    placing.including.push(included);
                    let inner = Frame { container: included, start: placing.cursor };
                    self.place_entries(inner, placing)?;
                    placing.including.pop();
                }
                EntryOf::Parameter(parameter) => self.place_parameter(entry, parameter, placing)?,
            }
        }
        Ok(())
    }

    fn located(&self, frame: Frame, entry: &Entry<'_, '_>, cursor: Cursor) -> Result<Cursor, XtceError> {
        match (entry.location, frame.start) {
            (Location::ContainerStart(bits), Cursor::Absolute(start)) => Ok(Cursor::Absolute(start + bits)),
            (Location::ContainerStart(_), Cursor::Relative(_)) => {
                let message = "containerStart in a container that starts after a field of variable size is not \
                               supported yet; expected previousEntry";
                Err(self.source.error(entry.node, message))
            }
            (Location::PreviousEntry(bits), _) => Ok(cursor.moved(bits)),
        }
    }

    fn check_included(
        &self,
        entry: &Entry<'_, '_>,
        included: usize,
        including: &[usize],
    ) -> Result<(), XtceError> {
        let name = &self.written[included].described.name;
        if let Some(start) = including.iter().position(|earlier| *earlier == included) {
            let names = cycle(self.written, &including[start..]);
            let message = format!("containers include each other: {names}; expected an end");
            return Err(self.source.error(entry.node, message));
        }
        if including.len() >= DEPTH_MAX {
            let message =
                format!("containers include each other too deep; expected at most {DEPTH_MAX} levels");
            return Err(self.source.error(entry.node, message));
        }
        if self.written[included].base.is_some() || !self.children_of[included].is_empty() {
            let message = format!(
                "including {name}, which has a base or is one, is not supported yet; expected a container that stands \
                 alone"
            );
            return Err(self.source.error(entry.node, message));
        }
        Ok(())
    }

    fn place_parameter(
        &mut self,
        entry: &Entry<'_, '_>,
        parameter: ParameterIndex,
        placing: &mut Placing<'_>,
    ) -> Result<(), XtceError> {
        let Some(field) = self.fields[parameter.0 as usize] else {
            let name = &self.parameters[parameter.0 as usize].name;
            let message = format!("the type of {name} has no data encoding; expected one to read it by");
            return Err(self.source.error(entry.node, message));
        };
        let size = self.fixed_size(entry, field, placing)?;
        placing.own_values.insert(parameter);
        let cursor = placing.cursor;
        let in_packet = |at: i64| (0..=PACKET_BITS_MAX).contains(&at);
        let fits = match cursor {
            Cursor::Absolute(at) => in_packet(at) && in_packet(at + size.unwrap_or(0)),
            Cursor::Relative(at) => in_packet(at.abs()),
        };
        if !fits {
            let (Cursor::Absolute(at) | Cursor::Relative(at)) = cursor;
            let message =
                format!("the entry is at bit {at}; expected it to lie within 0 and {PACKET_BITS_MAX}");
            return Err(self.source.error(entry.node, message));
        }
        let position = match cursor {
            Cursor::Absolute(at) => Position::Absolute(at as u32),
            Cursor::Relative(at) => Position::Relative(at as i32),
        };
        self.plan.steps.push(Step { parameter, position, field });
        placing.cursor = match (cursor, size) {
            (Cursor::Absolute(at), Some(size)) => Cursor::Absolute(at + size),
            _ => Cursor::Relative(0),
        };
        Ok(())
    }

    /// `None` when another parameter gives the size, which must then be decoded already.
    fn fixed_size(
        &self,
        entry: &Entry<'_, '_>,
        field: Field,
        placing: &Placing<'_>,
    ) -> Result<Option<i64>, XtceError> {
        match field.read {
            Read::Float { bits, .. } | Read::Integer { bits, .. } => Ok(Some(i64::from(bits))),
            Read::Binary { size: Size::Fixed(bits) } | Read::Text { size: Size::Fixed(bits), .. } => {
                Ok(Some(i64::from(bits)))
            }
            Read::Binary { size: Size::Dynamic(index) } | Read::Text { size: Size::Dynamic(index), .. } => {
                let parameter = self.plan.dynamic_sizes[index].parameter;
                if !placing.base_values.contains_key(&parameter) && !placing.own_values.contains(&parameter) {
                    return Err(self.not_decoded_yet(
                        entry.node,
                        parameter,
                        "the size to stand before the field",
                    ));
                }
                Ok(None)
            }
        }
    }

    fn not_decoded_yet(&self, node: Node<'_, '_>, parameter: ParameterIndex, expected: &str) -> XtceError {
        let name = &self.parameters[parameter.0 as usize].name;
        self.source.error(node, format!("{name} is not decoded before this point; expected {expected}"))
    }
}
