//! Types in full: how a field is read, what is made of it, and how it is judged. By now every parameter has its
//! kind, so references to parameters can be read.

use roxmltree::Node;

use super::calibrators::Written;
use super::criteria::{Place, raw_kind};
use super::document::{Source, elements, local};
use super::symbols::Symbols;
use super::types::{Scalar, WrittenType};
use crate::calibration::Calibrator;
use crate::monitoring::{Judging, Watch};
use crate::operand::RawKind;
use crate::plan::{Conversion, EnumerationTable, Field, Plan, Read};
use crate::times::{Origin, TimeScale};
use crate::{ParameterKind, XtceError};

/// How the parameters of a type are read and judged.
#[derive(Clone, Copy)]
pub(super) struct TypeFields {
    /// Absent when the type has no encoding: its parameters can stand in no packet.
    pub(super) field: Option<Field>,
    pub(super) raw: Option<RawKind>,
    pub(super) watch: Watch,
}

/// One for each type.
pub(super) fn compile(
    source: &Source<'_>,
    symbols: &Symbols<'_, '_>,
    plan: &mut Plan,
    judging: &mut Judging,
) -> Result<Vec<TypeFields>, XtceError> {
    let nothing = TypeFields { field: None, raw: None, watch: Watch::default() };
    let mut compile_type = |written: &WrittenType<'_, '_>| match written {
        WrittenType::Scalar(scalar) => {
            let place = Place { source, symbols, system: &scalar.system, decoded: None };
            let raw = scalar.encoding.and_then(raw_kind);
            let field = scalar.encoding.map(|encoding| place.field(scalar, encoding, plan)).transpose()?;
            Ok(TypeFields { field, raw, watch: place.watch(scalar, judging)? })
        }
        WrittenType::Aggregate(_) | WrittenType::Array { .. } => Ok(nothing),
    };
    symbols.written.iter().map(&mut compile_type).collect()
}

impl Place<'_, '_, '_, '_> {
    fn field(
        &self,
        scalar: &Scalar<'_, '_>,
        encoding: Node<'_, '_>,
        plan: &mut Plan,
    ) -> Result<Field, XtceError> {
        self.refuse_reversed_bits(encoding)?;
        let (read, calibrators) = match local(encoding) {
            "BinaryDataEncoding" => (self.binary(encoding, plan)?, None),
            "FloatDataEncoding" => (self.float(encoding)?, self.numeric_calibrators(scalar, encoding)?),
            "IntegerDataEncoding" => (self.integer(encoding)?, self.numeric_calibrators(scalar, encoding)?),
            "StringDataEncoding" => (self.text(encoding, plan)?, None),
            _ => {
                let expected = "Binary-, Float-, Integer- or StringDataEncoding";
                return Err(self.source.unsupported(encoding, expected));
            }
        };
        let with = if calibrators.is_some() { "with a calibrator " } else { "" };
        let conversion = self.conversion(scalar, read, calibrators, plan)?;
        let conversion = conversion.ok_or_else(|| {
            let message = format!(
                "{} {with}in {} is not supported yet; expected {}",
                local(encoding),
                local(scalar.node),
                expected_encoding(&scalar.kind)
            );
            self.source.error(encoding, message)
        })?;
        Ok(Field { read, conversion })
    }

    /// `None` when the type cannot have this encoding.
    fn conversion(
        &self,
        scalar: &Scalar<'_, '_>,
        read: Read,
        calibrators: Option<Written>,
        plan: &mut Plan,
    ) -> Result<Option<Conversion>, XtceError> {
        Ok(match (&scalar.kind, read, calibrators) {
            (ParameterKind::Binary, Read::Binary { .. }, None) => Some(Conversion::Same),
            (ParameterKind::Boolean { .. }, Read::Integer { .. }, None) => Some(Conversion::Boolean),
            (ParameterKind::Enumeration(labels), Read::Integer { .. }, None) => {
                plan.enumerations.push(EnumerationTable::new(labels));
                Some(Conversion::Enumeration(plan.enumerations.len() as u32 - 1))
            }
            (ParameterKind::Float, Read::Integer { .. }, None) => Some(Conversion::Float),
            (ParameterKind::Float, Read::Float { .. }, None) => Some(Conversion::Same),
            (ParameterKind::Float, Read::Float { .. } | Read::Integer { .. }, Some(calibrators)) => {
                Some(plan.calibrators(calibrators))
            }
            (ParameterKind::Integer, Read::Integer { .. }, None) => Some(Conversion::Same),
            (ParameterKind::String, Read::Text { .. }, None) => Some(Conversion::Same),
            (ParameterKind::Time, Read::Float { .. } | Read::Integer { .. }, None) => {
                Some(self.time(scalar, plan)?)
            }
            _ => None,
        })
    }

