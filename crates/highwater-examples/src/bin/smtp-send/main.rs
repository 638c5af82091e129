//! Sends the message on standard input over SMTP. In asyncio, the heart of it:
//!
//! ```python
//! async def command(line):
//!     writer.write(line + b"\r\n")
//!     return await reply(reader)                      # readuntil(b"\r\n") while lines begin with 250-
//!
//! reader, writer = await asyncio.open_connection(host, port)
//! await reply(reader)
//! await command(b"EHLO localhost")
//! await command(b"STARTTLS")
//! await writer.start_tls(context, server_hostname=host)
//! await command(b"EHLO localhost")
//! await command(b"MAIL FROM:<anna@example.org>")
//! await command(b"RCPT TO:<ben@example.org>")
//! await command(b"DATA")
//! for line in sys.stdin.buffer:
//!     writer.write(b"." * line.startswith(b".") + line.rstrip(b"\r\n") + b"\r\n")
//!     await writer.drain()
//! await command(b".")
//! await command(b"QUIT")
//! ```
//!
//! Here commands go out together where the server allows it, and the message is never in memory as a whole:
//!
//! ```text
//! smtp-send --from anna@example.org --to ben@example.org --to cleo@example.org mail.example.org:587 < message
//! ```
//!
//! The message is sent as it is, but for its line ends: it begins with its headers, and nobody adds any.

mod client;

use std::cell::Cell;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum, value_parser};
use highwater_examples::secret::password;
use highwater_examples::smtp::{Credentials, Mailbox};
use highwater_examples::text::HostPort;
use highwater_examples::{Outcome, run_until_ctrl_c, say, trusting};

use client::{Client, Envelope, Progress};

/// Sends the message on standard input over SMTP.
///
/// The exit code is 0 if every recipient was taken, 3 if some were, and 1 if the message was not sent
/// as far as can be known.
#[derive(Debug, Parser)]
#[command(name = "smtp-send", verbatim_doc_comment)]
struct Arguments {
    /// The server; its port is 25 unless said otherwise
    #[arg(value_name = "HOST[:PORT]")]
    server: HostPort,

    /// Who sends it, and is told if it cannot be delivered
    #[arg(long, value_name = "ADDRESS")]
    from: Mailbox,

    /// Whom it is for; may be given several times
    #[arg(long, value_name = "ADDRESS", required = true)]
    to: Vec<Mailbox>,

    /// Whether to go on inside TLS
    #[arg(long, value_enum, default_value = "required")]
    starttls: StartTls,

    /// Whom to trust instead of what the platform trusts: certificates, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Who we are, for AUTH PLAIN; it is told inside TLS alone
    #[arg(long, requires = "password_file")]
    user: Option<String>,

    /// The user's password: the first line of this file
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// How many seconds to wait for the server at most; without it, minutes, as RFC 5321 has them
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    #[arg(value_parser = value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StartTls {
    /// Or nothing is sent
    Required,
    /// Which protects from nobody who can change what the server says
    IfOffered,
    /// In plain
    Never,
}

fn main() -> ExitCode {
    let progress = Cell::new(Progress::Begun);
    let farewell = || match progress.get() {
        Progress::Begun => "interrupted: the message was not sent",
        Progress::Ended => "interrupted: the server may have taken the message, or not",
        Progress::Taken => "interrupted: the message was sent",
    };
    run_until_ctrl_c("smtp-send", farewell, run(Arguments::parse(), &progress))
}

async fn run(arguments: Arguments, progress: &Cell<Progress>) -> Outcome<ExitCode> {
    const SOME: u8 = 3;

    let Arguments { server, from, to, starttls, ca, user, password_file, timeout } = arguments;
    let credentials = match user.zip(password_file) {
        Some((user, file)) => {
            Some(Credentials::new(user, password(&file)?).ok_or("a user has a name, without NUL")?)
        }
        None => None,
    };
    // Before anybody is called: a file that cannot be read is nobody else's business.
    let tls = match starttls {
        StartTls::Never => None,
        _ => Some(trusting(ca.as_deref())?.build()?),
    };

    let mut client =
        Client::connect(&server.host, server.port.unwrap_or(25), Duration::from_secs(timeout)).await?;
    match tls {
        Some(tls) if client.offered().starttls => client = client.start_tls(tls, &server.host).await?,
        Some(_) if starttls == StartTls::Required => return Err("the server offers no STARTTLS".into()),
        _ => {}
    }
    if let Some(credentials) = credentials {
        client.authenticate(&credentials).await?;
    }
    let envelope = Envelope { from, to, size: size_of_input() };
    let sent = client.send(&envelope, tokio::io::stdin(), progress).await?;
    // It is the server's now: what becomes of the output and of the connection changes nothing.
    if let Err(error) = say(format_args!("Sent: {}", sent.reply)) {
        writeln!(std::io::stderr(), "smtp-send: the message was sent, but {error}").ok();
    }
    client.quit().await;
    if sent.refused.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let refused = sent.refused.join("; ");
    let (taken, all) = (envelope.to.len() - sent.refused.len(), envelope.to.len());
    writeln!(std::io::stderr(), "smtp-send: taken for {taken} of {all} recipients: {refused}").ok();
    Ok(ExitCode::from(SOME))
}

/// The bytes of the message, if it is a file.
#[cfg(unix)]
fn size_of_input() -> Option<u64> {
    use std::os::fd::AsFd;

    let input = std::fs::File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?);
    input.metadata().ok().filter(|metadata| metadata.is_file()).map(|metadata| metadata.len())
}

/// The bytes of the message, if that can be known.
#[cfg(not(unix))]
fn size_of_input() -> Option<u64> {
    None
}
