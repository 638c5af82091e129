//! The weak writer: it keeps nothing open, and reaches the connection wherever its halves are.

use highwater_stream::Pair;
use highwater_tests::bounded::{bounded, run, settle};
use highwater_tests::transport::{reset, scripted, stalled_after};
use std::io;
use tokio_test::{assert_pending, assert_ready, task};

#[test]
fn w7_a_weak_writer_keeps_nothing_open() {
    run(async {
        let (transport, script) = scripted();
        script.arrive_end();
        let (reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        let clone = weak.upgrade().expect("a writer is left");
        clone.write("by an upgraded one").unwrap();
        drop(clone);
        assert_eq!(script.calls().shutdowns, 0);
        drop(writer);
        assert!(weak.upgrade().is_none(), "only the reader is left");
        assert!(weak.clone().upgrade().is_none());
        assert_eq!(script.calls().shutdowns, 1);
        drop(reader);
        weak.wait_gone().await;
        weak.wait_gone().await;
        assert!(weak.is_gone() && script.is_gone() && weak.upgrade().is_none());
        assert_eq!(script.delivered(), b"by an upgraded one");
    });
}

#[test]
fn w7_a_weak_writer_closes_while_only_the_reader_lives() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        drop(writer);
        let mut read = task::spawn(reader.read(1));
        assert_pending!(read.poll());
        weak.close();
        assert!(read.is_woken());
        assert_eq!(assert_ready!(read.poll()).unwrap(), "");
        drop(read);
        let mut gone = task::spawn(weak.wait_gone());
        assert_pending!(gone.poll());
        script.arrive_end();
        settle().await;
        assert!(gone.is_woken());
        assert_ready!(gone.poll());
    });
}

#[test]
fn w8_a_weak_writer_aborts_while_only_the_reader_lives() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (mut reader, writer) = Pair::new(transport).on_abort(reset).split();
        let weak = writer.downgrade();
        writer.write("lost").unwrap();
        drop(writer);
        let mut read = task::spawn(reader.read(1));
        assert_pending!(read.poll());
        weak.abort();
        assert!(read.is_woken() && script.was_reset() && weak.is_gone());
        let error = assert_ready!(read.poll()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    });
}

#[test]
fn w8_a_weak_writer_ends_a_delivery_that_nobody_holds_any_more() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (reader, writer) = Pair::new(transport).on_abort(reset).split();
        let weak = writer.downgrade();
        writer.write("lost").unwrap();
        drop((reader, writer));
        settle().await;
        assert!(!weak.is_gone());
        weak.abort();
        assert!(weak.is_gone() && script.was_reset());
        weak.wait_gone().await;
    });
}

/// Gone by a loss that the reader met, by the end of its linger, by the end of a runtime.
#[test]
fn w7_gone_is_told_however_it_went() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        let waits: Vec<_> = (0..5)
            .map(|_| {
                let weak = weak.clone();
                tokio::spawn(async move { weak.wait_gone().await })
            })
            .collect();
        settle().await;
        script.arrive_error(io::Error::from_raw_os_error(104));
        reader.read(1).await.unwrap_err();
        for wait in waits {
            wait.await.unwrap();
        }
    });
    bounded(|| {
        let runtime = highwater_tests::bounded::one_thread();
        let (transport, _script) = stalled_after(0);
        let (halves, weak) = runtime.block_on(async {
            let (reader, writer) = highwater_stream::pair(transport);
            let weak = writer.downgrade();
            writer.write("stuck").unwrap();
            ((reader, writer), weak)
        });
        drop(runtime);
        drop(halves);
        assert!(weak.is_gone());
        futures::executor::block_on(weak.wait_gone());
    });
}

/// The writer met a loss while the reader had gone: nobody needs the transport any more.
#[test]
fn w8_a_loss_without_a_reader_lets_the_transport_go() {
    run(async {
        for reader_first in [false, true] {
            let (transport, script) = scripted();
            let (reader, writer) = highwater_stream::pair(transport);
            let weak = writer.downgrade();
            let mut reader = Some(reader);
            if reader_first {
                reader = None;
            }
            script.fail_writes(io::Error::from_raw_os_error(104));
            writer.write("x").unwrap();
            writer.flush().await.unwrap_err();
            settle().await;
            assert_eq!(script.is_gone(), reader_first, "the reader may still fetch what is there");
            drop(reader);
            settle().await;
            assert!(script.is_gone() && weak.is_gone(), "reader_first: {reader_first}");
        }
    });
}

/// No runtime: whoever waits for the end does the work.
#[test]
fn w7_without_a_runtime_waiting_for_the_end_ends() {
    bounded(|| {
        let (transport, script) = stalled_after(0);
        let (_reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        writer.write("queued").unwrap();
        weak.close();
        let mut gone = task::spawn(weak.wait_gone());
        assert_pending!(gone.poll());
        script.open();
        assert!(gone.is_woken());
        assert_ready!(gone.poll());
        assert_eq!(script.delivered(), b"queued");
    });
}
