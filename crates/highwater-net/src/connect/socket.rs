//! The socket of an attempt, before it connects: its options, the caller's hook, its own address.

use super::error::{Attempt, Listed};
use crate::address::Name;
use crate::keep_alive::KeepAlive;
use crate::resolve::Family;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpSocket;

type Hook = Box<dyn Fn(&Socket) -> io::Result<()> + Send + Sync>;

#[derive(Default)]
pub(super) struct SocketOptions {
    pub(super) keep_alive: Option<KeepAlive>,
    pub(super) send_buffer_size: Option<usize>,
    pub(super) recv_buffer_size: Option<usize>,
    pub(super) hook: Option<Hook>,
}

impl SocketOptions {
    /// The first option that was set.
    pub(super) fn option(&self) -> Option<&'static str> {
        let set = [
            (self.keep_alive.is_some(), "keep_alive"),
            (self.send_buffer_size.is_some(), "send_buffer_size"),
            (self.recv_buffer_size.is_some(), "recv_buffer_size"),
            (self.hook.is_some(), "on_socket"),
        ];
        set.into_iter().find_map(|(is_set, option)| is_set.then_some(option))
    }

    /// A socket that is ready to connect to `remote`.
    pub(super) fn open(&self, remote: SocketAddr, local: Option<&Local>) -> io::Result<TcpSocket> {
        let socket = Socket::new(Domain::for_address(remote), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        // Before connecting, for the window that TCP offers follows from the size.
        if let Some(bytes) = self.send_buffer_size {
            socket.set_send_buffer_size(bytes).map_err(|error| told("the send buffer size", error))?;
        }
        if let Some(bytes) = self.recv_buffer_size {
            socket.set_recv_buffer_size(bytes).map_err(|error| told("the receive buffer size", error))?;
        }
        if let Some(keep_alive) = &self.keep_alive {
            keep_alive.apply(&SockRef::from(&socket)).map_err(|error| told("keep-alive", error))?;
        }
        // Last, so that it can overrule what was said before.
        if let Some(hook) = &self.hook {
            hook(&socket)?;
        }
        if let Some(local) = local {
            local.bind(&socket, remote)?;
        }
        Ok(TcpSocket::from_std_stream(socket.into()))
    }
}

/// Where to connect from.
pub(super) struct Local {
    name: Name,
    addresses: Vec<SocketAddr>,
}

impl Local {
    pub(super) fn new(name: Name, addresses: Vec<SocketAddr>) -> Self {
        Self { name, addresses }
    }

    /// Whether two sockets cannot have it at once.
    pub(super) fn has_port(&self) -> bool {
        self.addresses.iter().any(|address| address.port() != 0)
    }

    /// asyncio: only addresses of the family of the remote one are tried, and the first that binds wins.
    fn bind(&self, socket: &Socket, remote: SocketAddr) -> io::Result<()> {
        let family = Family::of(remote.ip());
        let mut attempts = Vec::new();
        for &address in self.addresses.iter().filter(|address| Family::of(address.ip()) == family) {
            match socket.bind(&address.into()) {
                Ok(()) => return Ok(()),
                Err(error) => attempts.push(Attempt { address, error }),
            }
        }
        let kind = attempts.last().map_or(io::ErrorKind::AddrNotAvailable, |attempt| attempt.error.kind());
        Err(io::Error::new(kind, NotBound { local: self.name.clone(), family, attempts }))
    }
}

/// An option that the system refused.
#[derive(Debug)]
struct Refused {
    option: &'static str,
    error: io::Error,
}

fn told(option: &'static str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Refused { option, error })
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be set: {}", self.option, self.error)
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// No local address could be bound, or there is none of the family.
#[derive(Debug)]
struct NotBound {
    local: Name,
    family: Family,
    attempts: Vec<Attempt>,
}

impl fmt::Display for NotBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { local, family, attempts } = self;
        if attempts.is_empty() {
            return write!(f, "the local address {local} is not {family}");
        }
        write!(f, "cannot connect from {}", Listed::all(attempts))
    }
}

impl Error for NotBound {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.attempts.last().map(|attempt| &attempt.error as _)
    }
}
