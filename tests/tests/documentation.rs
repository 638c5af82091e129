//! The pages hold together: every link leads somewhere, every program is compiled, and the book has every page.

use highwater_tests::{COMPILED_PAGES, report};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// Every page of the repository, from its root.
fn pages() -> BTreeSet<PathBuf> {
    fn add(folder: &Path, pages: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                add(&path, pages);
            } else if name.ends_with(".md") {
                pages.insert(path.strip_prefix(root()).expect("it lies beneath the root").to_owned());
            }
        }
    }
    let mut pages = BTreeSet::new();
    add(root(), &mut pages);
    pages
}

fn text(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The page without what stands between fences.
fn prose(page: &str) -> String {
    let mut code = false;
    let outside = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// Where the links of a page lead, but for those that leave the repository.
fn links(prose: &str) -> Vec<String> {
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let within = targets.map(|(target, _)| target).filter(|target| !target.contains("://"));
    within.map(str::to_owned).collect()
}

/// The anchors that a page's headings make, as forges and mdBook do.
fn anchors(prose: &str) -> BTreeSet<String> {
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let names = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = names.map(|name| {
        let kept = name.chars().filter(|&c| c.is_alphanumeric() || c == '-' || c == '_' || c == ' ');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    kept.collect()
}

/// A path relative to a page, as the root has it.
fn from_root(page: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in page.parent().unwrap_or(page).join(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut followed = 0;
    let mut broken = Vec::new();
    for page in &pages {
        for link in links(&prose(&text(page))) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { from_root(page, path) };
            let leads = root().join(&target).exists()
                && (anchor.is_empty() || anchors(&prose(&text(&target))).contains(anchor));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
            followed += 1;
        }
    }
    report(&format!("documentation: {} pages, {followed} links followed", pages.len()));
    assert!(followed > 100, "only {followed} links were found");
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_program_is_compiled() {
    let compiled: BTreeSet<_> = COMPILED_PAGES.iter().map(PathBuf::from).collect();
    let with_programs: BTreeSet<_> =
        pages().into_iter().filter(|page| text(page).contains("```rust")).collect();
    assert_eq!(compiled, with_programs, "COMPILED_PAGES, and the pages that have Rust programs");
}

#[test]
fn the_book_has_every_page_of_the_documentation() {
    let list = Path::new("docs/SUMMARY.md");
    let listed: BTreeSet<_> = links(&text(list)).iter().map(|link| from_root(list, link)).collect();
    let missing: Vec<_> = pages()
        .into_iter()
        .filter(|page| page.starts_with("docs") && page != list && !listed.contains(page))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_book_leads_only_to_pages_that_it_has() {
    let list = Path::new("docs/SUMMARY.md");
    let listed: BTreeSet<_> = links(&text(list)).iter().map(|link| from_root(list, link)).collect();
    let mut outside = Vec::new();
    for page in &listed {
        for link in links(&prose(&text(page))) {
            let path = link.split('#').next().unwrap_or_default();
            let target = from_root(page, path);
            if path.ends_with(".md") && !listed.contains(&target) {
                outside.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(outside.is_empty(), "\n{}", outside.join("\n"));
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = text(Path::new("Cargo.toml"));
    let (_, dependencies) = manifest.split_once("[workspace.dependencies]").expect("it says them once");
    let (dependencies, _) = dependencies.split_once("\n[").expect("something follows");
    let names = dependencies.lines().filter(|line| !line.starts_with('#'));
    let names = names.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let page = text(Path::new("docs/architecture.md"));
    let missing: Vec<_> =
        names.filter(|name| !name.starts_with("highwater") && !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/architecture.md does not say what these are for: {missing:?}");
}

#[test]
fn every_part_of_a_library_is_on_the_map() {
    let page = text(Path::new("docs/architecture.md"));
    let mut missing = Vec::new();
    for library in ["highwater-buffer", "highwater-stream", "highwater-net", "highwater-testing"] {
        let folder = root().join("crates").join(library).join("src");
        for entry in fs::read_dir(&folder).expect("a library has sources") {
            let name = entry.expect("the folder can be read").file_name().to_string_lossy().into_owned();
            let is_named = page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}/"));
            if name != "lib.rs" && !is_named {
                missing.push(format!("{library}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/architecture.md does not say what these are: {missing:?}");
}
