//! The half of it that runs in Node.js and drives the browser: it is told where the hub is, and tells what it measured.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use testkit::ground::GroundSegment;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::{BENCH, Part, cores};
use crate::figures;
use crate::timing::Spread;

/// One figure of the script, measured once or several times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub(super) metric: String,
    pub(super) values: Vec<f64>,
    unit: String,
    context: Value,
}

impl Measured {
    /// Prints it as figures are printed; several measurements by their median.
    pub(super) fn print(mut self) {
        self.context["cores"] = json!(cores());
        let Self { metric, values, unit, context } = self;
        match values.as_slice() {
            [value] => figures::print(BENCH, &metric, *value, &unit, &context),
            _ => figures::print_spread(BENCH, &metric, Spread::of(values), &unit, &context),
        }
    }
}

/// What the script needs must have been installed, which `just bench` does.
pub(super) fn is_there() -> anyhow::Result<()> {
    let installed = web().join("node_modules/playwright-core");
    ensure!(
        installed.is_dir(),
        "{} does not exist, and nothing was started: run `./dev bench browser`, which installs it, or `npm ci` in {}",
        installed.display(),
        web().display()
    );
    Ok(())
}

/// Runs one part of the script against a hub to its end; each figure is handed on as it comes. `folder` is what it may
/// write into.
pub(super) async fn run(
    ground: &GroundSegment,
    folder: &Path,
    part: Part,
    options: &[(&str, String)],
    mut on: impl FnMut(Measured),
) -> anyhow::Result<()> {
    let temporary = folder.join("browser");
    std::fs::create_dir_all(&temporary)?;
    let mut command = Command::new("node");
    command.arg("browser/bench.mjs").arg(part.word()).arg("--hub").arg(ground.hub_http().to_string());
    command.args(options.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]));
    // The browser's profile goes with our folder, however the browser ends.
    command.current_dir(web()).env("TMPDIR", &temporary).kill_on_drop(true);
    let mut node = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("node was not started: it must be on the path, as `./dev bench browser` sees to")?;
    // What is on a command line, everybody on the machine can read.
    let mut stdin = node.stdin.take().context("its standard input is ours")?;
    stdin.write_all(ground.hub_code().await?.as_bytes()).await?;
    drop(stdin);
    let mut lines = BufReader::new(node.stdout.take().context("its standard output is ours")?).lines();
    while let Some(line) = lines.next_line().await? {
        on(serde_json::from_str(&line).with_context(|| format!("the script said {line}"))?);
    }
    let status = node.wait().await?;
    ensure!(status.success(), "the browser's script ended with {status}; why is above");
    Ok(())
}

fn web() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    repository.join("shared/dashboard/web")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_where_it_is_looked_for() {
        assert!(web().join("browser/bench.mjs").is_file());
    }

    #[test]
    fn a_line_of_the_script_is_a_figure_and_nothing_else_is() {
        let line = r#"{"metric":"first_paint","values":[3,1,2],"unit":"ms","context":{"page":"/fleet"}}"#;
        let measured: Measured = serde_json::from_str(line).expect("it is one");
        assert_eq!((measured.metric.as_str(), measured.values.len()), ("first_paint", 3));
        assert!(serde_json::from_str::<Measured>(&line.replace("metric", "name")).is_err());
    }
}
