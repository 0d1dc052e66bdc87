//! Exit codes, the same for every command.

use service::config::ConfigError;

use crate::journal::{JournalError, KeyError};

/// What lies in the journal is not what was written.
pub(super) const INTEGRITY: u8 = 7;

/// For `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  a failure nobody foresaw
   2  the command line or the configuration file cannot be used
   3  the node runs and something needs a look, or it does not run
   5  the hub, or a link of this node, cannot be reached
   6  the hub refused
   7  something on disk is not what was written
   8  the disk: full, read-only, not to be read, a key that does not fit
   9  in use by another process";

/// The exit code of a failure.
pub fn exit_code(failure: &anyhow::Error) -> u8 {
    failure.chain().find_map(code_of).unwrap_or(1)
}

fn code_of(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(error) = cause.downcast_ref::<JournalError>() {
        return Some(match error {
            JournalError::Corrupt(_) => INTEGRITY,
            JournalError::Locked { .. } => 9,
            JournalError::Closed
            | JournalError::Engine { .. }
            | JournalError::NoSpace { .. }
            | JournalError::ReadOnly
            | JournalError::WrongKey { .. } => 8,
        });
    }
    if cause.is::<KeyError>() {
        return Some(8);
    }
    if cause.is::<super::send::Unreachable>() {
        return Some(5);
    }
    cause.is::<ConfigError>().then_some(2)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_failure_keeps_its_code_whatever_is_said_around_it() {
        let locked = Err::<(), _>(JournalError::Locked { path: "j".to_owned() });
        let failure = locked.context("the node cannot start").expect_err("it failed");
        assert_eq!(exit_code(&failure), 9);
        assert_eq!(exit_code(&anyhow::anyhow!("something else")), 1);
    }
}
