//! Tests of TLS: an authority and the certificates that it issues, configurations by provider, connected
//! pairs over each transport, and a peer that is played by hand.

use crate::net::{Halves, pair_of_tcp};
use highwater_net::rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use highwater_net::rustls::pki_types::pem::PemObject;
use highwater_net::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use highwater_net::rustls::version::{TLS12, TLS13};
use highwater_net::rustls::{
    self, ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use highwater_net::{ClientTls, Identity, Roots, ServerTls, StartTlsError, TlsSide, pair, start_tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};
use std::io::{self, Read, Write};
use std::sync::{Arc, LazyLock};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Who signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// The authority that the configurations of this module trust.
pub static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("authority of the tests"));

/// A certificate for `localhost`, 127.0.0.1 and ::1.
pub static LOCALHOST: LazyLock<Issued> =
    LazyLock::new(|| AUTHORITY.issue(&["localhost", "127.0.0.1", "::1"]));

impl Authority {
    /// Another one, of the same or another name.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("it signs itself");
        Self { issuer }
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its own certificate.
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Its own certificate as that of a server, which people try first.
    pub fn as_a_server(&self) -> Issued {
        Issued { certificate: self.pem(), key: self.issuer.key().serialize_pem() }
    }

    /// What trusts this authority alone.
    pub fn roots(&self) -> Roots {
        Roots::from_pem(self.pem()).expect("it is PEM")
    }

    /// A certificate for these names, of a server.
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(names, |_| {})
    }

    /// The same, no longer valid.
    pub fn issue_expired(&self, names: &[&str]) -> Issued {
        self.issue_with(names, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    /// A certificate of a client.
    pub fn issue_to_client(&self, name: &str) -> Issued {
        self.issue_with(&[name], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    /// A certificate of a server whose key is of another kind.
    pub fn issue_ed25519(&self, names: &[&str]) -> Issued {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("there is randomness");
        self.issue_for(key, names, |_| {})
    }

    fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
        self.issue_for(key(), names, change)
    }

    fn issue_for(&self, key: KeyPair, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are good");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority signs");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}

impl Issued {
    /// For a configuration of ours.
    pub fn identity(&self) -> Identity {
        Identity::from_pem(&self.certificate, &self.key).expect("it is PEM")
    }

    /// The certificate alone.
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("it is PEM")
    }

    /// The key alone.
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("it is PEM")
    }
}

/// Whose cryptography.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The default.
    AwsLcRs,
    /// The other one.
    Ring,
}

impl Provider {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AwsLcRs, Self::Ring];

    /// As rustls takes it.
    pub fn rustls(self) -> CryptoProvider {
        match self {
            Self::AwsLcRs => aws_lc_rs::default_provider(),
            Self::Ring => ring::default_provider(),
        }
    }

    /// A client that trusts [`AUTHORITY`].
    pub fn client(self) -> ClientTls {
        let builder = ClientTls::builder().roots(AUTHORITY.roots()).provider(self.rustls());
        builder.build().expect("the configuration is good")
    }

    /// The server [`LOCALHOST`].
    pub fn server(self) -> ServerTls {
        let builder = ServerTls::builder(LOCALHOST.identity()).provider(self.rustls());
        builder.build().expect("the configuration is good")
    }
}

/// A client that trusts [`AUTHORITY`], with the default provider.
pub fn client() -> ClientTls {
    Provider::AwsLcRs.client()
}

/// The server [`LOCALHOST`], with the default provider.
pub fn server() -> ServerTls {
    Provider::AwsLcRs.server()
}

/// What carries a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// A duplex in memory, of so many bytes in each direction.
    Memory(usize),
    /// Sockets over loopback.
    Tcp,
    /// Sockets without a name.
    Unix,
}

impl Over {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Memory(1024), Self::Tcp, Self::Unix];

    /// Two connected pairs, in plain.
    pub fn pairs(self) -> (Halves, Halves) {
        match self {
            Self::Memory(capacity) => highwater_net::duplex(capacity),
            Self::Tcp => {
                let (near, far) = pair_of_tcp();
                let adopt = |socket: std::net::TcpStream| {
                    socket.set_nonblocking(true).expect("it is open");
                    pair(tokio::net::TcpStream::from_std(socket).expect("it is a socket"))
                };
                (adopt(near), adopt(far))
            }
            Self::Unix => {
                let (near, far) = tokio::net::UnixStream::pair().expect("a pair of sockets");
                (pair(near), pair(far))
            }
        }
    }

    /// Two connected pairs inside TLS, with the default provider: the client, then the server.
    pub async fn tls(self) -> (Halves, Halves) {
        let (near, far) = self.pairs();
        both(near, client().server_name("localhost"), far, server()).await.expect("they shake hands")
    }
}

/// Upgrades both ends at once: the client, then the server.
///
/// # Errors
/// Those of the client, or else those of the server.
pub async fn both(
    near: Halves,
    client: impl TlsSide,
    far: Halves,
    server: impl TlsSide,
) -> Result<(Halves, Halves), StartTlsError> {
    let (near, far) = each(near, client, far, server).await;
    Ok((near?, far?))
}

/// Upgrades both ends at once, and says how it went for each: the client, then the server.
pub async fn each(
    near: Halves,
    client: impl TlsSide,
    far: Halves,
    server: impl TlsSide,
) -> (Result<Halves, StartTlsError>, Result<Halves, StartTlsError>) {
    let near = start_tls(near.0, near.1, client).into_future();
    let far = start_tls(far.0, far.1, server).into_future();
    futures::join!(near, far)
}

