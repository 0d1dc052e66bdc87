//! What the system that starts a program is told, and what is asked of it.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tracing::{debug, warn};

/// Tells systemd that the program does its work now. Nothing happens where systemd did not start it.
pub fn ready() {
    notify(NotifyState::Ready);
}

/// Tells systemd that the program is ending.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// Tells systemd's watchdog that the program is alive.
pub fn alive() {
    notify(NotifyState::Watchdog);
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        debug!(%error, "systemd could not be told");
    }
}

/// How often [`alive`] is wanted: twice as often as systemd's patience lasts. `None` when it does not watch.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}

/// Lets the program open as many files and connections as it may: the usual 1,024 are fewer than its own bounds add up
/// to, and a commit needs a file as well.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        warn!(?current, ?maximum, %error, "the limit of open files could not be raised");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_may_be_open_as_the_system_lets_us() {
        raise_open_files();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
    }
}
