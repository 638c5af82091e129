//! A server in a process of its own, for tests that attack it: `attacked [--max-connections N] [--tls]`.
//!
//! It says `listening ADDRESS`, and answers each line on standard input with one: `counts` with what it has
//! and holds, `end` with the same once all connections are gone.

use std::error::Error;
use std::time::Duration;

use clap::Parser;
use highwater_net::{Server, start_server};
use highwater_tests::net::{LOOPBACK, echo};
use highwater_tests::usage::{Usage, raise_descriptors};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

/// A server that is attacked
#[derive(Debug, Parser)]
struct Arguments {
    /// How many connections there may be at once
    #[arg(long)]
    max_connections: Option<usize>,
    /// Inside TLS
    #[arg(long)]
    tls: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    raise_descriptors();
    let mut starting = start_server(echo, LOOPBACK).backlog(1024).on_error(|_| {});
    if let Some(most) = arguments.max_connections {
        starting = starting.max_connections(most);
    }
    if arguments.tls {
        starting = starting.tls(highwater_tests::tls::server());
    }
    let server = starting.await?;
    println!("listening {}", server.local_addrs()[0]);

    // The end of the input is the end of the test, however it went.
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if line == "end" {
            server.shutdown(Duration::ZERO).await;
        }
        tell(&server)?;
    }
    Ok(())
}

fn tell(server: &Server) -> Result<(), Box<dyn Error>> {
    let (counts, usage) = (server.counts(), Usage::own()?);
    println!("{} {} {} {}", counts.open, counts.accepted, usage.resident, usage.descriptors);
    Ok(())
}
