//! Binding: every address once, one port for all, all or nothing but for what the system lacks; and taking
//! what listens already.

use super::bind_to::{BindListeners, BindNames, Given};
#[cfg(unix)]
use super::socket_file::SocketFile;
use super::{BindError, ServerEvent};
use crate::{Address, Attempt, Family, Listener, Name};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// How often a port that the kernel picked for the first address is tried on the others. diverges: in
/// asyncio each address gets a port of its own; a server has one.
const PORT_TRIES: usize = 16;

/// How many connections the kernel may hold that were not accepted yet.
pub(super) const BACKLOG: u32 = 100;

#[derive(Clone, Debug)]
pub(super) struct SocketOptions {
    /// Whether to listen as soon as a socket is bound: who has the port is known only then.
    pub(super) listen: bool,
    pub(super) backlog: u32,
    pub(super) reuse_address: bool,
    #[cfg(unix)]
    pub(super) reuse_port: bool,
}

impl Default for SocketOptions {
    fn default() -> Self {
        // On Unix an address in TIME_WAIT can be bound again so. Elsewhere it means theft.
        Self {
            listen: true,
            backlog: BACKLOG,
            reuse_address: cfg!(unix),
            #[cfg(unix)]
            reuse_port: false,
        }
    }
}

pub(super) fn as_backlog(backlog: u32) -> i32 {
    i32::try_from(backlog).unwrap_or(i32::MAX)
}

/// What is bound, and accepts nothing yet.
pub(super) struct Bound {
    pub(super) address: Address,
    pub(super) source: Source,
}

pub(super) enum Source {
    /// With the backlog; without one it listens already.
    Tcp(Socket, Option<u32>),
    /// The file goes first: see `SocketFile::is_ours`.
    #[cfg(unix)]
    Unix(Option<SocketFile>, Socket, Option<u32>),
    Other(Box<dyn Listener>),
}

impl Source {
    /// Closes a socket; a caller's listener is returned, to be dropped where no lock is held.
    pub(super) fn close(self) -> Option<Box<dyn Listener>> {
        match self {
            Source::Other(listener) => Some(listener),
            _ => None,
        }
    }

    /// Listens, in the context of a runtime.
    pub(super) fn listen(self) -> io::Result<Box<dyn Listener>> {
        Ok(match self {
            Source::Tcp(socket, backlog) => {
                start_listening(&socket, backlog)?;
                Box::new(tokio::net::TcpListener::from_std(socket.into())?)
            }
            #[cfg(unix)]
            Source::Unix(file, socket, backlog) => {
                if let Some(file) = &file {
                    file.is_still_ours()?;
                }
                start_listening(&socket, backlog)?;
                let listener = tokio::net::UnixListener::from_std(socket.into())?;
                match file {
                    Some(file) => Box::new(file.with(listener)),
                    None => Box::new(listener),
                }
            }
            Source::Other(listener) => listener,
        })
    }
}

fn start_listening(socket: &Socket, backlog: Option<u32>) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    backlog.map_or(Ok(()), |backlog| socket.listen(as_backlog(backlog)))
}

/// Takes what was handed in.
pub(super) fn take(on: BindListeners) -> Result<Vec<Bound>, BindError> {
    let take = |given| match given {
        Given::Socket(socket) => take_socket(socket),
        Given::Tcp(listener) => take_socket(listener.into_std()?.into()),
        #[cfg(unix)]
        Given::Unix(listener) => take_socket(listener.into_std()?.into()),
        Given::Other(listener) => {
            Ok(Bound { address: listener.local_addr(), source: Source::Other(listener) })
        }
    };
    if on.given.is_empty() {
        return Err(BindError::Bind { attempts: Vec::new() });
    }
    on.given.into_iter().map(take).collect::<io::Result<_>>().map_err(BindError::Socket)
}

fn take_socket(socket: Socket) -> io::Result<Bound> {
    let invalid = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
    let address = socket.local_addr()?;
    if socket.r#type()? != Type::STREAM {
        return invalid("the socket is not a stream socket");
    }
    // Nothing would ever come from it. Elsewhere the system cannot be asked, and accepting tells.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    if !socket.is_listener()? {
        return invalid("the socket does not listen");
    }
    if let Some(address) = address.as_socket() {
        return Ok(Bound { address: address.into(), source: Source::Tcp(socket, None) });
    }
    #[cfg(unix)]
    if address.is_unix() {
        return bound_unix(None, socket, None);
    }
    invalid("the socket is neither of the internet families nor a Unix socket")
}

/// A Unix socket with its address, be that a path, an abstract name, or none.
#[cfg(unix)]
pub(super) fn bound_unix(
    file: Option<SocketFile>,
    socket: Socket,
    backlog: Option<u32>,
) -> io::Result<Bound> {
    let listener = std::os::unix::net::UnixListener::from(socket);
    let address = Address::Unix(Box::new(listener.local_addr()?));
    Ok(Bound { address, source: Source::Unix(file, listener.into(), backlog) })
}

/// Binds every address, without accepting yet.
pub(super) async fn bind(on: BindNames, tell: impl Fn(&ServerEvent)) -> Result<Vec<Bound>, BindError> {
    let mut once = Vec::new();
    for host in on.hosts {
        for address in resolve(host, on.family).await? {
            if !once.contains(&address) {
                once.push(address);
            }
        }
    }
    let (bound, skipped) = bind_all(&once, &on.sockets)?;
    for attempt in skipped {
        tell(&ServerEvent::AddressSkipped(attempt));
    }
    let bound = bound.into_iter().map(|(address, socket)| Bound {
        address: Address::Inet(address),
        source: Source::Tcp(socket, (!on.sockets.listen).then_some(on.sockets.backlog)),
    });
    Ok(bound.collect())
}

/// The addresses of a host, of one family if one is given: one at least.
async fn resolve(host: Vec<Name>, family: Option<Family>) -> Result<Vec<SocketAddr>, BindError> {
    let mut addresses = Vec::new();
    let mut lacking = None;
    for name in host {
        let resolved = match name.resolve().await {
            Ok(resolved) => resolved,
            Err(error) => return Err(BindError::Resolve { name, error }),
        };
        let is_wanted = |address: &SocketAddr| family.is_none_or(|family| Family::of(address.ip()) == family);
        addresses.extend(resolved.into_iter().filter(is_wanted));
        lacking = Some(name);
    }
    match (addresses.is_empty(), lacking, family) {
        (true, Some(name), Some(family)) => Err(BindError::Family { name, family }),
        _ => Ok(addresses),
    }
}

type Sockets = Vec<(SocketAddr, Socket)>;

fn bind_all(addresses: &[SocketAddr], options: &SocketOptions) -> Result<(Sockets, Vec<Attempt>), BindError> {
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

fn bind_once(addresses: &[SocketAddr], options: &SocketOptions) -> Result<(Sockets, Vec<Attempt>), Taken> {
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
    if options.reuse_address {
        socket.set_reuse_address(true)?;
    }
    #[cfg(unix)]
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    if options.listen {
        socket.listen(as_backlog(options.backlog))?;
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
