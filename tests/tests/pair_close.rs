//! W7 over memory: `close` delivers, wakes the reader, and tells the same truth to all who wait.

use highwater_stream::StreamWriter;
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{scripted, stalled_after};
use std::io;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};

#[test]
fn w7_close_delivers_and_then_ends() {
    run(async {
        let (transport, script) = stalled_after(3);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("abcdef").unwrap();
        writer.close();
        assert!(writer.is_closing());
        assert_eq!((script.taken(), script.calls().shutdowns), (b"abc".to_vec(), 0));
        script.open();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcdef".to_vec(), 1));
        assert!(!script.is_gone(), "it lingers");
        script.arrive_end();
        writer.wait_closed().await.unwrap();
        assert!(script.is_gone());
    });
}

#[test]
fn w7_close_is_idempotent_from_every_handle() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        let (clone, weak) = (writer.clone(), writer.downgrade());
        writer.write("once").unwrap();
        for _ in 0..3 {
            writer.close();
            clone.close();
            weak.close();
            settle().await;
        }
        script.arrive_end();
        settle().await;
        writer.close();
        weak.close();
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"once".to_vec(), 1));
        writer.wait_closed().await.unwrap();
        drop((reader, writer, clone));
        assert_eq!(script.calls().shutdowns, 1);
    });
}

#[test]
fn w7_a_waiting_read_is_woken_by_close() {
    run(async {
        let (transport, _script) = stalled_after(0);
        let (mut reader, writer) = highwater_stream::pair(transport);
        writer.write("not delivered yet").unwrap();
        let mut read = task::spawn(reader.read_line());
        assert_pending!(read.poll());
        writer.close();
        assert!(read.is_woken());
        assert_eq!(assert_ready_ok!(read.poll()), None);
    });
}

#[test]
fn w7_what_is_buffered_is_read_after_close_and_then_the_end() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.arrive("one\ntwo\nthr");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "one\n");
        writer.close();
        script.arrive("ee\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "two\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "thr");
        for _ in 0..3 {
            assert_eq!(reader.read_line().await.unwrap(), None);
        }
        assert!(reader.at_eof() && reader.error().is_none());
    });
}

#[test]
fn w7_dropping_both_halves_closes_in_either_order() {
    run(async {
        for reader_first in [false, true] {
            let (transport, script) = stalled_after(2);
            let (reader, writer) = highwater_stream::pair(transport);
            let weak = writer.downgrade();
            writer.write("abcd").unwrap();
            if reader_first {
                drop(reader);
                drop(writer);
            } else {
                drop(writer);
                drop(reader);
            }
            assert!(!weak.is_gone());
            script.open();
            settle().await;
            assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcd".to_vec(), 1));
            // It reads and discards until the peer's end.
            script.arrive("unread");
            settle().await;
            assert_eq!((script.bytes_read(), script.is_gone()), (6, false));
            script.arrive_end();
            weak.wait_gone().await;
            assert!(script.is_gone());
        }
    });
}

#[test]
fn w7_dropping_only_the_writers_ends_our_half() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (mut reader, writer) = highwater_stream::pair(transport);
        let clone = writer.clone();
        writer.write("abcd").unwrap();
        drop(writer);
        script.open();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcd".to_vec(), 0));
        drop(clone);
        settle().await;
        assert_eq!((script.calls().shutdowns, script.is_gone()), (1, false));
        script.arrive("reading goes on\n");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "reading goes on\n");
        script.arrive_end();
        assert_eq!(reader.read_line().await.unwrap(), None);
        drop(reader);
        settle().await;
        assert!(script.is_gone());
        assert_eq!(script.calls().shutdowns, 1);
    });
}

/// Where our half cannot be ended alone, it stays open for as long as the reader reads.
#[test]
fn w7_dropping_only_the_writers_delivers_where_a_half_cannot_end() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (mut reader, writer) = highwater_stream::Pair::new(transport).can_write_eof(false).split();
        writer.write("abcd").unwrap();
        drop(writer);
        script.open();
        settle().await;
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcd".to_vec(), 0));
        script.arrive("x");
        assert_eq!(reader.read(1).await.unwrap(), "x");
        drop(reader);
        settle().await;
        assert_eq!(script.calls().shutdowns, 1);
    });
}

