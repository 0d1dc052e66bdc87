//! Entries being placed: positions, conditions, repetitions, and what aggregates and arrays are made up of.

use std::collections::HashSet;

use roxmltree::Node;

use super::containers::EntryOf;
use super::document::{elements, local};
use super::inheritance;
use super::layout::Layout;
use super::quantities::Bounds;
use super::symbols::{Symbol, Tree};
use super::{DEPTH_MAX, ENTRIES_MAX, PACKET_BITS_MAX};
use crate::plan::{
    Block, Conversion, Field, NumberStep, Position, Quantity, Read, ReadStep, Repeat, Size, Step,
};
use crate::{ParameterIndex, XtceError};

/// Where the next entry would start, in bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cursor {
    /// From the start of the packet.
    Absolute(i64),
    /// From the start of an included container, which no one knows before decoding.
    Marked { slot: u8, at: i64 },
    /// From the end of the step before, likewise.
    Relative(i64),
}

impl Cursor {
    fn moved(self, bits: i64) -> Self {
        match self {
            Cursor::Absolute(at) => Cursor::Absolute(at.saturating_add(bits)),
            Cursor::Marked { slot, at } => Cursor::Marked { slot, at: at.saturating_add(bits) },
            Cursor::Relative(at) => Cursor::Relative(at.saturating_add(bits)),
        }
    }

    /// Where entries end whose places never vary.
    pub(super) fn fixed_bits(self) -> Option<u32> {
        match self {
            Cursor::Absolute(at) => u32::try_from(at).ok(),
            Cursor::Marked { .. } | Cursor::Relative(_) => None,
        }
    }
}

/// The container whose entries are being placed, and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) container: usize,
    pub(super) start: Cursor,
}

/// How far the placing of one container has come.
pub(super) struct Placing {
    pub(super) cursor: Cursor,
    /// The container itself and the included ones that are open.
    pub(super) including: Vec<usize>,
    pub(super) decoded: HashSet<ParameterIndex>,
}

const DISTANCE: Bounds<'_> =
    Bounds { least: -PACKET_BITS_MAX, most: PACKET_BITS_MAX, what: "a number of bits" };
const COUNT: Bounds<'_> = Bounds { least: 0, most: PACKET_BITS_MAX, what: "a count" };

impl Layout<'_, '_, '_, '_> {
    /// Recursion ends at `DEPTH_MAX`, and all of it at `ENTRIES_MAX`.
    pub(super) fn place_entries(&mut self, frame: Frame, placing: &mut Placing) -> Result<(), XtceError> {
        for index in self.entries_of(frame.container) {
            self.count(frame, index, self.entry(frame, index).elements)?;
            self.place_entry(frame, index, placing)?;
        }
        Ok(())
    }

    /// Counts what an entry adds to all that is placed.
    fn count(&mut self, frame: Frame, index: usize, elements: usize) -> Result<(), XtceError> {
        self.entries_seen = self.entries_seen.saturating_add(elements);
        if self.entries_seen > ENTRIES_MAX {
            let message = format!("containers have too many entries; expected at most {ENTRIES_MAX} in all");
            return Err(self.source.error(self.entry(frame, index).node, message));
        }
        Ok(())
    }

    fn place_entry(&mut self, frame: Frame, index: usize, placing: &mut Placing) -> Result<(), XtceError> {
        let Some(condition) = self.entry(frame, index).condition else {
            return self.place_repeated(frame, index, placing);
        };
        let system = self.written[frame.container].system;
        let condition = self.place(system, &placing.decoded).condition(condition)?;
        self.plan.conditions.push(condition);
        let condition = self.plan.conditions.len() as u32 - 1;
        let at = self.plan.steps.len();
        self.plan.steps.push(Step::If { condition, skipped: 0 });
        self.place_repeated(frame, index, placing)?;
        let skipped = (self.plan.steps.len() - at - 1) as u32;
        self.plan.steps[at] = Step::If { condition, skipped };
        self.block_may_start = self.plan.steps.len();
        // Nobody knows here whether it was there.
        placing.cursor = Cursor::Relative(0);
        Ok(())
    }

