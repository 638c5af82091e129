//! Taking a name apart: which host, which port, and what needs no resolver.

use crate::address::{Name, Target};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A port: its number, or the name of the service that has it.
///
/// ```
/// use highwater_net::Port;
/// assert_eq!(Port::Number(80).to_string(), "80");
/// assert_eq!(Port::Service("http".into()).to_string(), "http");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// The number.
    Number(u16),
    /// The service, as `/etc/services` lists them: `http`.
    Service(String),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Number(number) => number.fmt(f),
            Port::Service(service) => f.write_str(service),
        }
    }
}

pub(super) enum Parts {
    /// Nothing is left to be resolved.
    Address(SocketAddr),
    Pair(Host, Port),
}

pub(super) enum Host {
    /// With its zone; an IPv4 address has none.
    Ip(IpAddr, Zone),
    Name(String),
}

/// Of which link an IPv6 address is: `fe80::1%eth0`, `fe80::1%2`.
pub(super) enum Zone {
    /// 0 is none.
    Number(u32),
    Name(String),
}

impl Name {
    /// The address that the host is, if it needs no resolver.
    pub(crate) fn literal(&self) -> Option<IpAddr> {
        match self.parts().ok()? {
            Parts::Address(address) => Some(address.ip()),
            Parts::Pair(Host::Ip(ip, _), _) => Some(ip),
            Parts::Pair(Host::Name(_), _) => None,
        }
    }

    /// The host as it was given, without the port; nothing where it names none.
    #[cfg(feature = "tls")]
    pub(crate) fn host(&self) -> String {
        match &self.0 {
            Target::Host(host, _) | Target::Service(host, _) => host.clone(),
            Target::Text(text) => split(text).map_or_else(|_| String::new(), |(host, _)| host.to_owned()),
            Target::Address(address) => address.ip().to_string(),
        }
    }

    pub(super) fn parts(&self) -> io::Result<Parts> {
        match &self.0 {
            Target::Host(host, port) => Ok(Parts::Pair(parse_host(host)?, Port::Number(*port))),
            Target::Service(host, port) => Ok(Parts::Pair(parse_host(host)?, parse_port(port)?)),
            Target::Text(text) => {
                let (host, port) = split(text)?;
                Ok(Parts::Pair(parse_host(host)?, parse_port(port)?))
            }
            Target::Address(address) => Ok(Parts::Address(*address)),
        }
    }
}

fn split(text: &str) -> io::Result<(&str, &str)> {
    if text.contains("://") {
        return Err(invalid("it is a URL, of which the host and the port are wanted"));
    }
    if let Some(bracketed) = text.strip_prefix('[') {
        let parts = bracketed.split_once("]:").filter(|(host, _)| host.contains(':'));
        return parts.ok_or_else(|| invalid("brackets hold an IPv6 address, and a port follows them"));
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(|| invalid("it names no port"))?;
    if host.contains(':') {
        // Without brackets nobody can tell where the address ends.
        return Err(invalid("an IPv6 address needs brackets in front of a port"));
    }
    Ok((host, port))
}

fn parse_host(host: &str) -> io::Result<Host> {
    if let Ok(ip) = host.parse() {
        return Ok(Host::Ip(ip, Zone::Number(0)));
    }
    if let Some((Ok(ip), zone)) = host.split_once('%').map(|(ip, zone)| (ip.parse::<Ipv6Addr>(), zone)) {
        let zone = match zone.parse() {
            Ok(number) => Zone::Number(number),
            Err(_) if zone.is_empty() => return Err(invalid("the name of the zone is empty")),
            Err(_) => Zone::Name(zone.into()),
        };
        return Ok(Host::Ip(ip.into(), zone));
    }
    match host {
        "" => Err(invalid("it names no host")),
        _ if host.contains(':') => Err(invalid("a host with colons is an IPv6 address, and this is none")),
        _ => Ok(Host::Name(host.into())),
    }
}

/// RFC 6335 §5.1: the name of a service holds a letter. The system's resolver would take a number that is
/// too large modulo 65536, and what is no number at all for another.
fn parse_port(port: &str) -> io::Result<Port> {
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(number) if is_number => Ok(Port::Number(number)),
        _ if is_number => Err(invalid("a port is at most 65535")),
        _ if port.bytes().any(|byte| byte.is_ascii_alphabetic()) => Ok(Port::Service(port.into())),
        _ => Err(invalid("the port is neither a number nor the name of a service")),
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_owned())
}
