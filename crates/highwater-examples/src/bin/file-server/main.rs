//! Serves the files of a folder over HTTP/1.1: by TCP or a Unix socket, in plain or by TLS. In asyncio:
//!
//! ```python
//! async def serve(reader, writer):
//!     while head := await reader.readuntil(b"\r\n\r\n"):
//!         status, fields, file = answer(head)
//!         writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode())
//!         while chunk := file.read(65536):
//!             writer.write(chunk)
//!             await writer.drain()
//!
//! server = await asyncio.start_server(serve, host, port, limit=32768, ssl=context)
//! await server.serve_forever()
//! ```
//!
//! What a head says and what it is answered with is decided in `highwater_examples::http`, without a network;
//! what there is beneath the root, in `site`. The loop above is in `connection`, with what a server on the
//! internet needs: patience that ends, and a stop in which downloads come to their end.
//!
//! ```sh
//! file-server --port 8000 .
//! file-server --unix /tmp/files.sock --tls-cert chain.pem --tls-key key.pem .
//! ```

mod connection;
mod site;

use std::future::IntoFuture;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, value_parser};
use highwater_examples::{Outcome, end_or_ctrl_c, serve_until_ctrl_c, tell_at_the_end};
use highwater_net::{
    BindError, Identity, Server, ServerTls, StartServer, StreamOptions, StreamReader, StreamWriter,
    start_server,
};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::connection::Connection;
use crate::site::Site;

/// Serves the files of a folder over HTTP, until Ctrl-C: then downloads come to their end, and with a second
/// one they do not.
#[derive(Debug, Parser)]
#[command(name = "file-server")]
struct Arguments {
    /// The folder; what a link in it leads out of it to is not served
    root: PathBuf,

    /// The host to listen on, by name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 8000)]
    port: u16,

    /// The Unix socket to listen on instead
    #[arg(long, value_name = "PATH", conflicts_with_all = ["host", "port"])]
    unix: Option<PathBuf>,

    /// Speak TLS with these certificates, in PEM: ours, then those between it and a root
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of our certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The most connections at a time
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = value_parser!(u16).range(1..))]
    most: u16,

    /// How many seconds a client may take for a request, and for each sign of life while it takes the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u64).range(1..=3600))]
    patience: u64,

    /// How many seconds downloads may go on after Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    deadline: u64,
}

fn main() -> ExitCode {
    highwater_examples::run("file-server", run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Outcome {
    let site = Arc::new(Site::new(&arguments.root)?);
    let patience = Duration::from_secs(arguments.patience);
    let (stop, stopping) = watch::channel(false);
    let handler = move |reader: StreamReader, writer: StreamWriter| {
        let site = Arc::clone(&site);
        Connection { site, reader, writer, patience, stopping: stopping.clone() }.serve()
    };
    let server = match &arguments.unix {
        None => start(start_server(handler, (arguments.host.as_str(), arguments.port)), &arguments).await?,
        Some(path) => start_unix(handler, path, &arguments).await?,
    };

    serve_until_ctrl_c(&server).await?;
    let deadline = Duration::from_secs(arguments.deadline);
    let gently = async {
        server.close();
        stop.send_replace(true);
        // That nobody takes the line is no reason to stop in another way.
        let _ = tell_at_the_end("Stop serving").await;
        timeout(deadline, server.wait_closed()).await
    };
    match end_or_ctrl_c(&server, gently).await {
        0 => Ok(()),
        cut => Err(format!("connections that were cut short: {cut}").into()),
    }
}

/// What is the same whatever is listened on.
async fn start<On>(starting: StartServer<On>, arguments: &Arguments) -> Outcome<Server>
where
    StartServer<On>: IntoFuture<Output = Result<Server, BindError>>,
{
    let streams = StreamOptions::new().write_timeout(Some(Duration::from_secs(arguments.patience)));
    let starting = starting.streams(streams).max_connections(arguments.most.into());
    let starting = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(chain), Some(key)) => {
            let tls = ServerTls::builder(Identity::from_pem_files(chain, key)?).alpn(["http/1.1"]);
            // RFC 9112 §9.8: a request tells its own end, so that a missing close_notify is no harm.
            starting.tls(tls.build()?.allow_truncation(true))
        }
        _ => starting,
    };
    Ok(starting.await?)
}

#[cfg(unix)]
async fn start_unix<M>(
    handler: impl highwater_net::Handler<M>,
    path: &std::path::Path,
    arguments: &Arguments,
) -> Outcome<Server> {
    start(highwater_net::start_unix_server(handler, path), arguments).await
}

#[cfg(not(unix))]
async fn start_unix<M>(
    _: impl highwater_net::Handler<M>,
    _: &std::path::Path,
    _: &Arguments,
) -> Outcome<Server> {
    Err("there are no Unix sockets on this system".into())
}
