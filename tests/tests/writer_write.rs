//! W1: `write` takes anything that is bytes, from anywhere, and only queues it.

use bytes::{Bytes, BytesMut};
use highwater_stream::{Pair, StreamWriter, WriteError};
use highwater_tests::bounded::{bounded, run, run_on_workers};
use highwater_tests::transport::{Calls, Script, Scripted, scripted, stalled_after};
use std::thread;
use tokio::net::TcpStream;

#[test]
fn w1_a_writer_is_clone_send_and_sync() {
    fn holds<T: Clone + Send + Sync + 'static>() {}
    holds::<StreamWriter<Scripted>>();
    holds::<StreamWriter<TcpStream>>();
    holds::<StreamWriter<tokio::io::DuplexStream, String>>();
    fn is_send<T: Send>() {}
    is_send::<highwater_stream::StreamReader<highwater_stream::ReadHalf<TcpStream>>>();
    fn is_shared<T: Clone + Send + Sync>() {}
    is_shared::<highwater_stream::WeakWriter<TcpStream>>();
}

#[test]
fn w1_every_payload_arrives_in_order() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        let kept = (String::from("string ref "), Bytes::from_static(b"bytes ref "));
        writer.write(&b"slice "[..]).unwrap();
        writer.write(b"array ref ").unwrap();
        writer.write(*b"array ").unwrap();
        writer.write("str ").unwrap();
        writer.write(&kept.0).unwrap();
        writer.write(String::from("string ")).unwrap();
        writer.write(vec![b'v', b' ']).unwrap();
        writer.write(Bytes::from_static(b"bytes ")).unwrap();
        writer.write(&kept.1).unwrap();
        writer.write(BytesMut::from("mut ")).unwrap();
        writer.write(Vec::from("boxed ").into_boxed_slice()).unwrap();
        writer.write("").unwrap();
        writer.flush().await.unwrap();
        let all = "slice array ref array str string ref string v bytes bytes ref mut boxed ";
        assert_eq!(String::from_utf8(script.delivered()).unwrap(), all);
        drop(kept);
    });
}

/// Also the lengths at which a payload is shared instead of copied.
#[test]
fn w1_short_and_long_payloads_keep_their_order() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        let mut all = Vec::new();
        for (index, length) in [1, 2047, 2048, 2049, 3, 65_536, 1, 100_000, 0, 7].into_iter().enumerate() {
            let payload = vec![b'a' + u8::try_from(index).unwrap(); length];
            all.extend_from_slice(&payload);
            if index % 2 == 0 { writer.write(&payload) } else { writer.write(payload) }.unwrap();
        }
        assert_eq!(writer.queued(), all.len());
        writer.flush().await.unwrap();
        assert!(script.delivered() == all);
    });
}

#[test]
fn w1_the_write_macro_queues_one_message() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        let clone = writer.clone();
        // A `Display` that writes in the middle of a message.
        struct Intruder(StreamWriter<Scripted>);
        impl std::fmt::Display for Intruder {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.write("[intruder]").unwrap();
                f.write_str("middle")
            }
        }
        write!(writer, "begin {} end", Intruder(clone)).unwrap();
        let nothing = "";
        write!(writer, "{nothing}").unwrap();
        write!(writer, "plain").unwrap();
        script.open();
        writer.flush().await.unwrap();
        assert_eq!(script.delivered(), b"[intruder]begin middle endplain");
    });
}

#[test]
fn w1_write_lines_is_one_step_and_skips_what_is_empty() {
    run(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        let inner = writer.clone();
        let chunks = ["one ", "", "two ", "", ""].into_iter().inspect(move |_| inner.write("!").unwrap());
        writer.write_lines(chunks).unwrap();
        writer.write_lines(["", ""]).unwrap();
        writer.write_lines(Vec::<String>::new()).unwrap();
        writer.write_lines([Bytes::from(vec![b'x'; 5000]), Bytes::new(), Bytes::from_static(b"y")]).unwrap();
        writer.flush().await.unwrap();
        let expected = [b"!!!!!one two ".to_vec(), vec![b'x'; 5000], b"y".to_vec()].concat();
        assert!(script.delivered() == expected);
    });
}

#[test]
fn w1_write_lines_queues_all_or_nothing() {
    run(async {
        let (transport, _script) = stalled_after(0);
        let (_reader, writer) = Pair::new(transport).max_buffered(Some(10)).split();
        writer.write("1234").unwrap();
        let refused = writer.write_lines(["567", "", "8901"]).unwrap_err();
        assert!(matches!(refused, WriteError::Full { queued: 4, payload: 7, max_buffered: 10 }));
        assert_eq!(writer.queued(), 4);
        writer.write_lines(["567", "890"]).unwrap();
        assert_eq!(writer.queued(), 10);
    });
}

#[test]
fn w1_write_makes_no_call_into_the_transport() {
    run(async {
        let (transport, script) = scripted();
        let (_reader, writer) = highwater_stream::pair(transport);
        for _ in 0..1000 {
            writer.write("0123456789".repeat(20)).unwrap();
            write!(writer, "{}", 1).unwrap();
            writer.write_lines(["a", "b"]).unwrap();
        }
        assert_eq!(script.calls(), Calls::default());
        assert_eq!(writer.queued(), 1000 * 203);
        writer.flush().await.unwrap();
        assert_eq!(script.delivered().len(), 1000 * 203);
    });
}

