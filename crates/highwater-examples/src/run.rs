//! The life of a program: to its end, or to Ctrl-C.

use std::fmt::Display;
use std::future::Future;
use std::process::ExitCode;

use highwater_net::Server;

use crate::{Outcome, exit_code, say};

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

/// Tells where a server serves, and returns when Ctrl-C is pressed or somebody has closed it.
///
/// # Errors
/// A sentence, if nobody takes the output or Ctrl-C cannot be heard.
///
/// ```no_run
/// # async fn run() -> highwater_examples::Outcome {
/// # use highwater_net::{StreamReader, StreamWriter};
/// let hang_up = |_reader: StreamReader, _writer: StreamWriter| ();
/// let server = highwater_net::start_server(hang_up, ("127.0.0.1", 0)).await?;
/// highwater_examples::serve_until_ctrl_c(&server).await?;
/// server.shutdown(std::time::Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub async fn serve_until_ctrl_c(server: &Server) -> Outcome {
    let serving = async {
        let addresses = server.local_addrs().iter().map(ToString::to_string);
        say(format_args!("Serving on {}", addresses.collect::<Vec<_>>().join(", ")))?;
        Ok(server.serve_forever().await?)
    };
    tokio::select! {
        // Ctrl-C is heard before anybody is told that there is something to stop.
        biased;
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
        served = serving => served,
    }
}
