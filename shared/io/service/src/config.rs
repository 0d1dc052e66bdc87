//! Configuration files: one typed struct a component, unknown keys refused, read before anything is bound.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

/// Why a configuration file cannot be used. Nothing was started or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file does not say what it must, or says what it must not.
    #[error("error[STO-CONFIG]: {path}{place}: {message}\n  Nothing was started.\n  → mend the file; docs/configuration.md lists the keys", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// `:line:column`, when the parser knows.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be read.
    #[error("error[STO-CONFIG-FILE]: cannot read {path}: {source}\n  Nothing was started.\n  → pass the configuration with --config FILE", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Reads a TOML file. Relative paths in it are the reader's to resolve with [`resolve`].
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| {
        let place = error.span().map_or(String::new(), |span| {
            let before = &text[..span.start.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
            format!(":{line}:{column}")
        });
        ConfigError::Invalid { path: path.to_owned(), place, message: error.message().trim().to_owned() }
    })
}

/// A path as the file means it: relative to the file's own folder.
pub fn resolve(config_file: &Path, path: &Path) -> PathBuf {
    config_file.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// `:line:column` of a key in the `index`-th table of a name, as far as the text shows it; else of the table.
pub fn place(text: &str, table: &str, index: usize, key: &str) -> String {
    let headings = [format!("[{table}]"), format!("[[{table}]]")];
    let is_heading = |line: &str| headings.iter().any(|heading| line.trim_start().starts_with(heading));
    let mut tables = text.lines().enumerate().filter(|(_, line)| is_heading(line));
    let Some((start, _)) = tables.nth(index) else { return String::new() };
    let of_key = text
        .lines()
        .enumerate()
        .skip(start + 1)
        .take_while(|(_, line)| !line.trim_start().starts_with('['))
        .find(|(_, line)| line.split('=').next().is_some_and(|name| name.trim() == key));
    let line = of_key.map_or(start, |(line, _)| line);
    format!(":{}:1", line + 1)
}

/// A number of bytes, written with its unit: `"64 MiB"`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Bytes(pub u64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == ' ');
        let factor = match text[digits.len()..].trim() {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1_u64 << 40,
            _ => return Err(D::Error::custom(format!("{text:?} is not a size; write it like \"64 MiB\""))),
        };
        let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        number.map(Self).ok_or_else(|| D::Error::custom(format!("{text:?} is not a whole number of bytes")))
    }
}

/// A length of time, written with its unit: `"30 s"`, `"2 d"`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(pub Duration);

impl Span {
    /// So many days of 86,400 s.
    pub const fn from_days(days: u64) -> Self {
        Self(Duration::from_secs(days * 86_400))
    }

    /// In nanoseconds, at most what `i64` holds: 292 years.
    pub fn nanos(self) -> i64 {
        i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == ' ');
        let seconds = match text[digits.len()..].trim() {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "y" => 365 * 86_400_u64,
            _ => {
                return Err(D::Error::custom(format!(
                    "{text:?} is not a length of time; write it like \"30 s\", with s, min, h, d or y"
                )));
            }
        };
        let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
        number
            .map(|seconds| Self(Duration::from_secs(seconds)))
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a whole number of its unit")))
    }
}

/// A value that never appears in logs, errors or debug output.
#[derive(Clone, Deserialize, Eq, PartialEq)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        quota: Bytes,
        url: Option<Secret<String>>,
    }

    fn check(text: &str) -> Result<Sample, String> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        load(file.path())
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "x.toml"))
    }

    #[test]
    fn sizes_are_written_with_units() {
        assert_eq!(check("quota = \"2 GiB\"").expect("reads").quota, Bytes(2 << 30));
        for wrong in ["\"2\"", "\"GiB\"", "\"1.5 GiB\"", "\"99999999999 TiB\""] {
            assert!(check(&format!("quota = {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_of_time_are_written_with_units() {
        #[derive(Debug, Deserialize)]
        struct Kept {
            kept: Span,
        }
        let read = |text: &str| toml::from_str::<Kept>(&format!("kept = {text:?}")).map(|read| read.kept);
        for (text, seconds) in
            [("30s", 30), ("5 min", 300), ("2 h", 7_200), ("2 d", 172_800), ("10 y", 315_360_000)]
        {
            assert_eq!(read(text).expect("reads"), Span(Duration::from_secs(seconds)));
        }
        for wrong in ["2", "d", "1.5 d", "-1 s", "99999999999999999 y"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Span(Duration::from_secs(u64::MAX)).nanos(), i64::MAX);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = check("quota = \"1 B\"\nqouta = 3\n").expect_err("refused");
        assert!(error.contains("x.toml:2:1: unknown field `qouta`"), "{error}");
    }

    #[test]
    fn a_secret_prints_as_stars() {
        let sample = check("quota = \"1 B\"\nurl = \"postgres://u:hunter2@h/d\"").expect("reads");
        assert!(format!("{sample:?}").contains("***") && !format!("{sample:?}").contains("hunter2"));
        assert_eq!(sample.url.expect("is there").reveal(), "postgres://u:hunter2@h/d");
    }
}
