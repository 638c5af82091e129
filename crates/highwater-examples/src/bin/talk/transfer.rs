//! Both directions at once, until both have ended.

use std::io::{self, IsTerminal};
use std::pin::pin;

use highwater_examples::Outcome;
use highwater_examples::talk::Crlf;
use highwater_examples::upload::Upload;
use highwater_net::{StreamReader, StreamWriter};
use tokio::io::AsyncReadExt;

use crate::Arguments;
use crate::progress::Progress;
use crate::screen::{Screen, Told};

const CHUNK: usize = 64 * 1024;

pub(crate) async fn transfer(
    mut reader: StreamReader,
    writer: StreamWriter,
    arguments: &Arguments,
) -> Outcome {
    let progress = Progress::new(arguments.show);
    let mut receiving = pin!(receive(&mut reader, arguments, &progress));
    let mut sending = pin!(send(&writer, arguments, &progress));
    tokio::select! {
        received = &mut receiving => {
            received?;
            // Who types sees that the other has gone. A file is sent to its end: the other may have ended its
            // side only.
            if !io::stdin().is_terminal() {
                sending.await?;
            }
        }
        sent = &mut sending => {
            // What the other has said before it stopped listening is still to be shown.
            let received = receiving.await;
            // A failure on this side has aborted both.
            sent.and(received)?;
        }
    }
    writer.close();
    Ok(writer.wait_closed().await?)
}

/// The input, to the other side.
async fn send(writer: &StreamWriter, arguments: &Arguments, progress: &Progress) -> Outcome {
    let mut told = Told::new('>', arguments.show, arguments.hex);
    // Who types ends where they like; a file that is interrupted is not to be taken for whole.
    let upload = (!io::stdin().is_terminal()).then(|| Upload::new(writer));
    let sent = send_input(writer, &mut told, arguments, progress).await;
    if let Some(upload) = upload.filter(|_| sent.is_ok()) {
        upload.whole();
    }
    told.finish().await?;
    sent
}

async fn send_input(
    writer: &StreamWriter,
    told: &mut Told,
    arguments: &Arguments,
    progress: &Progress,
) -> Outcome {
    let mut input = tokio::io::stdin();
    let mut crlf = arguments.crlf.then(Crlf::default);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = input.read(&mut chunk).await.map_err(|error| format!("the input cannot be read: {error}"));
        // A failure on this side is no reason to wait for the other.
        let length = read.inspect_err(|_| writer.close())?;
        if length == 0 {
            break;
        }
        let ended = crlf.as_mut().map(|crlf| crlf.feed(&chunk[..length]));
        let bytes = ended.as_deref().unwrap_or(&chunk[..length]);
        told.tell(bytes).await.inspect_err(|_| writer.close())?;
        writer.write(bytes)?;
        writer.drain().await?;
        progress.sent(bytes.len());
    }
    if !arguments.keep_open && writer.can_write_eof() {
        writer.write_eof()?;
    }
    Ok(writer.flush().await?)
}

/// What the other side sends, to the output.
async fn receive(reader: &mut StreamReader, arguments: &Arguments, progress: &Progress) -> Outcome {
    let mut screen = Screen::new(arguments.hex, arguments.raw);
    let mut told = Told::new('<', arguments.show, arguments.hex);
    let received = show_all(reader, &mut screen, &mut told, arguments.limit, progress).await;
    told.finish().await?;
    screen.finish().await?;
    received
}

async fn show_all(
    reader: &mut StreamReader,
    screen: &mut Screen,
    told: &mut Told,
    limit: Option<u64>,
    progress: &Progress,
) -> Outcome {
    let mut left = limit.unwrap_or(u64::MAX);
    loop {
        let data = reader.read(CHUNK).await?;
        if data.is_empty() {
            return Ok(());
        }
        let shown = data.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        told.tell(&data[..shown]).await?;
        screen.show(&data[..shown]).await?;
        progress.received(shown);
        left -= shown as u64;
        if shown < data.len() {
            return Err(format!("more than the limit of {} bytes came", limit.unwrap_or_default()).into());
        }
    }
}
