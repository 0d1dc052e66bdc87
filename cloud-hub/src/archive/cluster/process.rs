//! PostgreSQL's processes and programs, as the operating system sees them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, test_kill_process};
use tokio::process::Command;

use super::PORT;
use super::place::Account;

/// Whether a start that ended with this log may succeed a moment later: a killed postmaster's children still
/// hold its memory, or an earlier one is still on its way out.
pub(super) fn passes_by_itself(log: &str) -> bool {
    ["pre-existing shared memory block", "is another postmaster", "is another server"]
        .iter()
        .any(|message| log.to_lowercase().contains(message))
}

/// A program that is not needed to run a cluster. Where `postgres` is only linked into a folder, it lies beside what the
/// link leads to.
pub(super) fn tool(binaries: &Path, name: &str) -> PathBuf {
    let beside = binaries.join(name);
    if beside.is_file() {
        return beside;
    }
    let real = binaries.join("postgres").canonicalize().ok();
    let packaged = real.and_then(|postgres| Some(postgres.parent()?.join(name)));
    packaged.filter(|path| path.is_file()).unwrap_or(beside)
}

pub(super) fn command(program: &Path, directory: &Path, run_as: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    // An own process group: Ctrl-C in a terminal must reach the hub, which drains, and not its database.
    command.current_dir(directory).stdin(Stdio::null()).process_group(0).env("LC_ALL", "C");
    for variable in ["PGDATA", "PGHOST", "PGOPTIONS", "PGPORT", "PGUSER"] {
        command.env_remove(variable);
    }
    if let Some(account) = run_as {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// The running postmaster of this data directory, if there is one.
///
/// Its pid file alone proves nothing: after a crash, or in a restarted container, the number may be anyone's.
pub(super) fn running_postmaster(data: &Path) -> Option<Pid> {
    let pid = pid_in(&data.join("postmaster.pid"))?;
    works_in(pid, data).then_some(pid)
}

fn pid_in(lock: &Path) -> Option<Pid> {
    let text = fs::read_to_string(lock).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// PostgreSQL's processes all work inside the data directory. Where there is no `/proc`, being alive must do.
fn works_in(pid: Pid, data: &Path) -> bool {
    if !Path::new("/proc/self").exists() {
        return test_kill_process(pid).is_ok();
    }
    fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).is_ok_and(|cwd| cwd == data)
}

/// PostgreSQL takes a lock file whose number belongs to any living process for a running server, for ever.
/// So when nobody works in the data directory, the lock files are removed first.
pub(super) fn remove_stale_locks(data: &Path, socket_directory: &Path) {
    let lock = data.join("postmaster.pid");
    let Ok(processes) = fs::read_dir("/proc") else { return };
    if !lock.exists() {
        return;
    }
    let in_use = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .any(|pid| works_in(pid, data));
    if !in_use {
        // If one stays, PostgreSQL itself decides about it.
        let _ = fs::remove_file(lock);
        let _ = fs::remove_file(socket_directory.join(format!(".s.PGSQL.{PORT}.lock")));
    }
}

pub(super) fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
