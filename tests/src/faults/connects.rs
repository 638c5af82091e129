//! Connecting, over sockets of the system: a relay between the client and a server in memory cuts where the fault
//! says. Descriptors and tasks are counted after each run, so this needs a process of its own and the real clock.

use super::account::{Account, Ending, Ends, check};
use super::fault::{Extent, Fault, Moment, Side};
use super::hand::Hand;
use super::party::{Party, Stop};
use super::servers::{self, Kept};
use super::upgrades::{self, NetParty};
use super::wire::{End, INJECTED, Manner, Wire};
use crate::net::{Halves, LOOPBACK, descriptors, refusing, reset};
use crate::report;
use highwater_net::{ConnectError, Name, OpenConnection, Query, open_connection};
use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Once;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::time::sleep;

const MANNER: Manner = Manner { most: 64 * 1024, capacity: 64 * 1024, is_reluctant: false };

/// How often a resolver has to wait.
const TURNS: usize = 4;

const LINES: [&[u8]; 2] = [b"one\n", b"the other\n"];

/// Connecting meets every fault, and leaves nothing behind.
pub async fn run_all() {
    let mut lines = Vec::new();
    for (name, is_private, stride) in [("connect", false, 1), ("connect, TLS", true, 37)] {
        let extent = quietly(session(Fault::None, is_private)).await;
        let (mut resets, mut ends) = (0, 0);
        for fault in Fault::all(&extent) {
            let (Fault::Reset { after, .. } | Fault::End { after, .. }) = fault else { continue };
            if after % stride == 0 {
                quietly(session(fault, is_private)).await;
                *if matches!(fault, Fault::Reset { .. }) { &mut resets } else { &mut ends } += 1;
            }
        }
        lines.push(format!("faults: {name}: {resets} reset, {ends} end"));
    }
    names(&mut lines).await;
    let (server, connector) = servers::serve(&Kept::default(), true).await;
    let dropped = dropped(|| {
        let (_wire, near, far) = Wire::new(Fault::None, MANNER);
        connector.bring(far);
        through_relay(near)
    })
    .await;
    lines.push(format!("faults: connect, TLS: {dropped} dropped"));
    server.close();
    server.wait_closed().await;
    // It runs twice, to be counted.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| lines.iter().for_each(|line| report(line)));
}

/// A handshake through a relay, which goes with it.
async fn through_relay(near: End) -> Result<Halves, ConnectError> {
    let (listener, address) = listening().await;
    let relaying = pin!(async {
        let (socket, _) = listener.accept().await.expect("one connects");
        relay(socket, near).await;
        std::future::pending().await
    });
    let connecting = open_connection(address).tls(upgrades::stranger()).into_future();
    futures::future::select(connecting, relaying).await.factor_first().0
}

async fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(LOOPBACK).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Connecting by a name of two addresses, of which the first refuses.
async fn names(lines: &mut Vec<String>) {
    let (_listener, address) = listening().await;
    let (refuses, _bound) = refusing();
    for turn in 0..TURNS {
        let failed = quietly(by_name(vec![refuses, address], Some(turn)).into_future()).await;
        assert_eq!(io::Error::from(failed.expect_err("it has no address")).kind(), INJECTED);
    }
    let dropped = dropped(|| by_name(vec![refuses, address], None).into_future()).await;
    lines.push(format!("faults: connect, by name: {TURNS} error, {dropped} dropped"));
}

