//! `edge-node alarms`: open alarms over a terminal.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{Output, looking};
use crate::config::EdgeConfig;
use crate::desk::carrying::account;
use crate::desk::client::RunningNode;
use crate::desk::{AlarmRow, SeenRequest};

/// Fewer digits would soon name several.
const DIGITS_MIN: usize = 4;

/// `edge-node alarms`.
#[derive(Debug, Subcommand)]
pub enum AlarmsCommand {
    /// Says that you have seen an alarm, all that is known of it now.
    Ack {
        /// The alarm, as `ls` names it; its first digits do.
        alarm: String,
        /// What to note beside it.
        #[arg(long)]
        note: Option<String>,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Lists open alarms, oldest first.
    Ls {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

impl AlarmsCommand {
    /// Runs it on the running node of a configuration file.
    pub async fn run(self, config_file: &Path) -> anyhow::Result<ExitCode> {
        let data = EdgeConfig::read(config_file)?.data_directory;
        let node = RunningNode::find(&data).await;
        let node =
            node.context("the node does not run, and only a running one knows; start it with edge-node run")?;
        let open = node.open_alarms().await?;
        match self {
            Self::Ls { output } => looking::print(output, &open, |rows| table(rows))?,
            Self::Ack { alarm, note, output } => {
                let alarm = named(&open, &alarm)?.alarm.clone();
                let row = node
                    .acknowledge(&SeenRequest { alarm, who: format!("{} at the station", account()), note })
                    .await?;
                looking::print(output, &[row], |rows| table(rows))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The one alarm that begins so.
fn named<'a>(open: &'a [AlarmRow], digits: &str) -> anyhow::Result<&'a AlarmRow> {
    let mut found = open.iter().filter(|row| row.alarm.starts_with(digits));
    match (found.next(), found.next()) {
        _ if digits.len() < DIGITS_MIN => bail!("give at least {DIGITS_MIN} digits of the alarm"),
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => bail!("several open alarms begin with {digits}; give more digits"),
        (None, _) => bail!("no open alarm begins with {digits}; edge-node alarms ls lists them"),
    }
}

fn table(rows: &[AlarmRow]) -> String {
    if rows.is_empty() {
        return "no open alarms\n".to_owned();
    }
    let mut out = format!("{:<10} {:<9} {:<24} {:<24} what\n", "alarm", "severity", "state", "first");
    for row in rows {
        let severity = row.severity.map_or("over", |severity| severity.name());
        let state = serde_json::to_value(row.state).ok();
        let state = state.as_ref().and_then(|state| state.as_str()).unwrap_or_default();
        let (id, what) = (row.alarm.get(..8).unwrap_or_default(), &row.parameter);
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{id:<10} {severity:<9} {state:<24} {:<24} {} {what} ({})",
            row.first, row.mission, row.detector
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use processing::alarm::{AlarmSeverity, State};

    use super::*;

    fn row(alarm: &str) -> AlarmRow {
        AlarmRow {
            alarm: alarm.to_owned(),
            mission: "demo".to_owned(),
            parameter: "/Demo/Power/battery_voltage".to_owned(),
            detector: "limits".to_owned(),
            state: State::ActiveUnacknowledged,
            severity: Some(AlarmSeverity::Critical),
            first: "2026-11-23T12:00:00Z".to_owned(),
        }
    }

    #[test]
    fn an_alarm_is_known_by_its_first_digits_if_no_other_begins_so() {
        let open = [row("00ff1122"), row("00ff3344"), row("aa000000")];
        assert_eq!(named(&open, "00ff1").expect("one").alarm, "00ff1122");
        assert_eq!(named(&open, "aa00").expect("one").alarm, "aa000000");
        for digits in ["00ff", "aa0", "bbbb", ""] {
            assert!(named(&open, digits).is_err(), "{digits}");
        }
    }

    #[test]
    fn open_alarms_are_a_table() {
        let expected = "alarm      severity  state                    first                    what\n\
            00ff1122   critical  active-unacknowledged    2026-11-23T12:00:00Z     demo /Demo/Power/battery_voltage (limits)\n";
        assert_eq!(table(&[row("00ff11223344")]), expected);
        assert_eq!(table(&[]), "no open alarms\n");
    }
}