    /// `Encoding` and `ReferenceTime` of an absolute time.
    fn time(&self, scalar: &Scalar<'_, '_>, plan: &mut Plan) -> Result<Conversion, XtceError> {
        let source = self.source;
        let written = scalar.time.as_ref();
        let mut scale = self.time_scale(written.and_then(|time| time.encoding))?;
        for child in written.and_then(|time| time.reference).into_iter().flat_map(elements) {
            match local(child) {
                "Epoch" => {
                    let text = child.text().unwrap_or("").trim();
                    scale.origin = Origin::named(text).ok_or_else(|| {
                        let expected = "TAI, GPS, J2000, UNIX, or a date like 2010-01-01T00:00:00";
                        source.error(child, format!("epoch \"{text}\" was found; expected {expected}"))
                    })?;
                }
                "OffsetFrom" => scale.origin = Origin::Parameter(self.subject(child)?.1.register),
                _ => return Err(source.unsupported(child, "Epoch or OffsetFrom")),
            }
        }
        plan.time_scales.push(scale);
        Ok(Conversion::Time(plan.time_scales.len() as u32 - 1))
    }

    /// What `Encoding` says about ticks.
    fn time_scale(&self, encoding: Option<Node<'_, '_>>) -> Result<TimeScale, XtceError> {
        let source = self.source;
        let mut scale = TimeScale { origin: Origin::TAI, scale_s: 1.0, offset_s: 0.0 };
        if let Some(encoding) = encoding {
            let unit_s = match encoding.attribute("units").unwrap_or("seconds") {
                "seconds" => 1.0,
                "picoSeconds" => 1e-12,
                "days" => 86_400.0,
                other => {
                    let message = format!(
                        "units=\"{other}\" is not supported yet; expected seconds, picoSeconds or days"
                    );
                    return Err(source.error(encoding, message));
                }
            };
            let number = |name| source.attribute::<f64>(encoding, name, "a number");
            scale.scale_s = number("scale")?.unwrap_or(1.0) * unit_s;
            scale.offset_s = number("offset")?.unwrap_or(0.0) * unit_s;
            if !scale.scale_s.is_finite() || !scale.offset_s.is_finite() {
                return Err(source.error(encoding, "scale or offset is infinite; expected finite numbers"));
            }
        }
        Ok(scale)
    }

    /// Calibrators of an encoding; a relative time is calibrated by its scale, to seconds.
    fn numeric_calibrators(
        &self,
        scalar: &Scalar<'_, '_>,
        encoding: Node<'_, '_>,
    ) -> Result<Option<Written>, XtceError> {
        let calibrators = self.calibrators(encoding)?;
        let duration = scalar.time.as_ref().filter(|_| scalar.kind == ParameterKind::Float);
        let TimeScale { scale_s, offset_s, .. } = self.time_scale(duration.and_then(|time| time.encoding))?;
        if (scale_s, offset_s) == (1.0, 0.0) {
            return Ok(calibrators);
        }
        if calibrators.is_some() {
            let message = "a calibrator beside scale or offset is not supported yet; expected one of them";
            return Err(self.source.error(encoding, message));
        }
        Ok(Some(Written::Always(Calibrator::Polynomial([offset_s, scale_s].into()))))
    }

    fn watch(&self, scalar: &Scalar<'_, '_>, judging: &mut Judging) -> Result<Watch, XtceError> {
        let mut watch = Watch::default();
        if let Some(monitor) = self.monitor(&scalar.kind, scalar.default_alarm, scalar.context_alarms)? {
            watch.monitor = judging.monitors.len() as u32;
            judging.monitors.push(monitor);
        }
        if let Some(node) = scalar.valid_range {
            watch.valid_range = judging.valid_ranges.len() as u32;
            judging.valid_ranges.push(self.valid_range(node)?);
        }
        Ok(watch)
    }
}

impl Plan {
    fn calibrators(&mut self, written: Written) -> Conversion {
        match written {
            Written::Always(calibrator) => {
                self.calibrators.push(calibrator);
                Conversion::Calibrator(self.calibrators.len() as u32 - 1)
            }
            Written::InContext(calibrators) => {
                self.context_calibrators.push(calibrators);
                Conversion::ContextCalibrators(self.context_calibrators.len() as u32 - 1)
            }
        }
    }
}

impl TypeFields {
    /// Whether the engineering value is another number than the raw one.
    pub(super) fn is_calibrated(&self) -> bool {
        let changes = |field: Field| {
            !matches!(field.conversion, Conversion::Boolean | Conversion::Enumeration(_) | Conversion::Same)
        };
        self.field.is_some_and(changes)
    }
}

fn expected_encoding(kind: &ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Binary => "BinaryDataEncoding",
        ParameterKind::Boolean { .. } | ParameterKind::Enumeration(_) => {
            "IntegerDataEncoding without a calibrator"
        }
        ParameterKind::Float => "FloatDataEncoding or IntegerDataEncoding",
        ParameterKind::Integer => "IntegerDataEncoding",
        ParameterKind::String => "StringDataEncoding",
        ParameterKind::Time => "IntegerDataEncoding or FloatDataEncoding without a calibrator",
    }
}
