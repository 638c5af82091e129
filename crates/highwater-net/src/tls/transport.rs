//! A transport inside TLS, which tells a clean end from a cut.

use crate::{Bytes, TlsFacts, Transport};
use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

/// A connection inside TLS, over any other, TLS included: see [`start_tls`](crate::start_tls).
///
/// ```
/// use highwater_net::{StreamWriter, Transport};
/// fn is_over_tcp(writer: &StreamWriter) -> Option<bool> {
///     writer.with_transport(|transport| match transport {
///         Transport::Tls(tls) => matches!(tls.get_ref(), Transport::Tcp(_)),
///         _ => false,
///     })
/// }
/// # let ((_reader, writer), _peer) = highwater_net::duplex(64);
/// # assert_eq!(is_over_tcp(&writer), Some(false));
/// ```
pub struct TlsTransport {
    stream: TlsStream<Carrier>,
    allow_truncation: bool,
}

impl TlsTransport {
    pub(super) fn new(stream: TlsStream<Carrier>, allow_truncation: bool) -> Self {
        Self { stream, allow_truncation }
    }

    /// What carries it.
    ///
    /// ```
    /// use highwater_net::{TlsTransport, Transport};
    /// fn carrier(tls: &TlsTransport) -> &Transport {
    ///     tls.get_ref()
    /// }
    /// # let _ = carrier;
    /// ```
    pub fn get_ref(&self) -> &Transport {
        &self.stream.get_ref().0.transport
    }

    pub(super) fn facts(&self, server_name: Option<&str>) -> TlsFacts {
        TlsFacts::of(self.stream.get_ref().1, server_name)
    }

    pub(crate) fn carrier_mut(&mut self) -> &mut Transport {
        &mut self.stream.get_mut().0.transport
    }
}

impl AsyncRead for TlsTransport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.stream).poll_read(cx, into)) {
            Err(error) if is_cut(&error) => {
                Poll::Ready(if self.allow_truncation { Ok(()) } else { Err(truncated()) })
            }
            read => Poll::Ready(read),
        }
    }
}

/// rustls reports an end without close_notify in this way, and with an error of its own; the transport below
/// fails with what the system said.
fn is_cut(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

fn truncated() -> io::Error {
    let text = "the TLS stream ended without close_notify: what came may have been cut short";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

impl AsyncWrite for TlsTransport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("over", self.get_ref()).finish_non_exhaustive()
    }
}

/// The transport below, with what was read from it before the handshake in front.
pub(super) struct Carrier {
    ahead: Bytes,
    transport: Transport,
}

impl Carrier {
    pub(super) fn new(transport: Transport, ahead: Bytes) -> Self {
        Self { ahead, transport }
    }
}

impl AsyncRead for Carrier {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.transport).poll_read(cx, into);
        }
        let count = self.ahead.len().min(into.remaining());
        into.put_slice(&self.ahead.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Carrier {
    /// tokio-rustls takes a write of nothing for one that waits, and would wait for ever.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.transport).poll_write(cx, bytes)) {
            Ok(0) if !bytes.is_empty() => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            written => Poll::Ready(written),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.transport).poll_write_vectored(cx, slices)) {
            Ok(0) if slices.iter().any(|slice| !slice.is_empty()) => {
                Poll::Ready(Err(io::ErrorKind::WriteZero.into()))
            }
            written => Poll::Ready(written),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
