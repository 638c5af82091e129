//! The Redis client as a process, against servers that answer from a script.

mod support;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use highwater_examples::resp::{Value, read_value};
use highwater_net::{Server, StreamReader, StreamWriter, start_server};
use support::{Ended, run};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

const REDIS_CLIENT: &str = env!("CARGO_BIN_EXE_redis-client");

/// Many times what anything here takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The words of the next command; none at the end.
async fn command(reader: &mut StreamReader) -> Vec<String> {
    let Ok(Some(Value::Array(words))) = read_value(reader, 1_000_000).await else { return Vec::new() };
    let word = |word| match word {
        Value::Bulk(word) => String::from_utf8_lossy(&word).into_owned(),
        other => panic!("{other} in a command"),
    };
    words.into_iter().map(word).collect()
}

/// Answers every command the same, to whoever connects, and then reads on to the end.
async fn answering(answer: &'static [u8]) -> (Server, String) {
    let handler = move |mut reader: StreamReader, writer: StreamWriter| async move {
        while !command(&mut reader).await.is_empty() {
            writer.write(answer)?;
            writer.drain().await?;
        }
        std::io::Result::Ok(())
    };
    serving(handler).await
}

async fn serving<M>(handler: impl highwater_net::Handler<M>) -> (Server, String) {
    let server = start_server(handler, ("127.0.0.1", 0)).await.unwrap();
    let address = server.local_addrs()[0].to_string();
    (server, address)
}

