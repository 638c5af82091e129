//! Waits for data on an open socket that was made elsewhere. In asyncio:
//!
//! ```python
//! ours, theirs = socket.socketpair()
//! reader, writer = await asyncio.open_connection(sock=ours)
//! loop.call_soon(theirs.send, b"abc")
//! print("Received:", await reader.read(100))
//! writer.close()
//! await writer.wait_closed()
//! ```

use std::process::ExitCode;

use clap::Parser;
use highwater_examples::{Outcome, exit_code, say};

/// Waits for data on one end of a Unix socket pair, while a thread sends from the other.
#[derive(Debug, Parser)]
#[command(name = "wait-for-data")]
struct Arguments {}

#[tokio::main]
async fn main() -> ExitCode {
    Arguments::parse();
    exit_code("wait-for-data", wait_for_data().await)
}

#[cfg(unix)]
async fn wait_for_data() -> Outcome {
    use highwater_net::open_connection;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    // A blocking pair, as any part of a program might have made it.
    let (ours, mut theirs) = UnixStream::pair()?;
    let (mut reader, writer) = open_connection(ours).await?;

    // Somebody who knows nothing of tokio.
    let sender = std::thread::spawn(move || theirs.write_all(b"abc"));

    let data = reader.read(100).await?;
    say(format_args!("Received: {:?}", String::from_utf8_lossy(&data)))?;

    writer.close();
    writer.wait_closed().await?;
    match sender.join() {
        Ok(sent) => Ok(sent?),
        Err(_) => Err("the thread that sends panicked".into()),
    }
}

#[cfg(not(unix))]
async fn wait_for_data() -> Outcome {
    Err("there are no Unix socket pairs on this system".into())
}
