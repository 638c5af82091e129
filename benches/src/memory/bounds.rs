//! What no reader can pass: the copy out of the source, and a search over bytes that lie there already.

use super::{Done, Load};
use crate::CHUNK;
use std::hint::black_box;
use std::io::Read;

/// The copy that every reader needs, and nothing else.
pub(super) fn copy(load: &Load) -> Done {
    let mut source = load.source();
    let mut room = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let count = source.read(&mut room).expect("memory does not fail");
        if count == 0 {
            return Done { bytes, ..load.expected() };
        }
        bytes += black_box(&room[..count]).len();
    }
}

/// A search for the next end of a record, which says where the record after it begins, over one slice.
pub(super) fn search(load: &Load, mut end: impl FnMut(&[u8]) -> Option<usize>) -> Done {
    let (block, passes) = load.block();
    let mut done = Done::default();
    for _ in 0..passes {
        let mut rest = block;
        while let Some(at) = end(rest) {
            done.add(black_box(&rest[..at]).len());
            rest = &rest[at..];
        }
    }
    done
}

/// The copy that whoever hands over whole records needs: into one place, used again for the next.
pub(super) fn gather(load: &Load) -> Done {
    let mut source = load.source();
    let mut gathered = Vec::new();
    let mut done = Done::default();
    let length = load.expected().bytes / load.expected().records;
    while source.next(length - gathered.len(), |part| gathered.extend_from_slice(part)) > 0 {
        if gathered.len() == length {
            done.add(black_box(&gathered).len());
            gathered.clear();
        }
    }
    done
}
