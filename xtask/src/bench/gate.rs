//! `cargo xtask bench --gate`: instructions per operation, beside what was recorded.
//!
//! Clocks lie on a busy machine; callgrind counts. What an operation costs is what a run of 2n takes more than
//! a run of n, divided by n, so that the start of the program drops out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::record::Record;
use crate::outcome::{Failure, Outcome, closing_line};
use crate::process;
use crate::workspace::Workspace;

/// Where the figures are, from the root.
const RECORD: &str = "benches/instructions.toml";
/// How often an operation is performed in the shorter of two runs: several chunks of the source, so that what
/// an arrival costs is shared evenly.
const COUNT: u32 = 2000;
/// The growth that is put down to another compiler, in hundredths.
const TOLERANCE: f64 = 3.0;

/// What becomes of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Compare,
    Record,
}

pub(crate) fn run(workspace: &Workspace, then: Then) -> Outcome {
    let Some(valgrind) = version("valgrind") else {
        println!("gate: skipped, since valgrind is missing: `.ci/run` installs it");
        return Ok(());
    };
    let outcome = measure(workspace).and_then(|figures| match then {
        Then::Compare => compare(workspace, &figures, &valgrind),
        Then::Record => record(workspace, &figures, &valgrind),
    });
    if let Err(failure @ Failure::Untold(_)) = &outcome {
        failure.report();
        println!("{}", closing_line("gate", 0, 1));
        return Err(Failure::Told(1));
    }
    outcome
}

/// An operation and its instructions.
#[derive(Debug)]
struct Figure {
    operation: Operation,
    now: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Operation {
    name: String,
    /// Whether it is ours, and so held to what was recorded.
    is_gated: bool,
}

fn measure(workspace: &Workspace) -> Outcome<Vec<Figure>> {
    process::run(&mut workspace.cargo("build --release -p highwater-benches --bin instructions"))?;
    let program = workspace.programs("release").join("instructions");
    let folder = workspace.fresh_folder("callgrind")?;

    let mut list = Command::new(&program);
    let output = list.arg("list").output().map_err(|error| process::lost(&list, &error))?;
    let operations = parse_list(&String::from_utf8_lossy(&output.stdout));
    if operations.is_empty() {
        return Err("there is no operation to count".to_owned().into());
    }

    // valgrind runs a program on one core.
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = operations.len().div_ceil(threads);
    thread::scope(|scope| {
        let parts: Vec<_> = operations
            .chunks(share)
            .map(|part| {
                let (program, folder) = (&program, &folder);
                scope.spawn(move || part.iter().map(|one| figure(program, folder, one)).collect())
            })
            .collect();
        let parts: Outcome<Vec<Vec<_>>> = parts
            .into_iter()
            .map(|part| part.join().unwrap_or_else(|_| Err("a measurement panicked".to_owned().into())))
            .collect();
        Ok(parts?.into_iter().flatten().collect())
    })
}

fn figure(program: &Path, folder: &Path, operation: &Operation) -> Outcome<Figure> {
    let file = folder.join(operation.name.replace('/', "_"));
    let once = instructions(program, &file, operation, COUNT)?;
    let twice = instructions(program, &file, operation, 2 * COUNT)?;
    let now = twice.saturating_sub(once) as f64 / f64::from(COUNT);
    Ok(Figure { operation: operation.clone(), now })
}

fn instructions(program: &Path, file: &PathBuf, operation: &Operation, count: u32) -> Outcome<u64> {
    let mut command = Command::new("valgrind");
    let mut out = std::ffi::OsString::from("--callgrind-out-file=");
    out.push(file);
    command.args(["--tool=callgrind", "--quiet"]).arg(out).arg(program);
    command.args(["run", &operation.name, &count.to_string()]);
    // Whatever the environment is, the stack begins at the same place.
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).stdout(Stdio::null());
    process::run(&mut command)?;
    let text = fs::read_to_string(file)
        .map_err(|error| format!("callgrind left no figures in {}: {error}", file.display()))?;
    parse_summary(&text).ok_or_else(|| format!("{} holds no summary", file.display()).into())
}

/// The operations that the program lists: `gated NAME` or `peer NAME`, one a line.
fn parse_list(list: &str) -> Vec<Operation> {
    let lines = list.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(role, name)| Operation { name: name.to_owned(), is_gated: role == "gated" }).collect()
}

/// The count in callgrind's `summary: 1234`.
fn parse_summary(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("summary: "))?.trim().parse().ok()
}

fn compare(workspace: &Workspace, figures: &[Figure], valgrind: &str) -> Outcome {
    let record = Record::read(&workspace.root().join(RECORD))?;
    let (table, grown) = table(&record, figures);
    println!("{table}");
    let gated = figures.iter().filter(|figure| figure.operation.is_gated).count();
    let here = with(valgrind);
    if record.made_with != here {
        // Other tools count otherwise: what that says of our code cannot be told.
        println!("recorded with {}, and this is {here}: {grown} grew, and none is judged", record.made_with);
        println!("{}", closing_line("gate", 0, 0));
        return Ok(());
    }
    if grown > 0 {
        println!("if a change is worth it: `cargo xtask bench --gate --record`");
    }
    println!("{}", closing_line("gate", gated - grown, grown));
    if grown == 0 { Ok(()) } else { Err(Failure::Told(1)) }
}

