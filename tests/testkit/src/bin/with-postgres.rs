//! `with-postgres -- COMMAND...`: runs a command (the tests, say) beside a throw-away PostgreSQL, and exits as it did.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use testkit::postgres::{TestCluster, VARIABLE};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// A test runner that was asked to stop ends its tests and prints what it has.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> ExitCode {
    run().await.unwrap_or_else(|failed| {
        eprintln!("with-postgres: {failed:#}");
        ExitCode::FAILURE
    })
}

async fn run() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args_os().skip(1).skip_while(|argument| argument == "--");
    let Some(program) = arguments.next() else { bail!("usage: with-postgres -- COMMAND [ARGUMENT...]") };
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cluster = TestCluster::start().await.context("no PostgreSQL for the tests")?;
    let mut command = Command::new(&program);
    command.args(arguments).env(VARIABLE, cluster.server().to_string());
    let status = match command.spawn() {
        Ok(mut child) => tokio::select! {
            status = child.wait() => status,
            // A terminal has told the child as well: it must not hear it twice.
            _ = interrupt.recv() => end(&mut child, None).await,
            _ = terminate.recv() => end(&mut child, Some(Signal::TERM)).await,
        },
        Err(failed) => Err(failed),
    };
    cluster.stop().await?;
    let status = status.with_context(|| format!("failed to run {}", program.display()))?;
    Ok(ExitCode::from(code_of(status)))
}

async fn end(child: &mut Child, first: Option<Signal>) -> std::io::Result<ExitStatus> {
    for wanted in [first, Some(Signal::TERM), Some(Signal::KILL)] {
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let (Some(signal), Some(pid)) = (wanted, pid) {
            kill_process(pid, signal)?;
        }
        if let Ok(status) = timeout(PATIENCE, child.wait()).await {
            return status;
        }
    }
    child.wait().await
}

/// As a shell reports it: 128 and the signal's number.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_exits_as_its_command_did() {
        let check = |raw, expected| assert_eq!(code_of(ExitStatus::from_raw(raw)), expected, "{raw}");
        check(0, 0);
        check(1 << 8, 1);
        check(100 << 8, 100);
        check(9, 137);
    }
}
