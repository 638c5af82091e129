//! Bytes between two connections, in both directions at once, until both have ended or one has failed.

use std::time::Duration;

use highwater_examples::Outcome;
use highwater_net::{StreamReader, StreamWriter};
use tokio::sync::Notify;
use tokio::time::timeout;

/// The most that is read at a time. With the marks of the writers it bounds what a connection holds.
const PIECE: usize = 64 * 1024;

/// An end is passed on as the end of that direction, and a failure, or silence, as a reset of both sides: what
/// was cut short is never taken for complete.
pub(crate) async fn both(
    near: (StreamReader, StreamWriter),
    far: (StreamReader, StreamWriter),
    idle: Duration,
) -> Outcome {
    let moved = Notify::new();
    let passed = {
        let there = pass(near.0, &far.1, &moved);
        let back = pass(far.0, &near.1, &moved);
        tokio::select! {
            passed = async { tokio::try_join!(there, back) } => passed.map(drop),
            () = silence(&moved, idle) => Err(format!("no byte either way for {idle:?}").into()),
        }
    };
    if passed.is_err() {
        near.1.abort();
        far.1.abort();
    }
    passed
}

async fn pass(mut reader: StreamReader, writer: &StreamWriter, moved: &Notify) -> Outcome {
    loop {
        let piece = reader.read(PIECE).await;
        let piece = piece.map_err(|error| format!("from {}: {error}", reader.facts().peer_addr()))?;
        moved.notify_one();
        let ended = piece.is_empty();
        let sent = async {
            match ended {
                true => writer.write_eof()?,
                false => writer.write(piece)?,
            }
            writer.drain().await?;
            std::io::Result::Ok(())
        };
        sent.await.map_err(|error| format!("to {}: {error}", writer.facts().peer_addr()))?;
        moved.notify_one();
        if ended {
            return Ok(());
        }
    }
}

/// Returns when nothing has moved for so long.
async fn silence(moved: &Notify, idle: Duration) {
    while timeout(idle, moved.notified()).await.is_ok() {}
}
