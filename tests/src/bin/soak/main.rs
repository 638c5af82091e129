//! Load: a server in this process, and thousands of clients in others, for as long as one likes; started by
//! `cargo xtask soak`. Every byte is checked at both ends, every error is either one that was to come or one
//! too many, and at the end nothing may be left.
//!
//! | module | holds |
//! | --- | --- |
//! | [`dice`] | what a seed decides, and the bytes that are sent |
//! | [`kind`] | what clients do |
//! | [`tally`] | what was seen, and the table |
//! | [`serving`] | the servers over TCP, Unix sockets and TLS |
//! | [`clients`] | a process of clients |
//! | [`conversation`] | one connection of a client |

mod clients;
mod conversation;
mod dice;
mod kind;
mod serving;
mod tally;

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::process::{ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use highwater_tests::scratch::Scratch;
use highwater_tests::usage::{Usage, raise_descriptors};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use serving::Serving;
use tally::{Ends, Held, Outcome, Tally};

/// What a process needs beside its connections.
const SPARE_DESCRIPTORS: usize = 200;

/// How often there is a line of progress.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// How long clients and servers may take to come to their end. Several times what the slowest needs.
const PATIENCE: Duration = Duration::from_secs(300);

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Load on a server, every byte checked
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Arguments {
    /// For how long
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// How many connections at once
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Decides what each client does [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Some of the clients, until standard input ends
    #[command(hide = true)]
    Clients(clients::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ran = match arguments.role {
        Some(Role::Clients(clients)) => clients::run(clients).await.map(|()| true),
        None => run(arguments).await,
    };
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
async fn run(arguments: Arguments) -> Result<bool> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = arguments.seed.unwrap_or(now.as_secs());
    let room = raise_descriptors().saturating_sub(SPARE_DESCRIPTORS);
    let connections = arguments.connections.min(room - room / 20);
    if connections < arguments.connections {
        println!("{connections} connections, because of the limit on descriptors");
    }
    println!(
        "seed {seed}: {connections} connections for {} minutes; Ctrl-C ends it early",
        arguments.minutes
    );

    // The first of each opens what the others share: the handler of signals, and that of children.
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    assert!(futures::poll!(&mut interrupted).is_pending());
    Command::new(std::env::current_exe()?).arg("--help").stdout(Stdio::null()).status().await?;
    let before = Held::now()?;

    let scratch = Scratch::new();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let serving = Serving::start(&scratch, Arc::clone(&tally)).await?;
    let mut crowd = Crowd::start(connections, seed, &serving, &scratch)?;

    let begun = Instant::now();
    let length = Duration::try_from_secs_f64(arguments.minutes * 60.0)?;
    let most_open = watch(begun, length, interrupted.as_mut(), &serving, &mut crowd, &tally).await;

    println!("ending");
    let clients = crowd.end().await;
    let hung = timeout(PATIENCE, serving.end()).await.is_err();
    if hung {
        tally::locked(&tally).unexpected("the servers did not come to their end");
    }
    drop(scratch);
    let after = settled(before).await?;
    let outcome = Outcome {
        seed,
        took: begun.elapsed(),
        most_open,
        server: Ends { tally: tally::locked(&tally).clone(), before, after, usage: Usage::own()? },
        clients,
    };
    println!("\n{outcome}");
    Ok(outcome.is_good())
}

/// What is held once what has just ended is gone, or after a while all the same.
async fn settled(before: Held) -> io::Result<Held> {
    let begun = Instant::now();
    loop {
        let now = Held::now()?;
        if now == before || begun.elapsed() > Duration::from_secs(10) {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Tells how it goes until the time is over or somebody says so. Returns how many connections there were at
/// once, at most.
async fn watch(
    begun: Instant,
    length: Duration,
    mut interrupted: Pin<&mut impl Future<Output = io::Result<()>>>,
    serving: &Serving,
    crowd: &mut Crowd,
    tally: &Mutex<Tally>,
) -> usize {
    let mut most_open = 0;
    let mut next_line = BETWEEN_LINES;
    while begun.elapsed() < length && crowd.is_there() {
        if timeout(BETWEEN_LOOKS, interrupted.as_mut()).await.is_ok() {
            break;
        }
        let open = serving.open();
        most_open = most_open.max(open);
        if begun.elapsed() >= next_line {
            next_line += BETWEEN_LINES;
            let resident = Usage::own().map_or(0, |usage| usage.resident);
            let both = crowd.tally().and(&tally::locked(tally));
            println!("{}", tally::progress(begun.elapsed(), open, &both, resident));
        }
    }
    most_open
}

/// The processes of clients.
struct Crowd {
    processes: Vec<Process>,
}

struct Process {
    child: Child,
    /// Dropped, it tells the process to end.
    stdin: Option<ChildStdin>,
    told: Arc<Mutex<Ends>>,
    listens: JoinHandle<()>,
}

impl Crowd {
    fn start(connections: usize, seed: u64, serving: &Serving, scratch: &Scratch) -> Result<Self> {
        let room = raise_descriptors().saturating_sub(SPARE_DESCRIPTORS).max(1);
        // Some are always between two connections.
        let clients = connections + connections / 20;
        let count = clients.div_ceil(room).max(2);
        let processes = (0..count).map(|number| {
            let first = clients * number / count;
            let next = clients * (number + 1) / count;
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("clients").args([
                "--first",
                &first.to_string(),
                "--count",
                &(next - first).to_string(),
            ]);
            command
                .args(["--seed", &seed.to_string()])
                .args(serving.arguments())
                .arg("--folder")
                .arg(scratch.path());
            let mut child =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
            let stdout = child.stdout.take().ok_or("it is piped")?;
            let told = Arc::new(Mutex::new(Ends::default()));
            let tells = Arc::clone(&told);
            let listens = tokio::spawn(async move {
                let mut lines = BufReader::new(stdout).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Ok(ends) = serde_json::from_str(&line) {
                        *tells.lock().unwrap_or_else(PoisonError::into_inner) = ends;
                    }
                }
            });
            Ok(Process { stdin: child.stdin.take(), child, told, listens })
        });
        Ok(Self { processes: processes.collect::<Result<_>>()? })
    }

    /// Whether all processes run.
    fn is_there(&mut self) -> bool {
        self.processes.iter_mut().all(|process| matches!(process.child.try_wait(), Ok(None)))
    }

    fn tally(&self) -> Tally {
        let told =
            |process: &Process| process.told.lock().unwrap_or_else(PoisonError::into_inner).tally.clone();
        self.processes.iter().map(told).fold(Tally::default(), |sum, tally| sum.and(&tally))
    }

    /// What each process has said last.
    async fn end(self) -> Vec<Ends> {
        let mut all = Vec::new();
        let mut processes = self.processes;
        for process in &mut processes {
            if let Some(mut stdin) = process.stdin.take() {
                stdin.shutdown().await.ok();
            }
        }
        for mut process in processes {
            let ended = timeout(PATIENCE, process.child.wait()).await;
            if ended.is_err() {
                process.child.kill().await.ok();
            }
            process.listens.await.ok();
            let mut ends = process.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if !matches!(ended, Ok(Ok(status)) if status.success()) {
                ends.tally.unexpected("a process of clients did not come to its end");
            }
            all.push(ends);
        }
        all
    }
}