async fn run_with_input(arguments: &[&str], input: String) -> Ended {
    let mut command = Command::new(REDIS_CLIENT);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().unwrap();
    let feeding = async move {
        // A program that ends early does not take all of it.
        stdin.write_all(input.as_bytes()).await.ok();
    };
    let (_, output) = timeout(TIME_LIMIT, async { tokio::join!(feeding, child.wait_with_output()) })
        .await
        .expect("the program ends");
    let output = output.unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn it_explains_itself() {
    let ended = run(REDIS_CLIENT, &["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("Usage: "), "{}", ended.stdout);
}

#[tokio::test]
async fn a_command_is_sent_as_it_was_given_and_its_reply_is_shown() {
    let echo = |mut reader: StreamReader, writer: StreamWriter| async move {
        let words = command(&mut reader).await;
        write!(writer, "*{}\r\n", words.len())?;
        for word in words {
            write!(writer, "${}\r\n{word}\r\n", word.len())?;
        }
        std::io::Result::Ok(())
    };
    let (_server, address) = serving(echo).await;
    let ended = run(REDIS_CLIENT, &[&address, "set", "--key", "two words\n", "", "ü"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let shown = "1) \"set\"\n2) \"--key\"\n3) \"two words\\n\"\n4) \"\"\n5) \"\\xc3\\xbc\"\n";
    assert_eq!(ended.stdout, shown);
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_a_sentence() {
    for (answer, sentence) in [
        (&b"-ERR no such command\r\n"[..], "the server says (error) ERR no such command"),
        (b"$10\r\nabc", "the server ended the connection within a reply"),
        (b"", "the server ended the connection without a reply"),
        (
            b"HTTP/1.1 400 \x1b[2J\r\n",
            "what answers does not speak Redis: no reply begins with \"HTTP/1.1 400 \\x1b[2J\"",
        ),
        (b"*99999999999\r\n", "what answers does not speak Redis: the reply takes more memory than it may"),
        (b"$99999999999\r\n", "what answers does not speak Redis: the reply takes more memory than it may"),
    ] {
        let once = move |mut reader: StreamReader, writer: StreamWriter| async move {
            command(&mut reader).await;
            writer.write(answer)
        };
        let (_server, address) = serving(once).await;
        let ended = run(REDIS_CLIENT, &[&address, "get", "key"]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert_eq!(ended.stderr, format!("redis-client: {sentence}\n"));
    }
}

#[tokio::test]
async fn who_asks_is_told_first() {
    let password = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("redis-password");
    std::fs::write(&password, "a secret\nnot this\n").unwrap();
    let password = password.to_str().unwrap();
    for (options, introduction) in [
        (&["--password-file", password][..], "AUTH|a secret"),
        (&["--user", "ann", "--password-file", password], "AUTH|ann|a secret"),
        (&["--resp3"], "HELLO|3"),
        (&["--resp3", "--password-file", password], "HELLO|3|AUTH|default|a secret"),
    ] {
        let tell = |mut reader: StreamReader, writer: StreamWriter| async move {
            let introduction = command(&mut reader).await.join("|");
            writer.write("+OK\r\n")?;
            command(&mut reader).await;
            write!(writer, "+{introduction}\r\n")
        };
        let (_server, address) = serving(tell).await;
        let ended = run(REDIS_CLIENT, &[options, &[&address, "ping"]].concat()).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout.trim_end(), introduction);
    }
}

#[tokio::test]
async fn piped_commands_do_not_wait_for_replies() {
    const COMMANDS: usize = 2000;
    // Who waited for a reply before the next command would wait for ever.
    let patient = |mut reader: StreamReader, writer: StreamWriter| async move {
        for _ in 0..COMMANDS {
            command(&mut reader).await;
        }
        for number in 0..COMMANDS {
            writer.write(if number == 7 { "-ERR seven\r\n" } else { "+OK\r\n" })?;
        }
        reader.read_to_end(0).await?;
        std::io::Result::Ok(())
    };
    let (_server, address) = serving(patient).await;
    let ended = run_with_input(&["--pipe", &address], "set key value\n\n".repeat(COMMANDS)).await;
    assert_eq!(ended.stdout, "2000 replies, 1 of them errors\n");
    assert_eq!(ended.stderr, "command 8: (error) ERR seven\nredis-client: 1 of 2000 commands were refused\n");
    assert_eq!(ended.code, Some(1));
}

#[tokio::test]
async fn replies_are_read_while_commands_are_piped() {
    // More than the sockets hold, either way: who only sent would wait for a server that waits for him.
    const COMMANDS: usize = 1000;
    static ANSWER: std::sync::LazyLock<Vec<u8>> =
        std::sync::LazyLock::new(|| format!("$20000\r\n{}\r\n", "x".repeat(20_000)).into_bytes());
    let (_server, address) = answering(&ANSWER).await;
    let commands = format!("echo {}\n", "y".repeat(20_000)).repeat(COMMANDS);
    let ended = run_with_input(&["--pipe", &address], commands).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "1000 replies, 0 of them errors\n");
}

#[tokio::test]
async fn a_line_that_cannot_be_split_ends_the_pipe() {
    let (_server, address) = answering(b"+OK\r\n").await;
    let ended = run_with_input(&["--pipe", &address], "ping\nget \"a\n".into()).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), "redis-client: line 2: a quote has no end\n"));
}

#[tokio::test]
async fn lines_of_input_are_answered_one_by_one() {
    let (_server, address) = answering(b">1\r\n+news\r\n:7\r\n").await;
    let ended = run_with_input(&[&address], "\nget 'a\nget a\nquit\nget b\n".into()).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, "not sent: a quote has no end\n1) news\n(integer) 7\n1) news\n(integer) 7\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_subscriber_is_told_until_ctrl_c() {
    let telling = |mut reader: StreamReader, writer: StreamWriter| async move {
        assert_eq!(command(&mut reader).await, ["subscribe", "news"]);
        writer.write("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n")?;
        writer.write(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n")?;
        // Until it is gone, which may look like a reset.
        reader.read_to_end(0).await.ok();
        std::io::Result::Ok(())
    };
    let (_server, address) = serving(telling).await;
    let mut command = Command::new(REDIS_CLIENT);
    command.args([&address, "subscribe", "news"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut output = highwater_net::stream::StreamReader::new(child.stdout.take().unwrap());
    let told = timeout(TIME_LIMIT, async {
        let mut told = String::new();
        while !told.ends_with("\"hi\"\n") {
            told += std::str::from_utf8(&output.read_line().await.unwrap().unwrap()).unwrap();
        }
        told
    });
    let shown = "1) \"subscribe\"\n2) \"news\"\n3) (integer) 1\n1) \"message\"\n2) \"news\"\n3) \"hi\"\n";
    assert_eq!(told.await.unwrap(), shown);

    let kill = format!("kill -INT {}", child.id().unwrap());
    assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    assert_eq!(timeout(TIME_LIMIT, child.wait()).await.unwrap().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it_also_while_it_waits_for_input() {
    let (_server, address) = answering(b"+OK\r\n").await;
    let mut command = Command::new(REDIS_CLIENT);
    command.arg(&address).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = highwater_net::stream::StreamReader::new(child.stdout.take().unwrap());
    input.write_all(b"ping\n").await.unwrap();
    assert_eq!(timeout(TIME_LIMIT, output.read_line()).await.unwrap().unwrap().unwrap(), "OK\n");

    let kill = format!("kill -INT {}", child.id().unwrap());
    assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    assert_eq!(timeout(TIME_LIMIT, child.wait()).await.unwrap().unwrap().code(), Some(0));
    drop(input); // and not before
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_before_a_reply_is_a_failure() {
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let silent = move |mut reader: StreamReader, writer: StreamWriter| {
        let told = told.clone();
        async move {
            told.send(command(&mut reader).await).ok();
            reader.read_to_end(0).await.ok();
            drop(writer); // and not before
        }
    };
    let (_server, address) = serving(silent).await;
    for words in [["--pipe", &address], [&address, "ping"]] {
        let mut command = Command::new(REDIS_CLIENT);
        command.args(words).stdin(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"ping\n").await.unwrap();
        assert_eq!(timeout(TIME_LIMIT, hears.recv()).await.unwrap().unwrap(), ["ping"]);

        let kill = format!("kill -INT {}", child.id().unwrap());
        assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
        let ended = timeout(TIME_LIMIT, child.wait_with_output()).await.unwrap().unwrap();
        assert_eq!(ended.status.code(), Some(130));
        let sentence = "redis-client: interrupted before every command had its reply\n";
        assert_eq!(String::from_utf8_lossy(&ended.stderr), sentence);
        drop(input); // and not before
    }
}
