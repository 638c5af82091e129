//! Sends commands to a Redis server, and shows its replies. In asyncio:
//!
//! ```python
//! reader, writer = await asyncio.open_connection(host, port)
//! writer.write(b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)]))
//! await writer.drain()
//! line = await reader.readuntil(b"\r\n")
//! if line.startswith(b"$") and (length := int(line[1:])) >= 0:
//!     reply = await reader.readexactly(length + 2)
//! ```
//!
//! A reply mixes lines and counted bytes, which one reader reads in any order. Try it:
//!
//! ```sh
//! redis-client localhost:6379 set greeting "hello there"
//! redis-client localhost:6379 subscribe news
//! seq 100000 | sed 's/.*/set key:& &/' | redis-client --pipe localhost:6379
//! ```

mod client;
mod pipe;
mod words;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use client::{Client, Input, Server, send};
use highwater_examples::resp::Value;
use highwater_examples::{Outcome, run_until_ctrl_c, say};

/// Behind these, a server goes on telling.
const TELLING: [&[u8]; 4] = [b"subscribe", b"psubscribe", b"ssubscribe", b"monitor"];

/// Sends commands to a Redis server, and shows its replies, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "redis-client")]
struct Arguments {
    /// Send all commands of standard input without waiting for replies, and count these
    #[arg(long, conflicts_with = "command")]
    pipe: bool,

    #[command(flatten)]
    server: Server,

    /// A command and its arguments; without one, commands are read from standard input, one a line
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_answered =
        arguments.pipe || arguments.command.first().is_some_and(|name| !is_telling(name.as_bytes()));
    if is_answered {
        let farewell = || "interrupted before every command had its reply";
        return run_until_ctrl_c("redis-client", farewell, async {
            run(arguments).await.map(|()| ExitCode::SUCCESS)
        });
    }
    highwater_examples::run("redis-client", async {
        tokio::select! {
            // Ctrl-C is heard before the first word. Who talks or listens has had enough.
            biased;
            pressed = tokio::signal::ctrl_c() => Ok(pressed?),
            outcome = run(arguments) => outcome,
        }
    })
}

async fn run(arguments: Arguments) -> Outcome {
    let mut client = Client::connect(&arguments.server).await?;
    if arguments.pipe {
        pipe::pipe(&mut client, &mut Input::new(tokio::io::stdin())).await?;
    } else if arguments.command.is_empty() {
        converse(&mut client, &mut Input::new(tokio::io::stdin())).await?;
    } else if is_telling(arguments.command[0].as_bytes()) {
        listen(&mut client, &arguments.command).await?;
    } else {
        let reply = client.ask(&arguments.command).await?;
        say(reply)?;
    }
    client.close().await
}

fn is_telling(name: &[u8]) -> bool {
    TELLING.iter().any(|telling| telling.eq_ignore_ascii_case(name))
}

/// Shows whatever comes, for as long as anything does.
async fn listen<W: AsRef<[u8]>>(client: &mut Client, command: &[W]) -> Outcome {
    send(&client.writer, command).await?;
    while let Some(value) = client.replies.any().await? {
        match value {
            Value::Error(_) => return Err(format!("the server says {value}").into()),
            told => say(told)?,
        }
    }
    Err("the server ended the connection".into())
}

/// A command, its reply, and the next command.
async fn converse(client: &mut Client, input: &mut Input) -> Outcome {
    let typed = std::io::stdin().is_terminal();
    loop {
        if typed {
            write!(std::io::stderr(), "> ").ok();
        }
        let Some(line) = input.read_line().await? else { return Ok(()) };
        match words::split(&line) {
            Err(reason) => say(format_args!("not sent: {reason}"))?,
            Ok(command) if command.is_empty() => {}
            Ok(command) if is_telling(&command[0]) => return listen(client, &command).await,
            Ok(command) => {
                send(&client.writer, &command).await?;
                say(client.replies.next().await?)?;
                if command[0].eq_ignore_ascii_case(b"quit") {
                    return Ok(());
                }
            }
        }
    }
}
