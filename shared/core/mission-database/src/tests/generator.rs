//! Random dictionaries, each with a packet and the values that were put into it.
//!
//! The encoder here shares nothing with the decoder: it knows values first and writes their bits one by one.

mod fields;
mod numbers;
mod texts;

use crate::{EngineeringValue, RawValue};
use fields::{Field, FieldSize};

/// Random choices. When the bytes run out every choice is the first one, so fewer bytes mean a smaller case.
pub(super) struct Choices<'c>(pub(super) &'c [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number less than `end`, at most 256 of them.
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    /// A number of so many bits.
    fn bits(&mut self, count: u32) -> u64 {
        let joined = (0..8).fold(0, |joined, _| joined << 8 | u64::from(self.byte()));
        joined >> (64 - count)
    }
}

/// A document, a packet, and what the packet must decode to.
pub(super) struct Case {
    pub(super) xml: String,
    pub(super) packet: Vec<u8>,
    /// Full name of the container the packet ends in.
    pub(super) container: String,
    pub(super) values: Vec<Expected>,
}

#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// Full name.
    pub(super) parameter: String,
    pub(super) raw: RawValue<'static>,
    pub(super) engineering: EngineeringValue<'static>,
}

pub(super) fn case(bytes: &[u8]) -> Case {
    let mut generator = Generator {
        choices: Choices(bytes),
        types: String::new(),
        parameters: String::new(),
        containers: String::new(),
        included: String::new(),
        bits: Vec::new(),
        values: Vec::new(),
        is_present: true,
        named: 0,
    };
    let last = generator.family();
    let Generator { types, parameters, containers, included, bits, values, .. } = generator;
    let packet = bits
        .chunks(8)
        .map(|byte| byte.iter().zip((0..8).rev()).map(|(bit, place)| u8::from(*bit) << place).sum());
    let xml = format!(
        "<SpaceSystem name='S'><TelemetryMetaData><ParameterTypeSet>\n{types}</ParameterTypeSet><ParameterSet>\n{parameters}\
         </ParameterSet><ContainerSet>\n{containers}{included}</ContainerSet></TelemetryMetaData></SpaceSystem>"
    );
    Case { xml, packet: packet.collect(), container: last, values }
}

struct Generator<'c> {
    choices: Choices<'c>,
    types: String,
    parameters: String,
    containers: String,
    /// Containers without a base, which must not stand first.
    included: String,
    bits: Vec<bool>,
    values: Vec<Expected>,
    /// Whether what is being generated is in the packet.
    is_present: bool,
    named: usize,
}

/// How deep containers include each other.
const DEPTH_MAX: usize = 3;

