//! Where messages go: into a folder, under a name that nobody sees before the message is whole; or onto
//! standard output, where a terminal is not theirs to command.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use highwater_examples::print;
use highwater_examples::talk::Escaper;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Few writes for many lines.
const BLOCK: usize = 64 * 1024;

/// The bytes of messages that are to be printed, all together: they are in memory until they are whole. The largest
/// one fits in any case.
const MOST_PRINTED: u64 = 64 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Mailbag {
    folder: Option<PathBuf>,
    /// A permit for each byte that messages to be printed may still take.
    memory: Arc<Semaphore>,
    /// Names are this and a number, so that no two runs share one.
    run: String,
    number: AtomicU64,
}

impl Mailbag {
    /// A folder that is not there is made.
    pub(crate) fn new(folder: Option<PathBuf>, largest: u64) -> Result<Self, String> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        }
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let bytes = usize::try_from(MOST_PRINTED.max(largest)).unwrap_or(usize::MAX);
        let memory = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Ok(Self {
            folder,
            memory,
            run: format!("{started}-{}", std::process::id()),
            number: AtomicU64::new(1),
        })
    }

    /// Room for a message.
    pub(crate) async fn draft(&self) -> io::Result<Draft> {
        let Some(folder) = &self.folder else {
            let held = Arc::clone(&self.memory).try_acquire_many_owned(0).map_err(io::Error::other)?;
            return Ok(Draft::Printed { text: Vec::new(), held });
        };
        let name = format!("{}-{}.eml", self.run, self.number.fetch_add(1, Ordering::Relaxed));
        let (unfinished, finished) = (folder.join(format!(".{name}.part")), folder.join(name));
        let file = BufWriter::with_capacity(BLOCK, File::create_new(&unfinished).await?);
        Ok(Draft::Filed { file, unfinished: Unfinished(unfinished), finished })
    }
}

/// A message that is on its way. Dropped, it has never been there.
#[derive(Debug)]
pub(crate) enum Draft {
    /// Invariant: there is a permit for each byte.
    Printed {
        text: Vec<u8>,
        held: OwnedSemaphorePermit,
    },
    Filed {
        file: BufWriter<File>,
        unfinished: Unfinished,
        finished: PathBuf,
    },
}

impl Draft {
    pub(crate) async fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Draft::Printed { text, held } => {
                let bytes = u32::try_from(line.len()).map_err(io::Error::other)?;
                let room = Arc::clone(held.semaphore()).try_acquire_many_owned(bytes);
                held.merge(room.map_err(|_| io::Error::other("too many messages at once"))?);
                text.extend_from_slice(line);
                Ok(())
            }
            Draft::Filed { file, .. } => file.write_all(line).await,
        }
    }

    /// The message is whole, and is kept from here on: only then the client may forget it. Tells where it is.
    pub(crate) async fn keep(self) -> io::Result<String> {
        match self {
            Draft::Printed { text, held: _until_printed } => {
                print(for_output(text)).await.map_err(io::Error::other)?;
                Ok("printed".into())
            }
            Draft::Filed { mut file, unfinished, finished } => {
                file.flush().await?;
                file.get_ref().sync_all().await?;
                tokio::fs::rename(&unfinished.0, &finished).await?;
                Ok(format!("in {}", finished.display()))
            }
        }
    }
}

/// What a stranger writes is no command to a terminal. Anything else gets every byte.
fn for_output(text: Vec<u8>) -> Vec<u8> {
    if !io::stdout().is_terminal() {
        return text;
    }
    let mut escaper = Escaper::default();
    [escaper.feed(&text), escaper.finish()].concat().into_bytes()
}

/// A file that goes unless it has been renamed.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_to_be_printed_share_a_bound() {
        const LINE: &[u8] = &[b'x'; 1024 * 1024];

        let mailbag = Mailbag::new(None, 1).unwrap();
        let (mut one, mut other) = (mailbag.draft().await.unwrap(), mailbag.draft().await.unwrap());
        for _ in 0..32 {
            one.write(LINE).await.unwrap();
            other.write(LINE).await.unwrap();
        }
        assert_eq!(one.write(b"x").await.unwrap_err().to_string(), "too many messages at once");
        drop(other);
        one.write(LINE).await.unwrap();
    }

    #[tokio::test]
    async fn the_largest_message_can_be_printed() {
        let mut draft = Mailbag::new(None, MOST_PRINTED + 1).unwrap().draft().await.unwrap();
        for bytes in [usize::try_from(MOST_PRINTED).unwrap(), 1] {
            draft.write(&vec![b'x'; bytes]).await.unwrap();
        }
    }
}
