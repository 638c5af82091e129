//! One server in a process of its own, for `compare` to drive and to account for.
//!
//! ```text
//! serve CONTENDER SERVICE    binds a port of 127.0.0.1, prints it, and serves until its input ends
//! ```

mod accepting;
mod epoll;
mod framed;
mod highwater;
mod tokio_buffers;

use clap::{Parser, ValueEnum};
use highwater_benches::Service;
use std::io::{self, Read};
use std::path::PathBuf;
use tokio::runtime::{Builder, Runtime};

/// Serve until the input ends.
#[derive(Debug, Parser)]
#[command(name = "serve")]
struct Job {
    /// Who serves
    contender: Contender,

    /// What is served
    service: Service,

    /// Threads that serve
    #[arg(long, default_value_t = 1)]
    workers: usize,

    /// Lines that are written before each drain or flush
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,

    /// Close at once, whatever is unread
    #[arg(long)]
    no_linger: bool,

    /// Speak TLS, with this certificate and this key in PEM
    #[arg(long, num_args = 2, value_names = ["CERTIFICATE", "KEY"])]
    identity: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Contender {
    /// highwater, by its public methods
    Highwater,
    /// The same, but that lines are borrowed
    HighwaterBorrowed,
    /// tokio's BufReader and BufWriter, flushed when the input that came is used up
    Tokio,
    /// tokio's BufReader alone
    TokioUnbuffered,
    /// tokio-util's Framed with LinesCodec
    Framed,
    /// A loop on epoll by hand
    Epoll,
}

fn main() -> io::Result<()> {
    let job = Job::parse();
    std::thread::spawn(|| {
        // Whoever started this server holds the other end: it has ended, or wants this one to.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    match job.contender {
        Contender::Highwater | Contender::HighwaterBorrowed => {
            runtime(&job)?.block_on(highwater::serve(&job))
        }
        Contender::Tokio | Contender::TokioUnbuffered => runtime(&job)?.block_on(tokio_buffers::serve(&job)),
        Contender::Framed => runtime(&job)?.block_on(framed::serve(&job)),
        Contender::Epoll => epoll::serve(&job),
    }
}

fn runtime(job: &Job) -> io::Result<Runtime> {
    match job.workers {
        1 => Builder::new_current_thread().enable_all().build(),
        workers => Builder::new_multi_thread().worker_threads(workers).enable_all().build(),
    }
}

/// What a contender lacks is no mistake of whoever runs it, but of the list of works.
fn not_offered(job: &Job) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("{:?} does not offer {:?}", job.contender, job.service),
    )
}

/// A line of 64 bytes.
fn line() -> Vec<u8> {
    let mut line = vec![b'x'; 63];
    line.push(b'\n');
    line
}

/// The most bytes that are read or written at once.
const BLOCK: usize = 64 * 1024;

/// How many the client asked for.
fn request(line: &[u8]) -> io::Result<u64> {
    let text = std::str::from_utf8(line).map_err(io::Error::other)?;
    text.trim_end().parse().map_err(io::Error::other)
}