/// Numbered messages of several lengths, from clones on several threads: each comes out whole, and those
/// of one thread in their order.
#[test]
fn w1_messages_of_several_threads_never_interleave() {
    const THREADS: usize = 4;
    const MESSAGES: usize = 2000;
    let delivered = run_on_workers(async {
        let (transport, script) = scripted();
        let writer = StreamWriter::new(transport);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let writer = writer.clone();
                thread::spawn(move || {
                    for message in 0..MESSAGES {
                        let filler = "x".repeat(if message % 100 == 0 { 3000 } else { message % 50 });
                        match message % 3 {
                            0 => writer.write(format!("<{thread} {message} {filler}>\n")),
                            1 => writeln!(writer, "<{thread} {message} {filler}>"),
                            _ => writer.write_lines(["<", &format!("{thread} {message} "), &filler, ">\n"]),
                        }
                        .unwrap();
                    }
                })
            })
            .collect();
        tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| thread.join().unwrap()))
            .await
            .unwrap();
        writer.flush().await.unwrap();
        script.delivered()
    });
    let mut next = [0; THREADS];
    for line in std::str::from_utf8(&delivered).unwrap().lines() {
        let inside = line.strip_prefix('<').and_then(|line| line.strip_suffix('>'));
        let mut fields = inside.expect("a whole message").split(' ');
        let thread: usize = fields.next().unwrap().parse().unwrap();
        let message: usize = fields.next().unwrap().parse().unwrap();
        assert_eq!(message, next[thread]);
        assert!(fields.next().unwrap().bytes().all(|byte| byte == b'x'));
        next[thread] += 1;
    }
    assert_eq!(next, [MESSAGES; THREADS]);
}

#[test]
fn w1_a_plain_thread_may_write_and_the_bytes_leave_by_themselves() {
    run(async {
        let (near, far) = tokio::io::duplex(1024);
        let (_reader, writer) = highwater_stream::pair(near);
        let (mut peer, _reply) = highwater_stream::pair(far);
        let clone = writer.clone();
        let thread = thread::spawn(move || clone.write("from a thread\n").unwrap());
        assert_eq!(peer.read_line().await.unwrap().unwrap(), "from a thread\n");
        thread.join().unwrap();
        drop(writer);
    });
}

#[test]
fn w1_a_drop_may_write() {
    struct SaysGoodbye(StreamWriter<Scripted>);
    impl Drop for SaysGoodbye {
        fn drop(&mut self) {
            self.0.write("goodbye").unwrap();
        }
    }
    run(async {
        let (transport, script) = scripted();
        let guard = SaysGoodbye(StreamWriter::new(transport));
        let task = tokio::spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        task.abort();
        task.await.unwrap_err();
        assert_eq!(script.delivered(), b"goodbye");
    });
}

/// `queued` counts what the transport has not taken, also when it takes bytes one at a time.
#[test]
fn w1_the_count_of_queued_bytes_is_exact() {
    run(async {
        let (transport, script) = stalled_after(0);
        let writer = StreamWriter::new(transport);
        writer.write("12345").unwrap();
        for left in (0..5).rev() {
            script.allow(1);
            highwater_tests::bounded::settle().await;
            assert_eq!(writer.queued(), left);
        }
        assert_eq!(script.delivered(), b"12345");
    });
}

fn outside() -> (StreamWriter<Scripted>, Script) {
    let (transport, script) = scripted();
    (StreamWriter::new(transport), script)
}

#[test]
fn w1_outside_a_runtime_write_queues() {
    bounded(|| {
        let (writer, script) = outside();
        writer.write("queued").unwrap();
        assert_eq!((writer.queued(), script.taken().len()), (6, 0));
        futures::executor::block_on(writer.flush()).unwrap();
        assert_eq!(script.delivered(), b"queued");
        writer.write(" and dropped").unwrap();
        drop(writer);
        assert_eq!(script.delivered(), b"queued and dropped");
        assert!(script.is_gone());
    });
}

#[test]
fn w1_a_pair_made_outside_uses_the_runtime_that_it_is_used_in() {
    bounded(|| {
        let (writer, script) = outside();
        highwater_tests::bounded::one_thread().block_on(async {
            writer.write("inside").unwrap();
            highwater_tests::bounded::settle().await;
            assert_eq!(script.delivered(), b"inside");
        });
    });
}

#[test]
fn w1_after_its_runtime_write_queues_or_errs() {
    for runtime in [highwater_tests::bounded::one_thread, highwater_tests::bounded::two_workers] {
        bounded(move || {
            let runtime = runtime();
            let (writer, script) = runtime.block_on(async { outside() });
            drop(runtime);
            writer.write("late").unwrap();
            writer.write_lines([" and", " later"]).unwrap();
            write!(writer, "{}", 1).unwrap();
            futures::executor::block_on(writer.drain()).unwrap();
            futures::executor::block_on(writer.flush()).unwrap();
            assert_eq!(script.delivered(), b"late and later1");
            writer.close();
            futures::executor::block_on(writer.wait_closed()).unwrap();
            assert!(writer.write("too late").is_err());
        });
    }
}

/// A socket is of no use without the runtime that watches it; then `write` errs, and never panics.
#[test]
fn w1_after_its_runtime_a_socket_errs_and_never_panics() {
    for runtime in [highwater_tests::bounded::one_thread, highwater_tests::bounded::two_workers] {
        bounded(move || {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let address = listener.local_addr().unwrap();
            let runtime = runtime();
            let (reader, writer) = runtime
                .block_on(async { highwater_stream::pair(TcpStream::connect(address).await.unwrap()) });
            drop(runtime);
            for _ in 0..3 {
                let _ = writer.write("anything");
                let _ = futures::executor::block_on(writer.drain());
            }
            writer.close();
            let _ = futures::executor::block_on(writer.wait_closed());
            drop((reader, writer));
        });
    }
}
