//! The upgrade of a connection to TLS, with a policy for what was read ahead in plain.

use crate::stream::{Linger, ReuniteError, ReuniteReason, UpgradeError};
use crate::tls::transport::Carrier;
use crate::tls::{ClientTls, NamedClientTls, ServerTls, TlsError, TlsFacts, TlsTransport};
use crate::{Facts, StreamReader, StreamWriter, Transport, TransportError};
use rustls::pki_types::ServerName;
use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// Goes on with the same connection inside TLS: sends what is queued in plain, shakes hands, and gives both
/// halves back. Await it.
///
/// | `side` | is |
/// | --- | --- |
/// | [`ClientTls::server_name`] | the client, of the server with that name |
/// | [`ServerTls`] | the server |
///
/// What was read ahead in plain can never be read as if it had come through TLS, or an attacker could put
/// words in front of what the peer says: a server gives it to the handshake, since a hasty client may have
/// begun it already; a client, whom nobody may speak to before it has begun, refuses. See
/// [`StartTls::read_ahead`].
///
/// The connection may be of any kind: TCP, Unix, memory, TLS. Its options stay: limit, marks, time-outs.
///
/// # Errors
/// [`StartTlsError`]. A refusal has changed nothing, and gives both halves back; any other error has closed
/// the connection. A server that refuses the handshake first lets its alert arrive, which takes 2 s where
/// the client stays silent and connected.
///
/// # Cancel safety
/// Dropped, it closes the connection: at once in the middle of the handshake, gracefully before.
///
/// # Source
/// asyncio: `StreamWriter.start_tls`. diverges:
/// - It takes both halves and returns both, for the reader is another one from then on.
/// - A client names the server; there, leaving it out skips the verification of the name.
/// - What was read ahead is not readable afterwards (`asyncio: gh-118642`, `gh-142352`).
/// - A handshake that fails or is given up closes the connection, and nobody hangs.
///
/// ```
/// # use highwater_net::*;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
/// # let roots = Roots::from_pem(made.cert.pem()).unwrap();
/// let server_tls = ServerTls::new(identity).unwrap();
/// let client_tls = ClientTls::builder().roots(roots).build().unwrap();
///
/// let serve = move |mut reader: StreamReader, writer: StreamWriter| {
///     let tls = server_tls.clone();
///     async move {
///         assert_eq!(reader.read_line().await?.unwrap(), "STARTTLS\n");
///         writer.write("go ahead\n")?;
///         let (mut reader, writer) = start_tls(reader, writer, tls).await?;
///         writer.write(reader.read_line().await?.unwrap())?;
///         Ok::<(), std::io::Error>(())
///     }
/// };
/// let server = start_server(serve, ("127.0.0.1", 0)).await?;
///
/// let (mut reader, writer) = open_connection(server.local_addrs()[0]).await?;
/// writer.write("STARTTLS\n")?;
/// assert_eq!(reader.read_line().await?.unwrap(), "go ahead\n");
/// let (mut reader, writer) = start_tls(reader, writer, client_tls.server_name("localhost")).await?;
/// writer.write("in private\n")?;
/// assert_eq!(reader.read_line().await?.unwrap(), "in private\n");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// A client without the name of its server does not compile:
///
/// ```compile_fail
/// # use highwater_net::*;
/// async fn upgrade(reader: StreamReader, writer: StreamWriter, tls: ClientTls) {
///     start_tls(reader, writer, tls).await.unwrap();
/// }
/// ```
pub fn start_tls<S: TlsSide>(reader: StreamReader, writer: StreamWriter, side: S) -> StartTls<S> {
    StartTls { reader, writer, read_ahead: S::READ_AHEAD, side }
}

