//! The table of transports.

use crate::net::{Halves, pair_of_tcp};
use crate::tls::{Provider, both};
use highwater_net::StreamOptions;
use highwater_testing::{Conformance, PairOptions, Reset};
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
    /// When an `abort` is a `ConnectionReset` at the other side. When it is not, that side sees an end.
    pub reset: Reset,
    /// Whether it takes long to make a pair, as a handshake does. Such a pair sees fewer cuts.
    pub is_slow: bool,
    /// Makes the pairs. The options are the near one's.
    make: fn(StreamOptions) -> Making,
}

/// Every kind of connection. What was exchanged to set one up has been read by both sides.
pub fn makers() -> Vec<Maker> {
    vec![
        Maker { name: "memory", reset: Reset::Never, is_slow: false, make: |near| Box::pin(memory(near)) },
        Maker { name: "TCP", reset: Reset::Always, is_slow: false, make: |near| Box::pin(tcp(near)) },
        #[cfg(unix)]
        Maker {
            name: "Unix",
            reset: Reset::WithUnreadInput,
            is_slow: false,
            make: |near| Box::pin(unix(near)),
        },
        Maker {
            name: "TLS by aws-lc-rs",
            reset: Reset::Always,
            is_slow: true,
            make: |near| Box::pin(inside_tls(near, Provider::AwsLcRs)),
        },
        Maker {
            name: "TLS by ring",
            reset: Reset::Always,
            is_slow: true,
            make: |near| Box::pin(inside_tls(near, Provider::Ring)),
        },
    ]
}

impl Maker {
    /// Both pairs, the near one with these options.
    pub async fn pairs_with(self, near: StreamOptions) -> (Halves, Halves) {
        (self.make)(near).await
    }

    /// All checks that users have, on the transports of such pairs.
    pub fn bare_conformance(self) -> Conformance {
        let transport = async |(reader, writer): Halves| {
            let reunited = reader.reunite(writer).await.expect("the connection is open");
            assert_eq!(reunited.buffer.buffered(), 0, "what was exchanged to set it up has been read");
            reunited.transport
        };
        Conformance::of_transports(move || async move {
            let (near, far) = self.pairs_with(StreamOptions::new()).await;
            (transport(near).await, transport(far).await)
        })
    }

    /// The checks that users can run too, on these pairs.
    pub fn conformance(self) -> Conformance {
        Conformance::of_pairs(move |near| self.pairs_with(stream_options(&near))).resets(self.reset)
    }
}

/// What a check asks of a pair, in this crate's words.
fn stream_options(near: &PairOptions) -> StreamOptions {
    let defaults = StreamOptions::new()
        .max_buffered(near.max_buffered)
        .read_timeout(near.read_timeout)
        .write_timeout(near.write_timeout);
    let options = match near.delivery_timeout {
        Some(after) => defaults.delivery_timeout(after),
        None => defaults,
    };
    match near.linger {
        Some(linger) => options.linger(linger),
        None => options,
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

/// TLS over TCP, and a byte each way, with which the tickets that a server sends behind the handshake are read.
async fn inside_tls(options: StreamOptions, provider: Provider) -> (Halves, Halves) {
    let (near, far) = tcp(options).await;
    let client = provider.client().server_name("localhost");
    let (mut near, mut far) = both(near, client, far, provider.server()).await.expect("they shake hands");
    for (from, to) in [(&near.1, &mut far.0), (&far.1, &mut near.0)] {
        from.write(".").expect("it is open");
        to.read_exactly(1).await.expect("it comes");
    }
    (near, far)
}
