//! The line tool as a person and a script meet it: what it sends, what it prints, and how it ends.

mod support;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use highwater_net::{
    Identity, Server, ServerTls, StreamReader, StreamWriter, open_connection, start_server, start_tls,
};
use support::{certificate, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const TALK: &str = env!("CARGO_BIN_EXE_talk");

/// For one run. Many times what it takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

fn bulk() -> Vec<u8> {
    (0..1_000_000_u32).flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// A talk that goes on.
struct Talk {
    process: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    errors: highwater_net::stream::StreamReader<tokio::process::ChildStderr>,
}

struct Ended {
    code: Option<i32>,
    output: Vec<u8>,
    errors: String,
}

impl Talk {
    fn start(words: &[&str]) -> Self {
        let mut command = Command::new(TALK);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().expect("the program starts");
        Self {
            input: process.stdin.take(),
            output: process.stdout.take().unwrap(),
            errors: highwater_net::stream::StreamReader::new(process.stderr.take().unwrap()),
            process,
        }
    }

    /// One that waits for somebody, and where.
    async fn listening(words: &[&str]) -> (Self, String) {
        let mut talk = Self::start(words);
        let line = timeout(TIME_LIMIT, talk.errors.read_line()).await.unwrap().unwrap().unwrap();
        let line = String::from_utf8(line.to_vec()).unwrap();
        let place = line.trim_end().strip_prefix("Listening on ").expect("it says where").to_owned();
        (talk, place)
    }

    /// To its end, after this input.
    async fn end(mut self, input: &[u8]) -> Ended {
        let mut stdin = self.input.take();
        let mut output = Vec::new();
        let all = async {
            let fed = async {
                if let Some(mut stdin) = stdin.take() {
                    // It may end before it has taken all of it.
                    let _ = stdin.write_all(input).await;
                }
            };
            let (_, read, errors) =
                tokio::join!(fed, self.output.read_to_end(&mut output), self.errors.read_to_end(1 << 20));
            read.unwrap();
            (self.process.wait().await.unwrap().code(), String::from_utf8(errors.unwrap().to_vec()).unwrap())
        };
        let (code, errors) = timeout(TIME_LIMIT, all).await.expect("it ends");
        Ended { code, output, errors }
    }
}

async fn talk(words: &[&str], input: &[u8]) -> Ended {
    Talk::start(words).end(input).await
}

/// What is printed, where all goes well.
async fn printed(words: &[&str], input: &[u8]) -> Vec<u8> {
    let ended = talk(words, input).await;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{words:?}");
    ended.output
}

async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    loop {
        let data = reader.read(64 * 1024).await?;
        if data.is_empty() {
            return Ok(());
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}

async fn serving<F>(
    handler: impl Fn(StreamReader, StreamWriter) -> F + Send + Sync + 'static,
) -> (Server, String)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let server = start_server(handler, ("127.0.0.1", 0)).on_error(|_| {}).await.unwrap();
    let port = server.local_addrs()[0].port().to_string();
    (server, port)
}

/// Sends this to whoever connects, and ends its side when the other has.
async fn saying(bytes: &'static [u8]) -> (Server, String) {
    let say = move |mut reader: StreamReader, writer: StreamWriter| async move {
        writer.write(bytes)?;
        reader.read_to_end(1 << 20).await?;
        Ok(())
    };
    serving(say).await
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("highwater-talk-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn server_tls(chain: &Path, key: &Path) -> ServerTls {
    ServerTls::new(Identity::from_pem_files(chain, key).unwrap()).unwrap()
}

#[tokio::test]
async fn it_explains_itself_and_refuses_what_makes_no_sense() {
    let ended = run(TALK, &["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("Usage: talk [OPTIONS] <WHERE>"), "{}", ended.stdout);

    for (words, said) in [
        (&["localhost"][..], "HOST PORT or unix:PATH"),
        (&["localhost", "port"], "\"port\" is not a port"),
        (&["localhost", "65536"], "\"65536\" is not a port"),
        (&["--listen", "0", "--tls"], "--cert"),
        (&["--listen", "0", "--starttls", "smtp"], "cannot be used with"),
        (&["localhost", "25", "--starttls", "http"], "smtp, imap, ftp or plain:COMMAND"),
        (&["localhost", "25", "--ca", "ca.pem"], "for --tls and --starttls"),
        (&["unix:/tmp/a.sock", "--tls"], "--server-name"),
        (&[], "WHERE"),
    ] {
        let ended = run(TALK, words).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{words:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn the_end_of_the_input_is_the_end_of_one_side() {
    let count = |mut reader: StreamReader, writer: StreamWriter| async move {
        let all = reader.read_to_end(1 << 20).await?;
        writer.write(format!("{} bytes, and you?\n", all.len())).map_err(Into::into)
    };
    let (_server, port) = serving(count).await;
    assert_eq!(printed(&["127.0.0.1", &port], b"hello\n").await, b"6 bytes, and you?\n");
    assert_eq!(printed(&["localhost", &port, "--crlf"], b"a\nb\r\n").await, b"6 bytes, and you?\n");
}

#[tokio::test]
async fn many_bytes_come_back_the_same() {
    let (_server, port) = serving(echo).await;
    let bulk = bulk();
    assert!(printed(&["127.0.0.1", &port], &bulk).await == bulk);
}

/// The other side has ended its own, and takes what is sent all the same.
#[tokio::test]
async fn a_file_is_sent_to_its_end_when_the_other_has_nothing_to_say() {
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let listen = move |mut reader: StreamReader, writer: StreamWriter| {
        let told = told.clone();
        async move {
            writer.write_eof()?;
            let all = reader.read_to_end(1 << 24).await?;
            drop(writer); // and not before
            told.send(all).map_err(io::Error::other)
        }
    };
    let (_server, port) = serving(listen).await;
    assert_eq!(printed(&["127.0.0.1", &port], &bulk()).await, b"");
    assert!(hears.recv().await.unwrap() == bulk());
}

#[tokio::test]
async fn our_side_stays_open_on_request() {
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let wait = move |mut reader: StreamReader, writer: StreamWriter| {
        let told = told.clone();
        async move {
            // Nothing shows that something does not come. What has to come is waited for.
            let patience = match reader.read_line().await? {
                Some(line) if line == "open\n" => Duration::from_millis(500),
                _ => TIME_LIMIT,
            };
            let end = timeout(patience, reader.read(1)).await;
            drop(writer); // and not before
            told.send(end.is_ok()).map_err(io::Error::other)
        }
    };
    let (_server, port) = serving(wait).await;
    printed(&["127.0.0.1", &port, "--keep-open"], b"open\n").await;
    assert_eq!(hears.recv().await, Some(false));
    printed(&["127.0.0.1", &port], b"and end\n").await;
    assert_eq!(hears.recv().await, Some(true));
}

#[tokio::test]
async fn who_connects_is_talked_with() {
    let (talk, place) = Talk::listening(&["--listen", "0"]).await;
    let (mut reader, writer) = open_connection(place.as_str()).await.unwrap();
    writer.write("from the client").unwrap();
    writer.write_eof().unwrap();
    let (ended, heard) = tokio::join!(talk.end(b"from the server"), reader.read_to_end(100));
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    assert_eq!(ended.output, b"from the client");
    assert_eq!(heard.unwrap(), "from the server");
    assert!(open_connection(place.as_str()).await.is_err(), "one is enough");
}

#[tokio::test]
async fn one_talks_with_another_in_every_way() {
    let folder = Folder::new("pairs");
    let (chain, key) = certificate(&folder.0);
    let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
    let socket = format!("unix:{}", folder.path("talk.sock"));
    let own = ["--tls", "--cert", chain, "--key", key, "--ca", chain];
    let theirs = ["--tls", "--ca", chain, "--server-name", "localhost", "--cert", chain, "--key", key];
    for (place, ours, others) in [
        ("0", &[][..], &[][..]),
        ("0", &own, &theirs),
        #[cfg(unix)]
        (socket.as_str(), &[], &[]),
        #[cfg(unix)]
        (socket.as_str(), &own, &theirs),
    ] {
        let (server, found) = Talk::listening(&[&["--listen", place], ours].concat()).await;
        let to = match found.rsplit_once(':') {
            Some((host, port)) => vec![host, port],
            None => vec![place],
        };
        let client = Talk::start(&[&to, others].concat());
        let bulk = bulk();
        let (served, asked) = tokio::join!(server.end(&bulk), client.end(b"thank you\n"));
        assert_eq!((asked.code, asked.errors.as_str()), (Some(0), ""), "{place}");
        assert_eq!((served.code, served.errors.as_str()), (Some(0), ""), "{place}");
        assert!(asked.output == bulk, "{place}");
        assert_eq!(served.output, b"thank you\n");
    }
}

#[tokio::test]
async fn bytes_are_shown_in_each_way() {
    let (_server, port) = saying(b"220 \x1b[2J\r\n\xff").await;
    let to = |option: &'static str| [option, "127.0.0.1", &port].map(str::to_owned);
    let run = async |words: [String; 3], more: &[&str]| {
        let words: Vec<_> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let ended = talk(&words, b"QUIT\n").await;
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        (ended.output, ended.errors)
    };
    // A file gets every byte.
    assert_eq!(run(to("--raw"), &[]).await, (b"220 \x1b[2J\r\n\xff".to_vec(), String::new()));

    let dumped = "00000000  32 32 30 20 1b 5b 32 4a 0d 0a ff                 |220 .[2J...|\n";
    assert_eq!(run(to("--hex"), &[]).await, (dumped.as_bytes().to_vec(), String::new()));

    let (output, told) = run(to("--show"), &["--crlf"]).await;
    assert_eq!(output, b"220 \x1b[2J\r\n\xff");
    let mut lines: Vec<_> = told.lines().collect();
    lines.sort_unstable(); // Each direction has its own order only.
    assert_eq!(lines, ["< 220 \\x1b[2J\\r\\n", "< \\xff", "> QUIT\\r\\n"]);

    let (output, told) = run(to("--show"), &["--hex"]).await;
    assert_eq!(output, dumped.as_bytes());
    assert!(told.contains(&format!("< {dumped}")), "{told}");
    assert!(told.contains("> 00000000  51 55 49 54 0a "), "{told}");
}

#[tokio::test]
async fn the_limit_counts_what_comes() {
    let (_server, port) = saying(b"0123456789").await;
    let exactly = talk(&["127.0.0.1", &port, "--limit", "10"], b"").await;
    assert_eq!((exactly.code, exactly.output.as_slice()), (Some(0), &b"0123456789"[..]));
    let more = talk(&["127.0.0.1", &port, "--limit", "9"], b"").await;
    assert_eq!((more.code, more.output.as_slice()), (Some(1), &b"012345678"[..]));
    assert_eq!(more.errors, "talk: more than the limit of 9 bytes came\n");

    // Of all that comes, and not of what comes at once.
    let (_server, port) = serving(echo).await;
    let bulk = bulk();
    let most = talk(&["127.0.0.1", &port, "--limit", "1000000"], &bulk).await;
    assert_eq!((most.code, most.output.len()), (Some(1), 1_000_000));
    assert!(most.output == bulk[..1_000_000]);
}

#[tokio::test]
async fn a_connection_that_fails_is_a_sentence_and_a_code() {
    // Bound, so that nobody else takes it meanwhile, and never listened on.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = reserved.local_addr().unwrap().port().to_string();
    let folder = Folder::new("failures");
    let missing = format!("unix:{}", folder.path("no.sock"));
    let silent = |mut reader: StreamReader, writer: StreamWriter| async move {
        reader.read_to_end(1 << 20).await?;
        std::future::pending::<()>().await;
        drop(writer);
        Ok(())
    };
    let (_silent, mute) = serving(silent).await;
    let reset = |mut reader: StreamReader, writer: StreamWriter| async move {
        writer.write("last words")?;
        writer.flush().await?;
        // Our side has ended by then, so that it is the reader that meets the loss.
        reader.read_to_end(1 << 20).await?;
        writer.abort();
        Ok(())
    };
    let (_reset, lost) = serving(reset).await;
    for (words, output, said) in [
        (&["127.0.0.1", &nobody][..], "", "could not connect to 127.0.0.1:"),
        (&[&missing], "", "no.sock"),
        (&["127.0.0.1", &mute, "--timeout", "1"], "", "no byte arrived for 1s"),
        (&["127.0.0.1", &mute, "--starttls", "smtp", "-w", "1"], "", "1s"),
        (&["127.0.0.1", &mute, "--tls", "-w", "1"], "", "1s"),
        (&["127.0.0.1", &lost], "last words", "reset"),
    ] {
        let ended = talk(words, b"hello\n").await;
        assert_eq!(
            (ended.code, ended.output.as_slice()),
            (Some(1), output.as_bytes()),
            "{words:?}: {}",
            ended.errors
        );
        assert!(ended.errors.starts_with("talk: ") && ended.errors.lines().count() == 1, "{}", ended.errors);
        assert!(ended.errors.contains(said), "{words:?}: {}", ended.errors);
    }
}

#[tokio::test]
async fn tls_is_with_whom_it_should_be() {
    let folder = Folder::new("tls");
    let (chain, key) = certificate(&folder.0);
    let ca = chain.to_str().unwrap();
    let server =
        start_server(echo, ("127.0.0.1", 0)).tls(server_tls(&chain, &key)).on_error(|_| {}).await.unwrap();
    let port = server.local_addrs()[0].port().to_string();
    let bulk = bulk();
    let to = ["127.0.0.1", &port, "--tls"];
    let trusting = [&to[..], &["--ca", ca, "--server-name", "localhost"]].concat();
    assert!(printed(&trusting, &bulk).await == bulk);

    for (words, said) in [
        (&["--ca", ca][..], "127.0.0.1"),
        (&["--server-name", "localhost"], "certificate"),
        (&["--ca", ca, "--server-name", "elsewhere.test"], "elsewhere.test"),
        (&["--ca", "no.pem"], "no.pem"),
    ] {
        let ended = talk(&[&to, words].concat(), b"secret").await;
        assert_eq!((ended.code, ended.output.as_slice()), (Some(1), &b""[..]), "{words:?}");
        assert!(
            ended.errors.starts_with("talk: ") && ended.errors.contains(said),
            "{words:?}: {}",
            ended.errors
        );
    }
}

#[tokio::test]
async fn tls_that_is_cut_off_is_no_clean_end() {
    let folder = Folder::new("cut");
    let (chain, key) = certificate(&folder.0);
    let tls = server_tls(&chain, &key);
    let cut = move |reader: StreamReader, writer: StreamWriter| {
        let tls = tls.clone();
        async move {
            let (mut reader, writer) = start_tls(reader, writer, tls).await?;
            writer.write("half of it")?;
            writer.flush().await?;
            reader.read(1).await?;
            writer.abort();
            Ok(())
        }
    };
    let (_server, port) = serving(cut).await;
    let ca = chain.to_str().unwrap();
    let words = ["127.0.0.1", &port, "--tls", "--ca", ca, "--server-name", "localhost", "--keep-open"];
    let ended = talk(&words, b"hello\n").await;
    assert_eq!((ended.code, ended.output.as_slice()), (Some(1), &b"half of it"[..]), "{}", ended.errors);
}

/// A server that answers each line by the table, and begins TLS after the last.
async fn upgrading(folder: &Folder, lines: &'static [&'static str], tail: &'static str) -> (Server, String) {
    let (chain, key) = certificate(&folder.0);
    let tls = server_tls(&chain, &key);
    let upgrade = move |mut reader: StreamReader, writer: StreamWriter| {
        let tls = tls.clone();
        async move {
            let (greeting, answers) = lines.split_first().expect("there is a greeting");
            writer.write(greeting)?;
            for answer in answers {
                reader.read_line().await?;
                writer.write(answer)?;
            }
            writer.write(tail)?;
            let (reader, writer) = start_tls(reader, writer, tls).await?;
            echo(reader, writer).await
        }
    };
    serving(upgrade).await
}

#[tokio::test]
async fn tls_begins_after_the_words_of_each_protocol() {
    let folder = Folder::new("starttls");
    let ca = folder.path("cert.pem");
    let smtp: &[&str] = &["220-a\r\n220 b\r\n", "250-c\r\n250 STARTTLS\r\n", "220 go\r\n"];
    for (protocol, lines, told) in [
        (
            "smtp",
            smtp,
            &[
                "> EHLO localhost\\r\\n",
                "< 250 STARTTLS\\r\\n",
                "> STARTTLS\\r\\n",
                "> hello\\n",
                "< hello\\n",
            ][..],
        ),
        ("imap", &["* OK a\r\n", "a OK b\r\n"], &["> a STARTTLS\\r\\n", "< hello\\n"]),
        ("ftp", &["220 a\r\n", "234 b\r\n"], &["> AUTH TLS\\r\\n", "< hello\\n"]),
        ("plain:upgrade, please", &["", "yes\n"], &["> upgrade, please\\r\\n", "< yes\\n", "< hello\\n"]),
    ] {
        let (_server, port) = upgrading(&folder, lines, "").await;
        let words =
            ["127.0.0.1", &port, "--show", "--starttls", protocol, "--ca", &ca, "--server-name", "localhost"];
        let ended = talk(&words, b"hello\n").await;
        assert_eq!(
            (ended.code, ended.output.as_slice()),
            (Some(0), &b"hello\n"[..]),
            "{protocol}: {}",
            ended.errors
        );
        for line in told {
            assert!(
                ended.errors.lines().any(|found| found == *line),
                "{protocol}: {line} in {}",
                ended.errors
            );
        }
    }
}

/// Words in plain behind the consent are never taken for words inside TLS, and a refusal sends nothing.
#[tokio::test]
async fn nothing_is_said_where_tls_does_not_begin() {
    let folder = Folder::new("injected");
    let ca = folder.path("cert.pem");
    for (lines, tail, said) in [
        (
            &["220 a\r\n", "250 b\r\n", "220 go\r\n"][..],
            "250 injected\r\n",
            "14 bytes in plain had been read ahead",
        ),
        (&["220 a\r\n", "250 b\r\n", "454 no\x1b[2J\r\n"], "", "\"454 no\\u{1b}[2J\""),
        (&["nonsense\r\n"], "", "\"nonsense\""),
    ] {
        let (_server, port) = upgrading(&folder, lines, tail).await;
        let words = ["127.0.0.1", &port, "--starttls", "smtp", "--ca", &ca, "--server-name", "localhost"];
        let ended = talk(&words, b"secret\n").await;
        assert_eq!((ended.code, ended.output.as_slice()), (Some(1), &b""[..]), "{}", ended.errors);
        assert!(ended.errors.contains(said), "{said}: {}", ended.errors);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it_wherever_it_waits() {
    let (_server, port) = saying(b"welcome").await;
    let mut waiting = Talk::start(&["127.0.0.1", &port]);
    let mut welcome = [0; 7];
    timeout(TIME_LIMIT, waiting.output.read_exact(&mut welcome)).await.unwrap().unwrap();
    let (listening, _) = Talk::listening(&["--listen", "0"]).await;
    for mut talk in [waiting, listening] {
        // Its input is still open, and so is the other side.
        let input = talk.input.take();
        let kill = format!("kill -INT {}", talk.process.id().unwrap());
        assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
        let ended = talk.end(b"").await;
        assert_eq!((ended.code, ended.errors.as_str()), (Some(130), "talk: interrupted\n"));
        drop(input);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_input_has_no_clean_end() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let hear = move |mut reader: StreamReader, writer: StreamWriter| {
        let tell = tell.clone();
        async move {
            assert_eq!(reader.read_exactly(4).await?, "half");
            tell.send(Ok(0)).unwrap();
            let end = reader.read_to_end(100).await;
            tell.send(end.map(|rest| rest.len()).map_err(|error| std::io::Error::from(error).kind()))
                .unwrap();
            drop(writer); // and not before
            Ok(())
        }
    };
    let (_server, port) = serving(hear).await;
    let mut talk = Talk::start(&["127.0.0.1", &port]);
    let mut input = talk.input.take().unwrap();
    input.write_all(b"half").await.unwrap();
    assert_eq!(timeout(TIME_LIMIT, told.recv()).await.unwrap(), Some(Ok(0)));
    let kill = format!("kill -INT {}", talk.process.id().unwrap());
    assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    assert_eq!(talk.end(b"").await.code, Some(130));
    let reset = std::io::ErrorKind::ConnectionReset;
    assert_eq!(timeout(TIME_LIMIT, told.recv()).await.unwrap(), Some(Err(reset)));
    drop(input); // and not before
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_nobody_takes_and_input_that_nobody_gives_are_told() {
    let (_server, port) = saying(b"welcome").await;
    let ended = support::run_into_full_disk(TALK, &["127.0.0.1", &port, "--keep-open"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("talk: nobody takes the output: "), "{}", ended.stderr);

    // The other side waits for us, and would wait for ever. Whether its welcome still came is not certain.
    let script = format!("exec {TALK} 127.0.0.1 {port} --keep-open < /");
    let ended = run("sh", &["-c", &script]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("talk: the input cannot be read: "), "{}", ended.stderr);
}
