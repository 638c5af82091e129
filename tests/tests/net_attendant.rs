//! Who sends for a server's connection: on one thread the connection's own task, behind the handler, which may
//! never run out of work; with more threads a task of its own, since a handler may block its thread.

use highwater_net::{StreamReader, StreamWriter, open_connection, start_server};
use highwater_tests::bounded::{bounded, one_thread, two_workers};
use highwater_tests::memory::memory;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::task::coop::poll_proceed;

/// How often a flood has input before it ends.
const READS: usize = 20_000;

#[derive(Debug, Default)]
struct Seen {
    reads: AtomicUsize,
    /// How many reads there had been at the first write, or zero.
    first_write_after: AtomicUsize,
}

/// A peer that sends without a pause, and takes whatever it is given. As a socket of tokio's, it costs a task its turn.
#[derive(Debug)]
struct Flood(Arc<Seen>);

impl AsyncRead for Flood {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(poll_proceed(cx)).made_progress();
        if self.0.reads.fetch_add(1, Ordering::SeqCst) < READS {
            into.put_slice(b"x");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(poll_proceed(cx)).made_progress();
        let Seen { reads, first_write_after } = &*self.0;
        let reads = reads.load(Ordering::SeqCst);
        let _ = first_write_after.compare_exchange(0, reads, Ordering::SeqCst, Ordering::SeqCst);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn greet_and_read(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    writer.write("welcome\n")?;
    while !reader.read(1).await?.is_empty() {
        writer.drain().await?;
    }
    Ok(())
}

#[test]
fn w3_what_a_handler_writes_leaves_although_its_input_never_pauses() {
    let seen = Arc::new(Seen::default());
    let flood = Flood(Arc::clone(&seen));
    bounded(move || {
        one_thread().block_on(async {
            let (listener, connector) = memory();
            let server = start_server(greet_and_read, listener).await.unwrap();
            connector.bring(flood);
            while server.counts().accepted == 0 || server.counts().open > 0 {
                tokio::task::yield_now().await;
            }
        });
    });
    let after = seen.first_write_after.load(Ordering::SeqCst);
    assert!(
        (1..1000).contains(&after),
        "a turn of the task is some hundred reads, and the write came after {after}"
    );
}

#[test]
fn w2_the_question_of_a_handler_that_blocks_its_thread_for_the_answer_is_sent() {
    async fn ask(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
        writer.write("who?\n")?;
        let answer = block_in_place(|| Handle::current().block_on(reader.read_line()))?;
        Ok(writer.write(answer.unwrap_or_default())?)
    }
    bounded(|| {
        two_workers().block_on(async {
            let server = start_server(ask, ("127.0.0.1", 0)).await.unwrap();
            let (mut reader, writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "who?\n");
            writer.write("me\n").unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "me\n");
        });
    });
}

#[test]
fn w3_what_others_write_is_sent_while_a_handler_blocks_its_thread() {
    bounded(|| {
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        two_workers().block_on(async {
            let (give, mut given) = tokio::sync::mpsc::unbounded_channel();
            let busy = move |_reader: StreamReader, writer: StreamWriter| {
                let (give, ended) = (give.clone(), Arc::clone(&ended));
                async move {
                    block_in_place(|| {
                        give.send(writer.clone()).unwrap();
                        ended.lock().unwrap().recv().unwrap();
                    });
                }
            };
            let server = start_server(busy, ("127.0.0.1", 0)).await.unwrap();
            let (mut reader, _writer) = open_connection(server.local_addrs()[0]).await.unwrap();
            let others = given.recv().await.unwrap();
            others.write("news\n").unwrap();
            others.drain().await.unwrap();
            assert_eq!(reader.read_line().await.unwrap().unwrap(), "news\n");
            end.send(()).unwrap();
        });
    });
}
