//! Runs the plan over a packet.

use std::borrow::Cow;
use std::ops::Range;

use crate::bits::{self, ByteOrder, IntegerCoding};
use crate::condition::{Register, Scope};
use crate::monitoring::{Judging, Watch};
use crate::plan::{Block, Field, NumberStep, Plan, Position, Quantity, Read, ReadStep, Repeat, Size, Step};
use crate::{
    BitSpan, ContainerIndex, DecodeError, DecodedComposite, DecodedPacket, DecodedValue, Dictionary,
    MonitoringResult, ParameterIndex, RawValue, Validity,
};

pub(crate) fn decode<'p>(
    dictionary: &Dictionary,
    root: Option<ContainerIndex>,
    packet: &'p [u8],
    into: &mut DecodedPacket<'p>,
) -> Result<(), DecodeError> {
    into.clear();
    let root = root.or(dictionary.compiled.plan.root).ok_or(DecodeError::NoContainer)?;
    Decoder::new(dictionary, packet, into).resolve(root)
}

/// Where each value stands that [`decode`] gives; of a packet that does not decode to its end, as far as it goes.
pub(crate) fn bit_spans(dictionary: &Dictionary, packet: &[u8]) -> Vec<BitSpan> {
    let (mut into, mut spans) = (DecodedPacket::default(), Vec::new());
    let Some(root) = dictionary.compiled.plan.root else { return spans };
    let mut decoder = Decoder::new(dictionary, packet, &mut into);
    decoder.spans = Some(&mut spans);
    // What stands before the error counts, and `decode` has told of the error.
    let _ = decoder.resolve(root);
    spans.truncate(into.values.len());
    spans
}

/// Converts and judges one value as if it were all that a packet holds.
pub(crate) fn decode_alone<'p>(
    dictionary: &Dictionary,
    parameter: ParameterIndex,
    field: Field,
    raw: RawValue<'p>,
) -> DecodedValue<'p> {
    let mut into = DecodedPacket::default();
    let watch = dictionary.judging.watches[parameter.0 as usize];
    let mut decoder = Decoder::new(dictionary, &[], &mut into);
    let value = decoder.value(&ReadStep { parameter, position: Position::Absolute(0), field }, raw, watch);
    if watch.monitor == Watch::NOTHING {
        return value;
    }
    decoder.keep(value, watch);
    into.values.pop().expect("`keep` has put it there")
}

pub(crate) struct Decoder<'d, 'p, 'i> {
    dictionary: &'d Dictionary,
    pub(crate) plan: &'d Plan,
    pub(crate) judging: &'d Judging,
    pub(crate) packet: &'p [u8],
    packet_bits: usize,
    allowance: Allowance,
    is_repeating: bool,
    into: &'i mut DecodedPacket<'p>,
    /// Where to write down the places of values, for who wants to know them.
    spans: Option<&'i mut Vec<BitSpan>>,
}

/// What repeated entries may still take. A packet that says how often something repeats may lie, and something
/// without bits, or that goes back, never meets the end of the packet.
struct Allowance {
    /// Of values; going back over some of them is usual, reading all of them again and again is not.
    bits: usize,
    /// Aggregates, arrays and lengths of arrays: one bit can be an array in an array.
    lists: usize,
    /// Steps of the plan, those included that conditions leave out.
    steps: usize,
    /// None has less than a bit, unless it has none.
    values: usize,
}

impl Allowance {
    fn new(packet_bits: usize, plan_steps: usize) -> Self {
        Allowance {
            bits: packet_bits.saturating_mul(8),
            lists: packet_bits.saturating_mul(2),
            steps: packet_bits.saturating_mul(256).saturating_add(plan_steps),
            values: packet_bits,
        }
    }
}

