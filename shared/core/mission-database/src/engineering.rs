//! From the raw to the engineering value, and whether it may be trusted.

use crate::bits;
use crate::calibration::{Calibrator, polynomial};
use crate::condition::Register;
use crate::decode::Decoder;
use crate::monitoring::Watch;
use crate::plan::{Conversion, NumberCoding, NumberStep, Read, ReadStep};
use crate::{DecodedValue, EngineeringValue, MonitoringResult, ParameterIndex, RawValue, Validity};

/// A raw number, as every conversion wants it.
#[derive(Clone, Copy)]
enum Number {
    Float(f64),
    Signed(i64),
    Unsigned(u64),
}

impl Number {
    /// Rounded beyond 2^53.
    #[inline(always)]
    fn real(self) -> f64 {
        match self {
            Number::Float(value) => value,
            Number::Signed(value) => value as f64,
            Number::Unsigned(value) => value as f64,
        }
    }

    /// `None` beyond what an enumeration can name.
    fn integer(self) -> Option<i64> {
        match self {
            Number::Float(_) => None,
            Number::Signed(value) => Some(value),
            Number::Unsigned(value) => i64::try_from(value).ok(),
        }
    }

    #[inline(always)]
    fn raw<'p>(self) -> RawValue<'p> {
        match self {
            Number::Float(value) => RawValue::Float(value),
            Number::Signed(value) => RawValue::Signed(value),
            Number::Unsigned(value) => RawValue::Unsigned(value),
        }
    }

    /// What it is without a conversion.
    #[inline(always)]
    fn same<'p>(self) -> (EngineeringValue<'p>, Validity) {
        match self {
            Number::Float(value) => float(value),
            Number::Signed(value) => (EngineeringValue::Signed(value), Validity::Valid),
            Number::Unsigned(value) => (EngineeringValue::Unsigned(value), Validity::Valid),
        }
    }
}

#[inline(always)]
fn float<'p>(value: f64) -> (EngineeringValue<'p>, Validity) {
    let validity = if value.is_nan() { Validity::NotANumber } else { Validity::Valid };
    (EngineeringValue::Float(value), validity)
}

/// `None` is what a calibrator has no result for.
fn calibrated<'p>(value: Option<f64>) -> (EngineeringValue<'p>, Validity) {
    value.map_or((EngineeringValue::None, Validity::OutsideCalibration), float)
}

