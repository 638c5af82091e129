//! Binding: every address once, one port for all, all or nothing but for what the system lacks.

use super::ServerEvent;
use crate::address::{Bind, BindTo};
use crate::connect::Listed;
use crate::{Attempt, Name};
use socket2::{Domain, Protocol, Socket, Type};
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// How often a port that the kernel picked for the first address is tried on the others. diverges: in
/// asyncio each address gets a port of its own; a server has one.
const PORT_TRIES: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct SocketOptions {
    /// Whether to listen as soon as a socket is bound: who has the port is known only then.
    pub(super) listen: bool,
    pub(super) backlog: u32,
    pub(super) reuse_port: bool,
    pub(super) keep_alive: bool,
}

impl SocketOptions {
    pub(super) fn backlog(&self) -> i32 {
        i32::try_from(self.backlog).unwrap_or(i32::MAX)
    }
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self { listen: true, backlog: 100, reuse_port: false, keep_alive: false }
    }
}

/// Binds every address, without listening yet.
pub(super) async fn bind(
    to: Bind,
    options: &SocketOptions,
    tell: impl Fn(&ServerEvent),
) -> Result<Vec<(SocketAddr, Socket)>, BindError> {
    let names = match to.0 {
        BindTo::Names(names) => names,
        BindTo::Socket(listener) => {
            let address = listener.local_addr().map_err(BindError::listen)?;
            return Ok(vec![(address, listener.into())]);
        }
    };
    let mut addresses = Vec::new();
    for name in names {
        match name.resolve().await {
            Ok(resolved) => addresses.extend(resolved),
            Err(error) => return Err(BindError::Resolve { name, error }),
        }
    }
    let mut once = Vec::new();
    for address in addresses {
        if !once.contains(&address) {
            once.push(address);
        }
    }
    let (bound, skipped) = bind_all(&once, options)?;
    for attempt in skipped {
        tell(&ServerEvent::AddressSkipped(attempt));
    }
    Ok(bound)
}

type Bound = Vec<(SocketAddr, Socket)>;

fn bind_all(addresses: &[SocketAddr], options: &SocketOptions) -> Result<(Bound, Vec<Attempt>), BindError> {
    let mut tries = PORT_TRIES;
    loop {
        tries -= 1;
        match bind_once(addresses, options) {
            // The port that the kernel picked is taken on another address: pick another.
            Err(Taken::Picked(_)) if tries > 0 => continue,
            Err(Taken::Picked(error) | Taken::Given(error)) => return Err(error),
            Ok((bound, skipped)) if bound.is_empty() => {
                return Err(BindError::Bind { attempts: skipped });
            }
            Ok(bound) => return Ok(bound),
        }
    }
}

/// Whose choice the port was that could not be bound.
enum Taken {
    Picked(BindError),
    Given(BindError),
}

fn bind_once(addresses: &[SocketAddr], options: &SocketOptions) -> Result<(Bound, Vec<Attempt>), Taken> {
    let mut bound = Vec::new();
    let mut skipped = Vec::new();
    let mut picked = None;
    for &given in addresses {
        let mut address = given;
        if let (0, Some(port)) = (given.port(), picked) {
            address.set_port(port);
        }
        match bind_socket(address, options) {
            Ok((address, socket)) => {
                if given.port() == 0 {
                    picked = Some(address.port());
                }
                bound.push((address, socket));
            }
            Err(error) if is_lacking(&error) => skipped.push(Attempt { address, error }),
            Err(error) => {
                let is_picked = address != given && error.kind() == io::ErrorKind::AddrInUse;
                let error = BindError::Bind { attempts: vec![Attempt { address, error }] };
                return Err(if is_picked { Taken::Picked(error) } else { Taken::Given(error) });
            }
        }
    }
    Ok((bound, skipped))
}

fn bind_socket(address: SocketAddr, options: &SocketOptions) -> io::Result<(SocketAddr, Socket)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // As on every Unix server: an address in TIME_WAIT can be bound again. Elsewhere it means theft.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    if options.listen {
        socket.listen(options.backlog())?;
    }
    let address = socket.local_addr()?.as_socket();
    let address = address.ok_or_else(|| io::Error::other("the bound address is of no internet family"))?;
    Ok((address, socket))
}

/// Whether the system lacks the family or the address, which others need not suffer for.
fn is_lacking(error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = match () {
        _ if cfg!(windows) => 10047,
        _ if cfg!(any(target_os = "linux", target_os = "android")) => 97,
        _ => 47,
    };
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(EAFNOSUPPORT)
}

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
    /// An address could not be bound, or none was there to bind.
    Bind {
        /// The addresses that could not be bound, each with its error.
        attempts: Vec<Attempt>,
    },
    /// The system refused to listen on what was bound.
    Listen(io::Error),
}

impl BindError {
    pub(super) fn listen(error: io::Error) -> Self {
        BindError::Listen(error)
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindError::Resolve { name, error } => write!(f, "{name} did not resolve: {error}"),
            BindError::Bind { attempts } if attempts.is_empty() => {
                f.write_str("no address was given to bind")
            }
            BindError::Bind { attempts } => write!(f, "cannot listen on {}", Listed::all(attempts)),
            BindError::Listen(error) => write!(f, "cannot listen: {error}"),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BindError::Resolve { error, .. } | BindError::Listen(error) => Some(error),
            BindError::Bind { attempts } => attempts.last().map(|attempt| &attempt.error as _),
        }
    }
}

/// Of the kind of the last error; this error stays inside.
impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        let kind = match &error {
            BindError::Resolve { error, .. } | BindError::Listen(error) => error.kind(),
            BindError::Bind { attempts } => {
                attempts.last().map_or(io::ErrorKind::InvalidInput, |attempt| attempt.error.kind())
            }
        };
        io::Error::new(kind, error)
    }
}
