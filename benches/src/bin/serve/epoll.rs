//! The floor: one loop on epoll, which does for each service as little as the wire asks for.

use crate::{BLOCK, Job, line, not_offered, request};
use highwater_benches::Service;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The key of the listener; no descriptor is so large.
const LISTENER: u64 = u64::MAX;

/// A connection, and what it is about.
struct Connection {
    socket: TcpStream,
    state: State,
}

enum State {
    /// Bytes go back as they come. After the first of them the connection ends, if told so.
    Echo { once: bool },
    /// What came so far; the answer follows the end.
    Count { lines: usize, bytes: usize },
    /// So many bytes came of all that are to come; the answer follows them.
    Sink { bytes: usize, all: usize },
    /// The request is awaited.
    Asked,
    /// So many bytes are still to be sent.
    Sending { bytes: usize },
}

/// What is equal for all connections.
struct Floor {
    poll: OwnedFd,
    service: Service,
    /// What arrives, and is dealt with at once.
    scratch: Vec<u8>,
    /// What is sent again and again.
    block: Vec<u8>,
}

pub(crate) fn serve(job: &Job) -> io::Result<()> {
    if job.workers != 1 || !job.identity.is_empty() {
        return Err(not_offered(job));
    }
    let block = match job.service {
        Service::WriteLines => line().repeat(job.every as usize),
        _ => vec![b'x'; BLOCK],
    };
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let floor = Floor { poll, service: job.service, scratch: vec![0; BLOCK], block };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    floor.run(&listener)
}

impl Floor {
    fn run(mut self, listener: &TcpListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        epoll::add(&self.poll, listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let mut connections: HashMap<u64, Connection> = HashMap::new();
        let mut events = Vec::with_capacity(1024);
        loop {
            epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut events), None)?;
            for event in events.drain(..) {
                let key = event.data.u64();
                if key == LISTENER {
                    let connection = self.accept(listener)?;
                    connections.insert(connection.socket.as_raw_fd() as u64, connection);
                } else if let Some(connection) = connections.get_mut(&key) {
                    if !self.advance(connection)? {
                        connections.remove(&key);
                    }
                }
            }
        }
    }

    fn accept(&self, listener: &TcpListener) -> io::Result<Connection> {
        let (socket, _) = listener.accept()?;
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        let key = EventData::new_u64(socket.as_raw_fd() as u64);
        epoll::add(&self.poll, socket.as_fd(), key, EventFlags::IN)?;
        let state = match self.service {
            Service::Echo => State::Echo { once: false },
            Service::EchoOnce => State::Echo { once: true },
            Service::ReadLines => State::Count { lines: 0, bytes: 0 },
            Service::Sink | Service::WriteLines | Service::Source | Service::SourceOwned => State::Asked,
        };
        Ok(Connection { socket, state })
    }

    /// Does what the event allows, and tells whether the connection goes on.
    fn advance(&mut self, connection: &mut Connection) -> io::Result<bool> {
        if let State::Sending { bytes } = &mut connection.state {
            return self.send(&mut connection.socket, bytes);
        }
        let count = match connection.socket.read(&mut self.scratch) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            count => count?,
        };
        let came = &self.scratch[..count];
        match &mut connection.state {
            State::Echo { once } => {
                // What is echoed fits into an empty send buffer, and the client reads it before it sends more.
                connection.socket.write_all(came)?;
                Ok(count > 0 && !*once)
            }
            State::Count { lines, bytes } => {
                *bytes += count;
                *lines += memchr::memchr_iter(b'\n', came).count();
                if count == 0 {
                    writeln!(connection.socket, "{lines} {bytes}")?;
                }
                Ok(count > 0)
            }
            State::Sink { bytes, all } => {
                *bytes += count;
                if count > 0 && bytes < all {
                    return Ok(true);
                }
                writeln!(connection.socket, "{bytes}")?;
                Ok(false)
            }
            State::Asked if self.service == Service::Sink => {
                let line = memchr::memchr(b'\n', came).map_or(count, |end| end + 1);
                connection.state =
                    State::Sink { bytes: count - line, all: request(&came[..line])? as usize * BLOCK };
                Ok(count > 0)
            }
            State::Asked | State::Sending { .. } => {
                let each = if self.service == Service::WriteLines { line().len() } else { BLOCK };
                let mut bytes = request(came)? as usize * each;
                let more = self.send(&mut connection.socket, &mut bytes)?;
                let key = EventData::new_u64(connection.socket.as_raw_fd() as u64);
                epoll::modify(&self.poll, &connection.socket, key, EventFlags::OUT)?;
                connection.state = State::Sending { bytes };
                Ok(more)
            }
        }
    }

    /// Sends until the socket takes no more, and tells whether some is left.
    fn send(&self, socket: &mut TcpStream, bytes: &mut usize) -> io::Result<bool> {
        while *bytes > 0 {
            // Where in a block it stopped does not matter for bytes that are alike: lines begin anew at each line.
            let from = (self.block.len() - *bytes % self.block.len()) % self.block.len();
            let end = self.block.len().min(from + *bytes);
            match socket.write(&self.block[from..end]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                sent => *bytes -= sent?,
            }
        }
        socket.shutdown(Shutdown::Write)?;
        Ok(false)
    }
}
