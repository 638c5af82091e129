//! A writer that does not keep its connection open.

use super::{StreamWriter, Wait};
use crate::TransportError;
use crate::connection::Connection;
use crate::outbox::Outbox;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use tokio::io::AsyncWrite;

/// A writer that does not keep its connection open: see [`StreamWriter::downgrade`].
///
/// A list of clients holds these. What it can do without a writer, `close` and `abort`, reaches the
/// connection wherever its halves are, also when only the reader is left.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let (reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
/// let weak = writer.downgrade();
/// weak.close();
/// assert!(writer.is_closing());
/// drop((reader, writer));
/// weak.wait_gone().await;
/// assert!(weak.is_gone());
/// # });
/// ```
pub struct WeakWriter<W, F = ()> {
    connection: Weak<Connection<W, F>>,
    outbox: Arc<Outbox>,
}

impl<W, F> WeakWriter<W, F>
where
    W: AsyncWrite + Unpin + Send + 'static,
    F: Send + Sync + 'static,
{
    pub(super) fn new(connection: &Arc<Connection<W, F>>) -> Self {
        Self { connection: Arc::downgrade(connection), outbox: Arc::clone(&connection.outbox) }
    }

    /// A writer, unless the last one has gone.
    ///
    /// ```
    /// let (_reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
    /// let weak = writer.downgrade();
    /// weak.upgrade().unwrap().write("four").unwrap();
    /// assert_eq!(writer.queued(), 4);
    /// drop(writer);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn upgrade(&self) -> Option<StreamWriter<W, F>> {
        let connection = self.connection.upgrade()?;
        self.outbox.try_add_writer().then(|| StreamWriter::from_connection(connection))
    }

    /// [`StreamWriter::close`], wherever the halves are.
    ///
    /// ```
    /// let (_reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
    /// writer.downgrade().close();
    /// assert!(writer.is_closing());
    /// ```
    pub fn close(&self) {
        if let Some(connection) = self.connection.upgrade() {
            if connection.close() {
                connection.see_to_the_rest();
            }
        }
    }

    /// [`StreamWriter::abort`], wherever the halves are.
    ///
    /// ```
    /// let (reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
    /// let weak = writer.downgrade();
    /// drop(writer);
    /// weak.abort();
    /// assert!(reader.error().is_some());
    /// ```
    pub fn abort(&self) {
        if let Some(connection) = self.connection.upgrade() {
            connection.abort(TransportError::aborted());
        }
    }

    /// Whether the transport is gone.
    ///
    /// ```
    /// let (_reader, writer) = highwater_stream::pair(tokio::io::duplex(64).0);
    /// let weak = writer.downgrade();
    /// assert!(!weak.is_gone());
    /// writer.abort();
    /// assert!(weak.is_gone());
    /// ```
    pub fn is_gone(&self) -> bool {
        self.outbox.is_over()
    }

    /// Waits until the transport is gone, however it went.
    ///
    /// # Cancel safety
    /// Cancel safe.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let writer = highwater_stream::StreamWriter::new(tokio::io::sink());
    /// let weak = writer.downgrade();
    /// writer.write("last words").unwrap();
    /// drop(writer);
    /// weak.wait_gone().await;
    /// assert!(weak.upgrade().is_none());
    /// # });
    /// ```
    pub async fn wait_gone(&self) {
        let mut wait = Wait::new(&self.outbox);
        poll_fn(|cx| match self.connection.upgrade() {
            Some(connection) => connection.poll_gone(&mut wait.slot, cx),
            None => self.outbox.poll_gone(&mut wait.slot, cx.waker()),
        })
        .await;
    }
}

impl<W, F> Clone for WeakWriter<W, F> {
    fn clone(&self) -> Self {
        Self { connection: Weak::clone(&self.connection), outbox: Arc::clone(&self.outbox) }
    }
}

impl<W, F> fmt::Debug for WeakWriter<W, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakWriter").field("is_gone", &self.outbox.is_over()).finish()
    }
}
