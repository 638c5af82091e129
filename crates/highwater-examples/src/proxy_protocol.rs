//! The PROXY protocol, in which a proxy tells a server whom it speaks for: versions 1 (a line) and 2 (binary).
//!
//! ```text
//! version 1   PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n
//! version 2   signature (12) · version and command · family · length (2) · addresses · additions
//! ```
//!
//! Not here: what version 2 can add (TLS facts, checksums) is read over, and addresses other than those of TCP
//! are told as unknown.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use highwater_net::ReadUntilError;
use highwater_net::stream::{Source, StreamReader};

/// The longest line of version 1, without its newline.
const LONGEST_LINE: usize = 106;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, two bytes of what, two of how much.
const FIXED: usize = 16;

/// Whom a connection is for.
///
/// ```
/// use highwater_examples::proxy_protocol::{Header, Version};
///
/// let header = Header::between("192.0.2.1:56324".parse().unwrap(), "198.51.100.2:443".parse().unwrap());
/// assert_eq!(header.encode(Version::V1), b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Nobody that can be told: a health check of the proxy itself, or not over TCP.
    Unknown,
    /// A client, and where it connected to: both addresses are of one family.
    Tcp {
        /// The client.
        source: SocketAddr,
        /// The address that it connected to.
        destination: SocketAddr,
    },
}

/// How a header is written. Both are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "programs", derive(clap::ValueEnum))]
pub enum Version {
    /// A line of text
    V1,
    /// Binary
    V2,
}

impl Header {
    /// For a TCP connection. IPv4 inside IPv6 is told as IPv4, where both are.
    ///
    /// ```
    /// use highwater_examples::proxy_protocol::{Header, Version};
    ///
    /// let header = Header::between("[::ffff:127.0.0.1]:5".parse().unwrap(), "127.0.0.1:6".parse().unwrap());
    /// assert_eq!(header.encode(Version::V1), b"PROXY TCP4 127.0.0.1 127.0.0.1 5 6\r\n");
    /// ```
    pub fn between(source: SocketAddr, destination: SocketAddr) -> Self {
        let (mut ips, ports) = ([source.ip(), destination.ip()], [source.port(), destination.port()]);
        ips = ips.map(|ip| ip.to_canonical());
        if ips[0].is_ipv4() != ips[1].is_ipv4() {
            ips = ips.map(|ip| IpAddr::V6(in_v6(ip)));
        }
        // Made anew: what is local to a host, as a scope is, says nothing to another.
        Self::Tcp { source: (ips[0], ports[0]).into(), destination: (ips[1], ports[1]).into() }
    }

    /// The header as bytes, to be the first ones of a connection.
    ///
    /// ```
    /// use highwater_examples::proxy_protocol::{Header, Version};
    ///
    /// assert_eq!(Header::Unknown.encode(Version::V1), b"PROXY UNKNOWN\r\n");
    /// assert_eq!(Header::Unknown.encode(Version::V2), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
    /// ```
    pub fn encode(&self, version: Version) -> Vec<u8> {
        match version {
            Version::V1 => self.line().into_bytes(),
            Version::V2 => self.binary(),
        }
    }

    fn line(&self) -> String {
        let Self::Tcp { source, destination } = self else { return "PROXY UNKNOWN\r\n".to_owned() };
        let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        let (from, to) = (source.ip(), destination.ip());
        format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port())
    }

    fn binary(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        match self {
            Self::Unknown => bytes.extend([0x20, 0, 0, 0]),
            Self::Tcp { source: SocketAddr::V4(from), destination: SocketAddr::V4(to) } => {
                bytes.extend([0x21, 0x11, 0, 12]);
                bytes.extend(from.ip().octets());
                bytes.extend(to.ip().octets());
            }
            Self::Tcp { source, destination } => {
                bytes.extend([0x21, 0x21, 0, 36]);
                bytes.extend(in_v6(source.ip()).octets());
                bytes.extend(in_v6(destination.ip()).octets());
            }
        }
        if let Self::Tcp { source, destination } = self {
            bytes.extend(source.port().to_be_bytes());
            bytes.extend(destination.port().to_be_bytes());
        }
        bytes
    }
}