    fn place_repeated(&mut self, frame: Frame, index: usize, placing: &mut Placing) -> Result<(), XtceError> {
        self.locate(frame, index, placing)?;
        let Some(node) = self.entry(frame, index).repeat else {
            return self.place_content(frame, index, placing);
        };
        let system = self.written[frame.container].system;
        let (mut count, mut gap_bits) = (None, 0);
        for child in elements(node) {
            let place = self.place(system, &placing.decoded);
            match local(child) {
                "Count" => count = Some(place.quantity(child, &COUNT)?),
                "Offset" => match place.quantity(child, &DISTANCE)? {
                    Quantity::Fixed(bits) => gap_bits = bits as i32,
                    _ => {
                        let message = "an offset from a parameter is not supported yet; expected FixedValue";
                        return Err(self.source.error(child, message));
                    }
                },
                _ => return Err(self.source.unsupported(child, "Count and Offset")),
            }
        }
        let Some(count) = count else {
            return Err(self.source.error(node, "no Count was found; expected one"));
        };
        let repetition =
            Repetition { count, gap_bits, is_array: false, parameter: self.first_leaf(frame, index) };
        self.place_repetition(repetition, placing, |layout, placing| {
            layout.place_content(frame, index, placing)
        })
    }

    /// A repeat step and its body, which starts wherever the one before ended.
    fn place_repetition(
        &mut self,
        repetition: Repetition,
        placing: &mut Placing,
        body: impl FnOnce(&mut Self, &mut Placing) -> Result<(), XtceError>,
    ) -> Result<(), XtceError> {
        let position = position(placing.cursor);
        self.plan.quantities.push(repetition.count);
        let mut repeat = Repeat {
            body: 0,
            count: self.plan.quantities.len() as u32 - 1,
            gap_bits: repetition.gap_bits,
            is_array: repetition.is_array,
            parameter: repetition.parameter,
            position,
        };
        let at = self.plan.steps.len();
        self.plan.steps.push(Step::Repeat(repeat));
        placing.cursor = Cursor::Relative(0);
        body(self, placing)?;
        repeat.body = (self.plan.steps.len() - at - 1) as u32;
        self.plan.steps[at] = Step::Repeat(repeat);
        self.block_may_start = self.plan.steps.len();
        placing.cursor = Cursor::Relative(0);
        Ok(())
    }

    fn place_content(&mut self, frame: Frame, index: usize, placing: &mut Placing) -> Result<(), XtceError> {
        match self.entry(frame, index).of {
            EntryOf::Container(included) => self.place_included(frame, index, included, placing),
            EntryOf::Parameter(Symbol::Leaf(leaf)) => self.place_leaf(frame, index, leaf, placing),
            EntryOf::Parameter(Symbol::Composite(composite)) => {
                self.plan.steps.push(Step::Composite(composite));
                let symbols = self.symbols;
                self.place_tree(frame, index, &symbols.trees[composite.0 as usize], placing)
            }
            EntryOf::Unsupported => {
                let node = self.entry(frame, index).node;
                self.plan.stops.push(format!("{} in line {}", local(node), self.source.line(node)));
                self.plan.steps.push(Step::Stop(self.plan.stops.len() as u32 - 1));
                Ok(())
            }
        }
    }

