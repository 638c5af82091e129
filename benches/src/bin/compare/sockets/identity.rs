//! Who a TLS server is, made anew for each run, and a client that believes it.

use highwater_net::rustls::client::Resumption;
use highwater_net::rustls::crypto::{CryptoProvider, aws_lc_rs};
use highwater_net::rustls::pki_types::ServerName;
use highwater_net::rustls::version::TLS13;
use highwater_net::rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A certificate on P-256, its key, and the client that trusts it.
pub(crate) struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    client: Arc<ClientConfig>,
}

impl Identity {
    pub(crate) fn new(files: &Path) -> io::Result<Self> {
        let issued =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
        let (certificate, key) = (files.join("certificate.pem"), files.join("key.pem"));
        std::fs::write(&certificate, issued.cert.pem())?;
        std::fs::write(&key, issued.signing_key.serialize_pem())?;

        let mut roots = RootCertStore::empty();
        roots.add(issued.cert.der().clone()).map_err(io::Error::other)?;
        // One group and no resumption: every server is asked for the same work.
        let provider =
            CryptoProvider { kx_groups: vec![aws_lc_rs::kx_group::X25519], ..aws_lc_rs::default_provider() };
        let mut client = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        Ok(Self { certificate, key, client: Arc::new(client) })
    }

    /// What tells a server who it is.
    pub(crate) fn arguments(&self) -> [String; 3] {
        ["--identity".into(), self.certificate.display().to_string(), self.key.display().to_string()]
    }

    /// The client's end of a connection.
    pub(crate) fn connect(&self) -> io::Result<ClientConnection> {
        let name = ServerName::try_from("localhost").expect("it is a name");
        ClientConnection::new(self.client.clone(), name).map_err(io::Error::other)
    }
}
