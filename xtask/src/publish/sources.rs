//! The code of a library as text, and which crates it names.

use std::fs;
use std::path::Path;

use crate::outcome::Outcome;

/// The lines of every Rust file beneath a folder that are not comments.
pub(super) fn code(folder: &Path) -> Outcome<String> {
    let unreadable = |error| format!("could not read {}: {error}", folder.display());
    let mut code = String::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            code += &self::code(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code += &without_comments(&fs::read_to_string(&path).map_err(unreadable)?);
        }
    }
    Ok(code)
}

fn without_comments(text: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).flat_map(|line| [line, "\n"]).collect()
}

/// Whether a crate is named in a path (`bytes::Bytes`) or as a whole (`use socket2;`). A name in passing, of a variable
/// say, does not count.
pub(super) fn names(code: &str, name: &str) -> bool {
    let is_part_of_a_name = |character: char| character.is_alphanumeric() || "_:.".contains(character);
    code.match_indices(name).any(|(at, _)| {
        let (before, behind) = (&code[..at], &code[at + name.len()..]);
        let begins = !before.ends_with(is_part_of_a_name);
        begins && (behind.starts_with("::") || (before.ends_with("use ") && behind.starts_with([';', ' '])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_in_paths_and_not_in_passing() {
        assert!(names("use bytes::Bytes;", "bytes"));
        assert!(names("pub use socket2;", "socket2"));
        assert!(names("fn f() -> tracing::Span", "tracing"));
        for code in ["let bytes = 3;", "self.bytes::<u8>()", "use crate::bytes::Bytes;", "some_bytes::of(3)"]
        {
            assert!(!names(code, "bytes"), "{code}");
        }
        assert!(!names(&without_comments("    /// use bytes::Bytes;\n"), "bytes"));
    }
}