    /// Recursion is as deep as types nest.
    fn place_tree(
        &mut self,
        frame: Frame,
        index: usize,
        tree: &Tree<'_, '_>,
        placing: &mut Placing,
    ) -> Result<(), XtceError> {
        match tree {
            Tree::Leaf(leaf) => {
                self.count(frame, index, 1)?;
                self.place_leaf(frame, index, *leaf, placing)
            }
            Tree::Aggregate(members) => {
                members.iter().try_for_each(|member| self.place_tree(frame, index, member, placing))
            }
            Tree::Array { element, dimensions, system } => {
                self.count(frame, index, dimensions.descendants().filter(Node::is_element).count())?;
                let place = self.place(system, &placing.decoded);
                let spans: Result<Vec<_>, _> = elements(*dimensions).map(|node| place.span(node)).collect();
                let spans = spans?;
                let start = placing.cursor;
                let bits = self.fixed_tree_bits(element);
                let count = spans.iter().try_fold(1_i64, |product, span| match span {
                    Quantity::Fixed(count) => product.checked_mul(*count),
                    _ => None,
                });
                self.place_dimensions(frame, index, &spans, element, placing)?;
                // An array that never varies leaves the places behind it as they are.
                if let (Cursor::Absolute(at), Some(count), Some(bits)) = (start, count, bits) {
                    placing.cursor = Cursor::Absolute(at.saturating_add(count.saturating_mul(bits)));
                    self.check_in_packet(frame, index, placing.cursor)?;
                }
                Ok(())
            }
        }
    }

    fn place_dimensions(
        &mut self,
        frame: Frame,
        index: usize,
        spans: &[Quantity],
        element: &Tree<'_, '_>,
        placing: &mut Placing,
    ) -> Result<(), XtceError> {
        let Some((span, inner)) = spans.split_first() else {
            return self.place_tree(frame, index, element, placing);
        };
        let parameter = first_leaf(element);
        let repetition = Repetition { count: span.clone(), gap_bits: 0, is_array: true, parameter };
        self.place_repetition(repetition, placing, |layout, placing| {
            layout.place_dimensions(frame, index, inner, element, placing)
        })
    }

    fn fixed_tree_bits(&self, tree: &Tree<'_, '_>) -> Option<i64> {
        match tree {
            Tree::Leaf(leaf) => fixed_bits(self.field(*leaf)?),
            Tree::Aggregate(members) => members.iter().map(|member| self.fixed_tree_bits(member)).sum(),
            Tree::Array { .. } => None,
        }
    }

    fn field(&self, parameter: ParameterIndex) -> Option<Field> {
        self.fields[self.symbols.types[parameter.0 as usize]].field
    }

    fn first_leaf(&self, frame: Frame, index: usize) -> ParameterIndex {
        match self.entry(frame, index).of {
            EntryOf::Parameter(Symbol::Leaf(leaf)) => leaf,
            EntryOf::Parameter(Symbol::Composite(composite)) => {
                first_leaf(&self.symbols.trees[composite.0 as usize])
            }
            EntryOf::Container(_) | EntryOf::Unsupported => ParameterIndex(0),
        }
    }

    /// Moves the cursor to where an entry says it stands.
    fn locate(&mut self, frame: Frame, index: usize, placing: &mut Placing) -> Result<(), XtceError> {
        let Some(node) = self.entry(frame, index).location else { return Ok(()) };
        let from = match node.attribute("referenceLocation").unwrap_or("previousEntry") {
            "containerStart" => frame.start,
            "previousEntry" => placing.cursor,
            other => {
                let message = format!(
                    "referenceLocation=\"{other}\" is not supported yet; expected containerStart or previousEntry"
                );
                return Err(self.source.error(node, message));
            }
        };
        let place = self.place(self.written[frame.container].system, &placing.decoded);
        let quantity = place.quantity(node, &DISTANCE)?;
        if let Quantity::Fixed(bits) = quantity {
            placing.cursor = from.moved(bits);
            return self.check_in_packet(frame, index, placing.cursor);
        }
        self.check_in_packet(frame, index, from)?;
        self.plan.quantities.push(quantity);
        let quantity = self.plan.quantities.len() as u32 - 1;
        let parameter = self.first_leaf(frame, index);
        self.plan.steps.push(Step::Locate { position: position(from), quantity, parameter });
        placing.cursor = Cursor::Relative(0);
        Ok(())
    }

