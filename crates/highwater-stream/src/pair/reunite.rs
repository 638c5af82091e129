//! One transport again: the halves are given up, the transport and the unread bytes come back.

use crate::connection::Connection;
use crate::pair::ReadHalf;
use crate::{StreamReader, StreamWriter, TransportError};
use highwater_buffer::ReadBuffer;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};

impl<T, F> StreamReader<ReadHalf<T, F>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// Takes the transport back: flushes what is queued, ends the task that sends, and returns the
    /// transport together with the bytes that are unread.
    ///
    /// # Errors
    /// [`ReuniteError`] gives both halves back when they are not of one pair, when clones of the writer
    /// are left, when a skip is in force, or when the stream has failed or was closed.
    ///
    /// # Cancel safety
    /// Cancelled, both halves are dropped, and the connection closes gracefully.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use tokio::io::AsyncReadExt;
    /// let (near, mut far) = tokio::io::duplex(64);
    /// let (reader, writer) = highwater_stream::pair(near);
    /// writer.write("queued").unwrap();
    /// let reunited = reader.reunite(writer).await.unwrap();
    /// drop(reunited.transport);
    /// let mut all = String::new();
    /// far.read_to_string(&mut all).await.unwrap();
    /// assert_eq!(all, "queued");
    /// # });
    /// ```
    #[allow(clippy::result_large_err)] // A refusal gives both halves back.
    pub async fn reunite(self, writer: StreamWriter<T, F>) -> Result<Reunited<T>, ReuniteError<T, F>> {
        match self.take(&writer, Connection::take_transport).await {
            Ok(transport) => {
                let (_half, buffer) = self.into_parts();
                Ok(Reunited { transport, buffer })
            }
            Err(reason) => Err(ReuniteError { reader: self, writer, reason }),
        }
    }

    /// The transport, once everything that was queued is flushed, if nobody else can write.
    pub(super) async fn take(
        &self,
        writer: &StreamWriter<T, F>,
        take: impl Fn(&Connection<T, F>) -> Result<Option<T>, usize>,
    ) -> Result<T, ReuniteReason> {
        let connection: &Arc<Connection<T, F>> = self.connection();
        if !Arc::ptr_eq(connection, writer.connection()) {
            return Err(ReuniteReason::NotAPair);
        }
        if connection.outbox.writers() > 1 {
            return Err(ReuniteReason::ClonesLeft(connection.outbox.writers() - 1));
        }
        if self.is_skipping() {
            return Err(ReuniteReason::SkipInForce);
        }
        loop {
            writer.flush().await.map_err(ReuniteReason::Failed)?;
            if connection.outbox.is_closed() {
                return Err(ReuniteReason::Closed);
            }
            if connection.outbox.is_ending() {
                return Err(ReuniteReason::Ended);
            }
            // A weak writer may have been upgraded, and written, while the flush went on.
            match take(connection) {
                Ok(transport) => return transport.ok_or(ReuniteReason::Closed),
                Err(0) => {}
                Err(others) => return Err(ReuniteReason::ClonesLeft(others)),
            }
        }
    }
}

/// What [`StreamReader::reunite`] returns.
///
/// ```
/// use highwater_stream::{Reunited, StreamReader};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (near, far) = tokio::io::duplex(64);
/// let (mut reader, writer) = highwater_stream::pair(near);
/// let (_reader, peer) = highwater_stream::pair(far);
/// peer.write("a line\nand more").unwrap();
/// reader.read_line().await.unwrap();
/// let Reunited { transport, buffer } = reader.reunite(writer).await.unwrap();
/// assert_eq!(buffer.unread_bytes(), b"and more");
/// let _goes_on = StreamReader::from_parts(transport, buffer);
/// # });
/// ```
#[derive(Debug)]
#[must_use = "the buffer may hold bytes that were read and not returned"]
pub struct Reunited<T> {
    /// The transport. Everything that was queued was flushed through it.
    pub transport: T,
    /// What was read from the transport and not returned yet: its
    /// [`unread_bytes`](ReadBuffer::unread_bytes) come before anything that the transport still brings.
    pub buffer: ReadBuffer,
}

/// Both halves, and why they did not become one.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
/// let (_reader, other) = highwater_stream::pair(tokio::io::duplex(64).0);
/// let error = reader.reunite(other).await.unwrap_err();
/// let text = "the halves were not reunited: the reader and the writer are not of one pair";
/// assert_eq!(error.to_string(), text);
/// assert!(error.reader.reunite(writer).await.is_ok());
/// # });
/// ```
pub struct ReuniteError<T, F = ()>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// The reader, as it was.
    pub reader: StreamReader<ReadHalf<T, F>>,
    /// The writer, as it was.
    pub writer: StreamWriter<T, F>,
    /// Why not.
    pub reason: ReuniteReason,
}

/// Why two halves did not become one.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_stream::ReuniteReason;
/// let (reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
/// let clone = writer.clone();
/// let error = reader.reunite(writer).await.unwrap_err();
/// assert!(matches!(error.reason, ReuniteReason::ClonesLeft(1)));
/// drop(clone);
/// assert!(error.reader.reunite(error.writer).await.is_ok());
/// # });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReuniteReason {
    /// They do not share a transport.
    NotAPair,
    /// So many other writers of the same transport are left.
    ClonesLeft(usize),
    /// A cancelled `skip_until` has not reached its separator.
    SkipInForce,
    /// The stream was closed.
    Closed,
    /// Our half was ended by `write_eof`.
    Ended,
    /// What was queued could not be sent.
    Failed(TransportError),
}

impl fmt::Display for ReuniteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReuniteReason::NotAPair => f.write_str("the reader and the writer are not of one pair"),
            ReuniteReason::ClonesLeft(1) => f.write_str("a clone of the writer is left"),
            ReuniteReason::ClonesLeft(count) => write!(f, "{count} clones of the writer are left"),
            ReuniteReason::SkipInForce => f.write_str("a skip has not reached its separator"),
            ReuniteReason::Closed => f.write_str("the stream was closed"),
            ReuniteReason::Ended => f.write_str("our half was ended by write_eof"),
            ReuniteReason::Failed(error) => error.fmt(f),
        }
    }
}

impl<T, F> fmt::Display for ReuniteError<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the halves were not reunited: {}", self.reason)
    }
}

impl<T, F> fmt::Debug for ReuniteError<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReuniteError").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<T, F> Error for ReuniteError<T, F>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            ReuniteReason::Failed(error) => Some(error),
            _ => None,
        }
    }
}
