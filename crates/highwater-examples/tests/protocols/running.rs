//! A program in the middle of its work, and Ctrl-C.
#![cfg(unix)]

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::support::{Ended, TIME_LIMIT, run};

/// A program that has been given this, and waits for more on standard input.
pub(crate) struct Running {
    process: Child,
    /// Open as long as it runs, unless it is ended before.
    input: Option<ChildStdin>,
}

impl Running {
    pub(crate) async fn start(program: &str, arguments: &[&str], input: &[u8]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().expect("the program starts");
        let mut stdin = process.stdin.take().expect("it is piped");
        stdin.write_all(input).await.expect("it takes its input");
        stdin.flush().await.expect("it takes its input");
        Self { process, input: Some(stdin) }
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Ctrl-C.
    pub(crate) async fn interrupt(&mut self) {
        let kill = format!("kill -INT {}", self.process.id().expect("it still runs"));
        assert_eq!(run("sh", &["-c", &kill]).await.code, Some(0));
    }

    pub(crate) async fn ended(self) -> Ended {
        let output = timeout(TIME_LIMIT, self.process.wait_with_output());
        let output = output.await.expect("the program ends").expect("it can be waited for");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
