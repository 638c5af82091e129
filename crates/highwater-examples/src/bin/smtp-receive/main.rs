//! Receives mail over SMTP and stores each message in a file, or prints it. In asyncio, the heart of it:
//!
//! ```python
//! async def serve(reader, writer):
//!     writer.write(b"220 localhost ESMTP\r\n")
//!     while line := await reader.readuntil(b"\r\n"):
//!         if line.upper() == b"STARTTLS\r\n":
//!             writer.write(b"220 go ahead\r\n")
//!             await writer.start_tls(context)
//!         else:
//!             writer.write(session.answer(line))
//!         await writer.drain()
//!
//! server = await asyncio.start_server(serve, host, port, limit=512)
//! await server.serve_forever()
//! ```
//!
//! It relays nothing, and so it adds nothing to a message: what arrives is what is stored, line ends included.
//! Try it with two terminals:
//!
//! ```text
//! smtp-receive --port 2525
//! smtp-send --starttls never --from anna@example.org --to ben@example.org localhost:2525 < message
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `conversation.rs` | a connection: who speaks when, time-outs, TLS, the text of a message |
//! | `session.rs` | what a command means at which moment, and the reply to it; it waits for nothing |
//! | `mailbag.rs` | where messages go |

mod conversation;
mod mailbag;
mod session;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, value_parser};
use highwater_examples::secret::password;
use highwater_examples::smtp::Credentials;
use highwater_examples::{Outcome, end_or_ctrl_c, serve_until_ctrl_c};
use highwater_net::{Identity, ServerTls, StreamOptions, start_server};
use tokio::sync::watch;

use mailbag::Mailbag;
use session::Policy;

/// Receives mail over SMTP, until Ctrl-C, and stores each message in a file or prints it.
#[derive(Debug, Parser)]
#[command(name = "smtp-receive")]
struct Arguments {
    /// The host to listen on, by name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 2525)]
    port: u16,

    /// The folder for messages; without it they are printed
    #[arg(long)]
    folder: Option<PathBuf>,

    /// What the server calls itself
    #[arg(long, default_value = "localhost")]
    name: String,

    /// The certificate chain, in PEM: with it, STARTTLS is offered
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Who may send: with it, AUTH PLAIN is demanded, inside TLS
    #[arg(long, requires = "password_file", requires = "cert")]
    user: Option<String>,

    /// The user's password: the first line of this file
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// The bytes of the largest message
    #[arg(long, value_name = "BYTES", default_value_t = 25 * 1024 * 1024)]
    largest: u64,

    /// How many connections there may be at once; others wait
    #[arg(long, value_name = "COUNT", default_value = "100")]
    #[arg(value_parser = value_parser!(u16).range(1..))]
    connections: u16,

    /// How many seconds a client may take for a line
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = value_parser!(u64).range(1..=3600))]
    idle: u64,
}

fn main() -> ExitCode {
    highwater_examples::run("smtp-receive", run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Outcome {
    /// After Ctrl-C, for messages that are on their way.
    const GRACE: Duration = Duration::from_secs(2);

    let connections = arguments.connections.into();
    let address = (arguments.host.clone(), arguments.port);
    let idle = Duration::from_secs(arguments.idle);
    let policy = Arc::new(policy(arguments)?);
    let (stop, stopping) = watch::channel(false);
    let serve =
        move |reader, writer| conversation::serve(Arc::clone(&policy), stopping.clone(), reader, writer);
    // A client that does not take its replies does not keep its place, either.
    let streams = StreamOptions::new().write_timeout(Some(idle));
    let server = start_server(serve, address).streams(streams).max_connections(connections).await?;
    serve_until_ctrl_c(&server).await?;
    let gently = async {
        stop.send_replace(true);
        server.shutdown(GRACE).await
    };
    end_or_ctrl_c(&server, gently).await;
    Ok(())
}

fn policy(arguments: Arguments) -> Outcome<Policy> {
    let Arguments { name, folder, cert, key, user, password_file, largest, idle, .. } = arguments;
    let idle = Duration::from_secs(idle);
    let tls = match cert.zip(key) {
        Some((cert, key)) => {
            Some(ServerTls::new(Identity::from_pem_files(cert, key)?)?.handshake_timeout(idle))
        }
        None => None,
    };
    let credentials = match user.zip(password_file) {
        Some((user, file)) => {
            Some(Credentials::new(user, password(&file)?).ok_or("a user has a name, without NUL")?)
        }
        None => None,
    };
    let mailbag = Mailbag::new(folder, largest)?;
    Ok(Policy { name, tls, credentials, largest, idle, mailbag })
}
