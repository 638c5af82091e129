//! The language server as a process, and an editor that says what it should and what it should not.

mod support;

use std::process::Stdio;
use std::time::Duration;

use highwater_examples::content_length::{frame, read_message};
use highwater_net::stream::Linger;
use highwater_net::{StreamOptions, StreamReader, StreamWriter};
use serde_json::{Value, json};
use support::run;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const JSON_RPC: &str = env!("CARGO_BIN_EXE_json-rpc");

/// Many times what anything here takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

struct Editor {
    server: Child,
    reader: StreamReader,
    writer: StreamWriter,
}

impl Editor {
    fn start(arguments: &[&str]) -> Self {
        let mut server = Command::new(JSON_RPC)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let pipes = tokio::io::join(server.stdout.take().unwrap(), server.stdin.take().unwrap());
        // A pipe ends when it is dropped, which a linger would put off.
        let options = StreamOptions::new().linger(Linger::NONE).can_write_eof(false);
        let (reader, writer) = options.pair(pipes);
        Self { server, reader, writer }
    }

    /// And initialized.
    async fn ready(arguments: &[&str]) -> Self {
        let mut editor = Self::start(arguments);
        editor.says(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}));
        assert_eq!(editor.hears().await["result"]["serverInfo"]["name"], "json-rpc");
        editor.says(json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
        editor
    }

    fn says(&self, message: Value) {
        self.writer.write(frame(message.to_string())).unwrap();
    }

    async fn hears(&mut self) -> Value {
        let message = timeout(TIME_LIMIT, read_message(&mut self.reader, 1_000_000)).await;
        let message = message.expect("an answer in time").unwrap().expect("an answer before the end");
        serde_json::from_slice(&message).unwrap()
    }

    /// How the server ends, and its last words.
    async fn ended(self) -> (Option<i32>, String) {
        // Its standard input stays open until it has ended.
        let output = timeout(TIME_LIMIT, self.server.wait_with_output()).await.expect("it ends").unwrap();
        drop(self.writer);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

#[tokio::test]
async fn it_explains_itself() {
    let ended = run(JSON_RPC, &["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("Usage: "), "{}", ended.stdout);
}

#[tokio::test]
async fn lines_that_are_too_long_are_told_of() {
    let mut editor = Editor::ready(&["--width", "3"]).await;
    let text = "123\n1234\n\n🦀234567\n";
    let document = json!({"uri": "file:///a", "languageId": "text", "version": 1, "text": text});
    editor.says(json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
    let told = editor.hears().await;
    assert_eq!(told["method"], "textDocument/publishDiagnostics");
    assert_eq!(told["params"]["uri"], "file:///a");
    let found = told["params"]["diagnostics"].as_array().unwrap();
    let ranges: Vec<_> = found.iter().map(|one| one["range"].clone()).collect();
    let range = |line: u32, start: u32, end: u32| json!({"start": {"line": line, "character": start}, "end": {"line": line, "character": end}});
    // A crab is one character, and two where the protocol counts.
    assert_eq!(ranges, [range(1, 3, 4), range(3, 4, 8)]);
    assert_eq!(found[1]["message"], "7 characters, and 3 are the most");

    let changes = json!([{"text": "123"}]);
    let document = json!({"uri": "file:///a", "version": 2});
    editor.says(json!({
        "method": "textDocument/didChange",
        "params": {"textDocument": document, "contentChanges": changes},
    }));
    assert_eq!(editor.hears().await["params"]["diagnostics"], json!([]));
}

#[tokio::test]
async fn warnings_and_messages_have_a_most() {
    let mut editor = Editor::ready(&["--width", "0"]).await;
    let document = json!({"uri": "file:///a", "text": "x\n".repeat(1001)});
    editor.says(json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
    let told = editor.hears().await;
    assert_eq!(told["params"]["diagnostics"].as_array().unwrap().len(), 1000);
    editor.writer.write("Content-Length: 8388609\r\n\r\n").unwrap();
    let (code, errors) = editor.ended().await;
    assert_eq!(code, Some(1));
    assert!(errors.contains("a message of 8388609 bytes, and 8388608 are the most"), "{errors}");
}

#[tokio::test]
async fn it_ends_when_it_is_told_in_order() {
    let mut editor = Editor::ready(&[]).await;
    editor.says(json!({"id": "last", "method": "shutdown"}));
    assert_eq!(editor.hears().await, json!({"jsonrpc": "2.0", "id": "last", "result": null}));
    editor.says(json!({"id": 1, "method": "shutdown"}));
    assert_eq!(editor.hears().await["error"]["code"], -32600);
    editor.says(json!({"method": "exit"}));
    assert_eq!(editor.ended().await, (Some(0), String::new()));
}

#[tokio::test]
async fn what_it_does_not_understand_is_refused_and_the_next_request_answered() {
    let mut editor = Editor::start(&[]);
    editor.says(json!({"id": 1, "method": "shutdown"}));
    assert_eq!(editor.hears().await["error"]["code"], -32002);
    let mut editor = Editor::ready(&[]).await;
    for (message, id, code) in [
        ("{", Value::Null, -32700),
        ("\u{fffd}", Value::Null, -32700),
        (&"[".repeat(1000), Value::Null, -32700),
        ("[]", Value::Null, -32600),
        ("7", Value::Null, -32600),
        (r#"{"id": 3}"#, json!(3), -32600),
        (r#"{"id": 4, "method": 5}"#, json!(4), -32600),
        (r#"{"id": 5, "method": "no/such"}"#, json!(5), -32601),
    ] {
        // Notifications that make no sense are answered by nothing.
        for odd in [r#"{"method": "no/such"}"#, r#"{"method": "textDocument/didOpen", "params": [1]}"#] {
            editor.writer.write(frame(odd)).unwrap();
        }
        editor.writer.write(frame(message)).unwrap();
        let answer = editor.hears().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{message}");
    }
}

#[tokio::test]
async fn an_end_that_is_none_is_told_in_a_sentence() {
    for (bytes, sentence) in [
        (&b""[..], "the editor ended without a word"),
        (b"Content-Length: 2\r\n\r\n{", "the stream ended after 1 of 2 bytes"),
        (b"Content-Length: 99999999999\r\n\r\n", "what comes is no message: a message of 99999999999 bytes"),
        (b"GET / HTTP/1.1\r\n\r\n", "what comes is no message: a header without a colon"),
        (b"Content-Length: 17\r\n\r\n{\"method\":\"exit\"}", "the editor ended without a shutdown"),
    ] {
        let Editor { server, reader, writer } = Editor::start(&[]);
        writer.write(bytes).unwrap();
        writer.close();
        let output = timeout(TIME_LIMIT, server.wait_with_output()).await.expect("it ends").unwrap();
        drop(reader);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(told.starts_with(&format!("json-rpc: {sentence}")), "{told}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it() {
    let editor = Editor::ready(&[]).await;
    let kill = format!("kill -INT {}", editor.server.id().unwrap());
    assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    assert_eq!(editor.ended().await, (Some(0), String::new()));
}
