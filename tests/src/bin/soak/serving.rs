//! The servers: one handler over TCP, Unix sockets and TLS. It sends back what it has checked.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use highwater_net::{
    CloseError, Server, ServerEvent, StreamOptions, StreamReader, StreamWriter, Transport, start_server,
    start_unix_server,
};
use highwater_tests::scratch::Scratch;
use highwater_tests::tls::{AUTHORITY, server as server_tls};
use socket2::SockRef;

use crate::dice::payload;
use crate::kind::Kind;
use crate::tally::{Tally, locked};

/// Whoever takes nothing for so long is given up. Clients that stall take less.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);

/// A port lasts for 28,000 connections a minute from one address: several addresses, so that there are enough.
/// Where the system has but one, one is enough for less.
const HOSTS: [&str; 4] = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];

/// A client's queue to be accepted from: they come in thousands.
const BACKLOG: u32 = 4096;

/// What the kernel keeps in each direction for a client that stalls, in bytes.
pub(crate) const LITTLE_ROOM: usize = 16 * 1024;

/// The names of files, in the folder of the run.
pub(crate) const SOCKET: &str = "socket";
pub(crate) const AUTHORITY_FILE: &str = "authority.pem";

pub(crate) struct Serving {
    tcp: Server,
    unix: Server,
    tls: Server,
}

impl Serving {
    pub(crate) async fn start(scratch: &Scratch, tally: Arc<Mutex<Tally>>) -> io::Result<Self> {
        fs::write(scratch.file(AUTHORITY_FILE), AUTHORITY.pem())?;
        let handler = || {
            let tally = Arc::clone(&tally);
            move |reader, writer| serve(reader, writer, Arc::clone(&tally))
        };
        // The handler tells of its own: whatever the hook is told is one too many.
        let hook = || {
            let tally = Arc::clone(&tally);
            move |event: &ServerEvent| {
                if !matches!(event, ServerEvent::AddressSkipped(_)) {
                    locked(&tally).unexpected(event);
                }
            }
        };
        let options = StreamOptions::new().write_timeout(Some(WRITE_TIMEOUT));
        let over_tcp = || {
            let starting = start_server(handler(), (HOSTS, 0));
            starting.streams(options.clone()).backlog(BACKLOG).on_error(hook())
        };
        let unix = start_unix_server(handler(), scratch.file(SOCKET)).streams(options.clone());
        Ok(Self {
            tcp: over_tcp().await?,
            unix: unix.backlog(BACKLOG).on_error(hook()).await?,
            tls: over_tcp().tls(server_tls()).await?,
        })
    }

    /// Where the clients find it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let of = |name: &str, addresses: &[SocketAddr]| {
            let pairs = addresses.iter().map(|address| [format!("--{name}"), address.to_string()]);
            pairs.collect::<Vec<_>>().concat()
        };
        [of("tcp", self.tcp.local_addrs()), of("tls", self.tls.local_addrs())].concat()
    }

    /// How many connections there are.
    pub(crate) fn open(&self) -> usize {
        [&self.tcp, &self.unix, &self.tls].iter().map(|server| server.counts().open).sum()
    }

    /// All clients have gone: there is nobody left to wait for.
    pub(crate) async fn end(self) {
        for server in [self.tcp, self.unix, self.tls] {
            server.close();
            server.wait_closed().await;
        }
    }
}

/// Why a conversation ended early.
enum Trouble {
    Io(io::Error),
    Wrong(String),
}

impl<E: Into<io::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Io(error.into())
    }
}

/// From the first line, which says what the client will do, to the end.
async fn serve(mut reader: StreamReader, writer: StreamWriter, tally: Arc<Mutex<Tally>>) {
    let kind = match reader.read_line().await {
        Ok(Some(line)) => Kind::parse(line.trim_ascii_end()),
        _ => None,
    };
    let Some(kind) = kind else {
        locked(&tally).unexpected("a client said not what it will do");
        return;
    };
    if kind.is_slow() {
        writer.with_transport(keep_little);
    }
    let answered = answer_all(&mut reader, &writer, &tally).await;
    match answered {
        Ok(()) => {
            writer.close();
            count(kind, writer.wait_closed().await.map_err(|error: CloseError| error.into()), &tally);
        }
        Err(trouble) => {
            writer.abort();
            count(kind, Err(trouble), &tally);
        }
    }
}

/// The kernel would take megabytes for a client that takes nothing, and the server not notice.
fn keep_little(transport: &Transport) {
    match transport {
        // Where it is refused, the client is not slow, which it finds wrong.
        Transport::Tcp(socket) => SockRef::from(socket).set_send_buffer_size(LITTLE_ROOM).unwrap_or(()),
        Transport::Tls(tls) => keep_little(tls.get_ref()),
        _ => {}
    }
}

fn count(kind: Kind, ended: Result<(), Trouble>, tally: &Mutex<Tally>) {
    match ended {
        Ok(()) => {}
        Err(Trouble::Wrong(what)) => locked(tally).wrong(format!("at the server, {kind}: {what}")),
        Err(Trouble::Io(_)) if kind.is_to_fail() => locked(tally).expected += 1,
        Err(Trouble::Io(error)) => locked(tally).unexpected(format!("at the server, {kind}: {error}")),
    }
}

async fn answer_all(
    reader: &mut StreamReader,
    writer: &StreamWriter,
    tally: &Mutex<Tally>,
) -> Result<(), Trouble> {
    while let Some(header) = reader.read_line().await? {
        let frame = std::str::from_utf8(&header).ok().and_then(parse);
        let Some((length, seed)) = frame else {
            return Err(Trouble::Wrong(format!("{header:?} is no header")));
        };
        let bytes = reader.read_exactly(length).await?;
        if bytes != payload(seed, length) {
            return Err(Trouble::Wrong(format!("the payload {header:?}")));
        }
        writer.write_lines([header, bytes])?;
        let is_held_back = writer.queued() > writer.watermarks().high();
        {
            let mut tally = locked(tally);
            tally.bytes += length as u64;
            tally.held_back += u64::from(is_held_back);
        }
        writer.drain().await?;
    }
    Ok(())
}

/// The line in front of a payload: its length and the seed of its bytes.
pub(crate) fn header(length: usize, seed: u64) -> String {
    format!("{length} {seed}\n")
}

fn parse(header: &str) -> Option<(usize, u64)> {
    let (length, seed) = header.strip_suffix('\n')?.split_once(' ')?;
    Some((length.parse().ok()?, seed.parse().ok()?))
}
