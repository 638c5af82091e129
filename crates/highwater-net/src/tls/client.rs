//! TLS as a client: whom to trust, who we are, which server is meant.

use crate::tls::manners::{Manners, manners};
use crate::tls::{Identity, Roots, TlsConfigError, alpn, provider};
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, SupportedProtocolVersion};
use std::sync::Arc;

/// TLS as a client, ready for any number of connections. Clones are cheap, and share resumed sessions.
///
/// # Source
/// asyncio: an `ssl.SSLContext` as `ssl.create_default_context` makes it.
///
/// ```no_run
/// # async fn connect() -> std::io::Result<()> {
/// use highwater_net::{ClientTls, open_connection};
/// let tls = ClientTls::new()?;
/// let (reader, writer) = open_connection(("example.org", 443)).tls(tls).await?;
/// # drop((reader, writer));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientTls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) manners: Manners,
}

impl ClientTls {
    /// Trusts what the platform trusts. It reads the platform's roots at once, and blocks for that: make one
    /// and keep it.
    ///
    /// # Errors
    /// [`TlsConfigError`]: there are no roots, since the platform has none or the feature `platform-roots`
    /// is off; or there is no provider.
    ///
    /// ```no_run
    /// let tls = highwater_net::ClientTls::new()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn new() -> Result<Self, TlsConfigError> {
        Self::builder().build()
    }

    /// A builder, for other settings: roots, a certificate of our own, ALPN, versions, a provider.
    ///
    /// ```
    /// use highwater_net::{ClientTls, Roots};
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let authority = made.cert.pem();
    /// let tls = ClientTls::builder().roots(Roots::from_pem(authority)?).alpn(["h2", "http/1.1"]).build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn builder() -> ClientTlsBuilder {
        ClientTlsBuilder {
            roots: None,
            platform_roots: false,
            identity: None,
            alpn: Vec::new(),
            versions: rustls::ALL_VERSIONS.to_vec(),
            provider: None,
        }
    }

    /// With the server that is meant: a DNS name or an IP address, for which its certificate has to be valid.
    /// Where a connection is opened to a host, that is its name unless said otherwise.
    ///
    /// # Source
    /// asyncio: `server_hostname`. diverges: without a name it does not compile where there is no host,
    /// while there a connection without one is encrypted to anybody.
    ///
    /// ```no_run
    /// # async fn connect(tls: highwater_net::ClientTls) -> std::io::Result<()> {
    /// # use highwater_net::open_connection;
    /// let to_the_old_one = open_connection(("192.0.2.7", 443)).tls(tls.server_name("example.org"));
    /// # drop(to_the_old_one.await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn server_name(&self, name: impl Into<String>) -> NamedClientTls {
        NamedClientTls { tls: self.clone(), name: name.into() }
    }

    manners! {"# let tls = highwater_net::ClientTls::builder()
# .roots(highwater_net::Roots::from_der([rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.into()]))
# .build().unwrap();"}

    fn manners_mut(&mut self) -> &mut Manners {
        &mut self.manners
    }
}

/// A configuration of rustls, as it is.
impl From<Arc<ClientConfig>> for ClientTls {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self { config, manners: Manners::default() }
    }
}

/// A configuration of rustls, as it is.
impl From<ClientConfig> for ClientTls {
    fn from(config: ClientConfig) -> Self {
        Arc::new(config).into()
    }
}

/// TLS as a client of the server that is meant: see [`ClientTls::server_name`].
///
/// ```
/// use highwater_net::{ClientTls, NamedClientTls};
/// fn to_the_database(tls: &ClientTls) -> NamedClientTls {
///     tls.server_name("db.internal")
/// }
/// # let _ = to_the_database;
/// ```
#[derive(Clone, Debug)]
pub struct NamedClientTls {
    pub(super) tls: ClientTls,
    pub(super) name: String,
}

/// Makes a [`ClientTls`]: see [`ClientTls::builder`].
///
/// ```
/// use highwater_net::{ClientTls, TlsConfigError};
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let roots = highwater_net::Roots::from_pem(made.cert.pem()).unwrap();
/// let tls: Result<ClientTls, TlsConfigError> = ClientTls::builder().roots(roots).build();
/// assert!(tls.is_ok());
/// ```
#[derive(Debug)]
#[must_use = "nothing is made until `build`"]
pub struct ClientTlsBuilder {
    roots: Option<Roots>,
    platform_roots: bool,
    identity: Option<Identity>,
    alpn: Vec<Vec<u8>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    provider: Option<Arc<CryptoProvider>>,
}

