//! A file server's half of HTTP/1.1, without a network and without files: the head of a request in, the head of
//! its answer out.
//!
//! A head is taken as RFC 9112 has it and no other way, for what two programs on a path read differently is how
//! requests are smuggled: a CR or an LF alone, a folded line, two lengths, a length beside a transfer coding, are
//! all refused, and a request that is refused is the last of its connection. Refused as well, since no file needs
//! them, are bodies of a transfer coding (411) and long ones (413). `If-Match` and `If-Unmodified-Since` are not
//! looked at: nothing is changed here.

mod answer;
mod check;
mod conditions;
mod range;
mod request;
mod status;
mod target;

pub use answer::{Answer, Content};
pub use check::check_request;
pub use conditions::Version;
pub use request::{MAX_BODY, MAX_HEAD, MAX_HEADERS, MAX_TARGET, Refusal, Request, refuse_overrun};
pub use status::Status;
