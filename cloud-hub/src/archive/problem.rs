//! What people are told when the archive does not answer.

use dashboard::ProblemResponse;

use super::ArchiveError;

/// What who asked is told of a question that the archive did not answer.
pub(crate) fn problem(error: &ArchiveError) -> ProblemResponse {
    if error.is_timeout() {
        return ProblemResponse::too_slow(
            "PostgreSQL took too long; ask for a shorter span, or for less at once",
        );
    }
    ProblemResponse::unavailable(format!("{error}; nothing is lost, try again in a few seconds"))
}
