//! Running other programs: to their end or to a time limit, with a failure told in a sentence.
//!
//! Their output is left alone here; [`suite`](crate::suite) is the one place that reads it.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use crate::outcome::{Failure, Outcome};

/// Runs a command to its end; anything but success becomes a sentence that names the command.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let mut child = start(command)?;
    let status = child.wait().map_err(|error| lost(command, &error))?;
    success(command, status)
}

/// Runs a program that explains its own failures: of those, only the exit code is passed on.
pub(crate) fn pass_through(command: &mut Command) -> Outcome {
    let mut child = start(command)?;
    let status = child.wait().map_err(|error| lost(command, &error))?;
    pass_on(command, status)
}

/// [`pass_through`] for a program that Ctrl-C tells to come to its end, and not to stop: this process becomes it,
/// so that there is nobody whom Ctrl-C would stop.
#[cfg(unix)]
pub(crate) fn become_it(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;

    let error = command.exec();
    Err(format!("could not start `{}`: {error}", shown(command)).into())
}

/// [`pass_through`], where a process cannot become another.
#[cfg(not(unix))]
pub(crate) fn become_it(command: &mut Command) -> Outcome {
    pass_through(command)
}

/// [`pass_through`] for a program that might never end: it is killed when `limit` has passed.
pub(crate) fn pass_through_within(limit: Duration, command: &mut Command) -> Outcome {
    // The standard library cannot wait with a time limit, and a look now and then costs next to nothing.
    const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

    let mut child = start(command)?;
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait().map_err(|error| lost(command, &error))? {
            Some(status) => return pass_on(command, status),
            None if Instant::now() < deadline => thread::sleep(BETWEEN_LOOKS),
            None => {
                child.kill().and_then(|()| child.wait()).map_err(|error| lost(command, &error))?;
                return Err(format!("`{}` was killed: it still ran after {limit:?}", shown(command)).into());
            }
        }
    }
}

/// Starts a command, or says in a sentence why it did not start.
pub(crate) fn start(command: &mut Command) -> Outcome<Child> {
    command.spawn().map_err(|error| format!("could not start `{}`: {error}", shown(command)).into())
}

/// Takes anything but success for a failure, in a sentence with the exit code or the signal.
pub(crate) fn success(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", shown(command)).into()) }
}

/// The sentence for a child process that we could no longer read from or wait for.
pub(crate) fn lost(command: &Command, error: &io::Error) -> Failure {
    format!("lost touch with `{}`: {error}", shown(command)).into()
}

/// A command as one would type it, without the folder that its program lies in.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn pass_on(command: &Command, status: ExitStatus) -> Outcome {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Told(u8::try_from(code).unwrap_or(1))),
        // Killed by a signal: it had no chance to say why.
        None => success(command, status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_without_the_folder_of_its_program() {
        let mut command = Command::new("/opt/toolchain/bin/cargo");
        assert_eq!(shown(command.args(["fmt", "--all"])), "cargo fmt --all");
    }
}
