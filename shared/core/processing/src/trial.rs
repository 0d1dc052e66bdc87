//! What limits would have raised: alarms counted as the watch of live data would raise them, over samples that are
//! passed in order of generation time.

use mission_database::{
    AlarmRule, DecodedValue, Dictionary, EngineeringValue, MissionDatabase, MonitoringResult, ParameterIndex,
    ParameterKind, RawValue, Reading,
};
use space_packet::GenerationTime;

use crate::alarm::AlarmSeverity;
use crate::{AlarmRaising, AlarmStanding, Engineering, JudgedSample, Raw, Sample};

/// Alarms that were at worst of one severity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Excursions {
    /// How many.
    pub count: u64,
    /// When the first was raised.
    pub first: Option<GenerationTime>,
    /// When the last was raised.
    pub last: Option<GenerationTime>,
    /// Seconds that they stood, all together.
    pub total_s: f64,
    /// The value farthest beyond its limit, in the parameter's unit; `None` where none is a finite number.
    pub worst: Option<f64>,
    worst_by: By,
}

/// How bad a value is: the limit it breaks, and by how much.
type By = (MonitoringResult, f64);

/// Counts what the limits of one parameter would have raised.
#[derive(Debug)]
pub struct LimitTrial {
    dictionary: Dictionary,
    parameter: ParameterIndex,
    /// Absent where there are no limits.
    rule: Option<AlarmRule>,
    raising: AlarmRaising,
    running: Option<Running>,
    newest: Option<GenerationTime>,
    found: [Excursions; 5],
}

/// An alarm, from its first violation on.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    raised: Option<GenerationTime>,
    severity: Option<AlarmSeverity>,
    worst: Option<f64>,
    worst_by: By,
}

impl LimitTrial {
    /// Judges by a dictionary's limits; the index is this dictionary's own.
    pub fn new(dictionary: Dictionary, parameter: ParameterIndex) -> Self {
        let rule = dictionary.alarm_rule(parameter);
        let raising = AlarmRaising::default();
        Self { dictionary, parameter, rule, raising, running: None, newest: None, found: Default::default() }
    }

