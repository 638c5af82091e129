//! S3, N1: a listener of the caller's may call the server, as it is asked and as it is dropped; and a `close`
//! in the middle of a question ends it.

use highwater_net::{Address, Incoming, Listener, Server, start_server};
use highwater_tests::counted::on_each_runtime;
use highwater_tests::net::echo;
use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::io::AsyncReadExt;

type Call = Box<dyn FnMut(&Server) + Send>;

/// Calls the server, if it is told of one, as it is asked and as it is dropped. Brings one connection.
struct Calls {
    server: Arc<OnceLock<Server>>,
    asked: Call,
    dropped: Call,
    brings: Option<Incoming>,
}

impl Listener for Calls {
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Incoming>> {
        if let Some(server) = self.server.get() {
            (self.asked)(server);
        }
        self.brings.take().map_or(Poll::Pending, |incoming| Poll::Ready(Ok(incoming)))
    }

    fn local_addr(&self) -> Address {
        Address::Unknown
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let Some(server) = self.server.get() {
            (self.dropped)(server);
        }
    }
}

/// A server of such a listener, which does not serve yet; the other end of what it brings; and whether it
/// was serving as the listener was dropped.
async fn server(
    asked: impl FnMut(&Server) + Send + 'static,
) -> (Server, tokio::io::DuplexStream, Receiver<bool>) {
    let (near, far) = tokio::io::duplex(64);
    let (tell, told) = channel();
    let cell = Arc::new(OnceLock::new());
    let listener: Box<dyn Listener> = Box::new(Calls {
        server: Arc::clone(&cell),
        asked: Box::new(asked),
        dropped: Box::new(move |server| {
            server.close();
            tell.send(server.is_serving()).unwrap();
        }),
        brings: Some(Incoming::new(far)),
    });
    let server = start_server(echo, listener).start_serving(false).await.unwrap();
    cell.set(server.clone()).unwrap();
    (server, near, told)
}

#[test]
fn s3_a_listener_may_call_the_server_as_it_is_dropped() {
    on_each_runtime(|| async {
        for serves in [false, true] {
            let (server, near, told) = server(|_| ()).await;
            if serves {
                server.start_serving().unwrap();
            }
            let closing = server.clone();
            std::thread::spawn(move || closing.close()).join().unwrap();
            if !serves {
                assert_eq!(told.try_recv(), Ok(false), "dropped by the `close`");
            } else {
                // Or, had it just been asked, by the task.
                assert_eq!(told.recv(), Ok(false));
            }
            drop(near);
            server.wait_closed().await;
        }
    });
}

#[test]
fn s3_a_listener_that_closes_the_server_as_it_is_asked_is_dropped_as_it_answers() {
    on_each_runtime(|| async {
        let (server, mut near, told) = server(|server| {
            server.close();
            assert!(!server.is_serving());
        })
        .await;
        server.start_serving().ok();
        server.serve_forever().await.unwrap();
        assert_eq!(near.read(&mut [0]).await.unwrap(), 0, "who comes at that moment is turned away");
        server.wait_closed().await;
        assert_eq!((server.counts().accepted, server.counts().open), (0, 0));
        assert_eq!(told.recv(), Ok(false));
    });
}

#[test]
fn s3_a_close_by_another_thread_does_not_wait_for_a_listeners_answer() {
    on_each_runtime(|| async {
        let (enter, entered) = channel();
        let (leave, left) = channel();
        let (server, mut near, told) = server(move |server| {
            enter.send(()).unwrap();
            left.recv().unwrap();
            assert!(!server.is_serving());
        })
        .await;
        let closing = server.clone();
        let closer = std::thread::spawn(move || {
            entered.recv().unwrap();
            closing.close();
            assert!(!closing.is_serving());
            leave.send(()).unwrap();
        });
        server.start_serving().ok();
        assert_eq!(near.read(&mut [0]).await.unwrap(), 0, "no client is added after `close`");
        server.wait_closed().await;
        closer.join().unwrap();
        assert_eq!((server.counts().accepted, server.counts().open), (0, 0));
        assert_eq!(told.recv(), Ok(false));
    });
}
