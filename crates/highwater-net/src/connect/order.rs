//! In which order addresses are tried.

use crate::resolve::Family;
use std::net::SocketAddr;

/// The families take turns, in the order in which they come first, each in its own order, after a head
/// start of the first of them: it has `first` addresses until the other has one. 0 leaves all as they are.
///
/// RFC 8305 §4: the First Address Family Count. asyncio: `interleave`.
pub(super) fn interleave(addresses: Vec<SocketAddr>, first: usize) -> Vec<SocketAddr> {
    let Some(leader) = addresses.first().map(|address| Family::of(address.ip())) else { return addresses };
    if first == 0 {
        return addresses;
    }
    let count = addresses.len();
    let (ours, theirs): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| Family::of(address.ip()) == leader);
    let (mut ours, mut theirs) = (ours.into_iter(), theirs.into_iter());
    let mut ordered: Vec<_> = ours.by_ref().take(first - 1).collect();
    while ordered.len() < count {
        ordered.extend(ours.next());
        ordered.extend(theirs.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Families and numbers: `6a 4b` for an IPv6 address and then an IPv4 one.
    fn addresses(text: &str) -> Vec<SocketAddr> {
        let address = |word: &str| {
            let ip = if word.starts_with('6') { "::1" } else { "127.0.0.1" };
            SocketAddr::new(ip.parse().unwrap(), u16::from(word.as_bytes()[1]))
        };
        text.split_whitespace().map(address).collect()
    }

    #[test]
    fn c2_the_families_take_turns() {
        for (first, resolved, tried) in [
            (1, "6a 6b 6c 4a 4b 4c", "6a 4a 6b 4b 6c 4c"),
            (1, "4a 4b 6a 6b", "4a 6a 4b 6b"),
            (1, "6a 6b 6c 4a", "6a 4a 6b 6c"),
            (1, "6a 4a 4b 4c", "6a 4a 4b 4c"),
            (2, "6a 6b 6c 4a 4b", "6a 6b 4a 6c 4b"),
            (3, "6a 6b 6c 6d 4a 4b", "6a 6b 6c 4a 6d 4b"),
            (9, "6a 6b 4a 4b", "6a 6b 4a 4b"),
            (usize::MAX, "6a 4a 6b", "6a 6b 4a"),
            (1, "4a 6a 6b 4b 4c", "4a 6a 4b 6b 4c"),
            (0, "6a 6b 4a 4b 6c", "6a 6b 4a 4b 6c"),
            (1, "4a 4b", "4a 4b"),
            (1, "4a", "4a"),
            (1, "", ""),
        ] {
            assert_eq!(interleave(addresses(resolved), first), addresses(tried), "{first} of {resolved}");
        }
    }
}
