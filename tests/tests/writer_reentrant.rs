//! W1: the writer may be called from within the transport's own calls and from whatever it drops.
//! No lock stands in the way.

use bytes::Bytes;
use highwater_stream::{Pair, Payload, StreamWriter, WeakWriter, WriteBuffer};
use highwater_tests::bounded::{bounded, one_thread, run, settle};
use highwater_tests::transport::{Script, Scripted, reset, scripted, stalled_after};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A writer that the transport holds for its callback, weak so that it does not keep itself alive.
fn callback(
    script: &Script,
    weak: WeakWriter<Scripted>,
    call: impl Fn(&StreamWriter<Scripted>) + Send + 'static,
) {
    let mut calls = 0;
    script.on_write(move || {
        calls += 1;
        if calls == 1 {
            call(&weak.upgrade().expect("the test holds a writer"));
        }
    });
}

#[test]
fn w1_the_transport_may_call_write_back() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        callback(&script, writer.downgrade(), |writer| writer.write("second").unwrap());
        writer.write("first ").unwrap();
        writer.flush().await.unwrap();
        settle().await;
        assert_eq!(script.delivered(), b"first second");
    });
}

#[test]
fn w1_the_transport_may_call_close_back() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        callback(&script, writer.downgrade(), |writer| writer.close());
        writer.write("all of it").unwrap();
        settle().await;
        assert_eq!(script.delivered(), b"all of it");
        assert_eq!(script.calls().shutdowns, 1);
        assert!(writer.is_closing());
        assert_eq!(reader.read(1).await.unwrap(), "");
        script.arrive_end();
        writer.wait_closed().await.unwrap();
        assert!(script.is_gone());
    });
}

#[test]
fn w1_the_transport_may_call_abort_back() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = Pair::new(transport).on_abort(reset).split();
        callback(&script, writer.downgrade(), |writer| writer.abort());
        writer.write("some of it").unwrap();
        let error = writer.flush().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert!(script.was_reset() && script.is_gone());
        assert_eq!(reader.read(1).await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    });
}

#[test]
fn w1_a_read_of_the_transport_may_call_back() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        let clone = writer.clone();
        let mut calls = 0;
        script.on_read(move || {
            calls += 1;
            match calls {
                1 => clone.write("written in a read").unwrap(),
                2 => clone.close(),
                _ => {}
            }
        });
        script.arrive("a");
        assert_eq!(reader.read(1).await.unwrap(), "a");
        assert_eq!(reader.read(1).await.unwrap(), "");
        assert_eq!(script.delivered(), b"written in a read");
        script.arrive_end();
        writer.wait_closed().await.unwrap();
    });
}

/// The same without a runtime: here the caller's own push meets the callback.
#[test]
fn w1_the_transport_may_call_back_outside_a_runtime() {
    type Call = fn(&StreamWriter<Scripted>);
    let calls: [(Call, &[u8]); 3] = [
        (|writer| writer.write(" second").unwrap(), b"first second"),
        (|writer| writer.close(), b"first"),
        (|writer| writer.abort(), b""),
    ];
    for (call, expected) in calls {
        bounded(move || {
            let (transport, script) = scripted();
            let (_reader, writer) = highwater_stream::pair(transport);
            callback(&script, writer.downgrade(), call);
            writer.write("first").unwrap();
            let flushed = futures::executor::block_on(writer.flush());
            assert_eq!(flushed.is_ok(), !expected.is_empty());
            if flushed.is_ok() {
                assert_eq!(script.delivered(), expected);
            }
        });
    }
}

#[test]
fn w1_the_transport_may_call_back_after_its_runtime() {
    type Call = fn(&StreamWriter<Scripted>);
    let calls: [Call; 4] = [
        |writer| writer.write(" second").unwrap(),
        |writer| writer.write_eof().unwrap(),
        |writer| writer.close(),
        |writer| writer.abort(),
    ];
    for call in calls {
        bounded(move || {
            let runtime = one_thread();
            let (transport, script) = scripted();
            let (_reader, writer) = runtime.block_on(async { highwater_stream::pair(transport) });
            drop(runtime);
            callback(&script, writer.downgrade(), call);
            writer.write("first").unwrap();
            let _ = futures::executor::block_on(writer.flush());
        });
    }
}

