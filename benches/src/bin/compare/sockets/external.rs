//! Servers that are not Rust, as far as they are installed.

use super::works::Program;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs to start them with, where there are any.
#[derive(Debug, Default)]
pub(crate) struct External {
    /// A Python of its own for the bench, which has what pip could install.
    python: Option<PathBuf>,
    has_uvloop: bool,
    /// The server in Go.
    go: Option<PathBuf>,
}

/// Where their sources are.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/external/servers");

impl External {
    /// Makes ready what can be had, and says what cannot.
    pub(crate) fn prepare(files: &Path) -> Self {
        let (environment, go) = (files.join("python"), files.join("go-server"));
        let python = environment.join("bin/python3");
        let has_python =
            python.exists() || done(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        let has_uvloop =
            has_python && done(Command::new(&python).args(["-m", "pip", "install", "--quiet", "uvloop"]));
        let has_go =
            done(Command::new("go").args(["build", "-o"]).arg(&go).arg(format!("{SOURCES}/streams.go")));
        for (name, there) in [("asyncio", has_python), ("uvloop", has_uvloop), ("Go", has_go)] {
            if !there {
                eprintln!("{name} is skipped: it is not installed");
            }
        }
        Self { python: has_python.then_some(python), has_uvloop, go: has_go.then_some(go) }
    }

    pub(crate) fn has(&self, program: Program) -> bool {
        match program {
            Program::Serve(_) => true,
            Program::Asyncio => self.python.is_some(),
            Program::Uvloop => self.has_uvloop,
            Program::Go => self.go.is_some(),
        }
    }

    /// The words that start it, but for the service and what follows it.
    pub(crate) fn command(&self, program: Program) -> io::Result<Vec<String>> {
        let absent = || io::Error::new(io::ErrorKind::NotFound, format!("{program:?} is not installed"));
        let word = |path: &Option<PathBuf>| {
            Ok::<_, io::Error>(path.as_ref().ok_or_else(absent)?.display().to_string())
        };
        let python =
            |runner: &str| Ok(vec![word(&self.python)?, format!("{SOURCES}/streams.py"), runner.to_owned()]);
        match program {
            Program::Serve(contender) => {
                let serve = std::env::current_exe()?.with_file_name("serve");
                Ok(vec![serve.display().to_string(), contender.to_owned()])
            }
            Program::Asyncio => python("asyncio"),
            Program::Uvloop => python("uvloop"),
            Program::Go => Ok(vec![word(&self.go)?]),
        }
    }
}

/// Whether it ran well. What it prints is of no interest.
fn done(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
