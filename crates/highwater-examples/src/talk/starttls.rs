//! What client and server say to each other before TLS begins.

use std::str::FromStr;

/// A protocol in which TLS begins on request.
///
/// ```
/// use highwater_examples::talk::Protocol;
/// assert_eq!("smtp".parse(), Ok(Protocol::Smtp));
/// assert_eq!("plain:STARTTLS".parse(), Ok(Protocol::Plain("STARTTLS".into())));
/// assert!("http".parse::<Protocol>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 3207: after the greeting, `EHLO` and `STARTTLS`.
    Smtp,
    /// RFC 9051 §6.2.1: after the greeting, `STARTTLS`.
    Imap,
    /// RFC 4217 §4: after the greeting, `AUTH TLS`.
    Ftp,
    /// Any other: this line is said at once, and one line is the answer, whatever it says.
    Plain(String),
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "smtp" => Ok(Protocol::Smtp),
            None if text == "imap" => Ok(Protocol::Imap),
            None if text == "ftp" => Ok(Protocol::Ftp),
            Some(("plain", command)) if !command.is_empty() => Ok(Protocol::Plain(command.to_owned())),
            _ => Err("it is smtp, imap, ftp or plain:COMMAND".to_owned()),
        }
    }
}

/// The client's part, line by line.
///
/// ```
/// use highwater_examples::talk::{Dialogue, Protocol, Turn};
/// let mut dialogue = Dialogue::new(Protocol::Ftp);
/// assert_eq!(dialogue.hear(b"220 ready\r\n"), Turn::Say("AUTH TLS\r\n".into()));
/// assert_eq!(dialogue.hear(b"234 go ahead\r\n"), Turn::Ready);
/// ```
#[derive(Debug)]
pub struct Dialogue {
    protocol: Protocol,
    step: Step,
    /// The code of a reply of several lines that has begun.
    open: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Greeting,
    Hello,
    Asked,
}

/// Whose turn it is after a line of the server.
///
/// ```
/// use highwater_examples::talk::{Dialogue, Protocol, Turn};
/// assert_eq!(Dialogue::new(Protocol::Smtp).hear(b"554 go away\r\n"), Turn::Refused);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The server's still.
    Listen,
    /// Ours, to say this.
    Say(String),
    /// Ours, to begin TLS.
    Ready,
    /// Nobody's: the server has refused, or said what is no answer.
    Refused,
}

impl Dialogue {
    /// One that has not begun.
    ///
    /// ```
    /// # use highwater_examples::talk::{Dialogue, Protocol};
    /// assert_eq!(Dialogue::new(Protocol::Imap).opening(), None);
    /// ```
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, step: Step::Greeting, open: None }
    }

    /// What is said before the server says anything.
    ///
    /// ```
    /// # use highwater_examples::talk::{Dialogue, Protocol};
    /// let dialogue = Dialogue::new(Protocol::Plain("STARTTLS".into()));
    /// assert_eq!(dialogue.opening().as_deref(), Some("STARTTLS\r\n"));
    /// ```
    pub fn opening(&self) -> Option<String> {
        match &self.protocol {
            Protocol::Plain(command) => Some(format!("{command}\r\n")),
            _ => None,
        }
    }

    /// Takes the server's next line.
    ///
    /// ```
    /// # use highwater_examples::talk::{Dialogue, Protocol, Turn};
    /// let mut dialogue = Dialogue::new(Protocol::Imap);
    /// assert_eq!(dialogue.hear(b"* OK ready\r\n"), Turn::Say("a STARTTLS\r\n".into()));
    /// assert_eq!(dialogue.hear(b"a BAD no\r\n"), Turn::Refused);
    /// ```
    pub fn hear(&mut self, line: &[u8]) -> Turn {
        match self.protocol {
            Protocol::Plain(_) => Turn::Ready,
            Protocol::Imap => self.hear_imap(line),
            Protocol::Smtp | Protocol::Ftp => match self.reply(line) {
                Reply::Goes => Turn::Listen,
                Reply::Code(code) => self.hear_code(code),
                Reply::None => Turn::Refused,
            },
        }
    }

    fn hear_imap(&mut self, line: &[u8]) -> Turn {
        let mut words = line.split(|byte| byte.is_ascii_whitespace());
        let (tag, word) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_ok = word.eq_ignore_ascii_case(b"OK");
        match (self.step, tag) {
            // A greeting of PREAUTH is one, too, and too late for TLS.
            (Step::Greeting, b"*") if is_ok => self.say(Step::Asked, "a STARTTLS\r\n"),
            (Step::Asked, b"*") if !word.eq_ignore_ascii_case(b"BYE") => Turn::Listen,
            (Step::Asked, b"a") if is_ok => Turn::Ready,
            _ => Turn::Refused,
        }
    }

    fn hear_code(&mut self, code: u16) -> Turn {
        let is_smtp = self.protocol == Protocol::Smtp;
        match (self.step, code) {
            (Step::Greeting, 220) if is_smtp => self.say(Step::Hello, "EHLO localhost\r\n"),
            (Step::Hello, 250) => self.say(Step::Asked, "STARTTLS\r\n"),
            (Step::Asked, 220) if is_smtp => Turn::Ready,
            // RFC 959 §4.2: ready in a while.
            (Step::Greeting, 120) if !is_smtp => Turn::Listen,
            (Step::Greeting, 220) => self.say(Step::Asked, "AUTH TLS\r\n"),
            (Step::Asked, 234) if !is_smtp => Turn::Ready,
            _ => Turn::Refused,
        }
    }

    fn say(&mut self, step: Step, line: &str) -> Turn {
        self.step = step;
        Turn::Say(line.to_owned())
    }

    /// RFC 959 §4.2: a reply of several lines begins with its code and a hyphen, ends with the code and a space, and
    /// has anything in between.
    fn reply(&mut self, line: &[u8]) -> Reply {
        let line = line.trim_ascii_end();
        let (digits, rest) = line.split_at(line.len().min(3));
        let is_code = digits.len() == 3 && digits.iter().all(u8::is_ascii_digit);
        let code = is_code.then(|| digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0')));
        match (self.open, code, rest.first()) {
            (None, Some(code), Some(b'-')) => {
                self.open = Some(code);
                Reply::Goes
            }
            (None, Some(code), None | Some(b' ')) => Reply::Code(code),
            (None, ..) => Reply::None,
            (Some(open), Some(code), None | Some(b' ')) if open == code => {
                self.open = None;
                Reply::Code(code)
            }
            (Some(_), ..) => Reply::Goes,
        }
    }
}

