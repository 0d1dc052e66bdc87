//! Logs to standard error: text for people, JSON with `STO_LOG_FORMAT=json`; level by `STO_LOG`.

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
