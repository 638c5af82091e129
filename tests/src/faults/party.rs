//! One end of a conversation: a pair, the hand that uses it, and the account of what it was told.

use super::account::{Account, Ending};
use super::hand::Hand;
use bytes::Bytes;
use highwater_stream::{CloseError, ReadHalf, StreamReader, StreamWriter};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// One end.
#[derive(Debug)]
pub struct Party<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// Its reading half.
    pub reader: StreamReader<ReadHalf<T, F>>,
    /// Its writing half.
    pub writer: StreamWriter<T, F>,
    /// Who performs its operations.
    pub hand: Hand,
    /// What it was told.
    pub account: Account,
}

/// It goes no further: an error was told, or the stream has ended. The account says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

impl<T, F> Party<T, F>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// A pair in this hand.
    pub fn new((reader, writer): (StreamReader<ReadHalf<T, F>>, StreamWriter<T, F>), hand: Hand) -> Self {
        Self { reader, writer, hand, account: Account::default() }
    }

    /// Writes one message.
    ///
    /// # Errors
    /// [`Stop`] where it is refused.
    pub fn write(&mut self, message: &[u8]) -> Result<(), Stop> {
        let written = self.writer.write(message);
        self.note_written(message, written)
    }

    /// Notes how the write of `bytes` went.
    ///
    /// # Errors
    /// [`Stop`] where it was refused.
    pub fn note_written<E: Into<io::Error>>(
        &mut self,
        bytes: &[u8],
        written: Result<(), E>,
    ) -> Result<(), Stop> {
        self.lost_if(written)?;
        self.account.accepted.extend_from_slice(bytes);
        Ok(())
    }

    /// `flush`: then all that was accepted before counts as acknowledged.
    ///
    /// # Errors
    /// [`Stop`] where it fails.
    pub async fn flush(&mut self) -> Result<(), Stop> {
        let flushed = self.hand.perform(async || self.writer.flush().await).await;
        self.note_flushed(flushed)
    }

    /// Notes how a flush of everything went.
    ///
    /// # Errors
    /// [`Stop`] where it failed.
    pub fn note_flushed<E: Into<io::Error>>(&mut self, flushed: Result<(), E>) -> Result<(), Stop> {
        self.lost_if(flushed)?;
        self.account.acknowledged = self.account.accepted.len();
        Ok(())
    }

    /// `drain`.
    ///
    /// # Errors
    /// [`Stop`] where it fails.
    pub async fn drain(&mut self) -> Result<(), Stop> {
        let drained = self.hand.perform(async || self.writer.drain().await).await;
        self.lost_if(drained)
    }

    /// `read_line`.
    ///
    /// # Errors
    /// [`Stop`] at the end of the stream, and where it fails.
    pub async fn read_line(&mut self) -> Result<Bytes, Stop> {
        let line = self.hand.perform(async || self.reader.read_line().await).await;
        self.note_read(line.map(Option::unwrap_or_default))
    }

    /// `read_exactly`.
    ///
    /// # Errors
    /// [`Stop`] at the end of the stream, and where it fails.
    pub async fn read_exactly(&mut self, n: usize) -> Result<Bytes, Stop> {
        use highwater_stream::ReadExactlyError::Incomplete;
        match self.hand.perform(async || self.reader.read_exactly(n).await).await {
            Err(Incomplete(error)) => {
                self.account.delivered.extend_from_slice(error.partial());
                self.account.reading.note(Ending::Clean);
                Err(Stop)
            }
            read => self.note_read(read),
        }
    }

    /// Notes how a read went, which is empty at the end of the stream.
    ///
    /// # Errors
    /// [`Stop`] at the end of the stream, and where it failed.
    pub fn note_read<E: Into<io::Error>>(&mut self, read: Result<Bytes, E>) -> Result<Bytes, Stop> {
        match read {
            Ok(bytes) if bytes.is_empty() => self.account.reading.note(Ending::Clean),
            Ok(bytes) => {
                self.account.delivered.extend_from_slice(&bytes);
                return Ok(bytes);
            }
            Err(error) => self.account.reading.note(Ending::Failed(error.into().kind())),
        }
        Err(Stop)
    }

    /// Reads to the end of the stream, whatever that is, and once more, which makes no difference.
    pub async fn read_out(&mut self) {
        loop {
            let read = self.hand.perform(async || self.reader.read(64).await).await;
            if self.note_read(read).is_err() {
                break;
            }
        }
        let again = self.hand.perform(async || self.reader.read(64).await).await;
        let again = again.map_err(io::Error::from);
        match (again, self.account.reading) {
            (Ok(bytes), Ending::Clean) => assert!(bytes.is_empty(), "an end that is none: {bytes:?}"),
            (Err(error), Ending::Failed(kind)) => assert_eq!(error.kind(), kind, "another error"),
            (again, reading) => panic!("first {reading:?}, then {again:?}"),
        }
    }

    /// Ends its half, reads what the other end still says, and closes.
    pub async fn finish(mut self) -> Account {
        let ended = self.writer.write_eof();
        // Refused after a loss, which the end of the connection tells again.
        self.note_ended(ended);
        self.read_out().await;
        self.close().await
    }

    /// Closes, and waits for it.
    pub async fn close(mut self) -> Account {
        self.writer.close();
        let closed = self.hand.perform(async || self.writer.wait_closed().await).await;
        self.note_closed(closed);
        self.account
    }

    /// Notes how the connection ended.
    pub fn note_closed(&mut self, closed: Result<(), CloseError>) {
        match closed {
            Ok(()) => self.account.closing.note(Ending::Clean),
            Err(error) => self.account.closing.note(Ending::Failed(error.cause().kind())),
        }
    }

    /// Notes a loss that the end of the writer's told.
    pub fn note_ended<E: Into<io::Error>>(&mut self, ended: Result<(), E>) {
        self.lost_if(ended).ok();
    }

    /// A loss that an operation of the writer's tells.
    fn lost_if<E: Into<io::Error>>(&mut self, result: Result<(), E>) -> Result<(), Stop> {
        result.map_err(|error| {
            self.account.closing.note(Ending::Failed(error.into().kind()));
            Stop
        })
    }
}
