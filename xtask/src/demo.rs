//! `cargo xtask demo`: builds the demo and runs it on a file, on request for a picture of its transcript.
//!
//! What it shows is the demo's own business; it lives among the examples.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anstyle_svg::Term;

use crate::outcome::Outcome;
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, file: Option<PathBuf>) -> Outcome {
    process::pass_through(&mut command(workspace, file)?)
}

/// Writes what the demo prints as a picture, which is how the README begins.
pub(crate) fn draw(workspace: &Workspace, file: Option<PathBuf>, picture: &Path) -> Outcome {
    let mut command = command(workspace, file)?;
    let output = command.stderr(Stdio::inherit()).output();
    let output =
        output.map_err(|error| format!("could not start `{}`: {error}", process::shown(&command)))?;
    process::success(&command, output.status)?;
    let transcript = String::from_utf8_lossy(&output.stdout);
    print!("{transcript}");
    fs::write(picture, svg(&transcript)).map_err(|error| format!("{}: {error}", picture.display()))?;
    Ok(())
}

fn command(workspace: &Workspace, file: Option<PathBuf>) -> Outcome<Command> {
    process::run(&mut workspace.cargo("build --release -p highwater-examples --bin highwater-demo"))?;

    let demo =
        workspace.programs("release").join("highwater-demo").with_extension(env::consts::EXE_EXTENSION);
    let mut command = Command::new(demo);
    match file {
        Some(file) => command.arg(file),
        None => command.arg("README.md").current_dir(workspace.root()),
    };
    Ok(command)
}

/// The terminal after `cargo xtask demo`. What is not indented is a title.
fn svg(transcript: &str) -> String {
    let shown = transcript
        .trim_end()
        .lines()
        .map(|line| if line.starts_with(' ') { line.to_owned() } else { format!("\x1b[1;36m{line}\x1b[0m") });
    let lines = [String::from("\x1b[32m$\x1b[0m cargo xtask demo"), String::new()].into_iter().chain(shown);
    Term::new().render_svg(&lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_the_transcript() {
        let picture = svg("Title\n  label  <value>\n");
        for shown in ["<svg", "cargo xtask demo", "Title", "label", "&lt;value&gt;"] {
            assert!(picture.contains(shown), "{shown} is not in {picture}");
        }
    }
}
