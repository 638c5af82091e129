//! A client's side of the conversation, one step a method.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use highwater_examples::Outcome;
use highwater_examples::reply::{Dialect, Reply, read_reply};
use highwater_examples::smtp::{Credentials, Extensions, Mailbox, Stuffer};
use highwater_net::{ClientTls, StreamOptions, StreamReader, StreamWriter, open_connection, start_tls};
use tokio::io::{AsyncRead, AsyncReadExt};

/// RFC 5321 §4.5.3.2: how long to wait for a reply to what.
const GREETING: Duration = Duration::from_secs(5 * 60);
const COMMAND: Duration = Duration::from_secs(5 * 60);
const DATA: Duration = Duration::from_secs(2 * 60);
const BLOCK: Duration = Duration::from_secs(3 * 60);
const END: Duration = Duration::from_secs(10 * 60);

/// What RFC 5321 leaves open: a server that cannot be reached, and one that does not say good-bye.
const CONNECT: Duration = Duration::from_secs(30);
const QUIT: Duration = Duration::from_secs(5);

/// Of the message, at a time.
const PIECE: usize = 64 * 1024;

/// Who sends a message, to whom, and how many bytes it has if that is known.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) size: Option<u64>,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    /// Its end is not there yet: the server forgets it if nothing follows.
    Begun,
    /// Its end is on the way. Whether the server has it, only its reply tells.
    Ended,
    /// The server has it.
    Taken,
}

/// A message that the server has taken.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) reply: Reply,
    /// A sentence for each recipient that it is not for.
    pub(crate) refused: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Client {
    reader: StreamReader,
    writer: StreamWriter,
    offered: Extensions,
    /// No wait is longer.
    patience: Duration,
}

impl Client {
    /// Connects, and says hello.
    pub(crate) async fn connect(host: &str, port: u16, patience: Duration) -> Outcome<Self> {
        let streams = StreamOptions::new().write_timeout(Some(BLOCK.min(patience)));
        let connecting =
            open_connection((host, port)).connect_timeout(CONNECT.min(patience)).streams(streams);
        let (reader, writer) = connecting.await?;
        let mut client = Self { reader, writer, offered: Extensions::default(), patience };
        let greeting = client.reply("the connection", GREETING).await?;
        if greeting.code() != 220 {
            return Err(format!("the server serves nobody: {greeting}").into());
        }
        client.hello().await?;
        Ok(client)
    }

    pub(crate) fn offered(&self) -> Extensions {
        self.offered
    }

    /// Goes on inside TLS, where the server says anew what it offers: what it said in plain was anybody's word.
    pub(crate) async fn start_tls(mut self, tls: ClientTls, name: &str) -> Outcome<Self> {
        let reply = self.command("STARTTLS", COMMAND).await?;
        if reply.code() != 220 {
            return Err(format!("the server starts no TLS: {reply}").into());
        }
        // Whatever else was said in plain is refused here, for it could be taken for said in TLS.
        let (reader, writer) = start_tls(self.reader, self.writer, tls.server_name(name)).await?;
        let mut client = Self { reader, writer, offered: Extensions::default(), ..self };
        client.hello().await?;
        Ok(client)
    }

    pub(crate) async fn authenticate(&mut self, credentials: &Credentials) -> Outcome {
        if self.writer.facts().tls().is_none() {
            return Err("a password is not sent in plain".into());
        }
        if !self.offered.auth_plain {
            return Err("the server does not offer AUTH PLAIN".into());
        }
        let reply = self.said("AUTH", format!("AUTH PLAIN {}", credentials.plain()), COMMAND).await?;
        if reply.code() != 235 {
            return Err(format!("the server does not know us: {reply}").into());
        }
        Ok(())
    }

    /// Sends a message, to everybody whom the server takes it for.
    pub(crate) async fn send(
        &mut self,
        envelope: &Envelope,
        message: impl AsyncRead + Unpin,
        progress: &Cell<Progress>,
    ) -> Outcome<Sent> {
        let sizes = envelope.size.zip(self.offered.largest);
        if let Some((bytes, largest)) = sizes.filter(|(bytes, largest)| bytes > largest) {
            return Err(format!("the server takes {largest} bytes at most, and these are {bytes}").into());
        }
        let refused = self.begin(envelope).await?;
        let reply = self.text(message, progress).await?;
        if !positive(&reply) {
            return Err(format!("the server did not take the message: {reply}").into());
        }
        progress.set(Progress::Taken);
        Ok(Sent { reply, refused })
    }

