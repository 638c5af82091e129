//! Where messages go: into a folder, under a name that nobody sees before the message is whole; or onto
//! standard output.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use highwater_examples::say;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

/// Few writes for many lines.
const BLOCK: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Mailbag {
    folder: Option<PathBuf>,
    /// Names are this and a number, so that no two runs share one.
    run: String,
    number: AtomicU64,
}

impl Mailbag {
    /// A folder that is not there is made.
    pub(crate) fn new(folder: Option<PathBuf>) -> Result<Self, String> {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
        }
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Ok(Self { folder, run: format!("{started}-{}", std::process::id()), number: AtomicU64::new(1) })
    }

    /// Room for a message.
    pub(crate) async fn draft(&self) -> io::Result<Draft> {
        let Some(folder) = &self.folder else { return Ok(Draft::Printed(Vec::new())) };
        let name = format!("{}-{}.eml", self.run, self.number.fetch_add(1, Ordering::Relaxed));
        let (unfinished, finished) = (folder.join(format!(".{name}.part")), folder.join(name));
        let file = BufWriter::with_capacity(BLOCK, File::create_new(&unfinished).await?);
        Ok(Draft::Filed { file, unfinished: Unfinished(unfinished), finished })
    }
}

/// A message that is on its way. Dropped, it has never been there.
#[derive(Debug)]
pub(crate) enum Draft {
    Printed(Vec<u8>),
    Filed { file: BufWriter<File>, unfinished: Unfinished, finished: PathBuf },
}

impl Draft {
    pub(crate) async fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Draft::Printed(text) => {
                text.extend_from_slice(line);
                Ok(())
            }
            Draft::Filed { file, .. } => file.write_all(line).await,
        }
    }

    /// The message is whole, and is kept from here on: only then the client may forget it. Tells where it is.
    pub(crate) async fn keep(self) -> io::Result<String> {
        match self {
            Draft::Printed(text) => {
                say(String::from_utf8_lossy(&text)).map_err(io::Error::other)?;
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

/// A file that goes unless it has been renamed.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}