impl<'p> Decoder<'_, 'p, '_> {
    /// A number of a block, which lies within the packet.
    // Inlined with each coding known: this runs for nearly every value there is.
    #[inline(always)]
    pub(crate) fn number_value(&self, step: &NumberStep, watch: Watch) -> DecodedValue<'p> {
        let count = u32::from(step.bits);
        let found = bits::read(self.packet, step.start_bits as usize, count);
        let (parameter, conversion) = (step.parameter, step.conversion);
        match step.coding {
            NumberCoding::Double => {
                self.converted(parameter, conversion, Number::Float(f64::from_bits(found)), watch)
            }
            NumberCoding::Float => {
                let value = f64::from(f32::from_bits(found as u32));
                self.converted(parameter, conversion, Number::Float(value), watch)
            }
            NumberCoding::TwosComplement => {
                let value = ((found << (64 - count)) as i64) >> (64 - count);
                self.converted(parameter, conversion, Number::Signed(value), watch)
            }
            NumberCoding::Unsigned => self.converted(parameter, conversion, Number::Unsigned(found), watch),
        }
    }

    /// Any other field.
    pub(crate) fn value(&self, step: &ReadStep, raw: RawValue<'p>, watch: Watch) -> DecodedValue<'p> {
        let number = match &raw {
            RawValue::Float(value) => Some(Number::Float(*value)),
            RawValue::Signed(value) => Some(Number::Signed(*value)),
            RawValue::Unsigned(value) => Some(Number::Unsigned(*value)),
            RawValue::Binary(_) | RawValue::Text(_) => None,
        };
        if let Some(number) = number {
            return self.converted(step.parameter, step.field.conversion, number, watch);
        }
        let (engineering, validity) = match &raw {
            RawValue::Binary(bytes) if matches!(step.field.read, Read::Binary { .. }) => {
                (EngineeringValue::Binary(bytes.clone()), Validity::Valid)
            }
            RawValue::Text(text) => (EngineeringValue::Text(text.clone()), Validity::Valid),
            // Decimal digits that are none: kept as they were sent.
            _ => (EngineeringValue::None, Validity::NotANumber),
        };
        let (parameter, monitoring) = (step.parameter, MonitoringResult::NotMonitored);
        DecodedValue { parameter, raw, engineering, validity, monitoring }
    }

    // Each arm makes a whole value: one put together from parts is stored in pieces and read back at once, which
    // processors wait for (measured: a third of the time).
    #[inline(always)]
    fn converted(
        &self,
        parameter: ParameterIndex,
        conversion: Conversion,
        number: Number,
        watch: Watch,
    ) -> DecodedValue<'p> {
        match (conversion, number) {
            (Conversion::Same, Number::Unsigned(value)) => {
                let engineering = EngineeringValue::Unsigned(value);
                self.measured(parameter, number, value as f64, watch, engineering)
            }
            (Conversion::Same, Number::Signed(value)) => {
                let engineering = EngineeringValue::Signed(value);
                self.measured(parameter, number, value as f64, watch, engineering)
            }
            (Conversion::Same, Number::Float(value)) => {
                self.measured(parameter, number, value, watch, EngineeringValue::Float(value))
            }
            (Conversion::Float, _) => {
                let value = number.real();
                self.measured(parameter, number, value, watch, EngineeringValue::Float(value))
            }
            (Conversion::Calibrator(index), _) => match &self.plan.calibrators[index as usize] {
                Calibrator::Polynomial(coefficients) => {
                    let value = polynomial(coefficients, number.real());
                    self.measured(parameter, number, value, watch, EngineeringValue::Float(value))
                }
                _ => self.rarely_converted(parameter, conversion, number, watch),
            },
            _ => self.rarely_converted(parameter, conversion, number, watch),
        }
    }

    /// A value that is a number: `real` is its engineering value.
    #[inline(always)]
    fn measured(
        &self,
        parameter: ParameterIndex,
        number: Number,
        real: f64,
        watch: Watch,
        engineering: EngineeringValue<'p>,
    ) -> DecodedValue<'p> {
        let validity = match () {
            () if real.is_nan() => Validity::NotANumber,
            () if watch.valid_range == Watch::NOTHING => Validity::Valid,
            () => self.judging.validity(watch, number.real(), Some(real)),
        };
        let monitoring = if watch.monitor == Watch::NOTHING || validity != Validity::Valid {
            MonitoringResult::NotMonitored
        } else {
            self.judging.judge_number(watch, real)
        };
        DecodedValue { parameter, raw: number.raw(), engineering, validity, monitoring }
    }

    fn rarely_converted(
        &self,
        parameter: ParameterIndex,
        conversion: Conversion,
        number: Number,
        watch: Watch,
    ) -> DecodedValue<'p> {
        let raw = number.raw();
        let (engineering, validity) = self.rare_value(conversion, number, (watch.register, &raw));
        let validity = if watch.valid_range == Watch::NOTHING || validity != Validity::Valid {
            validity
        } else {
            self.judging.validity(watch, number.real(), engineering.as_f64())
        };
        let monitoring = MonitoringResult::NotMonitored;
        DecodedValue { parameter, raw, engineering, validity, monitoring }
    }

    fn rare_value(
        &self,
        conversion: Conversion,
        number: Number,
        (register, raw): (Register, &RawValue<'p>),
    ) -> (EngineeringValue<'p>, Validity) {
        // The value itself has no place among the others yet.
        let scope = self.scope(Some((register, raw)));
        match conversion {
            Conversion::Same => number.same(),
            Conversion::Float => float(number.real()),
            Conversion::Calibrator(index) => {
                calibrated(self.plan.calibrators[index as usize].apply(number.real(), &scope))
            }
            Conversion::ContextCalibrators(index) => {
                calibrated(self.plan.context_calibrators[index as usize].apply(number.real(), &scope))
            }
            Conversion::Boolean => (EngineeringValue::Boolean(number.real() != 0.0), Validity::Valid),
            Conversion::Enumeration(index) => {
                let table = &self.plan.enumerations[index as usize];
                match number.integer().and_then(|value| table.label(value)) {
                    Some(label) => (EngineeringValue::Label(label), Validity::Valid),
                    None => (EngineeringValue::None, Validity::UnknownLabel),
                }
            }
            Conversion::Time(index) => {
                match self.plan.time_scales[index as usize].apply(raw, &self.scope(None)) {
                    Some(time) => (EngineeringValue::Time(time), Validity::Valid),
                    None => (EngineeringValue::None, Validity::OutsideCalibration),
                }
            }
        }
    }
}