    fn place_included(
        &mut self,
        frame: Frame,
        index: usize,
        included: usize,
        placing: &mut Placing,
    ) -> Result<(), XtceError> {
        self.check_in_packet(frame, index, placing.cursor)?;
        let start = match placing.cursor {
            Cursor::Absolute(at) => Cursor::Absolute(at),
            varying => {
                let slot = placing.including.len() as u8;
                self.plan.steps.push(Step::Mark { slot: u32::from(slot), position: position(varying) });
                placing.cursor = Cursor::Relative(0);
                Cursor::Marked { slot, at: 0 }
            }
        };
        // It holds what its bases hold; what derives from it is not looked for.
        for part in inheritance::chain(self.written, included) {
            self.check_included(frame, index, part, &placing.including)?;
            placing.including.push(part);
            self.place_entries(Frame { container: part, start }, placing)?;
            placing.including.pop();
        }
        Ok(())
    }

    fn check_included(
        &self,
        frame: Frame,
        index: usize,
        included: usize,
        including: &[usize],
    ) -> Result<(), XtceError> {
        let node = self.entry(frame, index).node;
        if let Some(start) = including.iter().position(|earlier| *earlier == included) {
            let names = inheritance::cycle(self.written, &including[start..]);
            let message = format!("containers include each other: {names}; expected an end");
            return Err(self.source.error(node, message));
        }
        if including.len() >= DEPTH_MAX {
            let message =
                format!("containers include each other too deep; expected at most {DEPTH_MAX} levels");
            return Err(self.source.error(node, message));
        }
        Ok(())
    }

    fn place_leaf(
        &mut self,
        frame: Frame,
        index: usize,
        parameter: ParameterIndex,
        placing: &mut Placing,
    ) -> Result<(), XtceError> {
        let node = self.entry(frame, index).node;
        let Some(field) = self.field(parameter) else {
            let name = &self.symbols.parameters[parameter.0 as usize].name;
            let message = format!("the type of {name} has no data encoding; expected one to read it by");
            return Err(self.source.error(node, message));
        };
        self.check_references(frame, index, (parameter, field), placing)?;
        placing.decoded.insert(parameter);
        let (cursor, size) = (placing.cursor, fixed_bits(field));
        self.check_in_packet(frame, index, cursor)?;
        self.check_in_packet(frame, index, cursor.moved(size.unwrap_or(0)))?;
        let number = match cursor {
            Cursor::Absolute(at) => NumberStep::new(parameter, at as u32, field),
            Cursor::Marked { .. } | Cursor::Relative(_) => None,
        };
        match number {
            Some(number) => self.add_to_block(number),
            None => {
                self.plan.steps.push(Step::Read(ReadStep { parameter, position: position(cursor), field }));
            }
        }
        placing.cursor = match (cursor, size) {
            (Cursor::Absolute(at), Some(size)) => Cursor::Absolute(at + size),
            (Cursor::Marked { slot, at }, Some(size)) => Cursor::Marked { slot, at: at + size },
            _ => Cursor::Relative(0),
        };
        Ok(())
    }

    /// Goes on with the block at the end, unless something ended it: a container, or a condition around it.
    fn add_to_block(&mut self, number: NumberStep) {
        let end_bits = number.end_bits();
        self.plan.numbers.push(number);
        let last = self.plan.steps.len().checked_sub(1).filter(|last| *last >= self.block_may_start);
        if let Some(Step::Block(block)) = last.and_then(|last| self.plan.steps.get_mut(last)) {
            block.count += 1;
            block.end_bits = block.end_bits.max(end_bits);
            return;
        }
        let first = self.plan.numbers.len() as u32 - 1;
        self.plan.steps.push(Step::Block(Block { first, count: 1, end_bits }));
    }

