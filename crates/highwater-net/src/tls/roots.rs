//! Whom we trust.

use crate::tls::{TlsConfigError, pem};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::path::Path;

/// Certificates of authorities that are trusted, each with where it came from.
///
/// # Source
/// asyncio: `ssl.SSLContext.load_verify_locations`.
///
/// ```
/// use highwater_net::{ClientTls, Roots};
/// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
/// # let authority = made.cert.pem();
/// let roots = Roots::from_pem(authority)?;
/// let tls = ClientTls::builder().roots(roots).build()?; // these, and no others
/// # let _ = tls;
/// # Ok::<(), highwater_net::TlsConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Roots {
    certificates: Vec<(String, CertificateDer<'static>)>,
}

impl Roots {
    /// All certificates in a PEM file. It reads it at once, and blocks for that.
    ///
    /// # Errors
    /// [`TlsConfigError`]: the file cannot be read, is not PEM, or has no certificate in it.
    ///
    /// ```
    /// use highwater_net::Roots;
    /// assert!(Roots::from_pem_file("no/such/authority.pem").is_err());
    /// ```
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TlsConfigError> {
        let (origin, text) = pem::read(path.as_ref())?;
        Self::parse(&origin, &text)
    }

    /// All certificates in a PEM text.
    ///
    /// # Errors
    /// [`TlsConfigError`]: the text is not PEM, or has no certificate in it.
    ///
    /// ```
    /// use highwater_net::Roots;
    /// assert!(Roots::from_pem("").is_err());
    /// ```
    pub fn from_pem(text: impl AsRef<[u8]>) -> Result<Self, TlsConfigError> {
        Self::parse(pem::FROM_MEMORY, text.as_ref())
    }

    /// From what is decoded already.
    ///
    /// ```
    /// use highwater_net::Roots;
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let authority = made.cert.der().clone();
    /// let roots = Roots::from_der([authority]);
    /// # let _ = roots;
    /// ```
    pub fn from_der(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let origin = "the certificates that were given";
        Self { certificates: certificates.into_iter().map(|der| (origin.to_owned(), der)).collect() }
    }

    /// These and others.
    ///
    /// ```
    /// use highwater_net::Roots;
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let (ours, theirs) = (made.cert.pem(), made.cert.pem());
    /// let roots = Roots::from_pem(ours)?.and(Roots::from_pem(theirs)?);
    /// # let _ = roots;
    /// # Ok::<(), highwater_net::TlsConfigError>(())
    /// ```
    #[must_use]
    pub fn and(mut self, others: Roots) -> Self {
        self.certificates.extend(others.certificates);
        self
    }

    fn parse(origin: &str, text: &[u8]) -> Result<Self, TlsConfigError> {
        let certificates = pem::certificates(origin, text)?;
        Ok(Self { certificates: certificates.into_iter().map(|der| (origin.to_owned(), der)).collect() })
    }

    pub(super) fn store(&self) -> Result<RootCertStore, TlsConfigError> {
        let mut store = RootCertStore::empty();
        for (origin, certificate) in &self.certificates {
            let added = store.add(certificate.clone());
            added.map_err(|error| TlsConfigError::Certificate { origin: origin.clone(), error })?;
        }
        if store.is_empty() { Err(TlsConfigError::NoRoots) } else { Ok(store) }
    }

    #[cfg(feature = "platform-roots")]
    pub(super) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> + '_ {
        self.certificates.iter().map(|(_, certificate)| certificate.clone())
    }
}
