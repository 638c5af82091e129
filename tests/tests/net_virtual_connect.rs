//! Connecting over a network in memory, on a paused clock: how long each way takes to the millisecond, what a
//! partition and a reset cost, and what is left when it is given up.

use highwater_net::{
    ConnectError, Connector, Name, OpenConnection, Query, Server, open_connection, start_server,
};
use highwater_testing::at_every_poll_async;
use highwater_tests::bounded::run_paused;
use highwater_tests::net::{Halves, echo, on_one_thread};
use highwater_tests::tls;
use highwater_tests::virtual_net::{Link, Network, Way, Wire, network, timed};
use std::future::{IntoFuture, pending};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

const DELAY: Duration = Duration::from_millis(40);

/// What is behind an address.
#[derive(Clone)]
enum Place {
    Server(Network),
    /// Says no, which takes one delay there and one back.
    Nobody,
    /// Nothing comes back.
    BlackHole,
}

/// A network whose places have the addresses `10.0.0.1`, `10.0.0.2` and so on, and the links that were made in it.
#[derive(Clone)]
struct World {
    places: Arc<[Place]>,
    links: Arc<Mutex<Vec<Link>>>,
}

impl World {
    fn new(places: impl Into<Arc<[Place]>>) -> Self {
        Self { places: places.into(), links: Arc::default() }
    }

    fn address(index: usize) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1 + index as u8], 7))
    }

    /// Resolves any name to all of its places.
    fn resolver(&self) -> impl Fn(Query) -> std::future::Ready<io::Result<Vec<SocketAddr>>> + use<> {
        let addresses: Vec<_> = (0..self.places.len()).map(Self::address).collect();
        move |_| std::future::ready(Ok(addresses.clone()))
    }

    fn links(&self) -> Vec<Link> {
        self.links.lock().unwrap().clone()
    }
}

impl Connector for World {
    type Connection = Wire;

    async fn connect(&self, address: SocketAddr) -> io::Result<Wire> {
        let index = (0..).find(|index| Self::address(*index) == address).unwrap();
        match &self.places[index] {
            Place::Server(network) => {
                let (wire, link) = network.connect().await;
                self.links.lock().unwrap().push(link);
                Ok(wire)
            }
            Place::Nobody => {
                sleep(2 * DELAY).await;
                Err(ErrorKind::ConnectionRefused.into())
            }
            Place::BlackHole => pending().await,
        }
    }
}

/// A server that echoes, one delay away.
async fn serving(delay: Duration) -> (Server, Place) {
    let (listener, network) = network(delay);
    (start_server(echo, listener).await.unwrap(), Place::Server(network))
}

/// A line comes back, after a delay each way.
async fn echoes((mut reader, writer): Halves) {
    writer.write("to and fro\n").unwrap();
    let (line, took) = timed(reader.read_line()).await;
    assert_eq!((&line.unwrap().unwrap()[..], took), (&b"to and fro\n"[..], 80));
}

/// Connects by name, whatever the name.
async fn connected(world: World) -> (SocketAddr, u128) {
    let (halves, took) =
        timed(open_connection(("a.internal", 7)).resolver(world.resolver()).connector(world)).await;
    (halves.unwrap().1.facts().peer_addr().socket_addr().unwrap(), took)
}

#[test]
fn c1_a_connection_takes_the_delays_of_its_way() {
    run_paused(async {
        let (server, place) = serving(DELAY).await;
        let to = World::address(0);
        let (halves, took) = timed(open_connection(to).connector(World::new([place]))).await;
        let halves = halves.unwrap();
        assert_eq!((took, server.counts().accepted), (80, 1));
        assert_eq!(halves.1.facts().peer_addr().socket_addr(), Some(to));
        echoes(halves).await;
    });
}

#[test]
fn c1_a_connector_shared_or_a_closure_does_as_well() {
    run_paused(async {
        let (_server, place) = serving(DELAY).await;
        let world = Arc::new(World::new([place]));
        assert!(open_connection(World::address(0)).connector(Arc::clone(&world)).await.is_ok());
        let closure = move |address| {
            let world = Arc::clone(&world);
            async move { world.connect(address).await }
        };
        assert!(open_connection(World::address(0)).connector(closure).await.is_ok());
    });
}

#[test]
fn c2_a_black_hole_costs_a_quarter_of_a_second() {
    run_paused(async {
        let (_server, place) = serving(DELAY).await;
        let world = World::new([Place::BlackHole, Place::BlackHole, place]);
        assert_eq!(connected(world).await, (World::address(2), 2 * 250 + 80));
    });
}

#[test]
fn c2_a_refusal_starts_the_next_at_once() {
    run_paused(async {
        let (_server, place) = serving(DELAY).await;
        let world = World::new([Place::Nobody, place]);
        assert_eq!(connected(world).await, (World::address(1), 80 + 80));
    });
}

#[test]
fn c2_the_first_to_connect_wins_and_the_other_is_closed() {
    run_paused(async {
        let (slow, slow_place) = serving(Duration::from_millis(150)).await;
        let (late, late_place) = serving(DELAY).await;
        // The second has come to its server when the first is there, and would be back 30 ms later.
        let world = World::new([slow_place, late_place]);
        let to = open_connection(("a.internal", 7)).resolver(world.resolver()).connector(world);
        let (halves, took) = timed(to).await;
        let _kept = halves.unwrap();
        assert_eq!((took, slow.counts().open, late.counts().open), (300, 1, 1));
        sleep(2 * DELAY).await;
        assert_eq!((slow.counts().open, late.counts().open), (1, 0), "{:?}", late.counts());
    });
}

