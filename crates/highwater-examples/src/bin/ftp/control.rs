//! The connection for commands, and a connection for each transfer beside it.

use std::net::SocketAddr;
use std::time::Duration;

use highwater_examples::Outcome;
use highwater_examples::ftp::{extended_passive_port, passive_port};
use highwater_examples::reply::{Dialect, Reply, read_reply};
use highwater_net::{
    ClientTls, NamedClientTls, StreamOptions, StreamReader, StreamWriter, open_connection, start_tls,
};

/// For a server that does not say good-bye, or why it left.
const LAST_WORDS: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Control {
    reader: StreamReader,
    writer: StreamWriter,
    /// For the data connections too. Its clones share their sessions.
    tls: Option<NamedClientTls>,
    passive: Passive,
    patience: Duration,
}

/// How to ask for a port to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passive {
    /// EPSV, or what the server understands.
    Untried,
    /// PASV, for the server has refused the other.
    Classic,
}

impl Control {
    pub(crate) async fn connect(host: &str, port: u16, patience: Duration) -> Outcome<Self> {
        let connecting = open_connection((host, port)).connect_timeout(patience).streams(options(patience));
        let (reader, writer) = connecting.await?;
        let mut control = Self { reader, writer, tls: None, passive: Passive::Untried, patience };
        let mut greeting = control.reply().await?;
        // In a few minutes; once.
        if greeting.code() == 120 {
            greeting = control.reply().await?;
        }
        expect(220, greeting, "the server serves nobody")?;
        Ok(control)
    }

    /// RFC 4217: TLS before anybody says who they are.
    pub(crate) async fn start_tls(mut self, tls: ClientTls, name: &str) -> Outcome<Self> {
        expect(234, self.command("AUTH TLS").await?, "the server starts no TLS")?;
        let tls = tls.server_name(name);
        let (reader, writer) = start_tls(self.reader, self.writer, tls.clone()).await?;
        Ok(Self { reader, writer, tls: Some(tls), ..self })
    }

    pub(crate) async fn log_in(&mut self, user: &str, password: &str) -> Outcome {
        let mut reply = self.command(&format!("USER {}", sound(user)?)).await?;
        if reply.code() == 331 {
            reply = self.command(&format!("PASS {}", sound(password)?)).await?;
        }
        if reply.code() / 100 != 2 {
            return Err(format!("the server does not let {user} in: {reply}").into());
        }
        if self.tls.is_some() {
            expect(200, self.command("PBSZ 0").await?, "the server protects no files")?;
            expect(200, self.command("PROT P").await?, "the server protects no files")?;
        }
        // Bytes as they are: files would have their line ends changed, and their sizes would be guesses.
        expect(200, self.command("TYPE I").await?, "the server changes files on their way")
    }

    /// Says a line, and reads the reply.
    pub(crate) async fn command(&mut self, line: &str) -> Outcome<Reply> {
        write!(self.writer, "{line}\r\n")?;
        self.reply().await
    }

    async fn reply(&mut self) -> Outcome<Reply> {
        read_reply(&mut self.reader, Dialect::Ftp).await
    }

    /// Begins a transfer: a data connection, through which `command` goes, from `offset` on.
    pub(crate) async fn begin(
        &mut self,
        command: &str,
        offset: u64,
    ) -> Outcome<(StreamReader, StreamWriter)> {
        let address = self.passive().await?;
        let connecting = open_connection(address).connect_timeout(self.patience);
        let (reader, writer) = connecting.streams(options(self.patience)).await?;
        if offset > 0 {
            expect(350, self.command(&format!("REST {offset}")).await?, "the server resumes nothing")?;
        }
        let reply = self.command(command).await?;
        if reply.code() / 100 != 1 {
            return Err(reply.to_string().into());
        }
        match &self.tls {
            None => Ok((reader, writer)),
            // Only now: some servers do not look at the connection before the command.
            Some(tls) => Ok(start_tls(reader, writer, tls.clone()).await?),
        }
    }

    /// Ends a transfer: what went through the data connection counts when the server says so.
    pub(crate) async fn finish(&mut self) -> Outcome {
        let reply = self.reply().await?;
        if reply.code() / 100 != 2 {
            return Err(format!("the transfer failed: {reply}").into());
        }
        Ok(())
    }

    /// Why a data connection broke: in the server's words if it has any, else by what was seen here.
    pub(crate) async fn reason(&mut self, seen: std::io::Error) -> Box<dyn std::error::Error + Send + Sync> {
        match tokio::time::timeout(LAST_WORDS, self.reply()).await {
            Ok(Ok(reply)) if reply.code() >= 400 => format!("the transfer failed: {reply}").into(),
            _ => format!("the transfer broke off: {seen}").into(),
        }
    }

    /// Where the server waits for a data connection: at a port that it says, and where it is anyway.
    async fn passive(&mut self) -> Outcome<SocketAddr> {
        let extended = match self.passive {
            Passive::Untried => Some(self.command("EPSV").await?),
            Passive::Classic => None,
        };
        let (port, reply) = match extended {
            Some(reply) if reply.code() == 229 => (extended_passive_port(&reply), reply),
            _ => {
                self.passive = Passive::Classic;
                let reply = self.command("PASV").await?;
                if reply.code() != 227 {
                    return Err(format!("the server waits for no connection: {reply}").into());
                }
                (passive_port(&reply), reply)
            }
        };
        let port = port.ok_or_else(|| format!("no port is in {reply}"))?;
        let peer = self.writer.facts().peer_addr().socket_addr();
        let mut address = peer.ok_or("the server has no address")?;
        address.set_port(port);
        Ok(address)
    }

    /// Says good-bye, and does not mind if nobody answers.
    pub(crate) async fn quit(&mut self) {
        tokio::time::timeout(LAST_WORDS, self.command("QUIT")).await.ok();
        self.writer.close();
        self.writer.wait_closed().await.ok();
    }
}

fn options(patience: Duration) -> StreamOptions {
    StreamOptions::new().read_timeout(Some(patience)).write_timeout(Some(patience))
}

fn expect(code: u16, reply: Reply, otherwise: &str) -> Outcome {
    if reply.code() == code { Ok(()) } else { Err(format!("{otherwise}: {reply}").into()) }
}

/// A name or a password that ends no line.
fn sound(text: &str) -> Result<&str, &'static str> {
    if text.chars().any(char::is_control) {
        Err("a name or a password has a control character")
    } else {
        Ok(text)
    }
}
