//! Calibrators: from a raw number to what was measured.

use crate::condition::{Condition, Scope, Subject};

#[derive(Clone, Debug)]
pub(crate) enum Calibrator {
    Math(Box<[MathStep]>),
    /// Coefficients, that of the constant term first.
    Polynomial(Box<[f64]>),
    Spline(Spline),
}

/// Calibrators that hold in a context each; the first whose context holds counts.
#[derive(Clone, Debug)]
pub(crate) struct ContextCalibrators {
    pub(crate) contexts: Box<[(Condition, Calibrator)]>,
    pub(crate) default: Option<Calibrator>,
}

/// Points in the order of their raw values, each raw value once.
#[derive(Clone, Debug)]
pub(crate) struct Spline {
    pub(crate) points: Box<[(f64, f64)]>,
    pub(crate) interpolation: Interpolation,
    pub(crate) extrapolates: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Interpolation {
    /// Order 1: on the line between the two points around.
    Linear,
    /// Order 0: as the closest point at or below.
    Step,
}

/// A step of a calculation in reverse Polish notation. The loader checked that the stack never runs dry and ends
/// with one value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MathStep {
    Binary(fn(f64, f64) -> f64),
    Constant(f64),
    Drop,
    Duplicate,
    Over,
    Parameter(Subject),
    Swap,
    This,
    Unary(fn(f64) -> f64),
}

/// How many values a calculation may hold at once.
pub(crate) const MATH_STACK_MAX: usize = 32;

impl Calibrator {
    /// `None` when the calibrator has no result for this value.
    pub(crate) fn apply(&self, raw: f64, scope: &Scope<'_, '_>) -> Option<f64> {
        match self {
            Calibrator::Math(steps) => calculate(steps, raw, scope),
            Calibrator::Polynomial(coefficients) => Some(polynomial(coefficients, raw)),
            Calibrator::Spline(spline) => spline.at(raw),
        }
    }
}

/// How an engineering value follows from the raw value alone, so that it need not be kept beside it.
#[derive(Clone, Debug)]
pub struct Derivation(Derived);

#[derive(Clone, Debug)]
enum Derived {
    Polynomial(Box<[f64]>),
    Same,
    Spline(Spline),
}

impl Derivation {
    /// The raw number, unchanged.
    pub(crate) const SAME: Self = Self(Derived::Same);

    /// `None` for a calculation, which may need other parameters of the packet.
    pub(crate) fn of(calibrator: &Calibrator) -> Option<Self> {
        match calibrator {
            Calibrator::Math(_) => None,
            Calibrator::Polynomial(coefficients) => Some(Self(Derived::Polynomial(coefficients.clone()))),
            Calibrator::Spline(spline) => Some(Self(Derived::Spline(spline.clone()))),
        }
    }

    /// The engineering value, to the bit as decoding has it; NaN where the calibrator has no result.
    #[inline]
    pub fn apply(&self, raw: f64) -> f64 {
        match &self.0 {
            Derived::Polynomial(coefficients) => polynomial(coefficients, raw),
            Derived::Same => raw,
            Derived::Spline(spline) => spline.at(raw).unwrap_or(f64::NAN),
        }
    }

    /// Coefficients, that of the constant term first, where it is a polynomial.
    pub fn coefficients(&self) -> Option<&[f64]> {
        match &self.0 {
            Derived::Polynomial(coefficients) => Some(coefficients),
            Derived::Same => Some(&[0.0, 1.0]),
            Derived::Spline(_) => None,
        }
    }

    /// Its points, where it is a spline.
    pub fn points(&self) -> Option<DerivationPoints<'_>> {
        match &self.0 {
            Derived::Spline(spline) => Some(DerivationPoints {
                points: &spline.points,
                is_linear: spline.interpolation == Interpolation::Linear,
                extrapolates: spline.extrapolates,
            }),
            Derived::Polynomial(_) | Derived::Same => None,
        }
    }
}

/// A spline that raw values are put through.
#[derive(Clone, Copy, Debug)]
pub struct DerivationPoints<'d> {
    /// Raw and engineering values, in the order of the raw ones.
    pub points: &'d [(f64, f64)],
    /// Whether values between two points lie on their line; else they are those of the lower one.
    pub is_linear: bool,
    /// Whether the ends go on beyond the points.
    pub extrapolates: bool,
}

impl ContextCalibrators {
    /// A value that no calibrator is for stays as it is.
    pub(crate) fn apply(&self, raw: f64, scope: &Scope<'_, '_>) -> Option<f64> {
        let found = self.contexts.iter().find(|(condition, _)| condition.holds(scope));
        let calibrator = found.map(|(_, calibrator)| calibrator).or(self.default.as_ref());
        calibrator.map_or(Some(raw), |calibrator| calibrator.apply(raw, scope))
    }
}

/// Horner's rule, from the highest term down.
#[inline]
pub(crate) fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    let Some((highest, lower)) = coefficients.split_last() else { return 0.0 };
    lower.iter().rev().fold(*highest, |sum, coefficient| sum * x + coefficient)
}

impl Spline {
    pub(crate) fn at(&self, raw: f64) -> Option<f64> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        let is_inside = first.0 <= raw && raw <= last.0;
        if raw.is_nan() || !is_inside && !self.extrapolates {
            return None;
        }
        // Points at or below the value; outside of all points, the nearest pair goes on.
        let below = self.points.partition_point(|point| point.0 <= raw);
        match self.interpolation {
            Interpolation::Step => Some(self.points[below.saturating_sub(1)].1),
            Interpolation::Linear => {
                let Some(last_pair) = self.points.len().checked_sub(2) else { return Some(first.1) };
                let start = below.saturating_sub(1).min(last_pair);
                let ((x0, y0), (x1, y1)) = (self.points[start], self.points[start + 1]);
                Some(y0 + (raw - x0) * (y1 - y0) / (x1 - x0))
            }
        }
    }
}

fn calculate(steps: &[MathStep], raw: f64, scope: &Scope<'_, '_>) -> Option<f64> {
    let mut stack = [0.0; MATH_STACK_MAX];
    let mut top = 0;
    for step in steps {
        let pushed = match *step {
            MathStep::Binary(operation) => {
                top -= 2;
                operation(stack[top], stack[top + 1])
            }
            MathStep::Constant(value) => value,
            MathStep::Drop => {
                top -= 1;
                continue;
            }
            MathStep::Duplicate => stack[top - 1],
            MathStep::Over => stack[top - 2],
            MathStep::Parameter(subject) => scope.number(subject)?,
            MathStep::Swap => {
                stack.swap(top - 1, top - 2);
                continue;
            }
            MathStep::This => raw,
            MathStep::Unary(operation) => {
                top -= 1;
                operation(stack[top])
            }
        };
        stack[top] = pushed;
        top += 1;
    }
    Some(stack[0])
}