    /// Takes the next sample: the last of these values. Before it stand those of its packet that its contexts ask for.
    pub fn on_sample(&mut self, generation: GenerationTime, values: &[DecodedValue<'_>]) {
        let (Some(rule), Some(last)) = (self.rule, values.len().checked_sub(1)) else { return };
        let monitoring = self.dictionary.monitoring_within(values, last, 0.0);
        let is_held = rule.hysteresis > 0.0 && self.raising.standing().violations() > 0;
        let within = if is_held {
            self.dictionary.monitoring_within(values, last, rule.hysteresis)
        } else {
            monitoring
        };
        let number = values[last].engineering.as_f64();
        let standing =
            self.raising.on_sample(&JudgedSample { generation, monitoring, within, number }, &rule);
        if standing == AlarmStanding::Calm {
            self.end(generation);
        } else {
            let broken = || {
                let number = number.filter(|number| number.is_finite() && monitoring.is_violation())?;
                let limit = self.dictionary.broken_limit(self.parameter, number, values)?;
                Some((number, (monitoring, (number - limit).abs())))
            };
            let broken = broken();
            self.running.get_or_insert_default().go_on(generation, standing, broken);
        }
        self.newest = Some(generation);
    }

    /// What was found, the least severe first. What stands is counted up to the last sample.
    pub fn finish(mut self) -> [Excursions; 5] {
        if let Some(newest) = self.newest {
            self.end(newest);
        }
        self.found
    }

    fn end(&mut self, at: GenerationTime) {
        let Some(Running { raised: Some(raised), severity: Some(severity), worst, worst_by }) =
            self.running.take()
        else {
            return;
        };
        let found = &mut self.found[severity as usize];
        found.count += 1;
        found.first = found.first.or(Some(raised));
        found.last = Some(raised);
        found.total_s += (at.0.0 - raised.0.0) as f64 / 1e9;
        if worst.is_some() && (found.worst.is_none() || worst_by > found.worst_by) {
            (found.worst, found.worst_by) = (worst, worst_by);
        }
    }
}

impl Running {
    fn go_on(&mut self, generation: GenerationTime, standing: AlarmStanding, broken: Option<(f64, By)>) {
        if standing.is_raised() {
            self.raised.get_or_insert(generation);
            self.severity = self.severity.max(AlarmSeverity::try_from(standing.severity()).ok());
        }
        if let Some((number, by)) = broken
            && (self.worst.is_none() || by > self.worst_by)
        {
            (self.worst, self.worst_by) = (Some(number), by);
        }
    }
}

impl Sample {
    /// The sample as a value of a packet that a reading's dictionary decodes; `None` where that does not have the
    /// parameter, or nothing in the place of the label.
    pub fn decoded<'a>(
        &'a self,
        database: &'a MissionDatabase,
        reading: &Reading,
    ) -> Option<DecodedValue<'a>> {
        let parameter = reading.dictionary_index(self.parameter)?;
        let engineering = match self.engineering(database) {
            Engineering::Binary(bytes) => EngineeringValue::Binary(bytes.into()),
            Engineering::Boolean(value) => EngineeringValue::Boolean(value),
            Engineering::Float(number) => EngineeringValue::Float(number),
            Engineering::Label(text) => label(&reading.dictionary.parameter(parameter).kind, text)?,
            Engineering::None => EngineeringValue::None,
            Engineering::Signed(number) => EngineeringValue::Signed(number),
            Engineering::Text(text) => EngineeringValue::Text(text.into()),
            Engineering::Time(time) => EngineeringValue::Time(time),
            Engineering::Unsigned(number) => EngineeringValue::Unsigned(number),
        };
        let raw = match &self.raw {
            Raw::Binary(bytes) => RawValue::Binary(bytes.as_ref().into()),
            Raw::Float(number) => RawValue::Float(*number),
            Raw::Signed(number) => RawValue::Signed(*number),
            Raw::Text(text) => RawValue::Text(text.as_ref().into()),
            Raw::Unsigned(number) => RawValue::Unsigned(*number),
        };
        let (validity, monitoring) = (self.validity, MonitoringResult::NotMonitored);
        Some(DecodedValue { parameter, raw, engineering, validity, monitoring })
    }
}

fn label<'a>(kind: &ParameterKind, text: &str) -> Option<EngineeringValue<'a>> {
    let ParameterKind::Enumeration(labels) = kind else { return None };
    let place = labels.iter().position(|label| label.label == text)?;
    Some(EngineeringValue::Label(place as u32))
}

#[cfg(test)]
mod tests {
    use mission_database::{BoundMeaning, LimitsOverlay};
    use space_packet::TaiTime;

    use super::*;

    const XTCE: &str = r#"<SpaceSystem name="T"><TelemetryMetaData><ParameterTypeSet>
        <FloatParameterType name="F"><FloatDataEncoding sizeInBits="64"/></FloatParameterType>
        <EnumeratedParameterType name="M"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>
        <Enumeration value="0" label="IDLE"/><Enumeration value="1" label="SAFE"/></EnumerationList>
        </EnumeratedParameterType></ParameterTypeSet>
        <ParameterSet><Parameter name="MODE" parameterTypeRef="M"/><Parameter name="VOLTS" parameterTypeRef="F"/>
        </ParameterSet><ContainerSet><SequenceContainer name="C"><EntryList>
        <ParameterRefEntry parameterRef="MODE"/><ParameterRefEntry parameterRef="VOLTS"/>
        </EntryList></SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

