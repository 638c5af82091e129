//! A client's life: to its end, or to Ctrl-C.

use std::fmt::Display;
use std::future::Future;
use std::process::ExitCode;

use crate::exit_code;

/// What a shell says of a program that Ctrl-C has ended: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Runs a client to its end, a failure being told as [`exit_code`] does, or until Ctrl-C: then it is dropped
/// where it is, its connections close, and `farewell` is told on stderr.
///
/// It does not wait for a thread that reads standard input: there, nothing ends a read but input.
///
/// ```
/// use highwater_examples::run_until_ctrl_c;
/// use std::process::ExitCode;
/// let code = run_until_ctrl_c("ftp", "interrupted", async { Ok::<_, &str>(ExitCode::SUCCESS) });
/// assert_eq!(code, ExitCode::SUCCESS);
/// ```
pub fn run_until_ctrl_c<E: Display>(
    program: &str,
    farewell: &str,
    client: impl Future<Output = Result<ExitCode, E>>,
) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(program, Err(format!("the runtime does not start: {error}"))),
    };
    let code = runtime.block_on(async {
        tokio::select! {
            // Ctrl-C is heard before the client begins.
            biased;
            pressed = tokio::signal::ctrl_c() => {
                exit_code(program, Err(pressed.map_or_else(|error| error.to_string(), |()| farewell.to_owned())));
                ExitCode::from(INTERRUPTED)
            }
            outcome = client => outcome.unwrap_or_else(|error| exit_code(program, Err(error))),
        }
    });
    runtime.shutdown_background();
    code
}
