//! Calibrators as they are written.

use roxmltree::Node;

use super::criteria::Place;
use super::document::{elements, local};
use crate::XtceError;
use crate::calibration::{Calibrator, ContextCalibrators, Interpolation, MATH_STACK_MAX, MathStep, Spline};

/// Higher powers overflow for any real reading.
const EXPONENT_MAX: usize = 32;
/// More steps than any public dictionary has, by far.
const MATH_STEPS_MAX: usize = 1_000;

/// What stands with a numeric encoding.
pub(super) enum Written {
    Always(Calibrator),
    InContext(ContextCalibrators),
}

impl Place<'_, '_, '_, '_> {
    /// Default and context calibrators of a numeric encoding.
    pub(super) fn calibrators(&self, encoding: Node<'_, '_>) -> Result<Option<Written>, XtceError> {
        let (mut default, mut contexts) = (None, Vec::new());
        for child in elements(encoding) {
            match local(child) {
                "ContextCalibratorList" => {
                    for context in elements(child) {
                        contexts.push(self.context_calibrator(context)?);
                    }
                }
                "DefaultCalibrator" => default = self.calibrator(child)?,
                _ => {
                    let harmless = ["ByteOrderList", "ErrorDetectCorrect"];
                    self.source.pass_over_if(
                        child,
                        &harmless,
                        "DefaultCalibrator or ContextCalibratorList",
                    )?;
                }
            }
        }
        if contexts.is_empty() {
            return Ok(default.map(Written::Always));
        }
        Ok(Some(Written::InContext(ContextCalibrators { contexts: contexts.into(), default })))
    }

    fn context_calibrator(
        &self,
        node: Node<'_, '_>,
    ) -> Result<(crate::condition::Condition, Calibrator), XtceError> {
        let (mut context, mut calibrator) = (None, None);
        for child in elements(node) {
            match local(child) {
                "Calibrator" => calibrator = self.calibrator(child)?,
                "ContextMatch" => context = Some(self.condition(child)?),
                _ => return Err(self.source.unsupported(child, "ContextMatch and Calibrator")),
            }
        }
        context
            .zip(calibrator)
            .ok_or_else(|| self.source.error(node, "ContextMatch or Calibrator is missing; expected both"))
    }

    /// The one calibrator among the children of an element.
    fn calibrator(&self, node: Node<'_, '_>) -> Result<Option<Calibrator>, XtceError> {
        let mut found = None;
        for child in elements(node) {
            let calibrator = match local(child) {
                "MathOperationCalibrator" => self.math(child)?,
                "PolynomialCalibrator" => self.polynomial(child)?,
                "SplineCalibrator" => self.spline(child)?,
                _ => {
                    let expected = "PolynomialCalibrator, SplineCalibrator or MathOperationCalibrator";
                    self.source.pass_over_if(child, &["AncillaryDataSet"], expected)?;
                    continue;
                }
            };
            if found.replace(calibrator).is_some() {
                return Err(self.source.error(child, "a second calibrator was found; expected one"));
            }
        }
        Ok(found)
    }

    fn polynomial(&self, node: Node<'_, '_>) -> Result<Calibrator, XtceError> {
        let source = self.source;
        let mut coefficients = Vec::new();
        for term in elements(node) {
            if local(term) != "Term" {
                source.pass_over_if(term, &[], "Term")?;
                continue;
            }
            let expected = format!("a whole number up to {EXPONENT_MAX}");
            let exponent: usize = source.required_attribute(term, "exponent", &expected)?;
            if exponent > EXPONENT_MAX {
                let message = format!("exponent=\"{exponent}\" was found; expected {expected}");
                return Err(source.error(term, message));
            }
            let coefficient: f64 = source.required_attribute(term, "coefficient", "a number")?;
            if coefficients.len() <= exponent {
                coefficients.resize(exponent + 1, None);
            }
            if coefficients[exponent].replace(coefficient).is_some() {
                let message = format!("a second term with exponent {exponent} was found; expected one");
                return Err(source.error(term, message));
            }
        }
        if coefficients.is_empty() {
            return Err(source.error(node, "no Term was found; expected at least one"));
        }
        Ok(Calibrator::Polynomial(coefficients.into_iter().map(Option::unwrap_or_default).collect()))
    }

    fn spline(&self, node: Node<'_, '_>) -> Result<Calibrator, XtceError> {
        let source = self.source;
        let interpolation = match source.attribute(node, "order", "0 or 1")?.unwrap_or(1_u32) {
            0 => Interpolation::Step,
            1 => Interpolation::Linear,
            other => {
                let message = format!("order=\"{other}\" is not supported yet; expected 0 or 1");
                return Err(source.error(node, message));
            }
        };
        let mut points: Vec<(f64, f64)> = Vec::new();
        for point in elements(node).filter(|child| local(*child) == "SplinePoint") {
            let raw: f64 = source.required_attribute(point, "raw", "a number")?;
            let calibrated: f64 = source.required_attribute(point, "calibrated", "a number")?;
            if !raw.is_finite() || !calibrated.is_finite() {
                return Err(source.error(point, "a point at infinity was found; expected finite numbers"));
            }
            points.push((raw, calibrated));
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if points.is_empty() {
            return Err(source.error(node, "no SplinePoint was found; expected at least one"));
        }
        if let Some(pair) = points.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let message = format!("two points have raw=\"{}\"; expected each raw value once", pair[0].0);
            return Err(source.error(node, message));
        }
        let extrapolates = source.flag(node, "extrapolate", false)?;
        Ok(Calibrator::Spline(Spline { points: points.into(), interpolation, extrapolates }))
    }

