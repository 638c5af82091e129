//! Which certificate a server shows: chosen by the name that the client asks for, replaced while it runs.

use crate::tls::{Identity, TlsConfigError};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Invariant: never empty. The first is for clients that ask for no name, or for one that nobody has.
type Certified = Arc<[Arc<CertifiedKey>]>;

pub(super) struct Certificates {
    provider: Arc<CryptoProvider>,
    certified: RwLock<Certified>,
}

impl Certificates {
    pub(super) fn new(
        identities: &[Identity],
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsConfigError> {
        let certified = RwLock::new(certify(identities, &provider)?);
        Ok(Self { provider, certified })
    }

    /// All of them, or none if one is not good.
    pub(super) fn replace(&self, identities: &[Identity]) -> Result<(), TlsConfigError> {
        let certified = certify(identities, &self.provider)?;
        *self.certified.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }

    fn certified(&self) -> Certified {
        Arc::clone(&self.certified.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn certify(identities: &[Identity], provider: &CryptoProvider) -> Result<Certified, TlsConfigError> {
    if identities.is_empty() {
        return Err(TlsConfigError::NoIdentity);
    }
    identities.iter().map(|identity| identity.certify(provider)).collect()
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certified = self.certified();
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let suits = |key: &&Arc<CertifiedKey>| name.as_ref().is_none_or(|name| is_valid_for(key, name));
        let signs = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        let both = certified.iter().find(|key| suits(key) && signs(key));
        both.or_else(|| certified.iter().find(suits)).or(certified.first()).cloned()
    }
}

fn is_valid_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = key.end_entity_cert().and_then(ParsedCertificate::try_from);
    parsed.is_ok_and(|certificate| rustls::client::verify_server_name(&certificate, name).is_ok())
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("count", &self.certified().len()).finish_non_exhaustive()
    }
}
