//! Our end of the conversations in `tests/interop`: `interop_peer listen CONVERSATION`, or
//! `interop_peer connect ADDRESS CONVERSATION`. It holds one conversation and ends.
//!
//! Standard output is for the script: `listening ADDRESS`, and what was observed, a word and then numbers.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use highwater_net::stream::StreamReader as Lines;
use highwater_net::{Bytes, ReadExactlyError, StreamReader, StreamWriter, open_connection, start_server};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

/// A script that went away is not to leave us behind.
const TIME_LIMIT: Duration = Duration::from_secs(180);

/// A `drain` that has waited for this long is held back.
const HELD: Duration = Duration::from_millis(200);

/// What the conversations without messages are about, in bytes.
const BULK: usize = 32 * 1024 * 1024;

/// The message that is aborted, and how much of it was sent by then.
const ANNOUNCED: usize = 100_000;
const SENT: usize = 50_000;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match timeout(TIME_LIMIT, run(&arguments)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("not through after {TIME_LIMIT:?}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("interop_peer: {}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Outcome {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ((reader, writer), conversation) = match arguments[..] {
        ["listen", conversation] => (accept_one().await?, conversation),
        ["connect", address, conversation] => (open_connection(address).await?, conversation),
        _ => return Err("usage: interop_peer (listen | connect ADDRESS) CONVERSATION".into()),
    };
    match conversation {
        "echo" => echo(reader, writer).await,
        "end-last" => end_last(reader, writer).await,
        "end-first" => end_first(reader, writer).await,
        "held" => held(reader, writer).await,
        "late" => late(reader, writer).await,
        "abort" => abort(reader, writer).await,
        "aborted" => aborted(reader, writer).await,
        other => Err(format!("{other:?} is no conversation").into()),
    }
}

async fn accept_one() -> Outcome<(StreamReader, StreamWriter)> {
    let (give, mut take) = unbounded_channel();
    let give_away = move |reader: StreamReader, writer: StreamWriter| drop(give.send((reader, writer)));
    let server = start_server(give_away, ("127.0.0.1", 0)).await?;
    println!("listening {}", server.local_addrs()[0]);
    Ok(take.recv().await.ok_or("the server ended before anybody connected")?)
}

/// Sends back each message: four bytes that say how long it is, and that many.
async fn echo(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let (mut messages, mut bytes) = (0, 0);
    loop {
        let head = match reader.read_exactly(4).await {
            Ok(head) => head,
            Err(ReadExactlyError::Incomplete(end)) if end.partial().is_empty() => break,
            Err(error) => return Err(error.into()),
        };
        let length = u32::from_be_bytes(head[..].try_into()?);
        let payload = reader.read_exactly(length.try_into()?).await?;
        messages += 1;
        bytes += payload.len();
        writer.write_lines([head, payload])?;
        writer.drain().await?;
    }
    close(writer).await?;
    println!("echoed {messages} {bytes}");
    Ok(())
}

/// The peer ends its half first; then it is sent back all that it sent.
async fn end_last(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let received = reader.read_to_end(BULK).await?;
    println!("received {}", received.len());
    send(&writer, &received).await?;
    close(writer).await
}

/// We end our half first; then the peer sends back all that we sent.
async fn end_first(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
    let sent = bulk();
    send(&writer, &sent).await?;
    writer.write_eof()?;
    let received = reader.read_to_end(BULK).await?;
    println!("received {} {}", received.len(), if received == sent { "equal" } else { "different" });
    close(writer).await
}

/// The peer does not read until we have said that we are held back.
async fn held(_reader: StreamReader, writer: StreamWriter) -> Outcome {
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
async fn late(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
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
async fn abort(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
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
async fn aborted(mut reader: StreamReader, writer: StreamWriter) -> Outcome {
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

/// Every byte value, in a row whose length is prime, so that no two blocks of it are alike.
fn bulk() -> Bytes {
    (0..=u8::MAX).chain([0]).cycle().take(BULK).collect()
}

fn blocks(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    bytes.chunks(48 * 1024).map(|block| bytes.slice_ref(block))
}

async fn send(writer: &StreamWriter, bytes: &Bytes) -> Outcome {
    for block in blocks(bytes) {
        writer.write(block)?;
        writer.drain().await?;
    }
    Ok(())
}

async fn close(writer: StreamWriter) -> Outcome {
    writer.close();
    Ok(writer.wait_closed().await?)
}
