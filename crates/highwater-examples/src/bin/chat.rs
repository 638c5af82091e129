//! A chat: what one says, all read. In asyncio:
//!
//! ```python
//! clients = {}
//!
//! def tell(message):
//!     for writer in clients.values():
//!         writer.write(message)
//!
//! async def chat(reader, writer):
//!     name = await reader.readline()
//!     clients[name] = writer
//!     while line := await reader.readline():
//!         tell(name + b": " + line)
//!     del clients[name]
//! ```
//!
//! Nobody drains there, so that a client who does not read fills the server's memory, and nobody could:
//! waiting for one would hold up all. Here what waits for a client has a cap, and who passes it is dropped.
//!
//! ```sh
//! chat --port 8888 &
//! nc localhost 8888
//! ```

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::{Parser, value_parser};
use highwater_examples::text::is_command;
use highwater_examples::{Outcome, end_or_ctrl_c, serve_until_ctrl_c, tell_at_the_end};
use highwater_net::{
    Bytes, LimitedReadError, SkipUntilError, StreamOptions, StreamReader, StreamWriter, Watermarks,
    WeakWriter, WriteError, start_server,
};
use tokio::time::timeout;

/// In bytes. A longer line is read over.
const LONGEST_LINE: usize = 1000;

/// In characters.
const LONGEST_NAME: usize = 20;

/// For a name: who has none takes a place for nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A chat for whoever connects, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "chat")]
struct Arguments {
    /// The host to listen on, by name or address
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 8888)]
    port: u16,

    /// The most bytes that may wait for a client who does not read
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024)]
    cap: usize,

    /// The most clients at a time; others wait
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = value_parser!(u16).range(1..))]
    max_connections: u16,

    /// How long the last words may take to arrive after Ctrl-C, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    deadline: u64,
}

fn main() -> ExitCode {
    highwater_examples::run("chat", run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Outcome {
    let Arguments { host, port, cap, max_connections, deadline } = arguments;
    let room = Arc::new(Room::default());
    let chat = {
        let room = Arc::clone(&room);
        move |reader: StreamReader, writer: StreamWriter| visit(Arc::clone(&room), reader, writer)
    };
    // What waits for one who talks is, for the most part, what waits for all. So a `drain` of his own writer
    // holds him back well before others, who do read, come near the cap.
    let marks = Watermarks::with_high(cap / 4);
    let streams = StreamOptions::new().limit(LONGEST_LINE).max_buffered(Some(cap)).watermarks(marks);
    let starting = start_server(chat, (host, port)).streams(streams);
    let server = starting.max_connections(max_connections.into()).await?;
    serve_until_ctrl_c(&server).await?;
    let gently = async {
        server.close();
        room.end();
        server.close_clients();
        timeout(Duration::from_secs(deadline), server.wait_closed()).await
    };
    let deaf = end_or_ctrl_c(&server, gently).await;
    tell_at_the_end(format!("The chat has ended; {deaf} did not hear the end")).await
}

/// From the name to the last word.
async fn visit(room: Arc<Room>, mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let Ok(entered) = timeout(PATIENCE, enter(&room, &mut reader, &writer)).await else {
        return Ok(writer.write("* nobody waits so long for a name\n")?);
    };
    let Some(seat) = entered? else { return Ok(()) };
    loop {
        match next_line(&mut reader).await? {
            Line::Said(text) if text.is_empty() => {}
            Line::Said(text) => room.tell(format!("{}: {text}\n", seat.name).into()),
            Line::TooLong(bytes) => {
                writeln!(writer, "* not told: a line of {bytes} bytes, and {LONGEST_LINE} are the most")?;
            }
            Line::End => return Ok(()),
        }
        writer.drain().await?;
    }
}

/// Asks for a name until there is one; `None` for who leaves instead.
async fn enter(room: &Arc<Room>, reader: &mut StreamReader, writer: &StreamWriter) -> Outcome<Option<Seat>> {
    loop {
        writer.write("* your name?\n")?;
        writer.drain().await?;
        match next_line(reader).await? {
            Line::Said(name) => match room.enter(&name, writer) {
                Ok(seat) => return Ok(Some(seat)),
                Err(reason) => writeln!(writer, "* {reason}")?,
            },
            Line::TooLong(_) => writer.write("* that is no name\n")?,
            Line::End => return Ok(None),
        }
    }
}

enum Line {
    Said(String),
    /// Of so many bytes, its newline not counted.
    TooLong(u64),
    End,
}

/// As text, without what a terminal would obey. A line that is too long is read over, in constant memory.
async fn next_line(reader: &mut StreamReader) -> Outcome<Line> {
    match reader.read_line().await {
        Ok(Some(line)) => {
            let text = String::from_utf8_lossy(line.trim_ascii_end());
            Ok(Line::Said(text.chars().filter(|&character| !is_command(character)).collect()))
        }
        Ok(None) => Ok(Line::End),
        Err(LimitedReadError::LimitOverrun(_)) => match reader.skip_until(b"\n").await {
            Ok(skipped) => Ok(Line::TooLong(skipped - 1)),
            Err(SkipUntilError::Incomplete(_)) => Ok(Line::End),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Who is there. A writer of which only these are left does not keep its connection open.
///
/// Messages are queued for all while the lock is held, so that all read them in the same order; nothing
/// waits meanwhile, for a `write` never does.
#[derive(Debug, Default)]
struct Room {
    clients: Mutex<BTreeMap<String, WeakWriter>>,
}

type Clients = BTreeMap<String, WeakWriter>;

impl Room {
    /// Takes a place, and tells the others.
    fn enter(self: &Arc<Self>, name: &str, writer: &StreamWriter) -> Result<Seat, &'static str> {
        if !(1..=LONGEST_NAME).contains(&name.chars().count()) || !name.chars().all(char::is_alphanumeric) {
            return Err("a name is a word of 20 letters and digits at most");
        }
        let mut clients = self.clients();
        if clients.contains_key(name) {
            return Err("that name is taken");
        }
        let others = match clients.is_empty() {
            true => "nobody".to_owned(),
            false => clients.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        if writeln!(writer, "* hello {name}, you meet {others}").is_err() {
            return Err("that was not heard");
        }
        tell(&mut clients, format!("* {name} is here\n").into());
        clients.insert(name.to_owned(), writer.downgrade());
        Ok(Seat { room: Arc::clone(self), name: name.to_owned() })
    }

    fn tell(&self, message: Bytes) {
        tell(&mut self.clients(), message);
    }

    /// The last words, and nobody is told of others who leave after them.
    fn end(&self) {
        let mut clients = self.clients();
        tell(&mut clients, "* the chat ends, good-bye\n".into());
        clients.clear();
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose cap it would pass is dropped, with a word to those who are left, of whom that may be true as well.
fn tell(clients: &mut Clients, message: Bytes) {
    let mut messages = vec![message];
    while let Some(message) = messages.pop() {
        clients.retain(|name, client| {
            // A connection that is closing or lost is seen by its own reader, and its seat told of.
            let written = client.upgrade().map(|writer| writer.write(&message));
            let is_full = matches!(written, Some(Err(WriteError::Full { .. })));
            if is_full {
                client.abort();
                messages.push(format!("* {name} did not listen, and was dropped\n").into());
            }
            !is_full
        });
    }
}

/// A place in the room, which is free again when this is dropped, however the visit ends.
struct Seat {
    room: Arc<Room>,
    name: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut clients = self.room.clients();
        // Who was dropped is gone already, and has been told of.
        if clients.remove(&self.name).is_some() {
            tell(&mut clients, format!("* {} has left\n", self.name).into());
        }
    }
}
