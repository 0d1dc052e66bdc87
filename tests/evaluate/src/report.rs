//! Tables as Markdown, so that what is printed can be shown in the docs as it is.

/// Prints a table: first row head, the rest below, columns as wide as they need.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n## {title}\n");
    let cells = |row: &[String]| format!("| {} |", row.join(" | "));
    println!("| {} |", head.join(" | "));
    println!("|{}", "---|".repeat(head.len()));
    rows.iter().for_each(|row| println!("{}", cells(row)));
}

/// Three decimals, without the 0 before the point.
pub fn share(value: f64) -> String {
    let text = format!("{value:.3}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

/// What is not known.
pub const NOT_GIVEN: &str = "-";