/// Whether so much was left.
fn take(left: &mut usize, cost: usize) -> bool {
    let rest = left.checked_sub(cost);
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

impl<'d, 'p, 'i> Decoder<'d, 'p, 'i> {
    /// `into` must be empty.
    fn new(dictionary: &'d Dictionary, packet: &'p [u8], into: &'i mut DecodedPacket<'p>) -> Self {
        let plan = &dictionary.compiled.plan;
        let packet_bits = packet.len() * 8;
        into.registers.resize(usize::from(dictionary.judging.registers), Register::EMPTY);
        Decoder {
            dictionary,
            plan,
            judging: &dictionary.judging,
            packet,
            packet_bits,
            allowance: Allowance::new(packet_bits, plan.steps.len()),
            is_repeating: false,
            into,
            spans: None,
        }
    }
}

impl<'p> Decoder<'_, 'p, '_> {
    /// Decodes a container and those derived from it that fit.
    fn resolve(&mut self, mut container: ContainerIndex) -> Result<(), DecodeError> {
        let plan = self.plan;
        // Each turn goes from a base to a container derived from it; the loader refused cycles.
        loop {
            let current = &plan.containers[container.0 as usize];
            self.into.container = Some(container);
            self.into.values.reserve(current.steps.len());
            self.run(current.steps.clone())?;
            let scope = self.scope(None);
            let children = &plan.children[current.children.clone()];
            let Some(child) = children.iter().find(|child| child.condition.holds(&scope)) else {
                self.into.unresolved = current.is_abstract;
                return Ok(());
            };
            container = child.container;
        }
    }

    /// Recursion is as deep as repeated entries nest in the dictionary, which the loader bounds.
    fn run(&mut self, steps: Range<usize>) -> Result<(), DecodeError> {
        let mut at = steps.start;
        while at < steps.end {
            match self.plan.steps[at] {
                Step::Block(block) => self.block(&block)?,
                Step::Composite(composite) => {
                    if self.is_repeating && !take(&mut self.allowance.lists, 1) {
                        let parameter = self.dictionary.composite(composite).name.clone();
                        return Err(DecodeError::TooManyRepeats { parameter });
                    }
                    let first_value = self.into.values.len() as u32;
                    let first_length = self.into.lengths.len() as u32;
                    self.into.composites.push(DecodedComposite { composite, first_value, first_length });
                }
                Step::If { condition, skipped } => {
                    if !self.plan.conditions[condition as usize].holds(&self.scope(None)) {
                        at += skipped as usize;
                    }
                }
                Step::Locate { position, quantity, parameter } => {
                    let distance = self.quantity(quantity).filter(|bits| bits % 1.0 == 0.0);
                    let Some(distance) = distance else {
                        let size_bits = f64::NAN;
                        return Err(DecodeError::SizeOutOfRange {
                            parameter: self.name(parameter),
                            size_bits,
                        });
                    };
                    let start = self.start(position, parameter)?;
                    // Saturates, which is then outside of any packet.
                    self.into.bits = self.moved(start, distance as i64, parameter)?;
                }
                Step::Mark { slot, position } => {
                    let start = self.start(position, ParameterIndex(0))?;
                    let slot = slot as usize;
                    if self.into.marks.len() <= slot {
                        self.into.marks.resize(slot + 1, 0);
                    }
                    self.into.marks[slot] = start;
                    self.into.bits = start;
                }
                Step::Read(step) => self.read_step(&step)?,
                Step::Repeat(repeat) => {
                    self.repeat(&repeat, at + 1)?;
                    at += repeat.body as usize;
                }
                Step::Stop(stop) => {
                    let element = self.plan.stops[stop as usize].clone();
                    return Err(DecodeError::Unsupported { element });
                }
            }
            at += 1;
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), DecodeError> {
        let first = block.first as usize;
        let numbers = &self.plan.numbers[first..first + block.count as usize];
        let is_whole = block.end_bits as usize <= self.packet_bits && !self.is_repeating;
        if let Some(spans) = &mut self.spans {
            let span = |number: &NumberStep| BitSpan {
                start: number.start_bits as usize,
                bits: usize::from(number.bits),
            };
            spans.extend(numbers.iter().map(span));
        }
        for number in numbers {
            if !is_whole {
                let end = number.end_bits() as usize;
                if end > self.packet_bits {
                    return Err(self.too_short(number.parameter, end));
                }
                if self.is_repeating {
                    self.spend(number.parameter, usize::from(number.bits))?;
                }
                self.into.bits = end;
            }
            let watch = self.judging.watches[number.parameter.0 as usize];
            let value = self.number_value(number, watch);
            self.keep(value, watch);
        }
        self.into.bits = numbers.last().map_or(self.into.bits, |number| number.end_bits() as usize);
        Ok(())
    }

    #[inline]
    fn read_step(&mut self, step: &ReadStep) -> Result<(), DecodeError> {
        let start = self.start(step.position, step.parameter)?;
        let size = self.size(step, start)?;
        let end = start.saturating_add(size);
        if end > self.packet_bits {
            return Err(self.too_short(step.parameter, end));
        }
        if self.is_repeating {
            self.spend(step.parameter, size)?;
        }
        if let Some(spans) = &mut self.spans {
            spans.push(BitSpan { start, bits: size });
        }
        let raw = self.read(step, start, size);
        let watch = self.judging.watches[step.parameter.0 as usize];
        let value = self.value(step, raw, watch);
        self.keep(value, watch);
        self.into.bits = end;
        Ok(())
    }

    /// Takes a value, whose validity is known, and judges it.
    #[inline(always)]
    fn keep(&mut self, value: DecodedValue<'p>, watch: Watch) {
        if watch.register != Register::NONE {
            self.into.registers[usize::from(watch.register.0)] = self.into.values.len() as u32;
        }
        // A number without contexts is judged already.
        let is_open = watch.monitor != Watch::NOTHING && value.monitoring == MonitoringResult::NotMonitored;
        self.into.values.push(value);
        if is_open {
            self.judge_last(watch);
        }
    }

    pub(crate) fn scope<'s>(&'s self, own: Option<(Register, &'s RawValue<'p>)>) -> Scope<'s, 'p> {
        Scope { values: &self.into.values, registers: &self.into.registers, own }
    }

    /// Limits may depend on the value itself, so it is judged when it has its place.
    fn judge_last(&mut self, watch: Watch) {
        let Some(value) = self.into.values.last() else { return };
        // What is no measurement is neither in nor out of limits.
        if value.validity != Validity::Valid {
            return;
        }
        let monitoring = self.judging.judge(watch, &value.engineering, 0.0, &self.scope(None));
        if let Some(value) = self.into.values.last_mut() {
            value.monitoring = monitoring;
        }
    }

    fn repeat(&mut self, repeat: &Repeat, body: usize) -> Result<(), DecodeError> {
        let count = self.quantity(repeat.count).unwrap_or(f64::NAN);
        let is_possible = count % 1.0 == 0.0 && (0.0..=self.packet_bits as f64).contains(&count);
        if !is_possible {
            return Err(DecodeError::CountOutOfRange { parameter: self.name(repeat.parameter), count });
        }
        if repeat.is_array {
            if self.is_repeating && !take(&mut self.allowance.lists, 1) {
                return Err(self.too_many_repeats(repeat.parameter));
            }
            self.into.lengths.push(count as u32);
        }
        self.into.bits = self.start(repeat.position, repeat.parameter)?;
        let was_repeating = std::mem::replace(&mut self.is_repeating, true);
        for turn in 0..count as u32 {
            if !take(&mut self.allowance.steps, repeat.body as usize + 1) {
                return Err(self.too_many_repeats(repeat.parameter));
            }
            if turn > 0 {
                self.into.bits = self.moved(self.into.bits, i64::from(repeat.gap_bits), repeat.parameter)?;
            }
            self.run(body..body + repeat.body as usize)?;
        }
        self.is_repeating = was_repeating;
        Ok(())
    }

    /// One more value of a repeated entry.
    fn spend(&mut self, parameter: ParameterIndex, bits: usize) -> Result<(), DecodeError> {
        if take(&mut self.allowance.values, 1) && take(&mut self.allowance.bits, bits) {
            return Ok(());
        }
        Err(self.too_many_repeats(parameter))
    }

    #[inline]
    fn start(&self, position: Position, parameter: ParameterIndex) -> Result<usize, DecodeError> {
        match position {
            Position::Absolute(start) => Ok(start as usize),
            Position::Marked { slot, distance } => {
                let marked = self.into.marks.get(usize::from(slot)).copied().unwrap_or(0);
                self.moved(marked, i64::from(distance), parameter)
            }
            Position::Relative(0) => Ok(self.into.bits),
            Position::Relative(distance) => self.moved(self.into.bits, i64::from(distance), parameter),
        }
    }

    fn moved(&self, from: usize, distance: i64, parameter: ParameterIndex) -> Result<usize, DecodeError> {
        let distance = isize::try_from(distance).unwrap_or(isize::MAX);
        from.checked_add_signed(distance).ok_or_else(|| {
            let before_start_bits = distance.unsigned_abs().saturating_sub(from);
            DecodeError::PositionOutOfRange { parameter: self.name(parameter), before_start_bits }
        })
    }

    /// How many bits the field has in this packet.
    #[inline]
    fn size(&self, step: &ReadStep, start: usize) -> Result<usize, DecodeError> {
        match step.field.read {
            Read::Float { bits, .. } | Read::Integer { bits, .. } => Ok(usize::from(bits)),
            Read::Binary { size: Size::Fixed(bits) } | Read::Text { size: Size::Fixed(bits), .. } => {
                Ok(bits as usize)
            }
            Read::Binary { size: Size::Quantity(index) } => self.quantity_bits(step.parameter, index, 1.0),
            Read::Text { size: Size::Quantity(index), .. } => self.quantity_bits(step.parameter, index, 8.0),
            Read::Text { size: Size::OfText, format } => self.text_bits(step.parameter, start, format),
            // Only texts say their size; the loader gives no other field this one.
            Read::Binary { size: Size::OfText } => Ok(0),
        }
    }

    /// Bits of a text that says its size itself.
    fn text_bits(&self, parameter: ParameterIndex, start: usize, format: u16) -> Result<usize, DecodeError> {
        let format = &self.plan.text_formats[usize::from(format)];
        let rest_bits = self.packet_bits.saturating_sub(start) / 8 * 8;
        let length_within = |bits| format.buffer_length(&self.bytes(start.min(self.packet_bits), bits));
        // Bytes that start within a byte are copied, so not all of them for a short text.
        let few_bits = rest_bits.min(64 * 8);
        let is_in_few = |bytes: &usize| bytes.saturating_mul(8) < few_bits;
        let among_few = if start.is_multiple_of(8) { None } else { length_within(few_bits) };
        let Some(bytes) = among_few.filter(is_in_few).or_else(|| length_within(rest_bits)) else {
            return Err(self.too_short(parameter, start + usize::from(format.leading_bits.unwrap_or(8))));
        };
        let bits = bytes.saturating_mul(8);
        if bits > format.bits_max as usize {
            return Err(DecodeError::SizeOutOfRange {
                parameter: self.name(parameter),
                size_bits: bits as f64,
            });
        }
        Ok(bits)
    }

    /// The raw value of a field that lies within the packet.
    #[inline]
    fn read(&self, step: &ReadStep, start: usize, size: usize) -> RawValue<'p> {
        match step.field.read {
            Read::Integer { bits, coding: IntegerCoding::Unsigned, order } => {
                RawValue::Unsigned(self.number(start, u32::from(bits), order))
            }
            Read::Integer { bits, coding: IntegerCoding::BinaryCodedDecimal, order } => {
                let number = self.number(start, u32::from(bits), order);
                match bits::decimal(number) {
                    Some(number) => RawValue::Unsigned(number),
                    None => RawValue::Binary(self.bytes(start, size)),
                }
            }
            Read::Integer { bits, coding, order } => {
                let number = self.number(start, u32::from(bits), order);
                RawValue::Signed(bits::signed(number, u32::from(bits), coding))
            }
            Read::Float { bits, coding, order } => {
                let number = self.number(start, u32::from(bits), order);
                RawValue::Float(bits::float(number, u32::from(bits), coding))
            }
            Read::Binary { .. } => RawValue::Binary(self.bytes(start, size)),
            Read::Text { format, .. } => {
                let format = &self.plan.text_formats[usize::from(format)];
                RawValue::Text(format.decode(self.bytes(start, size)))
            }
        }
    }

    #[inline]
    fn number(&self, start: usize, bits: u32, order: ByteOrder) -> u64 {
        bits::reorder(bits::read(self.packet, start, bits), bits, order)
    }

    fn bytes(&self, start: usize, size: usize) -> Cow<'p, [u8]> {
        if start.is_multiple_of(8) && size.is_multiple_of(8) {
            return Cow::Borrowed(&self.packet[start / 8..(start + size) / 8]);
        }
        Cow::Owned(bits::bytes(self.packet, start, size))
    }

    fn quantity_bits(
        &self,
        parameter: ParameterIndex,
        index: u32,
        multiple_of: f64,
    ) -> Result<usize, DecodeError> {
        let size_bits = self.quantity(index).unwrap_or(f64::NAN);
        if size_bits.is_finite() && size_bits >= 0.0 && size_bits % multiple_of == 0.0 {
            // Saturates, which is then too long for any packet.
            return Ok(size_bits as usize);
        }
        Err(DecodeError::SizeOutOfRange { parameter: self.name(parameter), size_bits })
    }

    fn quantity(&self, index: u32) -> Option<f64> {
        self.plan.quantities[index as usize].evaluate(&self.scope(None))
    }

    #[cold]
    fn too_many_repeats(&self, parameter: ParameterIndex) -> DecodeError {
        DecodeError::TooManyRepeats { parameter: self.name(parameter) }
    }

    #[cold]
    fn too_short(&self, parameter: ParameterIndex, needed_bits: usize) -> DecodeError {
        let parameter = self.name(parameter);
        DecodeError::TooShort { parameter, needed_bits, available_bits: self.packet_bits }
    }

    fn name(&self, parameter: ParameterIndex) -> String {
        self.dictionary.parameters().get(parameter.0 as usize).map_or_else(String::new, |p| p.name.clone())
    }
}

impl Quantity {
    /// `None` when what it depends on was not decoded or is no number.
    fn evaluate(&self, scope: &Scope<'_, '_>) -> Option<f64> {
        match self {
            Quantity::Fixed(value) => Some(*value as f64),
            Quantity::Linear { subject, slope, intercept } => {
                scope.number(*subject).map(|value| slope * value + intercept)
            }
            Quantity::Lookup(cases) => {
                let found = cases.iter().find(|(condition, _)| condition.holds(scope));
                found.map(|(_, value)| *value as f64)
            }
            Quantity::Span { first, last } => Some(last.evaluate(scope)? - first.evaluate(scope)? + 1.0),
        }
    }
}
