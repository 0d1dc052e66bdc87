//! What the node itself has to say to people: events are recorded and forwarded as telemetry is, in a lane of their own.

use delivery::{EVENT_TEXT_BYTES_MAX, Event, Severity};

/// An event that is noticed now. Its code is listed in `docs/error-codes.md`.
pub fn event(code: &str, severity: Severity, text: impl Into<String>, details: &[(&str, String)]) -> Event {
    Event {
        at: service::clock::now(),
        code: code.to_owned(),
        severity,
        text: cut(text.into()),
        details: details.iter().map(|(name, value)| ((*name).to_owned(), cut(value.clone()))).collect(),
    }
}

/// A text no longer than an event may hold.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(EVENT_TEXT_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_longer_than_an_event_may_hold_are_cut_between_characters() {
        let long = "ä".repeat(EVENT_TEXT_BYTES_MAX);
        let event = event("STO-TEST", Severity::Info, format!("x{long}"), &[("cause", long)]);
        assert_eq!(event.text.len(), EVENT_TEXT_BYTES_MAX - 1);
        assert_eq!(event.details[0].1.len(), EVENT_TEXT_BYTES_MAX);
    }
}
