//! What happens to one connection: who it is for, TLS on either side, and the connection that it goes to.

use std::time::Duration;

use highwater_examples::Outcome;
use highwater_examples::proxy_protocol::{Header, Version, read_header};
use highwater_net::{
    Facts, NamedClientTls, ServerTls, StreamReader, StreamWriter, open_connection, start_tls,
};
use tokio::time::timeout;

use crate::pump;

/// For the header that every connection has to begin with.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

type Halves = (StreamReader, StreamWriter);

#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) to: (String, u16),
    pub(crate) tls_in: Option<ServerTls>,
    pub(crate) tls_out: Option<NamedClientTls>,
    pub(crate) proxy_in: bool,
    pub(crate) proxy_out: Option<Version>,
    pub(crate) idle: Duration,
}

impl Route {
    /// From the first byte to the last. A connection that cannot be forwarded is reset.
    pub(crate) async fn forward(&self, mut reader: StreamReader, writer: StreamWriter) -> Outcome {
        let header = match self.whom(&mut reader).await {
            Ok(header) => header,
            Err(error) => return reset(&writer, error),
        };
        let near = match &self.tls_in {
            // The header came in plain, and the handshake may stand behind it already: it gets those bytes.
            Some(tls) => start_tls(reader, writer, tls.clone()).await?,
            None => (reader, writer),
        };
        match self.connect(header).await {
            Ok(far) => pump::both(near, far, self.idle).await,
            Err(error) => reset(&near.1, error),
        }
    }

    /// As the connection says, or as it can be seen.
    async fn whom(&self, reader: &mut StreamReader) -> Outcome<Header> {
        if !self.proxy_in {
            return Ok(seen(reader.facts()));
        }
        match timeout(HEADER_TIMEOUT, read_header(reader)).await {
            Ok(header) => Ok(header?),
            Err(_) => Err(format!("no PROXY header within {HEADER_TIMEOUT:?}").into()),
        }
    }

    async fn connect(&self, header: Header) -> Outcome<Halves> {
        let (reader, writer) = open_connection(self.to.clone()).connect_timeout(CONNECT_TIMEOUT).await?;
        if let Some(version) = self.proxy_out {
            writer.write(header.encode(version))?;
        }
        match &self.tls_out {
            Some(tls) => Ok(start_tls(reader, writer, tls.clone()).await?),
            None => Ok((reader, writer)),
        }
    }
}

fn reset(writer: &StreamWriter, error: Box<dyn std::error::Error + Send + Sync>) -> Outcome {
    writer.abort();
    Err(error)
}

fn seen(facts: &Facts) -> Header {
    match (facts.peer_addr().socket_addr(), facts.local_addr().socket_addr()) {
        (Some(source), Some(destination)) => Header::between(source, destination),
        _ => Header::Unknown,
    }
}