/// What is queued without a copy runs the caller's code when it is dropped, wherever that is: taken by
/// the transport, dropped by an abort, copied because it is short.
struct Owner {
    bytes: Vec<u8>,
    writer: StreamWriter<Scripted>,
    dropped: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.writer.write("!");
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn owned(length: usize, writer: &StreamWriter<Scripted>, dropped: &Arc<AtomicUsize>) -> Bytes {
    Bytes::from_owner(Owner {
        bytes: vec![b'x'; length],
        writer: writer.clone(),
        dropped: Arc::clone(dropped),
    })
}

#[test]
fn w1_a_payload_that_was_sent_may_write_when_dropped() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        let dropped = Arc::default();
        writer.write(owned(10_000, &writer, &dropped)).unwrap();
        writer.flush().await.unwrap();
        settle().await;
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        assert_eq!(script.delivered().len(), 10_001);
    });
}

#[test]
fn w1_a_payload_that_was_never_sent_may_write_when_dropped() {
    run(async {
        for was_tried in [false, true] {
            let (transport, _script) = stalled_after(100);
            let (_reader, writer) = highwater_stream::pair(transport);
            let dropped = Arc::default();
            writer.write(owned(10_000, &writer, &dropped)).unwrap();
            if was_tried {
                settle().await;
            }
            writer.abort();
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
            writer.wait_closed().await.unwrap_err();
        }
    });
}

#[test]
fn w1_a_short_payload_may_write_when_dropped() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        let dropped = Arc::default();
        writer.write(owned(10, &writer, &dropped)).unwrap();
        writer.write_lines([owned(10, &writer, &dropped), owned(10, &writer, &dropped)]).unwrap();
        writer.flush().await.unwrap();
        settle().await;
        assert_eq!(dropped.load(Ordering::SeqCst), 3);
        assert_eq!(script.delivered().len(), 33);
    });
}

/// `with_transport` holds the transport; what is called for meanwhile happens after it.
#[test]
fn w1_a_look_at_the_transport_may_call_back() {
    bounded(|| {
        for in_runtime in [false, true] {
            let runtime = one_thread();
            let guard = in_runtime.then(|| runtime.enter());
            let (transport, script) = scripted();
            let (reader, writer) = Pair::new(transport).on_abort(reset).split();
            writer.with_transport(|_| writer.write("in between").unwrap()).unwrap();
            reader.with_transport(|_| writer.abort()).unwrap();
            assert!(script.was_reset() && script.is_gone(), "aborted, in_runtime: {in_runtime}");
            drop(guard);
        }
    });
}

/// A payload of the caller's own kind, which writes when it is dropped.
struct Logged(Vec<u8>, StreamWriter<Scripted>);

impl Payload for Logged {
    fn payload_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.1.write("!").unwrap();
    }
}

#[test]
fn w1_a_payload_of_ones_own_may_write_when_dropped() {
    run(async {
        for length in [1, 2047, 2048, 100_000] {
            let (transport, script) = scripted();
            let (_reader, writer) = highwater_stream::pair(transport);
            writer.write(Logged(vec![b'x'; length], writer.clone())).unwrap();
            writer.flush().await.unwrap();
            settle().await;
            assert_eq!(script.delivered().len(), length + 1);
            assert_eq!(script.delivered().iter().filter(|&&byte| byte == b'!').count(), 1);
        }
    });
}

/// Its queue is the writer's own: what a payload says of its length is not believed.
#[test]
fn w1_a_payload_that_queues_something_else_is_counted_by_what_it_queued() {
    struct Liar;
    impl Payload for Liar {
        fn payload_bytes(&self) -> &[u8] {
            &[0; 5000]
        }
        fn queue_into(self, queue: &mut WriteBuffer) {
            queue.push(b"three");
        }
    }
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        writer.write(Liar).unwrap();
        assert_eq!(writer.queued(), 5);
        writer.flush().await.unwrap();
        assert_eq!((script.delivered(), writer.queued()), (b"three".to_vec(), 0));
    });
}

/// What the transport took is dropped in its own turn; here that was the last writer.
#[test]
fn w1_the_last_writer_may_go_with_a_payload_as_the_runtime_ends() {
    struct Owner(Vec<u8>, #[expect(dead_code)] StreamWriter<Scripted>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    bounded(|| {
        let runtime = one_thread();
        let (transport, script) = scripted();
        let writer = runtime.block_on(async { StreamWriter::new(transport) });
        writer.write(Bytes::from_owner(Owner(vec![0; 4096], writer.clone()))).unwrap();
        drop(writer);
        drop(runtime);
        assert_eq!(script.delivered().len(), 4096);
    });
}
