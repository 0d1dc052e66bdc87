//! What stands where in a container, for people: the compiled plan read back.

use crate::bits::{ByteOrder, FloatCoding, IntegerCoding};
use crate::calibration::{Calibrator, ContextCalibrators, Derivation};
use crate::condition::{Comparison, Condition, Operand, Operator, Register, Subject};
use crate::monitoring::{End, Levels, Range, RangeForm, Ranges, SEVERITIES};
use crate::plan::{Conversion, Field, NumberStep, Position, Quantity, Read, Size, Step};
use crate::times::{Origin, TimeScale};
use crate::{
    CompositeIndex, ContainerIndex, Dictionary, EnumerationLabel, MonitoringResult, ParameterIndex,
    ParameterKind,
};

/// One entry of a container, those of included containers among them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LayoutEntry {
    /// What it is.
    pub item: LayoutItem,
    /// Where it starts; `None` for what has no place of its own.
    pub start: Option<LayoutStart>,
    /// Bits it has, where they never vary.
    pub bits: Option<u32>,
    /// How many repeated or conditional entries it stands in.
    pub depth: u32,
}

/// What an entry is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LayoutItem {
    /// An aggregate or an array; its leaves follow.
    Composite(CompositeIndex),
    /// What follows, one deeper, is there only when this holds.
    Condition(String),
    /// A parameter.
    Parameter(ParameterIndex),
    /// What follows, one deeper, stands there as often as this says.
    Repeat(String),
    /// An element that is not supported yet; decoding stops there.
    Unsupported(String),
}

/// Where an entry starts, in bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LayoutStart {
    /// So far behind the end of the entry before.
    AfterPrevious(i32),
    /// So far behind the first bit of the packet.
    FromPacket(u32),
    /// So far behind the start of the included container.
    FromIncluded(i32),
}

impl Dictionary {
    /// The entries that a container adds to its base, in their order.
    pub fn layout(&self, container: ContainerIndex) -> Vec<LayoutEntry> {
        let plan = &self.compiled.plan;
        let steps = plan.containers[container.0 as usize].steps.clone();
        let (mut entries, mut open) = (Vec::new(), Vec::new());
        for at in steps {
            open.retain(|end| *end >= at);
            let depth = open.len() as u32;
            let (item, start, bits) = match plan.steps[at] {
                Step::Block(block) => {
                    let numbers = &plan.numbers[block.first as usize..(block.first + block.count) as usize];
                    entries.extend(numbers.iter().map(|number| LayoutEntry {
                        item: LayoutItem::Parameter(number.parameter),
                        start: Some(LayoutStart::FromPacket(number.start_bits)),
                        bits: Some(u32::from(number.bits)),
                        depth,
                    }));
                    continue;
                }
                Step::Composite(composite) => (LayoutItem::Composite(composite), None, None),
                Step::If { condition, skipped } => {
                    open.push(at + skipped as usize);
                    let text = self.condition_text(&plan.conditions[condition as usize]);
                    (LayoutItem::Condition(text), None, None)
                }
                Step::Locate { .. } | Step::Mark { .. } => continue,
                Step::Read(step) => {
                    let item = LayoutItem::Parameter(step.parameter);
                    (item, Some(start(step.position)), fixed_bits(step.field))
                }
                Step::Repeat(repeat) => {
                    open.push(at + repeat.body as usize);
                    let count = self.quantity_text(&plan.quantities[repeat.count as usize]);
                    (LayoutItem::Repeat(format!("{count} times")), Some(start(repeat.position)), None)
                }
                Step::Stop(stop) => (LayoutItem::Unsupported(plan.stops[stop as usize].clone()), None, None),
            };
            entries.push(LayoutEntry { item, start, bits, depth });
        }
        entries
    }

    /// What must hold for a packet to be this container and not just its base; `None` when nothing must.
    pub fn criteria(&self, container: ContainerIndex) -> Option<String> {
        let children = &self.compiled.plan.children;
        let child = children.iter().find(|child| child.container == container)?;
        let text = self.condition_text(&child.condition);
        (!text.is_empty()).then_some(text)
    }

