//! The examples as a person meets them: as processes, with what they print and how they end.

mod support;

use std::net::TcpListener;
use std::path::PathBuf;

use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
use support::{Server, run};

const ACTIVATED_ECHO: &str = env!("CARGO_BIN_EXE_activated-echo");
const ECHO_CLIENT: &str = env!("CARGO_BIN_EXE_echo-client");
const ECHO_SERVER: &str = env!("CARGO_BIN_EXE_echo-server");
const HTTP_HEADERS: &str = env!("CARGO_BIN_EXE_http-headers");
const WAIT_FOR_DATA: &str = env!("CARGO_BIN_EXE_wait-for-data");
const DEMO: &str = env!("CARGO_BIN_EXE_highwater-demo");

#[tokio::test]
async fn each_explains_itself() {
    for program in [ACTIVATED_ECHO, ECHO_CLIENT, ECHO_SERVER, HTTP_HEADERS, WAIT_FOR_DATA, DEMO] {
        let ended = run(program, &["--help"]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{program}");
        assert!(ended.stdout.contains("Usage: "), "{program}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn the_echo_client_gets_its_message_back_from_the_echo_server() {
    let mut server = Server::start(ECHO_SERVER, &["--port", "0"]).await;
    let port = server.address.port().to_string();

    let ended = run(ECHO_CLIENT, &["Grüße", "--port", &port]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "Send: \"Grüße\"\nReceived: \"Grüße\"\nClose the connection\n");

    let connected = server.line().await;
    let peer = connected.strip_prefix("Connected: 127.0.0.1:").unwrap();
    assert_eq!(server.line().await, format!("Received \"Grüße\" from 127.0.0.1:{peer}"));
    assert_eq!(server.line().await, "Send: \"Grüße\"");
    assert_eq!(server.line().await, format!("Close the connection of 127.0.0.1:{peer}"));
}

#[tokio::test]
async fn a_message_of_many_reads_and_an_empty_one_come_back_whole() {
    let server = Server::start(ECHO_SERVER, &["--port", "0"]).await;
    let port = server.address.port().to_string();
    for message in ["x".repeat(50_000), String::new()] {
        let ended = run(ECHO_CLIENT, &[&message, "--port", &port]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains(&format!("Received: {message:?}\n")));
    }
}

#[tokio::test]
async fn the_echo_server_prints_the_address_of_its_peer() {
    let mut server = Server::start(ECHO_SERVER, &["--port", "0"]).await;
    let (_reader, writer) = open_connection(server.address).await.unwrap();
    assert_eq!(server.line().await, format!("Connected: {}", writer.facts().local_addr()));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_echo_server_and_its_connections_well() {
    let server = Server::start(ECHO_SERVER, &["--port", "0"]).await;
    let (mut reader, writer) = open_connection(server.address).await.unwrap();
    writer.write("before").unwrap();
    assert_eq!(reader.read_exactly(6).await.unwrap(), "before");

    server.interrupt().await;
    assert_eq!(reader.read(1).await.unwrap(), "");
    writer.close();
    assert_eq!(server.exit_code().await, Some(0));
}

/// Its output is a socket: that one can be filled up from here.
#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_echo_server_also_if_nobody_reads_its_output() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;

    let (mine, its) = UnixStream::pair().unwrap();
    let mut filling = its.try_clone().unwrap();
    let mut command = tokio::process::Command::new(ECHO_SERVER);
    command.args(["--port", "0"]).stdout(std::os::fd::OwnedFd::from(its)).stderr(std::process::Stdio::null());
    let mut process = command.kill_on_drop(true).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(&mine).read_line(&mut line).unwrap();
    let address: std::net::SocketAddr = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
    filling.set_nonblocking(true).unwrap();
    while filling.write(&[b'x'; 1000]).is_ok() {}
    while filling.write(b"x").is_ok() {}
    // The file is shared with the server, which does not expect such a one.
    filling.set_nonblocking(false).unwrap();

    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(open_connection(address).await.unwrap());
    }
    let kill = format!("kill -INT {}", process.id().unwrap());
    assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    let ended = tokio::time::timeout(support::TIME_LIMIT, process.wait()).await.expect("it ends");
    assert_eq!(ended.unwrap().code(), Some(1), "and says that nobody took its last line");
    drop((clients, mine));
}

#[tokio::test]
async fn the_echo_client_tells_of_an_echo_that_is_cut_short() {
    let first_ten = |mut reader: StreamReader, writer: StreamWriter| async move {
        writer.write(reader.read_exactly(10).await?)?;
        std::io::Result::Ok(())
    };
    let server = start_server(first_ten, ("127.0.0.1", 0)).await.unwrap();
    let port = server.local_addrs()[0].port().to_string();

    let ended = run(ECHO_CLIENT, &["one two three", "--port", &port]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("Received: \"one two th\"\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "echo-client: the server ended the echo after 10 of 13 bytes\n");
}

#[tokio::test]
async fn the_echo_client_does_not_wait_for_ever() {
    let silent = |mut reader: StreamReader, writer: StreamWriter| async move {
        reader.read_to_end(100).await?;
        drop(writer); // and not before
        std::io::Result::Ok(())
    };
    let server = start_server(silent, ("127.0.0.1", 0)).await.unwrap();
    let port = server.local_addrs()[0].port().to_string();

    let ended = run(ECHO_CLIENT, &["hello", "--port", &port, "--timeout", "1"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "Send: \"hello\"\n"));
    assert_eq!(ended.stderr, "echo-client: the server sent nothing for 1s\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_nobody_takes_is_told_in_a_sentence() {
    let server = Server::start(ECHO_SERVER, &["--port", "0"]).await;
    let port = server.address.port().to_string();
    for (name, program, arguments) in [
        ("echo-server", ECHO_SERVER, &["--port", "0"][..]),
        ("echo-client", ECHO_CLIENT, &["--port", &port]),
        ("wait-for-data", WAIT_FOR_DATA, &[]),
    ] {
        let ended = support::run_into_full_disk(program, arguments).await;
        assert_eq!(ended.code, Some(1), "{name}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        let start = format!("{name}: nobody takes the output: ");
        assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn wait_for_data_prints_what_came() {
    let ended = run(WAIT_FOR_DATA, &[]).await;
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (Some(0), "Received: \"abc\"\n", "")
    );
}

/// Answers each request with `answer`, and the request itself as a header.
async fn http_server(answer: &'static str) -> highwater_net::Server {
    let handler = move |mut reader: StreamReader, writer: StreamWriter| async move {
        let request = reader.read_until(b"\r\n\r\n").await?;
        writer.write(answer.replace("REQUEST", &String::from_utf8_lossy(&request).replace("\r\n", "|")))?;
        std::io::Result::Ok(())
    };
    start_server(handler, ("127.0.0.1", 0)).await.unwrap()
}

#[tokio::test]
async fn http_headers_prints_the_headers_and_nothing_of_the_body() {
    let server =
        http_server("HTTP/1.1 200 OK\r\nX-Request: REQUEST\nX-Odd: \x1b[2J\r\n\r\nbody: no\r\n").await;
    let address = server.local_addrs()[0];

    let ended = run(HTTP_HEADERS, &[&format!("http://{address}/a?b=c#d")]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let request = format!("HEAD /a?b=c HTTP/1.1|Host: {address}|Connection: close||");
    let expected = ["HTTP/1.1 200 OK", &format!("X-Request: {request}"), "X-Odd: \\u{1b}[2J"];
    assert_eq!(ended.stdout, expected.map(|line| format!("HTTP header> {line}\n")).concat());
}

#[tokio::test]
async fn http_headers_tells_of_an_answer_that_is_none() {
    for (answer, sentence) in [
        ("SSH-2.0-OpenSSH\r\n", "what answers does not speak HTTP"),
        ("", "the server ended the connection after 0 lines of headers"),
        ("HTTP/1.1 200 OK\r\nServer: x\r\n", "the server ended the connection after 2 lines of headers"),
    ] {
        let server = http_server(answer).await;
        let ended = run(HTTP_HEADERS, &[&format!("http://{}/", server.local_addrs()[0])]).await;
        assert_eq!((ended.code, ended.stderr), (Some(1), format!("http-headers: {sentence}\n")));
    }
}

#[tokio::test]
async fn http_headers_refuses_what_it_cannot_ask() {
    for (url, reason) in [
        ("gopher://example.org/", "\"gopher\" is not spoken here, only http and https"),
        ("example.org", "it does not begin with http:// or https://"),
        ("http://example.org:99999/", "its port \"99999\" is not a number from 1 to 65535"),
    ] {
        let ended = run(HTTP_HEADERS, &[url]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert_eq!(ended.stderr, format!("http-headers: {url:?} is not a URL to ask: {reason}\n"));
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_in_a_sentence() {
    // Bound, so that nobody else takes it meanwhile, and never listened on.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = reserved.local_addr().unwrap();

    let client = run(ECHO_CLIENT, &["hello", "--port", &address.port().to_string()]).await;
    let headers = run(HTTP_HEADERS, &[&format!("http://{address}/")]).await;
    for (program, ended) in [("echo-client", client), ("http-headers", headers)] {
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        let start = format!("{program}: could not connect to {address}: ");
        assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let ended = run(ECHO_SERVER, &["--port", &address.port().to_string()]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let start = format!("echo-server: cannot listen on {address}: ");
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
}

#[tokio::test]
async fn the_demo_sends_files_of_every_kind() {
    let binary: Vec<u8> = (0..=u8::MAX).cycle().take(10_000).collect();
    let long = [&b"short\n"[..], &vec![b'x'; 1024 * 1024], b"\nno newline at the end"].concat();
    for (name, content, lines) in [("empty", vec![], 0), ("binary", binary, 41), ("long", long, 3)] {
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{name}"));
        std::fs::write(&file, &content).unwrap();

        let ended = run(DEMO, &[file.to_str().unwrap()]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{name}");
        let echoed = format!("  echoed     {lines} lines, ");
        assert!(ended.stdout.contains(&echoed), "{name}: {}", ended.stdout);
        assert!(ended.stdout.trim_end().ends_with("MB/s each way"), "{name}: {}", ended.stdout);
    }
}

#[tokio::test]
async fn the_demo_tells_of_a_file_that_is_not_there() {
    let ended = run(DEMO, &["no/such/file"]).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.starts_with("highwater-demo: no/such/file cannot be read: "), "{}", ended.stderr);
}

#[cfg(unix)]
#[tokio::test]
async fn the_demo_refuses_what_may_never_end() {
    for path in ["/dev/zero", "/"] {
        let ended = run(DEMO, &[path]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert_eq!(ended.stderr, format!("highwater-demo: {path} is not a regular file\n"));
    }
}

/// The shell puts the socket where systemd does, and becomes the program, so that the number of the process
/// is the one that is announced.
#[cfg(unix)]
#[tokio::test]
async fn the_activated_echo_serves_the_sockets_that_it_is_handed() {
    use std::os::fd::OwnedFd;
    use std::process::Stdio;
    use tokio::process::Command;

    let folder = std::env::temp_dir().join(format!("highwater-activated-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("echo.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();

    let script =
        format!("export LISTEN_PID=$$ LISTEN_FDS=2; exec {ACTIVATED_ECHO} 3<&0 4>&1 0</dev/null 1>&2");
    let mut process = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::from(OwnedFd::from(tcp)))
        .stdout(Stdio::from(OwnedFd::from(unix)))
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = highwater_net::stream::StreamReader::new(process.stderr.take().unwrap());
    let line = output.read_line().await.unwrap().unwrap();
    assert_eq!(line, format!("Serving on {address}, {}\n", path.display()));

    let connections =
        [open_connection(address).await.unwrap(), highwater_net::open_unix_connection(&path).await.unwrap()];
    for (mut reader, writer) in connections {
        writer.write("before the end").unwrap();
        assert_eq!(reader.read_exactly(14).await.unwrap(), "before the end");
    }
    let kill = format!("kill -INT {}", process.id().unwrap());
    assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    assert_eq!(process.wait().await.unwrap().code(), Some(0));
    assert!(path.exists(), "it is not the program's to remove");
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn the_activated_echo_says_that_it_was_handed_nothing() {
    let ended = run(ACTIVATED_ECHO, &[]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("activated-echo: no socket was handed over"), "{}", ended.stderr);
}
