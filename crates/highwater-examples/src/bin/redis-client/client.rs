//! A connection to a server: who we are, commands out, replies in.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use highwater_examples::resp::{REPLY_LIMIT, Value, command, read_value};
use highwater_examples::{Outcome, say, trusting};
use highwater_net::{StreamReader, StreamWriter, open_connection};
use tokio::time::timeout;

/// Until the server knows who we are.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Commands, from standard input.
pub(crate) type Input = highwater_net::stream::StreamReader<tokio::io::Stdin>;

/// Where the server is, and who says so.
#[derive(Debug, clap::Args)]
pub(crate) struct Server {
    /// Connect over TLS
    #[arg(long)]
    tls: bool,

    /// Whom to trust instead of what the platform trusts: certificates, in PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,

    /// Who is asking, instead of the server's default user
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,

    /// The password, as the first line of a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Speak version 3 of the protocol
    #[arg(long)]
    resp3: bool,

    /// The server
    #[arg(value_name = "HOST:PORT")]
    address: String,
}

pub(crate) struct Client {
    pub(crate) replies: Replies,
    pub(crate) writer: StreamWriter,
}

pub(crate) struct Replies(StreamReader);

impl Client {
    /// Connected, and introduced.
    pub(crate) async fn connect(server: &Server) -> Outcome<Self> {
        let introduced = timeout(CONNECT_TIMEOUT, Self::introduced(server)).await;
        introduced
            .unwrap_or_else(|_| Err(format!("the server let nobody in within {CONNECT_TIMEOUT:?}").into()))
    }

    async fn introduced(server: &Server) -> Outcome<Self> {
        let connecting = open_connection(server.address.as_str());
        let (reader, writer) = match server.tls {
            true => connecting.tls(trusting(server.ca.as_deref())?.build()?).await?,
            false => connecting.await?,
        };
        let mut client = Self { replies: Replies(reader), writer };
        if let Some(words) = introduction(server)? {
            client.ask(&words).await?;
        }
        Ok(client)
    }

    /// The reply to a command; an error if the server refuses it.
    pub(crate) async fn ask<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Outcome<Value> {
        send(&self.writer, words).await?;
        match self.replies.next().await? {
            refusal @ Value::Error(_) => Err(format!("the server says {refusal}").into()),
            reply => Ok(reply),
        }
    }

    pub(crate) async fn close(self) -> Outcome {
        self.writer.close();
        Ok(self.writer.wait_closed().await?)
    }
}

impl Replies {
    /// The next reply to a command. What the server tells meanwhile without being asked is shown.
    pub(crate) async fn next(&mut self) -> Outcome<Value> {
        loop {
            match self.any().await? {
                Some(push @ Value::Push(_)) => say(push)?,
                Some(reply) => return Ok(reply),
                None => return Err("the server ended the connection without a reply".into()),
            }
        }
    }

    /// Whatever comes next; `None` at the end.
    pub(crate) async fn any(&mut self) -> Outcome<Option<Value>> {
        read_value(&mut self.0, REPLY_LIMIT).await.map_err(|error| match error.kind() {
            ErrorKind::InvalidData => format!("what answers does not speak Redis: {error}").into(),
            ErrorKind::UnexpectedEof => "the server ended the connection within a reply".into(),
            _ => error.into(),
        })
    }
}

/// Queues a command, and waits where the server is behind.
pub(crate) async fn send<W: AsRef<[u8]>>(writer: &StreamWriter, words: &[W]) -> Outcome {
    writer.write(command(words))?;
    Ok(writer.drain().await?)
}

fn introduction(server: &Server) -> Outcome<Option<Vec<String>>> {
    let mut secret = Vec::new();
    if let Some(file) = &server.password_file {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let password = text.lines().next().unwrap_or_default().to_owned();
        secret = vec!["AUTH".to_owned()];
        // HELLO takes no password without a name, and the default user's is known.
        let user = server.user.clone().or(server.resp3.then(|| "default".to_owned()));
        secret.extend(user);
        secret.push(password);
    }
    if server.resp3 {
        secret.splice(..0, ["HELLO".to_owned(), "3".to_owned()]);
    }
    Ok((!secret.is_empty()).then_some(secret))
}
