//! Logs to standard error: text for people, JSON with `STO_LOG_FORMAT=json`; level by `STO_LOG`.

use std::error::Error;
use std::fmt::Write;

use tracing_subscriber::EnvFilter;

/// Starts logging; `info` and above unless `STO_LOG` says otherwise.
pub fn start() {
    let filter = EnvFilter::try_from_env("STO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var("STO_LOG_FORMAT").is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.with_ansi(false).init();
    }
}

/// An error and everything behind it in one line: a log line's `%error` shows only the first.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(behind) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {behind}");
        cause = behind.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_names_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("no database")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("connection refused"));
        assert_eq!(chain(&error), "no database: connection refused");
    }
}
