//! The head of a request.

use super::Status;
use super::conditions::Conditions;
use super::range::ByteRange;
use super::target::{self, Target};
use std::path::Path;

/// The most bytes of a request's head, without the empty line.
pub const MAX_HEAD: usize = 32 * 1024;
/// The most header fields.
pub const MAX_HEADERS: usize = 100;
/// The most bytes of a request's target. RFC 9112 §3 wants room for a request line of 8000 at least.
pub const MAX_TARGET: usize = 8000;
/// The most bytes of a body, which no file needs and which is thrown away.
pub const MAX_BODY: usize = 64 * 1024;

/// A request for a file that can be answered.
///
/// ```
/// use highwater_examples::http::Request;
/// let request = Request::parse(b"GET /a%20b.txt HTTP/1.1\r\nHost: example.org\r\n\r\n").unwrap();
/// assert_eq!(request.path().to_str(), Some("a b.txt"));
/// assert!(request.keeps_alive());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) method: Method,
    pub(super) target: Target,
    pub(super) range: Option<ByteRange>,
    pub(super) conditions: Conditions,
    connection: Connection,
    body: usize,
    expects_continue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// HTTP/1.1 unless said otherwise.
    Persistent,
    /// HTTP/1.0 on request: the answer has to confirm it.
    KeptAlive,
    Closed,
}

/// A request that is answered with nothing but a status, and is the last of its connection: where the next one
/// begins is not certain.
///
/// ```
/// use highwater_examples::http::{Refusal, Request, Status};
/// let refused = Request::parse(b"DELETE / HTTP/1.1\r\nHost: example.org\r\n\r\n").unwrap_err();
/// assert_eq!(refused, Refusal::from(Status::MethodNotAllowed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) status: Status,
    pub(super) method: Method,
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self { status, method: Method::Get }
    }
}

impl Request {
    /// Understands a head, with the empty line at its end.
    ///
    /// # Errors
    /// The status to refuse it with.
    ///
    /// ```
    /// use highwater_examples::http::{Refusal, Request, Status};
    /// let climbing = Request::parse(b"GET /../etc/passwd HTTP/1.1\r\nHost: example.org\r\n\r\n");
    /// assert_eq!(climbing, Err(Refusal::from(Status::BadRequest)));
    /// ```
    pub fn parse(head: &[u8]) -> Result<Self, Refusal> {
        // RFC 9110 §9.3.2: what answers HEAD has no content, a refusal neither.
        let method = if head.starts_with(b"HEAD ") { Method::Head } else { Method::Get };
        understand(head, method).map_err(|status| Refusal { status, method })
    }

    /// The path beneath the root: plain names only.
    ///
    /// ```
    /// # use highwater_examples::http::Request;
    /// let request = Request::parse(b"HEAD /a/b?c HTTP/1.0\r\n\r\n").unwrap();
    /// assert!(request.path().ends_with("a/b"));
    /// ```
    pub fn path(&self) -> &Path {
        &self.target.path
    }

    /// Whether the path was asked for as a folder, with a slash at its end.
    ///
    /// ```
    /// # use highwater_examples::http::Request;
    /// assert!(Request::parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().is_folder());
    /// ```
    pub fn is_folder(&self) -> bool {
        self.target.is_folder
    }

    /// Whether another request may follow on the connection.
    ///
    /// ```
    /// # use highwater_examples::http::Request;
    /// assert!(!Request::parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().keeps_alive());
    /// ```
    pub fn keeps_alive(&self) -> bool {
        self.connection != Connection::Closed
    }

    /// Makes the request the last of its connection.
    ///
    /// ```
    /// # use highwater_examples::http::Request;
    /// let mut request = Request::parse(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").unwrap();
    /// request.close();
    /// assert!(!request.keeps_alive());
    /// ```
    pub fn close(&mut self) {
        self.connection = Connection::Closed;
    }

    /// What the answer says about the connection.
    pub(super) fn connection_field(&self) -> Option<&'static str> {
        match self.connection {
            Connection::Persistent => None,
            Connection::KeptAlive => Some("keep-alive"),
            Connection::Closed => Some("close"),
        }
    }

    /// How many bytes of a body follow the head. At most [`MAX_BODY`].
    ///
    /// ```
    /// # use highwater_examples::http::Request;
    /// let head = b"GET / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\n";
    /// assert_eq!(Request::parse(head).unwrap().body(), 5);
    /// ```
    pub fn body(&self) -> usize {
        self.body
    }

    /// Whether the client waits for a word before it sends the body.
    ///
    /// ```
    /// # use highwater_examples::http::Request;
    /// assert!(!Request::parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().expects_continue());
    /// ```
    pub fn expects_continue(&self) -> bool {
        self.expects_continue
    }
}

