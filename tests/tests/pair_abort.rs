//! W8: `abort` drops the queue and resets, wherever the reader is.

use highwater_stream::Pair;
use highwater_tests::bounded::{bounded, one_thread, run, run_on_workers, settle};
use highwater_tests::transport::{reset, scripted, stalled_after};
use std::io;
use tokio::runtime::Runtime;
use tokio_test::{assert_pending, assert_ready_err, task};

#[test]
fn w8_abort_drops_what_is_queued() {
    run(async {
        let (transport, script) = stalled_after(3);
        let (_reader, writer) = Pair::new(transport).on_abort(reset).split();
        writer.write("abcdef").unwrap();
        settle().await;
        writer.write("ghi").unwrap();
        writer.abort();
        assert!(script.was_reset() && script.is_gone(), "there and then");
        assert_eq!((script.taken(), script.calls().shutdowns), (b"abc".to_vec(), 0));
        assert_eq!(writer.queued(), 0);
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!((error.unsent(), error.cause().kind()), (6, io::ErrorKind::ConnectionAborted));
    });
}

/// The abort comes from elsewhere while the transport takes bytes: those are not lost.
#[test]
fn w8_what_the_transport_takes_meanwhile_is_not_counted_as_unsent() {
    run(async {
        let (transport, script) = stalled_after(0);
        let (_reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        script.on_write(move || weak.abort());
        writer.write("0123456789").unwrap();
        script.allow(4);
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!((error.unsent(), script.taken()), (6, b"0123".to_vec()));
        assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), 6);
    });
}

#[test]
fn w8_without_abort_there_is_no_reset() {
    run(async {
        let (transport, script) = scripted();
        script.arrive_end();
        let (_reader, writer) = Pair::new(transport).on_abort(reset).split();
        writer.close();
        writer.wait_closed().await.unwrap();
        assert!(script.is_gone() && !script.was_reset());
    });
}

#[test]
fn w8_a_waiting_read_is_woken_gets_what_is_buffered_and_then_the_error() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.arrive("one\ntw");
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "one\n");
        let mut read = task::spawn(reader.read_line());
        assert_pending!(read.poll());
        writer.abort();
        assert!(read.is_woken());
        assert_eq!(io::Error::from(assert_ready_err!(read.poll())).kind(), io::ErrorKind::ConnectionAborted);
        drop(read);
        assert_eq!(reader.read(100).await.unwrap(), "tw");
        for _ in 0..3 {
            assert_eq!(reader.read(100).await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        }
        assert!(!reader.at_eof());
        assert_eq!(reader.error().unwrap().kind(), io::ErrorKind::ConnectionAborted);
    });
}

#[test]
fn w8_abort_reaches_a_reader_in_another_task() {
    async fn check() {
        let (transport, script) = scripted();
        let (mut reader, writer) = Pair::new(transport).on_abort(reset).split();
        let task = tokio::spawn(async move { reader.read(1).await.unwrap_err().kind() });
        settle().await;
        writer.abort();
        assert_eq!(task.await.unwrap(), io::ErrorKind::ConnectionAborted);
        assert!(script.was_reset());
    }
    run(check());
    run_on_workers(check());
}

#[test]
fn w8_all_who_wait_are_told() {
    run(async {
        let (transport, _script) = stalled_after(0);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write(vec![0; 100_000]).unwrap();
        let mut drain = task::spawn(writer.drain());
        let mut flush = task::spawn(writer.flush());
        let mut closed = task::spawn(writer.wait_closed());
        assert_pending!(drain.poll());
        assert_pending!(flush.poll());
        assert_pending!(closed.poll());
        writer.downgrade().abort();
        assert_eq!(assert_ready_err!(drain.poll()).kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(assert_ready_err!(flush.poll()).kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(assert_ready_err!(closed.poll()).unsent(), 100_000);
    });
}

/// In the middle of a delivery, of a linger, and when all is over.
#[test]
fn w8_abort_after_close() {
    run(async {
        let (transport, script) = stalled_after(2);
        let (_reader, writer) = Pair::new(transport).on_abort(reset).split();
        writer.write("abcd").unwrap();
        writer.close();
        writer.abort();
        assert!(script.was_reset() && script.is_gone());
        assert_eq!(writer.wait_closed().await.unwrap_err().unsent(), 2);

        let (transport, script) = scripted();
        let (mut reader, writer) = Pair::new(transport).on_abort(reset).split();
        writer.write("abcd").unwrap();
        writer.close();
        writer.abort();
        assert!(script.was_reset() && script.is_gone());
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!((error.unsent(), error.cause().kind()), (0, io::ErrorKind::ConnectionAborted));
        assert_eq!(reader.read(1).await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);

        let (transport, script) = scripted();
        script.arrive_end();
        let (_reader, writer) = Pair::new(transport).on_abort(reset).split();
        writer.close();
        writer.wait_closed().await.unwrap();
        writer.abort();
        writer.abort();
        writer.wait_closed().await.unwrap();
        assert!(!script.was_reset());
    });
}

#[test]
fn w8_abort_works_without_a_runtime_and_after_one() {
    for runtime in [None, Some(one_thread as fn() -> Runtime)] {
        bounded(move || {
            let runtime = runtime.map(|runtime| runtime());
            let (transport, script) = stalled_after(0);
            let (mut reader, writer) = {
                let _entered = runtime.as_ref().map(|runtime| runtime.enter());
                Pair::new(transport).on_abort(reset).split()
            };
            drop(runtime);
            writer.write("lost").unwrap();
            writer.abort();
            assert!(script.was_reset() && script.is_gone());
            let error = futures::executor::block_on(writer.wait_closed()).unwrap_err();
            assert_eq!(error.unsent(), 4);
            let error = futures::executor::block_on(reader.read(1)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        });
    }
}

/// Aborts, writes, reads and looks from several threads at once: it ends, and the transport goes.
#[test]
fn w8_abort_beside_everything_else_always_takes_effect() {
    for _ in 0..200 {
        bounded(|| {
            let (transport, script) = scripted();
            let (mut reader, writer) = Pair::new(transport).on_abort(reset).split();
            let (looker, pusher) = (writer.clone(), writer.clone());
            let threads = [
                std::thread::spawn(move || while looker.with_transport(|_| ()).is_some() {}),
                std::thread::spawn(move || {
                    while pusher.write("x").is_ok() && futures::executor::block_on(pusher.flush()).is_ok() {}
                }),
                std::thread::spawn(move || {
                    futures::executor::block_on(reader.read(1)).unwrap_err();
                }),
            ];
            std::thread::yield_now();
            writer.abort();
            for thread in threads {
                thread.join().unwrap();
            }
            assert!(script.was_reset() && script.is_gone());
        });
    }
}
