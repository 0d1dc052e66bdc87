//! What people read, and what strangers may make them read.

use std::fmt;

use data_encoding::HEXLOWER;
use time::OffsetDateTime;

/// A moment as `2026-11-21 09:14Z`.
pub(crate) struct Minute(pub(crate) u64);

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok()) {
            None => f.write_str("an unknown time"),
            Some(at) => {
                let (year, month, day) = at.to_calendar_date();
                let (month, hour, minute) = (u8::from(month), at.hour(), at.minute());
                write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}Z")
            }
        }
    }
}

/// A hash short enough to compare over the telephone: `7f3ab1d0…c190`.
pub(crate) struct ShortHash(pub(crate) [u8; 32]);

impl fmt::Display for ShortHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…{}", HEXLOWER.encode(&self.0[..4]), HEXLOWER.encode(&self.0[30..]))
    }
}

/// Words from another machine: without control characters, and not for ever.
pub(crate) fn printable(text: &str, characters_max: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(characters_max).collect()
}

/// Whether it is something, not too long, and free of control characters.
pub(crate) fn is_label(text: &str, bytes_max: usize) -> bool {
    !text.trim().is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_people_write_them() {
        assert_eq!(Minute(1_795_252_440).to_string(), "2026-11-21 09:14Z");
        assert_eq!(Minute(0).to_string(), "1970-01-01 00:00Z");
        assert_eq!(Minute(u64::MAX).to_string(), "an unknown time");
    }

    #[test]
    fn hashes_are_shortened_to_both_ends() {
        let mut hash = [0; 32];
        (hash[0], hash[31]) = (0x7f, 0x90);
        assert_eq!(ShortHash(hash).to_string(), "7f000000…0090");
    }
}
