//! Bytes in hexadecimal.

use std::fmt::Write;

/// Bytes in a row.
const ROW: usize = 16;

/// Rows of sixteen bytes: where they are in the stream, each in hexadecimal, and what is ASCII of them.
///
/// ```
/// let dumped = highwater_examples::talk::dump(0x20, b"Hello\r\n");
/// assert_eq!(dumped, "00000020  48 65 6c 6c 6f 0d 0a                             |Hello..|\n");
/// ```
pub fn dump(offset: u64, bytes: &[u8]) -> String {
    let mut dumped = String::new();
    for (row, bytes) in (0..).step_by(ROW).zip(bytes.chunks(ROW)) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
        let is_shown = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let text: String = bytes.iter().map(|&b| if is_shown(b) { char::from(b) } else { '.' }).collect();
        // A `String` takes everything.
        let _ = writeln!(dumped, "{:08x}  {hex:<48} |{text}|", offset.saturating_add(row));
    }
    dumped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_sixteen_bytes() {
        let rows = dump(0, &[b'a'; 33]);
        let lengths: Vec<_> = rows.lines().map(|row| (&row[..8], row.matches(" 61").count())).collect();
        assert_eq!(lengths, [("00000000", 16), ("00000010", 16), ("00000020", 1)]);
        assert_eq!(dump(0, b""), "");
        assert_eq!(dump(u64::MAX, &[0x1b; 17]).matches("1b").count(), 17);
    }
}
