//! What a peer says, made fit for a terminal; and hosts with their ports, as a person types them.

use std::str::FromStr;

/// The text with control characters, and those that turn text around, escaped: the terminal is not the peer's to
/// command. What is not UTF-8 becomes �.
///
/// ```
/// use highwater_examples::text::printable;
/// assert_eq!(printable("Grüße\x1b[2J".as_bytes()), "Grüße\\u{1b}[2J");
/// ```
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        if is_command(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal does something about it other than to show it where it stands.
///
/// ```
/// use highwater_examples::text::is_command;
/// assert!(is_command('\x1b') && is_command('\u{202e}') && !is_command('ü'));
/// ```
pub fn is_command(c: char) -> bool {
    let turns_text =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns_text
}

/// `HOST[:PORT]`, where an IPv6 address wears brackets.
///
/// ```
/// use highwater_examples::text::HostPort;
/// let mail: HostPort = "[::1]:2525".parse().unwrap();
/// assert_eq!((mail.host.as_str(), mail.port), ("::1", Some(2525)));
/// assert!("mail.example.org:smtp".parse::<HostPort>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The name or the address, without brackets.
    pub host: String,
    /// The port, if one is named.
    pub port: Option<u16>,
}

impl HostPort {
    /// `HOST:PORT`, for an argument without which there is nowhere to go.
    ///
    /// # Errors
    /// A sentence, also where no port is named.
    ///
    /// ```
    /// use highwater_examples::text::HostPort;
    /// assert_eq!(HostPort::with_port("[::1]:443").unwrap(), ("::1".to_owned(), 443));
    /// assert!(HostPort::with_port("example.org").is_err());
    /// ```
    pub fn with_port(text: &str) -> Result<(String, u16), String> {
        let Self { host, port } = text.parse()?;
        Ok((host, port.ok_or("it names no port")?))
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').ok_or("its [ has no ]")?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        if host.is_empty() || host.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("it names no host".into());
        }
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return Err("its ] is followed by something other than a port".into()),
            Some(digits) => match digits.parse() {
                Ok(port) if port > 0 && !digits.starts_with('+') => Some(port),
                _ => return Err(format!("its port {digits:?} is not a number from 1 to 65535")),
            },
        };
        Ok(Self { host: host.into(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed() {
        let turned = "a\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{9b}ü";
        let shown = "a\\u{61c}\\u{200e}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}\\u{9b}ü";
        assert_eq!(printable(turned.as_bytes()), shown);
    }

    #[test]
    fn a_host_may_have_a_port() {
        for (text, host, port) in [
            ("example.org", "example.org", None),
            ("example.org:25", "example.org", Some(25)),
            ("[::1]", "::1", None),
            ("[fe80::1%eth0]:65535", "fe80::1%eth0", Some(65535)),
        ] {
            assert_eq!(text.parse(), Ok(HostPort { host: host.into(), port }), "{text}");
        }
        for text in ["", ":25", "a:", "a:0", "a:+1", "a:65536", "[::1", "[::1]25", "::1", "a b", "a\r\nQUIT"]
        {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }
}
