//! S4: out of descriptors the listener survives, tells it seldom, and serves again. One test, so that this
//! process has no others that need descriptors.
#![cfg(target_os = "linux")]

use highwater_net::{Address, Incoming, Listener, ServerEvent, StreamReader, StreamWriter, start_server};
use highwater_tests::bounded::bounded;
use highwater_tests::net::{LOOPBACK, descriptors, give_away};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

/// Takes every descriptor that is left.
fn take_all() -> Vec<File> {
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    taken
}

fn client() -> Socket {
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.set_nonblocking(true).unwrap();
    client
}

/// A connection that the kernel takes, and that nobody can accept.
fn connect(client: &Socket, address: SocketAddr) {
    client.connect(&address.into()).ok();
    assert!(client.peer_addr().is_ok(), "the handshake over loopback is over at once");
}

/// The clock stands still until everything waits, so that the pauses are exact.
async fn runs_out() {
    let (tell, mut told) = unbounded_channel();
    let hook = move |event: &ServerEvent| {
        let ServerEvent::AcceptFailed { local_addr, error } = event else { panic!("{event:?}") };
        assert!(
            event.to_string().starts_with(&format!("a connection to {local_addr} could not be accepted"))
        );
        assert!(error.raw_os_error().is_some());
        tell.send((Instant::now(), local_addr.socket_addr())).unwrap();
        panic!("a hook's panic does not end the listener");
    };
    let (give, mut take) = give_away();
    let server = start_server(give, LOOPBACK).on_error(hook).await.unwrap();
    let address = server.local_addrs()[0];
    let clients: Vec<_> = (0..5).map(|_| client()).collect();

    // Kept, for what is closed frees a descriptor.
    let mut served = Vec::new();
    for round in 0..2 {
        let taken = take_all();
        connect(&clients[2 * round], address);
        connect(&clients[2 * round + 1], address);
        let mut before: Option<Instant> = None;
        let mut expected = Duration::from_millis(5);
        for _ in 0..12 {
            let (at, local_addr) = told.recv().await.unwrap();
            assert_eq!(local_addr, Some(address));
            if let Some(before) = before.replace(at) {
                let pause = at - before;
                // The clock has a granularity of a millisecond.
                let most = expected + Duration::from_millis(2);
                assert!(expected <= pause && pause <= most, "{pause:?} instead of {expected:?}");
                expected = (expected * 2).min(Duration::from_secs(1));
            }
        }
        assert_eq!(expected, Duration::from_secs(1), "it has come to the longest pause");
        assert!(server.is_serving());
        assert!(take.try_recv().is_err());

        drop(taken);
        for client in &clients[2 * round..][..2] {
            let peer = client.local_addr().unwrap().as_socket();
            let (reader, writer) = take.recv().await.unwrap();
            assert_eq!(writer.facts().peer_addr().socket_addr(), peer);
            served.push((reader, writer));
        }
        // What was told while the descriptors were being freed.
        while told.try_recv().is_ok() {}
    }

    // Closed in a pause: the address is free, and nothing more is told.
    let taken = take_all();
    connect(&clients[4], address);
    told.recv().await.unwrap();
    server.close();
    drop((taken, served));
    server.wait_closed().await;
    drop(std::net::TcpListener::bind(address).unwrap());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(told.try_recv().is_err());
}

/// A TCP listener that counts how often it is asked.
struct Counting(tokio::net::TcpListener, Arc<AtomicUsize>);

impl Listener for Counting {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Listener::poll_accept(&mut self.0, cx)
    }

    fn local_addr(&self) -> Address {
        Listener::local_addr(&self.0)
    }
}

/// A processor that spins would ask without end: here it is once for each event, and a few times at first.
async fn does_not_spin() {
    let asked = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
    let listener: Box<dyn Listener> = Box::new(Counting(listener, Arc::clone(&asked)));
    let (tell, mut told) = unbounded_channel();
    let hook = move |_: &ServerEvent| {
        tell.send(Instant::now()).ok();
    };
    let (give, mut take) = give_away();
    let server = start_server(give, listener).on_error(hook).await.unwrap();
    let client = client();
    let taken = take_all();
    connect(&client, server.local_addrs()[0]);
    let first = told.recv().await.unwrap();
    tokio::time::sleep_until(first + Duration::from_secs(60)).await;
    let events = 1 + std::iter::from_fn(|| told.try_recv().ok()).count();
    assert!((60..80).contains(&events), "{events} in a minute");
    assert!(asked.load(Ordering::SeqCst) <= events + 5, "{asked:?} questions for {events} events");
    drop(taken);
    assert!(take.recv().await.is_some(), "it is served at last");
    server.close();
}

/// A peer that resets before it is accepted concerns nobody else.
async fn aborted_before_the_accept() {
    let (tell, mut told) = unbounded_channel();
    let greet = |_: StreamReader, writer: StreamWriter| {
        writer.write("hello\n").ok();
    };
    let server = start_server(greet, LOOPBACK)
        .on_error(move |event| drop(tell.send(event.to_string())))
        .await
        .unwrap();
    for _ in 0..20 {
        let gone = client();
        connect(&gone, server.local_addrs()[0]);
        gone.set_linger(Some(Duration::ZERO)).unwrap();
    }
    let (mut reader, writer) = highwater_net::open_connection(server.local_addrs()[0]).await.unwrap();
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "hello\n");
    drop((reader, writer));
    server.close();
    server.wait_closed().await;
    // Linux accepts them nevertheless. Where it is an error, it is told, and no more than once for each.
    assert!(std::iter::from_fn(|| told.try_recv().ok()).count() <= 20);
}

#[test]
fn s4_out_of_descriptors_the_listener_survives() {
    bounded(|| {
        let before = getrlimit(Resource::Nofile);
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(aborted_before_the_accept());
        let few = descriptors() as u64 + 40;
        setrlimit(Resource::Nofile, Rlimit { current: Some(few), maximum: before.maximum }).unwrap();
        runtime.block_on(runs_out());
        runtime.block_on(does_not_spin());
        setrlimit(Resource::Nofile, before).unwrap();
    });
}
