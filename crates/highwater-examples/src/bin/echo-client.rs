//! Sends a message and prints what comes back. In asyncio:
//!
//! ```python
//! reader, writer = await asyncio.open_connection(host, port)
//! writer.write(message)
//! await writer.drain()
//! print(await reader.readexactly(len(message)))
//! writer.close()
//! await writer.wait_closed()
//! ```

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, value_parser};
use highwater_examples::{Outcome, exit_code, say};
use highwater_net::{ReadExactlyError, StreamOptions, open_connection};

/// Sends a message to an echo server and prints what comes back.
#[derive(Debug, Parser)]
#[command(name = "echo-client")]
struct Arguments {
    /// The message to send
    #[arg(default_value = "Hello World!")]
    message: String,

    /// The host to connect to, by name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port to connect to
    #[arg(long, default_value_t = 8888)]
    port: u16,

    /// How many seconds to wait for the server, to connect and for each sign of life from there on
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    #[arg(value_parser = value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("echo-client", run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Outcome {
    let Arguments { message, host, port, timeout } = arguments;
    let patience = Duration::from_secs(timeout);
    let streams = StreamOptions::new().read_timeout(Some(patience)).write_timeout(Some(patience));
    let (mut reader, writer) =
        open_connection((host, port)).connect_timeout(patience).streams(streams).await?;

    say(format_args!("Send: {message:?}"))?;
    writer.write(&message)?;
    writer.drain().await?;

    // An echo may come in pieces, and a server may stop early: asyncio's documented one takes 100 bytes.
    let (received, complete) = match reader.read_exactly(message.len()).await {
        Ok(echo) => (echo, true),
        Err(ReadExactlyError::Incomplete(error)) => (error.into_partial(), false),
        Err(ReadExactlyError::Transport(error)) if error.kind() == ErrorKind::TimedOut => {
            return Err(format!("the server sent nothing for {patience:?}").into());
        }
        Err(error) => return Err(error.into()),
    };
    say(format_args!("Received: {:?}", String::from_utf8_lossy(&received)))?;

    say("Close the connection")?;
    writer.close();
    writer.wait_closed().await?;

    if complete {
        return Ok(());
    }
    Err(format!("the server ended the echo after {} of {} bytes", received.len(), message.len()).into())
}
