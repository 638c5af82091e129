//! A line of MLSD: facts about a file, and its name (RFC 3659 §7).

use std::fmt;

use crate::text::printable;

/// What there is in a folder, by one line of its listing.
///
/// ```
/// use highwater_examples::ftp::{Entry, Kind};
/// let entry = Entry::parse(b"type=file;size=12;modify=20260102030405; a name").unwrap();
/// assert_eq!((entry.kind, entry.size, entry.name.as_slice()), (Kind::File, Some(12), &b"a name"[..]));
/// assert_eq!(entry.to_string(), "file           12  2026-01-02 03:04:05  a name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name as the server has it. It may be anything: it is for showing, and not for opening.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// In bytes.
    pub size: Option<u64>,
    /// `YYYYMMDDHHMMSS`, in UTC: fourteen digits.
    pub modified: Option<String>,
}

/// What an entry is.
///
/// ```
/// use highwater_examples::ftp::{Entry, Kind};
/// assert_eq!(Entry::parse(b"Type=cdir; .").unwrap().kind, Kind::Itself);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// The folder that is listed, or the one that it is in.
    Itself,
    /// Something else, or something that the server does not tell.
    Other,
}

impl Entry {
    /// A line without its CRLF, taken apart. `None` if it has no name, or a fact without value.
    ///
    /// ```
    /// use highwater_examples::ftp::Entry;
    /// assert!(Entry::parse(b"-rw-r--r-- 1 anna anna 12 Jan 2 03:04 a name").is_none());
    /// ```
    pub fn parse(line: &[u8]) -> Option<Self> {
        let (facts, name) = line.split_at(line.iter().position(|&byte| byte == b' ')?);
        let facts = std::str::from_utf8(facts).ok()?;
        let mut entry = Self { name: name[1..].to_vec(), kind: Kind::Other, size: None, modified: None };
        if entry.name.is_empty() || !(facts.is_empty() || facts.ends_with(';')) {
            return None;
        }
        for fact in facts.split_terminator(';') {
            let (name, value) = fact.split_once('=')?;
            match name.to_ascii_lowercase().as_str() {
                "type" => entry.kind = Kind::of(value),
                "size" => entry.size = super::number(value),
                "modify" => entry.modified = moment(value),
                _ => {}
            }
        }
        Some(entry)
    }
}

impl Kind {
    fn of(value: &str) -> Self {
        match value.to_ascii_lowercase().as_str() {
            "file" => Kind::File,
            "dir" => Kind::Folder,
            "cdir" | "pdir" => Kind::Itself,
            _ => Kind::Other,
        }
    }
}

/// The first fourteen digits of a moment. Fractions of a second may follow them.
fn moment(value: &str) -> Option<String> {
    let digits = value.get(..14)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.to_owned())
}

/// A line for a person.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::File => "file",
            Kind::Folder | Kind::Itself => "dir",
            Kind::Other => "?",
        };
        let size = self.size.map(|size| size.to_string()).unwrap_or_default();
        let modified = match &self.modified {
            Some(at) => {
                let [date, hours, minutes, seconds] = [&at[..8], &at[8..10], &at[10..12], &at[12..]];
                format!("{}-{}-{} {hours}:{minutes}:{seconds}", &date[..4], &date[4..6], &date[6..])
            }
            None => String::new(),
        };
        write!(f, "{kind:<4} {size:>12}  {modified:<19}  {}", printable(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_facts_and_a_name() {
        let parsed = Entry::parse(b"Size=5;Perm=r;Type=DIR;Modify=20260102030405.678; \xff x; y").unwrap();
        assert_eq!(parsed.name, b"\xff x; y");
        assert_eq!((parsed.kind, parsed.size), (Kind::Folder, Some(5)));
        assert_eq!(parsed.modified.as_deref(), Some("20260102030405"));
        let bare = Entry::parse(b" name").unwrap();
        assert_eq!((bare.kind, bare.size, bare.modified), (Kind::Other, None, None));
        let odd = Entry::parse("size=-1;modify=2026010203040é;type=OS.unix=symlink; n".as_bytes()).unwrap();
        assert_eq!((odd.kind, odd.size, odd.modified), (Kind::Other, None, None));
        for line in ["", "name", "type=file;size=1;", "type=file; ", "type; name", "type=file name"] {
            assert_eq!(Entry::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn a_name_commands_no_terminal() {
        let entry = Entry::parse(b"type=file; \x1b[2J").unwrap();
        assert!(entry.to_string().ends_with("  \\u{1b}[2J"), "{entry}");
    }
}
