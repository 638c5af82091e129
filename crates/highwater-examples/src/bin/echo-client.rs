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

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use highwater_examples::{Outcome, exit_code};
use highwater_net::{ReadExactlyError, open_connection};

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
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("echo-client", run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Outcome {
    let Arguments { message, host, port } = arguments;
    let (mut reader, writer) = open_connection((host, port)).connect_timeout(Duration::from_secs(10)).await?;

    println!("Send: {message:?}");
    writer.write(&message)?;
    writer.drain().await?;

    // An echo may come in pieces, and a server may stop early: asyncio's documented one takes 100 bytes.
    let (received, complete) = match reader.read_exactly(message.len()).await {
        Ok(echo) => (echo, true),
        Err(ReadExactlyError::Incomplete(error)) => (error.into_partial(), false),
        Err(error) => return Err(error.into()),
    };
    println!("Received: {:?}", String::from_utf8_lossy(&received));

    println!("Close the connection");
    writer.close();
    writer.wait_closed().await?;

    if complete {
        return Ok(());
    }
    Err(format!("the server ended the echo after {} of {} bytes", received.len(), message.len()).into())
}
