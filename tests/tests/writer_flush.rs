//! W5: `flush` is done when the transport's own flush is; so are the task that sends, close and drop.

use highwater_stream::{Pair, StreamWriter, Watermarks};
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{scripted, stalled_after};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use tokio_test::{assert_pending, assert_ready_ok, task};

#[test]
fn w5_flush_waits_for_the_flush_of_the_transport() {
    run(async {
        let (transport, script) = scripted();
        script.hold_flush();
        let writer = StreamWriter::new(transport);
        writer.write("held back").unwrap();
        let mut flush = task::spawn(writer.flush());
        assert_pending!(flush.poll());
        settle().await;
        assert_pending!(flush.poll());
        assert_eq!((script.taken(), writer.queued()), (b"held back".to_vec(), 0));
        script.release_flush();
        settle().await;
        assert!(flush.is_woken());
        assert_ready_ok!(flush.poll());
        assert_eq!(script.delivered(), b"held back");
    });
}

/// Nobody calls `flush`: the task that sends goes on with it once the transport can.
#[test]
fn w5_what_the_transport_holds_back_is_flushed_by_itself() {
    run(async {
        let (transport, script) = scripted();
        script.hold_flush();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("held back").unwrap();
        settle().await;
        assert_eq!((script.taken(), script.delivered()), (b"held back".to_vec(), vec![]));
        script.release_flush();
        settle().await;
        assert_eq!(script.delivered(), b"held back");
    });
}

#[test]
fn w5_what_a_drain_has_pushed_is_flushed_by_itself() {
    run(async {
        let (transport, script) = scripted();
        script.hold_flush();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write(vec![b'x'; 100_000]).unwrap();
        writer.drain().await.unwrap();
        assert_eq!((script.taken().len(), script.delivered().len()), (100_000, 0));
        script.release_flush();
        settle().await;
        assert_eq!(script.delivered().len(), 100_000);
    });
}

#[test]
fn w5_close_and_the_last_drop_flush() {
    run(async {
        for is_closed in [false, true] {
            let (transport, script) = scripted();
            script.hold_flush();
            let (reader, writer) = highwater_stream::pair(transport);
            writer.write("held back").unwrap();
            if is_closed {
                writer.close();
            }
            drop((reader, writer));
            settle().await;
            assert_eq!((script.taken(), script.calls().shutdowns), (b"held back".to_vec(), 0));
            script.release_flush();
            settle().await;
            assert_eq!((script.delivered(), script.calls().shutdowns), (b"held back".to_vec(), 1));
            // Flushed for itself, before the shutdown.
            assert_eq!(script.calls().flushes, 1);
        }
    });
}

#[test]
fn w5_flush_covers_what_was_queued_before_it_and_no_more() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        writer.write("before").unwrap();
        let mut flush = task::spawn(writer.flush());
        assert_pending!(flush.poll());
        writer.write(" after").unwrap();
        script.allow(5);
        settle().await;
        assert_pending!(flush.poll());
        script.allow(1);
        settle().await;
        assert_ready_ok!(flush.poll());
        assert_eq!(writer.queued(), 6);
        script.open();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"before after");
    });
}

#[test]
fn w5_flush_of_nothing_returns_at_once() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        assert_ready_ok!(task::spawn(writer.flush()).poll());
        assert_eq!(script.calls().all, 0);
    });
}

#[test]
fn w5_many_may_flush_and_each_waits_for_its_own() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        let mut flushes = Vec::new();
        for _ in 0..10 {
            writer.write("x").unwrap();
            let mut flush = task::spawn(writer.flush());
            assert_pending!(flush.poll());
            flushes.push(flush);
        }
        script.allow(10);
        settle().await;
        for mut flush in flushes {
            assert_ready_ok!(flush.poll());
        }
    });
}

#[test]
fn w5_an_error_of_the_flush_is_kept() {
    run(async {
        let (transport, script) = scripted();
        script.fail_flushes(io::Error::from_raw_os_error(32));
        let (_reader, writer) = Pair::new(transport).split();
        writer.write("taken").unwrap();
        assert_eq!(writer.flush().await.unwrap_err().raw_os_error(), Some(32));
        assert_eq!(writer.wait_closed().await.unwrap_err().cause().raw_os_error(), Some(32));
    });
}

#[test]
fn w5_flush_works_without_a_runtime() {
    bounded(|| {
        let (transport, script) = stalled_after(2);
        script.hold_flush();
        let writer = StreamWriter::new(transport);
        writer.write("abcd").unwrap();
        let mut first = task::spawn(writer.flush());
        let mut second = task::spawn(writer.flush());
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        script.open();
        assert!(first.is_woken() && second.is_woken());
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        script.release_flush();
        assert!(first.is_woken() && second.is_woken());
        assert_ready_ok!(first.poll());
        assert_ready_ok!(second.poll());
        assert_eq!(script.delivered(), b"abcd");
    });
}

/// Is not ready at first, and says at once that it is: before whoever asked can have gone to sleep.
struct Hesitant(usize);

impl AsyncWrite for Hesitant {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.0.checked_sub(1) {
            None => Poll::Ready(Ok(bytes.len())),
            Some(left) => {
                self.0 = left;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Outside of a runtime only those who wait send, so none of them may sleep through the transport's waker.
#[test]
fn w5_a_transport_that_is_ready_in_between_leaves_nobody_asleep() {
    bounded(|| {
        for hesitations in 0..10 {
            let writer = StreamWriter::new(Hesitant(hesitations));
            writer.write([0; 100]).unwrap();
            let mut flush = task::spawn(writer.flush());
            while flush.poll().is_pending() {
                assert!(flush.is_woken(), "asleep after {hesitations} hesitations");
            }

            let writer = StreamWriter::new(Hesitant(hesitations));
            writer.set_watermarks(Watermarks::with_high(0));
            writer.write([0; 100]).unwrap();
            let mut drain = task::spawn(writer.drain());
            while drain.poll().is_pending() {
                assert!(drain.is_woken(), "asleep after {hesitations} hesitations");
            }
        }
    });
}
