//! A reply as it comes from a server.

use std::error::Error;
use std::io::ErrorKind;

use highwater_net::{ReadUntilError, StreamReader};

use super::{Dialect, Gathering, LONGEST_LINE, Reply, ReplyError};
use crate::Outcome;

/// Reads a whole reply.
///
/// # Errors
/// A sentence, or the transport's error. The connection is of no use any more.
///
/// # Cancel safety
/// Not cancel safe: lines of a reply that have come are gone. Give up the connection as well.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_examples::reply::{Dialect, read_reply};
/// let ((mut reader, _writer), (_, server)) = highwater_net::duplex(64);
/// server.write("220-welcome\r\n220 to you\r\n").unwrap();
/// assert_eq!(read_reply(&mut reader, Dialect::Smtp).await.unwrap().to_string(), "220 welcome / to you");
/// # });
/// ```
pub async fn read_reply(reader: &mut StreamReader, dialect: Dialect) -> Outcome<Reply> {
    let mut gathering = Gathering::new(dialect);
    loop {
        let line = match reader.limited(LONGEST_LINE).read_until_ref(b"\r\n").await {
            Ok(line) => &line[..line.len() - 2],
            Err(error) => return Err(lost(error)),
        };
        if let Some(reply) = gathering.line(line)? {
            return Ok(reply);
        }
    }
}

/// Why no line came, in a sentence.
fn lost(error: ReadUntilError) -> Box<dyn Error + Send + Sync> {
    match error {
        ReadUntilError::Incomplete(_) => "the server ended the connection where a reply was due".into(),
        ReadUntilError::LimitOverrun(_) => ReplyError::TooLong.into(),
        ReadUntilError::Transport(error) if error.kind() == ErrorKind::TimedOut => {
            format!("the server does not reply: {error}").into()
        }
        error => error.into(),
    }
}
