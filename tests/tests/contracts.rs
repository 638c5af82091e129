//! Every contract that `docs/contracts.md` says to hold is shown by a test that bears its id (`w4_…`), and
//! no test bears the id of a contract that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The id of a contract: `W4`, or `w4_` at the front of a test's name. Ordered as a person counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    family: char,
    number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At least in part, since the release that the line names.
    Holds,
    Planned,
}

type Contracts = BTreeMap<Id, State>;

#[test]
fn every_contract_that_holds_has_a_test_that_bears_its_id() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace");
    let document = fs::read_to_string(root.join("docs/contracts.md")).expect("docs/contracts.md is there");
    let contracts = contracts(&document).unwrap_or_else(|error| panic!("docs/contracts.md: {error}"));

    let sources = ["tests", "crates"].map(|folder| rust_files(&root.join(folder))).concat();
    let bearers: Vec<_> = sources.iter().flat_map(|file| bearers_in(file)).collect();

    let held = contracts.values().filter(|&&state| state == State::Holds).count();
    let bearing = bearers.iter().filter(|(id, _)| contracts.contains_key(id)).count();
    highwater_tests::report(&format!("contracts: {held} held, {bearing} tests bear their ids"));

    let complaints = complaints(&contracts, &bearers);
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// What does not fit together, a line each.
fn complaints(contracts: &Contracts, bearers: &[(Id, String)]) -> Vec<String> {
    let shown: BTreeSet<Id> = bearers.iter().map(|(id, _)| *id).collect();
    let families: BTreeSet<char> = contracts.keys().map(|id| id.family).collect();
    let unshown = contracts
        .iter()
        .filter(|&(id, &state)| state == State::Holds && !shown.contains(id))
        .map(|(id, _)| format!("{id} holds, and no test bears its id"));
    let unknown = bearers
        .iter()
        .filter(|(id, _)| families.contains(&id.family) && !contracts.contains_key(id))
        .map(|(id, test)| format!("{test} bears the id of {id}, which docs/contracts.md does not have"));
    unshown.chain(unknown).collect()
}

/// The contracts of the document. A heading `### W4: drain holds back` begins one; the next line with
/// anything on it says `Since …` or `Planned.`
fn contracts(document: &str) -> Result<Contracts, String> {
    let mut contracts = Contracts::new();
    let mut lines = document.lines().filter(|line| !line.trim().is_empty());
    while let Some(line) = lines.next() {
        let Some(heading) = line.strip_prefix("### ") else { continue };
        let id = heading.split_once(": ").and_then(|(id, _title)| Id::parse(id));
        let id = id.ok_or_else(|| format!("`{line}` begins no contract"))?;
        let state = match lines.next() {
            Some(line) if line.starts_with("Since ") => State::Holds,
            Some("Planned.") => State::Planned,
            _ => return Err(format!("{id} does not say whether it holds")),
        };
        if contracts.insert(id, state).is_some() {
            return Err(format!("{id} is there twice"));
        }
    }
    Ok(contracts)
}

/// The tests of a file whose names begin with an id, with that id.
fn bearers_in(file: &Path) -> Vec<(Id, String)> {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    bearers(&source)
}

