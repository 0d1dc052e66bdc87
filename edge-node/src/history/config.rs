//! `[history]`: how long and in how much room the node keeps roll-ups of what it received.

use serde::Deserialize;
use service::config::{Bytes, Span};

/// `[history]`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// How long roll-ups of a second stay.
    pub seconds: Span,
    /// How long roll-ups of a minute stay.
    pub minutes: Span,
    /// How long roll-ups of an hour stay.
    pub hours: Span,
    /// Disk that all of them may take; then the oldest of the finest go first.
    pub quota: Bytes,
}

impl Default for HistoryConfig {
    /// Seconds for as long as somebody asks what just happened, minutes for a season, hours for a mission: 100 noisy
    /// parameters at 1 Hz fill the quota with that.
    fn default() -> Self {
        Self {
            seconds: Span::from_days(2),
            minutes: Span::from_days(60),
            hours: Span::from_days(3_650),
            quota: Bytes(1 << 30),
        }
    }
}
