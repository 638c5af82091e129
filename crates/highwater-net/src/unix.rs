//! Unix sockets: their paths, and what may be wrong with one.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most bytes of a path, and of an abstract name: what `sockaddr_un` holds, but for one byte.
const MOST: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// The path of a Unix socket, or its abstract name behind a NUL (Linux, Android). It shows a name as
/// `@name`, like the system's own tools.
///
/// ```
/// use highwater_net::UnixPath;
/// assert_eq!(UnixPath::new("/run/a.sock").to_string(), "/run/a.sock");
/// assert_eq!(UnixPath::new("\0name").to_string(), "@name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnixPath(PathBuf);

impl UnixPath {
    /// As it is: what is wrong with it is told when it is used.
    ///
    /// ```
    /// assert_eq!(highwater_net::UnixPath::new("a.sock").as_path().as_os_str(), "a.sock");
    /// ```
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self(path.as_ref().to_owned())
    }

    /// The path; an abstract name begins with a NUL.
    ///
    /// ```
    /// assert!(highwater_net::UnixPath::new("/run/a.sock").as_path().starts_with("/run"));
    /// ```
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_os_str().as_bytes()
    }

    pub(crate) fn is_abstract(&self) -> bool {
        cfg!(any(target_os = "linux", target_os = "android")) && self.bytes().starts_with(b"\0")
    }

    /// Refuses what no system call needs to be asked about.
    pub(crate) fn check(&self) -> Result<(), UnixPathError> {
        let is_abstract = self.is_abstract();
        let name = if is_abstract { &self.bytes()[1..] } else { self.bytes() };
        if name.is_empty() {
            return Err(UnixPathError::Empty);
        }
        if name.len() > MOST {
            return Err(UnixPathError::TooLong { length: name.len(), most: MOST });
        }
        // An abstract name may hold any byte.
        if !is_abstract && name.contains(&0) {
            return Err(UnixPathError::Nul);
        }
        Ok(())
    }
}

impl fmt::Display for UnixPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_abstract() {
            return write!(f, "@{}", String::from_utf8_lossy(&self.bytes()[1..]));
        }
        fmt::Display::fmt(&self.0.display(), f)
    }
}

/// What is wrong with the path of a Unix socket.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use highwater_net::{ConnectError, UnixPathError, open_unix_connection};
/// let long = "x".repeat(200);
/// let Err(ConnectError::Unix { error, .. }) = open_unix_connection(&long).await else { panic!() };
/// assert!(matches!(error, UnixPathError::TooLong { length: 200, .. }));
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum UnixPathError {
    /// It is empty.
    Empty,
    /// It is longer than the system's addresses.
    TooLong {
        /// Its length, in bytes; of an abstract name without the NUL.
        length: usize,
        /// The most that fit.
        most: usize,
    },
    /// It has a NUL inside, or at its front where the system has no abstract names.
    Nul,
    /// There is something else.
    NotASocket {
        /// What there is: "a directory", "a regular file".
        found: &'static str,
    },
    /// There is no such file. Connecting only.
    NotFound(io::Error),
    /// Nobody listens there. Connecting only.
    Refused(io::Error),
    /// The connect time-out ran out. Connecting only.
    TimedOut {
        /// The time-out.
        after: Duration,
    },
    /// A mode was given for the file of an abstract name, which has none: anybody may connect there, and only
    /// the peer's credentials tell who it is. Listening only.
    ModeOfAbstract {
        /// The mode.
        mode: u32,
    },
    /// A server is alive there. Listening only.
    InUse,
    /// The file was removed or replaced between the bind and the start of serving. Listening only.
    Replaced,
    /// The system refuses for another reason.
    Os(io::Error),
}

impl UnixPathError {
    pub(crate) fn kind(&self) -> io::ErrorKind {
        match self {
            UnixPathError::Empty
            | UnixPathError::TooLong { .. }
            | UnixPathError::Nul
            | UnixPathError::ModeOfAbstract { .. } => io::ErrorKind::InvalidInput,
            UnixPathError::NotASocket { .. } | UnixPathError::InUse | UnixPathError::Replaced => {
                io::ErrorKind::AddrInUse
            }
            UnixPathError::TimedOut { .. } => io::ErrorKind::TimedOut,
            UnixPathError::NotFound(error) | UnixPathError::Refused(error) | UnixPathError::Os(error) => {
                error.kind()
            }
        }
    }
}

impl fmt::Display for UnixPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnixPathError::Empty => f.write_str("the path is empty"),
            UnixPathError::TooLong { length, most } => {
                write!(f, "the path is {length} bytes long, and {most} is the most")
            }
            UnixPathError::Nul => f.write_str("the path contains a NUL"),
            UnixPathError::NotASocket { found } => write!(f, "there is {found}, not a socket"),
            UnixPathError::NotFound(error) => write!(f, "there is no such socket: {error}"),
            UnixPathError::Refused(error) => write!(f, "nobody listens there: {error}"),
            UnixPathError::TimedOut { after } => write!(f, "not connected within {after:?}"),
            UnixPathError::ModeOfAbstract { mode } => {
                write!(f, "the mode {mode:04o} is for a file, and an abstract name has none")
            }
            UnixPathError::InUse => f.write_str("a live server listens there"),
            UnixPathError::Replaced => f.write_str("the file was removed or replaced since it was bound"),
            UnixPathError::Os(error) => error.fmt(f),
        }
    }
}

impl Error for UnixPathError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            UnixPathError::NotFound(error) | UnixPathError::Refused(error) | UnixPathError::Os(error) => {
                Some(error)
            }
            _ => None,
        }
    }
}

/// What a file is that is no socket.
pub(crate) fn found(kind: std::fs::FileType) -> Option<&'static str> {
    match () {
        () if kind.is_socket() => None,
        () if kind.is_dir() => Some("a directory"),
        () if kind.is_file() => Some("a regular file"),
        () if kind.is_symlink() => Some("a symbolic link"),
        () if kind.is_fifo() => Some("a pipe"),
        () => Some("a device"),
    }
}
