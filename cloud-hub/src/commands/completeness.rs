//! `completeness`: what came of what there was, as a table or as the API has it.

use anyhow::bail;
use clap::{Args, ValueEnum};
use dashboard::contract::{Completeness, CompletenessBy, CompletenessCounts};
use processing::Hour;
use space_packet::TaiTime;

use super::documents::{check_mission, moment};
use super::{database, ready};
use crate::archive::{account_rows, stations};
use crate::completeness::{Asked, ROWS_MAX, describe, width};
use crate::config::HubConfig;

/// What is asked.
#[derive(Args, Debug)]
pub struct CompletenessArguments {
    /// Mission, as `hub.toml` names it.
    mission: String,
    /// Beginning of the span of reception times, as in 2026-11-22T17:00:00Z: whole hours.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    from: TaiTime,
    /// Its end.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    to: TaiTime,
    /// Over how long rows are summed.
    #[arg(long, value_enum, default_value_t = By::Total)]
    by: By,
    /// As the API answers, instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Day,
    Hour,
    Total,
}

impl From<By> for CompletenessBy {
    fn from(by: By) -> Self {
        match by {
            By::Day => Self::Day,
            By::Hour => Self::Hour,
            By::Total => Self::Total,
        }
    }
}

/// Prints it.
pub async fn run(config: &HubConfig, arguments: CompletenessArguments) -> anyhow::Result<()> {
    let CompletenessArguments { mission, from, to, by, json } = arguments;
    check_mission(config, &mission)?;
    let Some(hours) = Hour::span(from, to) else {
        bail!(
            "error[STO-COMPLETENESS-SPAN]: {from} is not before {to}\n  Nothing was changed.\n  → exchange or mend them"
        );
    };
    let archive = database(config, &ready(config)?)?;
    let question = archive.borrow_for_question(&mission).await?;
    let asked = Asked { mission: &mission, hours: hours.clone(), by: by.into() };
    let (account, _) = account_rows(&*question, &mission, hours, width(asked.by), ROWS_MAX + 1).await?;
    if account.rows.len() > ROWS_MAX {
        bail!(
            "error[STO-COMPLETENESS-ROWS]: that makes more than {ROWS_MAX} rows\n  Nothing was changed.\n  → ask for a shorter span, or with --by day"
        );
    }
    let answer = describe(&asked, &account, &stations(&*question).await?);
    question.finish().await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", table(&answer));
    }
    Ok(())
}

const HEADINGS: [&str; 15] = [
    "from",
    "station",
    "link",
    "APID",
    "live",
    "backfilled",
    "waiting",
    "not received",
    "damaged",
    "evicted",
    "forgotten",
    "presumed lost",
    "duplicates",
    "never issued",
    "complete",
];
/// Columns of text; the others are numbers.
const TEXTS: usize = 3;

/// For people: stations first, then links and APIDs.
pub fn table(answer: &Completeness) -> String {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    for station in &answer.stations {
        let waiting = station.waiting.as_ref().map_or_else(unknown, |waiting| waiting.records.to_string());
        let presumed = station.presumed_lost.to_string();
        let place = [String::new(), station.node.clone(), "all".to_owned(), String::new()];
        lines.push(line(place, &station.counts, [waiting, presumed], station.percent));
    }
    for row in &answer.rows {
        let begins = row.begins.clone().unwrap_or_default();
        let apid = row.apid.map_or_else(unknown, |apid| apid.to_string());
        let place = [begins, row.node.clone(), row.link.clone(), apid];
        lines.push(line(place, &row.counts, [String::new(), String::new()], row.percent));
    }
    let widths: [usize; 15] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let mut out = format!("{}, received from {} to {}\n", answer.mission, answer.from, answer.to);
    for line in &lines {
        let cells = line.iter().zip(widths).enumerate().filter(|(_, (_, width))| *width > 0);
        // Without hours or days the first column has only its heading.
        let cells = cells.filter(|(column, _)| *column > 0 || answer.by != CompletenessBy::Total);
        let cells: Vec<String> = cells
            .map(
                |(column, (cell, width))| {
                    if column < TEXTS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    for station in &answer.stations {
        if let Some(waiting) = &station.waiting {
            out.push_str(&format!("{}: waiting as it said at {}\n", station.node, waiting.reported_at));
        }
    }
    match &answer.counted_at {
        Some(at) => out.push_str(&format!("counted up to what was committed at {at}\n")),
        None => out.push_str("nothing is counted yet\n"),
    }
    out
}

fn unknown() -> String {
    "-".to_owned()
}

fn line(
    [begins, node, link, apid]: [String; 4],
    counts: &CompletenessCounts,
    [waiting, presumed]: [String; 2],
    percent: Option<f64>,
) -> [String; 15] {
    [
        begins,
        node,
        link,
        apid,
        counts.received_live.to_string(),
        counts.backfilled.to_string(),
        waiting,
        counts.not_received.to_string(),
        counts.damaged.to_string(),
        counts.evicted.to_string(),
        counts.forgotten.to_string(),
        presumed,
        counts.duplicates.to_string(),
        counts.never_issued.to_string(),
        percent.map_or_else(unknown, shown),
    ]
}

/// Cut, not rounded: 100 % is said only of what is complete.
fn shown(percent: f64) -> String {
    format!("{:.3} %", (percent * 1_000.0).floor() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_complete_is_called_so() {
        assert_eq!(shown(100.0), "100.000 %");
        assert_eq!(shown(99.999_99), "99.999 %");
    }
}