fn in_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Reads the header that a connection begins with, of either version.
///
/// # Errors
/// `InvalidData` if the connection begins with anything else, `UnexpectedEof` if it ends within the header,
/// and what the transport says.
///
/// # Cancel safety
/// Cancel safe: the header stays in the reader until all of it is there.
///
/// ```
/// use highwater_examples::proxy_protocol::{Header, read_header};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let ((mut reader, _writer), (_, proxy)) = highwater_net::duplex(64);
/// proxy.write("PROXY TCP6 ::1 2001:db8::2 5 6\r\nhello\n")?;
/// let Header::Tcp { source, .. } = read_header(&mut reader).await? else { panic!("it tells whom") };
/// assert_eq!(source, "[::1]:5".parse().unwrap());
/// assert_eq!(reader.read_line().await?.unwrap(), "hello\n");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
pub async fn read_header<S: Source>(reader: &mut StreamReader<S>) -> io::Result<Header> {
    match reader.peek(1).await?.first() {
        Some(b'P') => read_line(reader).await,
        Some(b'\r') => read_binary(reader).await,
        Some(_) => Err(malformed("a connection without a PROXY header")),
        None => {
            Err(io::Error::new(ErrorKind::UnexpectedEof, "a connection that ends before its PROXY header"))
        }
    }
}

async fn read_line<S: Source>(reader: &mut StreamReader<S>) -> io::Result<Header> {
    let line = match reader.limited(LONGEST_LINE).read_until(b"\n").await {
        Err(ReadUntilError::LimitOverrun(_)) => return Err(malformed("a PROXY header without an end")),
        line => line?,
    };
    let line = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
    line.and_then(parse_line).ok_or_else(|| malformed("a PROXY header that is not right"))
}

fn parse_line(line: &str) -> Option<Header> {
    let (family, rest) = match line.strip_prefix("PROXY ")?.split_once(' ') {
        Some(parts) => parts,
        None => (line.strip_prefix("PROXY ")?, ""),
    };
    let is_family: fn(&IpAddr) -> bool = match family {
        "TCP4" => IpAddr::is_ipv4,
        "TCP6" => IpAddr::is_ipv6,
        "UNKNOWN" => return Some(Header::Unknown),
        _ => return None,
    };
    let words: Vec<_> = rest.split(' ').collect();
    let [from, to, from_port, to_port] = words[..] else { return None };
    let ip = |word: &str| word.parse().ok().filter(is_family);
    let port = |word: &str| word.parse().ok().filter(|port: &u16| port.to_string() == word);
    Some(Header::Tcp {
        source: (ip(from)?, port(from_port)?).into(),
        destination: (ip(to)?, port(to_port)?).into(),
    })
}

async fn read_binary<S: Source>(reader: &mut StreamReader<S>) -> io::Result<Header> {
    let fixed = reader.peek(FIXED).await?;
    if !fixed.starts_with(&SIGNATURE[..fixed.len().min(SIGNATURE.len())]) {
        return Err(malformed("a connection without a PROXY header"));
    }
    // Shorter only at the end of the stream, which the read then tells.
    let length =
        fixed.get(14..FIXED).map_or(0, |length| usize::from(length[0]) << 8 | usize::from(length[1]));
    let header = reader.read_exactly(FIXED + length).await?;
    let addresses = &header[FIXED..];
    match (header[12], header[13]) {
        (0x20, _) => Ok(Header::Unknown),
        (0x21, 0x11) => ports(addresses, 8, |bytes: [u8; 4]| Ipv4Addr::from(bytes).into()),
        (0x21, 0x21) => ports(addresses, 32, |bytes: [u8; 16]| Ipv6Addr::from(bytes).into()),
        (0x21, _) => Ok(Header::Unknown),
        (other, _) => Err(malformed(format!("a PROXY header of the unknown command {other:#04x}"))),
    }
}

