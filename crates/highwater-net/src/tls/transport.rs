//! A transport inside TLS, which tells a clean end from a cut.

use crate::{Bytes, TlsFacts, Transport};
use std::fmt;
use std::io::{self, IoSlice, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    /// A read has met it. What was decrypted before is read first.
    failed: Option<io::Error>,
    /// We have sent close_notify, or begun to.
    shut: bool,
}

impl TlsTransport {
    pub(super) fn new(stream: TlsStream<Carrier>, allow_truncation: bool) -> Self {
        Self { stream, allow_truncation, failed: None, shut: false }
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

    /// Bytes of TLS that the carrier has taken so far: what the session holds back it has only accepted.
    pub(crate) fn passed_on(&self) -> u64 {
        let carrier = self.stream.get_ref().0;
        carrier.taken + carrier.transport.passed_on()
    }

    /// Built with debug assertions, rustls panics where it meets a bad record and cannot send the alert, since
    /// close_notify went before it: rustls/rustls#959. A peer must not be able to do that.
    fn poll_decrypt(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.stream);
        if !self.shut {
            return stream.poll_read(cx, into);
        }
        let panicked = |_| Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a bad TLS record")));
        catch_unwind(AssertUnwindSafe(|| stream.poll_read(cx, into))).unwrap_or_else(panicked)
    }

    /// Reads what is decrypted already.
    fn read_decrypted(&mut self, into: &mut ReadBuf<'_>) -> usize {
        let mut decrypted = match &mut self.stream {
            TlsStream::Client(stream) => stream.get_mut().1.reader(),
            TlsStream::Server(stream) => stream.get_mut().1.reader(),
        };
        let count = decrypted.read(into.initialize_unfilled()).unwrap_or(0);
        into.advance(count);
        count
    }

    pub(crate) fn carrier_mut(&mut self) -> &mut Transport {
        &mut self.stream.get_mut().0.transport
    }
}

impl AsyncRead for TlsTransport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.failed.is_none() {
            match ready!(this.poll_decrypt(cx, into)) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) => this.failed = Some(error),
            }
        }
        // A bad record is met together with the good ones before it: those are data, and come first.
        if this.read_decrypted(into) > 0 {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(match this.failed.take() {
            Some(error) if is_cut(&error) && this.allow_truncation => Ok(()),
            Some(error) if is_cut(&error) => Err(truncated()),
            Some(error) => Err(error),
            None => Ok(()),
        })
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
        self.shut = true;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("over", self.get_ref()).finish_non_exhaustive()
    }
}

/// The transport below, with what was read from it before the handshake in front.
///
/// tokio-rustls fails where a call was merely interrupted, and waits for ever behind a write of nothing:
/// neither comes through here.
pub(super) struct Carrier {
    ahead: Bytes,
    transport: Transport,
    /// Bytes that the transport has taken.
    taken: u64,
}

impl Carrier {
    pub(super) fn new(transport: Transport, ahead: Bytes) -> Self {
        Self { ahead, transport, taken: 0 }
    }

    /// Writes `length` bytes, or some of them, by `write`.
    fn poll_write_with(
        &mut self,
        length: usize,
        mut write: impl FnMut(Pin<&mut Transport>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        loop {
            return Poll::Ready(match ready!(write(Pin::new(&mut self.transport))) {
                Ok(0) if length > 0 => Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.taken += count as u64;
                    Ok(count)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            });
        }
    }
}

impl AsyncRead for Carrier {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(into.remaining());
            into.put_slice(&self.ahead.split_to(count));
            return Poll::Ready(Ok(()));
        }
        loop {
            match ready!(Pin::new(&mut self.transport).poll_read(cx, into)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return Poll::Ready(read),
            }
        }
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(bytes.len(), |transport| transport.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.poll_write_with(length, |transport| transport.poll_write_vectored(cx, slices))
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