/// An upgrade to be made: see [`start_tls`].
///
/// ```
/// use highwater_net::{ReadAhead, ServerTls, StreamReader, StreamWriter, start_tls};
/// async fn strict(reader: StreamReader, writer: StreamWriter, tls: ServerTls) -> std::io::Result<()> {
///     let (_reader, _writer) = start_tls(reader, writer, tls).read_ahead(ReadAhead::Refuse).await?;
///     Ok(())
/// }
/// # let _ = strict;
/// ```
#[derive(Debug)]
#[must_use = "nothing is upgraded until it is awaited"]
pub struct StartTls<S> {
    reader: StreamReader,
    writer: StreamWriter,
    read_ahead: ReadAhead,
    side: S,
}

/// What becomes of bytes that were read before the upgrade and not returned.
///
/// ```
/// use highwater_net::{NamedClientTls, ReadAhead, StreamReader, StreamWriter, start_tls};
/// # async fn upgrade(reader: StreamReader, writer: StreamWriter, tls: NamedClientTls) -> std::io::Result<()> {
/// // As strict as a client is unasked.
/// let (reader, writer) = start_tls(reader, writer, tls).read_ahead(ReadAhead::Refuse).await?;
/// # drop((reader, writer));
/// # Ok(())
/// # }
/// # let _ = upgrade;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadAhead {
    /// They begin the handshake, which fails if they are anything else. The rule on a server.
    Handshake,
    /// They are an error, which gives both halves back. The rule on a client.
    Refuse,
}

impl<S> StartTls<S> {
    /// What becomes of bytes that were read before the upgrade and not returned.
    ///
    /// ```
    /// # use highwater_net::*;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
    /// # let tls = ServerTls::new(identity).unwrap();
    /// let ((mut reader, writer), (_, client)) = duplex(64);
    /// client.write("STARTTLS\nRCPT TO:<mallory>\n").unwrap();
    /// reader.read_line().await.unwrap();
    /// match start_tls(reader, writer, tls).read_ahead(ReadAhead::Refuse).await {
    ///     Err(StartTlsError::ReadAhead { buffered, .. }) => assert_eq!(buffered, 18),
    ///     other => panic!("{other:?}"),
    /// }
    /// # });
    /// ```
    pub fn read_ahead(mut self, policy: ReadAhead) -> Self {
        self.read_ahead = policy;
        self
    }
}

impl<S: TlsSide> IntoFuture for StartTls<S> {
    type Output = Result<(StreamReader, StreamWriter), StartTlsError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(upgrade(self.reader, self.writer, self.read_ahead, self.side.into_side()))
    }
}

/// Which side of the handshake we are: a [`NamedClientTls`] or a [`ServerTls`].
///
/// ```
/// use highwater_net::{StreamReader, StreamWriter, TlsSide, start_tls};
/// async fn upgrade<S: TlsSide>(reader: StreamReader, writer: StreamWriter, side: S) -> bool {
///     start_tls(reader, writer, side).await.is_ok()
/// }
/// # use highwater_net::ServerTls;
/// # let _ = upgrade::<ServerTls>;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no side of a handshake",
    note = "a server is a `ServerTls`",
    note = "a client names its server: `client_tls.server_name(\"…\")`"
)]
pub trait TlsSide: sealed::Sealed {
    #[doc(hidden)]
    const READ_AHEAD: ReadAhead;
    #[doc(hidden)]
    fn into_side(self) -> Side;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::tls::NamedClientTls {}
    impl Sealed for crate::tls::ServerTls {}
    impl Sealed for &crate::tls::ServerTls {}
}

#[doc(hidden)]
#[derive(Debug)]
pub enum Side {
    Client(NamedClientTls),
    Server(ServerTls),
}

impl TlsSide for NamedClientTls {
    const READ_AHEAD: ReadAhead = ReadAhead::Refuse;
    fn into_side(self) -> Side {
        Side::Client(self)
    }
}

impl TlsSide for ServerTls {
    const READ_AHEAD: ReadAhead = ReadAhead::Handshake;
    fn into_side(self) -> Side {
        Side::Server(self)
    }
}

