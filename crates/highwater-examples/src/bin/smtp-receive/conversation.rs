//! A connection: who speaks when.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use highwater_examples::smtp::DataLine;
use highwater_examples::{Outcome, tell};
use highwater_net::{Bytes, ReadUntilError, StreamReader, StreamWriter, start_tls};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::mailbag::Draft;
use crate::session::{Envelope, Policy, Session, Step, TOO_LARGE};

/// RFC 5321 §4.5.3.1.4, without the CRLF.
const LONGEST_COMMAND: usize = 510;

/// RFC 5321 §4.5.3.1.6, without the CRLF, and with a dot that does not count.
const LONGEST_TEXT: usize = 999;

/// For a whole message: a byte now and then is not to hold a connection for ever.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

pub(crate) async fn serve(
    policy: Arc<Policy>,
    mut stopping: watch::Receiver<bool>,
    mut reader: StreamReader,
    mut writer: StreamWriter,
) -> Outcome {
    let mut session = Session::new(&policy);
    let mut asked_credentials = false;
    write!(writer, "220 {} ESMTP\r\n", policy.name)?;
    loop {
        // A client that sends many commands at once has all of their replies in one go.
        writer.drain().await?;
        let heard = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => Heard::Silence("421 4.3.2 the server stops"),
            heard = timeout(policy.idle, hear(&mut reader)) => {
                heard.unwrap_or(Ok(Heard::Silence("421 4.4.2 nothing was said for too long")))?
            }
        };
        let step = match heard {
            Heard::Line(line) if asked_credentials => session.credentials(&line),
            Heard::Line(line) => session.hear(&line),
            Heard::TooLong => session.mistake("500 5.5.2 too long a line"),
            Heard::Silence(reply) => Step::Part(reply.into()),
            Heard::End => return Ok(()),
        };
        asked_credentials = matches!(step, Step::AskCredentials);
        match step {
            Step::Say(reply) => write!(writer, "{reply}\r\n")?,
            Step::AskCredentials => writer.write("334 \r\n")?,
            Step::StartTls => {
                let Some(tls) = &policy.tls else { return Err("there is no TLS to start".into()) };
                writer.write("220 2.0.0 go ahead\r\n")?;
                // Whatever somebody has put behind the command is taken for the handshake, and ends it.
                (reader, writer) = start_tls(reader, writer, tls).await?;
                session = session.secured();
            }
            Step::Take(envelope) => {
                writer.write("354 go ahead; a dot alone ends it\r\n")?;
                match timeout(PATIENCE, take(&policy, &envelope, &mut reader)).await {
                    Ok(taken) => {
                        let Taken { reply, told } = taken?;
                        write!(writer, "{reply}\r\n")?;
                        // That nobody reads it is no fault of the client's.
                        tell(told).await.ok();
                    }
                    Err(_) => return Ok(writer.write("421 4.4.2 too slow\r\n")?),
                }
            }
            // Returning closes the connection, and delivers what was said.
            Step::Part(reply) => return Ok(write!(writer, "{reply}\r\n")?),
        }
    }
}

enum Heard {
    Line(Bytes),
    TooLong,
    /// And what is said to that.
    Silence(&'static str),
    End,
}

/// The next line without its CRLF. Cancel safe, so that a time-out or Ctrl-C may interrupt it.
async fn hear(reader: &mut StreamReader) -> io::Result<Heard> {
    match reader.limited(LONGEST_COMMAND).read_until(b"\r\n").await {
        Ok(line) => Ok(Heard::Line(line.slice(..line.len() - 2))),
        Err(ReadUntilError::LimitOverrun(_)) => {
            reader.skip_until(b"\r\n").await?;
            Ok(Heard::TooLong)
        }
        Err(ReadUntilError::Incomplete(_)) => Ok(Heard::End),
        Err(error) => Err(error.into()),
    }
}

/// What became of a message: for the client, and for whoever runs the server.
struct Taken {
    reply: Cow<'static, str>,
    told: String,
}

/// Takes the text to its end, whether it is to be kept or not, for the next command is behind it.
async fn take(policy: &Policy, envelope: &Envelope, reader: &mut StreamReader) -> Outcome<Taken> {
    let mut size = 0;
    let mut draft = policy.mailbag.draft().await.map_err(|error| Refusal::Local(error.to_string()));
    loop {
        let line = timeout(policy.idle, reader.limited(LONGEST_TEXT).read_until_ref(b"\r\n")).await;
        match line.map_err(|_| "nothing came for too long in the middle of a message")? {
            Err(ReadUntilError::LimitOverrun(_)) => {
                timeout(policy.idle, reader.skip_until(b"\r\n")).await??;
                draft = draft.and(Err(Refusal::LongLine));
            }
            Err(error) => return Err(error.into()),
            Ok(line) => match DataLine::of(line) {
                DataLine::End => break,
                DataLine::Bare => draft = draft.and(Err(Refusal::Bare)),
                DataLine::Text(text) => {
                    size += text.len() as u64;
                    draft = match draft {
                        Ok(_) if size > policy.largest => Err(Refusal::Size),
                        draft => keep(draft, text).await,
                    };
                }
            },
        }
    }
    let kept = match draft {
        Ok(draft) => draft.keep().await.map_err(|error| Refusal::Local(error.to_string())),
        Err(refusal) => Err(refusal),
    };
    Ok(match kept {
        Ok(place) => {
            let from = envelope.from.as_ref().map(ToString::to_string).unwrap_or_default();
            let to: Vec<_> = envelope.to.iter().map(|to| format!("<{to}>")).collect();
            let told = format!("Message from <{from}> to {}: {size} bytes, {place}", to.join(", "));
            Taken { reply: "250 2.0.0 taken".into(), told }
        }
        Err(refusal) => Taken { told: format!("Message refused: {refusal}"), reply: refusal.reply().into() },
    })
}

/// A message that is refused already stays so: the first reason is the one to tell.
async fn keep(draft: Result<Draft, Refusal>, text: &[u8]) -> Result<Draft, Refusal> {
    let mut draft = draft?;
    draft.write(text).await.map_err(|error| Refusal::Local(error.to_string()))?;
    Ok(draft)
}

/// Why a message is not taken. Its text goes on all the same.
#[derive(Debug)]
enum Refusal {
    Size,
    LongLine,
    Bare,
    Local(String),
}

impl Refusal {
    fn reply(&self) -> &'static str {
        match self {
            Refusal::Size => TOO_LARGE,
            Refusal::LongLine => "500 5.5.2 a line of more than 1000 bytes",
            Refusal::Bare => "550 5.6.0 a CR or an LF that stands alone",
            Refusal::Local(_) => "451 4.3.0 it cannot be stored now",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reply())?;
        match self {
            Refusal::Local(error) => write!(f, ": {error}"),
            _ => Ok(()),
        }
    }
}
