//! What is true of whatever a peer says: a function for each fuzz target, which tests replay the corpora with.

mod framed;
mod mail;

pub use crate::http::check_request as http_request;
pub use crate::talk::check_talk as talk;
pub use framed::{content_length, proxy_header, resp};
pub use mail::{ftp, smtp};
