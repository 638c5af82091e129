//! `cargo xtask book`: the documentation as a website, made by mdBook from the pages as they are.
//!
//! The pages are written for the repository: `docs/SUMMARY.md` lists them, and their links are relative. mdBook
//! takes one folder and all that is in it, so the pages are first laid out in a folder of their own, each where it
//! is in the repository. Their links then hold in the book as they do in the repository.

use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use crate::outcome::{Outcome, closing_line};
use crate::process;
use crate::workspace::Workspace;

/// Where the pages are listed, and mdBook's settings are.
const HERE: &str = "docs";

/// What the pages are made with: the last line of mdBook that Rust 1.85 builds.
const MDBOOK: &str = "mdbook@0.4.52";

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let stage = workspace.fresh_folder("book-pages")?;
    let pages = lay_out(workspace.root(), &stage)?;
    let book = workspace.fresh_folder("book")?;
    let mut command = Command::new(mdbook(workspace)?);
    process::run(command.arg("build").arg(&stage).arg("--dest-dir").arg(&book))?;
    println!("{}", closing_line("book", pages, 0));
    println!("to be read from {}", book.join("index.html").display());
    Ok(())
}

/// Copies the pages and the pictures to where mdBook looks for them, and tells how many pages there are.
fn lay_out(root: &Path, stage: &Path) -> Outcome<usize> {
    let source = stage.join("src");
    copy(&root.join(HERE).join("book.toml"), &stage.join("book.toml"))?;
    let list = root.join(HERE).join("SUMMARY.md");
    let list = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let pages: Vec<PathBuf> = links(&list).map(from_root).collect();
    for page in &pages {
        copy(&root.join(page), &source.join(page))?;
    }
    for picture in pictures(&root.join(HERE))? {
        let place = picture.strip_prefix(root).unwrap_or(&picture);
        copy(&picture, &source.join(place))?;
    }
    let summary = source.join("SUMMARY.md");
    fs::write(&summary, told_from_root(&list)).map_err(|error| format!("{}: {error}", summary.display()))?;
    Ok(pages.len())
}

/// The targets of the links in a page.
fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

/// The page with its links as the root has them.
fn told_from_root(page: &str) -> String {
    let mut parts = page.split("](");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (link, rest) = part.split_once(')').unwrap_or((part, ""));
        told += &format!("]({}){rest}", from_root(link).display());
    }
    told
}

/// A path as `docs` has it, as the root has it.
fn from_root(link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(HERE).join(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path
}

fn pictures(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let told = |error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            found.append(&mut pictures(&path)?);
        } else if path.extension().is_some_and(|kind| kind == "svg") {
            found.push(path);
        }
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Outcome {
    let folder = to.parent().unwrap_or(to);
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(from, to));
    copied.map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))?;
    Ok(())
}

/// mdBook as it is installed, or else beneath the target folder, where it is put first if it is not there.
fn mdbook(workspace: &Workspace) -> Outcome<PathBuf> {
    let runs = |program: &Path| {
        let mut command = Command::new(program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let tools = workspace.target().join("tools");
    let ours = tools.join("bin").join("mdbook").with_extension(env::consts::EXE_EXTENSION);
    for program in [PathBuf::from("mdbook"), ours.clone()] {
        if runs(&program) {
            return Ok(program);
        }
    }
    println!("mdbook is not installed: putting it into {}, which takes a few minutes once", tools.display());
    let words = format!("install {MDBOOK} --locked --no-default-features --features search --root");
    process::run(workspace.cargo(&words).arg(&tools))?;
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_told_from_the_root() {
        let list = "- [a](guide/a.md)\n  - [b](../b.md)\n- [c](b.md)\n";
        let found: Vec<_> = links(list).map(from_root).collect();
        assert_eq!(found, ["docs/guide/a.md", "b.md", "docs/b.md"].map(PathBuf::from));
        assert_eq!(told_from_root(list), "- [a](docs/guide/a.md)\n  - [b](b.md)\n- [c](docs/b.md)\n");
    }
}
