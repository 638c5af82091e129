//! Accepting, and each way in which a server comes to its end: the near end is a client, the far end is what the
//! server makes of the connection, and the hand of the far end performs the operations of the server.

use super::account::{Account, Ending, Ends, check};
use super::fault::{Fault, Side};
use super::hand::Hand;
use super::matrix::{PATIENCE, Scene, Stride, alone, row};
use super::party::{Party, Stop};
use super::upgrades::{self, NetParty};
use super::wire::{Manner, Wire};
use crate::bounded::bounded_by;
use crate::memory::{Connector, memory};
use crate::report;
use highwater_net::{
    Address, Incoming, Listener, Server, ServerEvent, StreamReader, StreamWriter, pair, start_server,
};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

/// Small steps, so that there are many.
const MANNER: Manner = Manner { most: 5, capacity: 16, is_reluctant: true };

/// How long handlers may go on. A client that leaves does so before.
const DEADLINE: Duration = Duration::from_secs(10);

/// After this everything that was to happen has: longer than any time-out.
const IN_TIME: Duration = Duration::from_secs(120);

const LINES: [&[u8]; 3] = [b"one\n", b"the second line\n", b"three\n"];

/// What the client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    /// It asks, now and then, and ends.
    Leaves,
    /// It asks, and waits for the end.
    Stays,
    /// It says more than the wire holds, and reads nothing before the server has gone.
    Deaf,
}

/// How the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// `close` when the client has gone, and another was served.
    After,
    /// The same, while somebody waits in `serve_forever`.
    Forever,
    /// `close` in the middle.
    Close,
    /// And `close_clients`.
    CloseClients,
    /// And `abort_clients`.
    AbortClients,
    Shutdown,
}

impl Closing {
    /// Only then does it close.
    fn is_after(self) -> bool {
        matches!(self, Self::After | Self::Forever)
    }

    /// It ends connections of which the handler has not seen the end.
    fn is_rough(self, client: Client) -> bool {
        match self {
            Self::After | Self::Forever | Self::Close => false,
            Self::CloseClients | Self::AbortClients => true,
            Self::Shutdown => client != Client::Leaves,
        }
    }
}

/// Accepting, and every end of a server, meet every fault.
pub fn run_all() {
    for (name, client, closing) in [
        ("accept", Client::Leaves, Closing::After),
        ("serve_forever", Client::Leaves, Closing::Forever),
        ("close, wait_closed", Client::Leaves, Closing::Close),
        ("close_clients, wait_closed", Client::Stays, Closing::CloseClients),
        ("close_clients, wait_closed, client deaf", Client::Deaf, Closing::CloseClients),
        ("abort_clients, wait_closed", Client::Stays, Closing::AbortClients),
        ("abort_clients, wait_closed, client deaf", Client::Deaf, Closing::AbortClients),
        ("shutdown, client in time", Client::Leaves, Closing::Shutdown),
        ("shutdown, client idle", Client::Stays, Closing::Shutdown),
        ("shutdown, client deaf", Client::Deaf, Closing::Shutdown),
    ] {
        row(name, MANNER, Stride::EVERY, move |scene| play(scene, client, closing, false));
    }
    // Each byte of a handshake is a row of the upgrades.
    let some = Stride { bytes: 11, polls: 1 };
    for (name, client, closing) in [
        ("accept, TLS", Client::Leaves, Closing::After),
        ("shutdown, TLS, client idle", Client::Stays, Closing::Shutdown),
    ] {
        row(name, upgrades::MANNER, some, move |scene| play(scene, client, closing, true));
    }
    listeners_fail();
}

/// What the handler was told, and what was told of it.
pub(super) type Kept = Arc<Mutex<Account>>;

