//! Runs the torturer as processes: recorded, killed, or checking.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::engine::{ENGINES, Engine};
use crate::ledger::Ledger;

/// The journal's directory in the directory that is recorded.
pub const JOURNAL: &str = "journal";
/// The ledger, beside the journal: what is written there is recorded among the journal's writes.
pub const LEDGER: &str = "ledger";
/// A check that takes longer hangs.
const CHECKED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Which syncs the recorder does not see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blind {
    /// No sync is seen.
    ToAll,
    /// `fdatasync` is not seen.
    ToDataSync,
    /// All are seen.
    ToNothing,
}

/// The torturer, in a build of its own.
#[derive(Clone, Debug)]
pub struct Torturer {
    /// Its program.
    pub program: PathBuf,
    /// The engine it tortures.
    pub engine: Engine,
}

impl Torturer {
    fn command(&self, task: &str, root: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(task).args(["--engine", self.engine.name]).arg("--directory").arg(root.join(JOURNAL));
        command.stdin(Stdio::null());
        command
    }

    /// Writes so many commits into `root` and returns the record of all that was done to files there.
    pub fn record(&self, root: &Path, seed: u64, commits: u64, blind: Blind) -> anyhow::Result<Vec<u8>> {
        let root = root.canonicalize()?;
        let record = tempfile::NamedTempFile::new()?;
        let mut command = self.command("write", &root);
        command.arg("--ledger").arg(root.join(LEDGER));
        command.args(["--seed", &seed.to_string(), "--commits", &commits.to_string()]);
        command.env("LD_PRELOAD", env!("POWER_CUT_RECORDER"));
        command.env("STO_RECORDER_ROOT", &root).env("STO_RECORDER_OUTPUT", record.path());
        match blind {
            Blind::ToAll => command.env("STO_RECORDER_BLIND", "all"),
            Blind::ToDataSync => command.env("STO_RECORDER_BLIND", "fdatasync"),
            Blind::ToNothing => command.env_remove("STO_RECORDER_BLIND"),
        };
        let output = command.output().context("failed to start the torturer")?;
        succeeded("the recorded run", &output)?;
        Ok(fs::read(record.path())?)
    }

    /// Writes without end, as fast as it can, and says on its standard output what was acknowledged.
    pub fn start(&self, root: &Path, seed: u64) -> anyhow::Result<Child> {
        let mut command = self.command("write", root);
        command.args(["--seed", &seed.to_string()]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().context("failed to start the torturer")
    }

    /// Opens the journal in a process of its own and compares it with the ledger; says how long opening took.
    pub fn check(&self, root: &Path, ledger: &Ledger) -> anyhow::Result<Duration> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), ledger.text())?;
        let mut command = self.command("check", root);
        command.arg("--ledger").arg(file.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = within(CHECKED_WITHIN, command.spawn().context("failed to start the check")?)?;
        succeeded("the check", &output)?;
        let micros =
            String::from_utf8_lossy(&output.stdout).trim().parse().context("a check prints a time")?;
        Ok(Duration::from_micros(micros))
    }
}

/// Fills a journal of each engine with records that wait for the hub, and opens it in a process of its own.
pub fn backlog(program: &Path, records: u64) -> anyhow::Result<()> {
    for engine in ENGINES {
        let torturer = Torturer { program: program.to_path_buf(), engine: *engine };
        let root = tempfile::tempdir()?;
        for task in ["fill", "open"] {
            let mut command = torturer.command(task, root.path());
            let status = command.args(["--records", &records.to_string()]).status()?;
            ensure!(status.success(), "{}: `{task}` ended with {status}", engine.name);
        }
    }
    Ok(())
}

/// Waits for an end; what does not come to one is killed.
fn within(patience: Duration, mut child: Child) -> anyhow::Result<Output> {
    let deadline = Instant::now() + patience;
    let status: ExitStatus = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill()?;
                child.wait()?;
                bail!("it hung for {patience:?}");
            }
            None => std::thread::sleep(LOOK_EVERY),
        }
    };
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    // A few lines: they fit into the pipes, so the process did not wait for us.
    child.stdout.take().context("it has a standard output")?.read_to_end(&mut stdout)?;
    child.stderr.take().context("it has a standard error")?.read_to_end(&mut stderr)?;
    Ok(Output { status, stdout, stderr })
}

fn succeeded(what: &str, output: &Output) -> anyhow::Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{what} ended with {}: {}", output.status, said.trim_end());
    Ok(())
}
