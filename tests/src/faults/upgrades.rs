//! Handshakes, and a session that begins in plain and goes over to TLS: both ends are highwater's.

use super::account::{Account, Ending, Ends, check};
use super::matrix::{Scene, Stride, row};
use super::party::{Party, Stop};
use super::wire::Manner;
use crate::tls::{AUTHORITY, Provider};
use highwater_net::{ClientTls, Facts, NamedClientTls, ServerTls, TlsSide, Transport, pair, start_tls};
use std::future::IntoFuture;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::spawn_local;

/// Records are larger than what goes at once, and so is a handshake.
pub(super) const MANNER: Manner = Manner { most: 300, capacity: 64 * 1024, is_reluctant: true };

/// Its handshakes are short, which makes for fewer offsets. Signatures of this kind are of one length, and so
/// are the bytes of each run.
pub(super) static SERVER: LazyLock<ServerTls> = LazyLock::new(|| {
    let identity = AUTHORITY.issue_ed25519(&["*.faults.test"]).identity();
    ServerTls::builder(identity).provider(Provider::Ring.rustls()).build().expect("the configuration is good")
});

static CLIENT: LazyLock<ClientTls> = LazyLock::new(|| Provider::Ring.client());

/// A client that has never met this server, and so has no session to resume: each handshake is a whole one.
pub(super) fn stranger() -> NamedClientTls {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    CLIENT.server_name(format!("{:06}.faults.test", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// An end of a connection of highwater-net.
pub(super) type NetParty = Party<Transport, Facts>;

/// A handshake at once, and one in the middle of a session, meet every fault.
pub fn run_all() {
    row("handshake", MANNER, Stride::EVERY, |scene| play(scene, Session::Tls));
    row("STARTTLS", MANNER, Stride::EVERY, |scene| play(scene, Session::StartTls));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    Tls,
    StartTls,
}

async fn play(scene: Scene, session: Session) {
    let Scene { fault, ends, hands, .. } = scene;
    let [near, far] = ends.map(pair);
    let [near_hand, far_hand] = hands;
    let (mut near, mut far) = (Party::new(near, near_hand), Party::new(far, far_hand));
    near.account.ends = Ends::Bare;
    far.account.ends = Ends::Bare;
    let near = spawn_local(asks(near, session));
    let far = spawn_local(answers(far, session));
    let (near, far) = (near.await.expect("it asks"), far.await.expect("it answers"));
    check([&near, &far], fault);
}

async fn asks(mut near: NetParty, session: Session) -> Account {
    if session == Session::StartTls && in_plain(&mut near).await.is_err() {
        return near.finish().await;
    }
    let mut near = match upgrade(near, stranger()).await {
        Ok(near) => near,
        Err(account) => return account,
    };
    in_private(&mut near).await.ok();
    near.finish().await
}

async fn in_plain(near: &mut NetParty) -> Result<(), Stop> {
    for command in [&b"EHLO\r\n"[..], b"STARTTLS\r\n"] {
        reply(near).await?;
        near.write(command)?;
        near.flush().await?;
    }
    reply(near).await
}

/// A whole line, and not what an end has left of one.
async fn reply(near: &mut NetParty) -> Result<(), Stop> {
    let line = near.read_line().await?;
    if line.ends_with(b"\r\n") { Ok(()) } else { Err(Stop) }
}

async fn in_private(near: &mut NetParty) -> Result<(), Stop> {
    for line in [&b"one line\n"[..], b"and another\n"] {
        near.write(line)?;
        near.flush().await?;
        near.read_exactly(line.len()).await?;
    }
    near.write(b"the last, of which nobody is told")
}

async fn answers(mut far: NetParty, session: Session) -> Account {
    if session == Session::StartTls && until_starttls(&mut far).await.is_err() {
        return far.finish().await;
    }
    let mut far = match upgrade(far, &*SERVER).await {
        Ok(far) => far,
        Err(account) => return account,
    };
    while let Ok(line) = far.read_line().await {
        if !line.ends_with(b"\n") || far.write(&line).is_err() || far.drain().await.is_err() {
            break;
        }
    }
    far.finish().await
}

async fn until_starttls(far: &mut NetParty) -> Result<(), Stop> {
    far.write(b"220 hello\r\n")?;
    loop {
        far.flush().await?;
        let line = far.read_line().await?;
        far.write(b"220 go ahead\r\n")?;
        if line == "STARTTLS\r\n" {
            return Ok(());
        }
    }
}

/// `start_tls`: what was queued in plain is flushed by it. The account alone, where there is nothing left to
/// go on with.
pub(super) async fn upgrade(party: NetParty, side: impl TlsSide) -> Result<NetParty, Account> {
    let Party { reader, writer, hand, mut account } = party;
    match hand.attempt(start_tls(reader, writer, side).into_future()).await {
        Some(Ok(halves)) => {
            account.acknowledged = account.accepted.len();
            account.ends = Ends::Told;
            let mut party = Party::new(halves, hand);
            party.account = account;
            Ok(party)
        }
        Some(Err(error)) => {
            account.closing.note(Ending::Failed(error.kind()));
            match error.into_halves() {
                Some(halves) => {
                    let mut party = Party::new(halves, hand);
                    party.account = account;
                    // What comes now may be of the handshake that the peer has begun.
                    Err(party.close().await)
                }
                None => Err(account),
            }
        }
        None => {
            account.gave_up = true;
            Err(account)
        }
    }
}
