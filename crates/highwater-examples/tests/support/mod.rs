//! Running a program within a time limit, and never leaving one behind.
#![allow(dead_code, reason = "each file of tests takes what it needs")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use highwater_net::stream::StreamReader;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// For one program, or one line of one. Many times what it takes.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A certificate for localhost, which is its own authority, and its key.
pub(crate) fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (chain, key)
}

/// How a program ended, and what it printed.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program to its end.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Ended {
    run_on(Stdio::null(), program, arguments).await
}

/// Runs a program to its end, with this as its standard input.
pub(crate) async fn run_on(input: Stdio, program: &str, arguments: &[&str]) -> Ended {
    let output = Command::new(program).args(arguments).stdin(input).kill_on_drop(true).output();
    let output = timeout(TIME_LIMIT, output).await.expect("the program ends").expect("the program starts");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a program to its end while its standard output is a device that is full.
#[cfg(target_os = "linux")]
pub(crate) async fn run_into_full_disk(program: &str, arguments: &[&str]) -> Ended {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device is there");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).kill_on_drop(true);
    let output = command.spawn().expect("the program starts").wait_with_output();
    let output = timeout(TIME_LIMIT, output).await.expect("the program ends").expect("it can be waited for");
    Ended {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A program that serves until it is dropped.
pub(crate) struct Server {
    /// What it printed after `Serving on`; unspecified where that is a Unix socket.
    pub(crate) address: SocketAddr,
    process: Child,
    lines: UnboundedReceiver<String>,
}

impl Server {
    pub(crate) async fn start(program: &str, arguments: &[&str]) -> Self {
        let (mut server, endpoint) = Self::spawn(program, arguments).await;
        server.address = endpoint.parse().unwrap();
        server
    }

    /// One that has to say that it serves there.
    #[cfg(unix)]
    pub(crate) async fn start_at(program: &str, arguments: &[&str], endpoint: &str) -> Self {
        let (server, found) = Self::spawn(program, arguments).await;
        assert_eq!(found, endpoint);
        server
    }

    /// One whose output nobody reads any more once it has said where it serves.
    pub(crate) async fn start_deaf(program: &str, arguments: &[&str]) -> (SocketAddr, Child) {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the program starts");
        let mut stdout = StreamReader::new(process.stdout.take().unwrap());
        let line = timeout(TIME_LIMIT, stdout.read_line()).await.expect("a line in time").unwrap().unwrap();
        let line = String::from_utf8_lossy(&line);
        let address = line.trim_end().strip_prefix("Serving on ").expect("it says where it serves");
        (address.parse().unwrap(), process)
    }

    async fn spawn(program: &str, arguments: &[&str]) -> (Self, String) {
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut stdout = StreamReader::new(process.stdout.take().unwrap());
        // Read on whether anybody asks or not: a program whose pipe is full stands still.
        let (give, mut lines) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.read_line().await {
                if give.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    break;
                }
            }
        });
        let line = next(&mut lines).await;
        let endpoint = line.strip_prefix("Serving on ").expect("it says where it serves").to_owned();
        (Self { address: ([0, 0, 0, 0], 0).into(), process, lines }, endpoint)
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> String {
        next(&mut self.lines).await
    }

    /// Ctrl-C.
    #[cfg(unix)]
    pub(crate) async fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.process.id().expect("it still runs"));
        assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    }

    /// How it ends.
    #[cfg(unix)]
    pub(crate) async fn exit_code(mut self) -> Option<i32> {
        timeout(TIME_LIMIT, self.process.wait()).await.expect("it ends").unwrap().code()
    }
}

async fn next(lines: &mut UnboundedReceiver<String>) -> String {
    timeout(TIME_LIMIT, lines.recv()).await.expect("a line in time").expect("a line before the end")
}