impl TlsSide for &ServerTls {
    const READ_AHEAD: ReadAhead = ReadAhead::Handshake;
    fn into_side(self) -> Side {
        Side::Server(self.clone())
    }
}

async fn upgrade(
    reader: StreamReader,
    writer: StreamWriter,
    read_ahead: ReadAhead,
    side: Side,
) -> Result<(StreamReader, StreamWriter), StartTlsError> {
    if read_ahead == ReadAhead::Refuse && reader.buffered() > 0 {
        let buffered = reader.buffered();
        return Err(StartTlsError::ReadAhead { halves: Box::new((reader, writer)), buffered });
    }
    let (role, manners) = match side {
        Side::Server(tls) => (Role::Server(tls.clone()), tls.manners),
        Side::Client(NamedClientTls { tls, name }) => {
            let Ok(server_name) = ServerName::try_from(subject(&name).to_owned()) else {
                return Err(StartTlsError::InvalidServerName { halves: Box::new((reader, writer)), name });
            };
            let manners = tls.manners;
            (Role::Client { tls, name, server_name }, manners)
        }
    };
    let timeout = manners.handshake_timeout;
    let connection = writer.downgrade();
    if timeout.is_zero() {
        connection.abort();
        return Err(StartTlsError::Handshake(TlsError::TimedOut { after: timeout }));
    }
    let (mut learned, mut failed) = (None, None);
    let upgraded = reader.upgrade(writer, |transport, ahead| async {
        match shake_hands(Carrier::new(transport, ahead), &role).await {
            Ok((stream, facts)) => {
                learned = Some(facts);
                Ok(Transport::Tls(Box::new(stream)))
            }
            Err((error, carrier)) => {
                failed = Some(error.clone());
                part(carrier).await;
                Err(error)
            }
        }
    });
    // Around all of it: a peer that takes nothing of what is queued in plain holds it up as well.
    let upgraded = tokio::time::timeout(timeout, upgraded).await;
    let (reader, writer) = match (upgraded, failed) {
        (Ok(Ok(halves)), _) => halves,
        // Also when the time was over, or the connection closed, while the alert was on its way.
        (_, Some(error)) => return Err(StartTlsError::Handshake(error)),
        (Ok(Err(error)), None) => return Err(error.into()),
        (Err(_), None) => {
            // What is still queued would go on for as long as a delivery may.
            connection.abort();
            return Err(StartTlsError::Handshake(TlsError::TimedOut { after: timeout }));
        }
    };
    if let Some(facts) = learned {
        writer.facts().tls_started(facts);
    }
    manners.apply(&writer);
    Ok((reader, writer))
}

/// What a handshake has come to. A server that has told its client why not keeps the carrier for a moment.
type Shaken = Result<(TlsTransport, TlsFacts), (TlsError, Option<Carrier>)>;

