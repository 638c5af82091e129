//! A server whose connections are inside TLS: the handshake, in the task of its connection.

use super::handler;
use super::start::StartServer;
use crate::tls::handshake_over;
use crate::{ServerTls, StreamReader, StreamWriter, TlsError};
use std::future::Future;
use std::pin::Pin;

impl<K> StartServer<K> {
    /// Inside TLS, from the first byte. The handshake runs in the connection's own task, and the handler
    /// after it; a connection counts as a client from its accept on.
    ///
    /// A handshake that fails closes its connection, is counted ([`Server::counts`](crate::Server::counts))
    /// and told to the hook of [`on_error`](Self::on_error).
    ///
    /// # Source
    /// asyncio: the `ssl` of `start_server`. diverges: how many handshakes may be in course at once is
    /// bounded ([`ServerTlsBuilder::max_handshakes`](crate::ServerTlsBuilder::max_handshakes)).
    ///
    /// ```
    /// # use highwater_net::*;
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    /// # let identity = Identity::from_pem(made.cert.pem(), made.signing_key.serialize_pem()).unwrap();
    /// # let roots = Roots::from_pem(made.cert.pem()).unwrap();
    /// # let client_tls = ClientTls::builder().roots(roots).build().unwrap();
    /// # async fn echo(mut reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
    /// #     while let Some(line) = reader.read_line().await? { writer.write(line)?; }
    /// #     Ok(())
    /// # }
    /// let server = start_server(echo, ("127.0.0.1", 0)).tls(ServerTls::new(identity)?).await?;
    /// let connecting = open_connection(server.local_addrs()[0]);
    /// let (mut reader, writer) = connecting.tls(client_tls.server_name("localhost")).await?;
    /// writer.write("in private\n")?;
    /// assert_eq!(reader.read_line().await?.unwrap(), "in private\n");
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.common.tls = Some(tls);
        self
    }
}

/// A handshake in course.
pub(super) type Securing =
    Pin<Box<dyn Future<Output = Result<(StreamReader, StreamWriter), TlsError>> + Send>>;

/// The same connection inside TLS.
pub(super) fn secure(reader: StreamReader, writer: StreamWriter, tls: ServerTls) -> Securing {
    Box::pin(async move {
        let shaken = handler::caught(handshake_over((reader, writer), &tls)).await;
        // What of it is the caller's, such as a certificate resolver of its own, may panic.
        shaken.unwrap_or_else(|message| Err(TlsError::Panicked(message)))
    })
}
