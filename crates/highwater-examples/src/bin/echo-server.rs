//! Sends back whatever comes. In asyncio:
//!
//! ```python
//! async def echo(reader, writer):
//!     while data := await reader.read(100):
//!         print(f"Received {data!r} from {writer.get_extra_info('peername')}")
//!         writer.write(data)
//!         await writer.drain()
//!     writer.close()
//!     await writer.wait_closed()
//!
//! server = await asyncio.start_server(echo, host, port)
//! print("Serving on", [socket.getsockname() for socket in server.sockets])
//! await server.serve_forever()
//! ```
//!
//! Here a handler that returns closes its connection, so that the last two lines of `echo` are not needed.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use highwater_examples::{Outcome, end_or_ctrl_c, serve_until_ctrl_c, tell, tell_at_the_end};
use highwater_net::{Server, StreamReader, StreamWriter, start_server};

/// Sends back whatever comes, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "echo-server")]
struct Arguments {
    /// The host to listen on, by name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 8888)]
    port: u16,
}

fn main() -> ExitCode {
    highwater_examples::run("echo-server", run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Outcome {
    let server = start_server(echo, (arguments.host, arguments.port)).await?;
    serve_until_ctrl_c(&server).await?;
    stop(&server).await
}

async fn echo(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let peer = writer.facts().peer_addr();
    tell(format!("Connected: {peer}")).await?;
    loop {
        let data = reader.read(100).await?;
        if data.is_empty() {
            return tell(format!("Close the connection of {peer}")).await;
        }
        let message = String::from_utf8_lossy(&data);
        tell(format!("Received {message:?} from {peer}")).await?;
        tell(format!("Send: {message:?}")).await?;
        writer.write(data)?;
        writer.drain().await?;
    }
}

/// What is on its way still arrives, unless somebody does not take it.
async fn stop(server: &Server) -> Outcome {
    const GRACE: Duration = Duration::from_secs(2);

    let mut told = Ok(());
    let gently = async {
        told = tell_at_the_end("Stop serving").await;
        server.close();
        server.close_clients();
        tokio::time::timeout(GRACE, server.wait_closed()).await
    };
    end_or_ctrl_c(server, gently).await;
    told
}
