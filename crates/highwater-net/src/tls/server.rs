//! TLS as a server: who we are, by the name that is asked for, and whom we let in.

use crate::tls::certificates::Certificates;
use crate::tls::manners::{Manners, manners};
use crate::tls::{Identity, Roots, TlsConfigError, alpn, provider};
use rustls::crypto::CryptoProvider;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ServerConfig, SupportedProtocolVersion};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many handshakes may be in course at once unless said otherwise.
const MOST_HANDSHAKES: usize = 1024;

/// TLS as a server, ready for any number of connections. Clones are cheap, and are the same: what they show
/// can be replaced through any of them, and they share the bound on handshakes.
///
/// # Source
/// asyncio: an `ssl.SSLContext` with `load_cert_chain`.
///
/// ```no_run
/// # async fn echo(_: highwater_net::StreamReader, _: highwater_net::StreamWriter) {}
/// # async fn serve() -> std::io::Result<()> {
/// use highwater_net::{Identity, ServerTls, start_server};
/// let tls = ServerTls::new(Identity::from_pem_files("cert.pem", "key.pem")?)?;
/// let server = start_server(echo, ("", 8443)).tls(tls).await?;
/// server.serve_forever().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerTls {
    pub(super) config: Arc<ServerConfig>,
    /// `None` in a configuration that was given, which has its own.
    certificates: Option<Arc<Certificates>>,
    pub(super) handshakes: Arc<Semaphore>,
    pub(super) manners: Manners,
}

impl ServerTls {
    /// With one certificate for everybody. Its dates are not looked at: an expired one is taken, and refused
    /// by the clients.
    ///
    /// # Errors
    /// [`TlsConfigError`]: the certificate and the key cannot be used or do not belong together, or there is
    /// no provider.
    ///
    /// ```
    /// use highwater_net::{Identity, ServerTls};
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    /// let tls = ServerTls::new(Identity::from_pem(certificate, key)?)?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn new(identity: Identity) -> Result<Self, TlsConfigError> {
        Self::builder(identity).build()
    }

    /// A builder, for more settings: certificates for other names, whom to let in, ALPN, versions, a provider.
    ///
    /// ```
    /// use highwater_net::{Identity, ServerTls};
    /// # let identity = |name: &str| {
    /// #     let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    /// #     Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap()
    /// # };
    /// # let (org, net) = (identity("example.org"), identity("example.net"));
    /// let tls = ServerTls::builder(org).identity(net).alpn(["imap"]).build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn builder(identity: Identity) -> ServerTlsBuilder {
        ServerTlsBuilder {
            identities: vec![identity],
            client_auth: ClientAuth::None,
            alpn: Vec::new(),
            versions: rustls::ALL_VERSIONS.to_vec(),
            max_handshakes: MOST_HANDSHAKES,
            provider: None,
        }
    }

    /// Shows these from the next handshake on, chosen as those that were given first. Connections that are
    /// open stay as they are, and a client that resumes a session is shown no certificate anew.
    ///
    /// # Errors
    /// [`TlsConfigError`], and nothing has changed: one of them cannot be used, or there is none. A
    /// configuration of rustls that was given as a whole has its own certificates, and refuses.
    ///
    /// ```
    /// use highwater_net::{Identity, ServerTls};
    /// # let identity = || {
    /// #     let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// #     Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap()
    /// # };
    /// # let (this_years, next_years) = (identity(), identity());
    /// let tls = ServerTls::new(this_years)?;
    /// tls.replace_identities([next_years])?;
    /// assert!(tls.replace_identities([]).is_err());
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn replace_identities(
        &self,
        identities: impl IntoIterator<Item = Identity>,
    ) -> Result<(), TlsConfigError> {
        let identities: Vec<_> = identities.into_iter().collect();
        match &self.certificates {
            Some(certificates) => certificates.replace(&identities),
            None => Err(TlsConfigError::Refused(rustls::Error::General(
                "a prepared configuration has certificates of its own".to_owned(),
            ))),
        }
    }

    manners! {"# let made = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
# let identity = highwater_net::Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
# let tls = highwater_net::ServerTls::new(identity).unwrap();"}

    fn manners_mut(&mut self) -> &mut Manners {
        &mut self.manners
    }

    fn with(
        config: Arc<ServerConfig>,
        certificates: Option<Arc<Certificates>>,
        max_handshakes: usize,
    ) -> Self {
        let handshakes = Arc::new(Semaphore::new(max_handshakes.min(Semaphore::MAX_PERMITS)));
        Self { config, certificates, handshakes, manners: Manners::default() }
    }
}

