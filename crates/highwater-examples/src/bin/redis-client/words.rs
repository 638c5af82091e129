//! A line as words, with quotes and escapes as `redis-cli` takes them: what is shown can be typed again.

/// The words of a line; none for an empty one.
pub(crate) fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut rest = line.trim_ascii();
    let mut words = Vec::new();
    while !rest.is_empty() {
        let (word, behind) = word(rest)?;
        words.push(word);
        rest = behind.trim_ascii_start();
    }
    Ok(words)
}

/// The first word, and what is behind it. Quotes may begin in the middle of a word, and end it.
fn word(line: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let mut word = Vec::new();
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => break,
            b'"' | b'\'' => {
                rest = quoted(byte, behind, &mut word)?;
                if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    return Err("a quote is followed by more of the word");
                }
                break;
            }
            _ => word.push(byte),
        }
        rest = behind;
    }
    Ok((word, rest))
}

/// Takes what is between quotes, and gives what is behind them.
fn quoted<'a>(quote: u8, mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], &'static str> {
    loop {
        let (byte, behind) = match (quote, rest) {
            (_, [first, behind @ ..]) if *first == quote => return Ok(behind),
            (b'\'', [b'\\', b'\'', behind @ ..]) => (b'\'', behind),
            (b'"', [b'\\', b'x', high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (digit(*high) * 16 + digit(*low), behind)
            }
            (b'"', [b'\\', escaped, behind @ ..]) => (unescaped(*escaped), behind),
            (_, [other, behind @ ..]) => (*other, behind),
            (_, []) => return Err("a quote has no end"),
        };
        word.push(byte);
        rest = behind;
    }
}

fn digit(hexadecimal: u8) -> u8 {
    match hexadecimal {
        b'0'..=b'9' => hexadecimal - b'0',
        letter => letter.to_ascii_lowercase() - b'a' + 10,
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 0x07,
        b'b' => 0x08,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fall_into_words() {
        for (line, words) in [
            (" \r\n", vec![]),
            ("get  key\n", vec!["get", "key"]),
            (r#"set k "two words" ''"#, vec!["set", "k", "two words", ""]),
            (r#"a"b c" d"#, vec!["ab c", "d"]),
            (r#""\x41\x7e\n\"\\\q""#, vec!["A~\n\"\\q"]),
            (r"'it\'s \n'", vec![r"it's \n"]),
            (r#""\xzz""#, vec!["xzz"]),
        ] {
            let words: Vec<_> = words.into_iter().map(str::as_bytes).collect();
            assert_eq!(split(line.as_bytes()).unwrap(), words, "{line}");
        }
        assert_eq!(split(b"\"\\xff\" \xfe").unwrap(), [b"\xff", b"\xfe"]);
    }

    #[test]
    fn quotes_that_are_not_right_are_refused() {
        for line in ["\"", "a 'b", "\"\\\"", "\"a\"b", "\"\\x4"] {
            assert!(split(line.as_bytes()).is_err(), "{line}");
        }
    }
}
