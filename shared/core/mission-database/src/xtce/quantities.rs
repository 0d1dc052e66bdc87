//! Whole numbers that the document gives or takes from another parameter: sizes, counts, places.

use roxmltree::Node;

use super::criteria::Place;
use super::document::{elements, local};
use crate::XtceError;
use crate::plan::Quantity;

/// What a number may be, and what it is called in an error.
pub(super) struct Bounds<'w> {
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) what: &'w str,
}

impl Place<'_, '_, '_, '_> {
    /// The one of `FixedValue`, `DynamicValue` and `DiscreteLookupList` that stands in an element.
    pub(super) fn quantity(&self, node: Node<'_, '_>, bounds: &Bounds<'_>) -> Result<Quantity, XtceError> {
        let mut found = None;
        for child in elements(node) {
            let quantity = match local(child) {
                "DiscreteLookupList" => self.lookup(child, bounds)?,
                "DynamicValue" => self.linear(child)?,
                "FixedValue" => Quantity::Fixed(self.fixed(child, bounds)?),
                _ => return Err(self.source.unsupported(child, "FixedValue or DynamicValue")),
            };
            if found.replace(quantity).is_some() {
                let message = format!("a second value was found; expected one for {}", bounds.what);
                return Err(self.source.error(child, message));
            }
        }
        found
            .ok_or_else(|| self.source.error(node, "no FixedValue was found; expected one or a DynamicValue"))
    }

    fn fixed(&self, node: Node<'_, '_>, bounds: &Bounds<'_>) -> Result<i64, XtceError> {
        self.source.bounded_text(node, (bounds.least, bounds.most), bounds.what)
    }

    fn lookup(&self, node: Node<'_, '_>, bounds: &Bounds<'_>) -> Result<Quantity, XtceError> {
        let case = |child: Node<'_, '_>| {
            let expected = format!("{} between {} and {}", bounds.what, bounds.least, bounds.most);
            let value: i64 = self.source.required_attribute(child, "value", &expected)?;
            if !(bounds.least..=bounds.most).contains(&value) {
                let message = format!("value=\"{value}\" was found; expected {expected}");
                return Err(self.source.error(child, message));
            }
            Ok((self.condition(child)?, value))
        };
        let cases: Result<Box<[_]>, _> = elements(node).map(case).collect();
        Ok(Quantity::Lookup(cases?))
    }

    pub(super) fn linear(&self, node: Node<'_, '_>) -> Result<Quantity, XtceError> {
        let mut subject = None;
        let (mut slope, mut intercept) = (1.0, 0.0);
        for child in elements(node) {
            match local(child) {
                "LinearAdjustment" => {
                    slope = self.source.attribute(child, "slope", "a number")?.unwrap_or(1.0);
                    intercept = self.source.attribute(child, "intercept", "a number")?.unwrap_or(0.0);
                }
                "ParameterInstanceRef" => subject = Some(self.subject(child)?.1),
                _ => return Err(self.source.unsupported(child, "ParameterInstanceRef and LinearAdjustment")),
            }
        }
        let Some(subject) = subject else {
            return Err(self.source.error(node, "no ParameterInstanceRef was found; expected one"));
        };
        Ok(Quantity::Linear { subject, slope, intercept })
    }

    /// `StartingIndex` and `EndingIndex` of a dimension.
    pub(super) fn span(&self, node: Node<'_, '_>) -> Result<Quantity, XtceError> {
        let bounds = Bounds { least: 0, most: i64::from(i32::MAX), what: "an index" };
        let of = |name: &str| {
            let found = elements(node).find(|child| local(*child) == name);
            found.map(|child| self.quantity(child, &bounds)).transpose()
        };
        let first = of("StartingIndex")?.unwrap_or(Quantity::Fixed(0));
        let Some(last) = of("EndingIndex")? else {
            return Err(self.source.error(node, "no EndingIndex was found; expected one"));
        };
        if let (Quantity::Fixed(first), Quantity::Fixed(last)) = (&first, &last) {
            if last - first + 1 < 0 {
                let message =
                    format!("the dimension runs from {first} to {last}; expected it to run upwards");
                return Err(self.source.error(node, message));
            }
            return Ok(Quantity::Fixed(last - first + 1));
        }
        Ok(Quantity::Span { first: Box::new(first), last: Box::new(last) })
    }
}
