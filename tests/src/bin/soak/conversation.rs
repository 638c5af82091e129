//! One connection of a client: what it sends, and that what comes back is that.

use std::io;
use std::time::Duration;

use highwater_net::{StreamReader, StreamWriter};
use highwater_tests::net::Halves;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::dice::{Dice, payload};
use crate::kind::Kind;
use crate::serving::header;

/// Enough, in payloads of 64 KiB, that a server which is not read from has to wait.
const TOO_MUCH: u64 = 8;

/// Longer than the server waits. A kernel that finds room late, by a probe, has taken bytes, and the server's
/// time begins anew.
const FOR_EVER: Duration = Duration::from_secs(60);

/// Why a conversation ended otherwise than in full.
pub(crate) enum Trouble {
    /// As it was to: the server had enough.
    Lost,
    Wrong(String),
    Io(io::Error),
}

impl<E: Into<io::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Io(error.into())
    }
}

/// What was sent, and is to come back.
struct Sent {
    length: usize,
    seed: u64,
}

impl Sent {
    fn header(&self) -> String {
        header(self.length, self.seed)
    }

    fn payload(&self) -> Vec<u8> {
        payload(self.seed, self.length)
    }
}

/// A conversation of this kind. `checked` is told of bytes that came back as they were sent.
pub(crate) async fn hold(
    kind: Kind,
    (mut reader, writer): Halves,
    dice: &mut Dice,
    ending: &watch::Receiver<bool>,
    checked: impl Fn(u64),
) -> Result<(), Trouble> {
    writer.write(format!("{kind}\n"))?;
    match kind {
        Kind::Echo => {
            for _ in 0..dice.within(4..=16) {
                let length = dice.length();
                let sent = [send(&writer, dice, length)?];
                receive(&mut reader, &sent, &checked).await?;
                if pause(dice.within(1000..=10_000), ending).await {
                    break;
                }
            }
        }
        Kind::Pipelined => {
            for _ in 0..dice.within(2..=8) {
                let sent = send_many(&writer, dice)?;
                receive(&mut reader, &sent, &checked).await?;
                if pause(dice.within(1000..=10_000), ending).await {
                    break;
                }
            }
        }
        Kind::HalfClosed => {
            let sent = send_many(&writer, dice)?;
            writer.write_eof()?;
            pause(dice.within(1000..=10_000), ending).await;
            receive(&mut reader, &sent, &checked).await?;
            if !reader.read(1).await?.is_empty() {
                return Err(Trouble::Wrong("more came back than was sent".to_owned()));
            }
        }
        Kind::Aborted => {
            let length = dice.length();
            let sent = [send(&writer, dice, length)?];
            receive(&mut reader, &sent, &checked).await?;
            send_many(&writer, dice)?;
            sleep(Duration::from_millis(dice.within(0..=20))).await;
            writer.abort();
            return Ok(());
        }
        Kind::Stalled => {
            let sent = send_too_much(&writer, dice)?;
            pause(dice.within(1000..=5000), ending).await;
            receive(&mut reader, &sent, &checked).await?;
        }
        Kind::Unread => {
            let sent = send_too_much(&writer, dice)?;
            if writer.flush().await.is_ok() {
                sleep(FOR_EVER).await;
            }
            return receive_some(&mut reader, &sent).await;
        }
    }
    writer.close();
    Ok(writer.wait_closed().await?)
}

fn send(writer: &StreamWriter, dice: &mut Dice, length: usize) -> Result<Sent, Trouble> {
    let sent = Sent { length, seed: dice.next() };
    writer.write_lines([sent.header().into_bytes(), sent.payload()])?;
    Ok(sent)
}

fn send_many(writer: &StreamWriter, dice: &mut Dice) -> Result<Vec<Sent>, Trouble> {
    let count = dice.within(2..=50);
    (0..count)
        .map(|_| {
            let length = dice.within(0..=2048);
            send(writer, dice, usize::try_from(length).unwrap_or(0))
        })
        .collect()
}

fn send_too_much(writer: &StreamWriter, dice: &mut Dice) -> Result<Vec<Sent>, Trouble> {
    (0..TOO_MUCH).map(|_| send(writer, dice, 64 * 1024)).collect()
}

async fn receive(reader: &mut StreamReader, all: &[Sent], checked: impl Fn(u64)) -> Result<(), Trouble> {
    for sent in all {
        match reader.read_line().await? {
            Some(line) if line == sent.header().as_bytes() => {}
            other => return Err(Trouble::Wrong(format!("{other:?} came, and not {:?}", sent.header()))),
        }
        if reader.read_exactly(sent.length).await? != sent.payload() {
            return Err(Trouble::Wrong(format!("another payload came back for {:?}", sent.header())));
        }
        checked(sent.length as u64);
    }
    Ok(())
}

/// What came before the server had enough is what was sent; and then it is over, before all of it came.
async fn receive_some(reader: &mut StreamReader, all: &[Sent]) -> Result<(), Trouble> {
    let expected: Vec<u8> =
        all.iter().flat_map(|sent| [sent.header().into_bytes(), sent.payload()].concat()).collect();
    let mut received = 0;
    while received < expected.len() {
        let bytes = match reader.read(64 * 1024).await {
            Ok(bytes) if !bytes.is_empty() => bytes,
            _ => return Err(Trouble::Lost),
        };
        if !expected[received..].starts_with(&bytes) {
            return Err(Trouble::Wrong(format!("after {received} bytes something else came back")));
        }
        received += bytes.len();
    }
    Err(Trouble::Io(io::Error::other("the server has waited for as long as it took")))
}

/// Waits so many milliseconds, or until the end comes; whether it has come.
async fn pause(milliseconds: u64, ending: &watch::Receiver<bool>) -> bool {
    let mut ending = ending.clone();
    timeout(Duration::from_millis(milliseconds), ending.wait_for(|is_over| *is_over)).await.is_ok()
}