    /// The envelope, up to where the text is due. Gives a sentence for each recipient that is refused, if there
    /// are others.
    async fn begin(&mut self, envelope: &Envelope) -> Outcome<Vec<String>> {
        let Extensions { size, eight_bit, pipelining, .. } = self.offered;
        let mut mail = format!("MAIL FROM:<{}>", envelope.from);
        if let Some(bytes) = envelope.size.filter(|_| size) {
            mail += &format!(" SIZE={bytes}");
        }
        // What is in the message is seen too late to ask for it then.
        if eight_bit {
            mail += " BODY=8BITMIME";
        }
        let recipients = envelope.to.iter().map(|to| format!("RCPT TO:<{to}>"));
        let commands: Vec<_> = std::iter::once(mail).chain(recipients).chain(["DATA".into()]).collect();
        // RFC 2920: all of them in one go, and then their replies.
        if pipelining {
            self.writer.write_lines(commands.iter().map(|command| format!("{command}\r\n")))?;
        }

        let mut commands = commands.into_iter();
        let mut turn = async |client: &mut Self, within| {
            let command = commands.next().unwrap_or_default();
            if pipelining {
                client.reply(&command, within).await
            } else {
                client.command(&command, within).await
            }
        };
        let mail = turn(self, COMMAND).await?;
        let mut refused = Vec::new();
        let recipients = if positive(&mail) || pipelining { &envelope.to[..] } else { &[] };
        for recipient in recipients {
            let reply = turn(self, COMMAND).await?;
            if !positive(&reply) {
                refused.push(format!("{recipient} was refused: {reply}"));
            }
        }
        let nobody = if !positive(&mail) {
            Some(format!("the server takes nothing from {}: {mail}", envelope.from))
        } else if refused.len() == envelope.to.len() {
            Some(format!("nobody is there to take it: {}", refused.join("; ")))
        } else {
            None
        };
        if let Some(nobody) = nobody {
            // RFC 2920 §3.1: DATA is on its way already, and an empty message for nobody has to follow if the
            // server wants one.
            if pipelining && turn(self, DATA).await?.code() == 354 {
                self.command(".", END).await?;
            }
            self.quit().await;
            return Err(nobody.into());
        }
        let data = turn(self, DATA).await?;
        if data.code() != 354 {
            return Err(format!("the server does not want the text: {data}").into());
        }
        Ok(refused)
    }

    /// The text, its end, and the reply to it. Left early, the end is missing, and the server forgets it all.
    async fn text(&mut self, message: impl AsyncRead + Unpin, progress: &Cell<Progress>) -> Outcome<Reply> {
        match self.pour(message).await {
            Ok(()) => {
                progress.set(Progress::Ended);
                self.reply("the message", END).await
            }
            // A server that goes in the middle of a message may have said why.
            Err(Pour::Lost(error)) => match self.reply("the message", QUIT).await {
                Ok(reply) if !positive(&reply) => Ok(reply),
                _ => Err(error.into()),
            },
            Err(Pour::Unfit(why)) => Err(why.into()),
        }
    }

    async fn pour(&mut self, mut message: impl AsyncRead + Unpin) -> Result<(), Pour> {
        let Extensions { eight_bit, largest, .. } = self.offered;
        let mut stuffer = Stuffer::new();
        let mut piece = vec![0; PIECE];
        let mut bytes = 0;
        loop {
            let read = message.read(&mut piece).await;
            let read = read.map_err(|error| Pour::Unfit(format!("the message cannot be read: {error}")))?;
            let piece = &piece[..read];
            bytes += read as u64;
            if let Some(largest) = largest.filter(|&largest| bytes > largest) {
                return Err(Pour::Unfit(format!(
                    "the server takes {largest} bytes at most, and there are more"
                )));
            }
            if !eight_bit && !piece.is_ascii() {
                return Err(Pour::Unfit("the server takes 7-bit text alone, and this is not".into()));
            }
            let mut wire = Vec::new();
            if piece.is_empty() {
                stuffer.finish(&mut wire);
                return self.writer.write(wire).map_err(Pour::lost);
            }
            stuffer.feed(piece, &mut wire);
            self.writer.write(wire).map_err(Pour::lost)?;
            self.writer.drain().await.map_err(Pour::lost)?;
        }
    }

    /// Says good-bye, and does not mind if nobody answers.
    pub(crate) async fn quit(&mut self) {
        self.command("QUIT", QUIT).await.ok();
        self.writer.close();
        self.writer.wait_closed().await.ok();
    }

    /// EHLO, and where that is not known, HELO, which offers nothing.
    async fn hello(&mut self) -> Outcome {
        let name = match self.writer.facts().local_addr().socket_addr() {
            Some(SocketAddr::V4(address)) => format!("[{}]", address.ip()),
            Some(SocketAddr::V6(address)) => format!("[IPv6:{}]", address.ip()),
            None => "localhost".into(),
        };
        let reply = self.command(&format!("EHLO {name}"), COMMAND).await?;
        if reply.code() == 250 {
            self.offered = Extensions::of(&reply);
            return Ok(());
        }
        let reply = self.command(&format!("HELO {name}"), COMMAND).await?;
        if reply.code() != 250 {
            return Err(format!("the server does not want to know us: {reply}").into());
        }
        Ok(())
    }

    async fn command(&mut self, command: &str, within: Duration) -> Outcome<Reply> {
        self.said(command, command, within).await
    }

    /// Says `line`, and calls it `name` where it fails.
    async fn said(&mut self, name: &str, line: impl std::fmt::Display, within: Duration) -> Outcome<Reply> {
        write!(self.writer, "{line}\r\n")?;
        self.reply(name, within).await
    }

    async fn reply(&mut self, to: &str, within: Duration) -> Outcome<Reply> {
        let within = within.min(self.patience);
        match tokio::time::timeout(within, read_reply(&mut self.reader, Dialect::Smtp)).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("the server did not reply to {to} within {within:?}").into()),
        }
    }
}

/// Why a message is not on its way.
enum Pour {
    /// By our own decision.
    Unfit(String),
    /// The connection is gone.
    Lost(std::io::Error),
}

impl Pour {
    fn lost(error: impl Into<std::io::Error>) -> Self {
        Pour::Lost(error.into())
    }
}

fn positive(reply: &Reply) -> bool {
    reply.code() / 100 == 2
}