    /// How a parameter stands in packets: `unsigned integer of 12 bits`; `None` when no container has it.
    pub fn encoding(&self, parameter: ParameterIndex) -> Option<String> {
        self.field(parameter).map(|field| self.encoding_text(field.read))
    }

    /// What is made of its raw value: `-50 + 0.01 x`; `None` when it stays as it is.
    pub fn calibration(&self, parameter: ParameterIndex) -> Option<String> {
        let plan = &self.compiled.plan;
        match self.field(parameter)?.conversion {
            Conversion::Calibrator(index) => Some(self.calibrator_text(&plan.calibrators[index as usize])),
            Conversion::ContextCalibrators(index) => {
                Some(self.contexts_text(&plan.context_calibrators[index as usize]))
            }
            Conversion::Time(index) => Some(self.time_text(&plan.time_scales[index as usize])),
            Conversion::Boolean | Conversion::Enumeration(_) | Conversion::Float | Conversion::Same => None,
        }
    }

    /// How its engineering values follow from its raw values alone; `None` where they are the raw values, or are made of
    /// more than these.
    pub fn derivation(&self, parameter: ParameterIndex) -> Option<Derivation> {
        match self.compiled.lone_fields.field(parameter)?.conversion {
            Conversion::Calibrator(index) => Derivation::of(&self.compiled.plan.calibrators[index as usize]),
            Conversion::Float => Some(Derivation::SAME),
            Conversion::Boolean
            | Conversion::ContextCalibrators(_)
            | Conversion::Enumeration(_)
            | Conversion::Same
            | Conversion::Time(_) => None,
        }
    }

    /// Its limits, one line for each context and one for all others; empty when it has none.
    pub fn limits(&self, parameter: ParameterIndex) -> Vec<String> {
        let watch = self.judging.watches[parameter.0 as usize];
        let Some(monitor) = self.judging.monitors.get(watch.monitor as usize) else { return Vec::new() };
        let in_context = monitor.contexts.iter().map(|(context, levels)| {
            format!("when {}: {}", self.condition_text(context), self.levels_text(parameter, levels))
        });
        let default = monitor.default.as_ref().map(|levels| {
            let prefix = if monitor.contexts.is_empty() { "" } else { "otherwise: " };
            format!("{prefix}{}", self.levels_text(parameter, levels))
        });
        in_context.chain(default).collect()
    }