/// A TLS peer of which each byte on the wire is up to the test.
#[derive(Debug)]
pub struct ByHand<T> {
    /// What it knows of TLS.
    pub session: Connection,
    /// What it writes to and reads from.
    pub io: T,
    /// What it has decrypted.
    pub received: Vec<u8>,
}

/// Which versions a peer by hand speaks.
pub type Versions = &'static [&'static SupportedProtocolVersion];

/// TLS 1.2 alone.
pub const ONLY_12: Versions = &[&TLS12];
/// TLS 1.3 alone.
pub const ONLY_13: Versions = &[&TLS13];

/// rustls's own configuration of a client that trusts [`AUTHORITY`].
pub fn rustls_client(versions: Versions) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(AUTHORITY.der()).expect("it is a certificate");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("they are supported");
    builder.with_root_certificates(roots).with_no_client_auth()
}

/// rustls's own configuration of the server [`LOCALHOST`].
pub fn rustls_server(versions: Versions) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("they are supported").with_no_client_auth();
    builder.with_single_cert(vec![LOCALHOST.der()], LOCALHOST.key_der()).expect("they match")
}

impl<T> ByHand<T> {
    /// A client of `localhost`.
    pub fn client(io: T, versions: Versions) -> Self {
        let name = ServerName::try_from("localhost").expect("it is a name");
        let session = ClientConnection::new(Arc::new(rustls_client(versions)), name);
        Self { session: session.expect("the configuration is good").into(), io, received: Vec::new() }
    }

    /// A server.
    pub fn server(io: T, versions: Versions) -> Self {
        let session = ServerConnection::new(Arc::new(rustls_server(versions)));
        Self { session: session.expect("the configuration is good").into(), io, received: Vec::new() }
    }

    /// The records that the session wants to send.
    pub fn records(&mut self) -> Vec<u8> {
        let mut records = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut records).expect("memory takes everything");
        }
        records
    }

    /// The records that carry `bytes`, and what else there is to send.
    pub fn encrypt(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.session.writer().write_all(bytes).expect("there is room");
        self.records()
    }

    /// The record of close_notify, behind what else there is to send.
    pub fn close_notify(&mut self) -> Vec<u8> {
        self.session.send_close_notify();
        self.records()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> ByHand<T> {
    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Those of the transport.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.io.write_all(bytes).await?;
        self.io.flush().await
    }

    /// Sends `bytes` in TLS.
    ///
    /// # Errors
    /// Those of the transport.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let records = self.encrypt(bytes);
        self.send_raw(&records).await
    }

    /// Reads once from the wire. Returns how many bytes that were.
    ///
    /// # Errors
    /// Those of the transport, and what is wrong with what came.
    pub async fn receive(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4096];
        let count = self.io.read(&mut bytes).await?;
        let mut left = &bytes[..count];
        while !left.is_empty() {
            self.session.read_tls(&mut left)?;
            let state = self.session.process_new_packets().map_err(io::Error::other)?;
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            self.session.reader().read_exact(&mut plain)?;
            self.received.extend(plain);
        }
        Ok(count)
    }

    /// Reads until so many bytes are decrypted.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive), and `UnexpectedEof`.
    pub async fn receive_at_least(&mut self, count: usize) -> io::Result<()> {
        while self.received.len() < count {
            if self.receive().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Reads to the end of the wire. Says whether close_notify came before it.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive).
    pub async fn receive_to_end(&mut self) -> io::Result<bool> {
        while self.receive().await? > 0 {}
        let state = self.session.process_new_packets().map_err(io::Error::other)?;
        Ok(state.peer_has_closed())
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive), and `UnexpectedEof`.
    pub async fn shake_hands(&mut self) -> io::Result<()> {
        loop {
            let records = self.records();
            self.send_raw(&records).await?;
            if !self.session.is_handshaking() {
                return Ok(());
            }
            if self.receive().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A client of ours, and a server by hand at the other end of `capacity` bytes of memory.
pub async fn our_client(
    tls: ClientTls,
    versions: Versions,
    capacity: usize,
) -> (Halves, ByHand<tokio::io::DuplexStream>) {
    let (near, far) = tokio::io::duplex(capacity);
    let mut peer = ByHand::server(far, versions);
    let (reader, writer) = pair(near);
    let ours = start_tls(reader, writer, tls.server_name("localhost")).into_future();
    let (ours, theirs) = futures::join!(ours, peer.shake_hands());
    theirs.expect("they shake hands");
    (ours.expect("they shake hands"), peer)
}

/// A server of ours, and a client by hand at the other end of `capacity` bytes of memory.
pub async fn our_server(
    tls: ServerTls,
    versions: Versions,
    capacity: usize,
) -> (Halves, ByHand<tokio::io::DuplexStream>) {
    let (near, far) = tokio::io::duplex(capacity);
    let mut peer = ByHand::client(far, versions);
    let (reader, writer) = pair(near);
    let ours = start_tls(reader, writer, tls).into_future();
    let (ours, theirs) = futures::join!(ours, peer.shake_hands());
    theirs.expect("they shake hands");
    (ours.expect("they shake hands"), peer)
}

/// What rustls found wrong, wherever it is inside an error.
pub fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
