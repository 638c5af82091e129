use super::*;

const HOST: &str = "Host: example.org\r\n";

fn parse(method: &str, target: &str, fields: &str) -> Result<Request, Status> {
    let head = format!("{method} {target} HTTP/1.1\r\n{HOST}{fields}\r\n");
    Request::parse(head.as_bytes()).map_err(|refused| refused.status)
}

fn status(head: &str) -> Option<Status> {
    Request::parse(head.as_bytes()).err().map(|refused| refused.status)
}

#[test]
fn a_request_line_is_a_method_a_target_and_a_version() {
    for (head, expected) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", None),
        ("GET / HTTP/1.0\r\n\r\n", None),
        ("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", None),
        ("\r\n\r\n", Some(Status::BadRequest)),
        ("GET /\r\n\r\n", Some(Status::BadRequest)),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::BadRequest)),
        ("GET / a HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::VersionNotSupported)),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::BadRequest)),
        ("GET /.. HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::BadRequest)),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Some(Status::VersionNotSupported)),
        ("PRI * HTTP/2.0\r\n\r\n", Some(Status::VersionNotSupported)),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::MethodNotAllowed)),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::MethodNotAllowed)),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Some(Status::MethodNotAllowed)),
        ("\u{16}\u{3}\u{1}\r\n\r\n", Some(Status::BadRequest)),
    ] {
        assert_eq!(status(head), expected, "{head:?}");
    }
}

#[test]
fn what_two_programs_may_read_differently_is_refused() {
    for (fields, expected) in [
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Status::BadRequest),
        ("Content-Length: 5, 5\r\n", Status::BadRequest),
        ("Content-Length: +5\r\n", Status::BadRequest),
        ("Content-Length: 0x5\r\n", Status::BadRequest),
        ("Content-Length:\r\n", Status::BadRequest),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Status::BadRequest),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", Status::BadRequest),
        ("Transfer-Encoding: chunked\r\n", Status::LengthRequired),
        ("Transfer-Encoding : chunked\r\n", Status::BadRequest),
        ("A: b\r\n c\r\n", Status::BadRequest),
        (" A: b\r\n", Status::BadRequest),
        ("A: b\nC: d\r\n", Status::BadRequest),
        ("A: b\rC: d\r\n", Status::BadRequest),
        ("A: \0\r\n", Status::BadRequest),
        ("A b\r\n", Status::BadRequest),
        ("Host: another.example\r\n", Status::BadRequest),
    ] {
        assert_eq!(parse("GET", "/", fields), Err(expected), "{fields:?}");
    }
    for host in ["a b", "a/", "a@b", "a?", "a#", "a\\b", "\u{e4}"] {
        assert_eq!(
            status(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")),
            Some(Status::BadRequest),
            "{host}"
        );
    }
    for host in ["", "example.org:8000", "[::1]:80", "xn--4ca.example"] {
        assert_eq!(status(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), None, "{host}");
    }
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), Some(Status::BadRequest));
    assert_eq!(status("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Some(Status::BadRequest));
    assert_eq!(status("GET / HTTP/1.1\nHost: a\n\n"), Some(Status::BadRequest));
    assert_eq!(status("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), Some(Status::BadRequest));
}

#[test]
fn everything_has_a_most_that_passes() {
    let target = |length: usize| format!("/{}", "a".repeat(length - 1));
    assert!(parse("GET", &target(MAX_TARGET), "").is_ok());
    assert_eq!(parse("GET", &target(MAX_TARGET + 1), ""), Err(Status::UriTooLong));

    let fields = |count: usize| "A: b\r\n".repeat(count - 1); // and the host
    assert!(parse("GET", "/", &fields(MAX_HEADERS)).is_ok());
    assert_eq!(parse("GET", "/", &fields(MAX_HEADERS + 1)), Err(Status::HeaderFieldsTooLarge));

    let body = |length: usize| parse("GET", "/", &format!("Content-Length: {length}\r\n"));
    assert_eq!(body(MAX_BODY).unwrap().body(), MAX_BODY);
    assert_eq!(body(MAX_BODY + 1), Err(Status::ContentTooLarge));
    let endless = "Content-Length: 99999999999999999999999\r\n";
    assert_eq!(parse("GET", "/", endless), Err(Status::ContentTooLarge));
    assert_eq!(parse("POST", "/", endless), Err(Status::MethodNotAllowed));
}

#[test]
fn the_connection_goes_on_by_version_and_by_word() {
    for (version, fields, keeps, said) in [
        ("1.1", "", true, None),
        ("1.1", "Connection: close\r\n", false, Some("close")),
        ("1.1", "Connection: TE, Close\r\n", false, Some("close")),
        ("1.1", "Connection: TE\r\nconnection: close\r\n", false, Some("close")),
        ("1.0", "", false, Some("close")),
        ("1.0", "Connection: Keep-Alive\r\n", true, Some("keep-alive")),
        ("1.0", "Connection: keep-alive, close\r\n", false, Some("close")),
    ] {
        let head = format!("GET / HTTP/{version}\r\n{HOST}{fields}\r\n");
        let request = Request::parse(head.as_bytes()).unwrap();
        assert_eq!((request.keeps_alive(), request.connection_field()), (keeps, said), "{head}");
    }
}

#[test]
fn a_body_may_be_expected() {
    let parsed = parse("GET", "/", "Content-Length: 1\r\nExpect: 100-Continue\r\n").unwrap();
    assert!(parsed.expects_continue());
    assert!(!parse("GET", "/", "Expect: 100-continue\r\n").unwrap().expects_continue());
    assert_eq!(parse("GET", "/", "Expect: tea\r\n"), Err(Status::ExpectationFailed));
}

#[test]
fn a_range_is_for_get_and_not_given_twice() {
    let range = "Range: bytes=0-1\r\n";
    assert!(parse("GET", "/", range).unwrap().range.is_some());
    assert!(parse("HEAD", "/", range).unwrap().range.is_none());
    assert!(parse("GET", "/", &range.repeat(2)).unwrap().range.is_none());
}
