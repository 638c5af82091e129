//! Why a handshake failed.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why a handshake failed. The connection is closed.
///
/// # Source
/// asyncio: an `ssl.SSLError`, `ConnectionAbortedError` when the time ran out, `ConnectionResetError` when
/// the peer left.
///
/// ```
/// # use highwater_net::*;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
/// let server = ServerTls::new(identity).unwrap();
/// let ((near, to_far), (_far, to_near)) = duplex(4096);
/// to_near.write("GET / HTTP/1.1\r\n\r\n").unwrap();
/// match start_tls(near, to_far, server).await {
///     Err(StartTlsError::Handshake(TlsError::Protocol(error))) => println!("not TLS: {error}"),
///     other => panic!("{other:?}"),
/// }
/// # });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// The name of the server is neither a DNS name nor an IP address.
    InvalidServerName(String),
    /// The certificate of the peer is not to be trusted, or not for this name.
    Certificate {
        /// The name that it was to be valid for, on a client.
        server_name: Option<String>,
        /// What is wrong with it.
        error: rustls::CertificateError,
    },
    /// The peer does not speak TLS, not as we do, or will not speak with us.
    Protocol(rustls::Error),
    /// The peer ended the connection in the middle of the handshake.
    PeerLeft,
    /// The handshake took too long.
    TimedOut {
        /// The time-out.
        after: Duration,
    },
    /// The connection failed.
    Transport(Arc<io::Error>),
    /// A part of the configuration that is not ours panicked, and this is what it said.
    Panicked(String),
}

impl TlsError {
    /// What an error of a handshake is about.
    pub(super) fn of_handshake(error: io::Error, server_name: Option<&str>) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(error)) => {
                TlsError::Certificate { server_name: server_name.map(str::to_owned), error: error.clone() }
            }
            Some(error) => TlsError::Protocol(error.clone()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => TlsError::PeerLeft,
            None => TlsError::Transport(Arc::new(error)),
        }
    }

    /// The kind of `io::Error` that it converts to.
    ///
    /// ```
    /// let error = highwater_net::TlsError::PeerLeft;
    /// assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    /// ```
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            TlsError::InvalidServerName(_) => io::ErrorKind::InvalidInput,
            TlsError::Certificate { .. } | TlsError::Protocol(_) => io::ErrorKind::InvalidData,
            TlsError::PeerLeft => io::ErrorKind::UnexpectedEof,
            TlsError::TimedOut { .. } => io::ErrorKind::TimedOut,
            TlsError::Transport(error) => error.kind(),
            TlsError::Panicked(_) => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::InvalidServerName(name) => {
                write!(f, "{name:?} is neither a DNS name nor an IP address")
            }
            TlsError::Certificate { server_name: Some(name), error } => {
                write!(f, "the certificate of {name} is not to be trusted: {}", Reason(error))
            }
            TlsError::Certificate { server_name: None, error } => {
                write!(f, "the certificate of the client is not to be trusted: {}", Reason(error))
            }
            TlsError::Protocol(error) => match error {
                rustls::Error::InvalidMessage(_) => {
                    write!(f, "the TLS handshake failed: the peer does not seem to speak TLS: {error}")
                }
                rustls::Error::AlertReceived(_) => {
                    write!(f, "the TLS handshake failed: the peer refused: {error}")
                }
                _ => write!(f, "the TLS handshake failed: {error}"),
            },
            TlsError::PeerLeft => {
                f.write_str("the peer ended the connection in the middle of the TLS handshake")
            }
            TlsError::TimedOut { after } => write!(f, "the TLS handshake took longer than {after:?}"),
            TlsError::Transport(error) => write!(f, "the TLS handshake failed: {error}"),
            TlsError::Panicked(message) => write!(f, "the TLS handshake panicked: {message}"),
        }
    }
}

/// rustls has no sentence for what happens most.
struct Reason<'a>(&'a rustls::CertificateError);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            rustls::CertificateError::UnknownIssuer => {
                f.write_str("no authority that is trusted has signed it: ")?;
            }
            rustls::CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
                return f
                    .write_str("it is that of an authority (CA:TRUE), which is not taken for a server's");
            }
            _ => {}
        }
        self.0.fmt(f)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TlsError::Protocol(error) => Some(error),
            TlsError::Transport(error) => Some(error),
            _ => None,
        }
    }
}

/// Of the kind that fits; this error stays inside.
impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        io::Error::new(error.kind(), error)
    }
}
