//! System calls per operation, as strace counts them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// strace, and where it writes.
pub(crate) struct Tracer {
    summary: PathBuf,
}

impl Tracer {
    /// strace, if it is there.
    pub(crate) fn find(files: &Path) -> Option<Self> {
        let version = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !version.is_ok_and(|status| status.success()) {
            eprintln!("system calls are not counted: there is no strace");
            return None;
        }
        Some(Self { summary: files.join("strace") })
    }

    /// What twice `count` operations take more than `count`, so that whatever is done once drops out.
    /// `drive` is given the words to start the server with, and the number of operations.
    pub(crate) fn calls_per_operation(
        &self,
        count: u64,
        mut drive: impl FnMut(Vec<String>, u64) -> io::Result<()>,
    ) -> io::Result<Option<f64>> {
        let mut total = |count| {
            let summary = self.summary.display().to_string();
            drive(["strace", "-f", "-c", "-o", &summary].map(str::to_owned).into(), count)?;
            let text = std::fs::read_to_string(&self.summary)?;
            Ok::<_, io::Error>(total(&text))
        };
        let (Some(once), Some(twice)) = (total(count)?, total(2 * count)?) else { return Ok(None) };
        Ok(Some((twice - once) / count as f64))
    }
}

/// The number of calls in the last row: `100.00  0.001  12  345  6 total`.
fn total(summary: &str) -> Option<f64> {
    let row = summary.lines().find(|line| line.ends_with(" total"))?;
    row.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_total_of_a_summary() {
        let summary = "% time  seconds  usecs/call  calls  errors syscall\n\
                       ------ -------- ----------- ------ ------ -------\n \
                       60.00  0.000030           3     10      2 recvfrom\n \
                       40.00  0.000020           2     10        sendto\n\
                       ------ -------- ----------- ------ ------ -------\n\
                       100.00 0.000050           2     20      2 total\n";
        assert_eq!(super::total(summary), Some(20.0));
    }
}
