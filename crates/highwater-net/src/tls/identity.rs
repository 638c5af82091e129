//! Who we are: a chain of certificates and the private key of the first.

use crate::tls::{TlsConfigError, pem};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A chain of certificates, that of its owner first, and the owner's private key. Whether they belong
/// together is checked where it is put to use.
///
/// # Source
/// asyncio: `ssl.SSLContext.load_cert_chain`.
///
/// ```
/// use highwater_net::{Identity, ServerTls};
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
/// let identity = Identity::from_pem(certificate, key)?;
/// let tls = ServerTls::new(identity)?;
/// # let _ = tls;
/// # Ok::<(), highwater_net::TlsConfigError>(())
/// ```
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    chain_origin: String,
    key_origin: String,
}

impl Identity {
    /// From two PEM files, which may be the same one. It reads them at once, and blocks for that.
    ///
    /// # Errors
    /// [`TlsConfigError`]: a file cannot be read, is not PEM, or has no certificate or no key in it.
    ///
    /// ```
    /// use highwater_net::Identity;
    /// let error = Identity::from_pem_files("no/such/cert.pem", "no/such/key.pem").unwrap_err();
    /// assert!(error.to_string().starts_with("cannot read no/such/cert.pem: "));
    /// ```
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, TlsConfigError> {
        let (chain_origin, chain) = pem::read(chain.as_ref())?;
        let (key_origin, key) = pem::read(key.as_ref())?;
        Self::parse(chain_origin, &chain, key_origin, &key)
    }

    /// From PEM texts, which may be the same one.
    ///
    /// # Errors
    /// [`TlsConfigError`]: a text is not PEM, or has no certificate or no key in it.
    ///
    /// ```
    /// use highwater_net::Identity;
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// let both = made.cert.pem() + &made.signing_key.serialize_pem();
    /// assert!(Identity::from_pem(&both, &both).is_ok());
    /// ```
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, TlsConfigError> {
        let (chain_origin, key_origin) = (pem::FROM_MEMORY.to_owned(), pem::FROM_MEMORY.to_owned());
        Self::parse(chain_origin, chain.as_ref(), key_origin, key.as_ref())
    }

    /// From what is decoded already.
    ///
    /// ```
    /// use highwater_net::Identity;
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    /// let key = highwater_net::rustls::pki_types::PrivateKeyDer::try_from(key).unwrap();
    /// let identity = Identity::from_der([certificate], key);
    /// assert!(highwater_net::ServerTls::new(identity).is_ok());
    /// ```
    pub fn from_der(
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        Self {
            chain: chain.into_iter().collect(),
            key: Arc::new(key),
            chain_origin: "the chain that was given".to_owned(),
            key_origin: "the key that was given".to_owned(),
        }
    }

    fn parse(
        chain_origin: String,
        chain: &[u8],
        key_origin: String,
        key: &[u8],
    ) -> Result<Self, TlsConfigError> {
        let chain = pem::certificates(&chain_origin, chain)?;
        let key = Arc::new(pem::private_key(&key_origin, key)?);
        Ok(Self { chain, key, chain_origin, key_origin })
    }

    /// Ready to sign, with the key known to be that of the first certificate.
    pub(super) fn certify(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsConfigError> {
        let certificate = || self.chain_origin.clone();
        if self.chain.is_empty() {
            return Err(TlsConfigError::NothingFound { origin: certificate(), wanted: "certificate" });
        }
        let key = || self.key_origin.clone();
        let signing = provider.key_provider.load_private_key(self.key.clone_key());
        let signing = signing.map_err(|error| TlsConfigError::PrivateKey { origin: key(), error })?;
        let certified = CertifiedKey::new(self.chain.clone(), signing);
        match certified.keys_match() {
            // A key that does not tell its public half cannot be compared.
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Arc::new(certified)),
            Err(Error::InconsistentKeys(_)) => {
                Err(TlsConfigError::KeyMismatch { certificate: certificate(), key: key() })
            }
            Err(error) => Err(TlsConfigError::Certificate { origin: certificate(), error }),
        }
    }
}

/// Says nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("chain", &self.chain_origin).finish_non_exhaustive()
    }
}
