//! What a technician reads when enrolment fails: what happened, what is still safe, what to do, and a stable code.

use std::error::Error;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use link::{ConnectError, FrameError};
use uuid::Uuid;

use crate::identity::IdentityError;
use crate::text::ShortHash;
use crate::token::TokenError;
use crate::wire::Refused;

const NOTHING_CHANGED: &str =
    "Nothing was changed on this machine; what it has recorded is safe and recording goes on.";
const SAME_TOKEN: &str = "The token still works on this machine, and recording goes on.";

/// Why this machine was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// It has an identity.
    #[error("this machine is already enrolled as \"{name}\" ({node_id})")]
    AlreadyEnrolled {
        /// As whom.
        node_id: Uuid,
        /// What that node is called.
        name: String,
    },
    /// The hub's answer makes no sense.
    #[error("the hub's answer cannot be used: {reason}")]
    Answer {
        /// What is wrong.
        reason: &'static str,
    },
    /// The other end holds another authority than the token names.
    #[error(
        "{address} showed the authority {}, the token expects {}",
        ShortHash(*seen),
        ShortHash(*expected)
    )]
    Authority {
        /// Who answered.
        address: SocketAddr,
        /// SHA-256 of the public key the token names.
        expected: [u8; 32],
        /// SHA-256 of the public key shown.
        seen: [u8; 32],
    },
    /// By this machine's clock the hub's certificate is not valid.
    #[error("by this machine's clock the certificate of the hub at {address} is not valid: {reason}")]
    Clock {
        /// Who answered.
        address: SocketAddr,
        /// What the verifier found.
        reason: String,
    },
    /// The connection ended between request and answer.
    #[error("the connection to the hub ended before its answer came")]
    Interrupted(#[source] FrameError),
    /// None of the hub's names could be resolved.
    #[error("none of the hub's addresses could be found: {}", hub_addresses.join(", "))]
    Names {
        /// What the token says.
        hub_addresses: Vec<String>,
    },
    /// The hub took the request and did not answer.
    #[error("the hub did not answer within {}s", after.as_secs())]
    NoAnswer {
        /// The time allowed.
        after: Duration,
    },
    /// The hub said no.
    #[error("{}", .0.message)]
    Refused(Refused),
    /// The identity could not be read or stored.
    #[error("the identity could not be read or stored on this machine")]
    Storage(#[from] IdentityError),
    /// The token is none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// No connection to the hub.
    #[error("the hub could not be reached")]
    Unreachable(#[source] ConnectError),
}

impl From<ConnectError> for EnrollError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::PinMismatch { address, expected, seen } => {
                Self::Authority { address, expected, seen }
            }
            ConnectError::HubCertificateTime { address, reason } => Self::Clock { address, reason },
            other => Self::Unreachable(other),
        }
    }
}

impl EnrollError {
    /// Stable, for scripts, search and the telephone.
    pub fn code(&self) -> &str {
        match self {
            Self::AlreadyEnrolled { .. } => "STO-ALREADY-ENROLLED",
            Self::Answer { .. } => "STO-HUB-ANSWER",
            Self::Authority { .. } => "STO-AUTHORITY-PIN",
            Self::Clock { .. } => "STO-CLOCK",
            Self::Interrupted(_) | Self::NoAnswer { .. } => "STO-HUB-SILENT",
            Self::Names { .. } | Self::Unreachable(_) => "STO-HUB-UNREACHABLE",
            Self::Refused(refused) => &refused.code,
            Self::Storage(_) => "STO-IDENTITY-STORAGE",
            Self::Token(TokenError::NotAToken) => "STO-TOKEN-NONE",
            Self::Token(TokenError::Typo) => "STO-TOKEN-TYPO",
            Self::Token(TokenError::Version { .. }) => "STO-TOKEN-VERSION",
            Self::Token(TokenError::Content { .. } | TokenError::Randomness) => "STO-TOKEN-CONTENT",
        }
    }

