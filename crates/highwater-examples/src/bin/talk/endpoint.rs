//! Whom to talk with: how a pair of halves comes about, in each of the ways.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use highwater_examples::{Outcome, trusting};
use highwater_net::{
    BindError, ClientAuth, ClientTls, Identity, Roots, Server, ServerTls, StartServer, StreamOptions,
    StreamReader, StreamWriter, open_connection, start_server, start_tls,
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{Arguments, starttls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

type Halves = (StreamReader, StreamWriter);

/// A place that was understood.
pub(crate) enum Endpoint {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Endpoint {
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, String> {
        let endpoint = match arguments.place.as_slice() {
            [place] if place.starts_with("unix:") => Endpoint::Unix(place["unix:".len()..].into()),
            [host, given] => Endpoint::Tcp { host: host.clone(), port: port(given)? },
            [given] if arguments.listen => Endpoint::Tcp { host: "127.0.0.1".into(), port: port(given)? },
            _ => return Err("where to connect to is HOST PORT or unix:PATH".into()),
        };
        let encrypted = arguments.tls || arguments.starttls.is_some();
        let is_client = !arguments.listen;
        let is_named = arguments.server_name.is_some() || matches!(endpoint, Endpoint::Tcp { .. });
        match () {
            () if is_client && encrypted && !is_named => {
                Err("TLS over a Unix socket needs --server-name".into())
            }
            () if arguments.listen && encrypted && arguments.cert.is_none() => {
                Err("--listen --tls needs --cert and --key".into())
            }
            () if !encrypted && (arguments.ca.is_some() || arguments.cert.is_some()) => {
                Err("certificates are for --tls and --starttls".into())
            }
            () if !encrypted && arguments.server_name.is_some() => {
                Err("--server-name is for --tls and --starttls".into())
            }
            () => Ok(endpoint),
        }
    }

    /// Connects or waits, with TLS if it was asked for.
    pub(crate) async fn meet(&self, arguments: &Arguments) -> Outcome<Halves> {
        if arguments.listen {
            return self.listen(arguments).await;
        }
        let patience = arguments.patience();
        let streams = StreamOptions::new().read_timeout(patience).write_timeout(patience);
        let patience = patience.unwrap_or(CONNECT_TIMEOUT);
        let (mut reader, writer) = match self {
            Endpoint::Tcp { host, port } => {
                open_connection((host, *port)).connect_timeout(patience).streams(streams).await?
            }
            #[cfg(unix)]
            Endpoint::Unix(path) => {
                highwater_net::open_unix_connection(path).connect_timeout(patience).streams(streams).await?
            }
            #[cfg(not(unix))]
            Endpoint::Unix(_) => return Err("there are no Unix sockets on this system".into()),
        };
        if let Some(protocol) = &arguments.starttls {
            let asked = starttls::ask(&mut reader, &writer, protocol, arguments.show);
            tokio::time::timeout(patience, asked).await.map_err(|_| "the server is silent on STARTTLS")??;
        } else if !arguments.tls {
            return Ok((reader, writer));
        }
        let tls = client_tls(arguments)?.handshake_timeout(patience).server_name(self.server_name(arguments));
        Ok(start_tls(reader, writer, tls).await?)
    }

    fn server_name<'a>(&'a self, arguments: &'a Arguments) -> &'a str {
        match (&arguments.server_name, self) {
            (Some(name), _) => name,
            (None, Endpoint::Tcp { host, .. }) => host,
            // Refused with the command line.
            (None, Endpoint::Unix(_)) => "",
        }
    }

    /// The first who connects; nobody else is listened to from then on.
    async fn listen(&self, arguments: &Arguments) -> Outcome<Halves> {
        let (give, mut take) = unbounded_channel();
        let server = match self {
            Endpoint::Tcp { host, port } => {
                start(start_server(hand_over(give), (host, *port)), arguments).await?
            }
            #[cfg(unix)]
            Endpoint::Unix(path) => {
                start(highwater_net::start_unix_server(hand_over(give), path), arguments).await?
            }
            #[cfg(not(unix))]
            Endpoint::Unix(_) => return Err("there are no Unix sockets on this system".into()),
        };
        let endpoints: Vec<_> = server.endpoints().iter().map(ToString::to_string).collect();
        writeln!(std::io::stderr(), "Listening on {}", endpoints.join(", "))?;
        let halves = take.recv().await.ok_or("nobody can connect any more")?;
        server.close();
        Ok(halves)
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is not a port: a number from 0 to 65535"))
}

/// A handler that gives its halves away.
fn hand_over(give: UnboundedSender<Halves>) -> impl Fn(StreamReader, StreamWriter) + Send + Sync + 'static {
    move |reader, writer| {
        // A second one comes too late, and goes as its halves do.
        let _ = give.send((reader, writer));
    }
}

async fn start<On>(starting: StartServer<On>, arguments: &Arguments) -> Outcome<Server>
where
    StartServer<On>: IntoFuture<Output = Result<Server, BindError>>,
{
    let patience = arguments.patience();
    let streams = StreamOptions::new().read_timeout(patience).write_timeout(patience);
    let starting = starting.streams(streams).max_connections(1);
    let starting = if arguments.tls { starting.tls(server_tls(arguments)?) } else { starting };
    Ok(starting.await?)
}

fn client_tls(arguments: &Arguments) -> Outcome<ClientTls> {
    let mut tls = trusting(arguments.ca.as_deref())?;
    if let Some(identity) = identity(arguments)? {
        tls = tls.identity(identity);
    }
    Ok(tls.build()?)
}

fn server_tls(arguments: &Arguments) -> Outcome<ServerTls> {
    let identity = identity(arguments)?.ok_or("--listen --tls needs --cert and --key")?;
    let mut tls = ServerTls::builder(identity);
    if let Some(ca) = &arguments.ca {
        tls = tls.client_auth(ClientAuth::Required(Roots::from_pem_file(ca)?));
    }
    Ok(tls.build()?)
}

fn identity(arguments: &Arguments) -> Outcome<Option<Identity>> {
    match (&arguments.cert, &arguments.key) {
        (Some(chain), Some(key)) => Ok(Some(Identity::from_pem_files(chain, key)?)),
        _ => Ok(None),
    }
}