/// Two addresses of `N` bytes, `at` bytes in all, and the ports behind them.
fn ports<const N: usize>(bytes: &[u8], at: usize, ip: fn([u8; N]) -> IpAddr) -> io::Result<Header> {
    let too_short = || malformed(format!("a PROXY header with {} bytes of addresses", bytes.len()));
    let bytes = bytes.get(..at + 4).ok_or_else(too_short)?;
    let address = |of: &[u8], port: &[u8]| {
        let of = of.try_into().expect("a half of twice N bytes");
        SocketAddr::from((ip(of), u16::from_be_bytes([port[0], port[1]])))
    };
    Ok(Header::Tcp {
        source: address(&bytes[..N], &bytes[at..at + 2]),
        destination: address(&bytes[N..at], &bytes[at + 2..]),
    })
}

fn malformed(reason: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Header> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_header(&mut StreamReader::new(bytes)))
    }

    fn between(source: &str, destination: &str) -> Header {
        Header::between(source.parse().unwrap(), destination.parse().unwrap())
    }

    fn binary(fixed: [u8; 4], rest: &[u8]) -> Vec<u8> {
        [&SIGNATURE[..], &fixed, rest].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        for header in [
            between("192.0.2.1:1", "198.51.100.2:65535"),
            between("[2001:db8::1]:0", "[::1]:443"),
            between("[::ffff:192.0.2.1]:1", "[::1]:2"),
            between("192.0.2.1:1", "[::1]:2"),
            Header::Unknown,
        ] {
            for version in [Version::V1, Version::V2] {
                assert_eq!(read(&header.encode(version)).unwrap(), header, "{version:?}");
            }
        }
    }

    #[test]
    fn the_longest_line_is_read_and_no_longer_one() {
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let unknown = format!("PROXY UNKNOWN {longest} {longest} 65535 65535\r\n");
        assert_eq!(unknown.len(), LONGEST_LINE + 1);
        assert_eq!(read(unknown.as_bytes()).unwrap(), Header::Unknown);
        let longer = unknown.replace("UNKNOWN", "UNKNOWN ");
        assert_eq!(read(longer.as_bytes()).unwrap_err().to_string(), "a PROXY header without an end");
        assert_eq!(read(&b"P".repeat(1000)).unwrap_err().to_string(), "a PROXY header without an end");
    }

    #[test]
    fn lines_that_are_not_right_are_refused() {
        for line in [
            "PROXY\r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
            "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 +2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 02\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
            "PRI * HTTP/2.0\r\n",
            "GET / HTTP/1.1\r\n",
            "\r\n\r\n\0\r\nQUIT!",
        ] {
            assert_eq!(read(line.as_bytes()).unwrap_err().kind(), ErrorKind::InvalidData, "{line:?}");
        }
    }

    #[test]
    fn additions_and_other_families_are_read_over() {
        let addresses = [&[192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2][..], b"\x04\0\x02hi"].concat();
        let tcp = between("192.0.2.1:1", "192.0.2.2:2");
        assert_eq!(read(&binary([0x21, 0x11, 0, 17], &addresses)).unwrap(), tcp);
        assert_eq!(read(&binary([0x21, 0x31, 0, 17], &addresses)).unwrap(), Header::Unknown);
        assert_eq!(read(&binary([0x20, 0x11, 0, 17], &addresses)).unwrap(), Header::Unknown);
    }

    #[test]
    fn binary_headers_that_are_not_right_are_refused() {
        for (header, kind) in [
            (binary([0x22, 0x11, 0, 0], b""), ErrorKind::InvalidData),
            (binary([0x11, 0x11, 0, 0], b""), ErrorKind::InvalidData),
            (binary([0x21, 0x11, 0, 11], &[0; 11]), ErrorKind::InvalidData),
            (binary([0x21, 0x21, 0, 12], &[0; 12]), ErrorKind::InvalidData),
            (binary([0x21, 0x11, 0, 12], &[0; 11]), ErrorKind::UnexpectedEof),
            (SIGNATURE.to_vec(), ErrorKind::UnexpectedEof),
            (b"\r".to_vec(), ErrorKind::UnexpectedEof),
            (b"PROXY TCP4".to_vec(), ErrorKind::UnexpectedEof),
            (b"".to_vec(), ErrorKind::UnexpectedEof),
        ] {
            assert_eq!(read(&header).unwrap_err().kind(), kind, "{header:?}");
        }
    }
}
