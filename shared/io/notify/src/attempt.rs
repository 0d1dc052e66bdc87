//! What came of one attempt to deliver a message.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::retry::retry_after;

/// Bytes of what a receiver said that are kept: enough for a sentence in the delivery log.
pub const SAID_BYTES_MAX: usize = 512;
/// The longest wait that a receiver may ask for with `Retry-After`: an alarm that is told later than its own schedule
/// would be is no alarm.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// What came of one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// The receiver took it.
    Delivered {
        /// What it said, in one line of at most [`SAID_BYTES_MAX`] bytes.
        said: String,
    },
    /// It will not be taken as it is: somebody must change something.
    Refused(Failure),
    /// It may be taken later.
    TryAgain {
        /// Why it was not taken now.
        failure: Failure,
        /// How long the receiver wants to be left alone, at most [`RETRY_AFTER_MAX`].
        not_before: Option<Duration>,
    },
}

/// Why a message was not delivered. Neither secrets nor URLs are in it; hosts are.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {message}", .kind.code())]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What happened, in one line, with the host and what it said.
    pub message: String,
}

/// Kinds of failures, each with a code of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum FailureKind {
    /// The host has only addresses that messages may not go to.
    Address,
    /// The receiver's answer cannot be read, or ended early.
    Answer,
    /// The receiver is there and takes nothing now.
    Busy,
    /// The configuration has no such channel.
    Channel,
    /// The host has no address, or does not let us connect.
    Connect,
    /// An e-mail address cannot be used.
    Recipient,
    /// The receiver refused the message.
    Refused,
    /// The receiver did not answer in time.
    Timeout,
    /// There is no TLS, or the certificate is not one that is trusted.
    Tls,
}

impl FailureKind {
    /// Its code, as in `docs/error-codes.md`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Address => "STO-NOTIFY-ADDRESS",
            Self::Answer => "STO-NOTIFY-ANSWER",
            Self::Busy => "STO-NOTIFY-BUSY",
            Self::Channel => "STO-NOTIFY-CHANNEL",
            Self::Connect => "STO-NOTIFY-CONNECT",
            Self::Recipient => "STO-NOTIFY-RECIPIENT",
            Self::Refused => "STO-NOTIFY-REFUSED",
            Self::Timeout => "STO-NOTIFY-TIMEOUT",
            Self::Tls => "STO-NOTIFY-TLS",
        }
    }

    /// Whether trying again helps nothing until somebody has changed something.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Address | Self::Channel | Self::Recipient | Self::Refused)
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: one_line(message.as_ref(), 2 * SAID_BYTES_MAX) }
    }
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        if failure.kind.is_final() {
            Self::Refused(failure)
        } else {
            Self::TryAgain { failure, not_before: None }
        }
    }
}

impl Attempt {
    pub(crate) fn delivered(said: &str) -> Self {
        Self::Delivered { said: one_line(said, SAID_BYTES_MAX) }
    }

    /// How long to wait before the next attempt, of a message that was tried so often, this one counted; the longer of
    /// [`retry_after`] and what the receiver asks for. `None` when there is none: it was delivered, refused, or tried
    /// often enough.
    pub fn next(&self, attempts: u32, seed: u64) -> Option<Duration> {
        let Self::TryAgain { not_before, .. } = self else { return None };
        retry_after(attempts, seed).map(|wait| wait.max(not_before.unwrap_or_default()))
    }
}

/// Whether an error or one of its causes is of a type; also inside of an error of I/O, as what a stream wraps is.
pub(crate) fn is_caused_by<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<T>() || inside.is_some_and(<dyn Error + Send + Sync>::is::<T>) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Text in one line of at most so many bytes: runs of blanks and of control characters become one space, so that
/// nothing begins a header or a line of a log.
pub(crate) fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = String::new();
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > bytes_max {
            line.truncate(line.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8())));
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_may_succeed_later_is_tried_again() {
        let delivered = Attempt::delivered("250 ok");
        let refused = Attempt::from(Failure::new(FailureKind::Refused, "no"));
        let later = Attempt::from(Failure::new(FailureKind::Timeout, "silence"));
        assert_eq!((delivered.next(1, 7), refused.next(1, 7)), (None, None));
        assert_eq!(later.next(1, 7), retry_after(1, 7));
        assert_eq!(later.next(crate::ATTEMPTS_MAX, 7), None);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_wait_and_not_for_a_shorter_one() {
        let check = |asked: u64, expected: Duration| {
            let failure = Failure::new(FailureKind::Busy, "full");
            let attempt = Attempt::TryAgain { failure, not_before: Some(Duration::from_secs(asked)) };
            assert_eq!(attempt.next(1, 7), Some(expected), "{asked}");
        };
        check(0, retry_after(1, 7).expect("there is a second attempt"));
        check(300, Duration::from_secs(300));
    }

    #[test]
    fn lines_are_cut_and_cleaned() {
        let check = |text, bytes, expected: &str| assert_eq!(one_line(text, bytes), expected, "{text:?}");
        check("  no such\r\n\tuser \u{1b}[31m ", 100, "no such user [31m");
        check("abcdef", 6, "abcdef");
        check("abcdefg", 6, "abc…");
        check("ab äöü", 8, "ab ä…");
        check("ab c®", 5, "ab…");
        check("", 8, "");
    }

    proptest! {
        #[test]
        fn a_line_is_never_longer_than_it_may_be(text: String, bytes in 8_usize..100) {
            let line = one_line(&text, bytes);
            prop_assert!(line.len() <= bytes && !line.contains(char::is_control), "{line:?}");
        }
    }
}
