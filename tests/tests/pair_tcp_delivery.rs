//! W2 over TCP: servers that write and do something else, programs that write and end.

use highwater_tests::bounded::{bounded, one_thread, run, run_on_workers, two_workers};
use highwater_tests::report;
use std::future::pending;
use std::io::Read;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::thread;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const LINE: &str = "one line, and that is all\n";
const TIMES: usize = 200;

type Reader = highwater_stream::StreamReader<highwater_stream::ReadHalf<TcpStream>>;
type Writer = highwater_stream::StreamWriter<TcpStream>;

/// A server of one connection, and what its client gets first.
async fn served<H, S>(handler: H) -> String
where
    H: FnOnce(Reader, Writer) -> S,
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (reader, writer) = highwater_stream::pair(listener.accept().await.unwrap().0);
    let server = tokio::spawn(handler(reader, writer));
    let mut got = vec![0; LINE.len()];
    client.read_exact(&mut got).await.unwrap();
    server.abort();
    String::from_utf8(got).unwrap()
}

#[test]
fn w2_a_server_that_writes_and_then_only_reads_is_heard() {
    async fn check() {
        let got = served(|mut reader, writer| async move {
            writer.write(LINE).unwrap();
            while let Ok(Some(_)) = reader.read_line().await {}
        });
        assert_eq!(got.await, LINE);
    }
    run(check());
    run_on_workers(check());
}

#[test]
fn w2_a_server_that_writes_and_then_sleeps_is_heard() {
    async fn check() {
        let got = served(|_reader, writer| async move {
            writer.write(LINE).unwrap();
            pending::<()>().await;
        });
        assert_eq!(got.await, LINE);
    }
    run(check());
    run_on_workers(check());
}

#[test]
fn w2_a_server_that_writes_and_returns_is_heard() {
    async fn check() {
        let got = served(|_reader, writer| async move { writer.write(LINE).unwrap() });
        assert_eq!(got.await, LINE);
    }
    run(check());
    run_on_workers(check());
}

/// What a program does with its halves when it ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// They are dropped inside `block_on`.
    Dropped,
    /// `close` is called first, and they outlive the runtime.
    Closed,
    /// A task that never ends has them.
    InATask,
    /// They come out of `block_on` and outlive the runtime.
    OutlivesTheRuntime,
}

const ENDINGS: [Ending; 4] = [Ending::Dropped, Ending::Closed, Ending::InATask, Ending::OutlivesTheRuntime];

/// A whole program: a runtime, a connection, one line, the end.
fn program(runtime: fn() -> Runtime, address: SocketAddr, ending: Ending) {
    let runtime = runtime();
    let halves = runtime.block_on(async {
        let (reader, writer) = highwater_stream::pair(TcpStream::connect(address).await.unwrap());
        writer.write(LINE).unwrap();
        match ending {
            Ending::Dropped => None,
            Ending::Closed => {
                writer.close();
                Some((reader, writer))
            }
            Ending::InATask => {
                tokio::spawn(async move {
                    let _halves = (reader, writer);
                    pending::<()>().await;
                });
                None
            }
            Ending::OutlivesTheRuntime => Some((reader, writer)),
        }
    });
    drop(runtime);
    drop(halves);
}

fn programs(flavour: &str, runtime: fn() -> Runtime) {
    for ending in ENDINGS {
        bounded(move || {
            let listener = StdListener::bind(("127.0.0.1", 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let peer = thread::spawn(move || {
                for time in 0..TIMES {
                    let mut got = String::new();
                    let (mut stream, _) = listener.accept().unwrap();
                    stream.read_to_string(&mut got).unwrap();
                    assert_eq!(got, LINE, "{ending:?}, time {time}");
                }
            });
            for _ in 0..TIMES {
                program(runtime, address, ending);
            }
            peer.join().unwrap();
        });
    }
    let count = TIMES * ENDINGS.len();
    report(&format!("w2: {count} programs on {flavour} wrote one line and ended, {count} lines arrived"));
}

#[test]
fn w2_a_program_on_one_thread_that_writes_and_ends_is_heard_every_time() {
    programs("one thread", one_thread);
}

#[test]
fn w2_a_program_on_two_workers_that_writes_and_ends_is_heard_every_time() {
    programs("two workers", two_workers);
}

/// The accepting side: the runtime may not have asked the kernel yet whether the socket takes bytes. One
/// listener serves all of them, as it would under a supervisor.
fn answering_programs(runtime: fn() -> Runtime) {
    bounded(move || {
        let listener = StdListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        for time in 0..TIMES {
            let mut client = StdStream::connect(listener.local_addr().unwrap()).unwrap();
            let inherited = listener.try_clone().unwrap();
            let runtime = runtime();
            runtime.block_on(async {
                let listener = TcpListener::from_std(inherited).unwrap();
                let (_reader, writer) = highwater_stream::pair(listener.accept().await.unwrap().0);
                writer.write(LINE).unwrap();
            });
            drop(runtime);
            let mut got = String::new();
            client.read_to_string(&mut got).unwrap();
            assert_eq!(got, LINE, "time {time}");
        }
    });
}

#[test]
fn w2_a_program_on_one_thread_that_answers_and_ends_is_heard_every_time() {
    answering_programs(one_thread);
}

#[test]
fn w2_a_program_on_two_workers_that_answers_and_ends_is_heard_every_time() {
    answering_programs(two_workers);
}
