//! What a process holds, as the system counts it: memory and descriptors, and how many of these it may have.

use rustix::process::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;

/// What a process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes of memory that are resident (`VmRSS`).
    pub resident: u64,
    /// The most that ever were (`VmHWM`).
    pub highest: u64,
    /// Open descriptors.
    pub descriptors: usize,
}

impl Usage {
    /// Of this process.
    ///
    /// # Errors
    /// Where there is no `/proc` as on Linux.
    pub fn own() -> io::Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let field = |name: &str| kibibytes(&status, name).map(|count| count * 1024);
        Ok(Self {
            resident: field("VmRSS:").ok_or(io::ErrorKind::Unsupported)?,
            highest: field("VmHWM:").ok_or(io::ErrorKind::Unsupported)?,
            // One is the directory's own.
            descriptors: fs::read_dir("/proc/self/fd")?.count() - 1,
        })
    }
}

/// The number in `VmRSS:      1234 kB`.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Lets this process have as many descriptors open as it may allow itself, and says how many that are.
pub fn raise_descriptors() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    limit.current = limit.maximum;
    // Where it is refused, what there was before is still there.
    let now = if setrlimit(Resource::Nofile, limit).is_ok() { limit.maximum } else { before };
    now.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX))
}
