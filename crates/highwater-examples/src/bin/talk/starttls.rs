//! The words before TLS.

use highwater_examples::Outcome;
use highwater_examples::talk::{Dialogue, Protocol, Turn};
use highwater_net::{StreamReader, StreamWriter};

use crate::screen::Told;

/// The most bytes of a server's line, and the most lines.
const LONGEST: usize = 8 * 1024;
const MOST: usize = 1000;

/// Asks for TLS. What the server has sent beyond its consent stays in the reader, where `start_tls` refuses it.
pub(crate) async fn ask(
    reader: &mut StreamReader,
    writer: &StreamWriter,
    protocol: &Protocol,
    show: bool,
) -> Outcome {
    let mut dialogue = Dialogue::new(protocol.clone());
    let (mut said, mut heard) = (Told::lines('>', show), Told::lines('<', show));
    if let Some(line) = dialogue.opening() {
        said.tell(line.as_bytes()).await?;
        writer.write(line)?;
    }
    for _ in 0..MOST {
        let line = reader.limited(LONGEST).read_line().await?;
        let line = line.ok_or("the server ended the connection before TLS began")?;
        heard.tell(&line).await?;
        match dialogue.hear(&line) {
            Turn::Listen => {}
            Turn::Say(line) => {
                said.tell(line.as_bytes()).await?;
                writer.write(line)?;
            }
            Turn::Ready => return Ok(()),
            Turn::Refused => {
                let line = String::from_utf8_lossy(&line);
                return Err(format!("the server does not begin TLS, but says {:?}", line.trim_end()).into());
            }
        }
    }
    Err(format!("the server said {MOST} lines, and no consent to TLS").into())
}
