//! The figures in the repository: a small part of TOML, read and written so that a diff shows what changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::outcome::Outcome;

const HEADER: &str = "\
# Instructions per operation: `cargo xtask bench --gate` compares, and adds `--record` to write them anew.
# An operation of ours fails when it grows by more than 3 %, or past what `at_most` says, which is kept by hand.
";

/// What was measured, and what must never be passed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Record {
    /// What the figures depend on besides our code.
    pub(crate) made_with: String,
    pub(crate) at_most: BTreeMap<String, f64>,
    pub(crate) recorded: BTreeMap<String, f64>,
}

impl Record {
    /// The figures in a file; none when it is not there.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text)
                .map_err(|line| format!("{}: not understood: {line}", path.display()).into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("could not read {}: {error}", path.display()).into()),
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Outcome {
        fs::write(path, self.to_toml())
            .map_err(|error| format!("could not write {}: {error}", path.display()).into())
    }

    /// The figures in a text, or the line that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut record = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
                continue;
            }
            record.take(section, line).ok_or_else(|| line.to_owned())?;
        }
        Ok(record)
    }

    fn take(&mut self, section: &str, line: &str) -> Option<()> {
        let (name, value) = line.split_once(" = ")?;
        let figures = match section {
            "" if name == "made_with" => {
                self.made_with = unquoted(value)?.to_owned();
                return Some(());
            }
            "at_most" => &mut self.at_most,
            "recorded" => &mut self.recorded,
            _ => return None,
        };
        figures.insert(unquoted(name)?.to_owned(), value.parse().ok()?);
        Some(())
    }

    fn to_toml(&self) -> String {
        let mut text = format!("{HEADER}made_with = {:?}\n", self.made_with);
        for (section, figures) in [("at_most", &self.at_most), ("recorded", &self.recorded)] {
            let _ = writeln!(text, "\n[{section}]");
            for (name, figure) in figures {
                let _ = writeln!(text, "{name:?} = {figure:.1}");
            }
        }
        text
    }
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let record = Record {
            made_with: "rustc 1.95.0".to_owned(),
            at_most: BTreeMap::from([("reader/line".to_owned(), 135.0)]),
            recorded: BTreeMap::from([("reader/line".to_owned(), 95.1), ("b".to_owned(), 2.0)]),
        };
        assert_eq!(Record::parse(&record.to_toml()), Ok(record));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        assert_eq!(Record::parse("[recorded]\n\"a\" = many\n"), Err("\"a\" = many".to_owned()));
        assert_eq!(Record::parse("[other]\n\"a\" = 1\n"), Err("\"a\" = 1".to_owned()));
    }
}