    /// The exit code of a command that ends with it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::AlreadyEnrolled { .. } | Self::Clock { .. } | Self::Token(_) => 2,
            Self::Interrupted(_) | Self::Names { .. } | Self::NoAnswer { .. } | Self::Unreachable(_) => 5,
            Self::Answer { .. } | Self::Refused(_) => 6,
            Self::Authority { .. } => 7,
            Self::Storage(_) => 8,
        }
    }

    /// What is still safe.
    fn still_safe(&self) -> &'static str {
        match self {
            Self::Answer { .. } | Self::Interrupted(_) | Self::NoAnswer { .. } | Self::Storage(_) => {
                SAME_TOKEN
            }
            Self::Authority { .. } => {
                "Someone may stand between this machine and the hub, or the token is from another hub. \
                 Nothing secret was sent; recording goes on."
            }
            _ => NOTHING_CHANGED,
        }
    }

    /// What to do next.
    fn next_step(&self) -> &'static str {
        match self {
            Self::AlreadyEnrolled { .. } => {
                "to give that identity up on purpose, enrol again with replacing allowed"
            }
            Self::Answer { .. } => "compare the versions of hub and node, then try again",
            Self::Authority { .. } => "read both values to mission control before trying again",
            Self::Clock { .. } => "set this machine's clock, then try again",
            Self::Interrupted(_) | Self::NoAnswer { .. } => "try again with the same token",
            Self::Names { .. } => {
                "check this machine's name service, or ask for a token with numeric addresses"
            }
            Self::Refused(refused) => match refused.code.as_str() {
                "STO-HUB-UNAVAILABLE" => "try the same token again in a few minutes",
                "STO-TOKEN-EXPIRED" => "ask mission control for a new token",
                "STO-TOKEN-USED" => {
                    "ask mission control for a new token; if nobody there knows that host, say so: \
                     the token may have been stolen"
                }
                "STO-TOKEN-UNKNOWN" => {
                    "check that the token is from this hub, or ask mission control for a new one"
                }
                _ => "tell mission control the code above",
            },
            Self::Storage(_) => {
                "check space and rights of the state directory, then try the same token again"
            }
            Self::Token(TokenError::Version { .. }) => "install a newer version of this program",
            Self::Token(_) => "copy the token again, whole; it is best read from a file",
            Self::Unreachable(_) => {
                "check the network: UDP to the hub's address and port must pass; the token is not used up"
            }
        }
    }

    /// The whole text for a terminal.
    pub fn report(&self) -> String {
        let mut text = format!("error[{}]: {self}", self.code());
        let mut source = self.source();
        while let Some(cause) = source {
            // Writing into a string does not fail.
            let _ = write!(text, ": {cause}");
            source = cause.source();
        }
        let _ = write!(text, "\n  {}\n  → {}\n", self.still_safe(), self.next_step());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_token_says_by_whom_and_when_and_what_to_do() {
        let refusal = crate::Refusal::Used {
            node_name: "svalbard-1".into(),
            hostname: "ge-nuc-07".into(),
            used_unix: 1_795_252_440,
        };
        let error = EnrollError::Refused(Refused {
            code: refusal.code().into(),
            message: refusal.to_string(),
            used_by: None,
            used_at_unix: None,
        });
        let report = error.report();
        let first = report.lines().next().unwrap();
        assert_eq!(
            first,
            "error[STO-TOKEN-USED]: this token was used on 2026-11-21 09:14Z by node \"svalbard-1\" (host ge-nuc-07)"
        );
        assert!(
            report.contains("Nothing was changed") && report.contains("→ ask mission control"),
            "{report}"
        );
    }

    #[test]
    fn a_wrong_authority_shows_both_values_and_that_nothing_secret_left() {
        let error = EnrollError::Authority {
            address: ([192, 0, 2, 1], 7443).into(),
            expected: [0x7f; 32],
            seen: [0x91; 32],
        };
        let report = error.report();
        for part in [
            "STO-AUTHORITY-PIN",
            "192.0.2.1:7443",
            "7f7f7f7f…7f7f",
            "91919191…9191",
            "Nothing secret was sent",
        ] {
            assert!(report.contains(part), "{part} in {report}");
        }
    }

    #[test]
    fn a_cause_is_told_after_what_it_caused() {
        let error = EnrollError::from(ConnectError::TimedOut {
            address: ([192, 0, 2, 1], 7443).into(),
            after: Duration::from_secs(10),
        });
        let report = error.report();
        assert!(
            report.starts_with("error[STO-HUB-UNREACHABLE]: the hub could not be reached: no answer from"),
            "{report}"
        );
    }
}
