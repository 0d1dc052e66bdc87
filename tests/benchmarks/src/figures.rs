//! One figure a line.

use serde_json::{Value, json};

/// Prints a figure as a JSON object on a line of its own.
pub fn print(bench: &str, metric: &str, value: f64, unit: &str, context: &Value) {
    // Three decimals are more than any of these is good for.
    let value = (value * 1_000.0).round() / 1_000.0;
    println!(
        "{}",
        json!({ "bench": bench, "metric": metric, "value": value, "unit": unit, "context": context })
    );
}
