//! A server that follows a script, and tells what it heard.

use std::net::SocketAddr;
use std::sync::Arc;

use highwater_net::{Bytes, Server, StreamReader, StreamWriter, start_server};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What is to be heard, and what is said to it.
pub(crate) type Line = (&'static str, String);

/// `("", …)`: says it without hearing anything. `(line, "")`: hears it and says nothing.
pub(crate) fn line(heard: &'static str, said: impl Into<String>) -> Line {
    (heard, said.into())
}

pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    heard: UnboundedReceiver<String>,
    ends: UnboundedReceiver<Result<Vec<u8>, String>>,
    _server: Server,
}

impl Scripted {
    /// Serves each connection by the script; what comes behind its last line is heard to the end.
    pub(crate) async fn start(script: impl Into<Vec<Line>>) -> Self {
        let script = Arc::new(script.into());
        let (tell, ends) = unbounded_channel();
        let (hear, heard) = unbounded_channel();
        let serve = move |reader, writer| {
            let (script, tell, hear) = (Arc::clone(&script), tell.clone(), hear.clone());
            async move { tell.send(follow(&script, &hear, reader, writer).await).unwrap_or_default() }
        };
        let server = start_server(serve, ("127.0.0.1", 0)).await.unwrap();
        Self { address: server.local_addrs()[0], heard, ends, _server: server }
    }

    /// Waits until a line is heard.
    pub(crate) async fn reaches(&mut self, line: &str) {
        while self.heard.recv().await.expect("it is heard") != line {}
    }

    /// What came behind the last line of the script on the connection that ended first.
    pub(crate) async fn rest(&mut self) -> String {
        let rest = self.ends.recv().await.unwrap().unwrap_or_else(|other| panic!("heard instead: {other}"));
        String::from_utf8(rest).unwrap()
    }

    /// The two numbers that a port is in PASV.
    pub(crate) fn port_bytes(&self) -> String {
        let [high, low] = self.address.port().to_be_bytes();
        format!("{high},{low}")
    }
}

async fn follow(
    script: &[Line],
    hear: &UnboundedSender<String>,
    mut reader: StreamReader,
    writer: StreamWriter,
) -> Result<Vec<u8>, String> {
    for (expected, said) in script {
        if !expected.is_empty() {
            let heard = reader.read_line().await.map_err(|error| error.to_string())?.unwrap_or(Bytes::new());
            let heard = String::from_utf8_lossy(heard.trim_ascii_end()).into_owned();
            if !heard.starts_with(expected) {
                return Err(format!("{heard:?} instead of {expected:?}"));
            }
            hear.send(heard).unwrap_or_default();
        }
        writer.write(said.clone()).map_err(|error| error.to_string())?;
    }
    // A connection that is there to tell something ends with it.
    if script.iter().all(|(expected, _)| expected.is_empty()) && !script.is_empty() {
        return Ok(Vec::new());
    }
    let rest = reader.read_to_end(100 * 1024 * 1024).await.map_err(|error| error.to_string())?;
    drop(writer); // And not before: it would be the end.
    Ok(rest.into())
}
