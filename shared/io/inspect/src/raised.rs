//! Which alarms stand after each packet, for limits that one violation does not yet raise.

use std::collections::HashMap;

use mission_database::{DecodedPacket, Dictionary, ParameterIndex};
use processing::{AlarmRaising, JudgedSample};
use space_packet::{GenerationTime, TaiTime};

/// The alarms of a recording, by parameter.
#[derive(Default)]
pub(crate) struct RaisedAlarms {
    alarms: HashMap<ParameterIndex, AlarmRaising>,
}

impl RaisedAlarms {
    /// Takes a packet in its turn and says of its parameters that need several violations whether their alarms stand.
    pub(crate) fn on_packet(
        &mut self,
        number: u64,
        dictionary: &Dictionary,
        packet: &DecodedPacket<'_>,
    ) -> Vec<(ParameterIndex, bool)> {
        // Nothing says here where packets carry their time: they count in the order in which they were recorded.
        let generation = GenerationTime(TaiTime(i64::try_from(number).unwrap_or(i64::MAX)));
        let mut found: Vec<(ParameterIndex, bool)> = Vec::new();
        for (index, value) in packet.values.iter().enumerate() {
            let rule = dictionary.alarm_rule(value.parameter).filter(|rule| rule.persistence > 1);
            let Some(rule) = rule else { continue };
            let within = match rule.hysteresis > 0.0 {
                true => dictionary.monitoring_within(&packet.values, index, rule.hysteresis),
                false => value.monitoring,
            };
            let number = value.engineering.as_f64();
            let sample = JudgedSample { generation, monitoring: value.monitoring, within, number };
            let standing = self.alarms.entry(value.parameter).or_default().on_sample(&sample, &rule);
            match found.iter_mut().find(|(known, _)| *known == value.parameter) {
                Some((_, is_raised)) => *is_raised = standing.is_raised(),
                None => found.push((value.parameter, standing.is_raised())),
            }
        }
        found
    }
}