/// A run that leaves neither a descriptor nor a task behind. What was still closing when it began may be gone.
async fn quietly<V>(run: impl Future<Output = V>) -> V {
    /// Many times what it takes until what is closing is closed.
    const PATIENCE: Duration = Duration::from_secs(20);

    let before = (descriptors(), tasks());
    let ran = run.await;
    let until = Instant::now() + PATIENCE;
    while descriptors() > before.0 || tasks() > before.1 {
        let now = (descriptors(), tasks());
        assert!(Instant::now() < until, "descriptors and tasks: {before:?} before, and now {now:?}");
        sleep(Duration::from_millis(1)).await;
    }
    ran
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// One conversation of a client with a server, through the relay.
async fn session(fault: Fault, is_private: bool) -> Extent {
    let kept = Kept::default();
    servers::noted(&kept, |account| account.ends = if is_private { Ends::Told } else { Ends::Bare });
    let (server, connector) = servers::serve(&kept, is_private).await;
    let (wire, near, far) = Wire::new(fault, MANNER);
    connector.bring(far);
    let (listener, address) = listening().await;
    let relaying = async {
        let (socket, _) = listener.accept().await.expect("one connects");
        relay(socket, near).await;
    };
    let (mut near, ()) = futures::join!(asks(address, is_private), relaying);
    server.close();
    server.wait_closed().await;
    assert!(wire.is_met() || fault == Fault::None, "{fault} was not met");
    let far = servers::noted(&kept, |account| {
        if account.reading != Ending::Open {
            account.closing.note(Ending::Clean);
        }
        account.clone()
    });
    let was_told = [near.reading, near.closing].iter().any(|ending| matches!(ending, Ending::Failed(_)));
    assert!(was_told || !matches!(fault, Fault::Reset { .. }), "a reset is told: {near:?}");
    if fault != Fault::None {
        // What the kernel has taken of it may be lost behind the kernel, which nobody tells.
        near.acknowledged = 0;
        near.closing = Ending::Open;
    }
    check([&near, &far], fault);
    Extent { bytes: wire.sent(), ..Extent::default() }
}

async fn asks(address: SocketAddr, is_private: bool) -> Account {
    let connecting = open_connection(address);
    let connected = match is_private {
        true => connecting.tls(upgrades::stranger()).await,
        false => connecting.await,
    };
    let halves = match connected {
        Ok(halves) => halves,
        Err(error) => {
            let closing = Ending::Failed(io::Error::from(error).kind());
            return Account { closing, ..Account::default() };
        }
    };
    let mut near = Party::new(halves, Hand::new(Side::Near, Fault::None));
    near.account.ends = if is_private { Ends::Told } else { Ends::Reset };
    talk(&mut near).await.ok();
    near.finish().await
}

async fn talk(near: &mut NetParty) -> Result<(), Stop> {
    for line in LINES {
        near.write(line)?;
        near.flush().await?;
        near.read_exactly(line.len()).await?;
    }
    Ok(())
}

/// Passes on what comes, and the end of each way as it was: an end, or a reset.
async fn relay(mut socket: TcpStream, near: End) {
    let (mut from_wire, mut to_wire) = tokio::io::split(near);
    let was_reset = {
        let (mut from_client, mut to_client) = socket.split();
        let there = async {
            let (mut bytes, mut is_cut) = ([0; 4096], false);
            while let Ok(count) = from_client.read(&mut bytes).await {
                if count == 0 {
                    to_wire.shutdown().await.ok();
                    return;
                }
                is_cut = is_cut || to_wire.write_all(&bytes[..count]).await.is_err();
            }
            to_wire.shutdown().await.ok();
        };
        let back = async {
            let mut bytes = [0; 4096];
            loop {
                match from_wire.read(&mut bytes).await {
                    Ok(0) => {
                        to_client.shutdown().await.ok();
                        return Ok(());
                    }
                    // A client that has gone needs no more.
                    Ok(count) => drop(to_client.write_all(&bytes[..count]).await),
                    Err(error) => return Err(error),
                }
            }
        };
        let there = async {
            there.await;
            Ok(())
        };
        futures::try_join!(there, back).is_err()
    };
    if was_reset {
        reset(socket);
    }
}

/// To one of these addresses; the resolver takes some turns, and may fail in one of them.
fn by_name(addresses: Vec<SocketAddr>, fails: Option<usize>) -> OpenConnection<Name> {
    open_connection(("faults.internal", 1)).resolver(move |_: Query| {
        let addresses = addresses.clone();
        async move {
            for turn in 0..TURNS {
                if fails == Some(turn) {
                    return Err(INJECTED.into());
                }
                tokio::task::yield_now().await;
            }
            Ok(addresses)
        }
    })
}

/// Gives a connect up at each poll.
async fn dropped<F, E>(mut connect: impl FnMut() -> F) -> usize
where
    F: Future<Output = Result<Halves, E>>,
{
    let mut count = 0;
    for moment in [Moment::Woken, Moment::Waiting] {
        for poll in 0.. {
            let hand = Hand::new(Side::Near, Fault::Dropped { at: Side::Near, poll, moment });
            let is_past = quietly(async {
                if let Some(Ok((_reader, writer))) = hand.attempt(connect()).await {
                    writer.abort();
                }
                hand.polls() <= poll
            });
            if is_past.await {
                break;
            }
            count += usize::from(hand.gave_up());
        }
    }
    count
}
