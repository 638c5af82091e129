//! A language server that knows one thing: which lines of a document are too long. In asyncio:
//!
//! ```python
//! while head := await reader.readuntil(b"\r\n\r\n"):
//!     length = int(re.search(rb"Content-Length: *(\d+)", head)[1])
//!     request = json.loads(await reader.readexactly(length))
//!     answer = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": handle(request)}).encode()
//!     writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer))
//!     await writer.drain()
//! ```
//!
//! There, `reader` and `writer` of standard input and output take a page of transports and protocols to make;
//! here they are a pair over both. An editor starts it as `json-rpc --width 100`.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;
use highwater_examples::Outcome;
use highwater_examples::content_length::{frame, read_message};
use highwater_net::stream::Linger;
use highwater_net::{StreamOptions, StreamWriter};
use serde_json::{Value, json};

/// No document that is edited is that long.
const LONGEST_MESSAGE: usize = 8 * 1024 * 1024;

/// Of a document, at a time: a warning takes many times the memory of a short line.
const MOST_WARNINGS: usize = 1000;

/// A language server on standard input and output that warns of lines that are too long.
#[derive(Debug, Parser)]
#[command(name = "json-rpc")]
struct Arguments {
    /// The most characters that a line may have
    #[arg(long, default_value_t = 100)]
    width: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    highwater_examples::run("json-rpc", async {
        tokio::select! {
            // Ctrl-C is heard before the first word.
            biased;
            pressed = tokio::signal::ctrl_c() => Ok(pressed?),
            outcome = serve(arguments.width) => outcome,
        }
    })
}

async fn serve(width: usize) -> Outcome {
    // The editor keeps its end open, and is not waited for when all is said.
    let options = StreamOptions::new().linger(Linger::NONE);
    let (mut reader, writer) = options.pair(tokio::io::join(tokio::io::stdin(), tokio::io::stdout()));
    let mut server = Server { state: State::New, width, writer };
    while server.state != State::Exited {
        let message = match read_message(&mut reader, LONGEST_MESSAGE).await {
            Ok(Some(message)) => message,
            Ok(None) => return Err("the editor ended without a word".into()),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(format!("what comes is no message: {error}").into());
            }
            Err(error) => return Err(error.into()),
        };
        server.receive(&message)?;
        server.writer.drain().await?;
    }
    server.writer.close();
    Ok(server.writer.wait_closed().await?)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Initialized,
    ShutDown,
    Exited,
}

struct Server {
    state: State,
    width: usize,
    writer: StreamWriter,
}

/// A code of JSON-RPC or of the language server protocol, and a sentence.
struct Refusal(i32, String);

impl Server {
    /// A request is answered, whatever it is; a notification never is.
    fn receive(&mut self, message: &[u8]) -> Outcome {
        let message: Value = match serde_json::from_slice(message) {
            Ok(message) => message,
            Err(error) => return self.answer(Value::Null, Err(Refusal(-32700, error.to_string()))),
        };
        let id = message.get("id").cloned();
        let Some(method) = message.get("method").and_then(Value::as_str) else {
            let refusal = Refusal(-32600, "neither a request nor a notification".to_owned());
            return self.answer(id.unwrap_or_default(), Err(refusal));
        };
        let parameters = message.get("params").unwrap_or(&Value::Null);
        match id {
            Some(id) => {
                let result = self.request(method);
                self.answer(id, result)
            }
            None => self.notification(method, parameters),
        }
    }

    fn request(&mut self, method: &str) -> Result<Value, Refusal> {
        match (self.state, method) {
            (State::New, "initialize") => {
                self.state = State::Initialized;
                // 1: a change brings the whole document.
                Ok(json!({"capabilities": {"textDocumentSync": 1}, "serverInfo": {"name": "json-rpc"}}))
            }
            (State::New, _) => Err(Refusal(-32002, "not initialized".to_owned())),
            (State::Initialized, "shutdown") => {
                self.state = State::ShutDown;
                Ok(Value::Null)
            }
            (State::Initialized, _) => Err(Refusal(-32601, format!("there is no method {method:?}"))),
            _ => Err(Refusal(-32600, "shut down".to_owned())),
        }
    }

    fn notification(&mut self, method: &str, parameters: &Value) -> Outcome {
        let text = match (self.state, method) {
            (State::ShutDown, "exit") => {
                self.state = State::Exited;
                return Ok(());
            }
            (_, "exit") => return Err("the editor ended without a shutdown".into()),
            (State::Initialized, "textDocument/didOpen") => parameters.pointer("/textDocument/text"),
            (State::Initialized, "textDocument/didChange") => parameters.pointer("/contentChanges/0/text"),
            _ => return Ok(()),
        };
        let uri = parameters.pointer("/textDocument/uri");
        let (Some(uri), Some(text)) = (uri, text.and_then(Value::as_str)) else { return Ok(()) };
        let found = text.lines().enumerate().filter_map(|(at, line)| self.too_long(at, line));
        let found: Vec<_> = found.take(MOST_WARNINGS).collect();
        self.send(&json!({
            "jsonrpc": "2.0",
            "method": "textDocument/publishDiagnostics",
            "params": {"uri": uri, "diagnostics": found},
        }))
    }

    /// A warning, from the first character that is too much. The protocol counts in UTF-16.
    fn too_long(&self, at: usize, line: &str) -> Option<Value> {
        let (start, _) = line.char_indices().nth(self.width)?;
        let (start, end) = (line[..start].encode_utf16().count(), line.encode_utf16().count());
        Some(json!({
            "range": {"start": {"line": at, "character": start}, "end": {"line": at, "character": end}},
            "severity": 2,
            "message": format!("{} characters, and {} are the most", line.chars().count(), self.width),
        }))
    }

    fn answer(&self, id: Value, result: Result<Value, Refusal>) -> Outcome {
        self.send(&match result {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(Refusal(code, text)) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}})
            }
        })
    }

    fn send(&self, message: &Value) -> Outcome {
        Ok(self.writer.write(frame(message.to_string()))?)
    }
}
