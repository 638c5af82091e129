//! What the libraries do, observed: two processes, TCP between them, and a transcript of what happened.
//!
//! The program starts itself a second time as a server ([`serve`]) and talks to it ([`scenes`]). Nothing in
//! the transcript is written down beforehand: each value was observed in this run, and the program fails if
//! one of them is not what it has to be.

mod child;
mod request;
mod scenes;
mod serve;
mod transcript;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use highwater_examples::{Outcome, exit_code};

use crate::child::ServerProcess;
use crate::scenes::Scene;
use crate::transcript::Transcript;

/// Many times what it takes. A demo that hangs is to end in a sentence.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Sends every line of a file to a second process and back, and shows what the libraries do beside that.
#[derive(Debug, Parser)]
#[command(name = "highwater-demo", args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Arguments {
    /// The regular file to send, with any bytes in it
    #[arg(required = true)]
    file: Option<PathBuf>,

    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be the second process: print an address, serve it until standard input ends.
    #[command(hide = true)]
    Serve,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("highwater-demo", run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Outcome {
    match (arguments.role, arguments.file) {
        (Some(Role::Serve), _) => serve::run().await,
        (None, Some(file)) => show(&file).await,
        (None, None) => Err("which file is to be sent?".into()),
    }
}

async fn show(path: &Path) -> Outcome {
    let file = read(path)?;
    let server = ServerProcess::start().await?;
    let shown = match tokio::time::timeout(TIME_LIMIT, play(&server, path, file)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("it was not through after {TIME_LIMIT:?}").into()),
    };
    match shown {
        Ok(()) => server.stop().await,
        Err(error) => {
            server.kill().await;
            Err(error)
        }
    }
}

/// The whole file. A device or a pipe is refused before it is opened: it may never end.
fn read(path: &Path) -> Outcome<Vec<u8>> {
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{} is not a regular file", path.display()).into());
    }
    Ok(std::fs::read(path).map_err(unreadable)?)
}

async fn play(server: &ServerProcess, path: &Path, file: Vec<u8>) -> Outcome {
    let mut transcript = Transcript::new();
    transcript.title("Two processes, and TCP between them")?;
    transcript.line("client", format_args!("process {}", std::process::id()))?;
    transcript.line("server", format_args!("process {}, listening on {}", server.id(), server.address()))?;

    let mut scene = Scene { server: server.address(), transcript };
    scene.file(path, file.into()).await?;
    scene.separators().await?;
    scene.exact().await?;
    scene.overrun().await?;
    scene.cancelled().await?;
    scene.held().await?;
    scene.throughput().await
}
