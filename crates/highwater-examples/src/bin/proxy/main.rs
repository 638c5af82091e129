//! Forwards TCP connections, and can add or take away TLS and the PROXY protocol on the way. In asyncio:
//!
//! ```python
//! async def pass_on(reader, writer):
//!     while data := await reader.read(2**16):
//!         writer.write(data)
//!         await writer.drain()
//!     writer.write_eof()
//!
//! async def forward(near_reader, near_writer):
//!     far_reader, far_writer = await asyncio.open_connection(host, port)
//!     await asyncio.gather(pass_on(near_reader, far_writer), pass_on(far_reader, near_writer))
//! ```
//!
//! That is the whole of it, apart from what goes wrong: see `pump.rs`. Half-closes pass through TLS as well.
//! Terminate TLS in front of a server that has none, or reach one that has:
//!
//! ```sh
//! proxy --listen localhost:8443 --to localhost:8080 --tls-in chain.pem key.pem
//! proxy --listen localhost:8080 --to example.org:443 --tls-out
//! ```

mod pump;
mod route;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, value_parser};
use highwater_examples::proxy_protocol::Version;
use highwater_examples::text::HostPort;
use highwater_examples::{Outcome, end_or_ctrl_c, serve_until_ctrl_c, tell_at_the_end, trusting};
use highwater_net::{Identity, NamedClientTls, ServerTls, StreamReader, StreamWriter, start_server};
use route::Route;
use tokio::time::timeout;

/// Forwards TCP connections, until Ctrl-C; with a second one, those that are left are reset.
#[derive(Debug, Parser)]
#[command(name = "proxy")]
struct Arguments {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "HOST:PORT")]
    listen: String,

    /// Where connections go
    #[arg(long, value_name = "HOST:PORT", value_parser = HostPort::with_port)]
    to: (String, u16),

    /// Take TLS from clients, with a certificate and its key, in PEM
    #[arg(long, num_args = 2, value_names = ["CHAIN", "KEY"])]
    tls_in: Option<Vec<PathBuf>>,

    /// Speak TLS to the server
    #[arg(long)]
    tls_out: bool,

    /// Whom to trust instead of what the platform trusts: certificates, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_out")]
    ca: Option<PathBuf>,

    /// Whose certificate the server has to show, instead of the host's
    #[arg(long, value_name = "NAME", requires = "tls_out")]
    server_name: Option<String>,

    /// Expect a PROXY header, of either version, in front of every connection. Whoever can connect can claim
    /// to be anybody: listen where only the proxy in front can
    #[arg(long)]
    proxy_in: bool,

    /// Send a PROXY header in front of every connection
    #[arg(long, value_name = "VERSION")]
    proxy_out: Option<Version>,

    /// Reset a connection after so long without a byte either way: 500ms, 60s, 10m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    idle: Duration,

    /// The most connections at a time; others wait
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = value_parser!(u16).range(1..))]
    max_connections: u16,

    /// How long connections may go on after Ctrl-C
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    deadline: Duration,
}

fn main() -> ExitCode {
    highwater_examples::run("proxy", run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Outcome {
    let Arguments { listen, max_connections, deadline, .. } = &arguments;
    let route = Arc::new(Route {
        tls_in: terminating(&arguments)?,
        tls_out: originating(&arguments)?,
        to: arguments.to.clone(),
        proxy_in: arguments.proxy_in,
        proxy_out: arguments.proxy_out,
        idle: arguments.idle,
    });
    let forward = move |reader: StreamReader, writer: StreamWriter| {
        let route = Arc::clone(&route);
        async move { route.forward(reader, writer).await }
    };
    let server = start_server(forward, listen).max_connections((*max_connections).into()).await?;
    serve_until_ctrl_c(&server).await?;
    let gently = async {
        server.close();
        // That nobody takes the line is no reason to stop in another way.
        let _ = tell_at_the_end("Stop serving").await;
        // Not a shutdown, which would end what is cut short as if it were complete.
        timeout(*deadline, server.wait_closed()).await
    };
    let cut_short = end_or_ctrl_c(&server, gently).await;
    tell_at_the_end(format!("{cut_short} connections were cut short")).await
}

fn terminating(arguments: &Arguments) -> Outcome<Option<ServerTls>> {
    let Some([chain, key]) = arguments.tls_in.as_deref() else { return Ok(None) };
    Ok(Some(ServerTls::new(Identity::from_pem_files(chain, key)?)?))
}

fn originating(arguments: &Arguments) -> Outcome<Option<NamedClientTls>> {
    if !arguments.tls_out {
        return Ok(None);
    }
    let name = arguments.server_name.as_deref().unwrap_or(&arguments.to.0);
    Ok(Some(trusting(arguments.ca.as_deref())?.build()?.server_name(name)))
}

/// A number and its unit.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number = number.parse().map_err(|_| "a number and its unit, as in 60s")?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err("the unit is ms, s or m".to_owned()),
    }
}
