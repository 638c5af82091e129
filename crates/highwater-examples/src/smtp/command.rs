//! What a client says to a server, one line at a time.

use super::Mailbox;

/// A command, taken apart.
///
/// ```
/// use highwater_examples::smtp::Command;
/// let Ok(Command::Mail { from, size }) = Command::parse(b"MAIL FROM:<anna@example.org> SIZE=1000") else {
///     panic!("it is a command");
/// };
/// assert_eq!((from.unwrap().to_string().as_str(), size), ("anna@example.org", Some(1000)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// A client that knows no extensions, and its name.
    Helo(&'a str),
    /// A client, and its name.
    Ehlo(&'a str),
    /// A message begins.
    Mail {
        /// Who is told if it cannot be delivered. `None`: nobody (`<>`).
        from: Option<Mailbox>,
        /// How many bytes it has, about, if that is known.
        size: Option<u64>,
    },
    /// Whom it is for.
    Rcpt(Mailbox),
    /// Its text follows.
    Data,
    /// Forget the message.
    Rset,
    /// Say something.
    Noop,
    /// Is there such a user?
    Vrfy,
    /// Good-bye.
    Quit,
    /// Go on inside TLS.
    StartTls,
    /// Who it is, in Base64, here or in the next line.
    AuthPlain(Option<&'a str>),
}

/// Why a line is not a command, by the reply that says so.
///
/// ```
/// use highwater_examples::smtp::{Command, Mistake};
/// assert_eq!(Command::parse(b"MAIL anna@example.org"), Err(Mistake::Arguments("MAIL FROM:<address>")));
/// assert_eq!(Command::parse(b"GET / HTTP/1.1"), Err(Mistake::Unknown));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// No command has that name: 500.
    Unknown,
    /// What is behind the name is not what it takes, which is this: 501.
    Arguments(&'static str),
    /// A parameter of an extension that was not offered, or not as it is defined: 555.
    Parameter,
    /// Another way to authenticate than PLAIN: 504.
    Mechanism,
}

impl<'a> Command<'a> {
    /// A line without its CRLF, taken apart.
    ///
    /// # Errors
    /// What is wrong with it.
    ///
    /// ```
    /// use highwater_examples::smtp::Command;
    /// assert_eq!(Command::parse(b"quit"), Ok(Command::Quit));
    /// ```
    pub fn parse(line: &'a [u8]) -> Result<Self, Mistake> {
        let line = std::str::from_utf8(line).map_err(|_| Mistake::Unknown)?;
        // Trailing space is nobody's intention. A control character is, and not a good one.
        let line = line.trim_end_matches(' ');
        if line.chars().any(char::is_control) {
            return Err(Mistake::Unknown);
        }
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let alone =
            |command, usage| if argument.is_empty() { Ok(command) } else { Err(Mistake::Arguments(usage)) };
        match verb.to_ascii_uppercase().as_str() {
            "HELO" if !argument.is_empty() => Ok(Command::Helo(argument)),
            "HELO" => Err(Mistake::Arguments("HELO name")),
            "EHLO" if !argument.is_empty() => Ok(Command::Ehlo(argument)),
            "EHLO" => Err(Mistake::Arguments("EHLO name")),
            "MAIL" => mail(argument),
            "RCPT" => rcpt(argument),
            "DATA" => alone(Command::Data, "DATA"),
            "RSET" => alone(Command::Rset, "RSET"),
            "NOOP" => Ok(Command::Noop),
            "VRFY" if !argument.is_empty() => Ok(Command::Vrfy),
            "VRFY" => Err(Mistake::Arguments("VRFY name")),
            "QUIT" => alone(Command::Quit, "QUIT"),
            "STARTTLS" => alone(Command::StartTls, "STARTTLS"),
            "AUTH" => auth(argument),
            _ => Err(Mistake::Unknown),
        }
    }
}

fn mail(argument: &str) -> Result<Command<'_>, Mistake> {
    let usage = Mistake::Arguments("MAIL FROM:<address>");
    let argument = after_keyword(argument, "FROM:").ok_or(usage)?;
    let (from, parameters) = match argument.strip_prefix("<>") {
        Some(parameters) => (None, parameters),
        None => path(argument).map(|(from, parameters)| (Some(from), parameters)).ok_or(usage)?,
    };
    let mut size = None;
    if !(parameters.is_empty() || parameters.starts_with(' ')) {
        return Err(usage);
    }
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("SIZE", digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                size = Some(digits.parse().map_err(|_| Mistake::Parameter)?);
            }
            // RFC 4954 §5: who sent it first. Nobody is asked to believe it.
            ("BODY", "7BIT" | "8BITMIME") | ("AUTH", _) => {}
            _ => return Err(Mistake::Parameter),
        }
    }
    Ok(Command::Mail { from, size })
}

