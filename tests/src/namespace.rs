//! Tests with a network of their own: each runs again in a process in a network namespace, where it may take links
//! down and swallow packets, and nobody else notices. Linux only.

use crate::bounded::run;
use crate::skip;
use std::env;
use std::ffi::OsStr;
use std::future::Future;
use std::process::Command;

/// Set for the process that is in the namespace.
const INSIDE: &str = "HIGHWATER_TEST_NAMESPACE";

/// As whoever may, and as root of a user namespace.
const WAYS: [&[&str]; 2] = [&["--map-root-user", "--net"], &["--net"]];

/// Runs `test` on a runtime of one thread, in a namespace in which loopback is up, and nothing else. Where none
/// can be made, the test counts as skipped.
///
/// # Panics
/// When `test` does, or when it has not ended after a minute and a half.
pub fn in_a_namespace<T, F>(test: T)
where
    T: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    if env::var_os(INSIDE).is_some() {
        ip("link set lo up").expect("it was tried");
        return run(async move { test().await });
    }
    // The test is found by the type of its closure: `file::c1_name::{{closure}}`.
    let path = std::any::type_name::<T>();
    let mut parts = path.split("::");
    let (file, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut why_not = String::new();
    for way in WAYS {
        match succeeds(unshare(way).args(["ip", "link", "set", "lo", "up"])) {
            Ok(()) => return inside(way, name),
            Err(error) => why_not = error,
        }
    }
    skip(&format!("{file}::{name}"), &format!("no network namespace can be made here: {why_not}"));
}

fn unshare(way: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(way).arg("--");
    command
}

fn inside(way: &[&str], name: &str) {
    let mut again = unshare(way);
    again.arg(env::current_exe().expect("this program is there"));
    let again = again.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").output();
    let again = again.expect("it was started before");
    let (out, err) = (String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&again.stderr));
    assert!(again.status.success(), "{name}, in a namespace:\n{out}{err}");
    assert!(out.contains("1 passed"), "{name} was not found:\n{out}{err}");
}

/// `ip` with these arguments, separated by spaces.
///
/// # Errors
/// What it says against it.
pub fn ip(arguments: &str) -> Result<(), String> {
    tool("ip", arguments)
}

/// Any other tool.
///
/// # Errors
/// What it says against it.
pub fn tool(program: impl AsRef<OsStr>, arguments: &str) -> Result<(), String> {
    succeeds(Command::new(program).args(arguments.split(' ')))
}

fn succeeds(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; "))
}
