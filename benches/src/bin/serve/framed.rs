//! tokio-util: `Framed` with `LinesCodec`, which makes a `String` of each line.

use crate::{Job, accepting, not_offered};
use futures::{SinkExt, StreamExt};
use highwater_benches::Service;
use std::io;
use tokio::net::TcpStream;
use tokio_util::codec::{Framed, LinesCodec};

pub(crate) async fn serve(job: &Job) -> io::Result<()> {
    match job.service {
        Service::Echo => accepting::serve(echo).await,
        Service::ReadLines => accepting::serve(read_lines).await,
        _ => Err(not_offered(job)),
    }
}

async fn echo(socket: TcpStream) -> io::Result<()> {
    let mut framed = Framed::new(socket, LinesCodec::new());
    while let Some(line) = framed.next().await {
        framed.feed(line.map_err(io::Error::other)?).await.map_err(io::Error::other)?;
        if framed.read_buffer().is_empty() {
            SinkExt::<String>::flush(&mut framed).await.map_err(io::Error::other)?;
        }
    }
    Ok(())
}

async fn read_lines(socket: TcpStream) -> io::Result<()> {
    let mut framed = Framed::new(socket, LinesCodec::new());
    let (mut lines, mut bytes) = (0, 0);
    while let Some(line) = framed.next().await {
        lines += 1;
        bytes += line.map_err(io::Error::other)?.len() + 1;
    }
    framed.send(format!("{lines} {bytes}")).await.map_err(io::Error::other)
}