    /// What a field's size refers to must stand before it; what its contexts refer to should.
    fn check_references(
        &mut self,
        frame: Frame,
        index: usize,
        (parameter, field): (ParameterIndex, Field),
        placing: &Placing,
    ) -> Result<(), XtceError> {
        let node = self.entry(frame, index).node;
        let name = |parameter: ParameterIndex| self.symbols.parameters[parameter.0 as usize].name.as_str();
        let is_missing = |wanted: &ParameterIndex| !self.is_part && !placing.decoded.contains(wanted);
        if let Read::Binary { size: Size::Quantity(size) } | Read::Text { size: Size::Quantity(size), .. } =
            field.read
        {
            let mut needed = Vec::new();
            self.plan.quantities[size as usize].registers(&mut needed);
            let needed = needed.into_iter().map(|register| self.symbols.parameter_of(register));
            if let Some(missing) = needed.into_iter().find(is_missing) {
                let message = format!(
                    "{} is not decoded before this point; expected the size to stand before the field",
                    name(missing)
                );
                return Err(self.source.error(node, message));
            }
        }
        let mut looked_at = Vec::new();
        if let Conversion::ContextCalibrators(index) = field.conversion {
            let contexts = &self.plan.context_calibrators[index as usize].contexts;
            contexts.iter().for_each(|(condition, _)| condition.registers(&mut looked_at));
        }
        let looked_at = looked_at.into_iter().map(|register| self.symbols.parameter_of(register));
        let missing = looked_at.filter(|wanted| *wanted != parameter).find(is_missing);
        if let Some(missing) = missing.filter(|missing| !self.warned.contains(missing)) {
            let message = format!(
                "a calibrator of {} depends on {}, which is not decoded before it in {}: there it never counts",
                name(parameter),
                name(missing),
                self.written[frame.container].described.name
            );
            self.source.warn(node, message);
            self.warned.insert(missing);
        }
        Ok(())
    }

    fn check_in_packet(&self, frame: Frame, index: usize, cursor: Cursor) -> Result<(), XtceError> {
        let (at, is_in_packet) = match cursor {
            Cursor::Absolute(at) => (at, (0..=PACKET_BITS_MAX).contains(&at)),
            Cursor::Marked { at, .. } | Cursor::Relative(at) => (at, at.abs() <= PACKET_BITS_MAX),
        };
        if is_in_packet {
            return Ok(());
        }
        let message = format!("the entry is at bit {at}; expected it to lie within 0 and {PACKET_BITS_MAX}");
        Err(self.source.error(self.entry(frame, index).node, message))
    }
}

/// Something that is repeated.
struct Repetition {
    count: Quantity,
    gap_bits: i32,
    is_array: bool,
    parameter: ParameterIndex,
}

fn position(cursor: Cursor) -> Position {
    match cursor {
        Cursor::Absolute(at) => Position::Absolute(at as u32),
        Cursor::Marked { slot, at } => Position::Marked { slot, distance: at as i32 },
        Cursor::Relative(at) => Position::Relative(at as i32),
    }
}

fn first_leaf(tree: &Tree<'_, '_>) -> ParameterIndex {
    match tree {
        Tree::Aggregate(members) => members.first().map_or(ParameterIndex(0), first_leaf),
        Tree::Array { element, .. } => first_leaf(element),
        Tree::Leaf(leaf) => *leaf,
    }
}

/// `None` when the packet says how long it is.
pub(super) fn fixed_bits(field: Field) -> Option<i64> {
    match field.read {
        Read::Float { bits, .. } | Read::Integer { bits, .. } => Some(i64::from(bits)),
        Read::Binary { size: Size::Fixed(bits) } | Read::Text { size: Size::Fixed(bits), .. } => {
            Some(i64::from(bits))
        }
        Read::Binary { .. } | Read::Text { .. } => None,
    }
}
