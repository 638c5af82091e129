//! Whom a client trusts.

use std::path::Path;

use highwater_net::{ClientTls, ClientTlsBuilder, Roots, TlsConfigError};

/// TLS that trusts the certificates in this file, or what the platform trusts.
///
/// # Errors
/// The file cannot be read, or has no certificates.
///
/// ```
/// use highwater_examples::trusting;
/// use std::path::Path;
/// assert!(trusting(Some(Path::new("/nobody/has/this.pem"))).is_err());
/// assert!(trusting(None).is_ok());
/// ```
pub fn trusting(ca: Option<&Path>) -> Result<ClientTlsBuilder, TlsConfigError> {
    let tls = ClientTls::builder();
    Ok(match ca {
        Some(file) => tls.roots(Roots::from_pem_file(file)?),
        None => tls,
    })
}