/// A side that can begin.
enum Role {
    Client { tls: ClientTls, name: String, server_name: ServerName<'static> },
    Server(ServerTls),
}

/// A handshake to its end.
async fn shake_hands(carrier: Carrier, role: &Role) -> Shaken {
    match role {
        Role::Client { tls, name, server_name } => {
            let connected = connect(carrier, tls, server_name.clone(), name).await;
            connected.map_err(|error| (error, None))
        }
        Role::Server(tls) => accept(carrier, tls).await,
    }
}

/// Lets the alert arrive: unread input would turn the end into a reset, which destroys it. It takes no longer
/// than the linger of a connection that is closed, nor than the handshake might have.
async fn part(carrier: Option<Carrier>) {
    let Some(mut carrier) = carrier else { return };
    let linger = Linger::default();
    let mut scratch = [0; 4096];
    let mut discarded = 0;
    if carrier.shutdown().await.is_err() {
        return;
    }
    while discarded < linger.bytes {
        match tokio::time::timeout(linger.silence, carrier.read(&mut scratch)).await {
            Ok(Ok(count)) if count > 0 => discarded += count as u64,
            _ => return,
        }
    }
}

async fn connect(
    carrier: Carrier,
    tls: &ClientTls,
    server_name: ServerName<'static>,
    name: &str,
) -> Result<(TlsTransport, TlsFacts), TlsError> {
    let stream = TlsConnector::from(tls.config.clone()).connect(server_name, carrier).await;
    let stream = stream.map_err(|error| TlsError::of_handshake(error, Some(name)))?;
    let stream = TlsTransport::new(TlsStream::Client(stream), tls.manners.allow_truncation);
    let facts = stream.facts(Some(name));
    Ok((stream, facts))
}

/// What a certificate may be valid for: neither the zone of an address nor the root's dot is part of it.
fn subject(name: &str) -> &str {
    match name.split_once('%') {
        Some((address, _zone)) if address.parse::<Ipv6Addr>().is_ok() => address,
        _ => match name.strip_suffix('.') {
            Some(host) if !host.ends_with('.') && host.parse::<IpAddr>().is_err() => host,
            _ => name,
        },
    }
}

async fn accept(carrier: Carrier, tls: &ServerTls) -> Shaken {
    let _turn = tls.handshakes.acquire().await.expect("the semaphore is never closed");
    let stream = TlsAcceptor::from(tls.config.clone()).accept(carrier).into_fallible().await;
    let stream = stream.map_err(|(error, carrier)| {
        let error = TlsError::of_handshake(error, None);
        let was_told = matches!(error, TlsError::Protocol(_) | TlsError::Certificate { .. });
        (error, was_told.then_some(carrier))
    })?;
    let name = stream.get_ref().1.server_name().map(str::to_owned);
    let stream = TlsTransport::new(TlsStream::Server(stream), tls.manners.allow_truncation);
    let facts = stream.facts(name.as_deref());
    Ok((stream, facts))
}

/// What becomes of a connection that was made for TLS: nothing is buffered, cloned or closed yet, so that it
/// succeeds, fails, or is closed in the meantime.
pub(crate) async fn handshake_over(
    (reader, writer): (StreamReader, StreamWriter),
    side: impl TlsSide,
) -> Result<(StreamReader, StreamWriter), TlsError> {
    upgrade(reader, writer, ReadAhead::Handshake, side.into_side()).await.map_err(|error| match error {
        StartTlsError::Handshake(error) => error,
        StartTlsError::InvalidServerName { name, .. } => TlsError::InvalidServerName(name),
        StartTlsError::Closed(error) => TlsError::Transport(Arc::new(error.into())),
        // Nobody had the halves but us: it was closed before it began.
        refused => TlsError::Transport(Arc::new(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            refused.to_string(),
        ))),
    })
}

/// Why a connection was not upgraded to TLS.
///
/// ```
/// # use highwater_net::*;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let tls = ClientTls::builder().roots(Roots::from_pem(made.cert.pem()).unwrap()).build().unwrap();
/// let ((mut reader, writer), (_, server)) = duplex(64);
/// server.write("go ahead\nand believe this\n").unwrap();
/// reader.read_line().await.unwrap();
/// let refused = start_tls(reader, writer, tls.server_name("localhost")).await.unwrap_err();
/// assert_eq!(refused.to_string(), "17 bytes in plain had been read ahead of the TLS handshake");
/// let (reader, _writer) = refused.into_halves().expect("a refusal changes nothing");
/// assert_eq!(reader.unread_bytes(), b"and believe this\n");
/// # });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StartTlsError {
    /// Bytes in plain had been read ahead, and the policy is to refuse. Nothing has changed.
    ReadAhead {
        /// The reader, with those bytes, and the writer.
        halves: Box<(StreamReader, StreamWriter)>,
        /// How many bytes.
        buffered: usize,
    },
    /// The name of the server is neither a DNS name nor an IP address. Nothing has changed.
    InvalidServerName {
        /// The reader and the writer.
        halves: Box<(StreamReader, StreamWriter)>,
        /// The name.
        name: String,
    },
    /// The halves are not free to be upgraded: clones of the writer are left, say, or the connection was
    /// closed. Nothing has changed.
    Refused(Box<ReuniteError<Transport, Facts>>),
    /// The handshake failed. The connection is closed.
    Handshake(TlsError),
    /// The connection was closed, aborted or lost during the handshake.
    Closed(TransportError),
}

