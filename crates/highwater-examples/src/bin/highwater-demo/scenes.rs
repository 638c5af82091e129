//! The client's side: what is shown, one file for each scene.

mod cancelled;
mod exact;
mod file;
mod held;
mod overrun;
mod separators;
mod throughput;

use std::net::SocketAddr;
use std::time::Duration;

use highwater_examples::Outcome;
use highwater_net::{StreamReader, StreamWriter, open_connection};

use crate::request::Request;
use crate::transcript::Transcript;

/// Where the scenes play: they all talk to one server and write one transcript.
pub(crate) struct Scene {
    pub(crate) server: SocketAddr,
    pub(crate) transcript: Transcript,
}

impl Scene {
    /// A connection that the server serves as requested.
    async fn connect(&self, request: Request) -> Outcome<(StreamReader, StreamWriter)> {
        let connecting = open_connection(self.server).connect_timeout(Duration::from_secs(10));
        let (reader, writer) = connecting.await?;
        write!(writer, "{request}\r\n")?;
        Ok((reader, writer))
    }
}

/// What has to be so, or the demo fails with a sentence.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}
