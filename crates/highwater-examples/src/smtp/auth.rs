//! AUTH PLAIN, RFC 4616: a name and a password in Base64.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A name and its password. They are shown by no `Debug`.
///
/// ```
/// use highwater_examples::smtp::Credentials;
/// let credentials = Credentials::new("anna", "secret").unwrap();
/// assert_eq!(credentials.plain(), "AGFubmEAc2VjcmV0");
/// assert!(Credentials::from_plain("AGFubmEAc2VjcmV0").unwrap().same_as(&credentials));
/// ```
#[derive(Clone)]
pub struct Credentials {
    /// Invariant: not empty, and without NUL.
    user: String,
    /// Invariant: without NUL.
    password: String,
}

impl Credentials {
    /// `None` if the name is empty, or if there is a NUL, which separates the two.
    ///
    /// ```
    /// use highwater_examples::smtp::Credentials;
    /// assert!(Credentials::new("", "secret").is_none());
    /// ```
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Option<Self> {
        let (user, password) = (user.into(), password.into());
        let sound = !user.is_empty() && !user.contains('\0') && !password.contains('\0');
        sound.then_some(Self { user, password })
    }

    /// What a client says behind `AUTH PLAIN`.
    ///
    /// ```
    /// use highwater_examples::smtp::Credentials;
    /// assert_eq!(Credentials::new("a", "b").unwrap().plain(), "AGEAYg==");
    /// ```
    pub fn plain(&self) -> String {
        STANDARD.encode(format!("\0{}\0{}", self.user, self.password))
    }

    /// What a server was told. `None` if it cannot be read, or if one user wants to be another.
    ///
    /// ```
    /// use highwater_examples::smtp::Credentials;
    /// assert!(Credentials::from_plain("not Base64!").is_none());
    /// ```
    pub fn from_plain(text: &str) -> Option<Self> {
        let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        let mut parts = decoded.split('\0');
        let (act_as, user, password) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || !(act_as.is_empty() || act_as == user) {
            return None;
        }
        Self::new(user, password)
    }

    /// Whether both are the same. How long that takes tells nothing but their lengths.
    ///
    /// ```
    /// use highwater_examples::smtp::Credentials;
    /// let [a, b] = ["secret", "Secret"].map(|password| Credentials::new("anna", password).unwrap());
    /// assert!(!a.same_as(&b));
    /// ```
    pub fn same_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.plain(), other.plain());
        let differing = ours.bytes().zip(theirs.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b));
        ours.len() == theirs.len() && differing == 0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn a_user_acts_as_nobody_else() {
        assert!(Credentials::from_plain(&encoded("anna\0anna\0secret")).is_some());
        for text in ["root\0anna\0secret", "\0\0secret", "\0anna", "anna", "", "\0anna\0se\0cret"] {
            assert!(Credentials::from_plain(&encoded(text)).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let credentials = Credentials::new("anna", "secret").unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials { .. }");
    }
}
