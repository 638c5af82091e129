//! Where things are: the root of the workspace, the target folder, cargo itself.
//!
//! Decided once, here, and told to every cargo that is started, so that all of them build into one folder and
//! a program is found where it was built.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::process::Command;

use crate::outcome::Outcome;

#[derive(Debug)]
pub(crate) struct Workspace {
    cargo: OsString,
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Outcome<Self> {
        // Asked when run, not when built: with a target folder shared between checkouts, this program may
        // have been built in another of them.
        let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package)
            .parent()
            .ok_or_else(|| "the xtask package lies outside a workspace".to_owned())?;

        let target = match env::var_os("CARGO_TARGET_DIR") {
            // Cargo takes a relative path from where it was started. Those started here run in the root, so
            // it is made absolute first.
            Some(folder) => path::absolute(folder)
                .map_err(|error| format!("CARGO_TARGET_DIR names no folder: {error}"))?,
            None => root.join("target"),
        };

        Ok(Self {
            cargo: env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            root: root.to_owned(),
            target,
        })
    }

    /// A cargo command with these words, as one would type them: `cargo("fmt --all")`. It runs in the root
    /// and builds into our target folder.
    pub(crate) fn cargo(&self, words: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(words.split_whitespace());
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where everything is built.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The triple of the machine that this runs on.
    pub(crate) fn host(&self) -> Outcome<String> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc).arg("-vV").output();
        let output = output.map_err(|error| format!("rustc could not be started: {error}"))?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let host = answer.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(host.ok_or("`rustc -vV` does not name the host".to_owned())?.to_owned())
    }

    /// Where a build with this profile leaves its programs.
    pub(crate) fn programs(&self, profile: &str) -> PathBuf {
        self.target.join(profile)
    }

    /// An empty folder beneath the target folder, for what a task keeps there.
    pub(crate) fn fresh_folder(&self, name: &str) -> Outcome<PathBuf> {
        let folder = self.target.join(name);
        let cleared = match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&folder),
        };
        cleared.map_err(|error| format!("could not make the empty folder {}: {error}", folder.display()))?;
        Ok(folder)
    }
}
