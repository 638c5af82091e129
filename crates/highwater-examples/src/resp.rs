//! RESP, the protocol that Redis speaks: commands out, replies in, of version 2 and of version 3.
//!
//! A reply is a line that begins with its kind, followed by bytes of an announced length or by an announced
//! number of further replies. Nothing that is announced takes memory: strings grow as they arrive, lists as
//! their items do, and both are refused at once if they could not fit into the limit.
//!
//! Not here: what replies mean, and the streamed strings and lists that RESP3 describes and no server sends.

mod show;

use std::io::{self, ErrorKind};

use highwater_net::Bytes;
use highwater_net::stream::{Source, StreamReader};

/// The most that one reply may take, by default: a string of the most that Redis stores, and some.
pub const REPLY_LIMIT: usize = 600 * 1024 * 1024;

/// How deep replies may be nested. Those of Redis stay below ten.
pub const MOST_DEPTH: usize = 32;

/// A reply, or a part of one. Its text is what `redis-cli` shows on a terminal.
///
/// ```
/// use highwater_examples::resp::Value;
///
/// let reply = Value::Array(vec![Value::Integer(7), Value::Bulk("a\n".into()), Value::Null]);
/// assert_eq!(reply.to_string(), "1) (integer) 7\n2) \"a\\n\"\n3) (nil)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A line of text: `OK`.
    Simple(Bytes),
    /// What went wrong.
    Error(Bytes),
    /// A whole number.
    Integer(i64),
    /// Any bytes.
    Bulk(Bytes),
    /// Nothing, in any of the three ways to say so.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A number with a fraction, as the server writes it.
    Double(Bytes),
    /// A whole number of any size, as the server writes it.
    BigNumber(Bytes),
    /// Text that is meant to be shown as it is.
    Verbatim(Bytes),
    /// Replies in an order.
    Array(Vec<Value>),
    /// Replies in no order.
    Set(Vec<Value>),
    /// Keys, each followed by its value.
    Map(Vec<Value>),
    /// What the server tells without being asked.
    Push(Vec<Value>),
}

