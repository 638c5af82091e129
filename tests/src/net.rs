//! Tests that run servers: on which runtimes, with which handlers, and the peers that they play by hand.

use crate::bounded::{bounded, one_thread, two_workers};
use crate::skip;
use highwater_net::{ServerEvent, StreamReader, StreamWriter, open_connection};
use socket2::{Domain, SockRef, Socket, Type};
use std::future::Future;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The address on which the tests listen: the kernel picks the port.
pub const LOOPBACK: (&str, u16) = ("127.0.0.1", 0);

/// Both halves of a connection.
pub type Halves = (StreamReader, StreamWriter);

/// Runs `test` on a runtime of one thread, bounded.
pub fn on_one_thread<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    bounded(move || one_thread().block_on(test()));
}

/// Runs `test` on each flavour of the runtime, bounded.
pub fn on_each_runtime<F: Future<Output = ()>>(test: impl Fn() -> F + Send + 'static) {
    bounded(move || {
        one_thread().block_on(test());
        two_workers().block_on(test());
    });
}

/// A handler that answers every line with itself.
pub async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    while let Some(line) = reader.read_line().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    Ok(())
}

/// A handler that gives both halves away, and where they go.
pub fn give_away() -> (impl Fn(StreamReader, StreamWriter) + Send + Sync + 'static, UnboundedReceiver<Halves>)
{
    let (give, take) = unbounded_channel();
    (move |reader, writer| give.send((reader, writer)).expect("the test takes them"), take)
}

/// A hook for a server, and the texts of what it is told.
pub fn hook() -> (impl Fn(&ServerEvent) + Send + Sync + 'static, UnboundedReceiver<String>) {
    let (tell, told) = unbounded_channel();
    // The test may have ended before the server has.
    (move |event: &ServerEvent| drop(tell.send(event.to_string())), told)
}

/// Connects to `address` and has a line echoed.
///
/// # Errors
/// Those of the connection; `UnexpectedEof` when it ends before the line came back.
pub async fn is_echoed(address: SocketAddr) -> io::Result<Halves> {
    let (mut reader, writer) = open_connection(address).await?;
    writer.write("are you there?\n")?;
    match reader.read_line().await? {
        Some(line) if line == "are you there?\n" => Ok((reader, writer)),
        Some(line) => Err(io::Error::other(format!("{line:?} came back"))),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// An address of loopback that refuses connections for as long as the socket is kept: it is bound, and does
/// not listen.
pub fn refusing() -> (SocketAddr, Socket) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a port is free");
    let address = socket.local_addr().expect("it is bound").as_socket().expect("it is IPv4");
    (address, socket)
}

/// A listener on loopback that never answers: nobody accepts, and its queue is full.
#[derive(Debug)]
pub struct Silent {
    /// Where it listens.
    pub address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<Socket>,
}

impl Silent {
    /// Listens, and fills the queue.
    pub fn new() -> Self {
        let (address, socket) = refusing();
        socket.listen(0).expect("it listens");
        // The kernel takes one more than asked for. More than that does not harm: they wait in vain.
        let queue = (0..4).map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            client.set_nonblocking(true).expect("it is open");
            client.connect(&address.into()).ok();
            client
        });
        Self { address, _queue: queue.collect(), _listener: socket.into() }
    }
}

impl Default for Silent {
    fn default() -> Self {
        Self::new()
    }
}

/// Both ends of a connection over loopback, of std.
pub fn pair_of_tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(LOOPBACK).expect("a port is free");
    let near = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    let (far, _) = listener.accept().expect("one has connected");
    (near, far)
}

/// Whether the host can bind `::1`; if not, the test `name` counts as skipped.
pub fn has_ipv6(name: &str) -> bool {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => true,
        Err(error) => {
            skip(name, &format!("::1 cannot be bound: {error}"));
            false
        }
    }
}

/// Makes the drop of a socket a reset.
pub fn reset(socket: tokio::net::TcpStream) {
    SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("the socket is open");
}

/// How many descriptors this process has open. Counted in a process of its own.
pub fn descriptors() -> usize {
    // One is the directory's own.
    std::fs::read_dir("/proc/self/fd").expect("Linux").count() - 1
}
