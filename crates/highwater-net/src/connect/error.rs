//! What became of each address, and why no connection was opened.

use crate::address::Name;
use crate::resolve::Family;
#[cfg(feature = "tls")]
use crate::{Address, TlsError};
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// An address that was tried, and why it was not the one.
///
/// ```
/// use highwater_net::{ConnectError, open_connection};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let address = nobody.local_addr().unwrap();
/// # drop(nobody);
/// let refused = open_connection(address).await;
/// let Err(ConnectError::Unreachable { attempts, .. }) = refused else { panic!() };
/// assert!(attempts[0].to_string().starts_with("127.0.0.1:"));
/// # });
/// ```
#[derive(Debug)]
pub struct Attempt {
    pub(crate) address: SocketAddr,
    pub(crate) error: io::Error,
}

impl Attempt {
    /// The address.
    ///
    /// ```
    /// use highwater_net::{ConnectError, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let address = nobody.local_addr().unwrap();
    /// # drop(nobody);
    /// let refused = open_connection(address).await;
    /// let Err(ConnectError::Unreachable { attempts, .. }) = refused else { panic!() };
    /// assert_eq!(attempts[0].address(), address);
    /// # });
    /// ```
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why it was not the one.
    ///
    /// ```
    /// use highwater_net::{ConnectError, open_connection};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let address = nobody.local_addr().unwrap();
    /// # drop(nobody);
    /// let refused = open_connection(address).await;
    /// let Err(ConnectError::Unreachable { attempts, .. }) = refused else { panic!() };
    /// assert_eq!(attempts[0].error().kind(), std::io::ErrorKind::ConnectionRefused);
    /// # });
    /// ```
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.error)
    }
}

/// The addresses that were tried so far, in the order of starting, each with its error once it has failed.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<(SocketAddr, Option<io::Error>)>);

impl Tried {
    pub(super) fn start(&mut self, address: SocketAddr) {
        self.0.push((address, None));
    }

    /// `index` counts starts.
    pub(super) fn fail(&mut self, index: usize, error: io::Error) {
        self.0[index].1 = Some(error);
    }

    pub(super) fn give_up(&mut self, index: usize, after: Option<Duration>) {
        self.fail(index, timed_out(after));
    }

    /// All of them; what is still being tried has run out of time.
    pub(super) fn into_attempts(self) -> Vec<Attempt> {
        let attempt = |(address, error): (_, Option<_>)| Attempt {
            address,
            error: error.unwrap_or_else(|| timed_out(None)),
        };
        self.0.into_iter().map(attempt).collect()
    }
}

fn timed_out(after: Option<Duration>) -> io::Error {
    let text = after.map_or("no answer yet".into(), |after| format!("no answer within {after:?}"));
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Every attempt with its error; the error alone where the address was what was asked for.
pub(crate) struct Listed<'a> {
    attempts: &'a [Attempt],
    asked_for: Option<SocketAddr>,
}

impl<'a> Listed<'a> {
    pub(crate) fn all(attempts: &'a [Attempt]) -> Self {
        Self { attempts, asked_for: None }
    }

