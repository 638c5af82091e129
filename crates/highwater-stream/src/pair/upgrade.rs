//! Another transport for the same connection: what `start_tls` is made of.

use crate::connection::Connection;
use crate::pair::{ReadHalf, ReuniteError};
use crate::{StreamReader, StreamWriter, TransportError};
use bytes::Bytes;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};

impl<T, F> StreamReader<ReadHalf<T, F>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// Puts another transport in place of this one, as `start_tls` does: flushes what is queued, gives the
    /// transport to `upgrade` together with the bytes that were read and not returned, and goes on with the
    /// transport that it makes of them. The reader that comes back has nothing buffered: what was read
    /// before can only be seen again through the new transport.
    ///
    /// It stays the same connection: facts, options and weak writers stay good. A weak writer that writes in
    /// the meantime has its bytes sent through the new transport; one that closes or aborts ends the
    /// upgrade.
    ///
    /// # Errors
    /// - [`UpgradeError::Refused`] gives both halves back, untouched: see [`reunite`](Self::reunite).
    /// - [`UpgradeError::Failed`] and [`UpgradeError::Closed`]: the connection is gone, with all it held.
    ///
    /// # Cancel safety
    /// Cancelled, both halves are dropped. While `upgrade` has the transport, that closes the connection at
    /// once; before, it closes gracefully.
    ///
    /// # Source
    /// asyncio: `StreamWriter.start_tls`, without the TLS. diverges: there the reader keeps what it had
    /// buffered, and data that was injected before the upgrade is read as if it had come through it.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use tokio::io::BufStream;
    /// let (near, far) = tokio::io::duplex(64);
    /// let (mut reader, writer) = highwater_stream::pair(BufStream::new(near));
    /// let (_reader, peer) = highwater_stream::pair(far);
    /// peer.write("UPGRADE\n220 and more").unwrap();
    /// reader.read_line().await.unwrap();
    /// let wider = |io: BufStream<_>, ahead: bytes::Bytes| async move {
    ///     assert_eq!(ahead, "220 and more");
    ///     Ok::<_, std::io::Error>(BufStream::with_capacity(64 * 1024, 64 * 1024, io.into_inner()))
    /// };
    /// let (reader, writer) = reader.upgrade(writer, wider).await.unwrap();
    /// assert_eq!(reader.buffered(), 0);
    /// writer.write("ready\n").unwrap();
    /// # });
    /// ```
    pub async fn upgrade<E, U>(
        mut self,
        writer: StreamWriter<T, F>,
        upgrade: impl FnOnce(T, Bytes) -> U,
    ) -> Result<(Self, StreamWriter<T, F>), UpgradeError<T, F, E>>
    where
        U: Future<Output = Result<T, E>>,
    {
        let transport = match self.take(&writer, Connection::lend_transport).await {
            Ok(transport) => transport,
            Err(reason) => {
                let refusal = ReuniteError { reader: self, writer, reason };
                return Err(UpgradeError::Refused(Box::new(refusal)));
            }
        };
        let connection = Arc::clone(self.connection());
        // Dropped after what has the transport: who sees the connection gone finds the transport gone.
        let loan = Loan { connection: &connection };
        let ahead = self.start_afresh();
        let upgraded = {
            let mut upgrading = pin!(upgrade(transport, ahead));
            poll_fn(|cx| match connection.outbox.keep_reader(cx.waker()) {
                Some(verdict) => {
                    let closed = || TransportError::closed_in_upgrade();
                    Poll::Ready(Err(UpgradeError::Closed(verdict.err().unwrap_or_else(closed))))
                }
                None => upgrading.as_mut().poll(cx).map_err(UpgradeError::Failed),
            })
            .await?
        };
        loan.pay_back(upgraded);
        connection.see_to_the_rest();
        Ok((self, writer))
    }
}

/// A transport that was lent: the connection ends if it does not come back.
struct Loan<'a, T: AsyncWrite + Unpin, F> {
    connection: &'a Connection<T, F>,
}

impl<T: AsyncWrite + Unpin, F> Loan<'_, T, F> {
    fn pay_back(self, transport: T) {
        self.connection.give_back(transport);
        std::mem::forget(self);
    }
}

impl<T: AsyncWrite + Unpin, F> Drop for Loan<'_, T, F> {
    fn drop(&mut self) {
        self.connection.forfeit(TransportError::not_upgraded());
    }
}

/// Why a connection was not upgraded.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_stream::UpgradeError;
/// let (reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
/// let clone = writer.clone();
/// let same = |io, _ahead| async { Ok::<_, std::io::Error>(io) };
/// let Err(UpgradeError::Refused(refusal)) = reader.upgrade(writer, same).await else { panic!() };
/// assert_eq!(refusal.to_string(), "the halves were not reunited: a clone of the writer is left");
/// drop(clone);
/// assert!(refusal.reader.upgrade(refusal.writer, same).await.is_ok());
/// # });
/// ```
#[non_exhaustive]
pub enum UpgradeError<T, F, E>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    /// The transport was not touched, and both halves are here again.
    Refused(Box<ReuniteError<T, F>>),
    /// The upgrade failed, and the connection is gone.
    Failed(E),
    /// The connection was closed, aborted or lost while the upgrade went on.
    Closed(TransportError),
}

impl<T, F, E: fmt::Display> fmt::Display for UpgradeError<T, F, E>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpgradeError::Refused(refusal) => refusal.fmt(f),
            UpgradeError::Failed(error) => error.fmt(f),
            UpgradeError::Closed(error) => error.fmt(f),
        }
    }
}

impl<T, F, E: fmt::Debug> fmt::Debug for UpgradeError<T, F, E>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpgradeError::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            UpgradeError::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            UpgradeError::Closed(error) => f.debug_tuple("Closed").field(error).finish(),
        }
    }
}

impl<T, F, E: Error + 'static> Error for UpgradeError<T, F, E>
where
    T: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            UpgradeError::Refused(refusal) => refusal.source(),
            UpgradeError::Failed(error) => error.source(),
            UpgradeError::Closed(error) => error.source(),
        }
    }
}
