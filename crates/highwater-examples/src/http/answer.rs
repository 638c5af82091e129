//! The answer to a request: its head, and what follows.

use super::range::Part;
use super::request::Method;
use super::{Refusal, Request, Status, Version};
use std::fmt::Write;
use std::ops::Range;
use std::time::SystemTime;

/// An answer, to be sent as [`head`](Self::head) and then its content.
///
/// ```
/// use highwater_examples::http::{Answer, Content, Request, Version};
/// let head = b"GET /a.txt HTTP/1.1\r\nHost: example.org\r\nRange: bytes=-2\r\n\r\n";
/// let request = Request::parse(head).unwrap();
/// let answer = Answer::file(&request, Version::new(5, std::time::UNIX_EPOCH), "text/plain");
/// assert!(answer.head(std::time::SystemTime::now()).starts_with("HTTP/1.1 206 Partial Content\r\n"));
/// assert_eq!(answer.content(), &Content::File(3..5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: Status,
    fields: Vec<(&'static str, String)>,
    content: Content,
}

/// What follows the head of an answer.
///
/// ```
/// use highwater_examples::http::{Answer, Content, Status};
/// let answer = Answer::refusal(Status::BadRequest.into());
/// assert_eq!(answer.content(), &Content::Text("400 Bad Request\n".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// A sentence for a person.
    Text(String),
    /// These bytes of the file.
    File(Range<u64>),
}

