//! A listener whose connections are in memory: for servers under a paused clock, and with every accept seen.

use crate::net::Halves;
use highwater_net::{Address, Incoming, Listener, pair};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a connection in memory holds in each direction.
pub const CAPACITY: usize = 64;

/// A source of connections in memory, for a server.
#[derive(Debug)]
pub struct Memory {
    comes: UnboundedReceiver<io::Result<Incoming>>,
    asked: Arc<AtomicUsize>,
}

/// Who connects to a [`Memory`].
#[derive(Clone, Debug)]
pub struct Connector {
    goes: UnboundedSender<io::Result<Incoming>>,
    asked: Arc<AtomicUsize>,
}

/// A listener, and the way to it.
pub fn memory() -> (Box<dyn Listener>, Connector) {
    let (goes, comes) = unbounded_channel();
    let asked = Arc::new(AtomicUsize::new(0));
    (Box::new(Memory { comes, asked: Arc::clone(&asked) }), Connector { goes, asked })
}

impl Connector {
    /// A connection that waits to be accepted.
    pub fn connect(&self) -> Halves {
        let (near, far) = tokio::io::duplex(CAPACITY);
        self.bring(far);
        pair(near)
    }

    /// A connection over `transport`. A closed listener drops it, and the other end sees that.
    pub fn bring(&self, transport: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        self.goes.send(Ok(Incoming::new(transport))).ok();
    }

    /// Makes an accept fail.
    pub fn fail(&self, error: io::Error) {
        self.goes.send(Err(error)).expect("the server listens");
    }

    /// How often the listener was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Whether the listener is closed.
    pub fn is_closed(&self) -> bool {
        self.goes.is_closed()
    }
}

impl Listener for Memory {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.comes.poll_recv(cx) {
            Poll::Ready(Some(comes)) => Poll::Ready(comes),
            _ => Poll::Pending,
        }
    }

    fn local_addr(&self) -> Address {
        Address::Unknown
    }
}
