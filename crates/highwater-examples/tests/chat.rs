//! The chat as a process, and clients that read, talk too much, or do not read.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use highwater_net::{StreamReader, StreamWriter, open_connection};
use support::{Server, run};
use tokio::time::timeout;

const CHAT: &str = env!("CARGO_BIN_EXE_chat");

/// Many times what anything here takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

struct Client {
    reader: StreamReader,
    writer: StreamWriter,
}

impl Client {
    /// At the door.
    async fn connect(address: SocketAddr) -> Self {
        let (reader, writer) = open_connection(address).await.unwrap();
        let mut client = Self { reader, writer };
        client.hears("* your name?").await;
        client
    }

    async fn enter(address: SocketAddr, name: &str, meets: &str) -> Self {
        let mut client = Self::connect(address).await;
        client.says(name);
        client.hears(&format!("* hello {name}, you meet {meets}")).await;
        client
    }

    fn says(&self, line: &str) {
        writeln!(self.writer, "{line}").unwrap();
    }

    /// The next line; none at the end.
    async fn line(&mut self) -> Option<String> {
        let line = timeout(TIME_LIMIT, self.reader.read_line()).await.expect("a line in time").unwrap()?;
        Some(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    async fn hears(&mut self, line: &str) {
        assert_eq!(self.line().await.as_deref(), Some(line));
    }
}

#[tokio::test]
async fn it_explains_itself() {
    let ended = run(CHAT, &["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("Usage: "), "{}", ended.stdout);
}

#[tokio::test]
async fn all_hear_who_comes_what_is_said_and_who_leaves() {
    let server = Server::start(CHAT, &["--port", "0"]).await;
    let mut ann = Client::enter(server.address, "ann", "nobody").await;
    let mut bob = Client::enter(server.address, "bob", "ann").await;
    ann.hears("* bob is here").await;

    bob.says("hello \x1b[2J\u{202e}ann");
    for client in [&mut ann, &mut bob] {
        client.hears("bob: hello [2Jann").await;
    }
    drop(bob);
    ann.hears("* bob has left").await;
    let _again = Client::enter(server.address, "bob", "ann").await;
    ann.hears("* bob is here").await;
}

#[tokio::test]
async fn a_name_is_a_word_and_nobody_elses() {
    let server = Server::start(CHAT, &["--port", "0"]).await;
    let _ann = Client::enter(server.address, "ann", "nobody").await;
    let mut other = Client::connect(server.address).await;
    let not_a_word = "* a name is a word of 20 letters and digits at most";
    for (name, reason) in [
        ("ann", "* that name is taken"),
        ("", not_a_word),
        ("two words", not_a_word),
        ("* ann", not_a_word),
        ("abcdefghijklmnopqrstu", not_a_word),
        (&"x".repeat(5000), "* that is no name"),
    ] {
        other.says(name);
        other.hears(reason).await;
        other.hears("* your name?").await;
    }
    other.says("Zoë7");
    other.hears("* hello Zoë7, you meet ann").await;
}

#[tokio::test]
async fn a_line_that_is_too_long_is_read_over_and_the_next_one_counts() {
    let server = Server::start(CHAT, &["--port", "0"]).await;
    let mut ann = Client::enter(server.address, "ann", "nobody").await;
    let longest = "x".repeat(1000);
    ann.says(&longest);
    ann.hears(&format!("ann: {longest}")).await;
    for length in [1001, 1_000_000] {
        ann.says(&"y".repeat(length));
        ann.hears(&format!("* not told: a line of {length} bytes, and 1000 are the most")).await;
    }
    ann.says("short");
    ann.hears("ann: short").await;
}

#[tokio::test]
async fn what_is_said_at_once_is_heard_whole_and_by_all_in_the_same_order() {
    const LINES: usize = 200;
    let server = Server::start(CHAT, &["--port", "0"]).await;
    let mut ann = Client::enter(server.address, "ann", "nobody").await;
    let mut bob = Client::enter(server.address, "bob", "ann").await;
    let mut eve = Client::enter(server.address, "eve", "ann, bob").await;
    ann.hears("* bob is here").await;
    ann.hears("* eve is here").await;
    bob.hears("* eve is here").await;

    for number in 1..=LINES {
        ann.says(&format!("{number} {}", "a".repeat(number)));
        bob.says(&format!("{number} {}", "b".repeat(number)));
    }
    let mut heard = Vec::new();
    for client in [&mut ann, &mut bob, &mut eve] {
        let mut lines = Vec::new();
        for _ in 0..2 * LINES {
            lines.push(client.line().await.unwrap());
        }
        heard.push(lines);
    }
    assert!(heard.iter().all(|lines| *lines == heard[0]));
    for (name, letter) in [("ann", "a"), ("bob", "b")] {
        let prefix = format!("{name}: ");
        let said: Vec<_> = heard[0].iter().filter_map(|line| line.strip_prefix(&prefix)).collect();
        let expected: Vec<_> =
            (1..=LINES).map(|number| format!("{number} {}", letter.repeat(number))).collect();
        assert!(said == expected, "{name} is misunderstood");
    }
}

/// The talker says its next line when it has read the last one, so that it never has much to read.
#[tokio::test]
async fn w10_who_does_not_listen_is_dropped_and_the_others_hear_all() {
    let server = Server::start(CHAT, &["--port", "0", "--cap", "20000"]).await;
    let mut ann = Client::enter(server.address, "ann", "nobody").await;
    let mut eve = Client::enter(server.address, "eve", "ann").await;
    ann.hears("* eve is here").await;

    let text = "x".repeat(990);
    let mut said = 0;
    // What the kernel takes for eve is not known, so that it goes on until it is full.
    loop {
        ann.says(&format!("{said} {text}"));
        let line = ann.line().await.unwrap();
        assert_eq!(line, format!("ann: {said} {text}"));
        said += 1;
        assert!(said < 30_000, "30 MB wait for one who does not read");
        // The word about her follows the line that she did not take, and the next line follows that.
        ann.says("?");
        let line = ann.line().await.unwrap();
        if line != "ann: ?" {
            assert_eq!(line, "* eve did not listen, and was dropped");
            ann.hears("ann: ?").await;
            break;
        }
    }
    // She is gone, and reads so: what had been sent to her, and no clean end.
    let lost = loop {
        match timeout(TIME_LIMIT, eve.reader.read_line()).await.expect("in time") {
            Ok(Some(_)) => {}
            other => break other.expect_err("the chat has reset the connection"),
        }
    };
    assert_eq!(std::io::Error::from(lost).kind(), std::io::ErrorKind::ConnectionReset);
    let _again = Client::enter(server.address, "eve", "ann").await;
    ann.hears("* eve is here").await;
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_says_good_bye_to_all_and_ends() {
    let mut server = Server::start(CHAT, &["--port", "0"]).await;
    let mut nameless = Client::connect(server.address).await;
    let mut ann = Client::enter(server.address, "ann", "nobody").await;
    let mut bob = Client::enter(server.address, "bob", "ann").await;
    ann.hears("* bob is here").await;

    server.interrupt().await;
    for client in [&mut ann, &mut bob] {
        client.hears("* the chat ends, good-bye").await;
        assert_eq!(client.line().await, None);
    }
    assert_eq!(nameless.line().await, None);
    drop((ann, bob, nameless));
    assert_eq!(server.line().await, "The chat has ended; 0 did not hear the end");
    assert_eq!(server.exit_code().await, Some(0));
}

#[tokio::test]
async fn who_finds_no_place_waits_for_one() {
    let server = Server::start(CHAT, &["--port", "0", "--max-connections", "1"]).await;
    let mut ann = Client::enter(server.address, "ann", "nobody").await;
    let (reader, writer) = open_connection(server.address).await.unwrap();
    let mut bob = Client { reader, writer };
    let alone = async {
        for _ in 0..100 {
            ann.says("alone?");
            ann.hears("ann: alone?").await;
        }
    };
    tokio::select! {
        biased;
        _ = bob.reader.peek(1) => panic!("it has let in two"),
        () = alone => {}
    }
    drop(ann);
    bob.hears("* your name?").await;
}
