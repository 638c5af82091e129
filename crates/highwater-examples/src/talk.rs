//! What the line tool makes of bytes, without a network and without a terminal: how they are shown, how lines end,
//! and what is said before TLS begins.

mod check;
mod crlf;
mod dump;
mod escape;
mod lines;
mod starttls;

pub use check::check_talk;
pub use crlf::Crlf;
pub use dump::dump;
pub use escape::Escaper;
pub use lines::Lines;
pub use starttls::{Dialogue, Protocol, Turn};