pub(super) fn noted<V>(kept: &Kept, note: impl FnOnce(&mut Account) -> V) -> V {
    note(&mut kept.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn play(scene: Scene, client: Client, closing: Closing, is_private: bool) {
    let Scene { fault, ends: [near, far], hands: [near_hand, far_hand], .. } = scene;
    let kept = Kept::default();
    noted(&kept, |account| account.ends = if is_private { Ends::Told } else { Ends::Bare });
    let (server, connector) = serve(&kept, is_private).await;
    let has_ended = Rc::new(Notify::new());
    connector.bring(far);
    let mut near = Party::new(pair(near), near_hand);
    near.account.ends = Ends::Bare;
    let asking = spawn_local(asks(near, client, is_private, Rc::clone(&has_ended)));
    let near = if closing.is_after() {
        let serving = spawn_local(serves(server.clone(), closing, far_hand.clone()));
        let near = asking.await.expect("it asks");
        sleep(IN_TIME).await;
        // The account is that of the faulty connection alone.
        let far = noted(&kept, |account| account.clone());
        is_served(&connector, is_private).await;
        end(&server, closing, &far_hand).await;
        serving.await.expect("it ends with the server");
        noted(&kept, |account| *account = far);
        near
    } else {
        sleep(Duration::from_millis(1500)).await;
        end(&server, closing, &far_hand).await;
        has_ended.notify_one();
        asking.await.expect("it asks")
    };
    assert_eq!((server.counts().open, server.is_serving()), (0, false));
    let far = noted(&kept, |account| {
        account.gave_up |= closing.is_rough(client);
        if account.reading != Ending::Open {
            account.closing.note(Ending::Clean);
        }
        account.clone()
    });
    check([&near, &far], fault);
}

/// A server in memory whose handler answers each line with itself, and notes what it was told.
pub(super) async fn serve(kept: &Kept, is_private: bool) -> (Server, Connector) {
    let (listener, connector) = memory();
    let handler = {
        let kept = Arc::clone(kept);
        move |reader, writer| echo(reader, writer, Arc::clone(&kept))
    };
    let starting = start_server(handler, listener).on_error({
        let kept = Arc::clone(kept);
        move |event| {
            let kind = match event {
                ServerEvent::HandshakeFailed { error, .. } => error.kind(),
                ServerEvent::Unsent { error, .. } => error.cause().kind(),
                _ => return,
            };
            noted(&kept, |account| account.closing.note(Ending::Failed(kind)));
        }
    });
    let server = match is_private {
        true => starting.tls(upgrades::SERVER.clone()).await,
        false => starting.await,
    };
    (server.expect("it listens"), connector)
}

async fn echo(mut reader: StreamReader, writer: StreamWriter, kept: Kept) -> io::Result<()> {
    loop {
        let line = match reader.read_line().await {
            Ok(Some(line)) => line,
            Ok(None) => {
                noted(&kept, |account| account.reading.note(Ending::Clean));
                return Ok(());
            }
            Err(error) => {
                let error = io::Error::from(error);
                noted(&kept, |account| account.reading.note(Ending::Failed(error.kind())));
                return Err(error);
            }
        };
        noted(&kept, |account| account.delivered.extend_from_slice(&line));
        let lost = |error: &io::Error| {
            noted(&kept, |account| account.closing.note(Ending::Failed(error.kind())));
        };
        writer.write(line.clone()).map_err(io::Error::from).inspect_err(lost)?;
        let accepted = noted(&kept, |account| {
            account.accepted.extend_from_slice(&line);
            account.accepted.len()
        });
        writer.flush().await.map_err(io::Error::from).inspect_err(lost)?;
        noted(&kept, |account| account.acknowledged = accepted);
    }
}

async fn asks(mut near: NetParty, client: Client, is_private: bool, server_ended: Rc<Notify>) -> Account {
    if is_private {
        near = match upgrades::upgrade(near, upgrades::stranger()).await {
            Ok(near) => near,
            Err(account) => return account,
        };
    }
    match client {
        Client::Leaves => {
            lines(&mut near).await.ok();
            near.finish().await
        }
        Client::Stays => {
            lines(&mut near).await.ok();
            near.read_out().await;
            near.close().await
        }
        Client::Deaf => {
            for line in LINES.iter().cycle().take(12) {
                near.write(line).ok();
            }
            server_ended.notified().await;
            near.read_out().await;
            near.close().await
        }
    }
}

async fn lines(near: &mut NetParty) -> Result<(), Stop> {
    for line in LINES {
        near.write(line)?;
        near.flush().await?;
        near.read_exactly(line.len()).await?;
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Waits in `serve_forever`, if that is how the server is run.
async fn serves(server: Server, closing: Closing, hand: Hand) {
    if closing == Closing::Forever {
        hand.perform(async || server.serve_forever().await).await.expect("it serves");
    }
}

/// Ends the server, and waits for it.
async fn end(server: &Server, closing: Closing, hand: &Hand) {
    if closing == Closing::Shutdown {
        // Called again it begins anew.
        hand.insist(async || {
            let begin = Instant::now();
            server.shutdown(DEADLINE).await;
            // The clock is paused, and ticks in milliseconds.
            assert!(begin.elapsed() < DEADLINE + Duration::from_millis(1010), "{:?}", begin.elapsed());
        })
        .await;
        return;
    }
    server.close();
    match closing {
        Closing::CloseClients => server.close_clients(),
        Closing::AbortClients => server.abort_clients(),
        _ => {}
    }
    hand.perform(async || server.wait_closed().await).await;
}

/// Another client, over a wire without a fault, is served as ever.
async fn is_served(connector: &Connector, is_private: bool) {
    let manner = if is_private { upgrades::MANNER } else { MANNER };
    let (_wire, near, far) = Wire::new(Fault::None, manner);
    connector.bring(far);
    let hand = Hand::new(Side::Near, Fault::None);
    let served = asks(Party::new(pair(near), hand), Client::Leaves, is_private, Rc::default()).await;
    assert_eq!((served.reading, served.closing), (Ending::Clean, Ending::Clean));
    assert_eq!(served.delivered, LINES.concat());
}

/// How a listener fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// One connection is at fault.
    Aborted,
    /// The system lacks something.
    OutOfDescriptors,
    Panic,
}

/// A listener of which one call fails.
struct Failing {
    inner: Box<dyn Listener>,
    calls: Arc<Mutex<usize>>,
    fails: Option<(usize, Failure)>,
}

impl Listener for Failing {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls += 1;
        let failure = self.fails.filter(|(call, _)| call + 1 == *calls);
        drop(calls);
        match failure {
            None => self.inner.poll_accept(cx),
            Some((_, Failure::Aborted)) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Some((_, Failure::OutOfDescriptors)) => Poll::Ready(Err(io::Error::from_raw_os_error(24))),
            Some((_, Failure::Panic)) => panic!("a listener's panic is that call's alone"),
        }
    }

    fn local_addr(&self) -> Address {
        self.inner.local_addr()
    }
}

/// Each call of a listener fails in each of the ways, and every client is served all the same.
fn listeners_fail() {
    bounded_by(PATIENCE, || {
        let mut counts = Vec::new();
        let calls = accept_with(None);
        for failure in [Failure::Aborted, Failure::OutOfDescriptors, Failure::Panic] {
            for call in 0..calls {
                assert!(accept_with(Some((call, failure))) > calls, "{failure:?} in call {call} was not met");
            }
            counts.push(format!("{calls} {failure:?}"));
        }
        report(&format!("faults: accept, listener fails: {}", counts.join(", ")));
    });
}

/// How often the listener was called.
fn accept_with(fails: Option<(usize, Failure)>) -> usize {
    let calls = Arc::default();
    let failing = |inner| Failing { inner, calls: Arc::clone(&calls), fails };
    alone(async {
        let (listener, connector) = memory();
        let told = Arc::new(Mutex::new(0));
        let tell = Arc::clone(&told);
        let handler = |reader, writer| echo(reader, writer, Kept::default());
        let server = start_server(handler, Box::new(failing(listener)) as Box<dyn Listener>)
            .on_error(move |event| {
                assert!(matches!(event, ServerEvent::AcceptFailed { .. }), "{event}");
                *tell.lock().expect("nothing in here panics") += 1;
            })
            .await
            .expect("it listens");
        for _ in 0..3 {
            is_served(&connector, false).await;
        }
        end(&server, Closing::After, &Hand::new(Side::Far, Fault::None)).await;
        assert_eq!(*told.lock().expect("nothing in here panics"), usize::from(fails.is_some()));
    });
    let calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    *calls
}
