//! One client: request after request, until either side has enough.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use highwater_examples::Outcome;
use highwater_examples::http::{Answer, Content, MAX_HEAD, Refusal, Request, Status, refuse_overrun};
use highwater_net::{Bytes, ReadUntilError, StreamReader, StreamWriter};
use tokio::io::AsyncReadExt;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::site::{Found, Site};

/// How much of a file is in memory at a time, beside what the writer has queued.
const CHUNK: usize = 64 * 1024;

pub(crate) struct Connection {
    pub(crate) site: Arc<Site>,
    pub(crate) reader: StreamReader,
    pub(crate) writer: StreamWriter,
    /// For a whole head, and for a whole body: a client that sends a byte now and then does not hold a place for
    /// ever.
    pub(crate) patience: Duration,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// What a client does next.
enum Next {
    /// The head of a request, as it came.
    Head(Bytes),
    /// What is no request.
    Refused(Refusal),
    /// Nothing.
    Over,
}

impl Connection {
    /// When it returns, the connection closes, and what was answered last is delivered first.
    pub(crate) async fn serve(mut self) -> Outcome {
        loop {
            let next = tokio::select! {
                // First, so that a request that has come is answered. One that is cut off loses nothing.
                biased;
                next = next(&mut self.reader, self.patience) => next?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return Ok(()),
            };
            let parsed = match next {
                Next::Head(head) => Request::parse(&head),
                Next::Refused(refusal) => Err(refusal),
                Next::Over => return Ok(()),
            };
            let mut request = match parsed {
                Ok(request) => request,
                Err(refusal) => return self.send(Answer::refusal(refusal), None).await,
            };
            if *self.stopping.borrow() {
                request.close();
            }
            if !self.skip_body(&request).await? {
                return Ok(());
            }
            self.answer(&request).await?;
            if !request.keeps_alive() {
                return Ok(());
            }
        }
    }

    /// A body says nothing about a file. The next request is behind it. False if the server stops before its end.
    async fn skip_body(&mut self, request: &Request) -> Outcome<bool> {
        if request.expects_continue() {
            self.writer.write("HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        tokio::select! {
            biased;
            skipped = timeout(self.patience, self.reader.read_exactly(request.body())) => {
                skipped??;
                Ok(true)
            }
            _ = self.stopping.wait_for(|stopping| *stopping) => Ok(false),
        }
    }

    async fn answer(&self, request: &Request) -> Outcome {
        let (site, asked) = (Arc::clone(&self.site), request.clone());
        match tokio::task::spawn_blocking(move || site.find(&asked)).await? {
            Ok(Found::File { file, version, content_type }) => {
                self.send(Answer::file(request, version, content_type), Some(file)).await
            }
            Ok(Found::Folder) => self.send(Answer::to_folder(request), None).await,
            Ok(Found::Nothing) => self.send(Answer::status(request, Status::NotFound), None).await,
            Err(error) => {
                let mut last = request.clone();
                last.close();
                self.send(Answer::status(&last, Status::InternalServerError), None).await?;
                Err(error.into())
            }
        }
    }

    async fn send(&self, answer: Answer, file: Option<File>) -> Outcome {
        self.writer.write(answer.head(SystemTime::now()))?;
        match (answer.content(), file) {
            (Content::Text(text), _) => self.writer.write(text)?,
            (Content::File(range), Some(file)) => self.send_file(file, range.clone()).await?,
            _ => {}
        }
        // A client that asks and asks, and takes no answer, is not asked for more.
        Ok(self.writer.drain().await?)
    }

    async fn send_file(&self, mut file: File, range: Range<u64>) -> Outcome {
        file.seek(SeekFrom::Start(range.start))?;
        let mut file = tokio::fs::File::from_std(file);
        let mut left = range.end - range.start;
        while left > 0 {
            let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
            let length = file.read(&mut chunk).await?;
            if length == 0 {
                // It was announced longer. A reset is the only way left to tell.
                self.writer.abort();
                return Err("a file became shorter while it was sent".into());
            }
            chunk.truncate(length);
            left -= length as u64;
            self.writer.write(chunk)?;
            self.writer.drain().await?;
        }
        Ok(())
    }
}

/// Waits for the next head. A lone LF ends one, too, so that it is refused there and then.
async fn next(reader: &mut StreamReader, patience: Duration) -> Outcome<Next> {
    let mut limited = reader.limited(MAX_HEAD);
    let head = timeout(patience, limited.read_until((b"\r\n\r\n", b"\n\n"))).await;
    Ok(match head {
        Ok(Ok(head)) => Next::Head(head),
        Ok(Err(ReadUntilError::LimitOverrun(_))) => Next::Refused(refuse_overrun(reader.unread_bytes())),
        Ok(Err(ReadUntilError::Incomplete(end))) if end.partial().is_empty() => Next::Over,
        Ok(Err(ReadUntilError::Incomplete(_))) => Next::Refused(Status::BadRequest.into()),
        // Between two requests that is one way to leave.
        Ok(Err(ReadUntilError::Transport(error)))
            if reader.buffered() == 0 && error.kind() == ErrorKind::ConnectionReset =>
        {
            Next::Over
        }
        Ok(Err(error)) => return Err(error.into()),
        Err(_) if reader.buffered() == 0 => Next::Over,
        Err(_) => Next::Refused(Status::RequestTimeout.into()),
    })
}
