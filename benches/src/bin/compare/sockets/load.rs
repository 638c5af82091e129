//! The client: it asks every server for the same, looks at every answer, and reads what it took.

use super::identity::Identity;
use super::server::Server;
use super::wire::{Wire, wrong};
use super::works::Work;
use std::io::{self, Read, Write};
use std::time::Instant;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// On each connection a batch of lines goes out; when all are out, the answers are awaited.
    Echo { connections: usize, batch: usize },
    /// Connect, a line there and back, close: one connection after another.
    Connect(First),
    /// Connections stay, after a line there and back on each.
    Idle,
    /// Lines or blocks go to the server.
    Send(Records),
    /// Lines or blocks come from it.
    Receive(Records),
}

/// Who closes first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum First {
    Client,
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Records {
    /// Of 64 bytes.
    Lines,
    /// Of 64 KiB.
    Blocks,
}

/// What an operation took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Nanoseconds that the server ran.
    pub(crate) cpu: f64,
    /// Nanoseconds that went by.
    pub(crate) time: f64,
    /// KiB that each connection holds if they are idle, or the most that the process held.
    pub(crate) memory: f64,
}

const LINE: usize = 64;
const BLOCK: usize = 64 * 1024;

impl Load {
    /// Whether the figure to see is what idle connections hold.
    pub(crate) fn is_idle(self) -> bool {
        matches!(self, Self::Idle)
    }

    /// So many operations before those that count. They do not depend on how many these are.
    fn warm_up(self) -> u64 {
        match self {
            Self::Echo { .. } | Self::Send(Records::Lines) | Self::Receive(Records::Lines) => 1000,
            Self::Connect(_) | Self::Send(Records::Blocks) | Self::Receive(Records::Blocks) => 50,
            Self::Idle => 10,
        }
    }
}

/// Asks `server` for so many operations, after some to warm it up.
pub(crate) fn measure(
    work: &Work,
    server: &Server,
    identity: &Identity,
    operations: u64,
) -> io::Result<Cost> {
    let client = Client { port: server.port(), identity: work.tls.then_some(identity) };
    let warm_up = work.load.warm_up();
    let meter = Meter { server, operations };
    match work.load {
        Load::Echo { connections, batch } => {
            let mut wires = client.connect_all(connections)?;
            echo(&mut wires, batch, warm_up)?;
            let cost = meter.run(|| echo(&mut wires, batch, operations))?;
            part(wires)?;
            Ok(cost)
        }
        Load::Connect(first) => {
            client.converse(first, warm_up)?;
            meter.run(|| client.converse(first, operations))
        }
        Load::Idle => {
            let mut wires = client.connect_all(warm_up as usize)?;
            let before = server.resident()?;
            let cost = meter.run(|| {
                wires.append(&mut client.connect_all(operations as usize)?);
                Ok(())
            })?;
            let memory = (server.resident()? - before) / operations as f64;
            part(wires)?;
            Ok(Cost { memory, ..cost })
        }
        Load::Send(records) => {
            client.send(records, warm_up)?;
            meter.run(|| client.send(records, operations))
        }
        Load::Receive(records) => {
            client.receive(records, warm_up)?;
            meter.run(|| client.receive(records, operations))
        }
    }
}

/// Reads the clocks around what is measured.
struct Meter<'a> {
    server: &'a Server,
    operations: u64,
}

impl Meter<'_> {
    fn run(&self, work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
        let (cpu, started) = (self.server.cpu()?, Instant::now());
        work()?;
        let time = started.elapsed().as_nanos() as f64;
        let cpu = self.server.cpu()? - cpu;
        let operations = self.operations as f64;
        Ok(Cost { cpu: cpu / operations, time: time / operations, memory: self.server.peak()? })
    }
}

/// Where to connect to, and whether in TLS.
struct Client<'a> {
    port: u16,
    identity: Option<&'a Identity>,
}

