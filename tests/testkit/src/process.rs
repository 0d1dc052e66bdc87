//! Real processes: started from the same build as whoever asks, each with a log file, and never left behind.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Short enough not to be felt in a test, long enough not to be seen in its CPU time.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Who else hears a signal that is sent to our process group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Group {
    /// A group of its own: Ctrl-C reaches only us, who stop it in order.
    Own,
    /// Ours: a test runner that ends us at a time limit ends it too.
    Shared,
}

/// A process that we started. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program of this build; what it prints is appended to `log`.
    pub fn start(program: &str, arguments: &[String], log: &Path, group: Group) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("failed to open {}", log.display()))?;
        let mut command = Command::new(binary(program)?);
        command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        if group == Group::Own {
            command.process_group(0);
        }
        let child = command.spawn().with_context(|| format!("failed to start {program}"))?;
        Ok(Self { name: program.to_owned(), child, log: log.to_path_buf() })
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = Pid::from_raw(self.child.id().cast_signed()).context("process numbers are positive")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Asks it to stop; one that does not within `patience` is killed, which is an error.
    pub async fn stop(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        if self.is_alive() {
            self.signal(Signal::TERM)?;
        }
        let stopped = self.wait(patience).await;
        if stopped.is_err() {
            self.kill()?;
        }
        stopped.with_context(|| format!("{} was asked to stop and had to be killed", self.name))
    }

    /// Waits until it ends by itself.
    pub async fn wait(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} still runs after {patience:?}; its log ends:\n{}", self.name, self.log_tail());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The last lines that it printed.
    pub fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is what we wanted.
        let _ = self.kill();
    }
}

/// A program of the build that the current executable belongs to.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let current = std::env::current_exe()?;
    let path = beside(&current).join(name);
    if !path.is_file() {
        bail!("{} does not exist: build it with `cargo build --workspace --all-targets`", path.display());
    }
    Ok(path)
}

/// The folder of the programs: tests lie one deeper, in `deps`.
fn beside(executable: &Path) -> &Path {
    let folder = executable.parent().unwrap_or(Path::new("."));
    if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }
}

/// Runs a program of this build to its end and returns what it printed.
pub async fn output(program: &str, arguments: &[String], patience: Duration) -> anyhow::Result<String> {
    let mut command = tokio::process::Command::new(binary(program)?);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let what = || format!("{program} {}", arguments.join(" "));
    let done = tokio::time::timeout(patience, command.output())
        .await
        .with_context(|| format!("`{}` still runs after {patience:?}", what()))??;
    if !done.status.success() {
        bail!("`{}` failed ({}):\n{}", what(), done.status, String::from_utf8_lossy(&done.stderr).trim_end());
    }
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}

/// Waits for a state: asks again and again until there is an answer, or names what was waited for.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited {patience:?} in vain for: {what}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_lie_beside_programs_and_above_tests() {
        let check =
            |executable, expected: &str| assert_eq!(beside(Path::new(executable)), Path::new(expected));
        check("/target/debug/ground-segment", "/target/debug");
        check("/target/debug/deps/it-0123456789abcdef", "/target/debug");
        check("/target/release/deps/it-0123456789abcdef", "/target/release");
    }

    #[test]
    fn a_missing_program_says_how_to_build_it() {
        let failed = binary("no-such-program").expect_err("it does not exist").to_string();
        assert!(failed.contains("cargo build"), "{failed}");
    }

    #[tokio::test]
    async fn waiting_in_vain_names_what_was_waited_for() {
        let failed = until("the end", Duration::from_millis(30), async || Ok(None::<()>)).await;
        assert!(failed.expect_err("it never comes").to_string().contains("the end"));
        let mut left = 3;
        let counted = until("three looks", Duration::from_secs(5), async || {
            left -= 1;
            Ok((left == 0).then_some("seen"))
        });
        assert_eq!(counted.await.expect("it comes"), "seen");
    }
}
