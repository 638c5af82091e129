//! What we say that we speak: checked before anybody is told.

use crate::tls::TlsConfigError;

/// RFC 7301 §3.1: the length of a name is a byte, and not zero.
const LONGEST_NAME: usize = 255;

/// A hello of one record has room for it, and for everything else that it says.
const LONGEST_LIST: usize = 8 * 1024;

/// Whether a hello can carry these protocols.
pub(super) fn check(protocols: &[Vec<u8>]) -> Result<(), TlsConfigError> {
    if let Some(odd) = protocols.iter().find(|name| name.is_empty() || name.len() > LONGEST_NAME) {
        return Err(TlsConfigError::AlpnName { length: odd.len() });
    }
    let length = protocols.iter().map(|name| 1 + name.len()).sum();
    if length > LONGEST_LIST { Err(TlsConfigError::AlpnList { length, most: LONGEST_LIST }) } else { Ok(()) }
}
