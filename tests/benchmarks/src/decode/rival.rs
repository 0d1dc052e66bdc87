//! `space_packet_parser` from PyPI, in a Python process that waits for its turns.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

/// What is installed.
pub(super) const PINNED: &str = "space_packet_parser==6.2.0";

/// What decoding a recording found.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Parsed {
    pub(super) packets: usize,
    pub(super) values: usize,
    /// Of all raw values that are numbers, added one after the other.
    pub(super) sum: f64,
    /// Processor time.
    #[serde(default)]
    pub(super) seconds: f64,
}

/// The process, with its dictionary loaded.
pub(super) struct Rival {
    process: Child,
    turns: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Rival {
    /// Installs it beside what cargo built, when it is not there yet.
    pub(super) fn start(xtce: &Path, packets: &Path) -> anyhow::Result<Self> {
        let python = install().context("it cannot be installed")?;
        let mut command = Command::new(python);
        command.args(["-c", include_str!("rival.py")]).arg(xtce).arg(packets);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let turns = process.stdin.take();
        let answers = process.stdout.take().context("it has no output")?;
        Ok(Rival { process, turns, answers: BufReader::new(answers) })
    }

    /// Has it parse the recording to the end.
    pub(super) fn parse(&mut self) -> anyhow::Result<Parsed> {
        self.turns.as_mut().context("it has no input")?.write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).context("Python has said something else")
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // It ends with its input.
        self.turns = None;
        let _ = self.process.wait();
    }
}

/// Python of a virtual environment with the pinned version.
fn install() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).context("this program lies in no target directory")?;
    let environment = target.join("benchmarks").join(PINNED.replace("==", "-"));
    let python = environment.join("bin/python");
    let finished = environment.join("installed");
    if !finished.is_file() {
        eprintln!("installing {PINNED}");
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        succeed(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .arg(PINNED),
        )?;
        std::fs::write(finished, "")?;
    }
    Ok(python)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    // Output is for figures.
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?} cannot run"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
