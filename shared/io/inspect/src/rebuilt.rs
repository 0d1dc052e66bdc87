//! A decoded packet as its container has it: aggregates and arrays made whole again, what occurs more than once
//! put together.

use std::collections::HashMap;

use mission_database::{
    CompositeIndex, DecodedComposite, DecodedPacket, DecodedValue, Dictionary, ParameterIndex, Shape,
};

/// What is shown under one name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Key {
    Composite(CompositeIndex),
    Parameter(ParameterIndex),
}

/// A value, or the values that make one up.
#[derive(Debug, PartialEq)]
pub(crate) enum Rebuilt<'p> {
    Aggregate(Vec<(&'p str, Rebuilt<'p>)>),
    Array(Vec<Rebuilt<'p>>),
    Value(&'p DecodedValue<'p>),
}

/// Everything in a packet, in the order of first occurrence; what occurs more than once has several values.
pub(crate) fn entries<'p>(
    dictionary: &'p Dictionary,
    packet: &'p DecodedPacket<'p>,
) -> Vec<(Key, Vec<Rebuilt<'p>>)> {
    let mut found: Vec<(Key, Vec<Rebuilt<'p>>)> = Vec::with_capacity(packet.values.len());
    let mut places = HashMap::with_capacity(packet.values.len());
    let mut walk = Walk { packet, value: 0, length: 0 };
    let mut composites = packet.composites.iter().peekable();
    loop {
        let due = composites.next_if(|composite| composite.first_value as usize <= walk.value);
        let (key, rebuilt) = match due {
            Some(composite) => {
                let shape = &dictionary.composite(composite.composite).shape;
                // Of a packet that ended before its first value nothing is there to show.
                let Some(rebuilt) = walk.composite(composite, shape) else { continue };
                (Key::Composite(composite.composite), rebuilt)
            }
            None => {
                let Some(value) = packet.values.get(walk.value) else { break };
                walk.value += 1;
                (Key::Parameter(value.parameter), Rebuilt::Value(value))
            }
        };
        let place = *places.entry(key).or_insert_with(|| {
            found.push((key, Vec::with_capacity(1)));
            found.len() - 1
        });
        found[place].1.push(rebuilt);
    }
    found
}

/// Where a walk over shapes stands among a packet's values and array lengths.
struct Walk<'p> {
    packet: &'p DecodedPacket<'p>,
    value: usize,
    length: usize,
}

impl<'p> Walk<'p> {
    fn composite(&mut self, composite: &DecodedComposite, shape: &'p Shape) -> Option<Rebuilt<'p>> {
        self.length = composite.first_length as usize;
        self.shape(shape)
    }

    /// As much of a shape as the packet held; `None` when it ended before.
    fn shape(&mut self, shape: &'p Shape) -> Option<Rebuilt<'p>> {
        match shape {
            Shape::Aggregate(members) => {
                let present = members.iter().map_while(|(name, member)| Some((&**name, self.shape(member)?)));
                let present: Vec<_> = present.collect();
                (!present.is_empty()).then_some(Rebuilt::Aggregate(present))
            }
            Shape::Array(element) => {
                let elements = *self.packet.lengths.get(self.length)?;
                self.length += 1;
                // The length is the packet's word: what it promises and the packet does not hold ends the list.
                Some(Rebuilt::Array((0..elements).map_while(|_| self.shape(element)).collect()))
            }
            Shape::Leaf(parameter) => {
                let value =
                    self.packet.values.get(self.value).filter(|value| value.parameter == *parameter)?;
                self.value += 1;
                Some(Rebuilt::Value(value))
            }
        }
    }
}
