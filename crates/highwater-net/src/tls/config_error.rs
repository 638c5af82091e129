//! Why there is no TLS configuration: what is wrong, and in which file.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a TLS configuration was not made.
///
/// # Source
/// asyncio: what `ssl.SSLContext.load_cert_chain` and its like raise. diverges: an `SSLError` there names
/// neither the file nor what it lacks.
///
/// ```
/// use highwater_net::{Identity, TlsConfigError};
/// let error = Identity::from_pem("no certificate here", "no key here").unwrap_err();
/// assert!(matches!(error, TlsConfigError::NothingFound { wanted: "certificate", .. }));
/// assert_eq!(error.to_string(), "there is no certificate in the PEM text");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is nothing of the kind in it.
    NothingFound {
        /// The file, or what else it was.
        origin: String,
        /// `"certificate"` or `"private key"`.
        wanted: &'static str,
    },
    /// The private key is encrypted, which is not read here.
    EncryptedKey {
        /// The file, or what else it was.
        origin: String,
    },
    /// What is in it is not PEM.
    Pem {
        /// The file, or what else it was.
        origin: String,
        /// What is wrong with it.
        error: String,
    },
    /// A certificate is none, or is not usable.
    Certificate {
        /// Where it came from.
        origin: String,
        /// Why not.
        error: rustls::Error,
    },
    /// A private key is none, or the provider does not know its kind.
    PrivateKey {
        /// Where it came from.
        origin: String,
        /// Why not.
        error: rustls::Error,
    },
    /// The private key is not that of the certificate.
    KeyMismatch {
        /// Where the certificate came from.
        certificate: String,
        /// Where the key came from.
        key: String,
    },
    /// A server was left without any certificate.
    NoIdentity,
    /// There is nothing to trust: no roots were given, and the feature `platform-roots` is off.
    NoRoots,
    /// There is nothing to trust: the platform's roots could not be had.
    NoPlatformRoots(rustls::Error),
    /// There is no cryptography: no provider was given, and neither `aws-lc-rs` nor `ring` is on.
    NoProvider,
    /// The name of an ALPN protocol has 1 to 255 bytes.
    AlpnName {
        /// Its bytes.
        length: usize,
    },
    /// The names of all ALPN protocols are too long together.
    AlpnList {
        /// Their bytes, and one more for each.
        length: usize,
        /// How many there may be.
        most: usize,
    },
    /// rustls refused the configuration for another reason.
    Refused(rustls::Error),
}

impl fmt::Display for TlsConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsConfigError::Read { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            TlsConfigError::NothingFound { origin, wanted } => {
                write!(f, "there is no {wanted} in {origin}")
            }
            TlsConfigError::EncryptedKey { origin } => {
                write!(f, "the private key in {origin} is encrypted: decrypt it first, with `openssl pkey`")
            }
            TlsConfigError::Pem { origin, error } => write!(f, "{origin} is not PEM: {error}"),
            TlsConfigError::Certificate { origin, error } => {
                write!(f, "a certificate in {origin} cannot be used: {error}")
            }
            TlsConfigError::PrivateKey { origin, error } => {
                write!(f, "the private key in {origin} cannot be used: {error}")
            }
            TlsConfigError::KeyMismatch { certificate, key } => {
                write!(f, "the private key in {key} is not that of the certificate in {certificate}")
            }
            TlsConfigError::NoIdentity => f.write_str("a TLS server needs at least one certificate"),
            TlsConfigError::NoRoots => {
                f.write_str("there is nothing to trust: give roots, or enable the feature `platform-roots`")
            }
            TlsConfigError::NoPlatformRoots(error) => {
                write!(f, "there is nothing to trust: the platform has no roots: {error}")
            }
            TlsConfigError::NoProvider => f.write_str(
                "there is no cryptography: give a provider, or enable the feature `aws-lc-rs` or `ring`",
            ),
            TlsConfigError::AlpnName { length } => {
                write!(f, "the name of an ALPN protocol has 1 to 255 bytes, and one has {length}")
            }
            TlsConfigError::AlpnList { length, most } => {
                write!(f, "the ALPN protocols are {length} bytes long together, and {most} is the most")
            }
            TlsConfigError::Refused(error) => write!(f, "the TLS configuration was refused: {error}"),
        }
    }
}

impl Error for TlsConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TlsConfigError::Read { error, .. } => Some(error),
            TlsConfigError::Certificate { error, .. }
            | TlsConfigError::PrivateKey { error, .. }
            | TlsConfigError::NoPlatformRoots(error)
            | TlsConfigError::Refused(error) => Some(error),
            _ => None,
        }
    }
}

/// `InvalidInput`, or the kind of a file's error; this error stays inside.
impl From<TlsConfigError> for io::Error {
    fn from(error: TlsConfigError) -> Self {
        let kind = match &error {
            TlsConfigError::Read { error, .. } => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}