impl StartTlsError {
    /// Both halves, where nothing has changed.
    ///
    /// ```
    /// # use highwater_net::*;
    /// # async fn fall_back(reader: StreamReader, writer: StreamWriter, tls: NamedClientTls) {
    /// if let Err(error) = start_tls(reader, writer, tls).await {
    ///     match error.into_halves() {
    ///         Some((_reader, _writer)) => println!("refused, and still in plain"),
    ///         None => println!("closed"),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn into_halves(self) -> Option<(StreamReader, StreamWriter)> {
        match self {
            StartTlsError::ReadAhead { halves, .. } | StartTlsError::InvalidServerName { halves, .. } => {
                Some(*halves)
            }
            StartTlsError::Refused(refusal) => Some((refusal.reader, refusal.writer)),
            StartTlsError::Handshake(_) | StartTlsError::Closed(_) => None,
        }
    }
}

impl From<UpgradeError<Transport, Facts, TlsError>> for StartTlsError {
    fn from(error: UpgradeError<Transport, Facts, TlsError>) -> Self {
        match error {
            UpgradeError::Refused(refusal) => StartTlsError::Refused(refusal),
            UpgradeError::Failed(error) => StartTlsError::Handshake(error),
            UpgradeError::Closed(error) => StartTlsError::Closed(error),
            _ => unreachable!("there is no other"),
        }
    }
}

impl fmt::Display for StartTlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartTlsError::ReadAhead { buffered, .. } => {
                write!(f, "{buffered} bytes in plain had been read ahead of the TLS handshake")
            }
            StartTlsError::InvalidServerName { name, .. } => TlsError::InvalidServerName(name.clone()).fmt(f),
            StartTlsError::Refused(refusal) => {
                write!(f, "the connection cannot be upgraded to TLS: {}", refusal.reason)
            }
            StartTlsError::Handshake(error) => error.fmt(f),
            StartTlsError::Closed(error) => error.fmt(f),
        }
    }
}

impl Error for StartTlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StartTlsError::ReadAhead { .. } | StartTlsError::InvalidServerName { .. } => None,
            StartTlsError::Refused(refusal) => refusal.source(),
            StartTlsError::Handshake(error) => error.source(),
            StartTlsError::Closed(error) => error.source(),
        }
    }
}

impl StartTlsError {
    /// The kind of `io::Error` that it converts to.
    ///
    /// ```
    /// use highwater_net::{StartTlsError, TlsError};
    /// let error = StartTlsError::Handshake(TlsError::PeerLeft);
    /// assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    /// ```
    pub fn kind(&self) -> io::ErrorKind {
        match (self, self.loss()) {
            (_, Some(error)) => error.kind(),
            (StartTlsError::Handshake(error), None) => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        }
    }

    /// What the connection was lost with, be it before the handshake or in it.
    fn loss(&self) -> Option<&TransportError> {
        match self {
            StartTlsError::Closed(error) => Some(error),
            StartTlsError::Refused(refusal) => match &refusal.reason {
                ReuniteReason::Failed(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Of the kind that fits; a loss is the kept error. A refusal closes the halves that it held, and keeps their
/// story.
impl From<StartTlsError> for io::Error {
    fn from(error: StartTlsError) -> Self {
        match (error.loss().cloned(), error) {
            (Some(loss), _) => loss.into(),
            (None, StartTlsError::Handshake(error)) => error.into(),
            (None, refused) => io::Error::new(io::ErrorKind::InvalidInput, refused.to_string()),
        }
    }
}