    fn levels_text(&self, parameter: ParameterIndex, levels: &Levels) -> String {
        match levels {
            Levels::Ranges(ranges) => ranges_text(ranges),
            Levels::Labels { of_label, .. } => {
                let ParameterKind::Enumeration(labels) = &self.parameter(parameter).kind else {
                    return String::new();
                };
                let level = |(label, level): (&EnumerationLabel, &MonitoringResult)| {
                    level.is_violation().then(|| format!("{} is {level:?}", label.label))
                };
                labels.iter().zip(of_label).filter_map(level).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn field(&self, parameter: ParameterIndex) -> Option<Field> {
        let plan = &self.compiled.plan;
        let number = plan.numbers.iter().find(|number| number.parameter == parameter);
        let other = || {
            plan.steps.iter().find_map(|step| match step {
                Step::Read(step) if step.parameter == parameter => Some(step.field),
                _ => None,
            })
        };
        number.map(NumberStep::field).or_else(other)
    }

    fn encoding_text(&self, read: Read) -> String {
        match read {
            Read::Binary { size } => format!("bytes, {}", self.size_text(size)),
            Read::Float { bits, coding, order } => {
                let coding = match coding {
                    FloatCoding::Ieee754 => "IEEE 754",
                    FloatCoding::MilStd1750A => "MIL-STD-1750A",
                };
                format!("{coding} float of {bits} bits{}", order_text(order, bits))
            }
            Read::Integer { bits, coding, order } => {
                let coding = match coding {
                    IntegerCoding::BinaryCodedDecimal => "decimal digits",
                    IntegerCoding::OnesComplement => "ones' complement integer",
                    IntegerCoding::SignMagnitude => "sign and magnitude integer",
                    IntegerCoding::TwosComplement => "two's complement integer",
                    IntegerCoding::Unsigned => "unsigned integer",
                };
                format!("{coding} of {bits} bits{}", order_text(order, bits))
            }
            Read::Text { size, format } => {
                let format = &self.compiled.plan.text_formats[usize::from(format)];
                let ends =
                    if format.termination.is_some() { ", up to its termination character" } else { "" };
                match format.leading_bits {
                    Some(bits) => format!("{:?} text behind a length of {bits} bits{ends}", format.charset),
                    None => format!("{:?} text, {}{ends}", format.charset, self.size_text(size)),
                }
            }
        }
    }

    fn size_text(&self, size: Size) -> String {
        match size {
            Size::Fixed(bits) => format!("{bits} bits"),
            Size::OfText => "of its own length".to_owned(),
            Size::Quantity(index) => {
                format!("{} bits", self.quantity_text(&self.compiled.plan.quantities[index as usize]))
            }
        }
    }

    fn quantity_text(&self, quantity: &Quantity) -> String {
        match quantity {
            Quantity::Fixed(value) => value.to_string(),
            Quantity::Linear { subject, slope, intercept } => {
                let slope = if *slope == 1.0 { String::new() } else { format!("{slope} · ") };
                let intercept = match *intercept {
                    0.0 => String::new(),
                    below if below < 0.0 => format!(" - {}", -below),
                    above => format!(" + {above}"),
                };
                format!("{slope}{}{intercept}", self.subject_text(*subject))
            }
            Quantity::Lookup(cases) => {
                let case = |(condition, value): &(Condition, i64)| {
                    format!("{value} when {}", self.condition_text(condition))
                };
                cases.iter().map(case).collect::<Vec<_>>().join(", ")
            }
            Quantity::Span { first, last } => {
                format!("from {} to {}", self.quantity_text(first), self.quantity_text(last))
            }
        }
    }

    /// A condition as people read it: `MODE == SAFE and GAIN >= 4`.
    pub(crate) fn condition_text(&self, condition: &Condition) -> String {
        let joined = |parts: &[Condition], word: &str| {
            let part = |part: &Condition| match part {
                Condition::Any(parts) if parts.len() > 1 => format!("({})", self.condition_text(part)),
                _ => self.condition_text(part),
            };
            parts.iter().map(part).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(word)
        };
        match condition {
            Condition::All(parts) => joined(parts, " and "),
            Condition::Any(parts) => joined(parts, " or "),
            Condition::Comparison(comparison) => self.comparison_text(comparison),
        }
    }

    fn comparison_text(&self, comparison: &Comparison) -> String {
        let operator = match comparison.operator {
            Operator::Equal => "==",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::NotEqual => "!=",
        };
        let operand = match &comparison.operand {
            Operand::Boolean(value) => value.to_string(),
            Operand::Float(value) => value.to_string(),
            Operand::Integer(value) => value.to_string(),
            Operand::Labels(labels) => self.label_text(comparison.subject.register, labels),
            Operand::Other(other) => self.subject_text(*other),
            Operand::Text(text) => format!("{text:?}"),
        };
        format!("{} {operator} {operand}", self.subject_text(comparison.subject))
    }

    fn label_text(&self, register: Register, labels: &[u32]) -> String {
        let parameter = self.registered(register).map(|index| &self.parameter(index).kind);
        match (parameter, labels.first()) {
            (Some(ParameterKind::Enumeration(known)), Some(first)) => {
                known.get(*first as usize).map_or_else(String::new, |label| label.label.clone())
            }
            _ => String::new(),
        }
    }

    fn subject_text(&self, subject: Subject) -> String {
        let name = self.registered(subject.register).map(|index| self.parameter(index).short_name.as_str());
        let raw = if subject.is_calibrated { "" } else { " (raw)" };
        format!("{}{raw}", name.unwrap_or("?"))
    }

    /// The parameter that a register stands for.
    pub(crate) fn registered(&self, register: Register) -> Option<ParameterIndex> {
        let place = self.judging.watches.iter().position(|watch| watch.register == register)?;
        Some(ParameterIndex(place as u32))
    }

    fn calibrator_text(&self, calibrator: &Calibrator) -> String {
        match calibrator {
            Calibrator::Math(steps) => format!("a calculation of {} steps", steps.len()),
            Calibrator::Polynomial(coefficients) => polynomial_text(coefficients),
            Calibrator::Spline(spline) => {
                let outside = if spline.extrapolates { "extrapolated" } else { "invalid outside" };
                format!("{} points, {:?}, {outside}", spline.points.len(), spline.interpolation)
            }
        }
    }

    fn contexts_text(&self, calibrators: &ContextCalibrators) -> String {
        let case = |(condition, calibrator): &(Condition, Calibrator)| {
            format!("{} when {}", self.calibrator_text(calibrator), self.condition_text(condition))
        };
        let default =
            calibrators.default.as_ref().map(|it| format!("{} otherwise", self.calibrator_text(it)));
        calibrators.contexts.iter().map(case).chain(default).collect::<Vec<_>>().join("; ")
    }

    fn time_text(&self, scale: &TimeScale) -> String {
        let origin = match scale.origin {
            Origin::Continuous(start) => start.to_string(),
            Origin::LeapSecondsSkipped { unix_seconds } => {
                let start =
                    space_packet::TaiTime::from_unix_nanos(unix_seconds.saturating_mul(1_000_000_000));
                format!("{start}, leap seconds not counted")
            }
            Origin::Parameter(register) => self.subject_text(Subject { register, is_calibrated: true }),
        };
        format!("{} s a tick, {} s more, from {origin}", scale.scale_s, scale.offset_s)
    }
}

fn start(position: Position) -> LayoutStart {
    match position {
        Position::Absolute(bit) => LayoutStart::FromPacket(bit),
        Position::Marked { distance, .. } => LayoutStart::FromIncluded(distance),
        Position::Relative(distance) => LayoutStart::AfterPrevious(distance),
    }
}

fn fixed_bits(field: Field) -> Option<u32> {
    match field.read {
        Read::Float { bits, .. } | Read::Integer { bits, .. } => Some(u32::from(bits)),
        Read::Binary { size: Size::Fixed(bits) } | Read::Text { size: Size::Fixed(bits), .. } => Some(bits),
        Read::Binary { .. } | Read::Text { .. } => None,
    }
}

fn order_text(order: ByteOrder, bits: u8) -> String {
    match order {
        ByteOrder::LeastSignificantFirst => ", least significant byte first".to_owned(),
        ByteOrder::Listed(significance) => {
            let listed: Vec<_> = significance[..usize::from(bits / 8)].iter().map(u8::to_string).collect();
            format!(", bytes of significance {}", listed.join(","))
        }
        ByteOrder::MostSignificantFirst => String::new(),
    }
}

fn polynomial_text(coefficients: &[f64]) -> String {
    let term = |(power, coefficient): (usize, &f64)| match power {
        0 => format!("{coefficient}"),
        1 => format!("{coefficient} x"),
        _ => format!("{coefficient} x^{power}"),
    };
    let terms: Vec<_> =
        coefficients.iter().enumerate().filter(|(_, value)| **value != 0.0).map(term).collect();
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ").replace("+ -", "- ") }
}

fn ranges_text(ranges: &Ranges) -> String {
    let end = |end: &End| format!("{}{}", end.value, if end.is_inclusive { "" } else { " (itself outside)" });
    let what = if ranges.form == RangeForm::Inside { "within" } else { "outside" };
    let level = |(level, range): (&MonitoringResult, &Option<Range>)| {
        let range = range.as_ref()?;
        let low = range.low.as_ref().map_or("…".to_owned(), end);
        let high = range.high.as_ref().map_or("…".to_owned(), end);
        Some(format!("{level:?} {what} {low} to {high}"))
    };
    SEVERITIES.iter().zip(&ranges.ranges).filter_map(level).collect::<Vec<_>>().join(", ")
}