#[test]
fn w7_dropping_only_the_reader_changes_nothing_for_the_writer() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        drop(reader);
        writer.write("on and").unwrap();
        writer.flush().await.unwrap();
        writer.write(" on").unwrap();
        writer.flush().await.unwrap();
        assert_eq!((script.delivered(), script.is_gone()), (b"on and on".to_vec(), false));
    });
}

#[test]
fn w7_wait_closed_tells_many_the_same_truth() {
    run(async {
        let (transport, script) = stalled_after(4);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("0123456789").unwrap();
        let wait = |writer: &StreamWriter<_>| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.wait_closed().await.unwrap_err() })
        };
        let mut waits: Vec<_> = (0..10).map(|_| wait(&writer)).collect();
        settle().await;
        let mut cancelled = task::spawn(writer.wait_closed());
        assert_pending!(cancelled.poll());
        drop(cancelled);
        writer.close();
        waits.extend((0..10).map(|_| wait(&writer)));
        settle().await;
        assert!(waits.iter().all(|wait| !wait.is_finished()));
        script.fail_writes(io::Error::from_raw_os_error(104));
        settle().await;
        waits.extend((0..10).map(|_| wait(&writer)));
        for wait in waits {
            let error = wait.await.unwrap();
            assert_eq!((error.unsent(), error.cause().raw_os_error()), (6, Some(104)));
        }
        for _ in 0..3 {
            let error = writer.wait_closed().await.unwrap_err();
            assert_eq!((error.unsent(), error.cause().raw_os_error()), (6, Some(104)));
        }
    });
}

/// It does not close: it waits for whoever does.
#[test]
fn w7_wait_closed_waits_for_the_close() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        let mut wait = task::spawn(writer.wait_closed());
        assert_pending!(wait.poll());
        settle().await;
        assert!(!wait.is_woken() && !writer.is_closing());
        drop(reader);
        script.arrive_end();
        writer.close();
        settle().await;
        assert!(wait.is_woken());
        assert_ready!(wait.poll()).unwrap();
    });
}

#[test]
fn w7_without_a_runtime_wait_closed_does_the_work() {
    bounded(|| {
        let (transport, script) = stalled_after(3);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("abcdef").unwrap();
        writer.close();
        let mut first = task::spawn(writer.wait_closed());
        let mut second = task::spawn(writer.wait_closed());
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        script.arrive("unread");
        script.open();
        assert!(first.is_woken() && second.is_woken());
        drop(first);
        assert_ready_ok!(second.poll());
        assert_eq!((script.delivered(), script.calls().shutdowns), (b"abcdef".to_vec(), 1));
        assert!(script.is_gone());
    });
}

/// A peer that has gone already does not spoil a close after everything was flushed.
#[test]
fn w7_a_shutdown_of_a_connection_that_has_gone_is_no_failure() {
    run(async {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
        for gone in [NotConnected, BrokenPipe, ConnectionReset, ConnectionAborted] {
            let (transport, script) = scripted();
            script.fail_shutdown(gone.into());
            script.arrive(b"the last word");
            script.arrive_end();
            let (mut reader, writer) = highwater_stream::pair(transport);
            writer.write("all").unwrap();
            writer.write_eof().unwrap();
            assert_eq!(reader.read_to_end(100).await.unwrap(), "the last word");
            writer.close();
            writer.wait_closed().await.unwrap();
            assert_eq!(script.delivered(), b"all");
        }
    });
}

/// Nothing of a connection that has ended is kept: not the transport, not the task.
#[test]
fn w7_nothing_is_left_behind() {
    run(async {
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = alive();
        for round in 0..20 {
            let (transport, script) = scripted();
            let (mut reader, writer) = highwater_stream::pair(transport);
            writer.write("x").unwrap();
            settle().await;
            match round % 4 {
                0 => writer.close(),
                1 => writer.abort(),
                2 => {
                    script.arrive_error(io::Error::from_raw_os_error(104));
                    reader.read(1).await.unwrap_err();
                }
                _ => writer.downgrade().close(),
            }
            script.arrive_end();
            settle().await;
            assert!(script.is_gone(), "round {round}");
            assert_eq!(alive(), before, "round {round}");
            drop((reader, writer));
        }
    });
}
