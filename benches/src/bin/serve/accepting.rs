//! The accept loop that a program on tokio alone writes for itself.

use std::io;
use std::net::Ipv4Addr;
use tokio::net::{TcpListener, TcpStream};

/// Serves every connection by a task of its own.
pub(crate) async fn serve<F>(converse: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let conversation = converse(socket);
        tokio::spawn(async move {
            if let Err(error) = conversation.await {
                eprintln!("a conversation failed: {error}");
            }
        });
    }
}
