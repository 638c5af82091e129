//! S4: `max_connections` pauses accepting, over all listeners together, and resumes.

use highwater_net::{Listener, StreamReader, StreamWriter, start_server};
use highwater_tests::bounded::settle;
use highwater_tests::counted::{on_each_runtime, on_one_thread};
use highwater_tests::memory::memory;
use highwater_tests::net::{echo, is_echoed};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::unbounded_channel;

/// Ends when the client says so, or has gone.
async fn until_told(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    writer.write("served\n")?;
    reader.read_line().await?;
    Ok(())
}

#[test]
fn s4_a_server_without_a_place_accepts_none() {
    on_one_thread(|| async {
        let (listener, connector) = memory();
        let server = start_server(until_told, listener).max_connections(0).await.unwrap();
        let _waits = connector.connect();
        settle().await;
        assert_eq!((server.counts().accepted, connector.asked()), (0, 0));
        assert!(server.is_serving());
        server.close();
        server.wait_closed().await;
        assert!(connector.is_closed());
    });
}

#[test]
fn s4_no_more_than_max_connections_over_all_listeners() {
    on_one_thread(|| async {
        let (one, to_one) = memory();
        let (another, to_another) = memory();
        let server = start_server(until_told, vec![one, another]).max_connections(2).await.unwrap();
        let mut clients: Vec<_> = (0..3).flat_map(|_| [to_one.connect(), to_another.connect()]).collect();
        for served in 1..=6 {
            settle().await;
            assert_eq!(server.counts().open, (7 - served).min(2));
            assert_eq!(server.counts().accepted, (served as u64 + 1).min(6));
            // One of those that are served goes, and one that waits comes.
            let mut found = None;
            for (index, (reader, _)) in clients.iter_mut().enumerate() {
                let mut reading = Box::pin(reader.peek(1));
                if futures::poll!(&mut reading).is_ready() {
                    found = Some(index);
                    break;
                }
            }
            drop(clients.swap_remove(found.expect("somebody is served")));
        }
        settle().await;
        assert_eq!(server.counts().open, 0);
    });
}

#[test]
fn s4_a_full_server_does_not_ask_and_asks_again_when_a_client_is_gone() {
    on_one_thread(|| async {
        let (listener, connector) = memory();
        let server = start_server(until_told, listener).max_connections(1).await.unwrap();
        let first = connector.connect();
        settle().await;
        let asked = connector.asked();
        let (mut second, _second) = connector.connect();
        let _third = connector.connect();
        settle().await;
        assert_eq!((connector.asked(), server.counts().open), (asked, 1), "it rests");
        drop(first);
        assert_eq!(second.read_line().await.unwrap().unwrap(), "served\n");
        assert_eq!(server.counts().open, 1);
    });
}

/// A listener that nobody comes to does not keep the last place from another.
#[test]
fn s4_the_last_place_is_for_whoever_comes() {
    on_one_thread(|| async {
        let (one, to_one) = memory();
        let (another, to_another) = memory();
        let (idle, to_idle) = memory();
        let listeners: Vec<Box<dyn Listener>> = vec![one, idle, another];
        let server = start_server(until_told, listeners).max_connections(1).await.unwrap();
        for _ in 0..20 {
            for connector in [&to_another, &to_one] {
                let (mut reader, writer) = connector.connect();
                assert_eq!(reader.read_line().await.unwrap().unwrap(), "served\n");
                assert_eq!(server.counts().open, 1);
                drop((reader, writer));
            }
        }
        assert!(to_idle.asked() < 200, "{} times asked in vain", to_idle.asked());
    });
}

#[test]
fn s4_close_while_accepting_is_paused() {
    on_each_runtime(|| async {
        for most in [0, 1] {
            let (listener, connector) = memory();
            let server = start_server(until_told, listener).max_connections(most).await.unwrap();
            let mut first = None;
            if most == 1 {
                let (mut reader, writer) = connector.connect();
                assert_eq!(reader.read_line().await.unwrap().unwrap(), "served\n");
                first = Some((reader, writer));
            }
            let (mut waits, _writer) = connector.connect();
            settle().await;
            server.close();
            assert!(connector.is_closed());
            assert_eq!(waits.read_line().await.unwrap(), None, "it was never accepted");
            drop(first);
            server.wait_closed().await;
            assert_eq!(server.counts().accepted, most as u64);
        }
    });
}

/// Many clients on several threads: the bound is never passed, and nobody is forgotten.
#[test]
fn s4_the_bound_holds_under_load_and_everybody_is_served() {
    const MOST: usize = 3;
    on_each_runtime(|| async {
        let now = Arc::new(AtomicUsize::new(0));
        let peak = Arc::new(AtomicUsize::new(0));
        let (running, highest) = (Arc::clone(&now), Arc::clone(&peak));
        let handler = move |reader: StreamReader, writer: StreamWriter| {
            let (running, highest) = (Arc::clone(&running), Arc::clone(&highest));
            async move {
                highest.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let ended = echo(reader, writer).await;
                running.fetch_sub(1, Ordering::SeqCst);
                ended
            }
        };
        let listeners: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let server = start_server(handler, listeners).max_connections(MOST).await.unwrap();
        let clients = (0..60).map(|number| {
            let address = server.local_addrs()[number % 2];
            tokio::spawn(async move { drop(is_echoed(address).await.unwrap()) })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
            assert!(server.counts().open <= MOST);
        }
        assert_eq!(peak.load(Ordering::SeqCst), MOST);
        server.close();
        server.wait_closed().await;
        assert_eq!(now.load(Ordering::SeqCst), 0);
        assert_eq!(server.counts().accepted, 60);
    });
}

/// A client's place is free when its connection is gone and its handler has ended, not before.
#[test]
fn s4_a_place_is_kept_until_the_handler_has_ended() {
    on_one_thread(|| async {
        let (end, mut may_end) = unbounded_channel::<tokio::sync::oneshot::Sender<()>>();
        let handler = move |reader: StreamReader, writer: StreamWriter| {
            let end = end.clone();
            async move {
                drop((reader, writer));
                let (tell, told) = tokio::sync::oneshot::channel();
                end.send(tell).ok();
                told.await.ok();
            }
        };
        let (listener, connector) = memory();
        let server = start_server(handler, listener).max_connections(1).await.unwrap();
        drop(connector.connect());
        let first = may_end.recv().await.unwrap();
        drop(connector.connect());
        settle().await;
        assert_eq!(server.counts().accepted, 1);
        assert!(may_end.try_recv().is_err());
        first.send(()).unwrap();
        may_end.recv().await.unwrap().send(()).unwrap();
        server.close();
        server.wait_closed().await;
    });
}

/// Declined connections take a place for a moment only.
#[test]
fn s4_who_is_declined_gives_the_place_back() {
    on_each_runtime(|| async {
        let (listener, connector) = memory();
        let server = start_server(echo, listener).max_connections(1).admit(|_| false).await.unwrap();
        for refused in 1..=5 {
            let (mut reader, _writer) = connector.connect();
            assert_eq!(reader.read(1).await.unwrap(), "");
            assert_eq!(server.counts().refused, refused);
        }
    });
}
