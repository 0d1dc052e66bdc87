//! One figure a line.

use serde_json::{Value, json};

use crate::timing::Spread;

/// Prints a figure as a JSON object on a line of its own.
pub fn print(bench: &str, metric: &str, value: f64, unit: &str, context: &Value) {
    let value = rounded(value);
    println!(
        "{}",
        json!({ "bench": bench, "metric": metric, "value": value, "unit": unit, "context": context })
    );
}

/// Prints the median; how far measurements lay apart is added to the context, which is an object.
pub fn print_spread(bench: &str, metric: &str, spread: Spread, unit: &str, context: &Value) {
    let mut context = context.clone();
    context["min"] = json!(rounded(spread.min));
    context["max"] = json!(rounded(spread.max));
    context["repetitions"] = json!(spread.repetitions);
    print(bench, metric, spread.median, unit, &context);
}

/// Three decimals are more than any of these is good for.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
