//! The server's side: a handler as a person would write it for each [`Request`].

use std::sync::Arc;

use highwater_examples::{Outcome, say};
use highwater_net::{LimitedReadError, StreamReader, StreamWriter, start_server, stream};
use tokio::sync::Notify;

use crate::request::Request;

/// Prints an address and serves it until standard input ends.
pub(crate) async fn run() -> Outcome {
    let resume = Arc::new(Notify::new());
    let server =
        start_server(move |reader, writer| converse(reader, writer, Arc::clone(&resume)), ("127.0.0.1", 0))
            .await?;
    say(server.local_addrs()[0])?;

    stream::StreamReader::new(tokio::io::stdin()).read(1).await?;
    server.close();
    server.close_clients();
    server.wait_closed().await;
    Ok(())
}

async fn converse(mut reader: StreamReader, writer: StreamWriter, resume: Arc<Notify>) -> Outcome {
    let line = reader.read_until(b"\r\n").await?;
    match String::from_utf8_lossy(&line).trim_end().parse()? {
        Request::Lines { limit } => lines(reader, writer, limit).await,
        Request::Bytes => bytes(reader, writer).await,
        Request::Strict { limit } => strict(reader, writer, limit).await,
        Request::Later => later(reader, writer, &resume).await,
        Request::Resume => {
            resume.notify_one();
            Ok(())
        }
    }
}

async fn lines(mut reader: StreamReader, writer: StreamWriter, limit: usize) -> Outcome {
    reader.set_limit(limit);
    while let Some(line) = reader.read_line().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    Ok(())
}

async fn bytes(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    loop {
        let bytes = reader.read(64 * 1024).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        writer.write(bytes)?;
        writer.drain().await?;
    }
}

async fn strict(mut reader: StreamReader, writer: StreamWriter, limit: usize) -> Outcome {
    reader.set_limit(limit);
    loop {
        match reader.read_line().await {
            Ok(Some(line)) => write!(writer, "accepted {}\r\n", line.len())?,
            Ok(None) => return Ok(()),
            Err(LimitedReadError::LimitOverrun(overrun)) => {
                write!(writer, "refused {} {}\r\n", overrun.consumed(), overrun)?;
                let skipped = reader.skip_until(b"\n").await?;
                write!(writer, "skipped {skipped}\r\n")?;
            }
            Err(error) => return Err(error.into()),
        }
        writer.drain().await?;
    }
}

async fn later(mut reader: StreamReader, writer: StreamWriter, resume: &Notify) -> Outcome {
    resume.notified().await;
    let mut received = 0;
    loop {
        let bytes = reader.read(64 * 1024).await?;
        if bytes.is_empty() {
            write!(writer, "received {received}\r\n")?;
            return Ok(());
        }
        received += bytes.len();
    }
}