impl Client<'_> {
    fn connect(&self) -> io::Result<Wire> {
        Wire::connect(self.port, self.identity)
    }

    /// Connections on each of which a line went there and back: a server that is not asked for one after the
    /// other leaves them in a queue that overflows.
    fn connect_all(&self, connections: usize) -> io::Result<Vec<Wire>> {
        let connect = |_| {
            let mut wire = self.connect()?;
            echo(std::slice::from_mut(&mut wire), 1, 1)?;
            Ok(wire)
        };
        (0..connections).map(connect).collect()
    }

    fn converse(&self, first: First, operations: u64) -> io::Result<()> {
        for _ in 0..operations {
            let mut wire = self.connect()?;
            echo(std::slice::from_mut(&mut wire), 1, 1)?;
            if let First::Client = first {
                wire.end()?;
            }
            wire.expect_end()?;
        }
        Ok(())
    }

    fn send(&self, records: Records, operations: u64) -> io::Result<()> {
        let mut wire = self.connect()?;
        if records == Records::Blocks {
            wire.write_all(format!("{operations}\n").as_bytes())?;
        }
        let block = records.block();
        let mut left = records.bytes(operations);
        while left > 0 {
            let count = left.min(block.len());
            wire.write_all(&block[..count])?;
            left -= count;
        }
        let bytes = records.bytes(operations);
        let right = match records {
            Records::Lines => format!("{operations} {bytes}\n"),
            Records::Blocks => format!("{bytes}\n"),
        };
        if records == Records::Lines {
            wire.end()?;
        }
        let mut answer = vec![0; right.len()];
        wire.read_exact(&mut answer)?;
        if answer != right.as_bytes() {
            return Err(wrong(format!("it read {:?} and not {right:?}", String::from_utf8_lossy(&answer))));
        }
        wire.expect_end()
    }

    fn receive(&self, records: Records, operations: u64) -> io::Result<()> {
        let mut wire = self.connect()?;
        wire.write_all(format!("{operations}\n").as_bytes())?;
        let mut chunk = vec![0; 4 * BLOCK];
        let (mut lines, mut bytes) = (0, 0);
        loop {
            let count = wire.read(&mut chunk)?;
            if count == 0 {
                break;
            }
            bytes += count;
            if records == Records::Lines {
                lines += memchr::memchr_iter(b'\n', &chunk[..count]).count() as u64;
            }
        }
        let right = bytes == records.bytes(operations) && (records == Records::Blocks || lines == operations);
        if right { Ok(()) } else { Err(wrong(format!("it wrote {lines} lines and {bytes} bytes"))) }
    }
}

impl Records {
    /// 64 KiB of them.
    fn block(self) -> Vec<u8> {
        match self {
            Self::Lines => lines(BLOCK / LINE),
            Self::Blocks => vec![b'x'; BLOCK],
        }
    }

    fn bytes(self, count: u64) -> usize {
        count as usize * if self == Self::Lines { LINE } else { BLOCK }
    }
}

/// Lines of 64 bytes that differ.
fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| format!("{number:063}\n").into_bytes()).collect()
}

/// Ends connections as they should be ended, and sees to it that the server does, too.
fn part(mut wires: Vec<Wire>) -> io::Result<()> {
    wires.iter_mut().try_for_each(Wire::end)?;
    wires.iter_mut().try_for_each(Wire::expect_end)
}

/// Rounds of a batch on each connection, until that were so many lines.
fn echo(wires: &mut [Wire], batch: usize, operations: u64) -> io::Result<()> {
    let sent = lines(batch);
    let mut received = vec![0; sent.len()];
    let a_round = (wires.len() * batch) as u64;
    for _ in 0..operations.div_ceil(a_round) {
        for wire in &mut *wires {
            wire.write_all(&sent)?;
        }
        // The last to be served is waited for first, so that one wait is enough for all of them.
        for wire in wires.iter_mut().rev() {
            wire.read_exact(&mut received)?;
            if received != sent {
                return Err(wrong("the echo is not what was sent"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    /// What a client says of a server that reads a line and then sends this.
    fn echoed(answer: Vec<u8>) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept()?;
            socket.read_exact(&mut [0; LINE])?;
            socket.write_all(&answer)
        });
        let outcome = echo(&mut [Wire::connect(port, None)?], 1, 1);
        server.join().expect("it does not panic")?;
        outcome
    }

    #[test]
    fn an_echo_that_lacks_something_or_differs_is_no_echo() {
        assert!(echoed(lines(1)).is_ok());
        assert_eq!(echoed(vec![b'x'; LINE]).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(echoed(vec![b'0'; LINE - 1]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