fn rcpt(argument: &str) -> Result<Command<'_>, Mistake> {
    let usage = Mistake::Arguments("RCPT TO:<address>");
    let (to, parameters) = after_keyword(argument, "TO:").and_then(path).ok_or(usage)?;
    match parameters {
        "" => Ok(Command::Rcpt(to)),
        parameters if parameters.starts_with(' ') => Err(Mistake::Parameter),
        _ => Err(usage),
    }
}

fn auth(argument: &str) -> Result<Command<'_>, Mistake> {
    let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
    if !mechanism.eq_ignore_ascii_case("PLAIN") {
        return Err(Mistake::Mechanism);
    }
    Ok(Command::AuthPlain(if initial.is_empty() { None } else { Some(initial) }))
}

/// What is behind `FROM:` or `TO:`. A space may follow: nobody else minds either.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let (found, rest) = argument.split_at_checked(keyword.len())?;
    found.eq_ignore_ascii_case(keyword).then(|| rest.trim_start_matches(' '))
}

/// The mailbox of `<mailbox>`, and what is behind it.
fn path(text: &str) -> Option<(Mailbox, &str)> {
    let mut inside = text.strip_prefix('<')?;
    // RFC 5321 appendix C: a route is accepted, and ignored.
    if inside.starts_with('@') {
        inside = inside.split_once(':')?.1;
    }
    let (mailbox, rest) = Mailbox::at_start(inside)?;
    Some((mailbox, rest.strip_prefix('>')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(text: &str) -> Mailbox {
        text.parse().unwrap()
    }

    #[test]
    fn a_command_is_taken_apart() {
        for (line, command) in [
            ("EHLO [127.0.0.1]", Command::Ehlo("[127.0.0.1]")),
            ("helo there", Command::Helo("there")),
            ("MAIL FROM:<>", Command::Mail { from: None, size: None }),
            (
                "mail from: <a@b> body=8bitmime size=12",
                Command::Mail { from: Some(mailbox("a@b")), size: Some(12) },
            ),
            ("RCPT TO:<@x,@y:a@b>", Command::Rcpt(mailbox("a@b"))),
            ("RCPT TO:<\"a>b\"@c>", Command::Rcpt(mailbox("\"a>b\"@c"))),
            ("RCPT TO:<postmaster>", Command::Rcpt(mailbox("postmaster"))),
            ("NOOP anything", Command::Noop),
            ("STARTTLS ", Command::StartTls),
            ("AUTH PLAIN AGEAYg==", Command::AuthPlain(Some("AGEAYg=="))),
            ("auth plain", Command::AuthPlain(None)),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for (line, code) in [
            ("", 500),
            ("HELLO", 500),
            ("NOOP \x07", 500),
            ("QUIT now", 501),
            ("EHLO", 501),
            ("MAIL FROM:a@b", 501),
            ("MAIL FROM:<a@b", 501),
            ("MAIL FROM:<a@b>SIZE=1", 501),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a@b>x", 501),
            ("MAIL FROM:<a@b> SIZE=99999999999999999999", 555),
            ("MAIL FROM:<a@b> SIZE=", 555),
            ("MAIL FROM:<a@b> BODY=BINARYMIME", 555),
            ("RCPT TO:<a@b> NOTIFY=NEVER", 555),
            ("AUTH CRAM-MD5", 504),
        ] {
            let found = match Command::parse(line.as_bytes()).unwrap_err() {
                Mistake::Unknown => 500,
                Mistake::Arguments(_) => 501,
                Mistake::Mechanism => 504,
                Mistake::Parameter => 555,
            };
            assert_eq!(found, code, "{line}");
        }
    }
}
