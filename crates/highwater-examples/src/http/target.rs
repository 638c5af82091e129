//! What a request asks for: the path of a file, and nothing that leads anywhere else.

use std::path::{Component, Path, PathBuf};

/// A path beneath the root, and whether it was asked for as a folder, with a slash at its end.
///
/// Invariant: every component of `path` is a plain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) is_folder: bool,
    /// The path as it was written, for the redirect to the folder.
    pub(super) written: String,
}

/// The file that a request target names, in origin form (`/a/b?c`) or absolute form (`http://host/a/b`).
/// `None` where it is neither, and where a segment of the path, once decoded, is no plain name of a file:
/// empty, `.` or `..`, or with a slash, a backslash, a control character, or bytes that are not UTF-8.
pub(super) fn parse(target: &str) -> Option<Target> {
    let path = path(target)?;
    // What is behind the last slash is the file; nothing, for a folder.
    let (folders, last) = path.rsplit_once('/')?;
    let mut decoded = PathBuf::new();
    for folder in folders.split('/').skip(1) {
        decoded.push(name(folder)?);
    }
    if !last.is_empty() {
        decoded.push(name(last)?);
    }
    Some(Target { path: decoded, is_folder: last.is_empty(), written: path.to_owned() })
}

/// The path, from its first slash to the query.
fn path(target: &str) -> Option<&str> {
    // RFC 9112 §3.2.2: a server takes the absolute form, too, which is meant for proxies.
    let path = match target.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) => {
            &rest[rest.find(['/', '?']).unwrap_or(rest.len())..]
        }
        _ if target.starts_with('/') => target,
        _ => return None,
    };
    let path = path.split_once('?').map_or(path, |(path, _query)| path);
    Some(if path.is_empty() { "/" } else { path })
}

fn name(segment: &str) -> Option<String> {
    let name = String::from_utf8(decode(segment.as_bytes())?).ok()?;
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    // What is a plain name is for the system to say: `C:` is none on Windows.
    let mut components = Path::new(&name).components();
    let is_plain = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
    (is_plain && !name.contains(is_odd)).then_some(name)
}

/// RFC 3986 §2.1: `%` and two hexadecimal digits are a byte.
fn decode(segment: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let mut bytes = segment.iter().copied();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => decoded.push((digit(bytes.next())? * 16 + digit(bytes.next())?) as u8),
            other => decoded.push(other),
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_path_beneath_the_root() {
        for (target, path, is_folder) in [
            ("/", "", true),
            ("/a.txt", "a.txt", false),
            ("/a/b/c.txt?d=/../e", "a/b/c.txt", false),
            ("/a/", "a", true),
            ("/a%20b/%C3%A4", "a b/ä", false),
            ("/...", "...", false),
            ("/%2541", "%41", false),
            ("http://example.org/a", "a", false),
            ("HTTPS://example.org", "", true),
            ("http://example.org?a", "", true),
        ] {
            let found = parse(target).unwrap_or_else(|| panic!("{target}"));
            assert_eq!((found.path.to_str().unwrap(), found.is_folder), (path, is_folder), "{target}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_no_path() {
        for target in [
            "",
            "*",
            "a",
            "example.org:80",
            "ftp://example.org/a",
            "/..",
            "/../a",
            "/a/../../b",
            "/a/..",
            "/.",
            "/./a",
            "/%2e%2e/a",
            "/%2E%2e",
            "/.%2e/a",
            "//",
            "//a",
            "/a//b",
            "/a%2fb",
            "/a%2Fb",
            "/..%2fa",
            "/a\\b",
            "/..\\a",
            "/a%5cb",
            "/a%00",
            "/a%0ab",
            "/%7f",
            "/%ff",
            "/%c0%ae%c0%ae/a",
            "/%",
            "/%4",
            "/%4g",
            "/%+4",
            "/%%41",
        ] {
            assert_eq!(parse(target), None, "{target}");
        }
    }
}
