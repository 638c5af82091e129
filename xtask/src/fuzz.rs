//! `cargo xtask fuzz`: one fuzz target, built with the fuzzer's instrumentation by the toolchain at hand.
//!
//! What the targets do is in highwater-testing and highwater-examples, and `tests/fuzz` makes programs of it. Here
//! is how these are built and run, and where what they find is kept: beneath the target folder, and in the
//! repository on request.

mod output;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;

use crate::outcome::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;
use output::Seen;

/// The workspace of the targets, from the root.
const HERE: &str = "tests/fuzz";

/// What cargo-fuzz sets, too: libFuzzer counts edges, and sees what is compared with what. All of these are
/// stable options. Its address sanitizer is not, and would watch over code that has no `unsafe`.
const RUSTFLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// No input needs more than that: in bytes, in MiB, and in seconds on the clock, for the machine may be busy.
const LIMITS: [&str; 4] = ["-max_len=512", "-rss_limit_mb=1024", "-timeout=60", "-report_slow_units=60"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Target {
    /// Operations on a `ReadBuffer` beside its model
    ReadBuffer,
    /// Sets of separators beside a naive search
    Separators,
    /// Operations on a `WriteBuffer` beside its model
    WriteBuffer,
    /// Two pairs that write and read at once over the chaos transport, on a paused clock
    Pair,
    /// Commands and replies of SMTP, and messages that travel
    Smtp,
    /// Replies and listings of FTP
    Ftp,
    /// Replies of a Redis server, as the redis-client example reads them
    Resp,
    /// Headers of the PROXY protocol, as the proxy example reads them
    ProxyHeader,
    /// Messages behind a `Content-Length`, as the json-rpc example reads them
    ContentLength,
    /// Heads of requests to the file server, and its answers
    HttpRequest,
    /// What a peer sends to the line tool
    Talk,
}

impl Target {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Looks for findings for so many minutes. With `keep`, what it has learnt goes into the repository.
pub(crate) fn run(workspace: &Workspace, target: Target, minutes: u64, keep: bool) -> Outcome {
    let places = Places::of(workspace, target)?;
    let program = build(workspace, target)?;

    let mut command = Command::new(&program);
    // New inputs go into the first folder; the second is only read.
    command.args([&places.work, &places.corpus]).args(LIMITS);
    command.arg(format!("-max_total_time={}", minutes.max(1) * 60)).arg("-print_final_stats=1");
    command.arg(artifacts(&places.findings));
    let (seen, outcome) = watch(&mut command)?;
    println!("fuzz {}: {seen}", target.name());
    if outcome.is_err() {
        for finding in &seen.findings {
            eprintln!("found: {finding}\nagain: cargo xtask fuzz {} --replay {finding}", target.name());
        }
        return outcome;
    }
    if keep { self::keep(&program, &places) } else { Ok(()) }
}

/// Runs a target on one file.
pub(crate) fn replay(workspace: &Workspace, target: Target, file: &Path) -> Outcome {
    process::pass_through(Command::new(build(workspace, target)?).args(LIMITS).arg(file))
}

/// Where inputs are: what a run learns, what it finds, what is in the repository.
struct Places {
    work: PathBuf,
    findings: PathBuf,
    corpus: PathBuf,
}

impl Places {
    fn of(workspace: &Workspace, target: Target) -> Outcome<Self> {
        let inputs = workspace.target().join("fuzz/inputs").join(target.name());
        let (work, findings) = (inputs.join("work"), inputs.join("findings"));
        let corpus = workspace.root().join(HERE).join("corpus").join(target.name());
        for folder in [&work, &findings, &corpus] {
            fs::create_dir_all(folder)
                .map_err(|error| format!("could not make {}: {error}", folder.display()))?;
        }
        Ok(Self { work, findings, corpus })
    }
}

fn artifacts(folder: &Path) -> OsString {
    let mut option = OsString::from("-artifact_prefix=");
    option.push(folder);
    option.push(std::path::MAIN_SEPARATOR_STR);
    option
}

/// Builds one target. With the host named, build scripts and macros go without the instrumentation.
fn build(workspace: &Workspace, target: Target) -> Outcome<PathBuf> {
    let host = workspace.host()?;
    let folder = workspace.target().join("fuzz");
    let mut command = workspace.cargo("build --release --locked");
    command.args(["--bin", &target.name(), "--target", &host]);
    command.arg("--manifest-path").arg(workspace.root().join(HERE).join("Cargo.toml"));
    command.env("CARGO_TARGET_DIR", &folder);
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS.join("\u{1f}"));
    process::run(&mut command)?;
    Ok(folder.join(host).join("release").join(target.name()))
}

/// Runs a fuzzer to its end, passing on what it says except for each input it learns.
fn watch(command: &mut Command) -> Outcome<(Seen, Outcome)> {
    let mut child = process::start(command.stderr(Stdio::piped()))?;
    let mut seen = Seen::default();
    if let Some(output) = child.stderr.take() {
        seen.read(output).map_err(|error| process::lost(command, &error))?;
    }
    let status = child.wait().map_err(|error| process::lost(command, &error))?;
    let outcome = if status.success() { Ok(()) } else { Err(Failure::Told(1)) };
    Ok((seen, outcome))
}

/// Replaces the corpus in the repository by the fewest inputs that cover as much as all that are known.
fn keep(program: &Path, places: &Places) -> Outcome {
    let fewest = places.work.with_file_name("fewest");
    let failed = |what: &str, error| format!("could not {what} {}: {error}", fewest.display());
    let _ = fs::remove_dir_all(&fewest); // Of a run that was interrupted.
    fs::create_dir_all(&fewest).map_err(|error| failed("make", error))?;

    let mut command = Command::new(program);
    // Edges alone: how often each is taken would keep hundreds of inputs more.
    command.args(["-set_cover_merge=1", "-use_counters=0"]).args(LIMITS);
    command.args([&fewest, &places.corpus, &places.work]);
    let (_, merged) = watch(&mut command)?;
    merged?;

    let old = files(&places.corpus)?;
    let new = files(&fewest)?;
    for file in old {
        fs::remove_file(&file).map_err(|error| format!("could not remove {}: {error}", file.display()))?;
    }
    for file in &new {
        let to = places.corpus.join(file.file_name().unwrap_or_default());
        fs::copy(file, &to).map_err(|error| format!("could not write {}: {error}", to.display()))?;
    }
    println!("kept: {} inputs in {}", new.len(), places.corpus.display());
    fs::remove_dir_all(&fewest).map_err(|error| failed("remove", error).into())
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let unreadable = |error| format!("could not read {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect()
}
