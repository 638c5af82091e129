//! `cargo xtask interop`: our programs and programs that others wrote, on either end of a connection.
//!
//! Here is what has to be there before the first byte is sent: the programs of others, and ours built. The
//! conversations themselves are in `tests/interop`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::outcome::{Failure, Outcome, closing_line};
use crate::process;
use crate::workspace::Workspace;

/// What the scripts are written for.
const OLDEST_PYTHON: Version = (3, 11);

/// What else is talked to, how it tells its version, and the package that has it on Debian.
const PROGRAMS: [(&str, &str, &str); 7] = [
    ("openssl", "version", "openssl"),
    ("curl", "--version", "curl"),
    ("nginx", "-v", "nginx-light"),
    ("redis-server", "--version", "redis-server"),
    ("redis-cli", "--version", "redis-tools"),
    ("nc", "-h", "netcat-openbsd"),
    ("wrk", "--version", "wrk"),
];

/// Servers in Python: their modules, and the packages that have them on Debian.
const MODULES: [(&str, &str); 2] =
    [("aiosmtpd", "python3-aiosmtpd"), ("pyftpdlib, OpenSSL", "python3-pyftpdlib python3-openssl")];

/// Which Python runs them, the first that has their modules: Debian's packages are seen by Debian's own alone.
/// `tests/interop/packaged.py` looks at the same.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// Where administrators have programs, and others do not look.
const ALSO_HERE: &str = "/usr/sbin";

/// Several times what all conversations take. One that hangs is to end as a sentence in the log.
const TIME_LIMIT: Duration = Duration::from_secs(10 * 60);

type Version = (u32, u32);

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let outcome = prepare(workspace).and_then(|()| converse(workspace));
    if let Err(failure @ Failure::Untold(_)) = &outcome {
        // The script did not get to its closing line, so it is ours to write.
        failure.report();
        println!("{}", closing_line("interop", 0, 1));
        return Err(Failure::Told(1));
    }
    outcome
}

fn prepare(workspace: &Workspace) -> Outcome {
    check_python()?;
    check_programs()?;
    process::run(
        &mut workspace.cargo("build --profile checked -p highwater-examples -p highwater-tests --bins"),
    )
}

fn converse(workspace: &Workspace) -> Outcome {
    let mut python = Command::new("python3");
    // Unbuffered, so that what was said before a time-out is not lost with the process.
    python.args(["-u", "tests/interop/run.py", "--bin-dir"]).arg(workspace.programs("checked"));
    python.current_dir(workspace.root());
    process::pass_through_within(TIME_LIMIT, &mut python)
}

fn check_python() -> Outcome {
    let need = format!("interop needs python3, version {}.{} or later", OLDEST_PYTHON.0, OLDEST_PYTHON.1);
    let output = Command::new("python3")
        .arg("--version")
        .output()
        .map_err(|error| format!("{need}, and it could not be started: {error}"))?;

    let answer = String::from_utf8_lossy(&output.stdout);
    match parse_version(&answer) {
        Some(version) if version >= OLDEST_PYTHON => Ok(()),
        _ => Err(format!("{need}, but `python3 --version` says {:?}", answer.trim()).into()),
    }
}

/// Tells all that are missing, in one sentence.
fn check_programs() -> Outcome {
    let programs = PROGRAMS.iter().filter(|(name, ask, _)| !starts(name, &[ask], None));
    let modules = MODULES.iter().filter(|(modules, _)| {
        let import = format!("import {modules}");
        !PYTHONS.iter().any(|python| starts(python, &["-c", &import], Some(0)))
    });
    let missing = programs.map(|&(name, _, package)| (name, package)).chain(modules.copied());
    let (names, packages): (Vec<_>, Vec<_>) = missing.unzip();
    if names.is_empty() {
        return Ok(());
    }
    let (names, packages) = (names.join(", "), packages.join(" "));
    Err(format!("interop needs {names}, and could not start it; on Debian: apt-get install {packages}")
        .into())
}

/// Whether a program starts, and ends with a certain code if one is named: wrk tells its version, and ends with 1.
fn starts(name: &str, ask: &[&str], ends_so: Option<i32>) -> bool {
    [PathBuf::from(name), Path::new(ALSO_HERE).join(name)].iter().any(|program| {
        let mut command = Command::new(program);
        command.args(ask).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| ends_so.is_none_or(|code| status.code() == Some(code)))
    })
}

/// The version in `Python 3.11.7`.
fn parse_version(answer: &str) -> Option<Version> {
    let mut numbers = answer.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse_version("Python 3.12.1\n").unwrap() > OLDEST_PYTHON);
        assert_eq!(parse_version("Python 3.11.0rc1\n").unwrap(), OLDEST_PYTHON);
        assert!(parse_version("Python 3.9.17\n").unwrap() < OLDEST_PYTHON);
    }

    #[test]
    fn what_is_not_a_version_is_not_taken_for_one() {
        for answer in ["", "Python", "Python three", "pyenv: python3: command not found"] {
            assert_eq!(parse_version(answer), None, "{answer:?}");
        }
    }
}