/// Why a head is refused of which [`MAX_HEAD`] bytes have come, and no end.
///
/// ```
/// use highwater_examples::http::{Refusal, Status, refuse_overrun};
/// assert_eq!(refuse_overrun(&[b'x'; 9000]), Refusal::from(Status::UriTooLong));
/// assert_eq!(refuse_overrun(b"GET / HTTP/1.1\r\nCookie: ..."), Refusal::from(Status::HeaderFieldsTooLarge));
/// ```
pub fn refuse_overrun(begun: &[u8]) -> Refusal {
    let line = begun.iter().take(MAX_TARGET).any(|&byte| byte == b'\n');
    if line { Status::HeaderFieldsTooLarge.into() } else { Status::UriTooLong.into() }
}

fn understand(head: &[u8], method: Method) -> Result<Request, Status> {
    if has_lone_line_end(head) {
        return Err(Status::BadRequest);
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Status::BadRequest),
        Err(httparse::Error::TooManyHeaders) => return Err(Status::HeaderFieldsTooLarge),
        // httparse takes 1.0 and 1.1 only.
        Err(httparse::Error::Version) => return Err(Status::VersionNotSupported),
        Err(_) => return Err(Status::BadRequest),
    }
    let target = parsed.path.unwrap_or_default();
    if target.len() > MAX_TARGET {
        return Err(Status::UriTooLong);
    }
    let is_1_1 = parsed.version == Some(1);
    let fields = Fields(parsed.headers);

    // RFC 9112 §3.2: one, and with 1.1 no less.
    let hosts = fields.all("host").count();
    if hosts > 1 || (is_1_1 && hosts == 0) || !fields.all("host").all(is_host) {
        return Err(Status::BadRequest);
    }
    let body = body(&fields, is_1_1)?;
    if !matches!(parsed.method, Some("GET" | "HEAD")) {
        return Err(Status::MethodNotAllowed);
    }
    let body = usize::try_from(body).ok().filter(|body| *body <= MAX_BODY).ok_or(Status::ContentTooLarge)?;
    // RFC 9110 §10.1.1: what a client of 1.0 expects is not looked at.
    let expects_continue = match fields.all("expect").next().filter(|_| is_1_1) {
        None => false,
        Some(value) if value.eq_ignore_ascii_case(b"100-continue") => true,
        Some(_) => return Err(Status::ExpectationFailed),
    };
    Ok(Request {
        method,
        target: target::parse(target).ok_or(Status::BadRequest)?,
        // RFC 9110 §14.2: a range is for GET.
        range: fields.only("range").filter(|_| method == Method::Get).and_then(ByteRange::parse),
        conditions: Conditions {
            if_none_match: fields.text("if-none-match"),
            if_modified_since: fields.text("if-modified-since"),
            if_range: fields.text("if-range"),
        },
        connection: connection(&fields, is_1_1),
        body,
        expects_continue: expects_continue && body > 0,
    })
}

/// Whether there is a CR or an LF anywhere but in a CRLF.
fn has_lone_line_end(head: &[u8]) -> bool {
    let lone = |at: usize| match head[at] {
        b'\n' => at == 0 || head[at - 1] != b'\r',
        b'\r' => head.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..head.len()).any(lone)
}

/// Whether every character may stand in a host and its port, by RFC 3986 §3.2.2. Whose it is does not matter.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte))
}

/// The length of the body, by RFC 9112 §6.3.
fn body(fields: &Fields<'_>, is_1_1: bool) -> Result<u64, Status> {
    let mut lengths = fields.all("content-length");
    let length = lengths.next();
    if lengths.next().is_some() {
        return Err(Status::BadRequest);
    }
    if fields.all("transfer-encoding").next().is_some() {
        let is_plain = is_1_1 && length.is_none();
        return Err(if is_plain { Status::LengthRequired } else { Status::BadRequest });
    }
    let Some(digits) = length else { return Ok(0) };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Status::BadRequest);
    }
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    Ok(digits.parse().unwrap_or(u64::MAX))
}

fn connection(fields: &Fields<'_>, is_1_1: bool) -> Connection {
    let options = || fields.all("connection").flat_map(|value| value.split(|&byte| byte == b','));
    let says = |option: &str| options().any(|said| said.trim_ascii().eq_ignore_ascii_case(option.as_bytes()));
    match () {
        () if says("close") => Connection::Closed,
        () if is_1_1 => Connection::Persistent,
        () if says("keep-alive") => Connection::KeptAlive,
        () => Connection::Closed,
    }
}

/// Header fields, found by name in any case.
struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value, unless there are several.
    fn only(&self, name: &str) -> Option<&'a [u8]> {
        let mut all = self.all(name);
        all.next().filter(|_| all.next().is_none())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.only(name).and_then(|value| String::from_utf8(value.to_vec()).ok())
    }
}

#[cfg(test)]
#[path = "request/tests.rs"]
mod tests;