/// What a line is of a reply.
enum Reply {
    /// One of several, and not the last.
    Goes,
    /// The only one, or the last.
    Code(u16),
    /// Nothing of the kind.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client says to these lines, and how it ends.
    fn talk(protocol: Protocol, lines: &str) -> (String, Turn) {
        let mut dialogue = Dialogue::new(protocol);
        let mut said = dialogue.opening().unwrap_or_default();
        let mut lines = lines.split('|');
        loop {
            let Some(line) = lines.next() else { return (said, Turn::Listen) };
            match dialogue.hear(format!("{line}\r\n").as_bytes()) {
                Turn::Listen => {}
                Turn::Say(line) => said.push_str(&line),
                end => {
                    assert_eq!(lines.next(), None, "the dialogue is over");
                    return (said, end);
                }
            }
        }
    }

    #[test]
    fn each_protocol_has_its_way_to_tls() {
        let smtp = "EHLO localhost\r\nSTARTTLS\r\n";
        for (protocol, lines, said) in [
            (Protocol::Smtp, "220 a|250 b|220 c", smtp),
            (Protocol::Smtp, "220-a|220 b|250-c|250-STARTTLS|250 HELP|220 d", smtp),
            (Protocol::Smtp, "220|250|220", smtp),
            (Protocol::Ftp, "220 a|234 b", "AUTH TLS\r\n"),
            (Protocol::Ftp, "120 wait|220-a|  anything|221 not the end|220 b|234 c", "AUTH TLS\r\n"),
            (Protocol::Imap, "* OK a|a OK b", "a STARTTLS\r\n"),
            (Protocol::Imap, "* ok a|* CAPABILITY IMAP4rev1|a ok b", "a STARTTLS\r\n"),
            (Protocol::Plain("upgrade".into()), "anything", "upgrade\r\n"),
        ] {
            assert_eq!(talk(protocol, lines), (said.to_owned(), Turn::Ready), "{lines}");
        }
    }

    #[test]
    fn what_is_no_consent_is_a_refusal() {
        for (protocol, lines) in [
            (Protocol::Smtp, "554 a"),
            (Protocol::Smtp, "220 a|500 b"),
            (Protocol::Smtp, "220 a|250 b|454 c"),
            (Protocol::Smtp, "220 a|250 b|234 c"),
            (Protocol::Smtp, "HTTP/1.1 400 Bad Request"),
            (Protocol::Smtp, "22"),
            (Protocol::Smtp, "220x"),
            (Protocol::Smtp, ""),
            (Protocol::Ftp, "220 a|502 b"),
            (Protocol::Ftp, "220 a|220 b"),
            (Protocol::Imap, "* PREAUTH a"),
            (Protocol::Imap, "* BYE a"),
            (Protocol::Imap, "* OK a|a NO b"),
            (Protocol::Imap, "* OK a|* BYE b"),
            (Protocol::Imap, "* OK a|b OK c"),
        ] {
            assert_eq!(talk(protocol, lines).1, Turn::Refused, "{lines}");
        }
    }
}