impl Answer {
    /// The file that was asked for, or as much of it as was asked for and is not there yet.
    ///
    /// ```
    /// use highwater_examples::http::{Answer, Content, Request, Version};
    /// let request = Request::parse(b"HEAD /a.txt HTTP/1.0\r\n\r\n").unwrap();
    /// let answer = Answer::file(&request, Version::new(5, std::time::UNIX_EPOCH), "text/plain");
    /// assert!(answer.head(std::time::SystemTime::now()).contains("\r\nContent-Length: 5\r\n"));
    /// assert_eq!(answer.content(), &Content::Nothing);
    /// ```
    pub fn file(request: &Request, version: Version, content_type: &str) -> Self {
        let length = version.length;
        let mut fields = vec![
            ("ETag", version.tag()),
            ("Last-Modified", version.date()),
            ("Accept-Ranges", "bytes".to_owned()),
            // What a file is, is said by its name; a browser is not to guess better.
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        if request.conditions.client_has(version) {
            return Self { status: Status::NotModified, fields, content: Content::Nothing }.to(request);
        }
        let range = request.range.filter(|_| request.conditions.allow_part(version));
        let (status, range) = match range.map(|range| range.of(length)) {
            None => (Status::Ok, 0..length),
            Some(Part::Of(range)) => {
                fields.push(("Content-Range", format!("bytes {}-{}/{length}", range.start, range.end - 1)));
                (Status::PartialContent, range)
            }
            Some(Part::None) => {
                let mut answer = Self::text(Status::RangeNotSatisfiable);
                answer.fields.push(("Content-Range", format!("bytes */{length}")));
                return answer.to(request);
            }
        };
        fields.push(("Content-Type", content_type.to_owned()));
        fields.push(("Content-Length", (range.end - range.start).to_string()));
        Self { status, fields, content: Content::File(range) }.to(request)
    }

    /// No file: a status and a sentence.
    ///
    /// ```
    /// use highwater_examples::http::{Answer, Request, Status};
    /// let request = Request::parse(b"GET /a.txt HTTP/1.0\r\n\r\n").unwrap();
    /// let answer = Answer::status(&request, Status::NotFound);
    /// assert!(answer.head(std::time::SystemTime::now()).starts_with("HTTP/1.1 404 Not Found\r\n"));
    /// ```
    pub fn status(request: &Request, status: Status) -> Self {
        Self::text(status).to(request)
    }

    /// The same path with a slash: relative links in a folder's index count from there.
    ///
    /// ```
    /// use highwater_examples::http::{Answer, Request};
    /// let request = Request::parse(b"GET /folder HTTP/1.0\r\n\r\n").unwrap();
    /// let head = Answer::to_folder(&request).head(std::time::SystemTime::now());
    /// assert!(head.contains("\r\nLocation: /folder/\r\n"));
    /// ```
    pub fn to_folder(request: &Request) -> Self {
        let mut answer = Self::text(Status::MovedPermanently);
        // It begins with one slash, so that no other host is named.
        answer.fields.push(("Location", format!("{}/", request.target.written)));
        answer.to(request)
    }

    /// The last answer of a connection.
    ///
    /// ```
    /// use highwater_examples::http::{Answer, Request};
    /// let refused = Request::parse(b"nonsense\r\n\r\n").unwrap_err();
    /// let head = Answer::refusal(refused).head(std::time::SystemTime::now());
    /// assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n") && head.contains("\r\nConnection: close\r\n"));
    /// ```
    pub fn refusal(refused: Refusal) -> Self {
        let mut answer = Self::text(refused.status);
        if refused.status == Status::MethodNotAllowed {
            answer.fields.push(("Allow", "GET, HEAD".to_owned()));
        }
        answer.fields.push(("Connection", "close".to_owned()));
        answer.by(refused.method)
    }

    /// The status line and the fields, with the empty line.
    ///
    /// ```
    /// use highwater_examples::http::{Answer, Status};
    /// let head = Answer::refusal(Status::BadRequest.into()).head(std::time::UNIX_EPOCH);
    /// assert!(head.contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
    /// ```
    pub fn head(&self, now: SystemTime) -> String {
        let mut head = format!("HTTP/1.1 {}\r\nDate: {}\r\n", self.status, httpdate::fmt_http_date(now));
        for (name, value) in &self.fields {
            // A `String` takes everything.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        head
    }

    /// What is to be sent after the head.
    ///
    /// ```
    /// use highwater_examples::http::{Answer, Content, Status};
    /// let answer = Answer::refusal(Status::UriTooLong.into());
    /// assert_eq!(answer.content(), &Content::Text("414 URI Too Long\n".into()));
    /// ```
    pub fn content(&self) -> &Content {
        &self.content
    }

    fn text(status: Status) -> Self {
        let text = format!("{status}\n");
        let fields = vec![
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("Content-Length", text.len().to_string()),
        ];
        Self { status, fields, content: Content::Text(text) }
    }

    fn to(mut self, request: &Request) -> Self {
        self.fields.extend(request.connection_field().map(|said| ("Connection", said.to_owned())));
        self.by(request.method)
    }

    fn by(mut self, method: Method) -> Self {
        if method == Method::Head {
            self.content = Content::Nothing;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const LENGTH: u64 = 10;

    fn answer(method: &str, fields: &str) -> (String, Content) {
        let head = format!("{method} /a.txt HTTP/1.1\r\nHost: example.org\r\n{fields}\r\n");
        let request = Request::parse(head.as_bytes()).unwrap();
        let answer = Answer::file(&request, Version::new(LENGTH, UNIX_EPOCH), "text/plain");
        (answer.head(UNIX_EPOCH), answer.content)
    }

    #[test]
    fn a_file_comes_whole_or_in_part_or_not_again() {
        for (method, fields, status, content, field) in [
            ("GET", "", "200", Content::File(0..10), "Content-Length: 10"),
            ("HEAD", "", "200", Content::Nothing, "Content-Length: 10"),
            ("GET", "Range: bytes=2-5", "206", Content::File(2..6), "Content-Range: bytes 2-5/10"),
            ("GET", "Range: bytes=-3", "206", Content::File(7..10), "Content-Length: 3"),
            ("HEAD", "Range: bytes=2-5", "200", Content::Nothing, "Content-Length: 10"),
            ("GET", "Range: bytes=0-1,3-4", "200", Content::File(0..10), "Content-Length: 10"),
            (
                "GET",
                "Range: bytes=2-5\r\nIf-Range: \"x\"",
                "200",
                Content::File(0..10),
                "Accept-Ranges: bytes",
            ),
            ("GET", "Range: bytes=2-5\r\nIf-Range: \"a-0\"", "206", Content::File(2..6), "ETag: \"a-0\""),
            ("GET", "If-None-Match: \"a-0\"", "304", Content::Nothing, "ETag: \"a-0\""),
            ("GET", "If-None-Match: \"b\"", "200", Content::File(0..10), "ETag: \"a-0\""),
        ] {
            let fields = if fields.is_empty() { String::new() } else { format!("{fields}\r\n") };
            let (head, found) = answer(method, &fields);
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{fields}: {head}");
            assert!(head.contains(&format!("\r\n{field}\r\n")), "{fields}: {head}");
            assert_eq!(found, content, "{fields}");
        }
    }

    #[test]
    fn a_range_that_is_not_there_tells_the_length() {
        let (head, content) = answer("GET", "Range: bytes=10-\r\n");
        assert!(head.starts_with("HTTP/1.1 416 Range Not Satisfiable\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Range: bytes */10\r\n"), "{head}");
        assert!(matches!(content, Content::Text(_)));
    }

    #[test]
    fn what_answers_head_has_no_content() {
        for head in ["HEAD /.. HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / HTTP/1.1\r\n\r\n"] {
            let answer = Answer::refusal(Request::parse(head.as_bytes()).unwrap_err());
            assert_eq!(answer.content, Content::Nothing);
            assert!(answer.head(UNIX_EPOCH).contains("\r\nContent-Length: 16\r\n"));
        }
    }
}
