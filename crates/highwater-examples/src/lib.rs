//! What every example has in common: lines on standard output, its failure as a sentence, its end on Ctrl-C.
//!
//! The programs themselves are in `src/bin`, each to be read alone. What they understand of a peer is in the
//! modules here: functions of bytes, or of a reader over whatever gives them, so that tests and fuzzers reach them.

pub mod content_length;
pub mod ftp;
pub mod fuzz;
pub mod http;
#[cfg(feature = "programs")]
mod print;
pub mod proxy_protocol;
pub mod reply;
pub mod resp;
#[cfg(feature = "programs")]
mod run;
pub mod secret;
pub mod smtp;
pub mod talk;
pub mod text;
#[cfg(feature = "programs")]
mod trust;
pub mod upload;

#[cfg(feature = "programs")]
pub use print::{print, tell, tell_at_the_end};
#[cfg(feature = "programs")]
pub use run::{end_or_ctrl_c, run, run_until_ctrl_c, serve_until_ctrl_c};
#[cfg(feature = "programs")]
pub use trust::trusting;

use std::error::Error;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// What an example returns: any error will do, for a person is going to read it.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Prints a line on standard output. Unlike `println!` it fails, and does not panic, when nobody takes the
/// line: a pipe whose reader is gone, a disk that is full.
///
/// # Errors
/// A sentence with the operating system's reason.
pub fn say(line: impl Display) -> Outcome {
    writeln!(std::io::stdout(), "{line}").map_err(|error| format!("nobody takes the output: {error}").into())
}

/// The exit code of a program that ended so. A failure is told on stderr, in a sentence behind the
/// program's name.
///
/// ```
/// use highwater_examples::exit_code;
/// use std::process::ExitCode;
///
/// assert_eq!(exit_code("echo-client", Ok::<(), &str>(())), ExitCode::SUCCESS);
/// assert_eq!(exit_code("echo-client", Err("nobody is there")), ExitCode::FAILURE);
/// ```
pub fn exit_code(program: &str, outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody takes this either, the exit code still tells.
            writeln!(std::io::stderr(), "{program}: {error}").ok();
            ExitCode::FAILURE
        }
    }
}
