//! What there is to serve: the files beneath a root, whoever asks for what.
//!
//! The root is trusted not to change under a request's feet: who may replace a folder by a link between the
//! look at it and the opening can have served what the program may read.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use highwater_examples::http::{Request, Version};

/// A folder's own page.
const INDEX: &str = "index.html";

pub(crate) struct Site {
    /// Without links in it, so that what is beneath begins with it.
    root: PathBuf,
}

/// What a path leads to.
pub(crate) enum Found {
    File {
        file: File,
        version: Version,
        content_type: &'static str,
    },
    /// A folder that was asked for as a file.
    Folder,
    Nothing,
}

impl Site {
    pub(crate) fn new(root: &Path) -> Result<Self, String> {
        let shown = root.display();
        let root = root.canonicalize().map_err(|error| format!("{shown} cannot be served: {error}"))?;
        if !root.is_dir() {
            return Err(format!("{shown} is not a folder"));
        }
        Ok(Self { root })
    }

    /// Looks for what a request asks for. It blocks as long as the disk does.
    pub(crate) fn find(&self, request: &Request) -> io::Result<Found> {
        let asked = self.root.join(request.path());
        let found = if request.is_folder() { self.open(&asked.join(INDEX)) } else { self.open(&asked) };
        match found {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                Ok(Found::Nothing)
            }
            other => other,
        }
    }

    fn open(&self, path: &Path) -> io::Result<Found> {
        // Too long a name, a link to itself, a file where a folder has to be: there is no such file.
        let Ok(real) = path.canonicalize() else { return Ok(Found::Nothing) };
        if !real.starts_with(&self.root) {
            return Ok(Found::Nothing);
        }
        let metadata = real.metadata()?;
        if metadata.is_dir() && !path.ends_with(INDEX) {
            return Ok(Found::Folder);
        }
        // To open a pipe would be to wait for whoever writes into it.
        if !metadata.is_file() {
            return Ok(Found::Nothing);
        }
        let file = File::open(&real)?;
        let metadata = file.metadata()?;
        let version = Version::new(metadata.len(), metadata.modified()?);
        Ok(Found::File { file, version, content_type: content_type(path) })
    }
}

/// By the name, as far as browsers need it. Anything else is bytes, which they save.
fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" | "md" | "log" | "toml" | "rs" | "py" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "json" | "map" => "application/json",
        "xml" => "application/xml",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    }
}
