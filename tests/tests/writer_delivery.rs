//! W2: what was accepted is sent without any further call, also when everything is dropped or the runtime
//! ends; what the transport refuses at the end is told.

use highwater_stream::{Pair, StreamWriter};
use highwater_tests::bounded::{bounded, one_thread, run, run_paused, settle, two_workers};
use highwater_tests::transport::{scripted, stalled_after};
use std::future::pending;
use std::io;
use std::time::Duration;

#[test]
fn w2_bytes_leave_when_the_task_yields() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("first").unwrap();
        assert_eq!(script.taken(), b"");
        settle().await;
        assert_eq!(script.delivered(), b"first");
        // Again, once the task that sends has gone idle.
        writer.write(" second").unwrap();
        settle().await;
        assert_eq!(script.delivered(), b"first second");
    });
}

#[test]
fn w2_bytes_leave_while_the_program_only_reads() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        writer.write("question").unwrap();
        let peer = script.clone();
        let task = tokio::spawn(async move {
            settle().await;
            assert_eq!(peer.delivered(), b"question");
            peer.arrive("answer\n");
        });
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "answer\n");
        task.await.unwrap();
    });
}

#[test]
fn w2_bytes_leave_piece_by_piece_as_the_transport_takes_them() {
    run(async {
        let (transport, script) = stalled_after(1);
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write("abcdef").unwrap();
        for taken in 1..=6 {
            settle().await;
            assert_eq!(script.taken(), &b"abcdef"[..taken]);
            script.allow(1);
        }
    });
}

#[test]
fn w2_the_drop_of_the_last_writer_hands_over_there_and_then() {
    bounded(|| {
        for in_runtime in [false, true] {
            let runtime = one_thread();
            let guard = in_runtime.then(|| runtime.enter());
            let (transport, script) = scripted();
            let (reader, writer) = highwater_stream::pair(transport);
            let clone = writer.clone();
            writer.write("from one, ").unwrap();
            drop(writer);
            assert_eq!(script.calls().shutdowns, 0);
            clone.write("from the other").unwrap();
            drop(clone);
            assert_eq!(script.delivered(), b"from one, from the other");
            assert_eq!(script.calls().shutdowns, 1);
            assert!(!script.is_gone());
            drop(reader);
            drop(guard);
        }
    });
}

#[test]
fn w2_what_a_drop_could_not_hand_over_is_left_to_the_task_that_sends() {
    run(async {
        let (transport, script) = stalled_after(3);
        let (reader, writer) = highwater_stream::pair(transport);
        writer.write("abcdef").unwrap();
        drop((reader, writer));
        assert_eq!(script.taken(), b"abc");
        script.open();
        settle().await;
        assert_eq!(script.delivered(), b"abcdef");
        script.arrive_end();
        settle().await;
        assert!(script.is_gone());
    });
}

/// The runtime drops the handler and the task that sends in an order of its own.
#[test]
fn w2_a_runtime_that_shuts_down_hands_over_what_its_tasks_wrote() {
    for runtime in [one_thread, two_workers] {
        for written_first in [false, true] {
            bounded(move || {
                let runtime = runtime();
                let (transport, script) = scripted();
                let (ready, is_ready) = tokio::sync::oneshot::channel();
                runtime.block_on(async move {
                    tokio::spawn(async move {
                        let (_reader, writer) = highwater_stream::pair(transport);
                        if written_first {
                            writer.write("early, ").unwrap();
                            settle().await;
                        }
                        writer.write("last words").unwrap();
                        ready.send(()).unwrap();
                        pending::<()>().await;
                    });
                    is_ready.await.unwrap();
                });
                drop(runtime);
                let all: &[u8] = if written_first { b"early, last words" } else { b"last words" };
                assert_eq!(script.delivered(), all);
                assert!(script.is_gone());
            });
        }
    }
}

#[test]
fn w2_halves_that_outlive_the_runtime_lose_nothing() {
    for runtime in [one_thread, two_workers] {
        bounded(move || {
            let runtime = runtime();
            let (transport, script) = scripted();
            let (reader, writer) = runtime.block_on(async {
                let (reader, writer) = highwater_stream::pair(transport);
                writer.write("inside").unwrap();
                (reader, writer)
            });
            drop(runtime);
            assert_eq!(script.delivered(), b"inside");
            writer.write(", outside").unwrap();
            drop((reader, writer));
            assert_eq!(script.delivered(), b"inside, outside");
        });
    }
}