fn bearers(source: &str) -> Vec<(Id, String)> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[") {
            // `#[test]`, `#[tokio::test]`, `#[tokio::test(start_paused = true)]`.
            let path = attribute.split([']', '(']).next().unwrap_or_default();
            is_test |= path == "test" || path.ends_with("::test");
        } else if let Some(name) = function_name(line) {
            let id = name.split_once('_').and_then(|(id, _rule)| Id::parse(&id.to_ascii_uppercase()));
            if let (true, Some(id)) = (is_test && !name.starts_with(char::is_uppercase), id) {
                found.push((id, name.to_owned()));
            }
            is_test = false;
        } else if !line.is_empty() && !line.starts_with("//") && !line.starts_with(")]") {
            // What an attribute belongs to was no function; the lines of a long attribute end in a comma.
            is_test &= line.ends_with(',');
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let words = ["pub ", "async "].iter().fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    words.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// All `*.rs` beneath `folder`, but for what a build left there.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry of a folder that was opened").path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

impl Id {
    fn parse(text: &str) -> Option<Self> {
        let family = text.chars().next().filter(char::is_ascii_uppercase)?;
        let digits = &text[1..];
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        Some(Self { family, number: is_number.then(|| digits.parse().ok())?? })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.family, self.number)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

// ---- that it can fail ----------------------------------------------------------------------------

fn id(text: &str) -> Id {
    Id::parse(text).expect("an id")
}

const DOCUMENT: &str = "# Contracts\n\n## Writing\n\n### W4: held\n\nSince 0.1.0.\n\nWords.\n\n\
                        ### W10: in part\nSince 0.1.0, for half. Planned: the rest.\n\n### T1: later\n\nPlanned.\n";

/// A source file with these functions, assembled so that this file bears none of the ids.
fn source(functions: &[(&str, &str)]) -> String {
    functions.iter().map(|(attribute, name)| format!("{attribute}\nfn {name}() {{}}\n")).collect()
}

#[test]
fn headings_and_their_states_are_read() {
    let expected = [(id("T1"), State::Planned), (id("W4"), State::Holds), (id("W10"), State::Holds)];
    assert_eq!(contracts(DOCUMENT), Ok(Contracts::from(expected)));
}

#[test]
fn a_document_that_leaves_something_open_is_refused() {
    for (document, complaint) in [
        ("### W4: held\n\nWords at once.", "W4 does not say whether it holds"),
        ("### W4: held", "W4 does not say whether it holds"),
        ("### W4 without a colon\n\nPlanned.", "`### W4 without a colon` begins no contract"),
        ("### About: this\n\nPlanned.", "`### About: this` begins no contract"),
        ("### W4: a\n\nPlanned.\n### W4: b\n\nPlanned.", "W4 is there twice"),
    ] {
        assert_eq!(contracts(document), Err(complaint.to_owned()), "{document:?}");
    }
}

#[test]
fn only_tests_bear_ids() {
    let tests = [
        ("#[test]", "w4_one"),
        ("#[tokio::test(start_paused = true)]", "w10_two"),
        ("#[tokio::test]\n#[cfg(unix)]\n// Why.", "r1_three"),
        ("#[tokio::test(\n    flavor = \"multi_thread\",\n)]\nasync", "r2_four"),
    ];
    let others = [
        ("", "w4_helper"),
        ("#[inline]", "w4_fast"),
        ("#[test]", "limit_is_kept"),
        ("#[test]", "w_4"),
        ("#[test]", "utf8_is_not_asked_for"),
        ("#[cfg(test)]\nmod tests {", "w4_nested"),
        ("#[test]\nstruct Odd;", "w4_after"),
    ];
    let found = bearers(&source(&tests).replace("async\nfn", "async fn"));
    let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["w4_one", "w10_two", "r1_three", "r2_four"]);
    assert_eq!(found[1].0, id("W10"));
    assert_eq!(bearers(&source(&others)), []);
}

#[test]
fn what_is_missing_and_what_is_unknown_is_told() {
    let contracts = contracts(DOCUMENT).unwrap();
    let bears = |ids: &[&str]| -> Vec<_> { ids.iter().map(|text| (id(text), format!("{text}_x"))).collect() };

    assert_eq!(complaints(&contracts, &bears(&["W4", "W10"])), Vec::<String>::new());
    // `T1` is planned, and a test may come before the promise; `X1` is of no family of ours.
    assert_eq!(complaints(&contracts, &bears(&["W4", "W10", "T1", "X1"])), Vec::<String>::new());
    assert_eq!(complaints(&contracts, &bears(&["W10"])), ["W4 holds, and no test bears its id"]);
    assert_eq!(
        complaints(&contracts, &bears(&["W4", "W10", "W40"])),
        ["W40_x bears the id of W40, which docs/contracts.md does not have"]
    );
}
