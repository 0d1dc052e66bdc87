//! `edge-node forward`: what operators decide about the backlog.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use delivery::BitRate;

use super::{Output, looking};
use crate::config::EdgeConfig;
use crate::desk::client::RunningNode;
use crate::forwarding::{Decision, Steering};

/// `edge-node forward`.
#[derive(Debug, Subcommand)]
pub enum ForwardCommand {
    /// Holds the backlog to a rate such as 256kbit; `none` lifts it.
    Limit {
        /// The rate.
        rate: Limit,
    },
    /// Sends what was received last first.
    NewestFirst,
    /// Sends what was received first first.
    OldestFirst,
    /// Holds the backlog back; alarms and live data go on.
    Pause,
    /// Lets it go on.
    Resume,
    /// Says what is decided.
    Show {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

/// A rate, or none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit(Option<BitRate>);

impl std::str::FromStr for Limit {
    type Err = delivery::BitRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|rate| Self(Some(rate))) }
    }
}

impl ForwardCommand {
    /// Runs it on the node of a configuration file, whether it runs or not.
    pub async fn run(self, config_file: &Path) -> anyhow::Result<ExitCode> {
        let data = EdgeConfig::read(config_file)?.data_directory;
        let running = RunningNode::find(&data).await;
        let mut decision = match &running {
            Some(node) => node.decision().await?,
            None => Steering::open(&data).decision(),
        };
        let mut output = Output::Text;
        match self {
            Self::Limit { rate: Limit(rate) } => {
                decision.limit_bits_per_s = rate.map(|rate| rate.bits_per_s);
            }
            Self::NewestFirst => decision.is_newest_first = true,
            Self::OldestFirst => decision.is_newest_first = false,
            Self::Pause => decision.is_paused = true,
            Self::Resume => decision.is_paused = false,
            Self::Show { output: wanted } => {
                output = wanted;
                looking::print(output, &decision, describe)?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        match &running {
            Some(node) => node.decide(&decision).await?,
            None => Steering::open(&data).decide(decision)?,
        }
        looking::print(output, &decision, describe)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn describe(decision: &Decision) -> String {
    let order = if decision.is_newest_first { "newest first" } else { "oldest first" };
    let state = if decision.is_paused { "PAUSED, alarms and live data go on" } else { "goes on" };
    let limit = match decision.limit_bits_per_s {
        Some(bits_per_s) => format!("at most {}", BitRate { bits_per_s }),
        None => "no limit".to_owned(),
    };
    format!("backlog: {state} · {limit} · {order}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rates_or_none() {
        assert_eq!("none".parse(), Ok(Limit(None)));
        assert_eq!("256kbit".parse(), Ok(Limit(Some(BitRate { bits_per_s: 256_000 }))));
        assert!("fast".parse::<Limit>().is_err());
    }

    #[test]
    fn what_is_decided_is_said_in_one_line() {
        let decision = Decision { is_paused: true, limit_bits_per_s: Some(256_000), is_newest_first: true };
        let expected = "backlog: PAUSED, alarms and live data go on · at most 256kbit · newest first\n";
        assert_eq!(describe(&decision), expected);
        assert_eq!(describe(&Decision::default()), "backlog: goes on · no limit · oldest first\n");
    }
}