impl Generator<'_> {
    fn name(&mut self, prefix: &str) -> String {
        self.named += 1;
        format!("{prefix}{}", self.named)
    }

    fn parameter(&mut self, name: &str, its_type: &str) {
        self.parameters += &format!("<Parameter name='{name}' parameterTypeRef='{its_type}'/>\n");
    }

    /// One value into the packet.
    fn put(&mut self, parameter: &str, field: &Field) {
        let value = field.value(&mut self.choices);
        if self.is_present {
            self.bits.extend(value.bits);
            let parameter = format!("/S/{parameter}");
            self.values.push(Expected { parameter, raw: value.raw, engineering: value.engineering });
        }
    }

    fn junk(&mut self, bits: usize) {
        for _ in 0..bits {
            let bit = self.choices.flag();
            self.bits.extend(self.is_present.then_some(bit));
        }
    }

    /// A container, those that derive from it, and others that would under other circumstances.
    fn family(&mut self) -> String {
        let mut current = "C0".to_owned();
        let mut base = String::new();
        for generation in 0..=self.choices.below(3) {
            let mut entries = self.entries(0);
            let (selector, selected) = self.selector(&mut entries);
            self.containers += &format!(
                "<SequenceContainer name='{current}' abstract='{}'><EntryList>{entries}</EntryList>{base}</SequenceContainer>\n",
                self.choices.flag()
            );
            let derives = |value: u64| {
                format!(
                    "<BaseContainer containerRef='{current}'><RestrictionCriteria><Comparison parameterRef='{selector}' \
                     value='{value}'/></RestrictionCriteria></BaseContainer>"
                )
            };
            let other = derives(selected ^ 1);
            self.containers +=
                &format!("<SequenceContainer name='Not{generation}'>{other}</SequenceContainer>\n");
            base = derives(selected);
            current = format!("C{}", generation + 1);
        }
        let entries = self.entries(0);
        self.containers += &format!(
            "<SequenceContainer name='{current}'><EntryList>{entries}</EntryList>{base}</SequenceContainer>\n"
        );
        format!("/S/{current}")
    }

    /// An entry that says a number.
    fn selector(&mut self, entries: &mut String) -> (String, u64) {
        let value = self.choices.bits(8);
        (self.counter(entries, value), value)
    }

    fn counter(&mut self, entries: &mut String, value: u64) -> String {
        let (name, its_type) = (self.name("N"), self.name("T"));
        let field = Field::counter(value);
        self.types += &field.written(&its_type);
        self.parameter(&name, &its_type);
        *entries += &format!("<ParameterRefEntry parameterRef='{name}'/>");
        self.put(&name, &field);
        name
    }

    fn entries(&mut self, depth: usize) -> String {
        let mut entries = String::new();
        for _ in 0..self.choices.below(4) {
            match self.choices.below(8) {
                0 | 1 => self.single(&mut entries),
                2 => self.repeated(&mut entries),
                3 => self.array(&mut entries),
                4 => self.conditional(&mut entries, depth),
                5 if depth < DEPTH_MAX => {
                    let included = self.included(depth);
                    entries += &format!("<ContainerRefEntry containerRef='{included}'/>");
                }
                6 => self.located(&mut entries),
                _ => self.aggregate(&mut entries),
            }
        }
        entries
    }

    /// A new type, with an entry before that says its size when it varies.
    fn field(&mut self, entries: &mut String) -> (String, Field) {
        let its_type = self.name("T");
        let mut field = Field::random(&mut self.choices);
        if let FieldSize::Counted { count, parameter } = &mut field.size {
            let count = *count as u64;
            *parameter = self.name_of_count(entries, count);
        }
        self.types += &field.written(&its_type);
        (its_type, field)
    }

    fn name_of_count(&mut self, entries: &mut String, count: u64) -> String {
        self.counter(entries, count)
    }

    fn single(&mut self, entries: &mut String) {
        let (its_type, field) = self.field(entries);
        let name = self.name("P");
        self.parameter(&name, &its_type);
        *entries += &format!("<ParameterRefEntry parameterRef='{name}'/>");
        self.put(&name, &field);
    }

    fn located(&mut self, entries: &mut String) {
        let (its_type, field) = self.field(entries);
        let (name, gap) = (self.name("P"), self.choices.below(20));
        self.parameter(&name, &its_type);
        *entries += &format!(
            "<ParameterRefEntry parameterRef='{name}'><LocationInContainerInBits referenceLocation='previousEntry'>\
             <FixedValue>{gap}</FixedValue></LocationInContainerInBits></ParameterRefEntry>"
        );
        self.junk(gap);
        self.put(&name, &field);
    }

    fn repeated(&mut self, entries: &mut String) {
        let (its_type, field) = self.field(entries);
        let (count, gap) = (self.choices.below(4), self.choices.below(10));
        let quantity = self.quantity(entries, count, 0);
        let name = self.name("P");
        self.parameter(&name, &its_type);
        *entries += &format!(
            "<ParameterRefEntry parameterRef='{name}'><RepeatEntry><Count>{quantity}</Count><Offset><FixedValue>{gap}\
             </FixedValue></Offset></RepeatEntry></ParameterRefEntry>"
        );
        for turn in 0..count {
            self.junk(if turn > 0 { gap } else { 0 });
            self.put(&name, &field);
        }
    }

    /// A number less `minus`, said by the document or by the packet.
    fn quantity(&mut self, entries: &mut String, count: usize, minus: usize) -> String {
        if self.choices.flag() {
            let name = self.counter(entries, count as u64);
            return format!(
                "<DynamicValue><ParameterInstanceRef parameterRef='{name}'/><LinearAdjustment intercept='-{minus}'/>\
                 </DynamicValue>"
            );
        }
        // A dimension without elements cannot be written as an index.
        let index = count.checked_sub(minus);
        match index {
            Some(index) => format!("<FixedValue>{index}</FixedValue>"),
            None => format!(
                "<DynamicValue><ParameterInstanceRef parameterRef='{}'/></DynamicValue>",
                self.counter(entries, 0)
            )
            .replace("/></Dyn", &format!("/><LinearAdjustment intercept='-{minus}'/></Dyn")),
        }
    }

    fn array(&mut self, entries: &mut String) {
        let (element, field) = self.field(entries);
        let lengths: Vec<usize> = (0..=self.choices.below(2)).map(|_| self.choices.below(4)).collect();
        let dimensions: String = lengths
            .iter()
            .map(|length| {
                let last = self.quantity(entries, *length, 1);
                format!("<Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex><EndingIndex>{last}</EndingIndex></Dimension>")
            })
            .collect();
        let (name, its_type) = (self.name("P"), self.name("T"));
        self.types += &format!(
            "<ArrayParameterType name='{its_type}' arrayTypeRef='{element}'><DimensionList>{dimensions}</DimensionList>\
             </ArrayParameterType>\n"
        );
        self.parameter(&name, &its_type);
        *entries += &format!("<ParameterRefEntry parameterRef='{name}'/>");
        for _ in 0..lengths.iter().product() {
            self.put(&name, &field);
        }
    }

    /// Now and then an array of aggregates.
    fn aggregate(&mut self, entries: &mut String) {
        let members: Vec<_> = (0..=self.choices.below(3)).map(|_| self.field(entries)).collect();
        let written: String = members
            .iter()
            .enumerate()
            .map(|(place, (its_type, _))| format!("<Member name='m{place}' typeRef='{its_type}'/>"))
            .collect();
        let (name, mut its_type) = (self.name("P"), self.name("T"));
        self.types += &format!(
            "<AggregateParameterType name='{its_type}'><MemberList>{written}</MemberList></AggregateParameterType>\n"
        );
        let mut count = 1;
        if self.choices.flag() {
            count = self.choices.below(4);
            let last = self.quantity(entries, count, 1);
            let element = std::mem::replace(&mut its_type, self.name("T"));
            self.types += &format!(
                "<ArrayParameterType name='{its_type}' arrayTypeRef='{element}'><DimensionList><Dimension><EndingIndex>{last}\
                 </EndingIndex></Dimension></DimensionList></ArrayParameterType>\n"
            );
        }
        self.parameter(&name, &its_type);
        *entries += &format!("<ParameterRefEntry parameterRef='{name}'/>");
        for _ in 0..count {
            for (place, (_, field)) in members.iter().enumerate() {
                self.put(&format!("{name}/m{place}"), field);
            }
        }
    }

    /// A container that is included when a number is what it should be.
    fn conditional(&mut self, entries: &mut String, depth: usize) {
        let (selector, selected) = self.selector(entries);
        let holds = self.choices.flag();
        let value = if holds { selected } else { selected ^ 1 };
        let was_present = self.is_present;
        self.is_present &= holds;
        let included = self.included(depth);
        self.is_present = was_present;
        *entries += &format!(
            "<ContainerRefEntry containerRef='{included}'><IncludeCondition><Comparison parameterRef='{selector}' \
             value='{value}'/></IncludeCondition></ContainerRefEntry>"
        );
    }

    /// A container whose last entry is placed from its start, wherever that is.
    fn included(&mut self, depth: usize) -> String {
        let name = self.name("I");
        let start = self.bits.len();
        let mut entries = if depth < DEPTH_MAX { self.entries(depth + 1) } else { String::new() };
        // Before the place is known: an entry that says a size.
        let (its_type, field) = self.field(&mut entries);
        let (last, gap) = (self.name("P"), self.choices.below(20));
        self.parameter(&last, &its_type);
        self.junk(gap);
        let distance = self.bits.len() - start;
        entries += &format!(
            "<ParameterRefEntry parameterRef='{last}'><LocationInContainerInBits referenceLocation='containerStart'>\
             <FixedValue>{distance}</FixedValue></LocationInContainerInBits></ParameterRefEntry>"
        );
        self.put(&last, &field);
        self.included += &format!(
            "<SequenceContainer name='{name}'><EntryList>{entries}</EntryList></SequenceContainer>\n"
        );
        name
    }
}