#[test]
fn c1_where_nothing_answers_the_connect_time_out_ends_it_and_lists_all() {
    run_paused(async {
        let world = World::new(vec![Place::BlackHole; 3]);
        let to = open_connection(("a.internal", 7)).resolver(world.resolver()).connector(world);
        let (failed, took) = timed(to.connect_timeout(Duration::from_secs(7))).await;
        let Err(ConnectError::TimedOut { attempts, .. }) = failed else { panic!("{failed:?}") };
        assert_eq!(took, 7_000);
        let tried: Vec<_> = attempts.iter().map(|one| (one.address(), one.error().kind())).collect();
        assert_eq!(tried, [0, 1, 2].map(|index| (World::address(index), ErrorKind::TimedOut)));
    });
}

#[test]
fn c1_where_nothing_answers_each_address_has_its_time() {
    run_paused(async {
        let world = World::new([Place::BlackHole, Place::Nobody, Place::BlackHole]);
        let to = open_connection(("a.internal", 7)).resolver(world.resolver()).connector(world);
        let (failed, took) = timed(to.attempt_timeout(Duration::from_secs(2))).await;
        let Err(ConnectError::Unreachable { attempts, .. }) = failed else { panic!("{failed:?}") };
        // The last begins when the one before it has failed.
        assert_eq!(took, 250 + 80 + 2_000);
        let kinds: Vec<_> = attempts.iter().map(|one| one.error().kind()).collect();
        assert_eq!(kinds, [ErrorKind::TimedOut, ErrorKind::ConnectionRefused, ErrorKind::TimedOut]);
    });
}

/// One after the other, without a delay.
#[test]
fn c2_without_a_delay_a_black_hole_takes_all_of_its_time() {
    run_paused(async {
        let (_server, place) = serving(DELAY).await;
        let world = World::new([Place::BlackHole, place]);
        let to = open_connection(("a.internal", 7)).resolver(world.resolver()).connector(world);
        let to = to.happy_eyeballs_delay(None).attempt_timeout(Duration::from_secs(5));
        let (halves, took) = timed(to).await;
        assert_eq!((halves.is_ok(), took), (true, 5_000 + 80));
    });
}

/// A server inside TLS, and a way to connect to it.
async fn in_private() -> (Server, World) {
    let (listener, network) = network(DELAY);
    let server = start_server(echo, listener).tls(tls::server()).await.unwrap();
    (server, World::new([Place::Server(network)]))
}

fn privately(world: &World) -> OpenConnection<Name> {
    let to = open_connection(("localhost", 7)).resolver(world.resolver()).connector(world.clone());
    to.tls(tls::client())
}

#[test]
fn t2_a_handshake_follows_on_what_was_connected() {
    run_paused(async {
        let (_server, world) = in_private().await;
        let (halves, took) = timed(privately(&world)).await;
        assert_eq!(took, 80 + 80, "a round trip each");
        echoes(halves.unwrap()).await;
    });
}

#[test]
fn t3_the_connect_time_out_covers_a_handshake_behind_a_partition() {
    run_paused(async {
        let (_server, world) = in_private().await;
        let cutting = world.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(90)).await;
            cutting.links()[0].cut(Way::Both);
        });
        let (failed, took) = timed(privately(&world).connect_timeout(Duration::from_secs(7))).await;
        let error = failed.unwrap_err();
        assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
        assert_eq!((error.kind(), took), (ErrorKind::TimedOut, 7_000));
    });
}

#[test]
fn t2_a_reset_at_any_time_ends_the_handshake_there_and_then() {
    run_paused(async {
        let mut ended = 0;
        // From when it is connected until the server has heard the end of the handshake.
        for after in (80..160).step_by(5) {
            let (server, world) = in_private().await;
            let resetting = world.clone();
            tokio::spawn(async move {
                sleep(Duration::from_millis(after) + Duration::from_micros(500)).await;
                resetting.links()[0].reset();
            });
            let (failed, took) = timed(privately(&world)).await;
            let error = failed.unwrap_err();
            assert_eq!((error.kind(), took), (ErrorKind::ConnectionReset, after as u128 + 1), "{error}");
            sleep(DELAY).await;
            assert_eq!(server.counts().open, 0, "after {after} ms");
            ended += 1;
        }
        assert_eq!(ended, 16);
    });
}

/// Dropped after any of its polls, between which 10 ms pass: neither end keeps anything.
#[test]
fn c1_a_connection_that_is_given_up_leaves_nothing() {
    // Not one future that could be sent, as the clock that is paused from outside asks for.
    on_one_thread(|| async {
        tokio::time::pause();
        let (server, world) = in_private().await;
        let cuts = at_every_poll_async(async |polls| {
            let connecting = privately(&world).into_future();
            let connected = polls.run_beside(connecting, || sleep(Duration::from_millis(10))).await;
            drop(connected.map(Result::unwrap));
            // Its end comes to the server, and the server's handshake has no more to wait for.
            sleep(4 * DELAY).await;
            assert_eq!(server.counts().open, 0, "after {} polls", polls.most());
        })
        .await;
        assert!(cuts >= 16, "{cuts} polls of 10 ms in two round trips");
        assert!(server.counts().accepted >= 12, "{:?}", server.counts());
    });
}
