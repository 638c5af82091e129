//! What is said over a connection, with TLS or without: a word and then numbers tell the script what was
//! observed.

use std::time::Duration;

use highwater_net::stream::StreamReader as Lines;
use highwater_net::{Bytes, ReadExactlyError, StreamReader, StreamWriter};
use tokio::time::timeout;

use crate::Outcome;

/// A `drain` that has waited for this long is held back.
const HELD: Duration = Duration::from_millis(200);

/// What the conversations without messages are about, in bytes.
const BULK: usize = 32 * 1024 * 1024;

/// The message that is aborted, and how much of it was sent by then.
const ANNOUNCED: usize = 100_000;
const SENT: usize = 50_000;

/// Sends back each message: four bytes that say how long it is, and that many.
pub(crate) async fn echo(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let (mut messages, mut bytes) = (0, 0);
    while let Some(length) = echo_one(&mut reader, &writer).await? {
        messages += 1;
        bytes += length;
    }
    close(writer).await?;
    println!("echoed {messages} {bytes}");
    Ok(())
}

/// How long the message was, or none at the end.
pub(crate) async fn echo_one(reader: &mut StreamReader, writer: &StreamWriter) -> Outcome<Option<usize>> {
    let head = match reader.read_exactly(4).await {
        Ok(head) => head,
        Err(ReadExactlyError::Incomplete(end)) if end.partial().is_empty() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let length = u32::from_be_bytes(head[..].try_into()?).try_into()?;
    let payload = reader.read_exactly(length).await?;
    writer.write_lines([head, payload])?;
    writer.drain().await?;
    Ok(Some(length))
}

/// The peer ends its half first; then it is sent back all that it sent.
pub(crate) async fn end_last(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let received = reader.read_to_end(BULK).await?;
    println!("received {}", received.len());
    send(&writer, &received).await?;
    close(writer).await
}

/// We end our half first; then the peer sends back all that we sent.
pub(crate) async fn end_first(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let sent = bulk();
    send(&writer, &sent).await?;
    writer.write_eof()?;
    let received = reader.read_to_end(BULK).await?;
    println!("received {} {}", received.len(), if received == sent { "equal" } else { "different" });
    close(writer).await
}

/// The peer does not read until we have said that we are held back.
pub(crate) async fn held(_reader: StreamReader, writer: StreamWriter) -> Outcome {
    let (mut told, mut most) = (false, 0);
    for block in blocks(&bulk()) {
        writer.write(block)?;
        let queued = writer.queued();
        most = most.max(queued);
        if timeout(HELD, writer.drain()).await.is_err() {
            if !std::mem::replace(&mut told, true) {
                println!("held {queued} {}", writer.watermarks().high());
            }
            writer.drain().await?;
        }
    }
    close(writer).await?;
    println!("sent {BULK} {most}");
    Ok(())
}

/// We do not read until standard input says so; then we send back what comes.
pub(crate) async fn late(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    Lines::new(tokio::io::stdin()).read_line().await?;
    let mut bytes = 0;
    loop {
        let received = reader.read(64 * 1024).await?;
        if received.is_empty() {
            break;
        }
        bytes += received.len();
        writer.write(received)?;
        writer.drain().await?;
    }
    close(writer).await?;
    println!("echoed {bytes}");
    Ok(())
}

/// We abort in the middle of a message, once the peer has some of it.
pub(crate) async fn abort(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    writer.write(u32::try_from(ANNOUNCED)?.to_be_bytes())?;
    writer.write(vec![b'.'; SENT])?;
    reader.read_exactly(1).await?;
    writer.abort();
    match reader.read(1).await {
        Err(error) => println!("read {:?}", error.kind()),
        Ok(bytes) => println!("read {} bytes", bytes.len()),
    }
    Ok(())
}

/// The peer aborts in the middle of a message, once we have some of it.
pub(crate) async fn aborted(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let head = reader.read_exactly(4).await?;
    let length = u32::from_be_bytes(head[..].try_into()?);
    reader.peek(SENT).await?;
    writer.write("!")?;
    match reader.read_exactly(length.try_into()?).await {
        Err(ReadExactlyError::Incomplete(error)) => {
            println!("incomplete {} {}", error.partial().len(), error.expected().unwrap_or(0));
        }
        Err(ReadExactlyError::Transport(error)) => println!("{:?} {}", error.kind(), reader.buffered()),
        Err(error) => return Err(error.into()),
        Ok(payload) => println!("complete {}", payload.len()),
    }
    Ok(())
}

fn bulk() -> Bytes {
    every_value(BULK)
}

/// Every byte value, in a row whose length is prime, so that no two blocks of it are alike.
pub(crate) fn every_value(length: usize) -> Bytes {
    (0..=u8::MAX).chain([0]).cycle().take(length).collect()
}

fn blocks(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    bytes.chunks(48 * 1024).map(|block| bytes.slice_ref(block))
}

pub(crate) async fn send(writer: &StreamWriter, bytes: &Bytes) -> Outcome {
    for block in blocks(bytes) {
        writer.write(block)?;
        writer.drain().await?;
    }
    Ok(())
}

pub(crate) async fn close(writer: StreamWriter) -> Outcome {
    writer.close();
    Ok(writer.wait_closed().await?)
}
