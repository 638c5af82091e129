//! What a command means at which moment, and the reply to it.
//!
//! ```text
//!           EHLO, HELO             MAIL                RCPT, at least one
//!  Unknown ───────────▶ Idle ───────────▶ Message ──────────▶ Message ── DATA ──▶ the text, then Idle
//!     ▲                  ▲ ◀── RSET, EHLO ──┘
//!     └── STARTTLS ──────┘
//! ```

use std::borrow::Cow;
use std::time::Duration;

use highwater_examples::smtp::{Command, Credentials, Mailbox, Mistake};
use highwater_net::ServerTls;

use crate::mailbag::Mailbag;

/// RFC 5321 §4.5.3.1.8 demands as many.
const MOST_RECIPIENTS: usize = 100;

/// Whoever makes more of them does not want to send mail.
const MOST_MISTAKES: usize = 10;

/// Between two messages. An envelope with all its recipients takes a tenth of it.
const MOST_COMMANDS: usize = 1000;

/// What holds for every client.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) largest: u64,
    pub(crate) idle: Duration,
    pub(crate) mailbag: Mailbag,
}

/// Who sends a message, and to whom.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) from: Option<Mailbox>,
    pub(crate) to: Vec<Mailbox>,
}

#[derive(Debug)]
enum Stage {
    /// No EHLO yet.
    Unknown,
    /// No message.
    Idle,
    /// An envelope, and no text yet.
    Message(Envelope),
}

