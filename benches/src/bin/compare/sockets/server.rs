//! A server's process: started, watched from outside, ended.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The longest that anything may stand still, a server or a transfer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server that listens. It is killed if it is not stopped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts what these words say, which is to print its port.
    pub(crate) fn start(words: &[String]) -> io::Result<Self> {
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", words[0])))?;
        let mut server = Self { child, port: 0 };
        server.port = server.read_line()?.trim().parse().map_err(io::Error::other)?;
        Ok(server)
    }

    /// The port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The time that its threads have run, in nanoseconds.
    pub(crate) fn cpu(&self) -> io::Result<f64> {
        let mut sum = 0.0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            sum += number(text.split_whitespace().next())?;
        }
        Ok(sum)
    }

    /// The memory that it holds now, in KiB. Not `VmRSS`, which lags behind by as much as a thousand connections take.
    pub(crate) fn resident(&self) -> io::Result<f64> {
        self.memory("smaps_rollup", "Rss:")
    }

    /// The most memory that it held, in KiB.
    pub(crate) fn peak(&self) -> io::Result<f64> {
        self.memory("status", "VmHWM:")
    }

    fn memory(&self, file: &str, row: &str) -> io::Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()))?;
        number(text.lines().find_map(|line| line.strip_prefix(row)?.split_whitespace().next()))
    }

    /// Ends its input, and waits until it has gone.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        drop(self.child.stdin.take());
        while !self.read_line()?.is_empty() {}
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended with {status}"))) }
    }

    /// The next line of its output, which is empty at the end.
    fn read_line(&mut self) -> io::Result<String> {
        let output = self.child.stdout.as_mut().expect("it was piped");
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let wait = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
            if poll(&mut [PollFd::from_borrowed_fd(output.as_fd(), PollFlags::IN)], Some(&wait))? == 0 {
                return Err(io::Error::new(ErrorKind::TimedOut, "it stands still"));
            }
            let mut byte = [0];
            if output.read(&mut byte)? == 0 {
                break;
            }
            line.push(byte[0]);
        }
        String::from_utf8(line).map_err(io::Error::other)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A child that was waited for is not killed by this, only one that the bench gave up on.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(text: Option<&str>) -> io::Result<f64> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| io::Error::other("the system does not tell"))
}

/// As many descriptors as may be had, for this program and the servers that it starts.
pub(crate) fn allow_many_descriptors() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}
