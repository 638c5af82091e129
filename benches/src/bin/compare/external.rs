//! What is not Rust: programs that read the same bytes from memory, where what runs them is installed.

use highwater_benches::memory::{Done, Load};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/external/memory");

/// A work by the beginning of its name, who does it, and which part of the program that is.
type Part = (&'static str, &'static str, &'static str);

const ASYNCIO: &[Part] = &[
    ("line/16/owned", "asyncio readline", "lines"),
    ("line/64/owned", "asyncio readline", "lines"),
    ("line/512/owned", "asyncio readline", "lines"),
    ("crlf/", "asyncio readuntil", "crlf"),
    ("head+body", "asyncio readuntil + readexactly", "messages"),
    ("frame/", "asyncio readexactly", "frames"),
];
const GO: &[Part] = &[
    ("line/16/borrowed", "Go ReadSlice", "slices"),
    ("line/64/borrowed", "Go ReadSlice", "slices"),
    ("line/512/borrowed", "Go ReadSlice", "slices"),
    ("line/16/owned", "Go ReadBytes", "owned"),
    ("line/64/owned", "Go ReadBytes", "owned"),
    ("line/512/owned", "Go ReadBytes", "owned"),
    ("crlf/", "Go ReadSlice + check", "crlf"),
    ("three/", "Go Scanner, IndexAny", "three-any"),
    ("three/", "Go Scanner, IndexByte twice", "three-byte"),
    ("frame/", "Go ReadFull", "frames"),
];

/// The programs that can run here.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    /// What begins the command, and what it can do.
    ready: Vec<(Vec<PathBuf>, &'static [Part])>,
    /// Where loads are left for them.
    folder: PathBuf,
}

/// A program with something to do.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    command: Vec<PathBuf>,
    kind: &'static str,
    file: PathBuf,
}

impl Programs {
    /// Builds what needs to be, and says what is skipped. `folder` is for what is built.
    ///
    /// # Errors
    /// A sentence when nothing can be written there.
    pub(crate) fn prepare(folder: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&folder).map_err(|error| format!("no place for other programs: {error}"))?;
        let mut ready = Vec::new();
        if succeeds(Command::new("python3").arg("--version")) {
            let script = Path::new(SOURCES).join("asyncio_reader.py");
            ready.push((vec!["python3".into(), script], ASYNCIO));
        } else {
            eprintln!("asyncio: skipped, since python3 is missing");
        }
        let program = folder.join("reader");
        let mut build = Command::new("go");
        build.arg("build").arg("-o").arg(&program).arg(Path::new(SOURCES).join("reader.go"));
        if succeeds(&mut build) {
            ready.push((vec![program], GO));
        } else {
            eprintln!("Go: skipped, since it is missing (Debian: golang-go) or does not build");
        }
        Ok(Self { ready, folder })
    }

    /// Those that can do this work.
    ///
    /// # Errors
    /// A sentence when the load cannot be left for them.
    pub(crate) fn of(&self, work: &str, load: &Load) -> Result<Vec<Program>, String> {
        let mut programs = Vec::new();
        for (command, works) in &self.ready {
            for &(_, name, kind) in works.iter().filter(|(part, ..)| work.starts_with(part)) {
                let file = self.folder.join(work.replace('/', "-"));
                fs::write(&file, load.block().0).map_err(|error| format!("no load for {name}: {error}"))?;
                programs.push(Program { name, command: command.clone(), kind, file });
            }
        }
        Ok(programs)
    }
}

impl Program {
    /// Does it, and tells what was there and how long it took.
    ///
    /// # Errors
    /// A sentence when it did not say so.
    pub(crate) fn run(&self, load: &Load) -> Result<(Done, Duration), String> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg(self.kind).arg(&self.file);
        command.arg(crate::CHUNK.to_string()).arg(load.block().1.to_string());
        // One thread, as all others have.
        command.env("GOMAXPROCS", "1");
        let output = command.output().map_err(|error| format!("{} did not start: {error}", self.name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<u64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
        let [records, bytes, nanoseconds] = figures[..] else {
            return Err(format!("{} said {text:?} {}", self.name, String::from_utf8_lossy(&output.stderr)));
        };
        let done = Done { records: records as usize, bytes: bytes as usize };
        Ok((done, Duration::from_nanos(nanoseconds)))
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