/// What is to be done now.
#[derive(Debug)]
pub(crate) enum Step {
    /// Say this and go on.
    Say(Cow<'static, str>),
    /// Say 334, and give the next line to [`Session::credentials`].
    AskCredentials,
    /// Say 220, and go on inside TLS, with [`Session::secured`].
    StartTls,
    /// Say 354, and take the text.
    Take(Envelope),
    /// Say this and close.
    Part(Cow<'static, str>),
}

#[derive(Debug)]
pub(crate) struct Session<'p> {
    policy: &'p Policy,
    stage: Stage,
    /// Inside TLS. Nothing that was said before counts any more.
    secured: bool,
    /// Invariant: only inside TLS.
    authenticated: bool,
    mistakes: usize,
    /// Since the last message.
    commands: usize,
}

impl<'p> Session<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Self { policy, stage: Stage::Unknown, secured: false, authenticated: false, mistakes: 0, commands: 0 }
    }

    /// RFC 3207 §4.2: what was learnt before is forgotten.
    pub(crate) fn secured(self) -> Self {
        Self { secured: true, ..Self::new(self.policy) }
    }

    /// A line without its CRLF.
    pub(crate) fn hear(&mut self, line: &[u8]) -> Step {
        self.commands += 1;
        if self.commands > MOST_COMMANDS {
            return Step::Part("421 4.7.0 too many commands without a message".into());
        }
        match Command::parse(line) {
            Ok(command) => self.obey(command),
            Err(Mistake::Unknown) => self.mistake("500 5.5.1 no such command"),
            Err(Mistake::Arguments(usage)) => self.mistake(format!("501 5.5.4 expected: {usage}")),
            Err(Mistake::Mechanism) => self.mistake("504 5.5.4 only PLAIN"),
            Err(Mistake::Parameter) => self.mistake("555 5.5.4 a parameter that was not offered"),
        }
    }

    /// What was said after 334.
    pub(crate) fn credentials(&mut self, line: &[u8]) -> Step {
        let given = std::str::from_utf8(line).ok().and_then(Credentials::from_plain);
        match (given, &self.policy.credentials) {
            (Some(given), Some(known)) if given.same_as(known) => {
                self.authenticated = true;
                say("235 2.7.0 welcome")
            }
            (None, _) if line == b"*" => self.mistake("501 5.7.0 as you like"),
            (None, _) => self.mistake("501 5.5.2 not the credentials of PLAIN"),
            _ => self.mistake("535 5.7.8 no such user, or not this password"),
        }
    }

    /// A reply to what should not have been said; the last one to somebody who goes on and on.
    pub(crate) fn mistake(&mut self, reply: impl Into<Cow<'static, str>>) -> Step {
        self.mistakes += 1;
        if self.mistakes > MOST_MISTAKES {
            return Step::Part("421 4.7.0 too many mistakes".into());
        }
        Step::Say(reply.into())
    }

    fn obey(&mut self, command: Command<'_>) -> Step {
        match command {
            Command::Helo(_) => {
                self.stage = Stage::Idle;
                say(format!("250 {}", self.policy.name))
            }
            Command::Ehlo(_) => {
                self.stage = Stage::Idle;
                say(self.offers())
            }
            Command::StartTls => self.start_tls(),
            Command::AuthPlain(initial) => self.authenticate(initial),
            Command::Mail { from, size } => self.begin(from, size),
            Command::Rcpt(to) => self.address(to),
            Command::Data => self.take(),
            Command::Rset => {
                if let Stage::Message(_) = self.stage {
                    self.stage = Stage::Idle;
                }
                say("250 2.0.0 forgotten")
            }
            Command::Noop => say("250 2.0.0 nothing done"),
            // RFC 5321 §7.3: nobody is told who is here.
            Command::Vrfy => say("252 2.1.5 send it and see"),
            Command::Quit => Step::Part("221 2.0.0 good-bye".into()),
        }
    }

    fn offers(&self) -> String {
        let Policy { name, tls, credentials, largest, .. } = self.policy;
        let mut lines = vec![name.clone(), "PIPELINING".into(), "8BITMIME".into(), format!("SIZE {largest}")];
        lines.push("ENHANCEDSTATUSCODES".into());
        match (tls, credentials) {
            (Some(_), _) if !self.secured => lines.push("STARTTLS".into()),
            (_, Some(_)) => lines.push("AUTH PLAIN".into()),
            _ => {}
        }
        let last = lines.pop().unwrap_or_default();
        lines.iter().map(|line| format!("250-{line}\r\n")).collect::<String>() + "250 " + &last
    }

    fn start_tls(&mut self) -> Step {
        match self.policy.tls {
            None => self.mistake("502 5.5.1 there is no TLS here"),
            Some(_) if self.secured => self.mistake("503 5.5.1 this is TLS already"),
            Some(_) => Step::StartTls,
        }
    }

    fn authenticate(&mut self, initial: Option<&str>) -> Step {
        match (&self.policy.credentials, &self.stage) {
            (None, _) => self.mistake("502 5.5.1 nobody needs to authenticate here"),
            (Some(_), _) if !self.secured => self.mistake("538 5.7.11 not in plain: STARTTLS first"),
            (Some(_), Stage::Idle) if !self.authenticated => match initial {
                Some(initial) => self.credentials(initial.as_bytes()),
                None => Step::AskCredentials,
            },
            _ => self.mistake("503 5.5.1 once, between EHLO and MAIL"),
        }
    }

    fn begin(&mut self, from: Option<Mailbox>, size: Option<u64>) -> Step {
        match self.stage {
            Stage::Unknown => self.mistake("503 5.5.1 EHLO first"),
            Stage::Message(_) => self.mistake("503 5.5.1 one message after the other"),
            Stage::Idle if self.policy.credentials.is_some() && !self.authenticated => {
                self.mistake(if self.secured { "530 5.7.0 AUTH first" } else { "530 5.7.0 STARTTLS first" })
            }
            Stage::Idle if size.is_some_and(|size| size > self.policy.largest) => say(TOO_LARGE),
            Stage::Idle => {
                self.stage = Stage::Message(Envelope { from, to: Vec::new() });
                say("250 2.1.0 go on")
            }
        }
    }

    fn address(&mut self, recipient: Mailbox) -> Step {
        match &mut self.stage {
            Stage::Message(envelope) if envelope.to.len() < MOST_RECIPIENTS => {
                envelope.to.push(recipient);
                say("250 2.1.5 go on")
            }
            Stage::Message(_) => say("452 4.5.3 enough of them; the others in another message"),
            _ => self.mistake("503 5.5.1 MAIL first"),
        }
    }

    fn take(&mut self) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Message(envelope) if !envelope.to.is_empty() => {
                self.commands = 0;
                Step::Take(envelope)
            }
            other => {
                self.stage = other;
                self.mistake("503 5.5.1 RCPT first")
            }
        }
    }
}

pub(crate) const TOO_LARGE: &str = "552 5.3.4 too large a message";

fn say(reply: impl Into<Cow<'static, str>>) -> Step {
    Step::Say(reply.into())
}
