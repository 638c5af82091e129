//! How a task ends: its failure, and the closing line that every suite prints.
//!
//! A failure is a sentence for the person at the terminal; what needs counting is counted in
//! [`tally`](crate::tally).

use std::process::ExitCode;

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a task did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What went wrong, in a sentence that is still to be printed.
    Untold(String),
    /// The task, or the program it ran, has said what went wrong; only the exit code is left to pass on.
    Told(u8),
}

impl Failure {
    /// Prints the sentence, if it is still to be printed. A closing line comes last, so whoever prints one
    /// calls this before.
    pub(crate) fn report(&self) {
        if let Self::Untold(sentence) = self {
            eprintln!("xtask: {sentence}");
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Untold(_) => ExitCode::FAILURE,
            Self::Told(code) => ExitCode::from(*code),
        }
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Self::Untold(sentence)
    }
}

/// The line that a suite ends with, in the one form that all of them share.
pub(crate) fn closing_line(suite: &str, passed: usize, failed: usize) -> String {
    format!("{suite}: {passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closing_line_is_one_word_and_two_counts() {
        assert_eq!(closing_line("interop", 7, 0), "interop: 7 passed, 0 failed");
    }
}
