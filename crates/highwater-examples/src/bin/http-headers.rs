//! Prints the HTTP headers of a URL. In asyncio:
//!
//! ```python
//! url = urllib.parse.urlsplit(url)
//! if url.scheme == "https":
//!     reader, writer = await asyncio.open_connection(url.hostname, 443, ssl=True)
//! else:
//!     reader, writer = await asyncio.open_connection(url.hostname, 80)
//! writer.write(f"HEAD {url.path or '/'} HTTP/1.0\r\nHost: {url.hostname}\r\n\r\n".encode())
//! while line := (await reader.readline()).rstrip():
//!     print("HTTP header>", line.decode("latin1"))
//! writer.close()
//! await writer.wait_closed()
//! ```

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Parser;
use highwater_examples::{Outcome, exit_code, trusting};
use highwater_net::{ReadUntilError, StreamOptions, open_connection};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Prints the HTTP headers of a URL.
#[derive(Debug, Parser)]
#[command(name = "http-headers")]
struct Arguments {
    /// What to ask for, over HTTP or HTTPS
    #[arg(value_name = "http[s]://HOST[:PORT][/PATH]")]
    url: String,
    /// Whom to trust instead of what the platform trusts: certificates, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { url, ca } = Arguments::parse();
    exit_code("http-headers", print_headers(&url, ca.as_deref()).await)
}

async fn print_headers(url: &str, ca: Option<&Path>) -> Outcome {
    let Url { scheme, host, port, authority, target } =
        url.parse().map_err(|reason| format!("{url:?} is not a URL to ask: {reason}"))?;
    let connecting = open_connection((host, port))
        .connect_timeout(CONNECT_TIMEOUT)
        .streams(StreamOptions::new().read_timeout(Some(READ_TIMEOUT)));
    let (mut reader, writer) = match scheme {
        Scheme::Http => connecting.await?,
        // RFC 9112 §9.8: the headers tell their own end, so that a missing close_notify is no harm.
        Scheme::Https => {
            let tls = trusting(ca)?.alpn(["http/1.1"]).build()?;
            connecting.tls(tls.allow_truncation(true)).await?
        }
    };
    write!(writer, "HEAD {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;

    let mut out = std::io::stdout().lock();
    for number in 0.. {
        // RFC 9112 §2.2: a line ends with CRLF, and a lone LF is to be recognised too.
        let line = match reader.read_until((b"\r\n", b"\n")).await {
            Ok(line) => line,
            Err(ReadUntilError::Incomplete(_)) => {
                return Err(format!("the server ended the connection after {number} lines of headers").into());
            }
            Err(error) => return Err(error.into()),
        };
        let line = line.trim_ascii_end();
        if number == 0 && !line.starts_with(b"HTTP/") {
            return Err("what answers does not speak HTTP".into());
        }
        if line.is_empty() {
            break;
        }
        writeln!(out, "HTTP header> {}", printable(line))?;
    }

    writer.close();
    writer.wait_closed().await?;
    Ok(())
}

/// Bytes as Latin-1, with control characters escaped: the terminal is not the server's to command.
fn printable(line: &[u8]) -> String {
    let shown = |byte: u8| match char::from(byte) {
        control if control.is_control() => control.escape_default().to_string(),
        other => other.to_string(),
    };
    line.iter().copied().map(shown).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// The parts of `http[s]://HOST[:PORT][/PATH][?QUERY]`; anything else is refused with a reason.
#[derive(Debug, PartialEq)]
struct Url {
    scheme: Scheme,
    /// An IPv6 address without its brackets.
    host: String,
    port: u16,
    /// The host and the port as they were given.
    authority: String,
    /// The path and the query.
    target: String,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(odd) = url.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(format!("it contains {odd:?}, which has to be percent-encoded"));
        }
        let (scheme, rest) = url.split_once("://").ok_or("it does not begin with http:// or https://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(format!("{other:?} is not spoken here, only http and https")),
        };
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = split_authority(authority)?;
        Ok(Url {
            scheme,
            host: host.into(),
            port: port.unwrap_or(scheme.port()),
            authority: authority.into(),
            target: if target.starts_with('/') { target.into() } else { format!("/{target}") },
        })
    }
}

/// The host and the port of `HOST[:PORT]` or `[IPV6][:PORT]`.
fn split_authority(authority: &str) -> Result<(&str, Option<u16>), String> {
    if authority.contains('@') {
        return Err("it contains a user, and there is no logging in here".into());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').ok_or("its [ has no ]")?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err("it names no host".into());
    }
    let digits = match port.strip_prefix(':') {
        Some(digits) => digits,
        None if port.is_empty() => "",
        None => return Err("its ] is followed by something other than a port".into()),
    };
    match digits.parse() {
        _ if digits.is_empty() => Ok((host, None)),
        Ok(port) if port > 0 && !digits.starts_with('+') => Ok((host, Some(port))),
        _ => Err(format!("its port {digits:?} is not a number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (String, u16, String, String) {
        let Url { scheme: _, host, port, authority, target } = url.parse().unwrap();
        (host, port, authority, target)
    }

    #[test]
    fn a_url_falls_into_its_parts() {
        for (url, host, port, authority, target) in [
            ("http://example.org", "example.org", 80, "example.org", "/"),
            ("HTTP://example.org/a/b?c=d#e", "example.org", 80, "example.org", "/a/b?c=d"),
            ("http://example.org:8080?q=/", "example.org", 8080, "example.org:8080", "/?q=/"),
            ("http://example.org:/", "example.org", 80, "example.org:", "/"),
            ("http://127.0.0.1:65535/", "127.0.0.1", 65535, "127.0.0.1:65535", "/"),
            ("http://[::1]:81/x", "::1", 81, "[::1]:81", "/x"),
            ("http://[::1]", "::1", 80, "[::1]", "/"),
            ("http://example.org#top", "example.org", 80, "example.org", "/"),
            ("https://example.org/a", "example.org", 443, "example.org", "/a"),
            ("HTTPS://[::1]:8443", "::1", 8443, "[::1]:8443", "/"),
        ] {
            assert_eq!(parts(url), (host.into(), port, authority.into(), target.into()), "{url}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_a_reason() {
        for (url, reason) in [
            ("", "http://"),
            ("example.org", "http://"),
            ("ftp://example.org", "ftp"),
            ("http://", "no host"),
            ("http://:80/", "no host"),
            ("http://example.org:0/", "\"0\""),
            ("http://example.org:65536/", "65536"),
            ("http://example.org:+80/", "+80"),
            ("http://fe80::1/", "not a number"),
            ("http://[::1/", "no ]"),
            ("http://[::1]80/", "other than a port"),
            ("http://user@example.org/", "user"),
            ("http://example.org/a b", "' '"),
            ("http://example.org/\r\nX: y", "percent-encoded"),
            ("http://example.org/ä", "'ä'"),
        ] {
            let told = url.parse::<Url>().unwrap_err();
            assert!(told.contains(reason), "{url}: {told}");
        }
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable(b"Server: \x1b[2Jcaf\xe9"), "Server: \\u{1b}[2Jcafé");
    }
}
