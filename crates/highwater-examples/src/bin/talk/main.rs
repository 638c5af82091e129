//! Talks with any program over TCP, a Unix socket or TLS, like `nc`: what comes in goes out, and the other way
//! round. In asyncio:
//!
//! ```python
//! reader, writer = await asyncio.open_connection(host, port)
//!
//! async def send():
//!     while data := await stdin.read(65536):
//!         writer.write(data)
//!         await writer.drain()
//!     writer.write_eof()
//!
//! async def receive():
//!     while data := await reader.read(65536):
//!         sys.stdout.buffer.write(data)
//!
//! await asyncio.gather(send(), receive())
//! ```
//!
//! ```sh
//! talk example.org 80                                # type a request
//! talk --tls --crlf example.org 443 < request.txt
//! talk --starttls smtp --show mail.example.org 587   # both sides, line by line
//! talk --listen 9000 > file                          # here, and there:
//! talk 192.0.2.1 9000 < file
//! ```
//!
//! Who is talked with is in [`endpoint`], what is done before TLS in [`starttls`], the two directions in
//! [`transfer`], and how they are shown in [`screen`]; what they make of bytes, in `highwater_examples::talk`.

mod endpoint;
mod progress;
mod screen;
mod starttls;
mod transfer;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, value_parser};
use highwater_examples::talk::Protocol;
use highwater_examples::{Outcome, run_until_ctrl_c};

use crate::endpoint::Endpoint;

/// Sends its input to whom it connects to, or who connects, and prints what comes back.
///
/// Ends with the other side's end. The end of the input ends our side, and the other may go on. Exit codes: 0, both
/// sides have ended; 1, the connection failed, was lost, or met --limit or --timeout; 2, the command line is wrong;
/// 130, Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "talk")]
struct Arguments {
    /// HOST PORT, or unix:PATH; with --listen, PORT alone is that of 127.0.0.1
    #[arg(required = true, num_args = 1..=2, value_name = "WHERE")]
    place: Vec<String>,

    /// Wait for the first who connects, instead of connecting
    #[arg(short, long)]
    listen: bool,

    /// Talk through TLS; whom we connect to has to prove who it is
    #[arg(long)]
    tls: bool,

    /// Begin TLS after the words of a protocol: smtp, imap, ftp or plain:COMMAND
    #[arg(long, value_name = "PROTOCOL", conflicts_with_all = ["tls", "listen"])]
    starttls: Option<Protocol>,

    /// Whom to trust instead of what the platform trusts, in PEM; with --listen, whose clients to ask for proof
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Our certificates, in PEM; needed for --listen --tls
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The private key of our certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// The name that the server has to prove, instead of HOST
    #[arg(long, value_name = "NAME", conflicts_with = "listen")]
    server_name: Option<String>,

    /// Show bytes in hexadecimal
    #[arg(short = 'x', long)]
    hex: bool,

    /// Tell both directions on stderr, line by line, behind < and >
    #[arg(short, long)]
    show: bool,

    /// Print control characters as they come, on a terminal too
    #[arg(long)]
    raw: bool,

    /// End the lines of the input with CRLF
    #[arg(long)]
    crlf: bool,

    /// Leave our side open after the end of the input
    #[arg(long)]
    keep_open: bool,

    /// The most bytes to receive; one more is an error
    #[arg(long, value_name = "BYTES")]
    limit: Option<u64>,

    /// How many seconds to wait for the connection (30 unless said), and for each sign of life from then on
    #[arg(short = 'w', long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
}

impl Arguments {
    fn patience(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let endpoint = Endpoint::of(&arguments)
        .unwrap_or_else(|reason| Arguments::command().error(ErrorKind::ValueValidation, reason).exit());
    run_until_ctrl_c("talk", || "interrupted", async {
        talk(&arguments, endpoint).await.map(|()| ExitCode::SUCCESS)
    })
}

async fn talk(arguments: &Arguments, endpoint: Endpoint) -> Outcome {
    let (reader, writer) = endpoint.meet(arguments).await?;
    transfer::transfer(reader, writer, arguments).await
}
