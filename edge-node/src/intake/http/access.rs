//! Who may hand telemetry to which link. Strangers are told nothing of what is here.

use std::path::Path;

use anyhow::Context;
use axum::http::{HeaderMap, header};

use super::cause::{Cause, Refusal};

/// Longest token.
const TOKEN_BYTES_MAX: usize = 4_096;

/// What the producers of a link must show. Only its hash is kept, and hashes are compared in constant time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token(blake3::Hash);

impl Token {
    /// The token of a file: its first line.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the token in {}", file.display()))?;
        let token = text.lines().next().unwrap_or_default().trim();
        anyhow::ensure!(
            !token.is_empty() && token.len() <= TOKEN_BYTES_MAX,
            "the first line of {} is no token: 1 to {TOKEN_BYTES_MAX} bytes",
            file.display()
        );
        Ok(Self(blake3::hash(token.as_bytes())))
    }
}

/// What a producer shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown(Option<blake3::Hash>);

impl Shown {
    /// `Authorization: Bearer …`.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let token = token.filter(|token| token.len() <= TOKEN_BYTES_MAX);
        Self(token.map(|token| blake3::hash(token.as_bytes())))
    }

    /// Whether it opens a link.
    pub(super) fn opens(self, token: Option<&Token>) -> bool {
        token.is_none_or(|Token(wanted)| self.0.is_some_and(|shown| shown == *wanted))
    }

    /// Why it does not.
    pub(super) fn refusal(self) -> Refusal {
        match self.0 {
            None => {
                let message = "show the link's token as `Authorization: Bearer ...`";
                Refusal::new(Cause::TokenMissing, message)
            }
            Some(_) => Refusal::new(Cause::TokenWrong, "the token opens nothing here"),
        }
    }
}
