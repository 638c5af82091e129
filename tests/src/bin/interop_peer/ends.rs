//! Where connections come from: a server of ours, or a connect; and their TLS, as the script wants it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use highwater_net::rustls::version::{TLS12, TLS13};
use highwater_net::{
    ClientAuth, ClientTls, Identity, NamedClientTls, Roots, Server, ServerEvent, ServerTls, StreamReader,
    StreamWriter, open_connection, start_server, start_unix_server,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{Halves, Outcome};

#[derive(Args, Debug)]
pub(crate) struct TlsOptions {
    /// Our certificate, in PEM; with it a server speaks TLS
    #[arg(long, global = true, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, global = true)]
    tls_key: Option<PathBuf>,
    /// Whose certificates the peer has to show, in PEM; with it a client speaks TLS
    #[arg(long, global = true)]
    tls_ca: Option<PathBuf>,
    /// The server that is meant
    #[arg(long, global = true, default_value = "localhost")]
    server_name: String,
    /// A protocol to agree upon; may be said several times
    #[arg(long, global = true)]
    alpn: Vec<String>,
    /// 1.2 or 1.3, and no other
    #[arg(long, global = true)]
    tls_version: Option<String>,
    /// In milliseconds
    #[arg(long, global = true)]
    handshake_timeout: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Tls {
    Server(ServerTls),
    Client(NamedClientTls),
}

impl TlsOptions {
    pub(crate) fn of_server(&self) -> Outcome<Option<Tls>> {
        let Some(identity) = self.identity()? else { return Ok(None) };
        let mut builder = ServerTls::builder(identity).alpn(self.alpn.clone());
        if let Some(file) = &self.tls_ca {
            builder = builder.client_auth(ClientAuth::Required(Roots::from_pem_file(file)?));
        }
        builder = match self.tls_version.as_deref() {
            Some("1.2") => builder.versions([&TLS12]),
            Some("1.3") => builder.versions([&TLS13]),
            _ => builder,
        };
        let tls = builder.build()?.handshake_timeout(self.handshake_timeout());
        Ok(Some(Tls::Server(tls)))
    }

    pub(crate) fn of_client(&self) -> Outcome<Option<Tls>> {
        let Some(file) = &self.tls_ca else { return Ok(None) };
        let mut builder = ClientTls::builder().roots(Roots::from_pem_file(file)?).alpn(self.alpn.clone());
        if let Some(identity) = self.identity()? {
            builder = builder.identity(identity);
        }
        builder = match self.tls_version.as_deref() {
            Some("1.2") => builder.versions([&TLS12]),
            Some("1.3") => builder.versions([&TLS13]),
            _ => builder,
        };
        let tls = builder.build()?.handshake_timeout(self.handshake_timeout());
        Ok(Some(Tls::Client(tls.server_name(&self.server_name))))
    }

    fn identity(&self) -> Outcome<Option<Identity>> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(Identity::from_pem_files(certificate, key)?)),
            _ => Ok(None),
        }
    }

    fn handshake_timeout(&self) -> Duration {
        self.handshake_timeout.map_or(Duration::from_secs(60), Duration::from_millis)
    }
}

pub(crate) enum Ends {
    Listening { server: Server, accepted: UnboundedReceiver<Halves>, failures: UnboundedReceiver<String> },
    Connecting { address: String, tls: Option<Tls> },
}

impl Ends {
    pub(crate) async fn listen(tls: Option<Tls>) -> Outcome<Self> {
        let (give, accepted) = unbounded_channel();
        let (tell, failures) = unbounded_channel();
        let starting = start_server(give_away(give), ("127.0.0.1", 0)).on_error(telling(tell));
        let server = match tls {
            Some(Tls::Server(tls)) => starting.tls(tls).await?,
            _ => starting.await?,
        };
        println!("listening {}", server.local_addrs()[0]);
        Ok(Ends::Listening { server, accepted, failures })
    }

    pub(crate) async fn listen_on_unix(path: &Path, tls: Option<Tls>) -> Outcome<Self> {
        let (give, accepted) = unbounded_channel();
        let (tell, failures) = unbounded_channel();
        let starting = start_unix_server(give_away(give), path).on_error(telling(tell));
        let server = match tls {
            Some(Tls::Server(tls)) => starting.tls(tls).await?,
            _ => starting.await?,
        };
        println!("listening {}", path.display());
        Ok(Ends::Listening { server, accepted, failures })
    }

    /// The next connection. Those whose handshake fails are told, and do not count.
    pub(crate) async fn next(&mut self) -> Outcome<Halves> {
        match self {
            Ends::Listening { server, accepted, failures } => loop {
                tokio::select! {
                    biased;
                    Some(reason) = failures.recv() => {
                        println!("failed {} {reason}", server.counts().failed_handshakes);
                    }
                    Some(halves) = accepted.recv() => return Ok(halves),
                    else => return Err("the server ended before anybody connected".into()),
                }
            },
            Ends::Connecting { address, tls } => {
                let connecting = open_connection(address.as_str());
                Ok(match tls {
                    Some(Tls::Client(tls)) => connecting.tls(tls.clone()).await?,
                    _ => connecting.await?,
                })
            }
        }
    }
}

fn give_away(give: UnboundedSender<Halves>) -> impl Fn(StreamReader, StreamWriter) {
    move |reader, writer| drop(give.send((reader, writer)))
}

fn telling(tell: UnboundedSender<String>) -> impl Fn(&ServerEvent) {
    move |event| match event {
        ServerEvent::HandshakeFailed { error, .. } => drop(tell.send(error.to_string())),
        other => eprintln!("{other}"),
    }
}