    /// What limits make of one value a second, each with its mode.
    fn tried(limits: &str, values: &[(u32, f64)]) -> [Excursions; 5] {
        let dictionary = Dictionary::from_xtce("t.xml", XTCE).expect("loads");
        let overlay = LimitsOverlay::parse("l.csv", limits, Some(BoundMeaning::Good)).expect("reads");
        let rows: Vec<_> = overlay.rows.iter().collect();
        let dictionary = dictionary.with_limits(&rows).expect("fits");
        let [mode, volts] = ["/T/MODE", "/T/VOLTS"].map(|name| dictionary.find(name).expect("is there"));
        let mut trial = LimitTrial::new(dictionary, volts);
        for (second, (label, number)) in (0..).zip(values) {
            let value = |parameter, raw, engineering| DecodedValue {
                parameter,
                raw,
                engineering,
                validity: mission_database::Validity::Valid,
                monitoring: MonitoringResult::NotMonitored,
            };
            let beside = value(mode, RawValue::Unsigned(u64::from(*label)), EngineeringValue::Label(*label));
            let own = value(volts, RawValue::Float(*number), EngineeringValue::Float(*number));
            trial.on_sample(GenerationTime(TaiTime(second * 1_000_000_000)), &[beside, own]);
        }
        trial.finish()
    }

    fn check(limits: &str, values: &[(u32, f64)], expected: &[(usize, u64, i64, i64, f64, f64)]) {
        let second = |time: Option<GenerationTime>| time.map_or(-1, |time| time.0.0 / 1_000_000_000);
        let found: Vec<_> = tried(limits, values)
            .iter()
            .enumerate()
            .filter(|(_, found)| found.count > 0)
            .map(|(level, found)| {
                let worst = found.worst.unwrap_or(f64::NAN);
                (level, found.count, second(found.first), second(found.last), found.total_s, worst)
            })
            .collect();
        assert_eq!(found, expected, "{limits}");
    }

    fn idle(numbers: &[f64]) -> Vec<(u32, f64)> {
        numbers.iter().map(|number| (0, *number)).collect()
    }

    #[test]
    fn alarms_are_counted_once_each_by_the_worst_that_they_were() {
        let limits = "parameter,warning_high,critical_high\nVOLTS,10,20\n";
        check(
            limits,
            &idle(&[1.0, 11.0, 12.0, 9.0, 15.0, 25.0, 11.0, 5.0]),
            &[(1, 1, 1, 1, 2.0, 12.0), (3, 1, 4, 4, 3.0, 25.0)],
        );
        check(limits, &idle(&[11.0, 9.0, 14.0, 9.0, 12.0]), &[(1, 3, 0, 4, 2.0, 14.0)]);
        check(limits, &idle(&[1.0, 10.0]), &[]);
    }

    #[test]
    fn persistence_and_hysteresis_count_as_they_do_live() {
        let persistent = "parameter,warning_high,persistence\nVOLTS,10,3\n";
        check(persistent, &idle(&[11.0, 11.0, 9.0, 11.0, 12.0, 13.0, 9.0]), &[(1, 1, 5, 5, 1.0, 13.0)]);
        let held = "parameter,warning_high,hysteresis\nVOLTS,10,2\n";
        check(held, &idle(&[11.0, 9.0, 11.0, 7.0]), &[(1, 1, 0, 0, 3.0, 11.0)]);
    }

    #[test]
    fn contexts_are_looked_up_in_the_same_packet() {
        let limits = "parameter,context,warning_low\nVOLTS,MODE=SAFE,5\nVOLTS,,1\n";
        check(limits, &[(0, 3.0), (1, 3.0), (0, 3.0)], &[(1, 1, 1, 1, 1.0, 3.0)]);
    }

    #[test]
    fn what_is_not_finite_is_an_alarm_without_a_worst_value() {
        let limits = "parameter,warning_high\nVOLTS,10\n";
        let [_, warning, ..] = tried(limits, &idle(&[1.0, f64::INFINITY, 1.0]));
        assert_eq!((warning.count, warning.worst), (1, None));
    }
}