/// A command, as every server of either version takes it.
///
/// ```
/// use highwater_examples::resp::command;
///
/// assert_eq!(command(["SET", "key", ""]), b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n");
/// ```
pub fn command<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W, IntoIter: ExactSizeIterator>) -> Vec<u8> {
    let words = words.into_iter();
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads one reply; `None` if the stream ended before it.
///
/// `limit` bounds the memory that the reply takes: the bytes in it, and the place for each value. Attributes,
/// which RESP3 puts in front of a reply, are read over, and count.
///
/// # Errors
/// `UnexpectedEof` if the stream ended within the reply, `InvalidData` if what comes is no reply or passes
/// the limit or [`MOST_DEPTH`], and what the transport says. None of them can be read on from.
///
/// # Cancel safety
/// Not cancel safe: what was read of a reply is lost. Drop it only if the connection is given up.
///
/// ```
/// use highwater_examples::resp::{REPLY_LIMIT, Value, read_value};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ((mut reader, _writer), (_, server)) = highwater_net::duplex(64);
/// server.write("*2\r\n:1\r\n$2\r\n\r\n\r\n")?;
/// let reply = read_value(&mut reader, REPLY_LIMIT).await?;
/// assert_eq!(reply, Some(Value::Array(vec![Value::Integer(1), Value::Bulk("\r\n".into())])));
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub async fn read_value<S: Source>(reader: &mut StreamReader<S>, limit: usize) -> io::Result<Option<Value>> {
    if reader.peek(1).await?.is_empty() {
        return Ok(None);
    }
    let mut budget = Budget(limit);
    // The lists that are not complete, outermost first.
    let mut open: Vec<List> = Vec::new();
    loop {
        let mut complete = match read_item(reader, &mut budget).await? {
            Item::Value(value) => Some(value),
            Item::List(list) if list.missing == 0 => list.close(),
            Item::List(_) if open.len() == MOST_DEPTH => {
                return Err(malformed(format!("replies are nested more than {MOST_DEPTH} deep")));
            }
            Item::List(list) => {
                open.push(list);
                continue;
            }
        };
        // A value may complete the list that it is in, and that one the next. An attribute completes nothing.
        while let Some(value) = complete.take() {
            let Some(mut list) = open.pop() else { return Ok(Some(value)) };
            list.items.push(value);
            list.missing -= 1;
            if list.missing > 0 {
                open.push(list);
            } else {
                complete = list.close();
            }
        }
    }
}

/// What a reply may still take.
struct Budget(usize);

impl Budget {
    /// Before the memory is taken.
    fn spend(&mut self, count: usize, each: usize) -> io::Result<()> {
        let left = count.checked_mul(each).and_then(|bytes| self.0.checked_sub(bytes));
        self.0 = left.ok_or_else(|| malformed("the reply takes more memory than it may"))?;
        Ok(())
    }
}

/// What one line, and the bytes that it announces, amount to.
enum Item {
    Value(Value),
    List(List),
}

struct List {
    kind: Kind,
    missing: usize,
    items: Vec<Value>,
}

enum Kind {
    Value(fn(Vec<Value>) -> Value),
    /// About the reply that follows, and not part of it.
    Attribute,
}

impl List {
    fn close(self) -> Option<Value> {
        match self.kind {
            Kind::Value(make) => Some(make(self.items)),
            Kind::Attribute => None,
        }
    }
}

async fn read_item<S: Source>(reader: &mut StreamReader<S>, budget: &mut Budget) -> io::Result<Item> {
    let line = reader.read_until(b"\r\n").await?;
    let line = line.slice(..line.len() - 2);
    let (&kind, digits) =
        line.split_first().ok_or_else(|| malformed("an empty line where a reply begins"))?;
    let text = line.slice(1..);
    budget.spend(1, size_of::<Value>() + text.len())?;

    let list = |kind, count: usize| Item::List(List { kind, missing: count, items: Vec::new() });
    Ok(match kind {
        b'+' => Item::Value(Value::Simple(text)),
        b'-' => Item::Value(Value::Error(text)),
        b':' => Item::Value(Value::Integer(number(digits)?)),
        b'$' | b'*' if digits == b"-1" => Item::Value(Value::Null),
        b'_' if digits.is_empty() => Item::Value(Value::Null),
        b'#' if digits == b"t" => Item::Value(Value::Boolean(true)),
        b'#' if digits == b"f" => Item::Value(Value::Boolean(false)),
        b',' => number::<f64>(digits).map(|_| Item::Value(Value::Double(text)))?,
        b'(' if is_big_number(digits) => Item::Value(Value::BigNumber(text)),
        b'$' => Item::Value(Value::Bulk(read_string(reader, digits, budget).await?)),
        b'!' => Item::Value(Value::Error(read_string(reader, digits, budget).await?)),
        b'=' => {
            // Three letters for the format of the text, and a colon.
            let string = read_string(reader, digits, budget).await?;
            if string.get(3) != Some(&b':') {
                return Err(malformed("a verbatim string without its format"));
            }
            Item::Value(Value::Verbatim(string.slice(4..)))
        }
        b'*' => list(Kind::Value(Value::Array), count(digits, 1, budget)?),
        b'~' => list(Kind::Value(Value::Set), count(digits, 1, budget)?),
        b'>' => list(Kind::Value(Value::Push), count(digits, 1, budget)?),
        b'%' => list(Kind::Value(Value::Map), count(digits, 2, budget)?),
        b'|' => list(Kind::Attribute, count(digits, 2, budget)?),
        _ => return Err(malformed(format!("no reply begins with \"{}\"", start_of(&line)))),
    })
}

async fn read_string<S: Source>(
    reader: &mut StreamReader<S>,
    digits: &[u8],
    budget: &mut Budget,
) -> io::Result<Bytes> {
    let length = length(digits)?;
    budget.spend(length, 1)?;
    let string = reader.read_exactly(length + 2).await?;
    if !string.ends_with(b"\r\n") {
        return Err(malformed(format!("a string of {length} bytes does not end where it should")));
    }
    Ok(string.slice(..length))
}

/// The number of values in a list of so many items. The items pay for themselves as they come; here it is
/// only made sure that they can.
fn count(digits: &[u8], values: usize, budget: &Budget) -> io::Result<usize> {
    let count = length(digits)?.saturating_mul(values);
    Budget(budget.0).spend(count, size_of::<Value>())?;
    Ok(count)
}

fn length(digits: &[u8]) -> io::Result<usize> {
    if digits.first().is_some_and(u8::is_ascii_digit) {
        return number(digits);
    }
    Err(malformed(format!("\"{}\" is not a length", start_of(digits))))
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> io::Result<T> {
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| malformed(format!("\"{}\" is not a number that fits", start_of(digits))))
}

fn is_big_number(digits: &[u8]) -> bool {
    let digits = digits.strip_prefix(b"-").or(digits.strip_prefix(b"+")).unwrap_or(digits);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Enough to recognise it by, and nothing that a terminal would obey.
fn start_of(bytes: &[u8]) -> std::slice::EscapeAscii<'_> {
    bytes[..bytes.len().min(20)].escape_ascii()
}

fn malformed(reason: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], limit: usize) -> io::Result<Option<Value>> {
        let mut reader = StreamReader::new(bytes);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_value(&mut reader, limit))
    }

    fn read_one(bytes: &str) -> Value {
        read(bytes.as_bytes(), 10_000).unwrap().unwrap()
    }

    fn refusal(bytes: &str, limit: usize) -> String {
        let error = read(bytes.as_bytes(), limit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{bytes:?}: {error}");
        error.to_string()
    }

    #[test]
    fn every_kind_of_reply_is_read() {
        use Value::*;
        for (bytes, value) in [
            ("+OK\r\n", Simple("OK".into())),
            ("-ERR no\r\n", Error("ERR no".into())),
            (":-7\r\n", Integer(-7)),
            ("$4\r\na\r\nb\r\n", Bulk("a\r\nb".into())),
            ("$0\r\n\r\n", Bulk("".into())),
            ("$-1\r\n", Null),
            ("*-1\r\n", Null),
            ("_\r\n", Null),
            ("#t\r\n", Boolean(true)),
            ("#f\r\n", Boolean(false)),
            (",-1.5e3\r\n", Double("-1.5e3".into())),
            (",inf\r\n", Double("inf".into())),
            ("(-12345678901234567890\r\n", BigNumber("-12345678901234567890".into())),
            ("!5\r\nERR x\r\n", Error("ERR x".into())),
            ("=6\r\ntxt:hi\r\n", Verbatim("hi".into())),
            ("*0\r\n", Array(vec![])),
            ("*2\r\n*1\r\n:1\r\n_\r\n", Array(vec![Array(vec![Integer(1)]), Null])),
            ("~1\r\n:1\r\n", Set(vec![Integer(1)])),
            ("%1\r\n+a\r\n:1\r\n", Map(vec![Simple("a".into()), Integer(1)])),
            (">1\r\n:1\r\n", Push(vec![Integer(1)])),
            ("|1\r\n+ttl\r\n:1\r\n:2\r\n", Integer(2)),
            ("*1\r\n|1\r\n+ttl\r\n:1\r\n:2\r\n", Array(vec![Integer(2)])),
        ] {
            assert_eq!(read_one(bytes), value, "{bytes:?}");
        }
    }

    #[test]
    fn an_end_before_a_reply_is_none_and_within_one_an_error() {
        assert_eq!(read(b"", 100).unwrap(), None);
        for bytes in ["+OK", "$3\r\nab", "$3\r\nabc\r", "*1\r\n", "|0\r\n"] {
            let error = read(bytes.as_bytes(), 1000).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_reply_is_refused_with_a_reason() {
        for (bytes, reason) in [
            ("\r\n", "an empty line"),
            ("HTTP/1.1 400 \x1b\r\n", "no reply begins with \"HTTP/1.1 400 \\x1b\""),
            (":\r\n", "not a number"),
            (":9223372036854775808\r\n", "not a number that fits"),
            ("$-2\r\n", "\"-2\" is not a length"),
            ("$+2\r\nab\r\n", "not a length"),
            ("*?\r\n", "not a length"),
            ("$2\r\nabc\r\n", "does not end where it should"),
            ("#x\r\n", "no reply begins"),
            ("(1x\r\n", "no reply begins"),
            (",one\r\n", "not a number"),
            ("=2\r\nhi\r\n", "without its format"),
        ] {
            let told = refusal(bytes, 1000);
            assert!(told.contains(reason), "{bytes:?}: {told}");
        }
    }

    #[test]
    fn what_is_announced_is_refused_before_it_comes() {
        for bytes in [
            "$1000001\r\n",
            "*25001\r\n",
            "%12501\r\n",
            "|99999\r\n",
            "*18446744073709551615\r\n",
            "%18446744073709551615\r\n",
        ] {
            assert_eq!(refusal(bytes, 1_000_000), "the reply takes more memory than it may", "{bytes:?}");
        }
    }

    #[test]
    fn the_limit_counts_all_that_is_in_a_reply() {
        let reply = "*2\r\n$10\r\n0123456789\r\n:1\r\n";
        let takes = 3 * size_of::<Value>() + "2".len() + "10".len() + 10 + "1".len();
        assert!(read(reply.as_bytes(), takes).is_ok());
        assert!(read(reply.as_bytes(), takes - 1).is_err());
    }

    #[test]
    fn replies_are_nested_so_deep_and_no_deeper() {
        let nested = |depth| "*1\r\n".repeat(depth) + ":1\r\n";
        assert!(read(nested(MOST_DEPTH).as_bytes(), 100_000).is_ok());
        assert_eq!(refusal(&nested(MOST_DEPTH + 1), 100_000), "replies are nested more than 32 deep");
    }
}