#[test]
fn w2_bytes_refused_at_the_end_of_the_runtime_are_told() {
    for runtime in [one_thread, two_workers] {
        bounded(move || {
            let runtime = runtime();
            let (transport, script) = stalled_after(4);
            let writer = runtime.block_on(async {
                let writer = StreamWriter::new(transport);
                writer.write("0123456789").unwrap();
                writer.close();
                writer
            });
            drop(runtime);
            assert_eq!(script.taken(), b"0123");
            assert!(script.is_gone());
            let error = futures::executor::block_on(writer.wait_closed()).unwrap_err();
            assert_eq!(error.unsent(), 6);
            assert_eq!(error.cause().kind(), io::ErrorKind::NotConnected);
            assert!(writer.write("more").is_err());
            assert!(futures::executor::block_on(writer.drain()).is_err());
        });
    }
}

/// Open at the end of the runtime: what was refused stays queued, for whoever still has a half.
#[test]
fn w2_bytes_refused_at_the_end_of_the_runtime_can_still_be_flushed() {
    bounded(|| {
        let runtime = one_thread();
        let (transport, script) = stalled_after(4);
        let (_reader, writer) = runtime.block_on(async {
            let (reader, writer) = highwater_stream::pair(transport);
            writer.write("0123456789").unwrap();
            (reader, writer)
        });
        drop(runtime);
        assert_eq!((writer.queued(), writer.is_closing()), (6, false));
        script.open();
        futures::executor::block_on(writer.flush()).unwrap();
        assert_eq!(script.delivered(), b"0123456789");
    });
}

/// The transport took the bytes and holds them back, as TLS does: they are not delivered.
#[test]
fn w2_bytes_held_back_at_the_end_of_the_runtime_are_told() {
    bounded(|| {
        let runtime = one_thread();
        let (transport, script) = scripted();
        script.hold_flush();
        let writer = runtime.block_on(async {
            let writer = StreamWriter::new(transport);
            writer.write("held back").unwrap();
            writer.close();
            writer
        });
        drop(runtime);
        assert!(script.is_gone());
        assert_eq!(script.delivered(), b"");
        futures::executor::block_on(writer.wait_closed()).unwrap_err();
    });
}

/// No runtime and nobody left to wait: what is refused is lost, and the connection is not kept for it.
#[test]
fn w2_without_a_runtime_the_last_drop_lets_go() {
    bounded(|| {
        let (transport, script) = stalled_after(4);
        let (reader, writer) = highwater_stream::pair(transport);
        let weak = writer.downgrade();
        writer.write("0123456789").unwrap();
        drop((reader, writer));
        assert_eq!(script.taken(), b"0123");
        assert!(script.is_gone() && weak.is_gone());
    });
}

/// A task that panics while it holds the halves takes nothing with it.
#[test]
fn w2_a_panic_of_the_handler_loses_nothing() {
    run(async {
        let (transport, script) = scripted();
        let (reader, writer) = highwater_stream::pair(transport);
        let task = tokio::spawn(async move {
            let _reader = reader;
            writer.write("before the panic").unwrap();
            panic!("on purpose");
        });
        task.await.unwrap_err();
        settle().await;
        assert_eq!(script.delivered(), b"before the panic");
    });
}

#[test]
fn w2_a_stalled_delivery_goes_on_for_as_long_as_bytes_are_taken() {
    run_paused(async {
        let (transport, script) = stalled_after(0);
        let pair = Pair::new(transport);
        let (reader, writer) = pair.split();
        writer.write(vec![b'x'; 20]).unwrap();
        drop((reader, writer));
        for taken in 1..=20 {
            tokio::time::sleep(Duration::from_secs(29)).await;
            script.allow(1);
            settle().await;
            assert_eq!(script.taken().len(), taken);
        }
        script.arrive_end();
        settle().await;
        assert!(script.is_gone());
    });
}

/// A pair that was made in a runtime that has ended is sent by the one that it is used in.
#[test]
fn w2_a_pair_outlives_its_runtime() {
    bounded(|| {
        let first = one_thread();
        let (near, mut far) = tokio::io::duplex(10);
        let (_reader, writer) = first.block_on(async { highwater_stream::pair(near) });
        drop(first);
        one_thread().block_on(async {
            writer.write([1; 100]).unwrap();
            let mut all = [0; 100];
            tokio::io::AsyncReadExt::read_exact(&mut far, &mut all).await.unwrap();
            assert_eq!(all, [1; 100]);
        });
    });
}
