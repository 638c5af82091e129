//! How a TLS connection begins and ends, whichever side it is on.

use crate::StreamWriter;
use crate::stream::Linger;
use std::time::Duration;

/// asyncio: `ssl_handshake_timeout` and `ssl_shutdown_timeout`, with its defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    pub(super) handshake_timeout: Duration,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) wait_for_close_notify: bool,
    pub(super) allow_truncation: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(60),
            shutdown_timeout: None,
            wait_for_close_notify: false,
            allow_truncation: false,
        }
    }
}

impl Manners {
    /// What the stream that was upgraded does differently from now on.
    pub(super) fn apply(&self, writer: &StreamWriter) {
        if let Some(after) = self.shutdown_timeout {
            writer.set_delivery_timeout(after);
        }
        if self.wait_for_close_notify {
            let most = self.shutdown_timeout.unwrap_or(Duration::from_secs(30));
            writer.set_linger(Linger { silence: most, total: most, bytes: u64::MAX });
        }
    }
}

/// The same options on `ClientTls`, `NamedClientTls` and `ServerTls`.
macro_rules! manners {
    ($setup:literal) => {
        /// How long a handshake may take, waiting for its turn and sending what was queued in plain included.
        /// 60 s unless said otherwise; zero is a handshake that times out.
        ///
        /// # Source
        /// asyncio: `ssl_handshake_timeout`.
        ///
        /// ```
        #[doc = $setup]
        /// let tls = tls.handshake_timeout(std::time::Duration::from_secs(10));
        /// # let _ = tls;
        /// ```
        #[must_use]
        pub fn handshake_timeout(mut self, after: std::time::Duration) -> Self {
            self.manners_mut().handshake_timeout = after;
            self
        }

        /// How long the end of the connection may stand still: the delivery time-out of the stream, for what
        /// is queued and close_notify alike. Unless said otherwise it is that of the stream, 30 s.
        ///
        /// # Source
        /// asyncio: `ssl_shutdown_timeout`. diverges: it bounds what we send, since the peer's close_notify
        /// is not waited for.
        ///
        /// ```
        #[doc = $setup]
        /// let tls = tls.shutdown_timeout(std::time::Duration::from_secs(5));
        /// # let _ = tls;
        /// ```
        #[must_use]
        pub fn shutdown_timeout(mut self, after: std::time::Duration) -> Self {
            self.manners_mut().shutdown_timeout = Some(after);
            self
        }

        /// Whether a connection that is closed waits for the peer's close_notify, for as long as the
        /// shutdown time-out lets it, and throws away what comes before. No unless said otherwise: a closed
        /// connection lingers as every other ([`Linger`](crate::Linger)).
        ///
        /// # Source
        /// asyncio waits always. RFC 8446 §6.1 asks nobody to.
        ///
        /// ```
        #[doc = $setup]
        /// let tls = tls.wait_for_close_notify(true);
        /// # let _ = tls;
        /// ```
        #[must_use]
        pub fn wait_for_close_notify(mut self, wait: bool) -> Self {
            self.manners_mut().wait_for_close_notify = wait;
            self
        }

        /// Whether a stream that ends without close_notify ends well. Unless said otherwise, it ends in
        /// `UnexpectedEof`, since whoever can cut a connection can cut a message. Say yes where a message
        /// tells its own length and peers are known to be careless.
        ///
        /// # Source
        /// asyncio: always so. diverges: a cut is told.
        ///
        /// ```
        #[doc = $setup]
        /// let tls = tls.allow_truncation(true);
        /// # let _ = tls;
        /// ```
        #[must_use]
        pub fn allow_truncation(mut self, allow: bool) -> Self {
            self.manners_mut().allow_truncation = allow;
            self
        }
    };
}
pub(super) use manners;
