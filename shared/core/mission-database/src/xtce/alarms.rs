//! Alarms of a type, and the range that is valid for it.

use std::collections::HashMap;

use roxmltree::Node;

use super::criteria::Place;
use super::document::{elements, local};
use crate::monitoring::{End, Levels, Monitor, Range, RangeForm, Ranges, ValidRange};
use crate::{AlarmRule, MonitoringResult, ParameterKind, XtceError};

const RANGES: [&str; 5] = ["WatchRange", "WarningRange", "DistressRange", "CriticalRange", "SevereRange"];

impl Place<'_, '_, '_, '_> {
    /// What `DefaultAlarm` and `ContextAlarmList` say; `None` when there is nothing to judge by.
    pub(super) fn monitor(
        &self,
        kind: &ParameterKind,
        default: Option<Node<'_, '_>>,
        contexts: Option<Node<'_, '_>>,
    ) -> Result<Option<Monitor>, XtceError> {
        let mut monitor = Monitor { contexts: Box::default(), default: None, rule: AlarmRule::default() };
        if let Some(node) = default {
            monitor.default = self.levels(kind, node)?;
            let expected = "a whole number from 1 on";
            let persistence = self.source.attribute(node, "minViolations", expected)?.unwrap_or(1_u32);
            // 0 is what some editors write for "at once".
            monitor.rule.persistence = persistence.max(1);
        }
        let mut in_context = Vec::new();
        for node in contexts.into_iter().flat_map(elements) {
            let Some(levels) = self.levels(kind, node)? else { continue };
            let Some(context) = elements(node).find(|child| local(*child) == "ContextMatch") else {
                return Err(self.source.error(node, "no ContextMatch was found; expected one"));
            };
            in_context.push((self.condition(context)?, levels));
        }
        monitor.contexts = in_context.into();
        let says_nothing = monitor.default.is_none() && monitor.contexts.is_empty();
        Ok((!says_nothing).then_some(monitor))
    }

    fn levels(&self, kind: &ParameterKind, node: Node<'_, '_>) -> Result<Option<Levels>, XtceError> {
        let mut levels = None;
        for child in elements(node) {
            match (local(child), kind) {
                ("StaticAlarmRanges", ParameterKind::Float | ParameterKind::Integer) => {
                    levels = Some(Levels::Ranges(self.ranges(child)?));
                }
                ("EnumerationAlarmList", ParameterKind::Enumeration(_)) => {
                    levels = Some(self.label_levels(kind, node, child)?);
                }
                ("ContextMatch", _) => {}
                // Rates of change and algorithms are not judged; `dictionary check` says so.
                _ => self.source.pass_over(child),
            }
        }
        Ok(levels)
    }

    fn ranges(&self, node: Node<'_, '_>) -> Result<Ranges, XtceError> {
        let form = match node.attribute("rangeForm").unwrap_or("outside") {
            "inside" => RangeForm::Inside,
            "outside" => RangeForm::Outside,
            other => {
                let message = format!("rangeForm=\"{other}\" was found; expected inside or outside");
                return Err(self.source.error(node, message));
            }
        };
        let mut ranges = [None; 5];
        for child in elements(node) {
            match RANGES.iter().position(|name| *name == local(child)) {
                Some(place) => ranges[place] = Some(self.range(child)?),
                None => self.source.pass_over_if(child, &["AncillaryDataSet"], "WarningRange or another")?,
            }
        }
        Ok(Ranges::new(form, ranges))
    }

    fn range(&self, node: Node<'_, '_>) -> Result<Range, XtceError> {
        let end = |inclusive: &str, exclusive: &str| {
            let given = self.source.attribute(node, inclusive, "a number")?;
            let given_exclusive = self.source.attribute(node, exclusive, "a number")?;
            let (value, is_inclusive) = match (given, given_exclusive) {
                (Some(value), _) => (value, true),
                (None, Some(value)) => (value, false),
                (None, None) => return Ok(None),
            };
            if f64::is_nan(value) {
                return Err(self.source.error(node, "an end that is not a number was found; expected one"));
            }
            Ok(Some(End { value, is_inclusive }))
        };
        let (low, high) = (end("minInclusive", "minExclusive")?, end("maxInclusive", "maxExclusive")?);
        if let (Some(low), Some(high)) = (low, high)
            && low.value > high.value
        {
            let message =
                format!("the range runs from {} to {}; expected it to run upwards", low.value, high.value);
            return Err(self.source.error(node, message));
        }
        Ok(Range { low, high })
    }

    fn label_levels(
        &self,
        kind: &ParameterKind,
        alarm: Node<'_, '_>,
        list: Node<'_, '_>,
    ) -> Result<Levels, XtceError> {
        let ParameterKind::Enumeration(labels) = kind else {
            return Err(self.source.error(list, "labels were found; expected an enumeration to have them"));
        };
        let otherwise = self.level(alarm, "defaultAlarmLevel")?.unwrap_or(MonitoringResult::Normal);
        let mut of_label = vec![otherwise; labels.len()];
        let mut places_of: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, label) in labels.iter().enumerate() {
            places_of.entry(label.label.as_str()).or_default().push(place);
        }
        for child in elements(list) {
            // XTCE 1.1 calls it a value and means the label.
            let written = child.attribute("enumerationLabel").or(child.attribute("enumerationValue"));
            let written = written.unwrap_or("");
            let level = self.level(child, "alarmLevel")?.unwrap_or(otherwise);
            let Some(places) = places_of.get(written) else {
                let message = format!("label \"{written}\" is not one of the type; expected one that is");
                return Err(self.source.error(child, message));
            };
            places.iter().for_each(|place| of_label[*place] = level);
        }
        Ok(Levels::Labels { of_label: of_label.into(), otherwise })
    }

    fn level(&self, node: Node<'_, '_>, attribute: &str) -> Result<Option<MonitoringResult>, XtceError> {
        Ok(Some(match node.attribute(attribute) {
            None => return Ok(None),
            Some("normal") => MonitoringResult::Normal,
            Some("watch") => MonitoringResult::Watch,
            Some("warning") => MonitoringResult::Warning,
            Some("distress") => MonitoringResult::Distress,
            Some("critical") => MonitoringResult::Critical,
            Some("severe") => MonitoringResult::Severe,
            Some(other) => {
                let message = format!(
                    "{attribute}=\"{other}\" was found; expected normal, watch, warning, distress, critical or severe"
                );
                return Err(self.source.error(node, message));
            }
        }))
    }

    pub(super) fn valid_range(&self, node: Node<'_, '_>) -> Result<ValidRange, XtceError> {
        let applies_to_calibrated = self.source.flag(node, "validRangeAppliesToCalibrated", true)?;
        Ok(ValidRange { range: self.range(node)?, applies_to_calibrated })
    }
}
