//! PEM, from files or memory: what is there, or a typed error that says where nothing was.

use crate::tls::TlsConfigError;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;

/// How an error names what came from memory.
pub(super) const FROM_MEMORY: &str = "the PEM text";

pub(super) fn read(path: &Path) -> Result<(String, Vec<u8>), TlsConfigError> {
    match std::fs::read(path) {
        Ok(text) => Ok((path.display().to_string(), text)),
        Err(error) => Err(TlsConfigError::Read { path: path.into(), error }),
    }
}

/// Every certificate, at least one.
pub(super) fn certificates(
    origin: &str,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsConfigError> {
    let certificates: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(nothing(origin, "certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(malformed(origin, "certificate", error)),
    }
}

/// The first private key.
pub(super) fn private_key(origin: &str, text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsConfigError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        _ if is_encrypted(text) => TlsConfigError::EncryptedKey { origin: origin.to_owned() },
        error => malformed(origin, "private key", error),
    })
}

/// RFC 7468 §11, and the form before it: RFC 1421 §4.6.1.1.
fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn nothing(origin: &str, wanted: &'static str) -> TlsConfigError {
    TlsConfigError::NothingFound { origin: origin.to_owned(), wanted }
}

fn malformed(origin: &str, wanted: &'static str, error: Error) -> TlsConfigError {
    match error {
        Error::NoItemsFound => nothing(origin, wanted),
        error => TlsConfigError::Pem { origin: origin.to_owned(), error: error.to_string() },
    }
}
