//! Lists folders of an FTP server, and gets and puts files. In asyncio, the heart of it:
//!
//! ```python
//! async def command(line):
//!     writer.write(line + b"\r\n")
//!     return await reply(reader)                      # readuntil(b"\r\n") to the line that ends the reply
//!
//! reader, writer = await asyncio.open_connection(host, 21)
//! await reply(reader)
//! await command(b"USER anonymous")
//! await command(b"PASS anonymous@")
//! await command(b"TYPE I")
//! port = passive_port(await command(b"EPSV"))
//! data, _ = await asyncio.open_connection(host, port)  # a connection for each file
//! await command(b"RETR a-file")
//! while block := await data.read(65536):
//!     file.write(block)
//! await reply(reader)                                 # 226: that was all of it
//! ```
//!
//! ```text
//! ftp --tls --user anna --password-file secret ftp.example.org ls pictures
//! ftp ftp.example.org get a-file --resume
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `control.rs` | the connection for commands: login, TLS, and a data connection for each transfer |
//! | `transfer.rs` | what goes through data connections: listings, files, and the rest of files |
//!
//! With `--tls` both connections are protected. Data connections resume the session of the control connection, as
//! far as server and version allow it, since some servers demand that.

mod control;
mod transfer;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, value_parser};
use highwater_examples::secret::password;
use highwater_examples::text::HostPort;
use highwater_examples::{Outcome, ftp, run_until_ctrl_c, trusting};

use control::Control;

/// Lists folders of an FTP server, and gets and puts files.
#[derive(Debug, Parser)]
#[command(name = "ftp")]
struct Arguments {
    /// The server; its port is 21 unless said otherwise
    #[arg(value_name = "HOST[:PORT]")]
    server: HostPort,

    #[command(subcommand)]
    action: Action,

    /// Protect commands and files by TLS, or do nothing
    #[arg(long)]
    tls: bool,

    /// Whom to trust instead of what the platform trusts: certificates, in PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,

    /// Who we are; without --tls, everybody on the way learns it, and the password
    #[arg(long, default_value = "anonymous")]
    user: String,

    /// The user's password: the first line of this file
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,

    /// How many seconds to wait for the server, to connect and for each sign of life from there on
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    #[arg(value_parser = value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List a folder
    Ls {
        /// The folder; without it, the one that the server begins in
        #[arg(value_parser = argument)]
        folder: Option<String>,
        /// Names alone
        #[arg(long)]
        names: bool,
    },
    /// Get a file
    Get {
        /// The file on the server
        #[arg(value_parser = argument)]
        remote: String,
        /// The file here; without it, of the same name, in the current folder
        local: Option<PathBuf>,
        /// Keep what is here of it already, and get the rest
        #[arg(long)]
        resume: bool,
    },
    /// Put a file
    Put {
        /// The file here
        local: PathBuf,
        /// The file on the server; without it, of the same name
        #[arg(value_parser = argument)]
        remote: Option<String>,
        /// Keep what is there of it already, and put the rest
        #[arg(long)]
        resume: bool,
    },
}

/// What may stand in a command.
fn argument(text: &str) -> Result<String, &'static str> {
    ftp::argument(text).map(str::to_owned).ok_or("it is empty, or has a control character")
}

fn main() -> ExitCode {
    let farewell = "interrupted: what has arrived is kept, and --resume goes on from there";
    run_until_ctrl_c("ftp", || farewell, run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Outcome<ExitCode> {
    let Arguments { server, action, tls, ca, user, password_file, timeout } = arguments;
    let password = match password_file {
        Some(file) => password(&file)?,
        None => "anonymous@".into(),
    };
    let tls = match tls {
        false => None,
        true => Some(trusting(ca.as_deref())?.build()?),
    };
    let patience = Duration::from_secs(timeout);
    let mut control = Control::connect(&server.host, server.port.unwrap_or(21), patience).await?;
    if let Some(tls) = tls {
        control = control.start_tls(tls, &server.host).await?;
    }
    control.log_in(&user, &password).await?;
    match action {
        Action::Ls { folder, names } => transfer::list(&mut control, folder.as_deref(), names).await?,
        Action::Get { remote, local, resume } => {
            let local = local.map_or_else(|| local_name(&remote), Ok)?;
            transfer::get(&mut control, &remote, &local, resume).await?;
        }
        Action::Put { local, remote, resume } => {
            let remote = remote.map_or_else(|| remote_name(&local), Ok)?;
            transfer::put(&mut control, &local, &remote, resume).await?;
        }
    }
    control.quit().await;
    Ok(ExitCode::SUCCESS)
}

/// The last part of a path on the server.
fn local_name(remote: &str) -> Result<PathBuf, String> {
    match remote.rsplit('/').next() {
        Some(name) if !matches!(name, "" | "." | "..") => Ok(name.into()),
        _ => Err(format!("{remote:?} has no name for a file here: give one")),
    }
}

/// The last part of a path here.
fn remote_name(local: &std::path::Path) -> Result<String, String> {
    let name = local.file_name().and_then(|name| name.to_str()).and_then(ftp::argument);
    name.map(str::to_owned).ok_or_else(|| format!("{} has no name for the server: give one", local.display()))
}
