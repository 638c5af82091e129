//! The second process, from its start to its end.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use highwater_examples::Outcome;
use highwater_net::stream::StreamReader;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// A server in a process of its own. Dropped, it is killed; and should this process be killed, then it
/// sees its standard input end and ends too.
pub(crate) struct ServerProcess {
    child: Child,
    stdin: ChildStdin,
    id: u32,
    address: SocketAddr,
}

/// How long it may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

impl ServerProcess {
    /// This same program, as a server, once it has told its address.
    pub(crate) async fn start() -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the second process did not start: {error}"))?;
        let (Some(stdin), Some(stdout), Some(id)) = (child.stdin.take(), child.stdout.take(), child.id())
        else {
            return Err("the second process ended at once".into());
        };
        // The reader is at home on a pipe as well.
        let mut stdout = StreamReader::new(stdout);
        let line = timeout(PATIENCE, stdout.read_line())
            .await
            .map_err(|_| format!("the second process told no address within {PATIENCE:?}"))??
            .ok_or("the second process ended without telling its address")?;
        let address = String::from_utf8_lossy(&line).trim_end().parse()?;
        Ok(Self { child, stdin, id, address })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets it end by itself, and expects it to end well.
    pub(crate) async fn stop(mut self) -> Outcome {
        drop(self.stdin);
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| format!("the second process did not end within {PATIENCE:?}"))??;
        if status.success() { Ok(()) } else { Err(format!("the second process failed ({status})").into()) }
    }

    /// Ends it, whatever it does.
    pub(crate) async fn kill(mut self) {
        // It fails only if the process is gone already.
        self.child.kill().await.ok();
    }
}
