//! How much a reader asks a transport for, as it gets to know it.

use highwater_stream::StreamReader;
use highwater_tests::bounded::one_thread;
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};

/// Fills a share of what it is given room for, and tells how much that room was.
struct Busy {
    percent: usize,
    asked_for: Rc<Cell<usize>>,
}

impl AsyncRead for Busy {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.asked_for.set(into.remaining());
        let count = into.remaining() * self.percent / 100;
        into.put_slice(&b"a line of 16 b.\n".repeat(1 + count / 16)[..count]);
        Poll::Ready(Ok(()))
    }
}

fn asked_for(percent: usize, mut read: impl AsyncFnMut(&mut StreamReader<Busy>)) -> usize {
    let asked_for = Rc::new(Cell::new(0));
    let mut reader = StreamReader::new(Busy { percent, asked_for: Rc::clone(&asked_for) });
    one_thread().block_on(async {
        for _ in 0..20_000 {
            read(&mut reader).await;
        }
    });
    asked_for.get()
}

#[test]
fn r1_a_transport_that_fills_whatever_it_is_given_is_given_64_kib() {
    let by_line = asked_for(100, async |reader| assert!(reader.read_line_ref().await.unwrap().is_some()));
    let all = asked_for(100, async |reader| drop(reader.read(usize::MAX).await.unwrap()));
    assert_eq!((by_line, all), (64 * 1024, 64 * 1024));
}

#[test]
fn r1_a_transport_that_brings_less_than_it_could_is_given_no_more() {
    let by_line = asked_for(75, async |reader| assert!(reader.read_line_ref().await.unwrap().is_some()));
    let all = asked_for(75, async |reader| drop(reader.read(usize::MAX).await.unwrap()));
    assert_eq!((by_line, all), (4096, 4096));
}
