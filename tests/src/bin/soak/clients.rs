//! A process of clients: so many places, and in each one connection after the other until the end.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use highwater_net::{ClientTls, ConnectError, Roots, open_connection, open_unix_connection};
use highwater_tests::net::Halves;
use highwater_tests::usage::{Usage, raise_descriptors};
use tokio::io::{AsyncReadExt, stdin};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::conversation::{self, Trouble};
use crate::dice::Dice;
use crate::kind::Kind;
use crate::serving::{AUTHORITY_FILE, LITTLE_ROOM, SOCKET};
use crate::tally::{Ends, Held, Tally, locked};
use crate::{Result, settled};

/// Clients that begin at once: more would only wait in the kernel.
const BEGINNING: usize = 64;

/// How long one connection may take, from its wait for a turn to its end. The longest talk for three minutes.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    first: u64,
    #[arg(long)]
    count: u64,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    tcp: Vec<SocketAddr>,
    #[arg(long)]
    tls: Vec<SocketAddr>,
    #[arg(long)]
    folder: PathBuf,
}

/// What all clients of the process share.
struct Shared {
    arguments: Arguments,
    tls: ClientTls,
    beginning: Semaphore,
    tally: Mutex<Tally>,
}

pub(crate) async fn run(arguments: Arguments) -> Result {
    raise_descriptors();
    // The process that started this one says when it is over, also where Ctrl-C reaches both.
    let _ignored = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let (ends, ending) = watch::channel(false);
    let listens = tokio::spawn(async move {
        stdin().read_to_end(&mut Vec::new()).await.ok();
        ends.send_replace(true);
        // Until the process ends: what is counted at its end was there at the beginning.
        ends.closed().await;
    });
    let roots = Roots::from_pem_file(arguments.folder.join(AUTHORITY_FILE))?;
    let tls = ClientTls::builder().roots(roots).build()?;
    let places = arguments.first..arguments.first + arguments.count;
    let shared =
        Arc::new(Shared { arguments, tls, beginning: Semaphore::new(BEGINNING), tally: Mutex::default() });
    tokio::task::yield_now().await;
    let before = Held::now()?;

    let mut clients: JoinSet<()> =
        places.map(|place| one_after_the_other(Arc::clone(&shared), place, ending.clone())).collect();
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    while !clients.is_empty() {
        tokio::select! {
            Some(ended) = clients.join_next() => {
                if let Err(error) = ended {
                    locked(&shared.tally).unexpected(format!("a client panicked: {error}"));
                }
            }
            _ = every_second.tick() => tell(&shared, before, before)?,
        }
    }
    tell(&shared, before, settled(before).await?)?;
    listens.abort();
    Ok(())
}

/// A line for the process that started this one.
fn tell(shared: &Shared, before: Held, after: Held) -> Result {
    let ends = Ends { tally: locked(&shared.tally).clone(), before, after, usage: Usage::own()? };
    println!("{}", serde_json::to_string(&ends)?);
    Ok(())
}

async fn one_after_the_other(shared: Arc<Shared>, place: u64, ending: watch::Receiver<bool>) {
    let mut dice = Dice::of(shared.arguments.seed, place);
    // Not all of them in one moment.
    sleep(Duration::from_millis(dice.within(0..=5000))).await;
    while !*ending.borrow() {
        let (kind, over) = (Kind::choose(&mut dice), over(dice.within(0..=9)));
        {
            let mut tally = locked(&shared.tally);
            tally.over[over] += 1;
            tally.kinds[kind as usize] += 1;
        }
        let bytes = |count| locked(&shared.tally).bytes += count;
        let once = async {
            let halves = {
                let _turn = shared.beginning.acquire().await.map_err(io::Error::other)?;
                connect(&shared, kind, over, &mut dice).await?
            };
            conversation::hold(kind, halves, &mut dice, &ending, bytes).await
        };
        let ended = timeout(PATIENCE, once).await;
        let mut tally = locked(&shared.tally);
        let name = ["TCP", "Unix", "TLS"][over];
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(Trouble::Lost)) => tally.expected += 1,
            Ok(Err(Trouble::Wrong(what))) => {
                tally.wrong(format!("at place {place}, {kind} over {name}: {what}"));
            }
            Ok(Err(Trouble::Io(error))) => {
                tally.unexpected(format!("at place {place}, {kind} over {name}: {error}"));
            }
            Err(_) => {
                tally.unexpected(format!("at place {place}, {kind} over {name}: not over in {PATIENCE:?}"));
            }
        }
    }
}

/// TCP, Unix or TLS, of ten so many.
fn over(number: u64) -> usize {
    match number {
        0..=4 => 0,
        5..=7 => 1,
        _ => 2,
    }
}

async fn connect(shared: &Shared, kind: Kind, over: usize, dice: &mut Dice) -> io::Result<Halves> {
    let mut any = |addresses: &[SocketAddr]| {
        let number = dice.within(0..=addresses.len() as u64 - 1);
        let connecting = open_connection(addresses[usize::try_from(number).unwrap_or(0)]);
        if kind.is_slow() { connecting.recv_buffer_size(LITTLE_ROOM) } else { connecting }
    };
    let connected: std::result::Result<Halves, ConnectError> = match over {
        0 => any(&shared.arguments.tcp).await,
        1 => open_unix_connection(shared.arguments.folder.join(SOCKET)).await,
        _ => any(&shared.arguments.tls).tls(shared.tls.server_name("localhost")).await,
    };
    Ok(connected?)
}