fn record(workspace: &Workspace, figures: &[Figure], valgrind: &str) -> Outcome {
    let path = workspace.root().join(RECORD);
    let mut record = Record::read(&path)?;
    println!("{}", table(&record, figures).0);
    record.made_with = with(valgrind);
    let recorded = figures.iter().map(|figure| (figure.operation.name.clone(), figure.now));
    record.recorded = recorded.collect::<BTreeMap<_, _>>();
    record.write(&path)?;
    println!("gate: recorded {} figures in {RECORD}", figures.len());
    Ok(())
}

/// What the figures depend on besides our code: the search goes by what the processor can do.
fn with(valgrind: &str) -> String {
    let rustc = version("rustc").unwrap_or_else(|| "an unknown rustc".to_owned());
    format!("{rustc}, {valgrind}, {}", vectors())
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if std::is_x86_feature_detected!("avx2") { "x86_64 with AVX2" } else { "x86_64 without AVX2" }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    std::env::consts::ARCH
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The figures beside what was recorded, and how many failed.
fn table(record: &Record, figures: &[Figure]) -> (String, usize) {
    let mut failed = 0;
    let mut table =
        format!("{:<44}{:>10}{:>10}{:>9}{:>9}\n", "instructions per", "recorded", "now", "change", "at most");
    for Figure { operation, now } in figures {
        let recorded = record.recorded.get(&operation.name).copied();
        let most = record.at_most.get(&operation.name).copied();
        let verdict = if operation.is_gated { Verdict::of(*now, recorded, most) } else { Verdict::Passed };
        failed += usize::from(verdict != Verdict::Passed);
        let shown = |figure: Option<f64>| figure.map_or("-".to_owned(), |figure| format!("{figure:.1}"));
        let change = recorded.map_or("new".to_owned(), |was| format!("{:+.1} %", change(was, *now)));
        let _ = writeln!(
            table,
            "{:<44}{:>10}{now:>10.1}{change:>9}{:>9}{}",
            operation.name,
            shown(recorded),
            shown(most),
            verdict.mark(),
        );
    }
    (table, failed)
}

fn change(was: f64, now: f64) -> f64 {
    if was > 0.0 { (now - was) / was * 100.0 } else { 0.0 }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Grown,
    TooMany,
    NotRecorded,
}

impl Verdict {
    fn of(now: f64, recorded: Option<f64>, most: Option<f64>) -> Self {
        match recorded {
            _ if most.is_some_and(|most| now > most) => Self::TooMany,
            None => Self::NotRecorded,
            Some(was) if change(was, now) > TOLERANCE => Self::Grown,
            Some(_) => Self::Passed,
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Passed => "",
            Self::Grown => "  GROWN",
            Self::TooMany => "  TOO MANY",
            Self::NotRecorded => "  NOT RECORDED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_tells_ours_from_the_peers() {
        let operation = |name: &str, is_gated| Operation { name: name.to_owned(), is_gated };
        assert_eq!(
            parse_list("gated reader/line\npeer tokio/line\n\n"),
            [operation("reader/line", true), operation("tokio/line", false)],
        );
    }

    #[test]
    fn the_summary_is_found_among_the_rest() {
        assert_eq!(parse_summary("events: Ir\nsummary: 5262\n\nfl=x\n"), Some(5262));
        assert_eq!(parse_summary("events: Ir\ntotals: 5262\n"), None);
    }

    #[test]
    fn what_grows_by_more_than_the_tolerance_fails() {
        assert_eq!(Verdict::of(103.0, Some(100.0), None), Verdict::Passed);
        assert_eq!(Verdict::of(103.1, Some(100.0), None), Verdict::Grown);
        assert_eq!(Verdict::of(50.0, Some(100.0), None), Verdict::Passed);
        assert_eq!(Verdict::of(101.0, Some(100.0), Some(100.5)), Verdict::TooMany);
        assert_eq!(Verdict::of(1.0, None, None), Verdict::NotRecorded);
    }

    #[test]
    fn a_peer_that_grows_fails_nothing() {
        let record = Record::parse("[recorded]\n\"ours\" = 10.0\n\"theirs\" = 10.0\n").unwrap();
        let figure = |name: &str, is_gated, now| Figure {
            operation: Operation { name: name.to_owned(), is_gated },
            now,
        };
        let (shown, failed) = table(&record, &[figure("ours", true, 10.0), figure("theirs", false, 20.0)]);
        assert_eq!(failed, 0, "{shown}");
        let (shown, failed) = table(&record, &[figure("ours", true, 11.0)]);
        assert_eq!(failed, 1);
        assert!(shown.contains("+10.0 %") && shown.contains("GROWN"), "{shown}");
    }
}
