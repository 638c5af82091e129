//! What must hold before the libraries can be published, as far as manifests, sources and cargo's lists of files tell.
//!
//! Nothing here needs a network: cargo is asked for what it has downloaded for this machine, so what other platforms
//! add is not looked at. Whether the packages build is the step `package` of [`ci`](crate::ci); whether the lower
//! bounds of the dependencies are true, [`minimal_versions`](crate::minimal_versions).

mod expression;
mod graph;
mod sources;

use std::fs;

use serde_json::Value;

use self::graph::{Graph, Package};
use crate::ci::close;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

pub(crate) const LIBRARIES: [&str; 4] =
    ["highwater-buffer", "highwater-stream", "highwater-net", "highwater-testing"];

/// Ours, each of them.
const LICENCE: &str = "MIT OR Apache-2.0";
const LICENCE_TEXTS: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// What dependencies may be under: nothing that asks for more than to be named.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What cargo adds to every package.
const BY_CARGO: [&str; 4] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];

/// That each manifest says what crates.io and docs.rs show, and that each package holds what it needs and no more.
pub(crate) fn manifests(workspace: &Workspace) -> Outcome {
    let graph = Graph::read(workspace)?;
    let said = graph.libraries().map(says_what_is_shown);
    let held = LIBRARIES.map(|library| holds_what_it_needs(workspace, library));
    close("manifests", said.chain(held))
}

/// That every dependency is under a licence that is allowed, and that ours has its texts with it.
pub(crate) fn licences(workspace: &Workspace) -> Outcome {
    let graph = Graph::read(workspace)?;
    let theirs = graph.dependencies().map(|package| {
        let licence = package.text("license").ok_or_else(|| format!("{package} names no licence"))?;
        match expression::is_met(licence, |name| ALLOWED.contains(&name)) {
            Some(true) => Ok(()),
            Some(false) => Err(format!("{package} is under {licence}, which is not allowed").into()),
            None => Err(format!("the licence of {package} was not understood: {licence}").into()),
        }
    });
    let ours = graph.libraries().map(|package| {
        if package.text("license") != Some(LICENCE) {
            return Err(format!("{package} is not under {LICENCE}").into());
        }
        LICENCE_TEXTS.iter().try_for_each(|name| {
            let [of_all, its] =
                [workspace.root(), package.folder()].map(|folder| fs::read(folder.join(name)));
            match (of_all, its) {
                (Ok(of_all), Ok(its)) if of_all == its => Ok(()),
                _ => Err(format!("{package} has no {name} like that of the workspace").into()),
            }
        })
    });
    close("licences", theirs.chain(ours))
}

/// That no dependency asks for a newer Rust than the libraries promise. What our own code uses is looked at by clippy's
/// `incompatible_msrv`.
pub(crate) fn msrv(workspace: &Workspace) -> Outcome {
    let graph = Graph::read(workspace)?;
    let promised = graph.libraries().filter_map(|package| package.text("rust_version")).min();
    let promised = promised.ok_or_else(|| "no library has a rust-version".to_owned())?;
    let silent = graph.dependencies().filter(|package| package.text("rust_version").is_none()).count();
    println!("{silent} of {} dependencies do not say which Rust they need", graph.dependencies().count());
    let outcomes = graph.dependencies().map(|package| match package.text("rust_version") {
        Some(needed) if numbers(needed) > numbers(promised) => {
            Err(format!("{package} needs Rust {needed}, and {promised} is promised").into())
        }
        _ => Ok(()),
    });
    close("msrv", outcomes)
}

/// That every dependency of a library is used in its sources, under one feature or another.
pub(crate) fn unused(workspace: &Workspace) -> Outcome {
    let graph = Graph::read(workspace)?;
    let mut outcomes = Vec::new();
    for library in graph.libraries() {
        let code = sources::code(&library.folder().join("src"))?;
        outcomes.extend(library.own_dependencies().map(|name| {
            if sources::names(&code, &name.replace('-', "_")) {
                return Ok(());
            }
            Err(format!("{library} does not use {name}").into())
        }));
    }
    close("unused", outcomes)
}

fn says_what_is_shown(package: &Package) -> Outcome {
    let missing = ["description", "documentation", "readme", "rust_version"];
    if let Some(field) = missing.iter().find(|field| package.text(field).is_none()) {
        return Err(format!("{package} has no {field}").into());
    }
    for field in ["keywords", "categories"] {
        if !(1..=5).contains(&package.field(field).as_array().map_or(0, Vec::len)) {
            return Err(format!("{package} does not have one to five {field}").into());
        }
    }
    if package.field("metadata")["docs"]["rs"]["all-features"] != Value::Bool(true) {
        return Err(format!("docs.rs would not show every feature of {package}").into());
    }
    Ok(())
}

fn holds_what_it_needs(workspace: &Workspace, library: &str) -> Outcome {
    let list = workspace.cargo(&format!("package --list --offline --allow-dirty -p {library}")).output();
    let list = list.map_err(|error| format!("could not list the files of {library}: {error}"))?;
    if !list.status.success() {
        return Err(
            format!("cargo does not package {library}: {}", String::from_utf8_lossy(&list.stderr)).into()
        );
    }
    let list = String::from_utf8_lossy(&list.stdout);
    is_shaped_like_a_library(&list.lines().collect::<Vec<_>>())
        .map_err(|what| format!("the package of {library} {what}").into())
}

/// The sources, the licences, the README, and what cargo adds; all of them, and nothing else.
fn is_shaped_like_a_library(files: &[&str]) -> Result<(), String> {
    let needed = ["README.md", "src/lib.rs"].into_iter().chain(LICENCE_TEXTS);
    for needed in needed.clone() {
        if !files.contains(&needed) {
            return Err(format!("lacks {needed}"));
        }
    }
    let is_known = |file: &str| {
        (file.starts_with("src/") && file.ends_with(".rs"))
            || BY_CARGO.contains(&file)
            || needed.clone().any(|needed| needed == file)
    };
    match files.iter().find(|file| !is_known(file)) {
        Some(file) => Err(format!("holds {file}, which nobody needs who uses it")),
        None => Ok(()),
    }
}

/// `1.85` and `1.85.0` are the same.
fn numbers(version: &str) -> [u64; 3] {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 5] = ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];

    #[test]
    fn a_package_holds_sources_licences_and_a_readme() {
        assert_eq!(is_shaped_like_a_library(&FILES), Ok(()));
        assert_eq!(is_shaped_like_a_library(&FILES[..4]), Err("lacks src/lib.rs".to_owned()));
        let with_a_test = [&FILES[..], &["tests/chaos.rs"]].concat();
        assert!(is_shaped_like_a_library(&with_a_test).unwrap_err().contains("tests/chaos.rs"));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("1.85"), numbers("1.85.0"));
        assert!(numbers("1.9") < numbers("1.85") && numbers("1.85.1") > numbers("1.85"));
    }
}
