//! Addresses of mail, as they stand in an envelope.

use std::fmt;
use std::str::FromStr;

/// RFC 5321 §4.5.3.1.1 and §4.5.3.1.2.
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// An address: `anna@example.org`, `"anna b"@example.org`, `anna@[192.0.2.1]`.
///
/// It is ASCII, and nothing in it can end the command that it is put into.
///
/// ```
/// use highwater_examples::smtp::Mailbox;
/// let anna: Mailbox = "anna@example.org".parse().unwrap();
/// assert_eq!(anna.to_string(), "anna@example.org");
/// assert!("anna@example.org>\r\nRCPT TO:<eve@example.org".parse::<Mailbox>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox(String);

impl Mailbox {
    /// The mailbox at the beginning of `text`, and what is behind it.
    pub(super) fn at_start(text: &str) -> Option<(Self, &str)> {
        let local = local_part(text)?;
        if !text[local..].starts_with('@') {
            // RFC 5321 §4.5.1: the one name that needs no domain.
            let (name, rest) = text.split_at(local);
            return name.eq_ignore_ascii_case("postmaster").then(|| (Self(name.into()), rest));
        }
        let end = local + 1 + domain(&text[local + 1..])?;
        Some((Self(text[..end].into()), &text[end..]))
    }
}

/// The length of the part before the `@`.
fn local_part(text: &str) -> Option<usize> {
    let length = match text.strip_prefix('"') {
        Some(quoted) => {
            let mut escaped = false;
            let end = quoted.bytes().position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            })?;
            if !quoted.as_bytes()[..end].iter().all(|byte| (b' '..=b'~').contains(byte)) {
                return None;
            }
            end + 2
        }
        None => text.bytes().take_while(|&byte| is_atom(byte) || byte == b'.').count(),
    };
    (1..=LONGEST_LOCAL_PART).contains(&length).then_some(length)
}

/// RFC 5322 §3.2.3: `atext`.
fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// The length of the part behind the `@`: a name, or an address in brackets.
fn domain(text: &str) -> Option<usize> {
    let length = match text.strip_prefix('[') {
        Some(literal) => {
            let inside =
                literal.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(byte));
            let inside = inside.count();
            if !literal[inside..].starts_with(']') {
                return None;
            }
            inside + 2
        }
        None => text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte)).count(),
    };
    (1..=LONGEST_DOMAIN).contains(&length).then_some(length)
}

impl FromStr for Mailbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Self::at_start(text) {
            Some((mailbox, "")) => Ok(mailbox),
            _ => Err(format!("{text:?} is not an address like anna@example.org")),
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_parts() {
        for text in [
            "a@b",
            "first.last+tag@mail.example.org",
            "\"a b\"@example.org",
            "\"a\\\"@b>\"@example.org",
            "a@[192.0.2.1]",
            "a@[IPv6:::1]",
            "Postmaster",
        ] {
            assert_eq!(text.parse::<Mailbox>().unwrap().to_string(), text);
        }
        let long = format!("{}@b", "a".repeat(65));
        for text in
            ["", "a", "a@", "@b", "a b@c", "a@b c", "a@b>", "ä@b", "\"a@b", "\"a\n\"@b", "a@[1", &long]
        {
            assert!(text.parse::<Mailbox>().is_err(), "{text:?}");
        }
    }
}