    fn of(attempts: &'a [Attempt], to: &Name) -> Self {
        Self { attempts, asked_for: to.to_string().parse().ok() }
    }
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([attempt], Some(_)) = (self.attempts, self.asked_for) {
            return attempt.error.fmt(f);
        }
        for (index, attempt) in self.attempts.iter().enumerate() {
            write!(f, "{}{attempt}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Why a connection was not opened.
///
/// # Source
/// asyncio: the exception of `open_connection`. diverges: every address has its error, because the one that
/// matters may be any of them; there one error stands for all, or a text without an `errno`.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{ConnectError, open_connection};
/// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let address = nobody.local_addr().unwrap();
/// # drop(nobody);
/// match open_connection(address).await {
///     Err(ConnectError::Unreachable { attempts, .. }) => {
///         assert_eq!(attempts[0].address(), address);
///         assert_eq!(attempts[0].error().kind(), std::io::ErrorKind::ConnectionRefused);
///     }
///     other => panic!("{other:?}"),
/// }
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name did not resolve.
    Resolve {
        /// What was to be connected.
        to: Name,
        /// Why it did not resolve.
        error: io::Error,
    },
    /// The local address did not resolve.
    LocalAddr {
        /// Where to connect from.
        local_addr: Name,
        /// Why it did not resolve.
        error: io::Error,
    },
    /// Options contradict each other. Nothing was resolved.
    Conflict(Conflict),
    /// No address could be connected.
    Unreachable {
        /// What was to be connected.
        to: Name,
        /// Every address that was tried, in the order in which they were started.
        attempts: Vec<Attempt>,
    },
    /// The connect time-out ran out.
    TimedOut {
        /// What was to be connected.
        to: Name,
        /// The time-out.
        after: Duration,
        /// The addresses that had failed by then, and those that were being tried, with `TimedOut`, in the
        /// order in which they were started.
        attempts: Vec<Attempt>,
    },
    /// The socket that was handed in could not be taken.
    Socket(io::Error),
    /// A Unix socket was not connected.
    #[cfg(unix)]
    Unix {
        /// What was to be connected.
        path: crate::UnixPath,
        /// Why it was not.
        error: crate::UnixPathError,
    },
    /// It was connected, and the TLS handshake failed. The connection is closed.
    #[cfg(feature = "tls")]
    Tls {
        /// With whom.
        peer: Address,
        /// Why it failed.
        error: TlsError,
    },
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Resolve { to, error } => write!(f, "{to} did not resolve: {error}"),
            ConnectError::LocalAddr { local_addr, error } => {
                write!(f, "the local address {local_addr} did not resolve: {error}")
            }
            ConnectError::Conflict(conflict) => conflict.fmt(f),
            ConnectError::Unreachable { to, attempts } => {
                write!(f, "could not connect to {to}: {}", Listed::of(attempts, to))
            }
            ConnectError::TimedOut { to, after, attempts } if attempts.is_empty() => {
                write!(f, "{to} was not connected within {after:?}")
            }
            ConnectError::TimedOut { to, after, attempts } => {
                write!(f, "{to} was not connected within {after:?}: {}", Listed::of(attempts, to))
            }
            ConnectError::Socket(error) => write!(f, "the socket could not be taken: {error}"),
            #[cfg(unix)]
            ConnectError::Unix { path, error } => write!(f, "could not connect to {path}: {error}"),
            #[cfg(feature = "tls")]
            ConnectError::Tls { peer, error } => write!(f, "no TLS with {peer}: {error}"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ConnectError::Resolve { error, .. }
            | ConnectError::LocalAddr { error, .. }
            | ConnectError::Socket(error) => Some(error),
            ConnectError::Conflict(conflict) => Some(conflict),
            #[cfg(unix)]
            ConnectError::Unix { error, .. } => Some(error),
            #[cfg(feature = "tls")]
            ConnectError::Tls { error, .. } => Some(error),
            ConnectError::Unreachable { attempts, .. } | ConnectError::TimedOut { attempts, .. } => {
                attempts.last().map(|attempt| &attempt.error as _)
            }
        }
    }
}

impl ConnectError {
    /// The kind of `io::Error` that it converts to: that of the last attempt where there were several.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    /// # let address = nobody.local_addr().unwrap();
    /// # drop(nobody);
    /// let error = highwater_net::open_connection(address).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    /// # });
    /// ```
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            ConnectError::Resolve { error, .. }
            | ConnectError::LocalAddr { error, .. }
            | ConnectError::Socket(error) => error.kind(),
            ConnectError::Conflict(_) => io::ErrorKind::InvalidInput,
            ConnectError::Unreachable { attempts, .. } => {
                attempts.last().map_or(io::ErrorKind::NotFound, |attempt| attempt.error.kind())
            }
            ConnectError::TimedOut { .. } => io::ErrorKind::TimedOut,
            // What the system says to it, too.
            #[cfg(unix)]
            ConnectError::Unix { error: crate::UnixPathError::NotASocket { .. }, .. } => {
                io::ErrorKind::ConnectionRefused
            }
            #[cfg(unix)]
            ConnectError::Unix { error, .. } => error.kind(),
            #[cfg(feature = "tls")]
            ConnectError::Tls { error, .. } => error.kind(),
        }
    }
}

/// Of the kind of the last attempt's error; this error stays inside.
impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        io::Error::new(error.kind(), error)
    }
}

/// Options of [`OpenConnection`](crate::OpenConnection) that contradict each other.
///
/// # Source
/// asyncio: `ValueError`, or whatever `getaddrinfo` says.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{ConnectError, Conflict, Family, open_connection};
/// let error = open_connection(("::1", 80)).family(Family::V4).await.unwrap_err();
/// assert!(matches!(error, ConnectError::Conflict(Conflict::Family { .. })));
/// assert_eq!(error.to_string(), "the family is to be IPv4, and [::1]:80 is IPv6");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// The host is an address of another family than is wanted.
    Family {
        /// The family that is wanted.
        family: Family,
        /// What was to be connected.
        to: Name,
    },
    /// The local address is of another family than is wanted.
    LocalAddr {
        /// The family that is wanted.
        family: Family,
        /// Where to connect from.
        local_addr: Name,
    },
    /// An option of the socket, and a connector, which makes what it connects itself.
    Connector {
        /// The method that sets it.
        option: &'static str,
    },
}

impl Conflict {
    /// Both families are known without a resolver.
    pub(super) fn check(family: Option<Family>, to: &Name, local_addr: Option<&Name>) -> Result<(), Self> {
        let Some(family) = family else { return Ok(()) };
        let is_other = |name: &Name| name.literal().is_some_and(|ip| Family::of(ip) != family);
        if is_other(to) {
            return Err(Conflict::Family { family, to: to.clone() });
        }
        match local_addr.filter(|local_addr| is_other(local_addr)) {
            Some(local_addr) => Err(Conflict::LocalAddr { family, local_addr: local_addr.clone() }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, what, name) = match self {
            Conflict::Family { family, to } => (family, "", to),
            Conflict::LocalAddr { family, local_addr } => (family, "the local address ", local_addr),
            Conflict::Connector { option } => {
                return write!(
                    f,
                    "{option} is for a socket of the system's: a connector makes its own, and may set it there"
                );
            }
        };
        let is = name.literal().map_or("not".into(), |ip| Family::of(ip).to_string());
        write!(f, "the family is to be {family}, and {what}{name} is {is}")
    }
}

impl Error for Conflict {}
