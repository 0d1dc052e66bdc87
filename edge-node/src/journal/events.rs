//! What the journal has to say to people, as events that are recorded and forwarded like telemetry.

use delivery::{Event, Severity};

/// An event of now. Codes are `STO-JOURNAL-…` and listed in `docs/error-codes.md`.
pub(super) fn event(code: &str, severity: Severity, text: &str, details: &[(&str, String)]) -> Event {
    Event {
        at: service::clock::now(),
        code: code.to_owned(),
        severity,
        text: text.to_owned(),
        details: details.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}
