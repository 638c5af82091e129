//! Whose cryptography: said explicitly in every configuration, never installed for the process.

use crate::tls::TlsConfigError;
use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// The provider that was given, else aws-lc-rs, else ring, as the features have it.
pub(crate) fn or_default(given: Option<Arc<CryptoProvider>>) -> Result<Arc<CryptoProvider>, TlsConfigError> {
    given.or_else(default).ok_or(TlsConfigError::NoProvider)
}

fn default() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "aws-lc-rs")]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
    None
}