    fn math(&self, node: Node<'_, '_>) -> Result<Calibrator, XtceError> {
        let mut steps = Vec::new();
        let mut height = 0_usize;
        for child in elements(node) {
            let step = self.math_step(child)?;
            let (needed, made) = step.needs_and_makes();
            if height < needed {
                let message =
                    format!("{height} values are on the stack; expected {needed} for this operator");
                return Err(self.source.error(child, message));
            }
            height = height - needed + made;
            if height > MATH_STACK_MAX || steps.len() >= MATH_STEPS_MAX {
                let message = format!(
                    "the calculation is too long; expected at most {MATH_STEPS_MAX} steps and {MATH_STACK_MAX} values \
                     at once"
                );
                return Err(self.source.error(child, message));
            }
            steps.push(step);
        }
        if height != 1 {
            let message = format!("the calculation ends with {height} values; expected one");
            return Err(self.source.error(node, message));
        }
        Ok(Calibrator::Math(steps.into()))
    }

    fn math_step(&self, node: Node<'_, '_>) -> Result<MathStep, XtceError> {
        let text = node.text().unwrap_or("").trim();
        match local(node) {
            "Operator" => operator(text).ok_or_else(|| {
                self.source
                    .error(node, format!("operator \"{text}\" is not supported yet; expected {OPERATORS}"))
            }),
            "ParameterInstanceRefOperand" => Ok(MathStep::Parameter(self.subject(node)?.1)),
            "ThisParameterOperand" => Ok(MathStep::This),
            "ValueOperand" => text
                .parse()
                .map(MathStep::Constant)
                .map_err(|_| self.source.error(node, format!("\"{text}\" was found; expected a number"))),
            _ => Err(self.source.unsupported(node, "ValueOperand, ThisParameterOperand or Operator")),
        }
    }
}

const OPERATORS: &str = "one of + - * / % ^ y^x ln log e^x 1/x abs sqrt sin cos tan asin acos atan atan2 sinh cosh \
                         tanh min max int swap drop dup over";

fn operator(text: &str) -> Option<MathStep> {
    Some(match text {
        "%" => MathStep::Binary(|a, b| a % b),
        "*" => MathStep::Binary(|a, b| a * b),
        "+" => MathStep::Binary(|a, b| a + b),
        "-" => MathStep::Binary(|a, b| a - b),
        "/" => MathStep::Binary(|a, b| a / b),
        "1/x" => MathStep::Unary(f64::recip),
        "^" | "y^x" => MathStep::Binary(f64::powf),
        "abs" => MathStep::Unary(f64::abs),
        "acos" => MathStep::Unary(f64::acos),
        "asin" => MathStep::Unary(f64::asin),
        "atan" => MathStep::Unary(f64::atan),
        "atan2" => MathStep::Binary(f64::atan2),
        "cos" => MathStep::Unary(f64::cos),
        "cosh" => MathStep::Unary(f64::cosh),
        "drop" => MathStep::Drop,
        "dup" => MathStep::Duplicate,
        "e^x" => MathStep::Unary(f64::exp),
        "int" => MathStep::Unary(f64::trunc),
        "ln" => MathStep::Unary(f64::ln),
        "log" => MathStep::Unary(f64::log10),
        // NaN wins, unlike in `f64::max`: what is not a number must not be hidden.
        "max" => MathStep::Binary(|a, b| if a > b || a.is_nan() { a } else { b }),
        "min" => MathStep::Binary(|a, b| if a < b || a.is_nan() { a } else { b }),
        "over" => MathStep::Over,
        "sin" => MathStep::Unary(f64::sin),
        "sinh" => MathStep::Unary(f64::sinh),
        "sqrt" => MathStep::Unary(f64::sqrt),
        "swap" => MathStep::Swap,
        "tan" => MathStep::Unary(f64::tan),
        "tanh" => MathStep::Unary(f64::tanh),
        _ => return None,
    })
}

impl MathStep {
    /// How many values it takes from the stack, and how many it puts there.
    fn needs_and_makes(&self) -> (usize, usize) {
        match self {
            MathStep::Binary(_) => (2, 1),
            MathStep::Constant(_) | MathStep::Parameter(_) | MathStep::This => (0, 1),
            MathStep::Drop => (1, 0),
            MathStep::Duplicate => (1, 2),
            MathStep::Over => (2, 3),
            MathStep::Swap => (2, 2),
            MathStep::Unary(_) => (1, 1),
        }
    }
}
