//! `browser`: the dashboard in a real Chromium, against a hub of real processes that has a lot to show: what a page costs
//! its main thread, how soon it answers a person, what stays in its memory, and how soon it is there.

mod live;
mod map;
mod script;
mod table;
mod year;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};

use crate::archive::telemetry::Kind;
use crate::archive::{ROOM_ASIDE, ROOM_PER_SAMPLE, SECONDS_PER_DAY};
use crate::scratch;

const BENCH: &str = "browser";

/// How much of what.
#[derive(Clone, Debug, clap::Args)]
pub struct Browser {
    /// Only these parts; all when absent.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Minutes of the dashboard with live plots.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Nodes on the map.
    #[arg(long, default_value_t = 1_000)]
    nodes: usize,
    /// Events in the table, which shows 100,000 at most.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..))]
    events: u32,
    /// Days of one sample a second; a plot shows all of them.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Where hub and nodes keep their data. The system's temporary directory when absent.
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// What is looked at. Each has a hub of its own: what one leaves behind does not disturb the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Part {
    /// 20 plots of 6 lines each, and 10,000 parameters behind them.
    Live,
    /// The fleet on the map.
    Map,
    /// A table of events.
    Table,
    /// A plot of a year.
    Year,
}

impl Part {
    const ALL: [Self; 4] = [Self::Year, Self::Table, Self::Map, Self::Live];

    /// As the script calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Map => "map",
            Self::Table => "table",
            Self::Year => "year",
        }
    }
}

impl Browser {
    /// Runs it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        script::is_there()?;
        let work = async |directory: PathBuf| {
            for part in self.parts() {
                let directory = directory.join(part.word());
                std::fs::create_dir_all(&directory)?;
                self.measure(part, &directory)
                    .await
                    .with_context(|| format!("in its part {}", part.word()))?;
                std::fs::remove_dir_all(&directory)?;
            }
            Ok(())
        };
        scratch::measure(BENCH, self.directory.as_deref(), self.room_bytes(), work).await
    }

    async fn measure(&self, part: Part, directory: &Path) -> anyhow::Result<()> {
        match part {
            Part::Live => live::measure(self.minutes, directory).await,
            Part::Map => map::measure(self.nodes, directory).await,
            Part::Table => table::measure(self.events, directory).await,
            Part::Year => year::measure(self.days, directory).await,
        }
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        Part::ALL.into_iter().filter(|part| self.only.is_empty() || self.only.contains(part))
    }

    /// One part's data is gone before the next one begins.
    fn room_bytes(&self) -> u64 {
        let samples = |part| match part {
            Part::Live => self.minutes * 60 * live::PARAMETERS,
            Part::Year => {
                u64::from(self.days) * u64::from(SECONDS_PER_DAY) * Kind::Yearly.parameters() as u64
            }
            Part::Map | Part::Table => 0,
        };
        self.parts().map(samples).max().unwrap_or(0) * ROOM_PER_SAMPLE + ROOM_ASIDE
    }
}

/// A hub on this machine and a browser share its processors: without their number no figure says anything.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Fails where a figure would be one of something else than it says.
fn ensure_came(what: &str, came: u64, wanted: u64) -> anyhow::Result<()> {
    ensure!(
        came * 100 >= wanted * 95,
        "{came} of {wanted} {what} came to the hub while the browser was measured: the machine is too busy, its figures \
         mean nothing"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        browser: Browser,
    }

    fn parsed(arguments: &[&str]) -> Browser {
        let words = std::iter::once("browser").chain(arguments.iter().copied());
        Arguments::try_parse_from(words).expect("these are arguments").browser
    }

    #[test]
    fn all_parts_are_measured_unless_some_are_named() {
        assert!(parsed(&[]).parts().eq(Part::ALL));
        assert!(parsed(&["--only", "map", "--only", "table"]).parts().eq([Part::Table, Part::Map]));
    }

    #[test]
    fn room_is_asked_for_the_largest_part_that_is_measured() {
        assert_eq!(parsed(&["--only", "table"]).room_bytes(), ROOM_ASIDE);
        let day = parsed(&["--only", "year", "--days", "1"]).room_bytes();
        assert_eq!(day, 4 * 86_400 * ROOM_PER_SAMPLE + ROOM_ASIDE);
        assert_eq!(parsed(&["--days", "365"]).room_bytes() - ROOM_ASIDE, 365 * (day - ROOM_ASIDE));
    }

    #[test]
    fn figures_of_half_a_load_are_refused() {
        assert!(ensure_came("packets", 95, 100).is_ok());
        assert!(ensure_came("packets", 94, 100).is_err());
    }
}
