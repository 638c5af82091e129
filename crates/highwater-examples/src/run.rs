//! The life of a program: to its end, or to Ctrl-C.

use std::fmt::Display;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use highwater_net::Server;

use crate::{Outcome, exit_code, tell};

/// What a shell says of a program that Ctrl-C has ended: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Many times what a thread takes that waits for nobody.
const MOMENT: Duration = Duration::from_millis(100);

/// Runs a client to its end, a failure being told as [`exit_code`] does, or until Ctrl-C: then it is dropped
/// where it is, its connections close, and `farewell` is told on stderr.
///
/// ```
/// use highwater_examples::run_until_ctrl_c;
/// use std::process::ExitCode;
/// let client = async { Ok::<_, &str>(ExitCode::SUCCESS) };
/// assert_eq!(run_until_ctrl_c("ftp", || "interrupted", client), ExitCode::SUCCESS);
/// ```
pub fn run_until_ctrl_c<E: Display>(
    program: &str,
    farewell: impl FnOnce() -> &'static str,
    client: impl Future<Output = Result<ExitCode, E>>,
) -> ExitCode {
    on_a_runtime(program, async {
        tokio::select! {
            // Ctrl-C is heard before the client begins.
            biased;
            pressed = tokio::signal::ctrl_c() => {
                exit_code(program, Err(pressed.map_or_else(|error| error.to_string(), |()| farewell().to_owned())));
                ExitCode::from(INTERRUPTED)
            }
            outcome = client => outcome.unwrap_or_else(|error| exit_code(program, Err(error))),
        }
    })
}

/// Runs a program that minds Ctrl-C itself to its end, a failure being told as [`exit_code`] does.
///
/// ```
/// use std::process::ExitCode;
/// assert_eq!(highwater_examples::run("chat", async { Ok(()) }), ExitCode::SUCCESS);
/// ```
pub fn run(program: &str, work: impl Future<Output = Outcome>) -> ExitCode {
    on_a_runtime(program, async { exit_code(program, work.await) })
}

/// It does not wait for a thread that reads standard input, or writes standard output: nothing ends that but
/// whoever is at the other end. What another thread does with a connection comes to its end: of one that is being
/// reset, the exit of the program would make a clean end.
fn on_a_runtime(program: &str, work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(program, Err(format!("the runtime does not start: {error}"))),
    };
    let code = runtime.block_on(work);
    runtime.shutdown_timeout(MOMENT);
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
        let endpoints = server.endpoints().iter().map(ToString::to_string);
        tell(format!("Serving on {}", endpoints.collect::<Vec<_>>().join(", "))).await?;
        Ok(server.serve_forever().await?)
    };
    tokio::select! {
        // Ctrl-C is heard before anybody is told that there is something to stop.
        biased;
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
        served = serving => served,
    }
}

/// Ends a server gently, for as long as that takes or until Ctrl-C is pressed again, which is heard before that
/// begins. What is left then is reset, so that nobody takes it for complete. Returns how many connections that were.
///
/// ```
/// # async fn run(server: highwater_net::Server) {
/// # use std::time::Duration;
/// server.close();
/// let patience = tokio::time::timeout(Duration::from_secs(5), server.wait_closed());
/// let cut_short = highwater_examples::end_or_ctrl_c(&server, patience).await;
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let hang_up = |_: highwater_net::StreamReader, _: highwater_net::StreamWriter| ();
/// # run(highwater_net::start_server(hang_up, ("127.0.0.1", 0)).await.unwrap()).await;
/// # });
/// ```
pub async fn end_or_ctrl_c(server: &Server, gently: impl Future) -> usize {
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {}
        _ = gently => {}
    }
    let left = server.counts().open;
    server.abort_clients();
    // Handlers that do not look at their connection are cancelled.
    server.shutdown(Duration::ZERO).await;
    left
}
