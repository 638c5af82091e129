//! Our end of the conversations in `tests/interop`: `interop_peer listen CONVERSATION`, or
//! `interop_peer connect ADDRESS CONVERSATION`. It holds one conversation, or as many as it is told, and ends.
//!
//! Standard output is for the script: `listening ADDRESS`, `failed COUNT REASON` for a handshake that failed,
//! and what was observed, a word and then numbers.

mod conversations;
mod ends;
mod secured;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use highwater_net::{StreamReader, StreamWriter};
use tokio::time::timeout;

use conversations::{abort, aborted, echo, end_first, end_last, held, late};
use ends::{Ends, Tls, TlsOptions};
use secured::{http, lines, say, upgrade};

/// A script that went away is not to leave us behind.
const TIME_LIMIT: Duration = Duration::from_secs(180);

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

pub(crate) type Halves = (StreamReader, StreamWriter);

/// Our end of the conversations in `tests/interop`
#[derive(Debug, Parser)]
#[command(name = "interop_peer")]
struct Arguments {
    #[command(subcommand)]
    role: Role,
    /// How many times, one after the other
    #[arg(long, global = true, default_value_t = 1)]
    times: u32,
    #[command(flatten)]
    tls: TlsOptions,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Waits for the peer
    Listen {
        conversation: Conversation,
        /// On this Unix socket instead of a free port
        #[arg(long)]
        unix: Option<std::path::PathBuf>,
    },
    /// Goes to the peer
    Connect { address: String, conversation: Conversation },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Conversation {
    Echo,
    EndLast,
    EndFirst,
    Held,
    Late,
    Abort,
    Aborted,
    Lines,
    Say,
    Http,
    /// Begins in plain, whatever is said of TLS
    Upgrade,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match timeout(TIME_LIMIT, run(arguments)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("not through after {TIME_LIMIT:?}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("interop_peer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { role, times, tls }: Arguments) -> Outcome {
    let (tls, conversation) = match role {
        Role::Listen { conversation, .. } => (tls.of_server()?, conversation),
        Role::Connect { conversation, .. } => (tls.of_client()?, conversation),
    };
    let at_once = tls.clone().filter(|_| conversation != Conversation::Upgrade);
    let mut ends = match (role, at_once) {
        (Role::Listen { unix: None, .. }, tls) => Ends::listen(tls).await?,
        (Role::Listen { unix: Some(path), .. }, tls) => Ends::listen_on_unix(&path, tls).await?,
        (Role::Connect { address, .. }, tls) => Ends::Connecting { address, tls },
    };
    for _ in 0..times {
        converse(ends.next().await?, conversation, tls.clone()).await?;
    }
    Ok(())
}

async fn converse((reader, writer): Halves, conversation: Conversation, tls: Option<Tls>) -> Outcome {
    match conversation {
        Conversation::Echo => echo(reader, writer).await,
        Conversation::EndLast => end_last(reader, writer).await,
        Conversation::EndFirst => end_first(reader, writer).await,
        Conversation::Held => held(reader, writer).await,
        Conversation::Late => late(reader, writer).await,
        Conversation::Abort => abort(reader, writer).await,
        Conversation::Aborted => aborted(reader, writer).await,
        Conversation::Lines => lines(reader, writer).await,
        Conversation::Say => say(reader, writer).await,
        Conversation::Http => http(reader, writer).await,
        Conversation::Upgrade => upgrade(reader, writer, tls.ok_or("an upgrade to what?")?).await,
    }
}
