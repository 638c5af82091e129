//! SMTP's words, for the programs on either end: RFC 5321 and the extensions that they know.
//!
//! Functions of bytes alone; who waits for what is in `src/bin/smtp-send` and `src/bin/smtp-receive`.

mod auth;
mod command;
mod dots;
mod extensions;
mod mailbox;

pub use auth::Credentials;
pub use command::{Command, Mistake};
pub use dots::{DataLine, Stuffer};
pub use extensions::Extensions;
pub use mailbox::Mailbox;
