//! The table of transports.

use crate::net::{Halves, pair_of_tcp};
use highwater_net::StreamOptions;
use std::future::Future;
use std::pin::Pin;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// How many bytes each direction of the transport in memory holds: few, so that what is longer than a
/// message goes through in many pieces.
const MEMORY: usize = 4096;

/// Two connected pairs that are being made: the near one, which is tested, and its peer.
pub type Making = Pin<Box<dyn Future<Output = (Halves, Halves)> + Send>>;

/// A kind of connection, and what a check has to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Maker {
    /// By which it is reported.
    pub name: &'static str,
    /// Whether an `abort` of a side that has unread input is a `ConnectionReset` at the other side. Where
    /// it is not, the other side sees an end.
    pub resets: bool,
    /// Makes the pairs. The options are the near one's.
    make: fn(StreamOptions) -> Making,
}

/// Every kind of connection. What was exchanged to set one up has been read by both sides.
pub fn makers() -> Vec<Maker> {
    vec![
        Maker { name: "memory", resets: false, make: |near| Box::pin(memory(near)) },
        Maker { name: "TCP", resets: true, make: |near| Box::pin(tcp(near)) },
        #[cfg(unix)]
        Maker { name: "Unix", resets: true, make: |near| Box::pin(unix(near)) },
    ]
}

impl Maker {
    /// Both pairs, the near one with these options.
    pub async fn pairs_with(self, near: StreamOptions) -> (Halves, Halves) {
        (self.make)(near).await
    }

    /// Both pairs.
    pub async fn pairs(self) -> (Halves, Halves) {
        self.pairs_with(StreamOptions::new()).await
    }
}

async fn memory(options: StreamOptions) -> (Halves, Halves) {
    let (near, far) = tokio::io::duplex(MEMORY);
    (options.pair(near), highwater_net::pair(far))
}

async fn tcp(options: StreamOptions) -> (Halves, Halves) {
    let (near, far) = pair_of_tcp();
    let adopt = |socket: std::net::TcpStream| {
        socket.set_nonblocking(true).expect("the socket is open");
        TcpStream::from_std(socket).expect("there is a runtime")
    };
    (options.pair(adopt(near)), highwater_net::pair(adopt(far)))
}

#[cfg(unix)]
async fn unix(options: StreamOptions) -> (Halves, Halves) {
    let (near, far) = UnixStream::pair().expect("sockets can be made");
    (options.pair(near), highwater_net::pair(far))
}
