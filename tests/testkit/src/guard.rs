//! Cleans up behind a process that may die at any moment: tests are killed by time limits and by people.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends a PostgreSQL cluster once whoever holds this is gone, however it went.
///
/// A shell waits for the end of a pipe that only we hold: the kernel closes it even after `kill -9`.
#[derive(Debug)]
pub struct Guard {
    shell: Child,
}

// PostgreSQL works inside its data directory: the number in its pid file may be anyone's by now.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r _
pid=$(head -n 1 "$1/cluster/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$(readlink -f "$1/cluster")" ]; then
    kill -QUIT "$pid"
    tries=0
    while kill -0 "$pid" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
fi
[ -z "$2" ] || rm -rf "$2"
"#;

impl Guard {
    /// Watches over the cluster in `cluster` and removes the folder `remove`, if any, once PostgreSQL ended.
    pub fn over(cluster: &Path, remove: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "guard"]).arg(cluster).arg(remove.unwrap_or(Path::new("")));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Self { shell: command.spawn()? })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // A guard that cannot be waited for does its work all the same.
        let _ = self.shell.wait();
    }
}
