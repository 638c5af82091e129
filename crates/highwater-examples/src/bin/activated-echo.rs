//! An echo server on sockets that somebody else has opened: systemd's socket activation. In asyncio:
//!
//! ```python
//! servers = []
//! for fd in range(3, 3 + int(os.environ["LISTEN_FDS"])):
//!     servers.append(await asyncio.start_server(echo, sock=socket.socket(fileno=fd)))
//! await asyncio.gather(*(server.serve_forever() for server in servers))
//! ```
//!
//! Here one server takes all of them, internet and Unix sockets alike. The file of a Unix
//! socket is left where it is, for the next start.
//!
//! Try it without systemd's units:
//!
//! ```sh
//! systemd-socket-activate --listen=8888 --listen=/tmp/echo.sock target/debug/activated-echo
//! ```

use std::process::ExitCode;
#[cfg(unix)]
use std::time::Duration;

use clap::{Parser, value_parser};
use highwater_examples::Outcome;
#[cfg(unix)]
use highwater_examples::{end_or_ctrl_c, serve_until_ctrl_c, tell_at_the_end};
#[cfg(unix)]
use highwater_net::{StreamReader, StreamWriter};

/// Sends back whatever comes to the sockets that were handed over (LISTEN_FDS), until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "activated-echo")]
struct Arguments {
    /// The most connections at a time
    #[arg(long, default_value = "1000", value_parser = value_parser!(u16).range(1..))]
    most: u16,

    /// How long connections may go on after Ctrl-C, in seconds
    #[arg(long, default_value_t = 5)]
    deadline: u64,
}

fn main() -> ExitCode {
    highwater_examples::run("activated-echo", run(Arguments::parse()))
}

#[cfg(unix)]
async fn run(arguments: Arguments) -> Outcome {
    let listeners = handed_over()?;
    if listeners.is_empty() {
        return Err("no socket was handed over: is LISTEN_FDS set, and LISTEN_PID ours?".into());
    }
    let server = highwater_net::start_server(echo, listeners).max_connections(arguments.most.into()).await?;
    serve_until_ctrl_c(&server).await?;
    let mut told = Ok(());
    let gently = async {
        told = tell_at_the_end("Stop serving").await;
        server.shutdown(Duration::from_secs(arguments.deadline)).await
    };
    end_or_ctrl_c(&server, gently).await;
    told
}

#[cfg(not(unix))]
async fn run(_: Arguments) -> Outcome {
    Err("sockets are handed over on Unix only".into())
}

/// Every socket, whichever its kind.
#[cfg(unix)]
fn handed_over() -> Outcome<Vec<std::os::fd::OwnedFd>> {
    let mut given = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..given.len() {
        // One that is of the other kind stays where it is.
        let listener = match given.take_tcp_listener(index) {
            Ok(listener) => listener.map(Into::into),
            Err(_) => given.take_unix_listener(index)?.map(Into::into),
        };
        listeners.extend(listener);
    }
    Ok(listeners)
}

#[cfg(unix)]
async fn echo(mut reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
    loop {
        let data = reader.read(64 * 1024).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}
