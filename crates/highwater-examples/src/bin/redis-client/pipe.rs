//! Commands from standard input, sent without waiting for their replies, which are counted.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use highwater_examples::resp::Value;
use highwater_examples::{Outcome, say};
use highwater_net::StreamWriter;
use tokio::sync::mpsc;

use crate::client::{Client, Input, Replies, send};
use crate::words;

/// The most commands that may wait for their replies: what a reply is kept for is bounded at either end.
const WINDOW: usize = 10_000;

/// How many refusals are told in full.
const TOLD: u64 = 10;

/// Both directions at once: a server that is not read from stops reading, too.
pub(crate) async fn pipe(client: &mut Client, input: &mut Input) -> Outcome {
    let (sent, answered) = mpsc::channel(WINDOW);
    let Client { replies, writer } = client;
    tokio::try_join!(send_all(writer, input, sent), count(replies, answered))?;
    Ok(())
}

async fn send_all(writer: &StreamWriter, input: &mut Input, sent: mpsc::Sender<()>) -> Outcome {
    let mut number = 0u64;
    while let Some(line) = input.read_line().await? {
        number += 1;
        let command = words::split(&line).map_err(|reason| format!("line {number}: {reason}"))?;
        if !command.is_empty() {
            // Nobody counts any more only where the other half has failed, and told why.
            if sent.send(()).await.is_err() {
                break;
            }
            send(writer, &command).await?;
        }
    }
    Ok(())
}

async fn count(replies: &mut Replies, mut sent: mpsc::Receiver<()>) -> Outcome {
    let (mut count, mut refused) = (0u64, 0u64);
    let mut progress = Progress::new();
    while sent.recv().await.is_some() {
        let reply = replies.next().await?;
        count += 1;
        if let Value::Error(_) = reply {
            refused += 1;
            if refused <= TOLD {
                writeln!(std::io::stderr(), "command {count}: {reply}").ok();
            }
        }
        progress.show(count);
    }
    progress.end();
    say(format_args!("{count} replies, {refused} of them errors"))?;
    if refused > 0 {
        return Err(format!("{refused} of {count} commands were refused").into());
    }
    Ok(())
}

/// A line on stderr that is overwritten, where somebody sees it.
struct Progress {
    watched: bool,
    shown: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { watched: std::io::stderr().is_terminal(), shown: Instant::now() }
    }

    fn show(&mut self, count: u64) {
        if self.watched && self.shown.elapsed() > Duration::from_millis(200) {
            self.shown = Instant::now();
            write!(std::io::stderr(), "\r{count} replies ").ok();
        }
    }

    fn end(&self) {
        if self.watched {
            write!(std::io::stderr(), "\r").ok();
        }
    }
}
