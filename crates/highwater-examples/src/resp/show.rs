//! Replies as text: what `redis-cli` shows on a terminal, without a control character that is the server's.

use std::fmt::{self, Write};

use super::Value;
use crate::text::is_command;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self, "", f)
    }
}

/// `indent` goes in front of each line but the first, which continues one.
fn show(value: &Value, indent: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Simple(text) => plain(text, f),
        Value::Error(text) => {
            f.write_str("(error) ")?;
            plain(text, f)
        }
        Value::Integer(number) => write!(f, "(integer) {number}"),
        Value::Bulk(bytes) => quoted(bytes, f),
        Value::Null => f.write_str("(nil)"),
        Value::Boolean(yes) => write!(f, "({yes})"),
        Value::Double(text) => write!(f, "(double) {}", text.escape_ascii()),
        Value::BigNumber(text) => write!(f, "(big number) {}", text.escape_ascii()),
        Value::Verbatim(text) => plain(text, f),
        Value::Array(items) => list(items, 1, ')', "(empty array)", indent, f),
        Value::Push(items) => list(items, 1, ')', "(empty push)", indent, f),
        Value::Set(items) => list(items, 1, '~', "(empty set)", indent, f),
        Value::Map(items) => list(items, 2, '#', "(empty hash)", indent, f),
    }
}

/// Numbered lines, their numbers right-aligned: `1) item`, or `1# key => value`.
fn list(
    items: &[Value],
    in_a_line: usize,
    mark: char,
    empty: &str,
    indent: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if items.is_empty() {
        return f.write_str(empty);
    }
    let width = (items.len() / in_a_line).to_string().len();
    let deeper = format!("{indent}{:1$}", "", width + 2);
    for (index, line) in items.chunks(in_a_line).enumerate() {
        if index > 0 {
            write!(f, "\n{indent}")?;
        }
        write!(f, "{:width$}{mark} ", index + 1)?;
        show(&line[0], &deeper, f)?;
        if let Some(value) = line.get(1) {
            f.write_str(" => ")?;
            // A list of several lines begins in the column that it goes on in.
            if is_tall(value) {
                write!(f, "\n{deeper}")?;
            }
            show(value, &deeper, f)?;
        }
    }
    Ok(())
}

fn is_tall(value: &Value) -> bool {
    let (items, in_a_line) = match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => (items, 1),
        Value::Map(items) => (items, 2),
        _ => return false,
    };
    items.len() > in_a_line || items.iter().any(is_tall)
}

/// Between quotes, so that it could be typed again.
fn quoted(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for &byte in bytes {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            b'\n' => f.write_str("\\n")?,
            b'\r' => f.write_str("\\r")?,
            b'\t' => f.write_str("\\t")?,
            0x07 => f.write_str("\\a")?,
            0x08 => f.write_str("\\b")?,
            b' '..=b'~' => f.write_char(char::from(byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    f.write_char('"')
}

/// As it is, except for control characters other than the ends of lines.
fn plain(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for character in String::from_utf8_lossy(bytes).replace("\r\n", "\n").chars() {
        match character {
            '\n' => f.write_char('\n')?,
            command if is_command(command) => write!(f, "{}", command.escape_default())?,
            other => f.write_char(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &'static str) -> Value {
        Value::Bulk(text.into())
    }

    #[test]
    fn bytes_are_shown_as_they_could_be_typed() {
        let every = Value::Bulk(b"a \"\\\n\r\t\x07\x08\0\x7f\xff".as_slice().into());
        assert_eq!(every.to_string(), r#""a \"\\\n\r\t\a\b\x00\x7f\xff""#);
    }

    #[test]
    fn the_server_does_not_command_the_terminal() {
        assert_eq!(Value::Simple("\x1b[2J\u{9b}ü".into()).to_string(), "\\u{1b}[2J\\u{9b}ü");
        assert_eq!(Value::Verbatim("one\r\ntwo\rthree".into()).to_string(), "one\ntwo\\rthree");
        assert_eq!(Value::Simple("\u{202e}cod.exe".into()).to_string(), "\\u{202e}cod.exe");
    }

    #[test]
    fn lists_in_lists_stay_in_their_columns() {
        let ten = Value::Array((1..=10).map(Value::Integer).collect());
        let nested = Value::Array(vec![Value::Map(vec![bulk("a"), ten, bulk("b"), Value::Set(vec![])])]);
        let shown = nested.to_string();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "1) 1# \"a\" => ");
        assert_eq!(lines[1], "       1) (integer) 1");
        assert_eq!(lines[10], "      10) (integer) 10");
        assert_eq!(lines[11], "   2# \"b\" => (empty set)");
    }
}
