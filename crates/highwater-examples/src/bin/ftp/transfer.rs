//! What goes through data connections: listings, files, and the rest of files.

use std::io::{Error, ErrorKind, SeekFrom};
use std::path::Path;

use highwater_examples::ftp::{Entry, Kind, has_feature, size};
use highwater_examples::text::printable;
use highwater_examples::upload::Upload;
use highwater_examples::{Outcome, say};
use highwater_net::{StreamReader, StreamWriter};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::control::Control;

/// Of a file, at a time.
const BLOCK: usize = 64 * 1024;

/// Prints what is in a folder.
pub(crate) async fn list(control: &mut Control, folder: Option<&str>, names: bool) -> Outcome {
    let facts = !names && has_feature(&control.command("FEAT").await?, "MLST");
    let verb = match (names, facts) {
        (true, _) => "NLST",
        (false, true) => "MLSD",
        (false, false) => "LIST",
    };
    let command = folder.map_or(verb.into(), |folder| format!("{verb} {folder}"));
    let (mut data, writer) =
        control.begin(&command, 0).await.map_err(|error| format!("no listing: {error}"))?;
    loop {
        let line = match data.read_line().await {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err(control.reason(error.into()).await),
        };
        let line = line.trim_ascii_end();
        match Entry::parse(line).filter(|_| facts) {
            Some(Entry { kind: Kind::Itself, .. }) => {}
            Some(entry) => say(entry)?,
            None => say(printable(line))?,
        }
    }
    part(writer).await;
    control.finish().await
}

/// Gets a file, or what is missing of it here.
pub(crate) async fn get(control: &mut Control, remote: &str, local: &Path, resume: bool) -> Outcome {
    let whole = size_of(control, remote).await?;
    let offset = if resume { length(local).await.map_err(|error| here(local, &error))? } else { 0 };
    match whole {
        Some(whole) if resume && offset == whole => {
            return say(format_args!("{} is whole: {whole} bytes", local.display()));
        }
        Some(whole) if offset > whole => {
            let (local, longer) = (local.display(), offset - whole);
            return Err(format!("{local} has {longer} bytes more than {remote} on the server").into());
        }
        _ => {}
    }
    let begun = control.begin(&format!("RETR {remote}"), offset).await;
    let (mut data, writer) = begun.map_err(|error| format!("cannot get {remote}: {error}"))?;
    // Only now: a file that the server does not have is no reason to touch one here.
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(offset == 0).append(offset > 0);
    let mut file = options.open(local).await.map_err(|error| here(local, &error))?;
    let received = match receive(&mut data, &mut file).await {
        Ok(received) => received,
        Err(Broken::Here(error)) => return Err(here(local, &error).into()),
        Err(Broken::Line(error)) => return Err(control.reason(error).await),
    };
    part(writer).await;
    control.finish().await?;
    if let Some(whole) = whole.filter(|&whole| offset + received != whole) {
        return Err(format!("{remote} has {whole} bytes, and {received} came from {offset} on").into());
    }
    say(format_args!("Got {remote}: {received} bytes from {offset} on"))
}

/// Puts a file, or what is missing of it there.
pub(crate) async fn put(control: &mut Control, local: &Path, remote: &str, resume: bool) -> Outcome {
    let mut file = File::open(local).await.map_err(|error| here(local, &error))?;
    let whole = file.metadata().await.map_err(|error| here(local, &error))?.len();
    let offset = if resume { size_of(control, remote).await?.unwrap_or(0) } else { 0 };
    if resume && offset == whole {
        return say(format_args!("{remote} is whole: {whole} bytes"));
    }
    if offset > whole {
        let (local, longer) = (local.display(), offset - whole);
        return Err(format!("{remote} on the server has {longer} bytes more than {local}").into());
    }
    file.seek(SeekFrom::Start(offset)).await.map_err(|error| here(local, &error))?;
    let begun = control.begin(&format!("STOR {remote}"), offset).await;
    let (_data, writer) = begun.map_err(|error| format!("cannot put {remote}: {error}"))?;
    let upload = Upload::new(&writer);
    let sent = match send(&mut file, &writer).await {
        Ok(sent) => sent,
        Err(Broken::Here(error)) => return Err(here(local, &error).into()),
        Err(Broken::Line(error)) => return Err(control.reason(error).await),
    };
    upload.whole();
    control.finish().await?;
    say(format_args!("Put {remote}: {sent} bytes from {offset} on"))
}

/// Whose fault it is.
enum Broken {
    /// The file's.
    Here(Error),
    /// The connection's.
    Line(Error),
}

async fn receive(data: &mut StreamReader, file: &mut File) -> Result<u64, Broken> {
    let mut received = 0;
    let ended = loop {
        match data.read(BLOCK).await {
            Ok(block) if block.is_empty() => break Ok(received),
            Ok(block) => {
                file.write_all(&block).await.map_err(Broken::Here)?;
                received += block.len() as u64;
            }
            Err(error) => break Err(Broken::Line(error.into())),
        }
    };
    // What has come is kept in any case: it is where the next attempt goes on.
    file.flush().await.map_err(Broken::Here)?;
    ended
}

/// Sends the rest of a file, and its end, which is the end of the connection.
async fn send(file: &mut File, writer: &StreamWriter) -> Result<u64, Broken> {
    let mut sent = 0;
    loop {
        let mut block = Vec::with_capacity(BLOCK);
        if file.read_buf(&mut block).await.map_err(Broken::Here)? == 0 {
            break;
        }
        sent += block.len() as u64;
        writer.write(block).map_err(|error| Broken::Line(error.into()))?;
        writer.drain().await.map_err(|error| Broken::Line(error.into()))?;
    }
    writer.close();
    writer.wait_closed().await.map_err(|error| Broken::Line(error.into()))?;
    Ok(sent)
}

/// Ends a connection that the server has ended already.
async fn part(writer: StreamWriter) {
    writer.close();
    writer.wait_closed().await.ok();
}

/// `None` if the server has no such file, or does not tell.
async fn size_of(control: &mut Control, remote: &str) -> Outcome<Option<u64>> {
    let reply = control.command(&format!("SIZE {remote}")).await?;
    Ok(if reply.code() == 213 { size(&reply) } else { None })
}

/// Of a file here. One that is not there has none.
async fn length(local: &Path) -> Result<u64, Error> {
    match tokio::fs::metadata(local).await {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn here(local: &Path, error: &Error) -> String {
    format!("{}: {error}", local.display())
}