impl ClientTlsBuilder {
    /// Trusts these, and what the platform trusts only if [`platform_roots`](Self::platform_roots) says so.
    /// Said twice, it is all of them.
    ///
    /// ```
    /// use highwater_net::{ClientTls, Roots};
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let authority = made.cert.pem();
    /// let tls = ClientTls::builder().roots(Roots::from_pem(authority)?).build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = Some(match self.roots {
            Some(before) => before.and(roots),
            None => roots,
        });
        self
    }

    /// Trusts what the platform trusts besides the [`roots`](Self::roots) that are given. Without any, it
    /// does so unasked.
    ///
    /// ```no_run
    /// use highwater_net::{ClientTls, Roots};
    /// let ours = Roots::from_pem_file("authority.pem")?;
    /// let tls = ClientTls::builder().roots(ours).platform_roots().build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    #[cfg(feature = "platform-roots")]
    pub fn platform_roots(mut self) -> Self {
        self.platform_roots = true;
        self
    }

    /// Who we are, for servers that ask.
    ///
    /// ```no_run
    /// use highwater_net::{ClientTls, Identity};
    /// let identity = Identity::from_pem_files("client.pem", "client.key")?;
    /// let tls = ClientTls::builder().identity(identity).build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The protocols that we speak, the dearest first: ALPN, RFC 7301.
    ///
    /// ```no_run
    /// let tls = highwater_net::ClientTls::builder().alpn(["h2", "http/1.1"]).build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// The versions that we speak. Unless said otherwise, TLS 1.2 and 1.3.
    ///
    /// ```no_run
    /// use highwater_net::{ClientTls, rustls::version::TLS13};
    /// let tls = ClientTls::builder().versions([&TLS13]).build()?;
    /// # let _ = tls;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn versions(mut self, versions: impl IntoIterator<Item = &'static SupportedProtocolVersion>) -> Self {
        self.versions = versions.into_iter().collect();
        self
    }

    /// Whose cryptography. Unless said otherwise aws-lc-rs, or ring where only that feature is on;
    /// rustls's process-wide default is not used.
    ///
    /// ```
    /// # use highwater_net::{ClientTls, TlsConfigError, rustls::crypto::CryptoProvider};
    /// # fn build(provider: CryptoProvider) -> Result<ClientTls, TlsConfigError> {
    /// ClientTls::builder().provider(provider).build()
    /// # }
    /// ```
    pub fn provider(mut self, provider: impl Into<Arc<CryptoProvider>>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`TlsConfigError`]: there is nothing to trust, a certificate or a key cannot be used, or there is no
    /// provider.
    ///
    /// ```
    /// use highwater_net::{ClientTls, Identity, Roots, TlsConfigError};
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let (roots, certificate) = (Roots::from_pem(made.cert.pem())?, made.cert.pem());
    /// # let key_of_another = other.signing_key.serialize_pem();
    /// let identity = Identity::from_pem(certificate, key_of_another)?;
    /// let error = ClientTls::builder().roots(roots).identity(identity).build().unwrap_err();
    /// assert!(matches!(error, TlsConfigError::KeyMismatch { .. }));
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    pub fn build(self) -> Result<ClientTls, TlsConfigError> {
        alpn::check(&self.alpn)?;
        let provider = provider::or_default(self.provider)?;
        let identity = self.identity.map(|identity| identity.certify(&provider)).transpose()?;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_protocol_versions(&self.versions).map_err(TlsConfigError::Refused)?;
        let config = match (&self.roots, self.platform_roots) {
            (Some(roots), false) => config.with_root_certificates(roots.store()?),
            (roots, _) => {
                let verifier = platform_verifier(roots.as_ref(), provider)?;
                config.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        let mut config = match identity {
            Some(certified) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified))),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        Ok(config.into())
    }
}

type Verifier = Arc<dyn rustls::client::danger::ServerCertVerifier>;

#[cfg(feature = "platform-roots")]
fn platform_verifier(
    extra: Option<&Roots>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, TlsConfigError> {
    // What is wrong with one of ours is told as such.
    extra.map(Roots::store).transpose()?;
    let extra = extra.into_iter().flat_map(Roots::certificates);
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider);
    Ok(Arc::new(verifier.map_err(TlsConfigError::NoPlatformRoots)?))
}

#[cfg(not(feature = "platform-roots"))]
fn platform_verifier(_: Option<&Roots>, _: Arc<CryptoProvider>) -> Result<Verifier, TlsConfigError> {
    Err(TlsConfigError::NoRoots)
}