/// A configuration of rustls, as it is.
impl From<Arc<ServerConfig>> for ServerTls {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self::with(config, None, MOST_HANDSHAKES)
    }
}

/// A configuration of rustls, as it is.
impl From<ServerConfig> for ServerTls {
    fn from(config: ServerConfig) -> Self {
        Arc::new(config).into()
    }
}

/// Whether clients have to show who they are.
///
/// With TLS 1.3 a client is through with its handshake before the server has looked at its certificate: a
/// refusal is met by the client's first read.
///
/// # Source
/// asyncio: `ssl.SSLContext.verify_mode` on a server.
///
/// ```
/// use highwater_net::{ClientAuth, Identity, Roots, ServerTls};
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem())?;
/// # let our_users = Roots::from_pem(made.cert.pem())?;
/// let tls = ServerTls::builder(identity).client_auth(ClientAuth::Required(our_users)).build()?;
/// # let _ = tls;
/// # Ok::<(), highwater_net::TlsConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientAuth {
    /// They are not asked.
    None,
    /// They are asked; one that shows a certificate which none of these have signed is refused.
    Optional(Roots),
    /// One that shows no certificate which one of these has signed is refused.
    Required(Roots),
}

/// Makes a [`ServerTls`]: see [`ServerTls::builder`].
///
/// ```
/// use highwater_net::{Identity, ServerTls, ServerTlsBuilder};
/// fn ours(identity: Identity) -> ServerTlsBuilder {
///     ServerTls::builder(identity).alpn(["xmpp-server"])
/// }
/// # let _ = ours;
/// ```
#[derive(Debug)]
#[must_use = "nothing is made until `build`"]
pub struct ServerTlsBuilder {
    identities: Vec<Identity>,
    client_auth: ClientAuth,
    alpn: Vec<Vec<u8>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    max_handshakes: usize,
    provider: Option<Arc<CryptoProvider>>,
}

