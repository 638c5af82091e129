//! A line past the limit, and the conversation after it.

use highwater_examples::Outcome;
use highwater_net::StreamReader;

use super::{Scene, ensure};
use crate::request::Request;
use crate::transcript::{count, grouped};

/// The server's limit.
const LIMIT: usize = 1024;

/// Far more than the limit, and than any one read brings.
const TOO_LONG: usize = 1_000_000;

impl Scene {
    /// A line that the server refuses, between two that it takes.
    pub(crate) async fn overrun(&mut self) -> Outcome {
        let limit = grouped(LIMIT);
        self.transcript
            .title(format_args!("A line that is too long: the server reads with a limit of {limit}"))?;
        let (mut reader, writer) = self.connect(Request::Strict { limit: LIMIT }).await?;

        let lines = [line(LIMIT), line(TOO_LONG), line(0), line(LIMIT)];
        for line in &lines {
            writer.write(line)?;
            writer.drain().await?;
            let sent = format!("a line of {} and a newline", count(line.len() - 1, "byte"));

            let (verdict, number, sentence) = answer(&mut reader).await?;
            if line.len() <= LIMIT + 1 {
                ensure(verdict == "accepted" && number == line.len(), || {
                    format!("{sent} was answered with {verdict} {number}")
                })?;
                self.transcript.line("accepted", sent)?;
                continue;
            }
            ensure(verdict == "refused" && number == LIMIT + 1, || {
                format!("{sent} was answered with {verdict} {number}")
            })?;
            self.transcript.line("refused", sent)?;
            self.transcript.line("", format_args!("{sentence}; consumed {}", grouped(number)))?;

            let (verdict, number, _) = answer(&mut reader).await?;
            ensure(verdict == "skipped" && number == line.len(), || {
                format!("skipping it was answered with {verdict} {number}")
            })?;
            self.transcript
                .line("skipped", format_args!("{} by skip_until(b\"\\n\")", count(number, "byte")))?;
        }
        Ok(())
    }
}

fn line(length: usize) -> Vec<u8> {
    let mut line = vec![b'x'; length];
    line.push(b'\n');
    line
}

/// A word, a number, and perhaps a sentence.
async fn answer(reader: &mut StreamReader) -> Outcome<(String, usize, String)> {
    let answer = reader.read_until(b"\r\n").await?;
    let answer = String::from_utf8_lossy(&answer);
    let mut parts = answer.trim_end().splitn(3, ' ').map(str::to_owned);
    let word = parts.next().unwrap_or_default();
    let number = parts.next().unwrap_or_default().parse()?;
    Ok((word, number, parts.next().unwrap_or_default()))
}
