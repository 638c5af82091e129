//! What has to hold of every head, whoever sent it.

use super::request::Method;
use super::{Answer, Content, MAX_BODY, Request, Status, Version};
use std::path::Component;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Takes bytes for heads, one behind the other, decides what each is answered with, and panics where an answer would
/// do harm: a path that leads out of the root, content that is not what the head announces, a line that the client
/// has put there.
///
/// The first two bytes choose the length and the time of the file.
///
/// ```
/// highwater_examples::http::check_request(b"\x05\x00GET /../a HTTP/1.1\r\nHost: example.org\r\n\r\n");
/// ```
pub fn check_request(bytes: &[u8]) {
    const END: &[u8] = b"\r\n\r\n";
    let Some((&[length, modified], mut heads)) = bytes.split_first_chunk() else { return };
    while let Some(end) = heads.windows(END.len()).position(|bytes| bytes == END) {
        let (head, rest) = heads.split_at(end + END.len());
        check_head(head, length, modified);
        heads = rest;
    }
    check_head(heads, length, modified);
}

fn check_head(head: &[u8], length: u8, modified: u8) {
    let request = match Request::parse(head) {
        Ok(request) => request,
        Err(refused) => {
            let answer = Answer::refusal(refused);
            check(&answer, head.starts_with(b"HEAD "), u64::MAX);
            assert!(answer.head(UNIX_EPOCH).contains("\r\nConnection: close\r\n"));
            return;
        }
    };

    assert!(head.starts_with(b"\r\n") || head.starts_with(b"GET ") || head.starts_with(b"HEAD "));
    assert!(head.ends_with(b"\r\n\r\n"));
    for component in request.path().components() {
        let Component::Normal(name) = component else { panic!("{component:?} in {:?}", request.path()) };
        let name = name.to_str().expect("a name was decoded from UTF-8");
        assert!(!name.contains(['/', '\\', '\0', '\r', '\n']) && name != "..", "{name:?}");
    }
    assert!(request.body() <= MAX_BODY);
    assert!(request.body() > 0 || !request.expects_continue());

    let (length, modified) = (u64::from(length), Duration::from_secs(u64::from(modified) << 32));
    let version = Version::new(length, UNIX_EPOCH + modified);
    let is_head = request.method == Method::Head;
    check(&Answer::file(&request, version, "text/plain"), is_head, length);
    check(&Answer::status(&request, Status::NotFound), is_head, length);
    let redirect = Answer::to_folder(&request);
    check(&redirect, is_head, length);
    let head = redirect.head(UNIX_EPOCH);
    let (_, location) = head.split_once("\r\nLocation: /").expect("a redirect says where to");
    assert!(!location.starts_with(['/', '\\']) || request.target.written == "/", "{location:?}");
}

fn check(answer: &Answer, is_head: bool, length: u64) {
    let head = answer.head(SystemTime::UNIX_EPOCH);
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Response::new(&mut headers);
    let read = parsed.parse(head.as_bytes()).expect("an answer is well-formed");
    assert_eq!(read, httparse::Status::Complete(head.len()), "{head:?}");

    let value = |name: &str| {
        let mut found = parsed.headers.iter().filter(|field| field.name == name).map(|field| field.value);
        let value = found.next();
        assert!(found.next().is_none(), "{name} twice in {head:?}");
        value.map(|value| std::str::from_utf8(value).expect("an answer is text"))
    };
    let announced =
        value("Content-Length").map(|length| length.parse::<u64>().expect("a length is a number"));
    value("Connection");
    match answer.content() {
        Content::Nothing => assert!(is_head || parsed.code == Some(Status::NotModified.code())),
        Content::Text(text) => assert_eq!(announced, Some(text.len() as u64)),
        Content::File(range) => {
            assert!(range.start <= range.end && range.end <= length, "{range:?} of {length}");
            assert_eq!(announced, Some(range.end - range.start));
            assert_eq!(value("Content-Range").is_some(), parsed.code == Some(Status::PartialContent.code()));
        }
    }
}