impl ServerTlsBuilder {
    /// One more: a client is shown the first that is valid for the name it asks for (SNI, RFC 6066 §3) and
    /// of a kind that it can verify; else the very first.
    ///
    /// ```
    /// use highwater_net::{Identity, ServerTls};
    /// # fn both(org: Identity, net: Identity) -> Result<ServerTls, highwater_net::TlsConfigError> {
    /// ServerTls::builder(org).identity(net).build()
    /// # }
    /// ```
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identities.push(identity);
        self
    }

    /// Whether clients have to show who they are. They are not asked unless said otherwise.
    ///
    /// ```
    /// use highwater_net::{ClientAuth, Identity, Roots, ServerTls};
    /// # fn build(identity: Identity, users: Roots) -> Result<ServerTls, highwater_net::TlsConfigError> {
    /// ServerTls::builder(identity).client_auth(ClientAuth::Optional(users)).build()
    /// # }
    /// ```
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// The protocols that we speak, the dearest first: ALPN, RFC 7301. A client that names only others is
    /// refused; one that names none is not.
    ///
    /// ```
    /// # use highwater_net::{Identity, ServerTls};
    /// # fn build(identity: Identity) -> Result<ServerTls, highwater_net::TlsConfigError> {
    /// ServerTls::builder(identity).alpn(["h2", "http/1.1"]).build()
    /// # }
    /// ```
    pub fn alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// The versions that we speak. Unless said otherwise, TLS 1.2 and 1.3.
    ///
    /// ```
    /// # use highwater_net::{Identity, ServerTls, rustls::version::TLS13};
    /// # fn build(identity: Identity) -> Result<ServerTls, highwater_net::TlsConfigError> {
    /// ServerTls::builder(identity).versions([&TLS13]).build()
    /// # }
    /// ```
    pub fn versions(mut self, versions: impl IntoIterator<Item = &'static SupportedProtocolVersion>) -> Self {
        self.versions = versions.into_iter().collect();
        self
    }

    /// How many handshakes may be in course at once: 1,024 unless said otherwise. Others wait for their
    /// turn, each by itself and within its own handshake time-out; nobody else waits for them. Zero lets
    /// nobody in.
    ///
    /// ```
    /// # use highwater_net::{Identity, ServerTls};
    /// # fn build(identity: Identity) -> Result<ServerTls, highwater_net::TlsConfigError> {
    /// ServerTls::builder(identity).max_handshakes(64).build()
    /// # }
    /// ```
    pub fn max_handshakes(mut self, most: usize) -> Self {
        self.max_handshakes = most;
        self
    }

    /// Whose cryptography. Unless said otherwise aws-lc-rs, or ring where only that feature is on;
    /// rustls's process-wide default is not used.
    ///
    /// ```
    /// # use highwater_net::{Identity, ServerTls, rustls::crypto::CryptoProvider};
    /// # type Built = Result<ServerTls, highwater_net::TlsConfigError>;
    /// # fn build(identity: Identity, provider: CryptoProvider) -> Built {
    /// ServerTls::builder(identity).provider(provider).build()
    /// # }
    /// ```
    pub fn provider(mut self, provider: impl Into<Arc<CryptoProvider>>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`TlsConfigError`]: a certificate or a key cannot be used, two do not belong together, or there is no
    /// provider.
    ///
    /// ```
    /// use highwater_net::{Identity, ServerTls, TlsConfigError};
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let (certificate, key_of_another) = (made.cert.pem(), other.signing_key.serialize_pem());
    /// let identity = Identity::from_pem(certificate, key_of_another)?;
    /// let error = ServerTls::builder(identity).build().unwrap_err();
    /// assert!(matches!(error, TlsConfigError::KeyMismatch { .. }));
    /// # Ok::<(), TlsConfigError>(())
    /// ```
    pub fn build(self) -> Result<ServerTls, TlsConfigError> {
        alpn::check(&self.alpn)?;
        let provider = provider::or_default(self.provider)?;
        let certificates = Arc::new(Certificates::new(&self.identities, Arc::clone(&provider))?);
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_protocol_versions(&self.versions).map_err(TlsConfigError::Refused)?;
        let config = match &self.client_auth {
            ClientAuth::None => config.with_no_client_auth(),
            ClientAuth::Optional(roots) | ClientAuth::Required(roots) => {
                let roots = Arc::new(roots.store()?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = match self.client_auth {
                    ClientAuth::Optional(_) => verifier.allow_unauthenticated(),
                    _ => verifier,
                };
                config.with_client_cert_verifier(verifier.build().map_err(refused)?)
            }
        };
        let mut config = config.with_cert_resolver(Arc::<Certificates>::clone(&certificates));
        config.alpn_protocols = self.alpn;
        Ok(ServerTls::with(Arc::new(config), Some(certificates), self.max_handshakes))
    }
}

fn refused(error: VerifierBuilderError) -> TlsConfigError {
    TlsConfigError::Refused(rustls::Error::General(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t3_unless_said_otherwise_there_are_1024_turns_and_clones_share_them() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
        let tls = ServerTls::new(identity.clone()).unwrap();
        assert_eq!(tls.handshakes.available_permits(), 1024);
        let _turn = tls.handshakes.try_acquire().unwrap();
        assert_eq!(tls.clone().handshakes.available_permits(), 1023);
        let few = ServerTls::builder(identity).max_handshakes(3).build().unwrap();
        assert_eq!(few.handshakes.available_permits(), 3);
        assert_eq!(ServerTls::from(few.config).handshakes.available_permits(), 1024);
    }
}
