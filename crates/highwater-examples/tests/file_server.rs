//! The file server as clients meet it: every byte that it sends, over TCP, Unix sockets and TLS.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use highwater_net::{Bytes, ClientTls, ReadExactlyError, Roots, StreamReader, StreamWriter, open_connection};
use support::{Server, certificate, run};
use tokio::time::timeout;

const FILE_SERVER: &str = env!("CARGO_BIN_EXE_file-server");

/// For one answer. Many times what it takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

const BULK: usize = 8 * 1024 * 1024;

/// Bytes of which no two parts are the same.
fn bulk() -> Vec<u8> {
    (0..BULK as u32 / 4).flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// A folder with a root in it, and what is beside the root.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("highwater-files-{}-{name}", std::process::id()));
        let root = folder.join("root");
        std::fs::create_dir_all(root.join("deep/er")).unwrap();
        std::fs::create_dir_all(root.join("empty")).unwrap();
        std::fs::create_dir_all(folder.join("root-2")).unwrap();
        std::fs::write(root.join("a.txt"), "0123456789").unwrap();
        std::fs::write(root.join("nothing.bin"), "").unwrap();
        std::fs::write(root.join("bulk.bin"), bulk()).unwrap();
        std::fs::write(root.join("a b ä.css"), "body {}").unwrap();
        std::fs::write(root.join("deep/er/index.html"), "<p>index</p>").unwrap();
        std::fs::write(folder.join("secret.txt"), "secret").unwrap();
        std::fs::write(folder.join("root-2/secret.txt"), "secret").unwrap();
        Self(folder)
    }

    fn root(&self) -> String {
        self.0.join("root").to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn serving(folder: &Folder, arguments: &[&str]) -> Server {
    let root = folder.root();
    Server::start(FILE_SERVER, &[&["--port", "0", &root], arguments].concat()).await
}

struct Answered {
    status: u16,
    head: String,
    body: Bytes,
}

impl Answered {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

struct Client {
    reader: StreamReader,
    writer: StreamWriter,
}

impl Client {
    async fn of(server: &Server) -> Self {
        let (reader, writer) = open_connection(server.address).await.unwrap();
        Self { reader, writer }
    }

    fn send(&self, text: impl AsRef<[u8]>) {
        self.writer.write(text.as_ref()).unwrap();
    }

    /// The next answer. One to HEAD has no body, whatever its length.
    async fn answer(&mut self, method: &str) -> Answered {
        let head = timeout(TIME_LIMIT, self.reader.read_until(b"\r\n\r\n")).await.unwrap().unwrap();
        let head = String::from_utf8(head.to_vec()).unwrap();
        let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
        let mut answered = Answered { status, head, body: Bytes::new() };
        if method != "HEAD" {
            let length = answered.field("Content-Length").map_or(0, |length| length.parse().unwrap());
            answered.body = timeout(TIME_LIMIT, self.reader.read_exactly(length)).await.unwrap().unwrap();
        }
        answered
    }

    async fn ask(&mut self, method: &str, target: &str, fields: &str) -> Answered {
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        self.answer(method).await
    }

    async fn get(&mut self, target: &str) -> Answered {
        self.ask("GET", target, "").await
    }

    async fn is_over(&mut self) -> bool {
        timeout(TIME_LIMIT, self.reader.read(1)).await.unwrap().unwrap().is_empty()
    }
}

/// What is answered to bytes that are sent as they are, and whether that is the last answer.
async fn refused(server: &Server, request: impl AsRef<[u8]>) -> (u16, String) {
    let mut client = Client::of(server).await;
    client.send(request);
    let answered = client.answer("GET").await;
    assert_eq!(answered.field("Connection"), Some("close"), "{}", answered.head);
    assert!(client.is_over().await);
    (answered.status, answered.head)
}

#[tokio::test]
async fn it_explains_itself_and_refuses_what_it_cannot_serve() {
    let ended = run(FILE_SERVER, &["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("Usage: file-server [OPTIONS] <ROOT>"), "{}", ended.stdout);

    for (arguments, code, said) in [
        (&["no/such/folder"][..], 1, "file-server: no/such/folder cannot be served: "),
        (&["/dev/null"], 1, "file-server: /dev/null is not a folder\n"),
        (&["--tls-cert", "no.pem", "--tls-key", "no.pem", "--port", "0", "/"], 1, "file-server: "),
        (&["--tls-cert", "no.pem", "/"], 2, "error: "),
        (&[], 2, "error: "),
    ] {
        let ended = run(FILE_SERVER, arguments).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(ended.stderr.starts_with(said), "{arguments:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn one_connection_brings_file_after_file() {
    let folder = Folder::new("files");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    for (target, content_type, body) in [
        ("/a.txt", "text/plain; charset=utf-8", &b"0123456789"[..]),
        ("/a.txt?version=2", "text/plain; charset=utf-8", b"0123456789"),
        ("http://a/a.txt", "text/plain; charset=utf-8", b"0123456789"),
        ("/a%20b%20%C3%A4.css", "text/css; charset=utf-8", b"body {}"),
        ("/deep/er/", "text/html; charset=utf-8", b"<p>index</p>"),
        ("/nothing.bin", "application/octet-stream", b""),
        ("/bulk.bin", "application/octet-stream", &bulk()),
    ] {
        let whole = client.get(target).await;
        assert_eq!((whole.status, whole.field("Content-Type")), (200, Some(content_type)), "{target}");
        assert_eq!(whole.field("Connection"), None);
        assert!(whole.body == body, "{target}");

        let head = client.ask("HEAD", target, "").await;
        let length = body.len().to_string();
        assert_eq!((head.status, head.field("Content-Length")), (200, Some(length.as_str())), "{target}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_a_folder_gets_its_slash() {
    let folder = Folder::new("missing");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    let long = format!("/{}", "a".repeat(5000));
    for target in ["/no", "/a.txt/", "/a.txt/b", "/empty/", "/", "/deep/er/index.html/", &long] {
        let answered = client.get(target).await;
        assert_eq!((answered.status, &answered.body[..]), (404, &b"404 Not Found\n"[..]), "{target}");
    }
    for target in ["/deep/er", "/deep/er?a"] {
        let answered = client.get(target).await;
        assert_eq!((answered.status, answered.field("Location")), (301, Some("/deep/er/")), "{target}");
    }
}

#[tokio::test]
async fn a_range_is_the_same_bytes() {
    let folder = Folder::new("ranges");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    let bulk = bulk();
    let last = BULK - 1;
    for (range, first, end) in [
        ("0-0".to_owned(), 0, 1),
        ("65535-65537".to_owned(), 65_535, 65_538),
        (format!("{last}-"), last, BULK),
        (format!("1-{BULK}"), 1, BULK),
        ("-100000".to_owned(), BULK - 100_000, BULK),
    ] {
        let part = client.ask("GET", "/bulk.bin", &format!("Range: bytes={range}\r\n")).await;
        assert_eq!(part.status, 206, "{range}");
        let said = format!("bytes {first}-{}/{BULK}", end - 1);
        assert_eq!(part.field("Content-Range"), Some(said.as_str()));
        assert!(part.body == bulk[first..end], "{range}");
    }
    for (range, status, field) in [
        ("10-", 416, Some("bytes */10")),
        ("-0", 416, Some("bytes */10")),
        ("0-1,3-4", 200, None),
        ("x", 200, None),
    ] {
        let part = client.ask("GET", "/a.txt", &format!("Range: bytes={range}\r\n")).await;
        assert_eq!((part.status, part.field("Content-Range")), (status, field), "{range}");
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let folder = Folder::new("conditions");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    let first = client.get("/a.txt").await;
    let (tag, date) = (first.field("ETag").unwrap(), first.field("Last-Modified").unwrap());
    for fields in [format!("If-None-Match: {tag}\r\n"), format!("If-Modified-Since: {date}\r\n")] {
        let again = client.ask("GET", "/a.txt", &fields).await;
        assert_eq!((again.status, again.field("ETag")), (304, Some(tag)), "{fields}");
    }
    std::fs::write(folder.file("root/a.txt"), "changed").unwrap();
    let again = client.ask("GET", "/a.txt", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!((again.status, &again.body[..]), (200, &b"changed"[..]));
}

#[tokio::test]
async fn requests_that_come_at_once_are_answered_in_their_order() {
    let folder = Folder::new("pipelined");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    let one = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nHEAD /bulk.bin HTTP/1.1\r\nHost: a\r\n\r\n\
               GET /no HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET GET /nothing.bin HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(one.repeat(50));
    client.send("GET /bulk.bin HTTP/1.0\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    for _ in 0..50 {
        assert_eq!(client.answer("GET").await.body, "0123456789");
        assert_eq!(client.answer("HEAD").await.status, 200);
        assert_eq!(client.answer("GET").await.status, 404);
        assert_eq!(client.answer("GET").await.field("Content-Length"), Some("0"));
    }
    assert!(client.answer("GET").await.body == bulk());
    assert!(client.is_over().await, "HTTP/1.0 is for one request");
}

#[tokio::test]
async fn a_client_of_http_1_0_keeps_its_connection_on_request() {
    let folder = Folder::new("http-1-0");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    for _ in 0..3 {
        client.send("GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(client.answer("GET").await.field("Connection"), Some("keep-alive"));
    }
    let last = client.ask("GET", "/a.txt", "Connection: close\r\n").await;
    assert_eq!((last.field("Connection"), last.body.as_ref()), (Some("close"), &b"0123456789"[..]));
    assert!(client.is_over().await);
}

#[tokio::test]
async fn a_body_is_waited_for_and_thrown_away() {
    let folder = Folder::new("body");
    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.answer("HEAD").await.status, 100);
    client.send("abc");
    assert_eq!(client.answer("GET").await.status, 200);
    assert_eq!(client.get("/a.txt").await.status, 200);
}

#[tokio::test]
async fn what_is_no_request_for_a_file_is_refused_with_its_status() {
    let folder = Folder::new("refused");
    let server = serving(&folder, &[]).await;
    let get = |fields: &str| format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET /a.txt HTTP/1.1\n\n".to_owned(), 400),
        ("GET /a.txt HTTP/1.1\r\n\r\n".to_owned(), 400),
        (get("A: b\r\n folded\r\n"), 400),
        (get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400),
        (get("Transfer-Encoding: chunked\r\n"), 411),
        (get("Content-Length: 65537\r\n"), 413),
        (get("Expect: tea\r\n"), 417),
        ("POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".to_owned(), 405),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(8000)), 414),
        ("a".repeat(200_000), 414),
        (get(&format!("Cookie: {}\r\n", "a".repeat(100_000))), 431),
        (get(&"A: b\r\n".repeat(100)), 431),
        ("GET /a.txt HTTP/3.0\r\nHost: a\r\n\r\n".to_owned(), 505),
        // What a browser says that takes us for an HTTPS server.
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".to_owned(), 400),
    ] {
        let (found, head) = refused(&server, &request).await;
        assert_eq!(found, status, "{}", &request[..request.len().min(100)]);
        assert_eq!(head.contains("\r\nAllow: GET, HEAD\r\n"), status == 405);
    }
    assert_eq!(Client::of(&server).await.get("/a.txt").await.status, 200);
}

#[tokio::test]
async fn no_path_leads_out_of_the_root() {
    let folder = Folder::new("traversal");
    let server = serving(&folder, &[]).await;
    for target in [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/deep/../../secret.txt",
        "/deep/..%5c..%5csecret.txt",
        "/..\\secret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/../root-2/secret.txt",
        "/a.txt%00.html",
        "/%c0%ae%c0%ae/secret.txt",
        "/.%2e/secret.txt",
        "/./a.txt",
        "http://a/../secret.txt",
    ] {
        let (status, _) = refused(&server, format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(status, 400, "{target}");
    }
    // What is decoded once is not decoded twice.
    assert_eq!(Client::of(&server).await.get("/%252e%252e/secret.txt").await.status, 404);
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_leads_out_of_the_root() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("links");
    let links = [
        ("file", folder.file("secret.txt")),
        ("folder", folder.file("root-2")),
        ("up", PathBuf::from("..")),
        ("passwd", PathBuf::from("/etc/passwd")),
        ("loop", PathBuf::from("loop")),
        ("inside", PathBuf::from("deep/er/index.html")),
    ];
    for (name, to) in links {
        symlink(to, folder.file("root").join(name)).unwrap();
    }
    let pipe = folder.file("root/pipe");
    assert_eq!(run("mkfifo", &[pipe.to_str().unwrap()]).await.code, Some(0));

    let server = serving(&folder, &[]).await;
    let mut client = Client::of(&server).await;
    for target in ["/file", "/folder/secret.txt", "/up/secret.txt", "/up", "/passwd", "/loop", "/pipe"] {
        assert_eq!(client.get(target).await.status, 404, "{target}");
    }
    assert_eq!(client.get("/inside").await.body, "<p>index</p>");
}

#[tokio::test]
async fn patience_has_an_end() {
    let folder = Folder::new("patience");
    let server = serving(&folder, &["--patience", "3"]).await;
    let mut slow = Client::of(&server).await;
    slow.send("GET /a.txt HTTP/1.1\r\n");
    let mut bodiless = Client::of(&server).await;
    bodiless.send("GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    let mut idle = Client::of(&server).await;
    assert!(idle.is_over().await);
    assert_eq!(slow.answer("GET").await.status, 408);
    assert!(slow.is_over().await);
    assert!(bodiless.is_over().await);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_lets_a_download_come_to_its_end() {
    let folder = Folder::new("stop");
    let server = serving(&folder, &[]).await;
    let mut idle = Client::of(&server).await;
    assert_eq!(idle.get("/a.txt").await.status, 200);
    let mut loading = Client::of(&server).await;
    loading.send("GET /bulk.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(loading.answer("HEAD").await.status, 200);

    server.interrupt().await;
    assert!(idle.is_over().await, "between requests there is nothing to wait for");
    assert!(loading.reader.read_exactly(BULK).await.unwrap() == bulk());
    let next = loading.answer("GET").await;
    assert_eq!((next.field("Connection"), next.body.as_ref()), (Some("close"), &b"0123456789"[..]));
    assert!(loading.is_over().await);
    assert!(open_connection(server.address).await.is_err());
    drop((idle, loading));
    assert_eq!(server.exit_code().await, Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_does_not_wait_for_the_rest_of_a_body() {
    let folder = Folder::new("body");
    let server = serving(&folder, &["--patience", "3600", "--deadline", "3600"]).await;
    let mut half = Client::of(&server).await;
    half.send("GET /a.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(half.reader.read_until(b"\r\n\r\n").await.unwrap(), "HTTP/1.1 100 Continue\r\n\r\n");
    half.send("x");
    server.interrupt().await;
    assert!(half.is_over().await);
    drop(half);
    assert_eq!(server.exit_code().await, Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_ctrl_c_does_not_wait() {
    let folder = Folder::new("second");
    let mut server = serving(&folder, &["--deadline", "3600"]).await;
    let mut loading = Client::of(&server).await;
    loading.send("GET /bulk.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(loading.answer("HEAD").await.status, 200);
    server.interrupt().await;
    assert_eq!(server.line().await, "Stop serving");
    server.interrupt().await;
    assert_eq!(server.exit_code().await, Some(1));
    let lost = loading.reader.read_exactly(BULK).await.unwrap_err();
    assert!(matches!(lost, ReadExactlyError::Transport(_)), "a clean end: {lost}");
}

/// Nobody takes for complete what the deadline has cut.
#[cfg(unix)]
#[tokio::test]
async fn what_the_deadline_cuts_is_reset() {
    let folder = Folder::new("deadline");
    let server = serving(&folder, &["--deadline", "0"]).await;
    let mut loading = Client::of(&server).await;
    loading.send("GET /bulk.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(loading.answer("HEAD").await.status, 200);
    server.interrupt().await;
    assert_eq!(server.exit_code().await, Some(1));
    let lost = loading.reader.read_exactly(BULK).await.unwrap_err();
    assert!(matches!(lost, ReadExactlyError::Transport(_)), "a clean end: {lost}");
}

/// A file that is cut while it is sent ends in an error, and not in an answer that looks whole.
#[tokio::test]
async fn a_file_that_becomes_shorter_is_not_made_up() {
    let folder = Folder::new("shorter");
    let server = serving(&folder, &[]).await;
    // More than the buffers of the system take on the way.
    let file = std::fs::File::create(folder.file("root/sparse.bin")).unwrap();
    file.set_len(1 << 30).unwrap();
    let (reader, writer) = open_connection(server.address).await.unwrap();
    let mut client = Client { reader, writer };
    client.send("GET /sparse.bin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer("HEAD").await.field("Content-Length"), Some("1073741824"));
    file.set_len(0).unwrap();
    let rest = async {
        loop {
            match client.reader.read(1 << 20).await {
                Ok(data) if data.is_empty() => break false,
                Ok(_) => {}
                Err(_) => break true,
            }
        }
    };
    assert!(timeout(TIME_LIMIT, rest).await.unwrap(), "a clean end");
}

fn trusting(chain: &Path) -> ClientTls {
    ClientTls::builder().roots(Roots::from_pem_file(chain).unwrap()).alpn(["http/1.1"]).build().unwrap()
}

#[tokio::test]
async fn tls_brings_the_same_bytes() {
    let folder = Folder::new("tls");
    let (chain, key) = certificate(&folder.0);
    let words = ["--tls-cert", chain.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = serving(&folder, &words).await;
    let connecting = open_connection(server.address).tls(trusting(&chain).server_name("localhost"));
    let (reader, writer) = connecting.await.unwrap();
    let mut client = Client { reader, writer };
    assert_eq!(client.writer.facts().tls().unwrap().alpn(), Some(&b"http/1.1"[..]));
    assert!(client.get("/bulk.bin").await.body == bulk());
    assert_eq!(client.ask("GET", "/a.txt", "Range: bytes=-2\r\n").await.body, "89");
    let last = client.ask("GET", "/a.txt", "Connection: close\r\n").await;
    assert_eq!(last.body, "0123456789");
    assert!(client.is_over().await, "with a close_notify, or the end would be an error");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_brings_the_same_bytes_also_through_tls() {
    use highwater_net::open_unix_connection;
    let folder = Folder::new("unix");
    let (chain, key) = certificate(&folder.0);
    let root = folder.root();
    for through_tls in [false, true] {
        let path = folder.file("files.sock");
        let mut words = vec!["--unix", path.to_str().unwrap(), &root];
        if through_tls {
            words.extend(["--tls-cert", chain.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
        }
        let server = Server::start_at(FILE_SERVER, &words, path.to_str().unwrap()).await;
        let (reader, writer) = if through_tls {
            open_unix_connection(&path).tls(trusting(&chain).server_name("localhost")).await.unwrap()
        } else {
            open_unix_connection(&path).await.unwrap()
        };
        let mut client = Client { reader, writer };
        assert!(client.get("/bulk.bin").await.body == bulk());
        assert_eq!(client.get("/no").await.status, 404);
        server.interrupt().await;
        assert!(client.is_over().await);
        assert_eq!(server.exit_code().await, Some(0));
        assert!(!path.exists());
    }
}
