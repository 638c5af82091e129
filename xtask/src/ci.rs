//! `cargo xtask ci`: everything that must hold before a change goes in.
//!
//! The steps are a table; each prints its own closing line, and none of them depends on the one before.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::outcome::{Failure, Outcome, closing_line};
use crate::suite::Suite;
use crate::workspace::Workspace;
use crate::{bench, demo, interop, process, publish, test};

type Step = (&'static str, fn(&Workspace) -> Outcome);

const STEPS: &[Step] = &[
    ("test", test::run),
    ("fmt", fmt),
    ("clippy", clippy),
    ("docs", docs),
    ("features", features),
    ("nostd", nostd),
    ("model", model),
    ("schedules", schedules),
    ("loom", loom),
    ("interop", interop::run),
    ("demo", demonstration),
    ("benches", benches),
    ("gate", gate),
    ("manifests", publish::manifests),
    ("licences", publish::licences),
    ("msrv", publish::msrv),
    ("unused", publish::unused),
    ("package", package),
];

/// What a user may choose, library by library.
const FEATURES: &[&str] = &[
    "-p highwater-buffer",
    "-p highwater-buffer --no-default-features",
    "-p highwater-buffer --all-features",
    "-p highwater-stream",
    "-p highwater-stream --no-default-features",
    "-p highwater-stream --features codec",
    "-p highwater-stream --features tracing",
    "-p highwater-stream --all-features",
    "-p highwater-net",
    "-p highwater-net --no-default-features",
    "-p highwater-net --no-default-features --features codec",
    "-p highwater-net --no-default-features --features tracing",
    "-p highwater-net --no-default-features --features tls",
    "-p highwater-net --no-default-features --features aws-lc-rs",
    "-p highwater-net --no-default-features --features ring",
    "-p highwater-net --no-default-features --features aws-lc-rs,ring",
    "-p highwater-net --no-default-features --features platform-roots",
    "-p highwater-net --no-default-features --features ring,platform-roots",
    "-p highwater-net --features tracing",
    "-p highwater-net --all-features",
    "-p highwater-testing",
    "-p highwater-testing --no-default-features",
    "-p highwater-examples --lib --no-default-features",
];

/// Where tests compare with a model. Each is a program of its own to be built, so the others stay out.
const MODEL_TESTS: [&str; 3] = ["buffer_model", "buffer_linear", "buffer_memory"];

/// Many times what proptest tries in a plain test run.
const MODEL_CASES: &str = "10000";

/// Operations of random schedules for the pair, all together.
const SCHEDULED: &str = "1000000";

/// Runs all steps, or those that are named.
pub(crate) fn run(workspace: &Workspace, named: &[String]) -> Outcome {
    let names = || STEPS.iter().map(|(name, _)| *name);
    if let Some(unknown) = named.iter().find(|name| names().all(|known| known != *name)) {
        let known: Vec<_> = names().collect();
        return Err(format!("no step is called {unknown}: there are {}", known.join(", ")).into());
    }
    let chosen = STEPS.iter().filter(|(name, _)| named.is_empty() || named.iter().any(|named| named == name));
    let results: Vec<_> = chosen.map(|step| StepResult::of(step, workspace)).collect();

    println!("\n{:<10}{:<8}{:>8}", "step", "result", "seconds");
    for StepResult { name, passed, took } in &results {
        let result = if *passed { "ok" } else { "FAILED" };
        println!("{name:<10}{result:<8}{:>8.1}", took.as_secs_f64());
    }

    let passed = results.iter().filter(|step| step.passed).count();
    let failed = results.len() - passed;
    println!("\n{}", closing_line("ci", passed, failed));
    if failed == 0 { Ok(()) } else { Err(Failure::Told(1)) }
}

struct StepResult {
    name: &'static str,
    passed: bool,
    took: Duration,
}

impl StepResult {
    fn of(&(name, step): &Step, workspace: &Workspace) -> Self {
        println!("\n== {name} ==");
        let start = Instant::now();
        let outcome = step(workspace);
        if let Err(failure) = &outcome {
            failure.report();
        }
        Self { name, passed: outcome.is_ok(), took: start.elapsed() }
    }
}

fn fmt(workspace: &Workspace) -> Outcome {
    // The fuzz targets are a workspace of their own, which has a lock of its own.
    let fuzz = workspace.cargo("fmt --manifest-path tests/fuzz/Cargo.toml --check");
    let lock = workspace.cargo("tree --manifest-path tests/fuzz/Cargo.toml --locked --depth 0");
    all("fmt", [workspace.cargo("fmt --all --check"), fuzz, lock])
}

fn clippy(workspace: &Workspace) -> Outcome {
    let traced = workspace.cargo("clippy -p highwater-net --features tracing --test tracing -- -D warnings");
    all("clippy", [workspace.cargo("clippy --workspace --all-targets -- -D warnings"), traced])
}

fn docs(workspace: &Workspace) -> Outcome {
    let mut command = workspace.cargo("doc --workspace --no-deps");
    command.env("RUSTDOCFLAGS", "-D warnings");
    all("docs", [command])
}

/// Each library alone, because in a build of the workspace one member switches features on for another, and
/// without its tests, because their dependencies do so too. Clippy stands in for `cargo check`: it checks the
/// same, and makes an error of a warning (an import that nothing uses without the feature) in our code alone.
fn features(workspace: &Workspace) -> Outcome {
    let command = |selection| workspace.cargo(&format!("clippy {selection} -- -D warnings"));
    all("features", FEATURES.iter().map(command))
}

/// That the buffer works without `std`, and not only builds.
fn nostd(workspace: &Workspace) -> Outcome {
    let mut suite = Suite::new(workspace)?;
    suite.run(&mut workspace.cargo("test -p highwater-buffer --no-default-features --no-fail-fast"))?;
    suite.close(|tally| tally.closing_line("nostd"))
}

/// Every order in which threads may take the writer's locks.
fn loom(workspace: &Workspace) -> Outcome {
    crate::loom::run(workspace, None)
}

/// The tests that compare with a model, with many more cases.
fn model(workspace: &Workspace) -> Outcome {
    let mut suite = Suite::new(workspace)?;
    let files = MODEL_TESTS.map(|file| format!("--test {file}")).join(" ");
    let mut command = checked(workspace, &format!("{files} --no-fail-fast model"));
    suite.run(command.env("PROPTEST_CASES", MODEL_CASES))?;
    suite.close(|tally| tally.closing_line("model"))
}

/// Random schedules for the pair and for `start_tls`, other ones each time: a failure prints the seed that replays it.
fn schedules(workspace: &Workspace) -> Outcome {
    let mut suite = Suite::new(workspace)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut command = checked(workspace, "--test schedules --test schedules_tls --no-fail-fast");
    command.env("HIGHWATER_OPERATIONS", SCHEDULED).env("HIGHWATER_SEED", now.as_millis().to_string());
    suite.run(&mut command)?;
    suite.close(|tally| tally.closing_line("schedules"))
}

/// Tests that do a lot.
fn checked(workspace: &Workspace, tests: &str) -> Command {
    workspace.cargo(&format!("test -p highwater-tests --profile checked {tests}"))
}

fn demonstration(workspace: &Workspace) -> Outcome {
    close("demo", [demo::run(workspace, None)])
}

/// That the benchmarks build, that each runs once, and that every contender sees every byte.
fn benches(workspace: &Workspace) -> Outcome {
    all("benches", bench::checks(workspace))
}

/// That no operation takes more instructions than it did.
fn gate(workspace: &Workspace) -> Outcome {
    bench::gate(workspace, bench::Then::Compare)
}

/// That the libraries can be published, by building each from what its package holds.
fn package(workspace: &Workspace) -> Outcome {
    // Cargo puts the packages into a registry beneath the target folder, and takes what it has once unpacked
    // from there for unchangeable: highwater-stream would be built against the highwater-buffer of an earlier
    // run. A folder with a name that was never used before has no earlier run.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let folder = workspace.fresh_folder(&format!("package-{}", now.as_millis()))?;

    // In one command, so that each finds the others although they are not on crates.io yet. Dirty is allowed
    // because this step, like all others, judges the files that are there, committed or not.
    let libraries = publish::LIBRARIES.map(|library| format!("-p {library}")).join(" ");
    let mut command = workspace.cargo(&format!("package --allow-dirty {libraries}"));
    command.arg("--target-dir").arg(&folder);
    let outcome = all("package", [command]);

    fs::remove_dir_all(&folder).map_err(|error| format!("could not remove {}: {error}", folder.display()))?;
    outcome
}

/// Runs every command, whatever becomes of the others, and closes with how many succeeded.
fn all(suite: &str, commands: impl IntoIterator<Item = Command>) -> Outcome {
    let run = |mut command| {
        println!("$ {}", process::shown(&command));
        process::run(&mut command)
    };
    close(suite, commands.into_iter().map(run))
}

/// Closes a suite in which each outcome counts for one, after the sentences of those that failed.
pub(crate) fn close(suite: &str, outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let (mut passed, mut failed) = (0, 0);
    for outcome in outcomes {
        match outcome {
            Ok(()) => passed += 1,
            Err(failure) => {
                failure.report();
                failed += 1;
            }
        }
    }
    println!("{}", closing_line(suite, passed, failed));
    if failed == 0 { Ok(()) } else { Err(Failure::Told(1)) }
}
