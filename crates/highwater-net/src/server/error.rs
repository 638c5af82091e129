//! Why a server was not started.

use crate::connect::Listed;
use crate::{Attempt, Family, Name};
use std::error::Error;
use std::fmt;
use std::io;

/// Why a server was not started. Nothing is bound.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{BindError, StreamReader, StreamWriter, start_server};
/// let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// let address = taken.local_addr().unwrap();
/// match start_server(|_: StreamReader, _: StreamWriter| async {}, address).await {
///     Err(BindError::Bind { attempts }) => {
///         assert_eq!(attempts[0].address(), address);
///         assert_eq!(attempts[0].error().kind(), std::io::ErrorKind::AddrInUse);
///     }
///     other => panic!("{other:?}"),
/// }
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// A host did not resolve.
    Resolve {
        /// The host and the port.
        name: Name,
        /// Why not.
        error: io::Error,
    },
    /// A host has no address of the family that was asked for.
    Family {
        /// The host and the port.
        name: Name,
        /// The family.
        family: Family,
    },
    /// An address could not be bound, or none was there to bind.
    Bind {
        /// The addresses that could not be bound, each with its error.
        attempts: Vec<Attempt>,
    },
    /// The system refuses the times of keep-alive: on Linux those of less than 1 s or more than 32,767 s.
    KeepAlive(io::Error),
    /// The system refused to listen on what was bound.
    Listen(io::Error),
    /// A socket that was handed in could not be taken: it is no stream socket of the internet families or
    /// Unix, or it does not listen.
    Socket(io::Error),
    /// A Unix socket could not be made.
    #[cfg(unix)]
    Unix {
        /// Where.
        path: crate::UnixPath,
        /// Why not.
        error: crate::UnixPathError,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindError::Resolve { name, error } => write!(f, "{name} did not resolve: {error}"),
            BindError::Family { name, family } => write!(f, "{name} has no {family} address"),
            BindError::Bind { attempts } if attempts.is_empty() => {
                f.write_str("no address was given to bind")
            }
            BindError::Bind { attempts } => write!(f, "cannot listen on {}", Listed::all(attempts)),
            BindError::KeepAlive(error) => write!(f, "keep-alive could not be set: {error}"),
            BindError::Listen(error) => write!(f, "cannot listen: {error}"),
            BindError::Socket(error) => write!(f, "the socket could not be taken: {error}"),
            #[cfg(unix)]
            BindError::Unix { path, error } => write!(f, "cannot listen on {path}: {error}"),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BindError::Resolve { error, .. }
            | BindError::KeepAlive(error)
            | BindError::Listen(error)
            | BindError::Socket(error) => Some(error),
            BindError::Family { .. } => None,
            BindError::Bind { attempts } => attempts.last().map(|attempt| &attempt.error as _),
            #[cfg(unix)]
            BindError::Unix { error, .. } => Some(error),
        }
    }
}

/// Of the kind of the last error; this error stays inside.
impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        let kind = match &error {
            BindError::Resolve { error, .. }
            | BindError::KeepAlive(error)
            | BindError::Listen(error)
            | BindError::Socket(error) => error.kind(),
            BindError::Family { .. } => io::ErrorKind::InvalidInput,
            BindError::Bind { attempts } => {
                attempts.last().map_or(io::ErrorKind::InvalidInput, |attempt| attempt.error.kind())
            }
            #[cfg(unix)]
            BindError::Unix { error, .. } => error.kind(),
        };
        io::Error::new(kind, error)
    }
}
